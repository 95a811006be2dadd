//! Values as words and texts, each written in one way and read back from it.

use config::scalar::{duration_text, parse_duration};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, as configuration writes it: `1h30m`.
#[derive(Clone, Copy)]
pub(super) struct Length(pub(super) Duration);

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&duration_text(self.0))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        parse_duration(&text).map(Length).map_err(D::Error::custom)
    }
}

/// A value that is written as its text: a name, an instant, a percentage, a month.
#[derive(Clone, Copy)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<T>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Text).map_err(D::Error::custom)
    }
}

/// One of a closed set, each with its word in configuration.
pub(super) trait Worded: Copy {
    /// The word.
    fn word(self) -> &'static str;
    /// What a word stands for.
    fn from_word(word: &str) -> Option<Self>;
}

/// Gives each variant its word, both ways.
macro_rules! words {
    ($kind:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl Worded for $kind {
            fn word(self) -> &'static str {
                match self { $($kind::$variant => $word,)* }
            }

            fn from_word(word: &str) -> Option<$kind> {
                match word {
                    $($word => Some($kind::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use words;

/// A value that is written as its word.
#[derive(Clone, Copy)]
pub(super) struct Word<T>(pub(super) T);

impl<T: Worded> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Worded> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<T>, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        T::from_word(&word).map(Word).ok_or_else(|| D::Error::custom(format!("`{word}` is not one of its words")))
    }
}
