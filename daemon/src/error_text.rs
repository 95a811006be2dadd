//! An error as a person reads it: with the errors beneath it, each said once.
//!
//! The outermost alone says too little: of a request that was not answered only that sending failed.

use std::error::Error;

/// The error and its sources, from the outermost in; what one before has said is not said again.
pub fn whole(error: &dyn Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("{said}")]
    struct Outer {
        said: &'static str,
        source: io::Error,
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let check = |said, expected| {
            assert_eq!(whole(&Outer { said, source: io::Error::other("no such place") }), expected);
        };
        check("reading failed", "reading failed: no such place");
        check("reading failed, no such place", "reading failed, no such place");
    }
}
