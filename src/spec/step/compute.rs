//! `compute`: an expression that is judged.

use super::At;
use super::check::judges_the_answer;
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Shape};
use crate::spec::expression;
use crate::spec::model::{Check, Subject};

/// The action.
pub(super) const FIELD: Field =
    Field::optional("compute", Shape::Expression, "An expression over points, read in one scan.");

/// What belongs to it alone.
pub(super) const UNIT: Field =
    Field::optional("unit", Shape::Text, "The measuring unit of what is computed.");

/// How far apart the points of an expression may be read.
pub(super) const MAX_SKEW: Field = Field::optional(
    "max_skew",
    Shape::Duration,
    "How far apart the points of a `compute` may be read. Default no bound.",
);

/// The check of a `compute`. `None`: reported.
pub(super) fn compute(at: &At<'_, '_>) -> Option<Check> {
    let At { context, names, fields, .. } = *at;
    let text = fields.expression("compute")?;
    if judges_the_answer(fields) {
        let error = Diagnostic::error(text.span, "a `compute` has a value, not a kind of answer");
        context.report(error.remedy("ask for `exception` or `answers` where a point is read"));
        return None;
    }
    let expression = expression::bind(context, names, &text)?;
    if expression.points.is_empty() {
        let error = Diagnostic::error(text.span, "this expression reads no point");
        context.report(error.remedy("name one: what no device can change proves nothing"));
        return None;
    }
    let name = fields.text("name").map_or_else(|| text.value.clone(), |name| name.value);
    let unit = fields.text("unit").map(|unit| unit.value.into());
    let max_skew = fields.duration("max_skew");
    if let (Some(most), [_]) = (&max_skew, &expression.points[..]) {
        let error = Diagnostic::error(most.span, "one point alone is never apart from another");
        context.report(error.remedy("remove `max_skew`, or name the points that belong together"));
        return None;
    }
    let check = at.check(name, Subject::Expression { expression, unit })?;
    Some(Check { max_skew: max_skew.map(|most| most.value), ..check })
}
