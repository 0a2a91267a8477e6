//! What is written: by a step, or again and again to keep a device alive.

use std::sync::Arc;
use std::time::Duration;

use passline_modbus::point::Point;
use passline_modbus::value::Value;

use super::{Expression, NamedPoint};
use crate::judge::Demand;
use crate::spec::criteria::Criteria;
use crate::spec::retry::Retry;

/// Values for points, in order.
#[derive(Debug)]
pub struct Write {
    /// What one request writes together, in the order of the requests. Never empty, nor is any of
    /// them; all of one request are of one device.
    pub requests: Vec<Vec<Assignment>>,
    /// Whether the nearest that the registers can hold will do.
    pub round: bool,
    /// Whether it is read back.
    pub verify: bool,
    /// Whether what was there before is put back in the end.
    pub restore: bool,
    /// What is to come back.
    pub reply: Reply,
    /// Requirement ids of the step alone.
    pub verifies: Vec<String>,
    /// The step's own retry: whoever gives one says that it may be written twice.
    pub retry: Option<Retry>,
}

/// A value for a point.
#[derive(Debug)]
pub struct Assignment {
    /// `device.point`, or the name that the step gives; unique in its test.
    pub name: String,
    /// Index into [`Spec::devices`](super::Spec::devices).
    pub device: usize,
    /// Where it goes.
    pub point: Arc<Point>,
    /// The point that holds its power of ten, read just before.
    pub scale_factor: Option<NamedPoint>,
    /// What.
    pub value: Assigned,
}

/// What is written.
#[derive(Debug)]
pub enum Assigned {
    /// As it stands in the spec.
    Constant(Value),
    /// Computed just before.
    Computed(Expression),
}

/// What is to come back from a device that is written to.
#[derive(Debug)]
pub enum Reply {
    /// That it was done.
    Acknowledged,
    /// A kind of answer that shows what the device refuses.
    Judged(Criteria),
    /// Nothing: it goes to every unit of the line.
    Nothing,
}

/// Writes that a device needs at least so often.
#[derive(Debug)]
pub struct KeepAlive {
    /// What is written.
    pub write: Write,
    /// From one time to the next.
    pub every: Duration,
    /// How many in a row may go wrong.
    pub misses: u32,
}

impl Write {
    /// Everything that it writes, in order: a line of the record each.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.requests.iter().flatten()
    }

    /// Whether the device is to refuse it, so that it may be what no one should write.
    pub fn tries_refusal(&self) -> bool {
        matches!(self.reply, Reply::Judged(_))
    }

    /// The names of these lines.
    pub(in crate::spec) fn names_mut(&mut self) -> Vec<&mut String> {
        self.requests.iter_mut().flatten().map(|assignment| &mut assignment.name).collect()
    }

    /// Whether something of the unit is judged by it: more than that it acknowledges.
    pub(in crate::spec) fn judges(&self) -> bool {
        self.verify || matches!(self.reply, Reply::Judged(_))
    }
}

impl Reply {
    /// The kind of answer that is demanded, if one is.
    pub fn demand(&self) -> Option<&Demand> {
        match self {
            Self::Judged(criteria) => criteria.known(),
            Self::Acknowledged | Self::Nothing => None,
        }
    }
}

impl Assignment {
    /// The points that have to be read before.
    pub fn needs(&self) -> impl Iterator<Item = &NamedPoint> {
        let computed = match &self.value {
            Assigned::Computed(expression) => &expression.points[..],
            Assigned::Constant(_) => &[],
        };
        computed.iter().chain(&self.scale_factor)
    }
}
