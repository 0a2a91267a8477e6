//! `sine`, `square` and `ramp`.

use std::time::Duration;

use passline_simulator::behaviour::{Ramp, Sine, Square};

use super::{Names, float, float_or, lasting, refuse};
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

pub(super) static SINE: Object = Object {
    name: "sine",
    doc: "A sine wave: `mean` at the start, rising.",
    fields: &[&[
        Field::optional("mean", Shape::Number, "The middle. Default 0."),
        Field::required("amplitude", Shape::Number, "The greatest distance from it."),
        Field::required("period", Shape::Duration, "From one wave to the next."),
        Field::optional("phase", Shape::Duration, "How far into a period it begins. Default 0s."),
    ]],
};

pub(super) static SQUARE: Object = Object {
    name: "square",
    doc: "A square wave: `high` first, then `low`.",
    fields: &[&[
        Field::optional("low", Shape::Number, "The lower value. Default 0."),
        Field::required(
            "high",
            Shape::Number,
            "The upper value; 1 and 0 are true and false of a bit.",
        ),
        Field::required("period", Shape::Duration, "From one rise to the next."),
        Field::optional(
            "duty",
            Shape::Number,
            "Which part of a period is high, 0 to 1. Default 0.5.",
        ),
        Field::optional("phase", Shape::Duration, "How far into a period it begins. Default 0s."),
    ]],
};

pub(super) static RAMP: Object = Object {
    name: "ramp",
    doc: "A straight line.",
    fields: &[&[
        Field::optional(
            "from",
            Shape::Number,
            "The value at the start. Default: the one that the point has then.",
        ),
        Field::required(
            "rate",
            Shape::Number,
            "What is added in each second; may be negative. Without `from` it goes to `to` at this speed, up or down.",
        ),
        Field::optional("to", Shape::Number, "Where it ends and stays."),
        Field::optional("repeat", Shape::Bool, "Begin anew where it ends. Default false."),
    ]],
};

pub(super) fn sine(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Sine> {
    Some(Sine {
        mean: float_or(fields, "mean", 0.0)?,
        amplitude: float(fields, "amplitude")?,
        period: lasting(names, fields, "period")?,
        phase: phase(fields),
    })
}

pub(super) fn square(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Square> {
    let duty = float_or(fields, "duty", 0.5)?;
    if !(0.0..=1.0).contains(&duty) {
        let error = Diagnostic::error(fields.key_span("duty"), "a duty is within 0..=1");
        names.context.report(error.remedy("25 % is 0.25"));
        return None;
    }
    Some(Square {
        low: float_or(fields, "low", 0.0)?,
        high: float(fields, "high")?,
        period: lasting(names, fields, "period")?,
        duty,
        phase: phase(fields),
    })
}

fn phase(fields: &Fields<'_, '_>) -> Duration {
    fields.duration("phase").map_or(Duration::ZERO, |phase| phase.value)
}

pub(super) fn ramp(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Ramp> {
    let ramp = Ramp {
        from: float(fields, "from"),
        rate: float(fields, "rate")?,
        to: float(fields, "to"),
        repeats: fields.boolean("repeat").is_some_and(|repeat| repeat.value),
    };
    let never = match (ramp.from, ramp.to) {
        (Some(from), Some(to)) => (to - from) * ramp.rate <= 0.0,
        (None, Some(_)) => ramp.rate == 0.0,
        (_, None) => false,
    };
    if never {
        let remedy = "turn the sign of `rate`, or correct `to`";
        return refuse(names, fields, "this ramp never gets to its `to`", remedy);
    }
    if ramp.repeats && ramp.to.is_none() {
        return refuse(names, fields, "a ramp without an end cannot begin anew", "add `to:`");
    }
    Some(ramp)
}
