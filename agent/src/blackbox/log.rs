//! What is noted of one probe for whoever asks for `debug=true` or `/logs`: lines as blackbox_exporter's.
//!
//! Targets' words are in it, cut and escaped; secrets of the module never are.

use super::parameters::quoted;
use daemon::clock::Clock;
use rules::evidence::{Evidence, Phase};
use rules::judge::Complaint;
use std::fmt::Write as _;

/// The notes of one probe.
#[derive(Debug)]
pub(crate) struct Log {
    clock: Clock,
    /// The module and target, as every line names them.
    about: String,
    text: String,
}

impl Log {
    pub(crate) fn new(clock: &Clock, module: &str, target: &str) -> Log {
        let about = format!("module={} target={}", value(module), value(&without_password(target)));
        Log { clock: clock.clone(), about, text: String::new() }
    }

    /// Notes `message` with `fields`, which are names and values.
    pub(crate) fn line(&mut self, level: &str, message: &str, fields: &[(&str, &str)]) {
        let (at, about) = (self.clock.wall(), &self.about);
        // Writing to a string can't fail.
        let _ = write!(self.text, "ts={at} {about} level={level} msg={}", value(message));
        for (name, field) in fields {
            let _ = write!(self.text, " {name}={}", value(field));
        }
        self.text.push('\n');
    }

    /// Notes what was seen, and what was wrong with it.
    pub(crate) fn evidence(&mut self, evidence: &Evidence, complaint: Option<&Complaint<'_>>) {
        for attempt in &evidence.attempts {
            let (address, elapsed) = (attempt.address.to_string(), seconds(attempt.elapsed));
            match attempt.fault {
                None => self.line("info", "Connected", &[("address", &address), ("seconds", &elapsed)]),
                Some(fault) => {
                    let fields = [("address", address.as_str()), ("fault", fault.as_str()), ("seconds", &elapsed)];
                    self.line("info", "Could not connect", &fields);
                }
            }
        }
        if let Some(http) = &evidence.http {
            let (status, redirects) = (http.status.to_string(), http.redirects.to_string());
            let fields =
                [("status_code", status.as_str()), ("version", http.version.as_str()), ("redirects", &redirects)];
            self.line("info", "Received HTTP response", &fields);
        }
        let phases: Vec<(&str, String)> =
            evidence.phases.iter().map(|(phase, length)| (Phase::as_str(phase), seconds(length))).collect();
        if !phases.is_empty() {
            let fields: Vec<(&str, &str)> = phases.iter().map(|(phase, length)| (*phase, length.as_str())).collect();
            self.line("info", "Phases in seconds", &fields);
        }
        if let Some(complaint) = complaint {
            self.line("error", &complaint.to_string(), &[]);
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

fn seconds(length: std::time::Duration) -> String {
    super::exposition::number(length.as_secs_f64())
}

/// A value of a line, quoted where it must be.
fn value(text: &str) -> String {
    let is_plain =
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '=');
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// `target` without the password that may stand in a URL.
pub(crate) fn without_password(target: &str) -> String {
    match url::Url::parse(target) {
        Ok(mut url) if url.password().is_some() => {
            // A URL that has a password can have another.
            let _ = url.set_password(Some("xxxxx"));
            url.to_string()
        }
        _ => target.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::time::Timestamp;

    #[test]
    fn a_line_names_time_module_and_target_and_hides_the_target_s_password() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(0));
        let mut log = Log::new(&clock, "http 2xx", "http://u:hunter2@a/");
        log.line("info", "Beginning probe", &[("timeout_seconds", "5"), ("said", "a \"b\"\n")]);
        let expected = "ts=1970-01-01T00:00:00Z module=\"http 2xx\" target=http://u:xxxxx@a/ level=info \
                        msg=\"Beginning probe\" timeout_seconds=5 said=\"a \\\"b\\\"\\n\"\n";
        assert_eq!(log.into_text(), expected);
    }
}
