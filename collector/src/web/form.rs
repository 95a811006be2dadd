//! Forms of the console: what they ask, what was filled in, and what is wrong with it.
//!
//! A form that can't be taken comes back as it was filled in, each mistake at its field. Whether
//! something may be recorded is never decided here.

use super::frame::Frame;
use super::page;
use super::people::{Actor, Fields};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rules::time::Timestamp;

/// A form.
pub(super) struct Form {
    /// What it does, as its heading.
    pub(super) title: String,
    /// Where it is sent.
    pub(super) action: String,
    /// What its button says.
    pub(super) submit: &'static str,
    /// What it carries unseen.
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
    /// What is wrong with it as a whole.
    pub(super) wrong: Option<String>,
}

/// One field of a form.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) value: String,
    pub(super) kind: Kind,
    pub(super) wrong: Option<String>,
}

/// How a field is filled in.
pub(super) enum Kind {
    /// One line.
    Line,
    /// Some lines.
    Text,
    /// One of these.
    One(Vec<Choice>),
    /// Any of these.
    Any(Vec<Choice>),
}

/// What can be chosen.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

impl Choice {
    /// Something that says what it is.
    pub(super) fn named(value: impl Into<String>) -> Choice {
        let value = value.into();
        Choice { label: value.clone(), value, is_chosen: false }
    }
}

impl Field {
    /// A field that is empty so far.
    pub(super) fn new(name: &'static str, label: &str, hint: impl Into<String>, kind: Kind) -> Field {
        Field { name, label: label.to_owned(), hint: hint.into(), value: String::new(), kind, wrong: None }
    }

    /// The same with `value` in it.
    pub(super) fn with(mut self, value: impl Into<String>) -> Field {
        self.value = value.into();
        self.choose(|value, chosen| value == chosen);
        self
    }

    /// Marks those choices that are `chosen`, given the field's value.
    fn choose(&mut self, is_chosen: impl Fn(&str, &str) -> bool) {
        match &mut self.kind {
            Kind::One(choices) | Kind::Any(choices) => {
                choices.iter_mut().for_each(|choice| choice.is_chosen = is_chosen(&self.value, &choice.value));
            }
            Kind::Line | Kind::Text => {}
        }
    }

    fn fill(&mut self, fields: &Fields) {
        fields.one(self.name).clone_into(&mut self.value);
        let all: Vec<&str> = fields.all(self.name).collect();
        self.choose(|_, choice| all.contains(&choice));
    }
}

impl Form {
    /// A form with nothing wrong.
    pub(super) fn new(title: impl Into<String>, action: String, submit: &'static str, fields: Vec<Field>) -> Form {
        Form { title: title.into(), action, submit, hidden: Vec::new(), fields, wrong: None }
    }

    /// The same, as somebody filled it in.
    pub(super) fn filled(mut self, fields: &Fields) -> Form {
        self.fields.iter_mut().for_each(|field| field.fill(fields));
        self
    }

    /// Reads one field; if it can't be read, the field says why.
    pub(super) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let field = self.fields.iter_mut().find(|field| field.name == name)?;
        match parse(&field.value) {
            Ok(value) => Some(value),
            Err(why) => {
                field.wrong = Some(why);
                None
            }
        }
    }

    /// The values that are chosen of a field with many.
    pub(super) fn chosen(&self, name: &str) -> Vec<&str> {
        let field = self.fields.iter().find(|field| field.name == name);
        let choices = field.map_or(&[][..], |field| match &field.kind {
            Kind::Any(choices) | Kind::One(choices) => choices,
            Kind::Line | Kind::Text => &[],
        });
        choices.iter().filter(|choice| choice.is_chosen).map(|choice| choice.value.as_str()).collect()
    }

    /// The same with what is wrong with it as a whole.
    pub(super) fn refused(mut self, why: impl Into<String>) -> Form {
        let mut why: String = why.into();
        if let Some(first) = why.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        self.wrong = Some(why);
        self
    }

    /// Whether anything is wrong with it.
    fn is_wrong(&self) -> bool {
        self.wrong.is_some() || self.fields.iter().any(|field| field.wrong.is_some())
    }
}

/// Puts a form that was refused, if one was, back in its place among a page's `forms`. If the form is gone
/// meanwhile, because somebody else was faster, its reason is all that is left of it. Also says with
/// which status the page is answered.
pub(super) fn put_back(forms: &mut [Form], refused: Option<Form>) -> (StatusCode, Option<String>) {
    let Some(refused) = refused else { return (StatusCode::OK, None) };
    let wrong = match forms.iter_mut().find(|form| form.hidden == refused.hidden) {
        Some(form) => {
            *form = refused;
            None
        }
        None => refused.wrong,
    };
    (StatusCode::UNPROCESSABLE_ENTITY, wrong)
}

#[derive(Template)]
#[template(path = "form_page.html")]
struct FormPage {
    frame: Frame,
    agreement: String,
    agreement_path: String,
    /// What to know before filling it in.
    notes: Vec<String>,
    forms: Vec<Form>,
}

/// A page with one form about an agreement, which lies at `agreement_path`.
pub(super) fn form_page(
    actor: &Actor,
    now: Timestamp,
    (agreement, agreement_path): (&str, String),
    notes: Vec<String>,
    form: Form,
) -> Response {
    let status = if form.is_wrong() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let frame = Frame::of(actor, form.title.clone(), now);
    let shown = FormPage { frame, agreement: agreement.to_owned(), agreement_path, notes, forms: vec![form] };
    (status, page(shown.render().expect("writing into a string can't fail"))).into_response()
}
