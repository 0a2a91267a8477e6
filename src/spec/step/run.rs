//! `run`: a program of another author, its exit status, and what it writes.

use passline_modbus::point::Domain;
use regex::Regex;
use serde_json::{Map, json};

use super::At;
use super::check::judges_a_value;
use crate::judge::{NotAPattern, PATTERN};
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Shape};
use crate::record::Kind;
use crate::spec::act::{Capture, Run, Typed};
use crate::spec::criteria::Criteria;
use crate::spec::model::{Subject, Told};

/// The action.
pub(super) const FIELD: Field = Field::optional(
    "run",
    Shape::List(&Shape::Scalar),
    "A program and its arguments, each an item. No shell reads them.",
);

/// What belongs to it alone.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "exit",
        Shape::OneOrMany(&EXIT),
        "The exit statuses that are expected. Default 0.",
    ),
    Field::optional(
        "capture",
        Shape::Text,
        "A regular expression: its first group in the standard output, else all that matches, is the value.",
    ),
    Field::optional(
        "type",
        Shape::Choice(&["number", "text"]),
        "What the captured text is read as. Default `number`.",
    ),
];

static EXIT: Shape = Shape::Integer { min: EXITS.0, max: EXITS.1 };
const EXITS: (i128, i128) = (0, 255);

/// A program. `None`: reported.
pub(super) fn run(at: &At<'_, '_>) -> Option<Run> {
    let At { context, fields, .. } = *at;
    let command = command(at)?;
    let exits = match fields.one_or_many("exit") {
        nodes if fields.has("exit") => nodes,
        _ => Vec::new(),
    };
    let mut exit: Vec<i32> = Vec::new();
    for node in exits {
        exit.push(context.integer(node, EXITS)?.value);
    }
    if exit.is_empty() {
        if fields.has("exit") {
            let error = Diagnostic::error(fields.key_span("exit"), "no exit status would do");
            context.report(error.remedy("name those that are expected, or remove the key"));
            return None;
        }
        exit.push(0);
    }
    let capture = capture(at);
    if fields.has("capture") && capture.is_none() {
        return None;
    }
    let simulated = at.simulated();
    if let (Some(capture), Some(text)) = (&capture, &simulated)
        && let Err(why) = capture.of(&text.value)
    {
        let error = Diagnostic::error(text.span, why);
        context.report(error.remedy("write what the program would, as far as `capture` needs it"));
        return None;
    }
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut how =
        Map::from_iter([("run".to_owned(), json!(words)), ("exit".to_owned(), json!(exit))]);
    let name = fields.text("name").map_or_else(|| words.join(" "), |name| name.value);
    let unit = fields.text("unit").map(|unit| unit.value.into());
    let check = if let Some(Capture { pattern, typed }) = &capture {
        how.insert("capture".to_owned(), pattern.as_str().into());
        if !judges_a_value(at, "what a program writes") {
            return None;
        }
        let domain = typed.domain();
        let subject = Subject::Told(Told { kind: Kind::Run, how, domain, unit });
        at.check(name, subject)?
    } else {
        at.nothing_to_judge(
            "without `capture`, the exit status is all that is judged",
            &["type", "unit"],
        )?;
        let domain = Domain::Unbounded { width: None };
        let subject = Subject::Told(Told { kind: Kind::Run, how, domain, unit: None });
        let limit = match exit[..] {
            [only] => json!({ "equals": only }),
            _ => json!({ "one_of": exit }),
        };
        at.check_by(name, subject, Criteria::stored(limit))?
    };
    let mut command = command.into_iter();
    let program = command.next()?;
    let simulated = simulated.map(|text| text.value);
    Some(Run { check, program, arguments: command.collect(), exit, capture, simulated })
}

/// The program and its arguments. `None`: reported.
fn command(at: &At<'_, '_>) -> Option<Vec<String>> {
    let At { context, fields, .. } = *at;
    let nodes = fields.list("run");
    let node = fields.node("run")?;
    node.items()?;
    let words: Option<Vec<_>> = nodes.into_iter().map(|node| context.variable(node)).collect();
    let words = words?;
    if words.first().is_none_or(|program| program.value.text.is_empty()) {
        let error = Diagnostic::error(node.span(), "there is no program to run");
        context.report(error.remedy("write `[program, argument, …]`"));
        return None;
    }
    if let Some(word) = words.iter().find(|word| word.value.text.contains('\0')) {
        let error = Diagnostic::error(word.span, "no argument holds a NUL character");
        context.report(error.remedy("remove it"));
        return None;
    }
    Some(words.into_iter().map(|word| word.value.text).collect())
}

/// What of the output is judged. `None`: nothing, or reported.
fn capture(at: &At<'_, '_>) -> Option<Capture> {
    let At { context, fields, .. } = *at;
    let text = fields.text("capture")?;
    let typed = match fields.choice("type") {
        Some(word) if word.value == "text" => Typed::Text,
        None if fields.has("type") => return None,
        _ => Typed::Number,
    };
    match Regex::new(&text.value) {
        Ok(pattern) => Some(Capture { pattern, typed }),
        Err(error) => {
            let wrong = NotAPattern::from(error).to_string();
            context.report(Diagnostic::error(text.span, wrong).remedy(PATTERN));
            None
        }
    }
}
