//! What holds of the pages whatever the statement says: nothing stands outside them, nothing is
//! lost, and krilla's validators of PDF/A and PDF/UA are content.

use super::flow::{Flow, Stroke};
use super::sheet::{BODY_HEIGHT, BODY_WIDTH};
use super::text::legible;
use super::*;
use crate::render::chart::{Chart, Limit, Point};
use crate::render::document::{
    Badge, Begins, Block, Column, ColumnKind, Fact, Figure, Row, Section, Sentence, Table, Tone, Verdict,
};
use crate::render::strip::{Kind, Piece};
use crate::render::timeline::{Bar, Day, Timeline};
use proptest::prelude::*;

/// A statement that says `text` wherever a text can stand, with a table of `rows`.
fn document(language: Language, text: &str, rows: usize) -> Document {
    let say = || text.to_owned();
    let kinds = [ColumnKind::Name, ColumnKind::Instant, ColumnKind::Number, ColumnKind::Word, ColumnKind::Prose];
    let row = |index: usize| Row {
        tone: [Tone::Plain, Tone::Good, Tone::Bad, Tone::Weak][index % 4],
        cells: vec![say(), "2026-10-01 09:00:00.500".into(), format!("{index} ms"), "kept".into(), say()],
    };
    let table = Table {
        title: say(),
        columns: kinds.map(|kind| Column { head: "Head", kind }).to_vec(),
        rows: (0..rows).map(row).collect(),
        empty: "None.",
        notes: vec![say()],
    };
    let blocks = vec![
        Block::Heading(say()),
        Block::Sentence(Sentence { tone: Tone::Weak, text: say() }),
        Block::List(vec![say(), say()]),
        Block::Code(say()),
        Block::Table(table),
        Block::Timeline(timeline(text)),
        Block::Chart(chart(text)),
    ];
    Document {
        language,
        title: "Service level statement",
        customer: say(),
        agreement: say(),
        period: "2026-10".into(),
        state: Badge { tone: Tone::Good, word: "final" },
        first_title: "At a glance",
        first: vec![
            Block::Verdict(Verdict { tone: Tone::Bad, word: "Objective missed", sentences: vec![say()] }),
            Block::Figures(
                (0..5).map(|_| Figure { label: "Credit", value: "100 %".into(), note: outside::shown(text) }).collect(),
            ),
            Block::Facts((0..3).map(|_| Fact { label: "Customer", value: outside::shown(text) }).collect()),
        ],
        sections: vec![Section { title: say(), begins: Begins::OnNewPage, blocks }],
    }
}

fn timeline(text: &str) -> Timeline {
    let kinds = [Kind::Up, Kind::Outage, Kind::Short, Kind::Excluded, Kind::Undetermined, Kind::Nothing];
    let bars = kinds.iter().enumerate().map(|(index, kind)| Bar {
        piece: Piece { column: index * 125, columns: 125, kind: *kind },
        title: String::new(),
    });
    let days = vec![Day { label: "31".into(), cells: vec![Kind::Up; 25], bars: bars.collect() }];
    let legend = kinds.map(|kind| (kind, "a word of some length")).to_vec();
    Timeline { title: text.into(), summary: text.into(), days, legend, note: Some(text.into()) }
}

fn chart(text: &str) -> Chart {
    let point = |x, us| Point { x, us };
    Chart {
        title: text.into(),
        summary: text.into(),
        top_us: 100,
        lines: vec![vec![point(0, 0), point(50_000, 100)], vec![point(100_000, 7)]],
        limit: Some(Limit { us: 50, label: text.into() }),
        levels: vec![(0, "0 ms".into()), (100, "0.1 ms".into())],
        ticks: vec![(0, "1".into()), (100_000, "31".into())],
    }
}

fn imprint() -> Imprint {
    let at = "2026-11-01T00:00:00Z".parse().unwrap();
    Imprint { agreement: "acme-apm".into(), period: "2026-10".into(), version: 1, at, sha256: [0xa5; 32] }
}

/// The document in pages, and all that is read in it.
fn pages(document: &Document) -> (Vec<pages::Page>, Flow) {
    let mut flow = compose::flow(document);
    (pages::paged(std::mem::take(&mut flow.strips), BODY_HEIGHT), flow)
}

/// Asserts that all that is drawn stands within the text's bounds; gives back what is read.
fn read_within_bounds(pages: &[pages::Page]) -> String {
    let (mut read, slack) = (String::new(), 0.05);
    for page in pages {
        for placed in &page.placed {
            assert!(placed.y + placed.strip.height <= BODY_HEIGHT + slack, "a strip ends below the page");
            for mark in &placed.strip.marks {
                for stroke in &mark.strokes {
                    let Stroke::Text { x, baseline, size, letters, .. } = stroke else { continue };
                    let last = letters.iter().rposition(|letter| !letter.character.is_whitespace());
                    let width: f32 =
                        letters[..last.map_or(0, |last| last + 1)].iter().map(|letter| letter.advance).sum();
                    assert!(-slack <= *x && x + width * size <= BODY_WIDTH + slack, "{letters:?} at {x}");
                    assert!(0.0 < *baseline && *baseline <= placed.strip.height + slack, "{letters:?} at {baseline}");
                    if mark.element.is_some() {
                        read.extend(letters.iter().map(|letter| letter.character));
                    }
                }
            }
        }
    }
    read.retain(|c| !c.is_whitespace());
    read
}

#[test]
fn hostile_texts_stay_on_the_page_whole_and_valid() {
    let ten_kilobytes = "가".repeat(3_414);
    let spaces = format!("a{}b", " ".repeat(2_000));
    let texts = [
        "<script>alert(1)</script> </td><td>",
        "=HYPERLINK(\"http://evil\") +SUM(A1:A9)",
        "\u{202e}\u{2067}שלום عليكم\u{202c}",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469} \u{e000}\u{10ffff}\u{378}\u{feff}\u{fffe}\u{0}\u{200b}\u{fe0f}",
        "漢字 株式會社 \u{1112}\u{1161}\u{11ab} e\u{301} 뷁 €",
        "",
        " \n\n ",
        &spaces,
        &ten_kilobytes,
    ];
    for (index, text) in texts.iter().enumerate() {
        let document = document(if index % 2 == 0 { Language::Korean } else { Language::English }, text, 3);
        let (pages, _) = pages(&document);
        let read = read_within_bounds(&pages);
        let said: String = legible(text).chars().filter(|c| !c.is_whitespace()).collect();
        assert!(read.contains(&said), "{text:?}");
        laid_out(&document, &imprint(), b"{}\n").unwrap();
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let document = document(Language::Korean, "오픈마루 “acme” Ωß \u{1f600}", 40);
    let once = laid_out(&document, &imprint(), b"{}\n").unwrap();
    assert_eq!(once, laid_out(&document, &imprint(), b"{}\n").unwrap());
    assert_ne!(once, laid_out(&document, &imprint(), b"{ }\n").unwrap());
}

#[test]
fn the_statement_comes_out_as_it_went_in_and_no_flipped_byte_makes_its_reader_panic() {
    let json = format!("{{\"text\": \"{}\"}}\n", "오픈마루 ".repeat(2_000));
    let file = laid_out(&document(Language::Korean, "apm", 3), &imprint(), json.as_bytes()).unwrap();
    let found = attached::attached(file.clone()).unwrap();
    assert_eq!((found.name.as_str(), found.bytes.as_slice()), ("statement-2026-10-v1.json", json.as_bytes()));
    for index in (0..file.len()).step_by(file.len() / 300) {
        let mut changed = file.clone();
        changed[index] ^= 0x15;
        if let Ok(found) = attached::attached(changed) {
            assert!(found.bytes.len() < 2 * json.len());
        }
        drop(attached::attached(file[..index].to_vec()));
    }
}

#[test]
fn rows_by_the_thousand_stand_below_repeated_heads() {
    let (pages, _) = pages(&document(Language::English, "timeout", 4_000));
    read_within_bounds(&pages);
    let rows = pages.iter().filter(|page| page.placed.first().is_some_and(|placed| placed.index.is_none()));
    assert!(60 < rows.count(), "{} pages", pages.len());
}

#[test]
fn no_page_ends_with_a_heading_and_none_shows_a_line_alone() {
    for rows in 0..40 {
        let (pages, _) = pages(&document(Language::English, &"a few words ".repeat(30), rows));
        for page in &pages {
            let last = page.placed.last().unwrap();
            assert!(pages.len() == 1 || last.strip.tie == flow::Tie::Loose, "{rows} rows");
        }
    }
}

#[test]
fn a_service_begins_on_a_page_of_its_own() {
    let (pages, flow) = pages(&document(Language::English, "apm-prod", 3));
    let section = flow.landmarks.iter().rfind(|landmark| landmark.level == 2).unwrap();
    let begins = pages.iter().position(|page| page.placed[0].index == Some(section.strip));
    assert_eq!(begins, Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_or_leaves_the_page(text in any::<String>(), rows in 0_usize..6) {
        let (pages, _) = pages(&document(Language::English, &text, rows));
        let read = read_within_bounds(&pages);
        let said: String = legible(&text).chars().filter(|c| !c.is_whitespace()).collect();
        prop_assert!(read.contains(&said));
    }

    #[test]
    fn no_text_breaks_the_rules_of_archives(text in "\\PC{0,40}|[\\x00-\\x{ffff}]{0,20}") {
        let mut document = document(Language::Korean, "apm-prod", 0);
        document.customer = text;
        let written = laid_out(&document, &imprint(), b"{}\n");
        prop_assert!(written.is_ok(), "{:?}", written.err());
    }
}
