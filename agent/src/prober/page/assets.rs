//! What a page needs besides itself, as a browser would find out: from its tags, and from the first
//! level of its stylesheets' imports.
//!
//! No script runs, so what scripts would fetch is not found; nor is what lies within `template` and
//! `noscript`, images that wait to be scrolled to, or what stands in a frame.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use regex::bytes::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;
use url::Url;

/// Where a stylesheet names another one: `@import "x"`, `@import url(x)`.
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"@import\s+(?:url\(\s*)?["']?([^"'()\s;]+)"#).expect("the expression is written here and compiles")
});

/// Something that a page needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asset {
    pub(super) url: Url,
    pub(super) kind: Kind,
}

/// What is done with an asset once it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It may import others.
    Stylesheet,
    /// Nothing.
    Other,
}

/// What was found so far; each place once.
#[derive(Debug)]
pub(super) struct Assets {
    seen: HashSet<Url>,
    found: Vec<Asset>,
    max: usize,
}

impl Assets {
    /// Room for one more than `max`, so that there being more is noticed and no more than that is held.
    pub(super) fn new(max: u32) -> Assets {
        let max = usize::try_from(max).unwrap_or(usize::MAX).saturating_add(1);
        Assets { seen: HashSet::new(), found: Vec::new(), max }
    }

    /// How many were found.
    pub(super) fn count(&self) -> usize {
        self.seen.len()
    }

    /// Takes out what was found since it was last asked.
    pub(super) fn take(&mut self) -> Vec<Asset> {
        std::mem::take(&mut self.found)
    }

    /// Adds what the page `html` at `url` needs.
    pub(super) fn read_page(&mut self, html: &[u8], url: &Url) {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut base = url.clone();
        let mut based = false;
        let mut inert = 0_usize;
        let mut in_style = false;
        for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
            if self.max <= self.seen.len() {
                return;
            }
            match token {
                Token::StartTag(tag) if is_inert(&tag.name) => inert += usize::from(!tag.self_closing),
                Token::EndTag(tag) if is_inert(&tag.name) => inert = inert.saturating_sub(1),
                _ if 0 < inert => {}
                Token::StartTag(tag) if *tag.name == b"base" => {
                    if let Some(href) = text(&tag, b"href").filter(|_| !based) {
                        based = true;
                        base = url.join(&href).ok().filter(is_web).unwrap_or(base);
                    }
                }
                Token::StartTag(tag) => {
                    in_style = *tag.name == b"style";
                    if let Some((reference, kind)) = needed(&tag) {
                        self.add(&reference, &base, kind);
                    }
                }
                Token::String(style) if in_style => self.read_imports(&style, &base),
                Token::EndTag(_) => in_style = false,
                Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
    }

    /// Adds what the stylesheet `css` at `url` imports.
    pub(super) fn read_imports(&mut self, css: &[u8], url: &Url) {
        for import in IMPORT.captures_iter(css) {
            if self.max <= self.seen.len() {
                return;
            }
            self.add(&String::from_utf8_lossy(&import[1]), url, Kind::Other);
        }
    }

    fn add(&mut self, reference: &str, base: &Url, kind: Kind) {
        let Ok(mut url) = base.join(reference.trim()) else { return };
        url.set_fragment(None);
        if is_web(&url) && self.seen.insert(url.clone()) {
            self.found.push(Asset { url, kind });
        }
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

fn is_inert(name: &[u8]) -> bool {
    matches!(name, b"template" | b"noscript")
}

/// What `tag` makes a browser fetch, if anything.
fn needed(tag: &StartTag<()>) -> Option<(String, Kind)> {
    let other = |reference: String| (reference, Kind::Other);
    match &**tag.name {
        b"script" if runs(tag) => text(tag, b"src").map(other),
        b"link" => linked(tag),
        b"img" if !word_is(tag, b"loading", "lazy") => first_of_set(tag).or_else(|| text(tag, b"src")).map(other),
        b"input" if word_is(tag, b"type", "image") => text(tag, b"src").map(other),
        b"video" => text(tag, b"poster").map(other),
        _ => None,
    }
}

/// Whether a script is one that a browser of today runs.
fn runs(tag: &StartTag<()>) -> bool {
    let kind = text(tag, b"type").unwrap_or_default().to_ascii_lowercase();
    let is_script = kind.is_empty() || kind == "module" || kind.ends_with("javascript") || kind.ends_with("ecmascript");
    is_script && !tag.attributes.contains_key(&b"nomodule"[..])
}

fn linked(tag: &StartTag<()>) -> Option<(String, Kind)> {
    let relations = text(tag, b"rel")?.to_ascii_lowercase();
    let is = |relation: &str| relations.split_ascii_whitespace().any(|word| word == relation);
    let is_style = is("stylesheet") && !is("alternate") && !tag.attributes.contains_key(&b"disabled"[..]);
    if !is_style && !is("icon") && !is("preload") && !is("modulepreload") {
        return None;
    }
    let kind = if is_style { Kind::Stylesheet } else { Kind::Other };
    text(tag, b"href").map(|href| (href, kind))
}

/// The first image of a `srcset`.
fn first_of_set(tag: &StartTag<()>) -> Option<String> {
    let set = text(tag, b"srcset")?;
    let first = set.split_ascii_whitespace().next()?.trim_end_matches(',').to_owned();
    Some(first).filter(|first| !first.is_empty())
}

fn text(tag: &StartTag<()>, attribute: &[u8]) -> Option<String> {
    let value = tag.attributes.get(attribute)?;
    let text = String::from_utf8_lossy(value).trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn word_is(tag: &StartTag<()>, attribute: &[u8], word: &str) -> bool {
    text(tag, attribute).is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &[&str]) {
        let mut assets = Assets::new(10);
        assets.read_page(html.as_bytes(), &Url::parse("https://a.example/x/y").unwrap());
        let found: Vec<String> = assets.take().into_iter().map(|asset| asset.url.into()).collect();
        assert_eq!(found, expected, "{html}");
    }

    #[test]
    fn what_a_browser_fetches_is_found() {
        check("<script src=a.js></script>", &["https://a.example/x/a.js"]);
        check("<SCRIPT SRC='/a.js?b&amp;c#d' async></SCRIPT>", &["https://a.example/a.js?b&c"]);
        check("<script type=module src=//b.example/m></script>", &["https://b.example/m"]);
        check("<link rel='Stylesheet' href=a.css>", &["https://a.example/x/a.css"]);
        check("<link rel='shortcut icon' href=/i.png>", &["https://a.example/i.png"]);
        check(
            "<link rel=preload as=font href=/f><link rel=modulepreload href=/m>",
            &["https://a.example/f", "https://a.example/m"],
        );
        check("<img src=/1.png srcset='/2.png 2x, /3.png 3x'>", &["https://a.example/2.png"]);
        check("<img src=/1.png><img src=/1.png#x>", &["https://a.example/1.png"]);
        check("<input type=image src=/i><video poster=/p src=/v>", &["https://a.example/i", "https://a.example/p"]);
        check(
            "<style>@import 'a.css'; @import url( \"/b.css\" ) print;</style>",
            &["https://a.example/x/a.css", "https://a.example/b.css"],
        );
        check("<img src=http://b.example:8080/i>", &["http://b.example:8080/i"]);
    }

    #[test]
    fn what_a_browser_leaves_is_left() {
        check("<script>var x = '<img src=/i>';</script><!-- <img src=/i> -->", &[]);
        check("<script type='application/json' src=/i></script><script nomodule src=/i></script>", &[]);
        check("<link rel='alternate stylesheet' href=/i><link rel=canonical href=/i><link rel=stylesheet>", &[]);
        check("<img src='data:image/png;base64,AAAA'><img src='javascript:x'><img src=''>", &[]);
        check("<img loading=lazy src=/i><a href=/i>x</a><iframe src=/i></iframe>", &[]);
        check(
            "<template><img src=/i></template><noscript><img src=/i></noscript><img src=/j>",
            &["https://a.example/j"],
        );
        check("<textarea><img src=/i></textarea><title><img src=/i></title>", &[]);
    }

    #[test]
    fn the_first_base_is_what_references_are_relative_to() {
        check("<base href=/z/><base href=/q/><img src=i>", &["https://a.example/z/i"]);
        check("<base href=//b.example/><img src=i>", &["https://b.example/i"]);
        check("<base href='data:x'><img src=i>", &["https://a.example/x/i"]);
    }

    #[test]
    fn no_more_assets_are_held_than_tell_that_there_are_too_many() {
        let html: String = (0..10_000).map(|number| format!("<img src=/{number}>")).collect();
        let mut assets = Assets::new(10);
        assets.read_page(html.as_bytes(), &Url::parse("https://a.example/").unwrap());
        assert_eq!(assets.count(), 11);
    }
}
