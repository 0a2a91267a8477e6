//! What moves a point.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::value::Value;

use crate::behaviour::{Behaviour, Origin};

/// What moves a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// Time alone.
    Behaviour(Behaviour),
    /// Another value, followed with inertia: a temperature, a speed.
    Lag(Lag),
    /// Other points and time, by a formula.
    Computed(Formula),
}

/// First-order lag: the distance to the target shrinks to 1/e of it in each time constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Lag {
    /// What is followed: the index of a point of the program.
    pub target: usize,
    /// The time constant. Not zero.
    pub time_constant: Duration,
    /// The value at the start; where the value is when the lag begins if it is not given.
    pub from: Option<f64>,
}

/// A value that is computed from others.
#[derive(Clone)]
pub struct Formula {
    /// The points that it needs: indices of points of the program.
    pub inputs: Vec<usize>,
    /// Computes the value from those of the inputs and the time since the start of the simulation;
    /// `None` if it has no value now. Has to be pure.
    pub compute: Arc<Compute>,
}

/// See [`Formula::compute`].
pub type Compute = dyn Fn(&[Value], Duration) -> Option<Value> + Send + Sync;

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Formula").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.inputs == other.inputs && Arc::ptr_eq(&self.compute, &other.compute)
    }
}

impl Signal {
    /// The points that the value depends on.
    pub fn inputs(&self) -> &[usize] {
        match self {
            Self::Behaviour(_) => &[],
            Self::Lag(lag) => std::slice::from_ref(&lag.target),
            Self::Computed(formula) => &formula.inputs,
        }
    }
}

/// When the value of a signal is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// When a client looks, which must not change what anybody sees later.
    Look,
    /// When something happens, whoever looks.
    Event,
}

/// A signal under way.
#[derive(Debug)]
pub(super) struct Running {
    signal: Signal,
    began: Duration,
    origin: Origin,
    /// What a lag follows since when, and from where.
    followed: Option<Followed>,
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    since: Duration,
    from: f64,
    target: f64,
}

impl Running {
    /// A signal that begins now, where the value of its point is `present`.
    pub(super) fn new(signal: Signal, began: Duration, origin: Origin, present: f64) -> Self {
        let signal = match signal {
            Signal::Behaviour(behaviour) => Signal::Behaviour(behaviour.from(present)),
            Signal::Lag(lag) => Signal::Lag(Lag { from: lag.from.or(Some(present)), ..lag }),
            Signal::Computed(formula) => Signal::Computed(formula),
        };
        Self { signal, began, origin, followed: None }
    }

    pub(super) fn inputs(&self) -> &[usize] {
        self.signal.inputs()
    }

    pub(super) fn is_lag(&self) -> bool {
        matches!(self.signal, Signal::Lag(_))
    }

    /// The value at a time of the simulation, from the values of its inputs; `None` if it has none.
    pub(super) fn at(&mut self, now: Duration, inputs: &[Value], moment: Moment) -> Option<Value> {
        match &mut self.signal {
            Signal::Behaviour(behaviour) => {
                Some(behaviour.at(now.saturating_sub(self.began), self.origin))
            }
            Signal::Computed(formula) => (formula.compute)(inputs, now),
            Signal::Lag(lag) => {
                let target = inputs.first()?.to_decimal()?.to_f64();
                let begun = Followed { since: now, from: lag.from.unwrap_or(0.0), target };
                let followed = self.followed.get_or_insert(begun);
                let passed = now.saturating_sub(followed.since);
                let part = (-passed.div_duration_f64(lag.time_constant)).exp();
                let value = followed.target + (followed.from - followed.target) * part;
                let has_moved = followed.target.to_bits() != target.to_bits();
                if has_moved && moment == Moment::Event {
                    *followed = Followed { since: now, from: value, target };
                }
                Some(Value::F64(value))
            }
        }
    }
}
