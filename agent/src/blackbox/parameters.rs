//! The parameters of a request, read as Go reads them.

/// The parameters of a query, in order; what can't be read is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what follows the `?` of a request.
    pub(crate) fn read(query: &str) -> Parameters {
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescaped(name)?, unescaped(value)?))
        };
        Parameters(pairs.filter_map(pair).collect())
    }

    /// The first value of that name; empty if there is none.
    pub(crate) fn first(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// `text` with `%XX` and `+` undone; absent if a `%` is followed by anything else, or if it is no text then.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (digit()?, digit()?);
                high * 16 + low
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// `text` as Go's `%q` shows it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_name_counts_and_what_can_not_be_read_is_left_out() {
        let parameters = Parameters::read("target=http%3A%2F%2Fa%2F%3Fb%3Dc+d&target=x&module=&bad=%zz&a;b=c&debug");
        assert_eq!(parameters.first("target"), "http://a/?b=c d");
        assert_eq!((parameters.first("module"), parameters.first("bad"), parameters.first("debug")), ("", "", ""));
    }

    #[test]
    fn an_escape_is_undone_once_at_a_time() {
        assert_eq!(unescaped("http%253A").as_deref(), Some("http%3A"));
        assert_eq!(unescaped("http%3A").as_deref(), Some("http:"));
        assert_eq!((unescaped("100%"), unescaped("%4"), unescaped("%ff")), (None, None, None));
    }

    #[test]
    fn a_text_is_quoted_as_go_quotes() {
        assert_eq!(quoted("a\"b\\\u{1}\n한"), "\"a\\\"b\\\\\\x01\\n한\"");
    }
}
