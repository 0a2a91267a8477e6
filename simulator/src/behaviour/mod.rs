//! What a value does over time. Pure: the time since it began is told, chance comes from a seed,
//! and the same time and seed give the same value, whoever looks how often.
//!
//! Knows nothing of points, registers or requests. A new behaviour is a file here and a variant of
//! [`Behaviour`].

mod clock;
mod counter;
mod noise;
mod ramp;
mod replay;
mod steps;
mod walk;
mod wave;

use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::value::Value;

use crate::fault::Chance;
pub use clock::{Clock, Reading};
pub use counter::Counter;
pub use noise::{Noise, Spread};
pub use ramp::Ramp;
pub use replay::{Between, Replay, ReplayError, Row, Then};
pub use steps::{Step, Steps};
pub use walk::Walk;
pub use wave::{Sine, Square};

/// What a value does over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// A sine wave.
    Sine(Sine),
    /// A square wave.
    Square(Square),
    /// A straight line.
    Ramp(Ramp),
    /// Random values around a mean.
    Noise(Noise),
    /// A random walk.
    Walk(Walk),
    /// A counter that rolls over.
    Counter(Counter),
    /// Values one after the other.
    Steps(Steps),
    /// A recording.
    Replay(Replay),
    /// The time of day.
    Clock(Clock),
    /// Several at once: a sine with noise on it.
    Sum(Vec<Behaviour>),
}

/// What a behaviour takes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// What it draws from.
    pub chance: Chance,
    /// The time of the host when it began.
    pub host: Timestamp,
}

impl Behaviour {
    /// It as it begins where the value is, if it does not say where it begins.
    #[must_use]
    pub(crate) fn from(self, present: f64) -> Self {
        match self {
            Self::Ramp(ramp) => Self::Ramp(ramp.from(present)),
            other => other,
        }
    }

    /// Values that tell how far it reaches: the least, the greatest, all texts. Where it has no
    /// bounds: where it begins, if that is known.
    pub fn reach(&self) -> Vec<Value> {
        let floats = |floats: &[f64]| floats.iter().map(|float| Value::F64(*float)).collect();
        match self {
            Self::Sine(sine) => floats(&[sine.mean - sine.amplitude, sine.mean + sine.amplitude]),
            Self::Square(square) => floats(&[square.low, square.high]),
            Self::Ramp(ramp) => ramp.from.into_iter().chain(ramp.to).map(Value::F64).collect(),
            Self::Noise(noise) => match noise.spread {
                Spread::Even(most) => floats(&[noise.mean - most, noise.mean + most]),
                Spread::Normal(_) => floats(&[noise.mean]),
            },
            Self::Walk(walk) => walk.reach().map(Value::F64).collect(),
            Self::Counter(counter) => {
                let last = counter.rollover.map(|rollover| rollover.saturating_sub(1));
                let ends = [counter.from].into_iter().chain(last);
                ends.map(|end| Value::Number(i128::from(end).into())).collect()
            }
            Self::Steps(steps) => steps.values().cloned().collect(),
            Self::Replay(replay) => replay.values().map(Value::F64).collect(),
            Self::Clock(clock) => vec![Value::Number(clock.at(Duration::ZERO, TODAY).into())],
            Self::Sum(parts) => {
                let ends = |end: fn(f64, f64) -> f64| {
                    parts.iter().filter_map(move |part| part.reach().iter().map(float).reduce(end))
                };
                floats(&[ends(f64::min).sum(), ends(f64::max).sum()])
            }
        }
    }

    /// The value so long after it began.
    pub fn at(&mut self, elapsed: Duration, origin: Origin) -> Value {
        match self {
            Self::Sine(sine) => Value::F64(sine.at(elapsed)),
            Self::Square(square) => Value::F64(square.at(elapsed)),
            Self::Ramp(ramp) => Value::F64(ramp.at(elapsed)),
            Self::Noise(noise) => Value::F64(noise.at(elapsed, origin.chance)),
            Self::Walk(walk) => Value::F64(walk.at(elapsed, origin.chance)),
            Self::Counter(counter) => Value::Number(counter.at(elapsed).into()),
            Self::Steps(steps) => steps.at(elapsed).clone(),
            Self::Replay(replay) => Value::F64(replay.at(elapsed)),
            Self::Clock(clock) => Value::Number(clock.at(elapsed, origin.host).into()),
            Self::Sum(parts) => {
                Value::F64(parts.iter_mut().map(|part| float(&part.at(elapsed, origin))).sum())
            }
        }
    }
}

/// What a clock that is set by its host shows is about this: 2026-01-01.
const TODAY: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The value as a float; NaN if it is no number.
fn float(value: &Value) -> f64 {
    match value {
        Value::F64(float) => *float,
        Value::F32(float) => f64::from(*float),
        Value::Number(number) => number.to_f64(),
        Value::Bool(_) | Value::Text(_) | Value::Bytes(_) => f64::NAN,
    }
}

/// How many whole `period`s are in `elapsed`, and which part of the next one has passed: 0 to 1.
fn turns(elapsed: Duration, period: Duration) -> (u64, f64) {
    let (elapsed, period) = (elapsed.as_nanos(), period.as_nanos().max(1));
    let whole = u64::try_from(elapsed / period).unwrap_or(u64::MAX);
    // Both are far below the 2^53 ns (104 days) from which on a float loses a nanosecond.
    #[expect(clippy::cast_precision_loss, reason = "a wave does not show a lost nanosecond")]
    let part = (elapsed % period) as f64 / period as f64;
    (whole, part)
}
