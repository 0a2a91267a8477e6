//! `counter` and `steps`: one value after the other.

use std::time::Duration;

use passline_simulator::behaviour::{Counter, Step, Steps};

use super::super::image::held;
use super::{Names, every, lasting, refuse};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

pub(super) static COUNTER: Object = Object {
    name: "counter",
    doc: "A counter of whole numbers. Without a rollover it stops at what the point can hold.",
    fields: &[&[
        Field::optional("from", COUNT, "The value at the start. Default 0."),
        Field::optional("step", COUNT, "What is added each time. Default 1."),
        Field::optional("every", Shape::Duration, "How long each value lasts. Default 1s."),
        Field::optional(
            "rollover",
            Shape::Integer { min: 1, max: u64::MAX as i128 },
            "The first number that it does not reach: 65536 for a counter of 16 bits.",
        ),
    ]],
};

const COUNT: Shape = Shape::Integer { min: 0, max: u64::MAX as i128 };

pub(super) static STEPS: Object = Object {
    name: "steps",
    doc: "Values one after the other; the last one stays.",
    fields: &[&[
        Field::required("list", Shape::List(&Shape::Object(&STEP)), "The values, in order."),
        Field::optional("repeat", Shape::Bool, "Begin anew after the last one. Default false."),
    ]],
};

static STEP: Object = Object {
    name: "entry of steps",
    doc: "A value, and how long it lasts.",
    fields: &[&[
        Field::required("value", Shape::Scalar, "The value."),
        Field::optional("for", Shape::Duration, "How long; only the last one may leave it out."),
    ]],
};

pub(super) fn counter(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Counter> {
    let whole = |key| fields.integer::<u64>(key).map(|whole| whole.value);
    let counter = Counter {
        from: whole("from").unwrap_or(0),
        step: whole("step").unwrap_or(1),
        every: every(names, fields)?,
        rollover: whole("rollover"),
    };
    if counter.rollover.is_some_and(|rollover| rollover <= counter.from) {
        let message = "this counter begins behind its rollover";
        return refuse(names, fields, message, "`from` is less than `rollover`");
    }
    Some(counter)
}

pub(super) fn steps(names: &Names<'_, '_>, fields: &Fields<'_, '_>, point: usize) -> Option<Steps> {
    let repeats = fields.boolean("repeat").is_some_and(|repeat| repeat.value);
    let point = &names.points.get(point)?.point;
    let nodes = fields.list("list");
    let count = nodes.len();
    let mut steps = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let step = names.context.fields(node, &STEP)?;
        let value = held(point, step.scalar("value")?.value);
        let stays = !repeats && index + 1 == count;
        if !stays && !step.has("for") {
            return refuse(names, &step, "how long does this value last?", "add `for:`");
        }
        let lasts = if step.has("for") { lasting(names, &step, "for")? } else { Duration::ZERO };
        steps.push(Step { value, lasts });
    }
    let mut steps = steps.into_iter();
    let made = if repeats {
        steps.next().map(|first| Steps::repeating(first, steps))
    } else {
        steps.next_back().map(|last| Steps::ending(steps, last.value))
    };
    made.or_else(|| refuse(names, fields, "there are no steps", "list at least one"))
}
