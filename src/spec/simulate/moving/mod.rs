//! What moves a simulated point, as it is written under `values:` and in rules.
//!
//! A new behaviour is an object and its reader in a file here, its key in [`BEHAVIOUR`] and its arm
//! in [`part`].

mod chance;
mod clock;
mod derived;
mod recording;
mod sequence;
mod waves;

use std::time::Duration;

use passline_modbus::point::Domain;
use passline_modbus::value::Value;
use passline_simulator::behaviour::Behaviour;
use passline_simulator::program::Signal;

pub(super) use derived::formula;

use super::names::Names;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Span;
use crate::language::yaml::Node;

/// What moves a point.
pub(super) static BEHAVIOUR: Object = Object {
    name: "behaviour",
    doc: "What moves a simulated point. Several of numbers add up: a sine with noise on it.",
    fields: &[&[
        Field::optional("sine", Shape::Object(&waves::SINE), "A sine wave."),
        Field::optional("square", Shape::Object(&waves::SQUARE), "A square wave."),
        Field::optional("ramp", Shape::Object(&waves::RAMP), "A straight line, or a sawtooth."),
        Field::optional("noise", Shape::Object(&chance::NOISE), "Random values around a mean."),
        Field::optional("walk", Shape::Object(&chance::WALK), "A random walk."),
        Field::optional("counter", Shape::Object(&sequence::COUNTER), "A counter."),
        Field::optional("steps", Shape::Object(&sequence::STEPS), "Values one after the other."),
        Field::optional("csv", Shape::Object(&recording::CSV), "A recording."),
        Field::optional("clock", Shape::Object(&clock::CLOCK), "The time of day, in UTC."),
        Field::optional(
            "first_order",
            Shape::Object(&derived::FIRST_ORDER),
            "Follows another point with inertia: a temperature, a speed.",
        ),
        Field::optional(
            "computed",
            Shape::Expression,
            "An expression over points of this device by their bare names, and `t`, the seconds since the start of the simulation.",
        ),
    ]],
};

/// What cannot be added to something else.
const ALONE: [&str; 4] = ["steps", "clock", "first_order", "computed"];

/// How long a random value lasts, and a count, where nothing says otherwise.
const EVERY: Duration = Duration::from_secs(1);

/// The shortest time that anything on its own takes: a device that nobody asked for a day has to
/// catch up with it.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);

/// What moves a point. `None`: reported.
pub(super) fn signal(names: &mut Names<'_, '_>, point: usize, node: Node<'_>) -> Option<Signal> {
    let fields = names.context.fields(node, &BEHAVIOUR)?;
    let keys: Vec<&str> = fields.keys().collect();
    let signal = match keys.as_slice() {
        [] => {
            refuse(names, &fields, "a behaviour needs one of its keys", "add one: `sine:`, `ramp:`")
        }
        ["first_order"] => derived::first_order(names, point, &fields.object("first_order")?),
        ["computed"] => derived::computed(names, point, &fields.expression("computed")?),
        [key] => part(names, (&fields, key), point).map(Signal::Behaviour),
        keys => {
            if let Some(key) = keys.iter().find(|key| ALONE.contains(key)) {
                let message = format!("`{key}` cannot be added to something else");
                let error = Diagnostic::error(fields.key_span(key), message);
                names.context.report(error.remedy("give it alone"));
                return None;
            }
            let parts = keys.iter().map(|key| part(names, (&fields, key), point));
            let parts: Vec<Option<Behaviour>> = parts.collect();
            let parts: Option<Vec<Behaviour>> = parts.into_iter().collect();
            parts.map(|parts| Signal::Behaviour(Behaviour::Sum(parts)))
        }
    }?;
    if let Signal::Behaviour(behaviour) = &signal {
        holds(names, point, &behaviour.reach(), fields.span())?;
    }
    Some(signal)
}

fn part(
    names: &mut Names<'_, '_>,
    (all, key): (&Fields<'_, '_>, &str),
    point: usize,
) -> Option<Behaviour> {
    let fields = all.object(key)?;
    match key {
        "sine" => waves::sine(names, &fields).map(Behaviour::Sine),
        "square" => waves::square(names, &fields).map(Behaviour::Square),
        "ramp" => waves::ramp(names, &fields).map(Behaviour::Ramp),
        "noise" => chance::noise(names, &fields).map(Behaviour::Noise),
        "walk" => chance::walk(names, &fields).map(Behaviour::Walk),
        "counter" => sequence::counter(names, &fields).map(Behaviour::Counter),
        "steps" => sequence::steps(names, &fields, point).map(Behaviour::Steps),
        "csv" => recording::recording(names, &fields).map(Behaviour::Replay),
        _ => clock::clock(names, &fields).map(Behaviour::Clock),
    }
}

/// Whether the point can hold all of this. `None`: reported.
fn holds(names: &mut Names<'_, '_>, point: usize, values: &[Value], span: Span) -> Option<()> {
    let held = names.points.get(point)?;
    let mut image = names.image.clone();
    for value in values {
        if let Err(error) = held.write(&mut image, value) {
            let name = quoted(held.point.name());
            let message = format!("{name} would become {value}, and cannot: {error}");
            let remedy = "keep what moves the point within what its registers can hold";
            names.context.report(Diagnostic::error(span, message).remedy(remedy));
            return None;
        }
    }
    Some(())
}

/// Whether the point is one of numbers. `None`: reported.
pub(super) fn is_number(names: &Names<'_, '_>, point: usize, span: Span) -> Option<()> {
    let held = names.points.get(point)?;
    if matches!(
        held.point.domain(),
        Domain::Steps(_) | Domain::Float { .. } | Domain::Unbounded { .. }
    ) {
        return Some(());
    }
    let message = format!("{} is no number", quoted(held.point.name()));
    let error = Diagnostic::error(span, message);
    names.context.report(error.remedy("name a point that holds a number"));
    None
}

/// A time that is long enough to be waited for. `None`: reported, or not given.
pub(super) fn lasting(
    names: &Names<'_, '_>,
    fields: &Fields<'_, '_>,
    key: &str,
) -> Option<Duration> {
    let time = fields.duration(key)?;
    if time.value < SHORTEST {
        let error = Diagnostic::error(time.span, format!("`{key}` is shorter than 1 ms"));
        names.context.report(error.remedy("give it a millisecond at least"));
        return None;
    }
    Some(time.value)
}

/// How long each value lasts. `None`: reported.
fn every(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Duration> {
    if fields.has("every") { lasting(names, fields, "every") } else { Some(EVERY) }
}

fn refuse<T>(
    names: &Names<'_, '_>,
    fields: &Fields<'_, '_>,
    message: &str,
    remedy: &str,
) -> Option<T> {
    names.context.report(Diagnostic::error(fields.span(), message).remedy(remedy));
    None
}

fn float(fields: &Fields<'_, '_>, key: &str) -> Option<f64> {
    fields.number(key).map(|number| number.value.to_f64())
}

/// A number that may be left out. The outer `None`: reported.
fn float_or(fields: &Fields<'_, '_>, key: &str, default: f64) -> Option<f64> {
    if fields.has(key) { float(fields, key) } else { Some(default) }
}
