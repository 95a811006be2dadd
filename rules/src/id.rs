//! Names: one type each, so that an agent is never taken for a service.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

/// The longest name, in bytes: names are labels of metrics and parts of URLs.
pub const NAME_BYTES_MAX: usize = 200;

/// A text that can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Nothing is left of it.
    #[error("a name is empty; give it at least one character")]
    Empty,
    /// It is longer than [`NAME_BYTES_MAX`].
    #[error("a name is {0} bytes long; at most {NAME_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// It has a control character, a direction mark, a slash or white space at an end.
    #[error("the name `{name}` has a {what}; leave it out")]
    Forbidden {
        /// The name as given, its control characters shown as escapes.
        name: String,
        /// What must go.
        what: &'static str,
    },
}

/// `text` as a name, for names that have no type of their own.
pub fn read_name(text: &str) -> Result<Arc<str>, NotAName> {
    let forbidden = |what| NotAName::Forbidden { name: text.escape_default().collect(), what };
    match text {
        "" => Err(NotAName::Empty),
        _ if NAME_BYTES_MAX < text.len() => Err(NotAName::TooLong(text.len())),
        _ if text.chars().any(char::is_control) => Err(forbidden("control character")),
        _ if text.chars().any(is_direction_mark) => Err(forbidden("direction mark")),
        _ if text.contains('/') => Err(forbidden("slash")),
        _ if text.trim() != text => Err(forbidden("space at its end")),
        _ => Ok(Arc::from(text)),
    }
}

/// Whether `c` can reorder the text around it on a page.
pub(crate) fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;
            fn from_str(text: &str) -> Result<Self, NotAName> {
                read_name(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// An agent: the process, and the vantage it looks from.
    AgentId
);
name!(
    /// A service: what an agreement promises to one customer.
    ServiceId
);
name!(
    /// A check of a service.
    CheckId
);
name!(
    /// A step of a flow.
    StepId
);
name!(
    /// A source of targets, such as an inventory or a cluster.
    SourceId
);
name!(
    /// An agreement with one customer.
    AgreementId
);
name!(
    /// A policy that agreements follow.
    PolicyId
);
name!(
    /// A latency objective of a policy, such as `login-page`.
    ObjectiveId
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_name_keeps_what_people_write_and_refuses_what_breaks_pages() {
        for good in ["apm-prod", "서비스 1", "a.b_c:d"] {
            assert_eq!(good.parse::<ServiceId>().unwrap().to_string(), good);
        }
        for bad in ["", " a", "a/b", "a\nb", "a\u{202e}b"] {
            assert!(bad.parse::<ServiceId>().is_err(), "{bad:?}");
        }
    }
}
