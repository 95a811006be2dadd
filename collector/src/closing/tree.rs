//! JSON that keeps the order of its members: what a statement is compared as.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON value whose members stand in the order of the document.
#[derive(Clone, PartialEq, Debug)]
pub enum Tree {
    /// `null`.
    Null,
    /// A text, a number or a truth value, as text.
    Leaf(String),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Members(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a document.
    pub fn parse(text: &str) -> Result<Tree, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Members(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            Tree::Null | Tree::Leaf(_) | Tree::List(_) => None,
        }
    }

    /// Its entries, if it is a list.
    pub fn entries(&self) -> &[Tree] {
        match self {
            Tree::List(entries) => entries,
            Tree::Null | Tree::Leaf(_) | Tree::Members(_) => &[],
        }
    }

    /// The text of the leaf that is the member of this name.
    pub fn leaf(&self, name: &str) -> Option<&str> {
        match self.member(name)? {
            Tree::Leaf(text) => Some(text),
            Tree::Null | Tree::List(_) | Tree::Members(_) => None,
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Tree::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Members(members))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}
