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
    /// The value at the start.
    pub from: f64,
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

/// A signal under way.
#[derive(Debug)]
pub(super) struct Running {
    signal: Signal,
    began: Duration,
    origin: Origin,
    /// Where a lag was when it was last looked at, and what it then followed.
    followed: Option<(Duration, f64, f64)>,
}

impl Running {
    pub(super) fn new(signal: Signal, began: Duration, origin: Origin) -> Self {
        Self { signal, began, origin, followed: None }
    }

    /// The points that the value depends on.
    pub(super) fn inputs(&self) -> &[usize] {
        match &self.signal {
            Signal::Behaviour(_) => &[],
            Signal::Lag(lag) => std::slice::from_ref(&lag.target),
            Signal::Computed(formula) => &formula.inputs,
        }
    }

    /// The value at a time of the simulation, from the values of its inputs; `None` if it has none.
    pub(super) fn at(&mut self, now: Duration, inputs: &[Value]) -> Option<Value> {
        match &mut self.signal {
            Signal::Behaviour(behaviour) => {
                Some(behaviour.at(now.saturating_sub(self.began), self.origin))
            }
            Signal::Computed(formula) => (formula.compute)(inputs, now),
            Signal::Lag(lag) => {
                let target = inputs.first()?.to_decimal()?.to_f64();
                let value = match self.followed {
                    // Between two looks it followed what it saw at the first: a target changes by a
                    // write or a rule, and at both the signals are looked at.
                    Some((then, value, target)) => {
                        let passed = now.saturating_sub(then).div_duration_f64(lag.time_constant);
                        target + (value - target) * (-passed).exp()
                    }
                    None => lag.from,
                };
                self.followed = Some((now, value, target));
                Some(Value::F64(value))
            }
        }
    }
}
