//! How a test goes as a whole: whether, after which others, how often, and for how long.

use std::time::Duration;

use super::{Names, STEP};
use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::spec::expression;
use crate::spec::model::{Course, Lasting};
use crate::spec::retry::{self, CAUSES, PACE};

/// The keys of a test that govern it.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "needs",
        Shape::OneOrMany(&Shape::Text),
        "Tests that must pass before; all instances of one where it has a `for_each`.",
    ),
    Field::optional(
        "if",
        Shape::Expression,
        "The test runs only where this is true: an expression over points (read just before), saved values and variables.",
    ),
    Field::optional(
        "repeat",
        Shape::AnyOf(&REPEATS),
        "How many times it is made, or for how long; each time is a test of its own in the record.",
    ),
    Field::optional(
        "retry",
        Shape::Object(&RETRY),
        "When the whole test is made again. Default never.",
    ),
    Field::optional(
        "timeout",
        Shape::Duration,
        "The longest that it may take in all, its teardown left aside.",
    ),
    Field::optional(
        "on_fail",
        Shape::Choice(&["continue", "stop"]),
        "What it means for the rest of the spec that it does not pass. Default `continue`.",
    ),
    Field::optional(
        "parallel",
        Shape::Bool,
        "Whether it may overlap tests that share no device with it, although it acts on the bench.",
    ),
];

static REPEATS: [Shape; 2] = [COUNT, Shape::Object(&LASTING)];

const COUNT: Shape = Shape::Integer { min: 2, max: 100_000 };

static LASTING: Object = Object {
    name: "repetition",
    doc: "For how long a test is made again and again.",
    fields: &[&[
        Field::required("for", Shape::Duration, "It begins once more until this has passed."),
        Field::optional(
            "every",
            Shape::Duration,
            "From one beginning to the next. Default at once.",
        ),
    ]],
};

static RETRY: Object = Object {
    name: "retry of a test",
    doc: "When the whole test is made again, and what is done before.",
    fields: &[
        PACE,
        CAUSES,
        &[Field::optional(
            "recover",
            Shape::List(&Shape::Object(&STEP)),
            "Steps before each further try. If one does not pass, there is none.",
        )],
    ],
};

/// The `retry` of a test, for its `recover` steps.
pub(super) fn retry_of<'t, 'c>(fields: &Fields<'t, 'c>) -> Option<Fields<'t, 'c>> {
    fields.object("retry")
}

/// How a test goes as a whole; what it needs is filled in when all tests are known.
pub(super) fn course(
    context: &Context<'_>,
    names: &Names<'_>,
    fields: &Fields<'_, '_>,
    retry: Option<&Fields<'_, '_>>,
) -> Course {
    let condition = fields.expression("if");
    let condition = condition.and_then(|text| expression::condition(context, names, &text));
    let timeout = fields.duration("timeout");
    if let Some(zero) = timeout.as_ref().filter(|timeout| timeout.value.is_zero()) {
        let error = Diagnostic::error(zero.span, "nothing is done in no time");
        context.report(error.remedy("give it as long as it may take"));
    }
    Course {
        needs: Vec::new(),
        condition,
        lasting: lasting(context, fields),
        retry: retry.map(|retry| retry::retry(context, retry)),
        timeout: timeout.map(|timeout| timeout.value),
        stops: fields.choice("on_fail").is_some_and(|word| word.value == "stop"),
        parallel: fields.boolean("parallel").is_some_and(|parallel| parallel.value),
    }
}

/// How many times a test is made; `None`: once, or for a time.
pub(super) fn count(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<u32> {
    let node = fields.node("repeat").filter(|node| node.pairs().is_none())?;
    context.integer(node, (2, 100_000)).map(|count| count.value)
}

/// For how long a test is made.
fn lasting(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Lasting> {
    let node = fields.node("repeat").filter(|node| node.pairs().is_some())?;
    let fields = context.fields(node, &LASTING)?;
    let time = fields.duration("for")?;
    if time.value.is_zero() {
        let error = Diagnostic::error(time.span, "it would be made once");
        context.report(error.remedy("remove `repeat`, or say for how long"));
    }
    let every = fields.duration("every").map_or(Duration::ZERO, |every| every.value);
    Some(Lasting { time: time.value, every })
}
