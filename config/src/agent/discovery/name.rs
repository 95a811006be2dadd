//! Names of discovered checks: the same target has the same name today and after a restart.

use rules::id::{CheckId, NAME_BYTES_MAX};

/// How many digits of the original's hash follow a name that had to be changed.
const HASH_DIGITS: usize = 8;

/// The check's name for `text`: itself where it can be a name; otherwise what can stand in a name, and
/// a hash of the whole, so that two texts that look alike afterwards stay two.
pub(super) fn check_id(text: &str) -> CheckId {
    let allowed = |c: char| c.is_alphanumeric() || "-_.:@=,+~[]".contains(c);
    if let (Ok(id), true) = (text.parse(), text.chars().all(allowed)) {
        return id;
    }
    let mut name: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX - 1 - HASH_DIGITS));
    let hash = format!("{:016x}", hash(text));
    format!("{name}~{}", &hash[..HASH_DIGITS]).parse().expect("letters, digits and marks within the length are a name")
}

/// FNV-1a, 64 bits: names depend on it, so it never changes.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(check_id(text).as_str(), expected);
    }

    #[test]
    fn a_name_is_the_text_itself_or_shows_that_it_is_not() {
        check("web:10.0.0.1:8080", "web:10.0.0.1:8080");
        check("web:[::1]:80", "web:[::1]:80");
        check("서울-1", "서울-1");
        check("web:https://a.example/login?x=1", "web:https:__a.example_login_x=1~4df08374");
        check("web:https://a.example/login_x=1", "web:https:__a.example_login_x=1~20b90693");
        check("", "~cbf29ce4");
    }

    proptest! {
        #[test]
        fn every_text_has_a_name_and_keeps_it(text in "\\PC{0,300}|[\\x00-\\x7f]{0,300}") {
            prop_assert_eq!(check_id(&text), check_id(&text));
        }
    }
}
