//! What moves a simulated point, as it is written under `values:` and in rules.
//!
//! A new behaviour is an object here, its key in [`BEHAVIOUR`] and its arm in [`part`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::value::{Decimal, Value};
use passline_simulator::behaviour::{
    Behaviour, Between, Clock, Counter, Noise, Ramp, Reading, Replay, Sine, Spread, Square, Step,
    Steps, Then, Walk,
};
use passline_simulator::program::{Formula, Lag, Signal};

use super::script::Names;
use crate::expression::Expression;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::yaml::Node;

/// What moves a point.
pub(super) static BEHAVIOUR: Object = Object {
    name: "behaviour",
    doc: "What moves a simulated point. Several of numbers at once add up: a sine with noise on it.",
    fields: &[&[
        Field::optional("sine", Shape::Object(&SINE), "A sine wave."),
        Field::optional("square", Shape::Object(&SQUARE), "A square wave."),
        Field::optional("ramp", Shape::Object(&RAMP), "A straight line, or a sawtooth."),
        Field::optional("noise", Shape::Object(&NOISE), "Random values around a mean."),
        Field::optional("walk", Shape::Object(&WALK), "A random walk."),
        Field::optional("counter", Shape::Object(&COUNTER), "A counter that rolls over."),
        Field::optional("steps", Shape::Object(&STEPS), "Values one after the other."),
        Field::optional("csv", Shape::Object(&CSV), "A recording."),
        Field::optional("clock", Shape::Object(&CLOCK), "The time of day, in UTC."),
        Field::optional(
            "first_order",
            Shape::Object(&FIRST_ORDER),
            "Follows another point with inertia: a temperature, a speed.",
        ),
        Field::optional(
            "computed",
            Shape::Expression,
            "An expression over points of this device by their bare names, and `t`: seconds since the start of the simulation.",
        ),
    ]],
};

static SINE: Object = Object {
    name: "sine",
    doc: "A sine wave: `mean` at the start, rising.",
    fields: &[&[
        Field::optional("mean", Shape::Number, "The middle. Default 0."),
        Field::required("amplitude", Shape::Number, "The greatest distance from it."),
        Field::required("period", Shape::Duration, "From one wave to the next."),
        Field::optional("phase", Shape::Duration, "How far into a period it begins. Default 0s."),
    ]],
};

static SQUARE: Object = Object {
    name: "square",
    doc: "A square wave: `high` first, then `low`.",
    fields: &[&[
        Field::optional("low", Shape::Number, "The lower value. Default 0."),
        Field::required("high", Shape::Number, "The upper value; 1 and 0 are true and false of a bit."),
        Field::required("period", Shape::Duration, "From one rise to the next."),
        Field::optional("duty", Shape::Number, "Which part of a period is high, 0 to 1. Default 0.5."),
        Field::optional("phase", Shape::Duration, "How far into a period it begins. Default 0s."),
    ]],
};

static RAMP: Object = Object {
    name: "ramp",
    doc: "A straight line.",
    fields: &[&[
        Field::optional("from", Shape::Number, "The value at the start. Default 0."),
        Field::required("rate", Shape::Number, "What is added in each second; may be negative."),
        Field::optional("to", Shape::Number, "Where it ends and stays."),
        Field::optional("repeat", Shape::Bool, "Begin anew where it ends. Default false."),
    ]],
};

static NOISE: Object = Object {
    name: "noise",
    doc: "Random values from the seed of the run, around a mean.",
    fields: &[&[
        Field::optional("mean", Shape::Number, "The middle. Default 0."),
        Field::optional("stddev", Shape::Number, "Normally distributed, with this standard deviation."),
        Field::optional("amplitude", Shape::Number, "Evenly distributed, at most so far from the mean."),
        Field::optional("every", Shape::Duration, "How long each value lasts. Default 1s."),
    ]],
};

static WALK: Object = Object {
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

static COUNTER: Object = Object {
    name: "counter",
    doc: "A counter of whole numbers.",
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

static STEPS: Object = Object {
    name: "steps",
    doc: "Values one after the other; the last one stays.",
    fields: &[&[
        Field::required("list", Shape::List(&Shape::Object(&STEP)), "The values, in order."),
        Field::optional("repeat", Shape::Bool, "Begin anew after the last one. Default false."),
    ]],
};

static STEP: Object = Object {
    name: "step of a simulation",
    doc: "A value, and how long it lasts.",
    fields: &[&[
        Field::required("value", Shape::Scalar, "The value."),
        Field::optional("for", Shape::Duration, "How long it lasts; only the last one may leave it out."),
    ]],
};

static CSV: Object = Object {
    name: "recording",
    doc: "A CSV file with a header line: a column of times and one of values.",
    fields: &[&[
        Field::required("file", Shape::Text, "The file, relative to the one that names it."),
        Field::required("value", Shape::Text, "The column of the values."),
        Field::optional("time", Shape::Text, "The column of the times, in seconds. Default `time`."),
        Field::optional(
            "between",
            Shape::Choice(&["hold", "interpolate"]),
            "What is between two rows: the earlier value, or a straight line. Default `hold`.",
        ),
        Field::optional(
            "then",
            Shape::Choice(&["hold", "loop"]),
            "After the last row: its value stays, or the recording begins anew. Default `hold`.",
        ),
    ]],
};

static CLOCK: Object = Object {
    name: "clock",
    doc: "The time of day in UTC; a device with a register for each part of it has several.",
    fields: &[&[
        Field::required("shows", Shape::Choice(&READINGS), "What of the time the point shows."),
        Field::optional("from", Shape::Text, "What the clock is set to at the start, such as `2026-01-31T12:00:00Z`. Default: the host's time."),
    ]],
};

static READINGS: [&str; Reading::NAMED.len()] = {
    let mut names = [""; Reading::NAMED.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Reading::NAMED[index].0;
        index += 1;
    }
    names
};

static FIRST_ORDER: Object = Object {
    name: "lag",
    doc: "Follows another point: after one time constant 63 % of the way are gone.",
    fields: &[&[
        Field::required("target", Shape::Text, "The point that is followed."),
        Field::required("time_constant", Shape::Duration, "How slowly."),
        Field::optional("from", Shape::Number, "The value at the start. Default 0."),
    ]],
};
