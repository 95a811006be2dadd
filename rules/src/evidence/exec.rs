//! What a command answered: its exit status, the first line of its output, and its performance data.

#[expect(clippy::float_arithmetic, reason = "what a plugin measured is shown, and never reckoned with")]
mod perfdata;

pub use perfdata::{PERFDATA_MAX, Perfdata};

use super::Said;
use alloc::string::String;
use alloc::vec::Vec;

/// What a command answered.
#[derive(Clone, PartialEq, Debug)]
pub struct ExecFacts {
    /// How it ended.
    pub end: ProcessEnd,
    /// The first line that it said, up to its performance data.
    pub text: Said,
    /// What it measured, at most [`PERFDATA_MAX`].
    pub perfdata: Vec<Perfdata>,
    /// How many bytes it wrote to its standard output, those left out too.
    pub output_bytes: u64,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessEnd {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

impl ExecFacts {
    /// Reads what a command wrote, as the plugin guidelines say: text, `|`, performance data on the
    /// first line; more of both on those that follow. A command that wrote nothing there, and
    /// `errors` on its standard error, is quoted by that.
    pub fn read(end: ProcessEnd, output: &str, errors: &str, output_bytes: u64) -> ExecFacts {
        let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
        let (text, measured) = first.split_once('|').unwrap_or((first, ""));
        let long_measured = rest.split_once('|').map_or("", |(_, measured)| measured);
        let text = match text.trim() {
            "" => errors.trim_start().lines().next().unwrap_or(""),
            text => text,
        };
        let mut all = String::with_capacity(measured.len() + 1 + long_measured.len());
        all.push_str(measured);
        all.push('\n');
        all.push_str(long_measured);
        ExecFacts { end, text: Said::new(text.trim()), perfdata: perfdata::read(&all), output_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[track_caller]
    fn check(output: &str, errors: &str, text: &str, labels: &[&str]) {
        let facts = ExecFacts::read(ProcessEnd::Exited(0), output, errors, 0);
        let found: Vec<&str> = facts.perfdata.iter().map(|measured| measured.label.as_str()).collect();
        assert_eq!((facts.text.to_string().as_str(), found.as_slice()), (text, labels), "{output:?}");
    }

    #[test]
    fn text_and_performance_data_are_told_apart_on_one_line_and_on_many() {
        check("OK\n", "", "OK", &[]);
        check(
            "DISK OK - free space: / 3326 MB | /=2643MB;5948;5958;0;5968\n",
            "",
            "DISK OK - free space: / 3326 MB",
            &["/"],
        );
        check("OK | a=1\nlong text\nmore text | b=2\nc=3 d=4\n", "", "OK", &["a", "b", "c", "d"]);
        check("OK\nlong | b=2\n", "", "OK", &["b"]);
        check("|a=1", "", "", &["a"]);
        check("", "", "", &[]);
    }

    #[test]
    fn a_command_that_says_nothing_is_quoted_by_its_errors() {
        check("", "\nCan't locate Nagios.pm\nat line 3", "Can't locate Nagios.pm", &[]);
        check("OK", "warning: locale", "OK", &[]);
    }

    #[test]
    fn what_was_said_can_steer_no_terminal() {
        check("\u{1b}[2JOK\r\n", "", "\\u{1b}[2JOK", &[]);
    }
}
