//! `prompt`: what the operator is told and asked.

use passline_modbus::point::Domain;
use serde_json::{Map, json};

use super::At;
use super::check::judges_a_value;
use crate::judge::{PATTERN, whole_text};
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Shape};
use crate::record::Kind;
use crate::spec::act::{Ask, Prompt, Typed};
use crate::spec::criteria::Criteria;
use crate::spec::model::{Subject, Told};

/// The action.
pub(super) const FIELD: Field =
    Field::optional("prompt", Shape::Text, "What the operator is told or asked.");

/// What belongs to it alone.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "ask",
        Shape::Choice(&["confirm", "pass_fail", "text", "number"]),
        "What the operator answers. Default `confirm`: that it has been done.",
    ),
    Field::optional(
        "pattern",
        Shape::Text,
        "A regular expression for the whole text; what does not match is asked for again.",
    ),
];

/// A question. `None`: reported.
pub(super) fn prompt(at: &At<'_, '_>) -> Option<Prompt> {
    let At { context, fields, .. } = *at;
    let text = fields.text("prompt")?;
    if text.value.trim().is_empty() {
        let error = Diagnostic::error(text.span, "the operator is told nothing");
        context.report(error.remedy("write what is to be done or looked at"));
        return None;
    }
    let ask = ask(at)?;
    let simulated = at.simulated();
    if let Some(answer) = &simulated
        && let Err(why) = ask.understand(&answer.value)
    {
        let error = Diagnostic::error(answer.span, format!("this is no answer: {why}"));
        context.report(error.remedy("write what an operator would answer"));
        return None;
    }
    let mut how = Map::from_iter([
        ("prompt".to_owned(), json!(text.value)),
        ("ask".to_owned(), json!(ask.word())),
    ]);
    if let Ask::Text { pattern: Some((pattern, _)) } = &ask {
        how.insert("pattern".to_owned(), json!(pattern));
    }
    let name = fields.text("name").map_or_else(|| text.value.clone(), |name| name.value);
    let unit = fields.text("unit").map(|unit| unit.value.into());
    let subject = |domain| Subject::Told(Told { kind: Kind::Prompt, how, domain, unit });
    let check = match &ask {
        Ask::Confirm => {
            at.nothing_to_judge(
                "a `confirm` is recorded, and judged by nothing",
                &["save", "unit"],
            )?;
            let recorded = Criteria::stored(json!({ "record": true }));
            at.check_by(name, subject(Domain::Bool), recorded)?
        }
        Ask::PassFail => {
            at.nothing_to_judge("a `pass_fail` is judged by the operator", &["unit"])?;
            let yes = Criteria::stored(json!({ "equals": true }));
            at.check_by(name, subject(Domain::Bool), yes)?
        }
        Ask::Text { .. } | Ask::Number => {
            if !judges_a_value(at, "what an operator types") {
                return None;
            }
            let typed = if matches!(ask, Ask::Number) { Typed::Number } else { Typed::Text };
            at.check(name, subject(typed.domain()))?
        }
    };
    let simulated = simulated.map(|answer| answer.value);
    Some(Prompt { check, text: text.value, ask, simulated })
}

/// What is asked for. `None`: reported.
fn ask(at: &At<'_, '_>) -> Option<Ask> {
    let At { context, fields, .. } = *at;
    let word = match fields.choice("ask") {
        None if fields.has("ask") => return None,
        None => "confirm",
        Some(word) => word.value,
    };
    if word != "text" && fields.has("pattern") {
        let message = format!("`pattern` is for `ask: text`, and this is `{word}`");
        let error = Diagnostic::error(fields.key_span("pattern"), message);
        context.report(error.remedy("remove it, or ask for a text"));
        return None;
    }
    Some(match word {
        "pass_fail" => Ask::PassFail,
        "number" => Ask::Number,
        "text" if fields.has("pattern") => {
            let pattern = fields.text("pattern")?;
            match whole_text(&pattern.value) {
                Ok(whole) => Ask::Text { pattern: Some((pattern.value, whole)) },
                Err(error) => {
                    let wrong = Diagnostic::error(pattern.span, error.to_string());
                    context.report(wrong.remedy(PATTERN));
                    return None;
                }
            }
        }
        "text" => Ask::Text { pattern: None },
        _ => Ask::Confirm,
    })
}
