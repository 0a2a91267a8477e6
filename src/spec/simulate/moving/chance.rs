//! `noise` and `walk`: what comes from the seed.

use passline_simulator::behaviour::{Noise, Spread, Walk};

use super::{Names, every, float, float_or, refuse};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

pub(super) static NOISE: Object = Object {
    name: "noise",
    doc: "Random values from the seed of the run, around a mean.",
    fields: &[&[
        Field::optional("mean", Shape::Number, "The middle. Default 0."),
        Field::optional(
            "stddev",
            Shape::Number,
            "Normally distributed, with this standard deviation.",
        ),
        Field::optional(
            "amplitude",
            Shape::Number,
            "Evenly distributed, at most so far from the mean.",
        ),
        Field::optional("every", Shape::Duration, "How long each value lasts. Default 1s."),
    ]],
};

pub(super) static WALK: Object = Object {
    name: "walk",
    doc: "A random walk from the seed of the run.",
    fields: &[&[
        Field::optional("from", Shape::Number, "The value at the start. Default 0."),
        Field::required("step", Shape::Number, "The most that it moves at once."),
        Field::optional("every", Shape::Duration, "How often it moves. Default 1s."),
        Field::optional("min", Shape::Number, "It turns back here."),
        Field::optional("max", Shape::Number, "It turns back here."),
    ]],
};

pub(super) fn noise(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Noise> {
    let spread = match (fields.has("stddev"), fields.has("amplitude")) {
        (true, false) => Spread::Normal(float(fields, "stddev")?),
        (false, true) => Spread::Even(float(fields, "amplitude")?),
        _ => {
            let message = "noise has a `stddev` or an `amplitude`";
            return refuse(names, fields, message, "give one of the two");
        }
    };
    let (Spread::Normal(width) | Spread::Even(width)) = spread;
    if width < 0.0 {
        return refuse(names, fields, "a spread is not below zero", "give how far, without a sign");
    }
    let every = every(names, fields)?;
    Some(Noise { mean: float_or(fields, "mean", 0.0)?, spread, every })
}

pub(super) fn walk(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Walk> {
    let from = float_or(fields, "from", 0.0)?;
    let low = float_or(fields, "min", f64::NEG_INFINITY)?;
    let high = float_or(fields, "max", f64::INFINITY)?;
    if !(low..=high).contains(&from) {
        let message = "the walk begins outside of its bounds";
        return refuse(names, fields, message, "`from` is within `min` and `max`");
    }
    let step = float(fields, "step")?;
    if step <= 0.0 {
        return refuse(names, fields, "this walk does not move", "give a `step` above zero");
    }
    let every = every(names, fields)?;
    Some(Walk::new(from, step, every, (low, high)))
}
