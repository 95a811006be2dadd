//! Looks for what content rules ask for, in an answer that is whole.

use crate::prober::trace::Break;
use cel::{Context, Program, Value};
use http::HeaderMap;
use rules::check::{ContentRule, Look};
use rules::evidence::{Fault, Found};

/// The largest body that is read as JSON: its values take up some thirty times their text, and health
/// reports are a few kilobytes.
const JSON_BYTES_MAX: usize = 1024 * 1024;

/// The rules of a target, compiled.
#[derive(Debug)]
pub(crate) struct Looks {
    rules: Vec<ContentRule>,
    /// The conditions on JSON, in the rules' order.
    conditions: Vec<Program>,
}

impl Looks {
    /// Compiles what `rules` ask for.
    pub(crate) fn prepare(rules: &[ContentRule]) -> Result<Looks, Break> {
        let mut conditions = Vec::new();
        for rule in rules {
            if let Look::Json(condition) = &rule.look {
                let refuse =
                    |_| Break::new(Fault::Instruction, &format!("the condition `{condition}` does not compile"));
                conditions.push(Program::compile(condition).map_err(refuse)?);
            }
        }
        Ok(Looks { rules: rules.to_vec(), conditions })
    }

    /// Whether a rule looks at the body, so that it must be kept.
    pub(crate) fn at_body(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.look, Look::Body(_) | Look::Json(_)))
    }

    /// What each rule finds, in the rules' order.
    pub(crate) fn found(&self, headers: &HeaderMap, body: &[u8]) -> Vec<Found> {
        let scope = if self.conditions.is_empty() { None } else { scope(body) };
        let mut conditions = self.conditions.iter();
        let mut look = |rule: &ContentRule| match &rule.look {
            Look::Body(pattern) => said(pattern.is_found(body)),
            Look::Header { name, pattern, .. } => {
                let mut values = headers.get_all(name.as_str()).iter().peekable();
                if values.peek().is_none() {
                    return Found::Nothing;
                }
                said(values.any(|value| pattern.is_found(value.as_bytes())))
            }
            Look::Json(_) => match (conditions.next(), &scope) {
                (Some(condition), Some(scope)) => asked(condition, scope),
                _ => Found::Nothing,
            },
        };
        self.rules.iter().map(&mut look).collect()
    }
}

fn said(found: bool) -> Found {
    if found { Found::Yes } else { Found::No }
}

/// What conditions can speak of: the body, if it is JSON.
fn scope(body: &[u8]) -> Option<Context<'static, 'static>> {
    if JSON_BYTES_MAX < body.len() {
        return None;
    }
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let mut scope = Context::default();
    scope.add_variable("body", json).ok()?;
    Some(scope)
}

fn asked(condition: &Program, scope: &Context<'_, '_>) -> Found {
    match condition.execute(scope) {
        Ok(Value::Bool(found)) => said(found),
        Ok(_) | Err(_) => Found::Nothing,
    }
}
