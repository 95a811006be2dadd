//! Pages into the bytes of a file: the one place that talks to krilla.
//!
//! The file claims PDF/A-3a and PDF/UA-1, and krilla refuses to write one that breaks their rules
//! as far as a program can tell. Nothing of the time or machine goes into it.

use super::faces::{Face, Letter};
use super::flow::{ElementId, Flow, Landmark, Mark, Stroke};
use super::pages::Page;
use super::sheet::{BODY_TOP, Colour, MARGIN, SHEET_HEIGHT, SHEET_WIDTH};
use super::{PdfError, Wrapping};
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagTree};
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};
use std::collections::HashMap;

/// Paints the pages of `flow`; `running` gives the ornaments of a page's head and foot by its index.
pub(super) fn painted(
    flow: &Flow,
    pages: &[Page],
    running: impl Fn(usize) -> Vec<(ArtifactType, Stroke)>,
    wrapping: &Wrapping<'_>,
) -> Result<Vec<u8>, PdfError> {
    let mut document = Document::new_with(settings());
    let mut parts: Vec<Vec<Identifier>> = vec![Vec::new(); flow.elements_count()];
    for (index, page) in pages.iter().enumerate() {
        let sheet = PageSettings::from_wh(SHEET_WIDTH, SHEET_HEIGHT).expect("A4 has a width and a height");
        let mut sheet = document.start_page_with(sheet);
        let mut surface = sheet.surface();
        for (kind, stroke) in running(index) {
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
            draw(&mut surface, &stroke, (0.0, 0.0));
            surface.end_tagged();
        }
        for placed in &page.placed {
            for mark in &placed.strip.marks {
                paint(&mut surface, mark, (MARGIN, BODY_TOP + placed.y), &mut parts);
            }
        }
        surface.finish();
        sheet.finish();
    }
    let mut tree = TagTree::new();
    for id in flow.top() {
        tree.push(group(flow, *id, &parts));
    }
    document.set_tag_tree(tree);
    document.set_outline(outline(&flow.landmarks, pages));
    document.set_metadata(metadata(wrapping));
    document.embed_file(attachment(wrapping));
    document.finish().map_err(PdfError)
}

fn settings() -> SerializeSettings {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .expect("both standards are written in PDF 1.7");
    SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() }
}

fn metadata(wrapping: &Wrapping<'_>) -> Metadata {
    Metadata::new()
        .title(wrapping.title.clone())
        .language(wrapping.language.to_owned())
        .creator("Nines".to_owned())
        .producer("Nines".to_owned())
        .creation_date(wrapping.date)
        .document_id(wrapping.id.clone())
}

fn attachment(wrapping: &Wrapping<'_>) -> EmbeddedFile {
    EmbeddedFile {
        path: wrapping.file_name.clone(),
        mime_type: MimeType::new("application/json"),
        description: Some(wrapping.file_description.clone()),
        association_kind: AssociationKind::Source,
        data: wrapping.json.to_vec().into(),
        modification_date: Some(wrapping.date),
        compress: Some(true),
        location: None,
    }
}

/// The structure below `id`, with the pieces of pages that belong to it.
fn group(flow: &Flow, id: ElementId, pieces: &[Vec<Identifier>]) -> TagGroup {
    let element = flow.at(id);
    let own = pieces[id.index()].iter().map(|piece| Node::Leaf(*piece));
    let parts = element.parts.iter().map(|part| Node::Group(group(flow, *part, pieces)));
    TagGroup::with_children(element.tag.clone(), own.chain(parts).collect())
}

fn outline(landmarks: &[Landmark], pages: &[Page]) -> Outline {
    let mut places = HashMap::new();
    for (page, of) in pages.iter().enumerate() {
        let strips = of.placed.iter().filter_map(|placed| Some((placed.index?, (page, placed.y))));
        places.extend(strips);
    }
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for landmark in landmarks {
        let (page, y) = places.get(&landmark.strip).copied().unwrap_or_default();
        let target = XyzDestination::new(page, Point::from_xy(0.0, BODY_TOP + y));
        let node = OutlineNode::new(landmark.text.clone(), target);
        match &mut open {
            Some(parent) if 2 < landmark.level => parent.push_child(node),
            _ => {
                if let Some(done) = open.replace(node) {
                    outline.push_child(done);
                }
            }
        }
    }
    if let Some(done) = open {
        outline.push_child(done);
    }
    outline
}

fn paint(surface: &mut Surface<'_>, mark: &Mark, at: (f32, f32), parts: &mut [Vec<Identifier>]) {
    let is_text = mark.strokes.iter().all(|stroke| matches!(stroke, Stroke::Text { .. }));
    let tag = match mark.element {
        None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
        Some(_) if is_text => ContentTag::Span(SpanTag::empty()),
        Some(_) => ContentTag::Other,
    };
    let identifier = surface.start_tagged(tag);
    for stroke in &mark.strokes {
        draw(surface, stroke, at);
    }
    surface.end_tagged();
    if let Some(element) = mark.element {
        parts[element.index()].push(identifier);
    }
}

fn draw(surface: &mut Surface<'_>, stroke: &Stroke, (left, top): (f32, f32)) {
    match stroke {
        Stroke::Text { x, baseline, size, colour, letters } => {
            surface.set_fill(Some(fill(*colour)));
            surface.set_stroke(None);
            let mut x = left + x;
            for run in letters.chunk_by(|a, b| a.face == b.face) {
                draw_run(surface, run, (x, top + baseline), *size);
                x += run.iter().map(|letter| letter.advance).sum::<f32>() * size;
            }
        }
        Stroke::Box { x, y, width, height, colour } => {
            let rectangle = Rect::from_xywh(left + x, top + y, *width, *height);
            if let Some(path) = rectangle.and_then(|rectangle| path(|builder| builder.push_rect(rectangle))) {
                surface.set_fill(Some(fill(*colour)));
                surface.set_stroke(None);
                surface.draw_path(&path);
            }
        }
        Stroke::Line { points, colour, width, dash } => {
            let line = path(|builder| {
                for (index, (x, y)) in points.iter().enumerate() {
                    let (x, y) = (left + x, top + y);
                    if index == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
                }
            });
            if let Some(line) = line {
                surface.set_fill(None);
                surface.set_stroke(Some(krilla::paint::Stroke {
                    paint: colour_of(*colour).into(),
                    width: *width,
                    dash: dash.map(|dash| StrokeDash { array: vec![dash, dash], offset: 0.0 }),
                    ..Default::default()
                }));
                surface.draw_path(&line);
            }
        }
    }
}

/// Draws letters of one face; each is read as the character it stands for, whatever its glyph.
fn draw_run(surface: &mut Surface<'_>, run: &[Letter], (x, y): (f32, f32), size: f32) {
    let Some(face) = run.first().map(|letter: &Letter| letter.face) else { return };
    let (mut text, mut glyphs) = (String::with_capacity(run.len()), Vec::with_capacity(run.len()));
    for letter in run {
        let from = text.len();
        text.push(letter.character);
        let glyph = GlyphId::new(letter.glyph);
        glyphs.push(KrillaGlyph::new(glyph, letter.advance, 0.0, 0.0, 0.0, from..text.len(), None));
    }
    surface.draw_glyphs(Point::from_xy(x, y), &glyphs, Face::font(face), &text, size, false);
}

fn path(build: impl FnOnce(&mut PathBuilder)) -> Option<Path> {
    let mut builder = PathBuilder::new();
    build(&mut builder);
    builder.finish()
}

fn fill(colour: Colour) -> Fill {
    Fill { paint: colour_of(colour).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn colour_of(Colour(red, green, blue): Colour) -> krilla::color::rgb::Color {
    krilla::color::rgb::Color::new(red, green, blue)
}
