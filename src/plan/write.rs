//! What has to be read before something is written, and what is put back in the end.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use passline_modbus::change::{self, Change, Way};
use passline_modbus::point::Span;

use super::scan::{self, Scan};
use super::{Line, Part, Stage, Work};
use crate::record::Phase;
use crate::spec::model::{Action, Assignment, Device, Flow, NamedPoint, Reply, Test, Write};

/// A step that writes.
#[derive(Debug)]
pub struct Writing<'s> {
    /// What it says.
    pub write: &'s Write,
    /// Its requests, in order.
    pub requests: Vec<Outgoing<'s>>,
    /// The devices that it writes to, ascending: of a broadcast all of the line.
    pub devices: Vec<usize>,
}

/// What one request writes.
#[derive(Debug)]
pub struct Outgoing<'s> {
    /// The values; at least one, all of one device.
    pub assignments: &'s [Assignment],
    /// The line of each.
    pub lines: Range<usize>,
    /// What its values need.
    pub needs: Option<Scan>,
}

/// What one request puts back.
#[derive(Debug)]
pub struct Restoring<'s> {
    /// What was written; at least one, all of one device.
    pub assignments: &'s [Assignment],
    /// Whether it is read back.
    pub verify: bool,
    /// The test that wrote it, and the first of its lines.
    pub origin: (usize, usize),
}

impl<'s> Writing<'s> {
    /// The step, whose first line is this.
    pub(super) fn new(devices: &[Device], write: &'s Write, first: usize) -> Self {
        let mut next = first;
        let request = |assignments: &'s Vec<Assignment>| {
            let lines = next..next + assignments.len();
            next = lines.end;
            let needs = needs(devices, lines.start, assignments);
            Outgoing { assignments, lines, needs }
        };
        let requests = write.requests.iter().map(request).collect();
        Self { write, requests, devices: reached(devices, write) }
    }
}

/// One transaction of what writes, beside the reads of what values need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// A read of what is there before, to put it back in the end.
    Before(Span),
    /// A read of the bits that are to stay.
    Others(Span),
    /// The write itself.
    Write(Span),
    /// A write to all of the line.
    Broadcast(Span),
    /// A read of what was written.
    Back(Span),
}

impl Outgoing<'_> {
    /// The transactions of it if nothing goes wrong, in order, and the index of the device.
    pub fn transactions(&self, devices: &[Device], write: &Write) -> (usize, Vec<Sent>) {
        let (device, sent) = transactions(devices, self.assignments, write.verify);
        let broadcast = |sent| match sent {
            Sent::Write(span) if matches!(write.reply, Reply::Nothing) => Sent::Broadcast(span),
            other => other,
        };
        let before = sent.first().filter(|_| write.restore).map(|first| Sent::Before(first.span()));
        (device, before.into_iter().chain(sent.into_iter().map(broadcast)).collect())
    }
}

impl Restoring<'_> {
    /// The transactions of it if nothing goes wrong, in order, and the index of the device.
    pub fn transactions(&self, devices: &[Device]) -> (usize, Vec<Sent>) {
        transactions(devices, self.assignments, self.verify)
    }
}

impl Sent {
    /// What it is about.
    pub fn span(self) -> Span {
        match self {
            Self::Before(span)
            | Self::Others(span)
            | Self::Write(span)
            | Self::Broadcast(span)
            | Self::Back(span) => span,
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.span();
        let (before, behind) = match self {
            Self::Before(_) => ("", ", to be put back,"),
            Self::Others(_) => ("", ", whose other bits stay,"),
            Self::Write(_) => ("write ", ""),
            Self::Broadcast(_) => ("write to all ", ""),
            Self::Back(_) => ("", ", read back,"),
        };
        write!(out, "{before}{} {} from {}{behind}", span.table(), span.count(), span.address())
    }
}

/// What one request takes that writes these.
fn transactions(
    devices: &[Device],
    assignments: &[Assignment],
    verify: bool,
) -> (usize, Vec<Sent>) {
    let index = assignments.first().map_or(0, |first| first.device);
    let manner = devices.get(index).map(|device| device.manner).unwrap_or_default();
    let blank = |assignment: &Assignment| change::Part::blank(Arc::clone(&assignment.point));
    let parts: Vec<change::Part> = assignments.iter().map(blank).collect();
    // Whether one request can write them was seen when the spec was read.
    let Ok(change) = Change::new(&parts, manner) else { return (index, Vec::new()) };
    let mut sent = Vec::new();
    if let Way::Merge(merge) = change.way() {
        sent.push(Sent::Others(merge.span()));
    }
    sent.push(Sent::Write(change.span()));
    sent.extend(verify.then(|| Sent::Back(change.span())));
    (index, sent)
}

/// What has to be read before these values are written, of which the first fills this line. `None`:
/// nothing.
pub fn needs(devices: &[Device], line: usize, assignments: &[Assignment]) -> Option<Scan> {
    let mut needs: BTreeMap<&str, &NamedPoint> = BTreeMap::new();
    for point in assignments.iter().flat_map(Assignment::needs) {
        needs.insert(&point.name, point);
    }
    let needs: Vec<NamedPoint> = needs.into_values().cloned().collect();
    scan::of_points(devices, line, &needs)
}

/// The devices that are written to.
fn reached(devices: &[Device], write: &Write) -> Vec<usize> {
    let named: Vec<usize> = write.assignments().map(|assignment| assignment.device).collect();
    let all = matches!(write.reply, Reply::Nothing);
    let line = |device: usize| devices.get(device)?.line.as_ref().map(|line| &line.place);
    let shares = |device: usize| {
        let own = line(device);
        all && own.is_some() && named.iter().any(|named| line(*named) == own)
    };
    (0..devices.len()).filter(|device| named.contains(device) || shares(*device)).collect()
}

/// What a test and its place leave to be put back, in the order in which that is done: the last
/// that was written first.
pub(super) fn restorings(test: &Test, index: usize) -> Vec<Restoring<'_>> {
    // A recovery comes before the try that follows it.
    let (mut of_recovery, mut found) = (Vec::new(), Vec::new());
    let of_parts = test.setup.len() + test.steps.len() + test.teardown.len();
    let mut line = 0;
    for (place, step) in test.all_steps().enumerate() {
        let first = line;
        line += super::lines(step).len();
        let Action::Write(write) = &step.action else { continue };
        let mut start = first;
        for assignments in &write.requests {
            if write.restore {
                let found = if place < of_parts { &mut found } else { &mut of_recovery };
                found.push(Restoring { assignments, verify: write.verify, origin: (index, start) });
            }
            start += assignments.len();
        }
    }
    of_recovery.append(&mut found);
    of_recovery.reverse();
    of_recovery
}

/// The part of a test that puts things back, from this line on; its lines are added.
pub(super) fn restore<'s>(restorings: Vec<Restoring<'s>>, lines: &mut Vec<Line<'s>>) -> Part<'s> {
    let stage = |restoring: Restoring<'s>| {
        let first = lines.len();
        lines.extend(restoring.assignments.iter().map(Line::Restore));
        let work = Work::Restore(restoring);
        Stage { lines: first..lines.len(), flow: &Flow::PLAIN, condition: None, work }
    };
    Part { phase: Phase::Teardown, stages: restorings.into_iter().map(stage).collect() }
}

/// The part of the teardown that ends what keeps devices alive; its lines are added.
pub(super) fn let_go<'s>(devices: &'s [Device], lines: &mut Vec<Line<'s>>) -> Part<'s> {
    let kept = devices.iter().enumerate().filter(|(_, device)| device.keep_alive.is_some());
    let stage = |(index, device): (usize, &'s Device)| {
        let first = lines.len();
        lines.push(Line::KeepAlive(device));
        let (flow, work) = (&Flow::PLAIN, Work::LetGo(index));
        Stage { lines: first..lines.len(), flow, condition: None, work }
    };
    Part { phase: Phase::Teardown, stages: kept.map(stage).collect() }
}
