//! What governs a step, whatever it does: whether it runs, for how long, and what its failure means.

use super::At;
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Shape};
use crate::spec::expression;
use crate::spec::model::Flow;

/// The keys of every step.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "if",
        Shape::Expression,
        "The step runs only where this is true: an expression over points (read just before), saved values and variables.",
    ),
    Field::optional(
        "timeout",
        Shape::Duration,
        "The longest that the step may take in all, retries included.",
    ),
    Field::optional(
        "on_fail",
        Shape::Choice(&["continue", "stop"]),
        "What a step that does not pass means for the rest of its test. Default `continue`.",
    ),
];

/// What governs the step. `None`: reported.
pub(super) fn flow(at: &At<'_, '_>) -> Option<Flow> {
    let At { context, names, fields, .. } = *at;
    let condition = match fields.expression("if") {
        Some(text) => Some(expression::condition(context, names, &text)?),
        None if fields.has("if") => return None,
        None => None,
    };
    let timeout = fields.duration("timeout");
    if let Some(zero) = timeout.as_ref().filter(|timeout| timeout.value.is_zero()) {
        let error = Diagnostic::error(zero.span, "nothing is done in no time");
        context.report(error.remedy("give it as long as it may take"));
    }
    Some(Flow {
        condition,
        timeout: timeout.map(|timeout| timeout.value),
        stops: fields.choice("on_fail").is_some_and(|word| word.value == "stop"),
    })
}
