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

/// Reads the file that a text names.
pub(super) type ReadFile<'f> = dyn FnMut(&Spanned<String>) -> Option<(PathBuf, String)> + 'f;

/// What a reader of behaviours needs.
pub(super) struct Reader<'r, 'c> {
    pub(super) context: &'r Context<'c>,
    pub(super) names: &'r mut Names<'c>,
    pub(super) read_file: &'r mut ReadFile<'c>,
}

/// How long a random value lasts, and a count, where nothing says otherwise.
const EVERY: Duration = Duration::from_secs(1);

impl Reader<'_, '_> {
    /// What moves a point. `None`: reported.
    pub(super) fn signal(&mut self, node: Node<'_>) -> Option<Signal> {
        let fields = self.context.fields(node, &BEHAVIOUR)?;
        let keys: Vec<&str> = fields.keys().collect();
        match keys.as_slice() {
            [] => self.refuse(&fields, "a behaviour needs one of its keys", "add one, such as `sine:`"),
            ["first_order"] => self.first_order(&fields.object("first_order")?).map(Signal::Lag),
            ["computed"] => {
                let text = fields.expression("computed")?;
                self.formula(&text).map(Signal::Computed)
            }
            [key] => self.part(&fields, key).map(Signal::Behaviour),
            keys => {
                let lone = ["steps", "clock", "first_order", "computed"];
                if let Some(key) = keys.iter().find(|key| lone.contains(key)) {
                    let message = format!("`{key}` cannot be added to something else");
                    let error = Diagnostic::error(fields.key_span(key), message);
                    self.context.report(error.remedy("give it alone"));
                    return None;
                }
                let parts: Vec<Option<Behaviour>> =
                    keys.iter().map(|key| self.part(&fields, key)).collect();
                let parts: Option<Vec<Behaviour>> = parts.into_iter().collect();
                Some(Signal::Behaviour(Behaviour::Sum(parts?)))
            }
        }
    }

    fn part(&mut self, all: &Fields<'_, '_>, key: &str) -> Option<Behaviour> {
        let fields = all.object(key)?;
        match key {
            "sine" => self.sine(&fields).map(Behaviour::Sine),
            "square" => self.square(&fields).map(Behaviour::Square),
            "ramp" => self.ramp(&fields).map(Behaviour::Ramp),
            "noise" => self.noise(&fields).map(Behaviour::Noise),
            "walk" => self.walk(&fields).map(Behaviour::Walk),
            "counter" => self.counter(&fields).map(Behaviour::Counter),
            "steps" => self.steps(&fields).map(Behaviour::Steps),
            "csv" => self.recording(&fields).map(Behaviour::Replay),
            _ => self.clock(&fields).map(Behaviour::Clock),
        }
    }

    fn sine(&self, fields: &Fields<'_, '_>) -> Option<Sine> {
        Some(Sine {
            mean: float(fields, "mean").unwrap_or(0.0),
            amplitude: float(fields, "amplitude")?,
            period: self.lasting(fields, "period")??,
            phase: fields.duration("phase").map_or(Duration::ZERO, |phase| phase.value),
        })
    }

    fn square(&self, fields: &Fields<'_, '_>) -> Option<Square> {
        let duty = float(fields, "duty").unwrap_or(0.5);
        if !(0.0..=1.0).contains(&duty) {
            let error = Diagnostic::error(fields.key_span("duty"), "a duty is within 0..=1");
            self.context.report(error.remedy("25 % is 0.25"));
            return None;
        }
        Some(Square {
            low: float(fields, "low").unwrap_or(0.0),
            high: float(fields, "high")?,
            period: self.lasting(fields, "period")??,
            duty,
            phase: fields.duration("phase").map_or(Duration::ZERO, |phase| phase.value),
        })
    }

    fn ramp(&self, fields: &Fields<'_, '_>) -> Option<Ramp> {
        let ramp = Ramp {
            from: float(fields, "from").unwrap_or(0.0),
            rate: float(fields, "rate")?,
            to: float(fields, "to"),
            repeats: fields.boolean("repeat").is_some_and(|repeat| repeat.value),
        };
        let away = ramp.to.is_some_and(|to| (to - ramp.from) * ramp.rate <= 0.0);
        if away {
            return self.refuse(fields, "this ramp never gets to its `to`", "turn the sign of `rate`, or correct `to`");
        }
        if ramp.repeats && ramp.to.is_none() {
            return self.refuse(fields, "a ramp without an end cannot begin anew", "add `to:`");
        }
        Some(ramp)
    }

    fn noise(&self, fields: &Fields<'_, '_>) -> Option<Noise> {
        let spread = match (float(fields, "stddev"), float(fields, "amplitude")) {
            (Some(deviation), None) => Spread::Normal(deviation),
            (None, Some(most)) => Spread::Even(most),
            _ => {
                let message = "noise has a `stddev` or an `amplitude`";
                return self.refuse(fields, message, "give one of the two");
            }
        };
        let mean = float(fields, "mean").unwrap_or(0.0);
        Some(Noise { mean, spread, every: self.lasting(fields, "every")?.unwrap_or(EVERY) })
    }

    fn walk(&self, fields: &Fields<'_, '_>) -> Option<Walk> {
        let from = float(fields, "from").unwrap_or(0.0);
        let low = float(fields, "min").unwrap_or(f64::NEG_INFINITY);
        let high = float(fields, "max").unwrap_or(f64::INFINITY);
        if !(low..=high).contains(&from) {
            let message = "the walk begins outside of its bounds";
            return self.refuse(fields, message, "`from` is within `min` and `max`");
        }
        let every = self.lasting(fields, "every")?.unwrap_or(EVERY);
        Some(Walk::new(from, float(fields, "step")?, every, (low, high)))
    }

    fn counter(&self, fields: &Fields<'_, '_>) -> Option<Counter> {
        let whole = |key| fields.integer::<u64>(key).map(|whole| whole.value);
        Some(Counter {
            from: whole("from").unwrap_or(0),
            step: whole("step").unwrap_or(1),
            every: self.lasting(fields, "every")?.unwrap_or(EVERY),
            rollover: whole("rollover"),
        })
    }

    fn steps(&self, fields: &Fields<'_, '_>) -> Option<Steps> {
        let repeats = fields.boolean("repeat").is_some_and(|repeat| repeat.value);
        let nodes = fields.list("list");
        let count = nodes.len();
        let mut steps = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let step = self.context.fields(node, &STEP)?;
            let value = Value::from(step.scalar("value")?.value);
            let lasts = self.lasting(&step, "for")?;
            if lasts.is_none() && (repeats || index + 1 < count) {
                return self.refuse(&step, "how long does this value last?", "add `for:`");
            }
            steps.push(Step { value, lasts: lasts.unwrap_or_default() });
        }
        let mut steps = steps.into_iter();
        let made = if repeats {
            steps.next().map(|first| Steps::repeating(first, steps))
        } else {
            steps.next_back().map(|last| Steps::ending(steps, last.value))
        };
        made.or_else(|| self.refuse(fields, "there are no steps", "list at least one"))
    }

    fn clock(&self, fields: &Fields<'_, '_>) -> Option<Clock> {
        let shows = fields.choice("shows")?;
        let (_, reading) = *Reading::NAMED.iter().find(|(name, _)| *name == shows.value)?;
        let from = match fields.text("from").map(|text| (text.value.parse::<Timestamp>(), text)) {
            None => None,
            Some((Ok(from), _)) => Some(from),
            Some((Err(error), text)) => {
                let message = format!("{} is no time: {error}", quoted(&text.value));
                let error = Diagnostic::error(text.span, message);
                self.context.report(error.remedy("write it as `2026-01-31T12:00:00Z`"));
                return None;
            }
        };
        Some(Clock { from, reading })
    }

    fn first_order(&mut self, fields: &Fields<'_, '_>) -> Option<Lag> {
        let time_constant = self.lasting(fields, "time_constant")??;
        let from = float(fields, "from").unwrap_or(0.0);
        let target = self.names.point(self.context, &fields.text("target")?)?;
        Some(Lag { target, time_constant, from })
    }

    /// An expression over points of the device and `t`.
    pub(super) fn formula(&mut self, text: &Spanned<String>) -> Option<Formula> {
        let parsed = match text.value.parse::<Expression>() {
            Ok(parsed) => parsed,
            Err(error) => {
                let span = text.part(error.span.clone());
                let error = Diagnostic::error(span, error.to_string());
                self.context.report(error.remedy("an expression is made of points of this device, `t`, numbers and operators"));
                return None;
            }
        };
        let mut places = HashMap::new();
        let mut inputs = Vec::new();
        for (name, bytes) in parsed.names() {
            if name == TIME || places.contains_key(name) {
                continue;
            }
            let place = Spanned { value: name.to_owned(), span: text.part(bytes) };
            places.insert(name.to_owned(), inputs.len());
            inputs.push(self.names.point(self.context, &place)?);
        }
        let compute = move |values: &[Value], now: Duration| {
            let resolve = |name: &str| match places.get(name) {
                Some(place) => values.get(*place).cloned(),
                None => Decimal::try_from(now.as_secs_f64()).ok().map(Value::Number),
            };
            parsed.evaluate(resolve).ok()
        };
        Some(Formula { inputs, compute: Arc::new(compute) })
    }

    fn recording(&mut self, fields: &Fields<'_, '_>) -> Option<Replay> {
        let file = fields.text("file")?;
        let column = |key, default: &str| fields.text(key).map_or(default.to_owned(), |text| text.value);
        let (time, value) = (column("time", "time"), fields.text("value")?.value);
        let between = match fields.choice("between").map(|between| between.value) {
            Some("interpolate") => Between::Interpolate,
            _ => Between::Hold,
        };
        let (path, text) = (self.read_file)(&file)?;
        let rows = super::recording::rows(&text, &time, &value).map_err(|error| error.to_string());
        let replay = rows.and_then(|rows| {
            let then = match fields.choice("then").map(|then| then.value) {
                // The last row lasts as long as the one before it did.
                Some("loop") => Then::Loop(super::recording::last_step(&rows)),
                _ => Then::Hold,
            };
            Replay::new(&rows, between, then).map_err(|error| error.to_string())
        });
        replay
            .map_err(|error| {
                let message = format!("{}: {error}", path.display());
                let error = Diagnostic::error(file.span, message);
                self.context.report(error.remedy("a recording has a header line, a column of ascending seconds and one of numbers"));
            })
            .ok()
    }

    /// A duration above zero, if it is given. The outer `None`: reported.
    fn lasting(&self, fields: &Fields<'_, '_>, key: &str) -> Option<Option<Duration>> {
        let Some(duration) = fields.duration(key) else {
            return if fields.has(key) { None } else { Some(None) };
        };
        if duration.value.is_zero() {
            let error = Diagnostic::error(duration.span, format!("`{key}` cannot be zero"));
            self.context.report(error.remedy("give it a time above zero"));
            return None;
        }
        Some(Some(duration.value))
    }

    fn refuse<T>(&self, fields: &Fields<'_, '_>, message: &str, remedy: &str) -> Option<T> {
        self.context.report(Diagnostic::error(fields.span(), message).remedy(remedy));
        None
    }
}

/// The name of the time in a formula.
const TIME: &str = "t";

fn float(fields: &Fields<'_, '_>, key: &str) -> Option<f64> {
    fields.number(key).map(|number| number.value.to_f64())
}
