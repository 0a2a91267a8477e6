//! What has to be read before something is written, and what is put back in the end.

use std::collections::BTreeMap;
use std::ops::Range;

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
            Outgoing { assignments, lines, needs: needs(devices, assignments) }
        };
        let requests = write.requests.iter().map(request).collect();
        Self { write, requests, devices: reached(devices, write) }
    }
}

/// What has to be read before these values are written. `None`: nothing.
pub fn needs(devices: &[Device], assignments: &[Assignment]) -> Option<Scan> {
    let mut needs: BTreeMap<&str, &NamedPoint> = BTreeMap::new();
    for point in assignments.iter().flat_map(Assignment::needs) {
        needs.insert(&point.name, point);
    }
    let needs: Vec<NamedPoint> = needs.into_values().cloned().collect();
    scan::of_points(devices, 0, &needs)
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
    let mut found = Vec::new();
    let mut line = 0;
    for step in test.all_steps() {
        let first = line;
        line += super::lines(step).len();
        let Action::Write(write) = &step.action else { continue };
        let mut start = first;
        for assignments in &write.requests {
            if write.restore {
                found.push(Restoring { assignments, verify: write.verify, origin: (index, start) });
            }
            start += assignments.len();
        }
    }
    found.reverse();
    found
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
