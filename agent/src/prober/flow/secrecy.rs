//! Blots secrets out of what is told of an answer: a server may repeat what it was sent.

use rules::evidence::Said;
use url::form_urlencoded::byte_serialize;

/// What stands in a secret's place.
const BLOT: &str = "[redacted]";
/// The shortest beginning of a secret that is blotted out where a text was cut in the middle of it.
const BEGINNING_BYTES_MIN: usize = 3;

/// The secrets of one run, in the spellings that they may come back in; the longest first.
#[derive(Default)]
pub(super) struct Blotter(Vec<String>);

impl Blotter {
    /// Takes a secret in.
    pub(super) fn learn(&mut self, secret: &str) {
        let form: String = byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::Value::from(secret).to_string();
        // Without the quotes around it.
        let json = json[1..json.len() - 1].to_owned();
        let spellings = [secret.to_owned(), form.replace('+', "%20"), form, json];
        for spelling in spellings {
            if !spelling.is_empty() && !self.0.contains(&spelling) {
                self.0.push(spelling);
            }
        }
        self.0.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    }

    /// `text` without any of the secrets, and without the beginning of one at its end.
    pub(super) fn blot(&self, text: &str) -> Said {
        let mut text = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, BLOT));
        if let Some(at) = self.0.iter().filter_map(|secret| cut_off(&text, secret)).min() {
            text.truncate(at);
            text.push_str(BLOT);
        }
        Said::new(&text)
    }
}

/// Where `text` ends with a beginning of `secret`, if it does.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    let beginnings = secret.char_indices().map(|(at, _)| at).filter(|at| BEGINNING_BYTES_MIN <= *at);
    beginnings.rev().find(|at| text.ends_with(&secret[..*at])).map(|length| text.len() - length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_blotted_out_in_every_spelling_and_where_it_is_cut() {
        let mut blotter = Blotter::default();
        blotter.learn("hunter 2/\"x\"");
        blotter.learn("");
        let check = |text: &str, expected: &str| assert_eq!(blotter.blot(text).as_str(), expected, "{text}");
        check("no secret", "no secret");
        check("a hunter 2/\"x\" b hunter 2/\"x\"", "a [redacted] b [redacted]");
        check("?p=hunter+2%2F%22x%22&q", "?p=[redacted]&q");
        check("?p=hunter%202%2F%22x%22&q", "?p=[redacted]&q");
        check(r#"{"p":"hunter 2/\"x\""}"#, r#"{"p":"[redacted]"}"#);
        check("cut hunter 2", "cut [redacted]");
        check("cut hun", "cut [redacted]");
        check("cut hu", "cut hu");
    }

    #[test]
    fn a_secret_within_another_leaves_nothing_of_the_longer() {
        let mut blotter = Blotter::default();
        blotter.learn("abc");
        blotter.learn("xabcx");
        assert_eq!(blotter.blot("xabcx abc").as_str(), "[redacted] [redacted]");
    }
}
