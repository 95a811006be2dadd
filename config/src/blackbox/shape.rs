//! How fields of modules are read and shown: each names itself once, for both directions.
//!
//! Mistakes are told as Go's reader tells them: wrong types and unknown fields are gathered over the
//! whole file, while the first value that breaks a rule ends the reading at once.

use super::shown::{SECRET, Shown, natural};
use super::yaml::{Node, ScalarKind, Value, integer};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest value that a message repeats, in characters, as Go cuts it.
const EXCERPT_CHARS_MAX: usize = 10;
const EXCERPT_CHARS_CUT: usize = 7;

/// The state of one reading.
#[derive(Default)]
pub(super) struct Reading {
    /// Wrong types and unknown fields, in the order of the file.
    pub(super) mistakes: Vec<String>,
    /// The rule that was broken; nothing is read after it.
    pub(super) refusal: Option<String>,
}

impl Reading {
    /// Records that `node` is of another type than `wanted`.
    pub(super) fn mismatch(&mut self, node: &Node, wanted: &str) {
        let found = match &node.value {
            Value::Null => "!!null".to_owned(),
            Value::List(_) => "!!seq".to_owned(),
            Value::Map(_) => "!!map".to_owned(),
            Value::Scalar(scalar) => {
                let text = String::from_utf8_lossy(&scalar.bytes);
                let cut: String = text.chars().take(EXCERPT_CHARS_CUT).collect();
                let is_long = EXCERPT_CHARS_MAX < text.chars().count();
                let excerpt = if is_long { format!("{cut}...") } else { text.into_owned() };
                format!("{} `{excerpt}`", scalar.kind.tag())
            }
        };
        self.mistakes.push(format!("line {}: cannot unmarshal {found} into {wanted}", node.line));
    }

    /// Records a broken rule.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refusal.get_or_insert_with(|| why.into());
    }
}

/// Something that a field can hold.
pub(super) trait Field {
    /// Takes the value of `node`, which is not nothing.
    fn read(&mut self, node: &Node, reading: &mut Reading);
    /// How it is shown; absent if it holds nothing, and then its key is left out.
    fn shown(&mut self) -> Option<Shown>;
    /// Its type's name in messages.
    fn type_name(&self) -> String;
    /// Takes nothing: only lists and maps are emptied by it.
    fn clear(&mut self) {}
}

/// A map with a fixed set of keys.
pub(super) trait Record: Default {
    /// Its name in messages about lists of it.
    const NAME: &'static str;
    /// Its name in messages about its own keys.
    const TYPE: &'static str = "config.plain";

    /// Shows each field to `visit`, in the order they are written in.
    fn fields(&mut self, visit: &mut dyn Visit);

    /// What must hold between the fields.
    fn check(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Goes through the fields of a record.
pub(super) trait Visit {
    fn field(&mut self, key: &'static str, field: &mut dyn Field);

    /// A field that is written whatever it holds, once its record is written at all.
    fn always(&mut self, key: &'static str, field: &mut dyn Field) {
        self.field(key, field);
    }
}

/// Gives the value of one entry to the field of that name.
struct Give<'a> {
    key: &'a str,
    node: &'a Node,
    reading: &'a mut Reading,
    is_taken: bool,
}

impl Visit for Give<'_> {
    fn field(&mut self, key: &'static str, field: &mut dyn Field) {
        if key == self.key {
            self.is_taken = true;
            match self.node.value {
                Value::Null => field.clear(),
                Value::Scalar(_) | Value::List(_) | Value::Map(_) => field.read(self.node, self.reading),
            }
        }
    }
}

/// Gathers what is shown.
#[derive(Default)]
struct Gather {
    entries: Vec<(String, Shown)>,
    is_empty: bool,
}

impl Visit for Gather {
    fn field(&mut self, key: &'static str, field: &mut dyn Field) {
        if let Some(shown) = field.shown() {
            self.entries.push((key.to_owned(), shown));
            self.is_empty = false;
        }
    }

    fn always(&mut self, key: &'static str, field: &mut dyn Field) {
        let shown = field.shown();
        self.is_empty &= shown.is_none();
        self.entries.push((key.to_owned(), shown.unwrap_or_else(|| Shown::Bare("false".to_owned()))));
    }
}

impl<R: Record> Field for R {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let Value::Map(entries) = &node.value else { return reading.mismatch(node, R::TYPE) };
        let before = reading.mistakes.len();
        if repeated(node, reading) {
            return;
        }
        for entry in entries {
            let mut give = Give { key: &entry.key, node: &entry.node, reading, is_taken: false };
            self.fields(&mut give);
            if !give.is_taken {
                let mistake = format!("line {}: field {} not found in type {}", entry.line, entry.key, R::TYPE);
                reading.mistakes.push(mistake);
            }
            if reading.refusal.is_some() {
                return;
            }
        }
        if before == reading.mistakes.len()
            && let Err(why) = self.check()
        {
            reading.refuse(why);
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        let mut gather = Gather { is_empty: true, ..Gather::default() };
        self.fields(&mut gather);
        (!gather.is_empty).then_some(Shown::Map(gather.entries))
    }

    fn type_name(&self) -> String {
        R::NAME.to_owned()
    }
}

/// Whether a key of a map stands there twice; each time it does is a mistake.
fn repeated(node: &Node, reading: &mut Reading) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    let before = reading.mistakes.len();
    for (index, first) in entries.iter().enumerate() {
        for again in entries[index + 1..].iter().filter(|entry| entry.key == first.key) {
            let (line, key) = (again.line, &first.key);
            reading.mistakes.push(format!("line {line}: mapping key {key:?} already defined at line {}", first.line));
        }
    }
    before < reading.mistakes.len()
}

/// The text of a single value that is text in YAML's eyes or can be taken for it.
fn text_of(node: &Node, wanted: &str, reading: &mut Reading) -> Option<String> {
    let Value::Scalar(scalar) = &node.value else {
        reading.mismatch(node, wanted);
        return None;
    };
    let text = String::from_utf8(scalar.bytes.clone());
    if text.is_err() {
        reading.refuse(format!(
            "line {}: a text that is no UTF-8; only `send`, `body` and `expect_bytes` may be",
            node.line
        ));
    }
    text.ok()
}

impl Field for String {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        if let Some(text) = text_of(node, "string", reading) {
            *self = text;
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (!self.is_empty()).then(|| Shown::text(self))
    }

    fn type_name(&self) -> String {
        "string".to_owned()
    }
}

/// A text that may be any bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Field for Bytes {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        match &node.value {
            Value::Scalar(scalar) => self.0.clone_from(&scalar.bytes),
            Value::Null | Value::List(_) | Value::Map(_) => reading.mismatch(node, "string"),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (!self.0.is_empty()).then(|| Shown::Text(self.0.clone()))
    }

    fn type_name(&self) -> String {
        "string".to_owned()
    }
}

impl Field for bool {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let word = match &node.value {
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Bool => {
                Some(scalar.bytes.eq_ignore_ascii_case(b"true"))
            }
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Text => match scalar.bytes.as_slice() {
                b"y" | b"Y" | b"yes" | b"on" => Some(true),
                b"n" | b"N" | b"no" | b"off" => Some(false),
                _ => None,
            },
            Value::Null | Value::Scalar(_) | Value::List(_) | Value::Map(_) => None,
        };
        match word {
            Some(word) => *self = word,
            None => reading.mismatch(node, "bool"),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        self.then(|| Shown::Bare("true".to_owned()))
    }

    fn type_name(&self) -> String {
        "bool".to_owned()
    }
}

impl Field for i64 {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let number = match &node.value {
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Int => {
                str::from_utf8(&scalar.bytes).ok().and_then(integer)
            }
            Value::Null | Value::Scalar(_) | Value::List(_) | Value::Map(_) => None,
        };
        match number {
            Some(number) => *self = number,
            None => reading.mismatch(node, "int"),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (*self != 0).then(|| Shown::Bare(self.to_string()))
    }

    fn type_name(&self) -> String {
        "int".to_owned()
    }
}

impl Field for Duration {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let length = match &node.value {
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Text || scalar.bytes == b"0" => {
                str::from_utf8(&scalar.bytes).ok().and_then(super::quantity::duration)
            }
            Value::Null | Value::Scalar(_) | Value::List(_) | Value::Map(_) => None,
        };
        match length {
            Some(length) => *self = length,
            None => reading.mismatch(node, "time.Duration"),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (!self.is_zero()).then(|| Shown::Bare(super::quantity::duration_text(*self)))
    }

    fn type_name(&self) -> String {
        "time.Duration".to_owned()
    }
}

impl<T: Field + Default> Field for Vec<T> {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let Value::List(nodes) = &node.value else {
            let wanted = self.type_name();
            return reading.mismatch(node, &wanted);
        };
        for node in nodes {
            let mut item = T::default();
            match node.value {
                Value::Null => item.clear(),
                Value::Scalar(_) | Value::List(_) | Value::Map(_) => item.read(node, reading),
            }
            self.push(item);
            if reading.refusal.is_some() {
                return;
            }
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        let empty = || Shown::Map(Vec::new());
        let items: Vec<Shown> = self.iter_mut().map(|item| item.shown().unwrap_or_else(empty)).collect();
        (!items.is_empty()).then_some(Shown::List(items))
    }

    fn type_name(&self) -> String {
        format!("[]{}", T::default().type_name())
    }

    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl<T: Field + Default> Field for BTreeMap<String, T> {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let Value::Map(entries) = &node.value else {
            let wanted = self.type_name();
            return reading.mismatch(node, &wanted);
        };
        if repeated(node, reading) {
            return;
        }
        for entry in entries {
            let before = reading.mistakes.len();
            let mut value = T::default();
            match entry.node.value {
                Value::Null => value.clear(),
                Value::Scalar(_) | Value::List(_) | Value::Map(_) => value.read(&entry.node, reading),
            }
            if before == reading.mistakes.len() {
                self.insert(entry.key.clone(), value);
            }
            if reading.refusal.is_some() {
                return;
            }
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        let empty = || Shown::text("");
        let entries = self.iter_mut().map(|(key, value)| (key.clone(), value.shown().unwrap_or_else(empty)));
        let mut entries: Vec<(String, Shown)> = entries.collect();
        entries.sort_by(|(left, _), (right, _)| natural(left, right));
        (!entries.is_empty()).then_some(Shown::Map(entries))
    }

    fn type_name(&self) -> String {
        format!("map[string]{}", T::default().type_name())
    }

    fn clear(&mut self) {
        BTreeMap::clear(self);
    }
}

impl<T: Field + Default> Field for Option<T> {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let mut value = T::default();
        value.read(node, reading);
        *self = Some(value);
    }

    fn shown(&mut self) -> Option<Shown> {
        self.as_mut().and_then(T::shown)
    }

    fn type_name(&self) -> String {
        T::default().type_name()
    }

    fn clear(&mut self) {
        *self = None;
    }
}

impl Field for Secret {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        match &node.value {
            Value::Scalar(_) => {
                if let Some(text) = text_of(node, "config.plain", reading) {
                    *self = Secret::new(text);
                }
            }
            // What stands there is not repeated.
            Value::Null | Value::List(_) | Value::Map(_) => reading.mismatch(node, "config.plain"),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        (!self.expose().is_empty()).then(|| Shown::text(SECRET))
    }

    fn type_name(&self) -> String {
        "config.Secret".to_owned()
    }
}
