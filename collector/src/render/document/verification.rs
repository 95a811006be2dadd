//! How anybody can check the statement without trusting this page.

use super::writer::Writer;
use super::{Begins, Block, Section};
use crate::closing::{State, Statement};
use crate::render::figures::hex;
use crate::render::json;
use crate::render::words::Word;
use sha2::{Digest, Sha256};

pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Section {
    let hash = Sha256::digest(json::statement(statement).as_bytes());
    let mut blocks = vec![
        Block::sentence(writer.say(Word::VerifyHash)),
        Block::Code(format!("SHA-256 {}", hex(&hash))),
        Block::sentence(writer.say(Word::VerifyCommand)),
        Block::Code("nines-collector verify STATEMENT.json --evidence DIR".to_owned()),
        Block::sentence(writer.say(Word::VerifyDispute)),
    ];
    if let State::Provisional(_) = statement.state {
        blocks.push(Block::doubt(writer.say(Word::VerifyProvisional)));
    }
    Section { title: writer.say(Word::VerifyTitle).to_owned(), begins: Begins::WhereItFalls, blocks }
}
