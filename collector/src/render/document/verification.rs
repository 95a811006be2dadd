//! How anybody can check the statement without trusting this page.

use super::writer::Writer;
use super::{Begins, Block, Section};
use crate::closing::{Document, Statement};
use crate::digest::hex;
use crate::render::json;
use crate::render::words::Word;
use sha2::{Digest, Sha256};

pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Section {
    let blocks = match &statement.document {
        Some(document) => issued(document, writer),
        None => drawn_up(statement, writer),
    };
    Section { title: writer.say(Word::VerifyTitle).to_owned(), begins: Begins::WhereItFalls, blocks }
}

fn issued(document: &Document, writer: &Writer<'_>) -> Vec<Block> {
    vec![
        Block::sentence(writer.say(Word::VerifySigned)),
        Block::Code(format!("SHA-256 {}\nEd25519 {}", hex(&document.sha256), document.key)),
        Block::sentence(writer.say(Word::VerifyCommand)),
        Block::Code("nines-collector verify STATEMENT.json --keys nines-keys.json --evidence DIR".to_owned()),
        Block::sentence(writer.say(Word::VerifyKeys)),
        Block::sentence(writer.say(Word::VerifyDispute)),
    ]
}

/// What is not issued has no signature; its hash still tells whether two of them are the same.
fn drawn_up(statement: &Statement<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let hash = Sha256::digest(json::statement(statement).as_bytes());
    vec![
        Block::doubt(writer.say(Word::VerifyNotIssued)),
        Block::sentence(writer.say(Word::VerifyHash)),
        Block::Code(format!("SHA-256 {}", hex(&hash))),
        Block::sentence(writer.say(Word::VerifyDispute)),
    ]
}
