//! Rules: when something happens to a device, what it does about it.

use std::time::Duration;

use passline_modbus::value::{Decimal, Value};

use super::signal::{Formula, Signal};

/// When something happens, what a device does.
///
/// Points, states and faults are named by their indices: those of the program's points, of its
/// states, and of the device's faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What has to happen.
    pub when: When,
    /// Only in this state.
    pub state: Option<usize>,
    /// How much later the actions follow. Those of a rule about a state are dropped if it has left
    /// that state by then.
    pub after: Duration,
    /// What it does, in this order.
    pub actions: Vec<Action>,
}

/// What a rule is about.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// A client wrote to the point, and its value is then such a one.
    Written(usize, Test),
    /// A client read the point.
    Read(usize),
    /// This time of the simulation has come.
    At(Duration),
    /// Each time so long has passed.
    Every(Duration),
    /// The value of the point has come to be such a one, and was not before.
    Becomes(usize, Test),
    /// The device has come into this state.
    Enters(usize),
}

/// What a value is tested for. Everything given has to hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Test {
    /// It is this value.
    pub equals: Option<Value>,
    /// It is at least this.
    pub min: Option<Decimal>,
    /// It is at most this.
    pub max: Option<Decimal>,
    /// It is above this.
    pub above: Option<Decimal>,
    /// It is below this.
    pub below: Option<Decimal>,
    /// This bit of a whole number is set.
    pub bit: Option<u8>,
}

/// What a device does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Gives a point a value; what moved the point ends.
    Set(usize, Value),
    /// Gives a point what a formula makes of others; what moved the point ends.
    Compute(usize, Formula),
    /// Adds to the value of a point.
    Increment(usize, Decimal),
    /// Moves a point from now on.
    Start(usize, Signal),
    /// Leaves a point where it is.
    Stop(usize),
    /// Lets a fault show, or not.
    Fault(usize, bool),
    /// Comes into a state.
    Enter(usize),
    /// Begins anew, as if switched off and on: connections are lost, and nobody is answered for so
    /// long; memory, signals, faults and state are then those of the start.
    Restart(Duration),
}

impl Test {
    pub(super) fn holds(&self, value: &Value) -> bool {
        let stands = |limit: &Option<Decimal>, how: fn(std::cmp::Ordering) -> bool| {
            limit.as_ref().is_none_or(|limit| value.compare(limit).is_some_and(how))
        };
        self.equals.as_ref().is_none_or(|equals| is_same(value, equals))
            && stands(&self.min, std::cmp::Ordering::is_ge)
            && stands(&self.max, std::cmp::Ordering::is_le)
            && stands(&self.above, std::cmp::Ordering::is_gt)
            && stands(&self.below, std::cmp::Ordering::is_lt)
            && self.bit.is_none_or(|bit| is_set(value, bit))
    }
}

/// Whether two values are the same, however each is held.
pub(crate) fn is_same(value: &Value, other: &Value) -> bool {
    match other {
        Value::Number(number) => value.compare(number).is_some_and(std::cmp::Ordering::is_eq),
        other => value == other,
    }
}

fn is_set(value: &Value, bit: u8) -> bool {
    let number = value.to_decimal().and_then(|number| number.to_i128());
    number.is_some_and(|number| number.checked_shr(bit.into()).is_some_and(|rest| rest & 1 == 1))
}
