//! The month as a grid of letters: a line a day, a letter an hour.

use super::{INDENT, paragraph};
use crate::render::strip::Kind;
use crate::render::timeline::Timeline;
use std::fmt::Write as _;

pub(super) fn timeline(out: &mut String, timeline: &Timeline) {
    paragraph(out, INDENT, &format!("{}. {}", timeline.title, timeline.summary));
    let hours = (0..timeline.hours()).map(|hour| format!("{hour:02}")).collect::<Vec<_>>().join(" ");
    let _ = writeln!(out, "{INDENT}    {hours}");
    for day in &timeline.days {
        let cells: Vec<String> = day.cells.iter().map(|kind| format!(" {}", kind.letter())).collect();
        let _ = writeln!(out, "{}", format!("{INDENT}{:>3} {}", day.label, cells.join(" ")).trim_end());
    }
    let shown = timeline.legend.iter().filter(|(kind, _)| *kind != Kind::Nothing);
    let legend: Vec<String> = shown.map(|(kind, word)| format!("{} {word}", kind.letter())).collect();
    paragraph(out, INDENT, &legend.join("   "));
    if let Some(note) = &timeline.note {
        paragraph(out, INDENT, note);
    }
}
