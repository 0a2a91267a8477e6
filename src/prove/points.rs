//! Points instead of checks: what no check notices, in which order registers are read, and what is
//! checked twice.

use std::collections::{BTreeMap, BTreeSet};

use passline_modbus::point::Location;

use super::finding::{Finding, Kind, Name};
use super::mutant::{Change, Mutant};
use super::{Case, noticed};
use crate::record::CheckResult;
use crate::spec::Spec;
use crate::spec::model::{Action, Check, Step, Subject, Test};

/// A device and a place in it.
type At = (usize, Location);

/// What is known of the points of a spec.
pub(super) struct Points<'s> {
    spec: &'s Spec,
    /// What checks looked at or recorded, and what else somebody needs.
    seen: BTreeSet<At>,
    /// Whether any check noticed registers in the wrong order, and whether they could tell.
    orders: BTreeMap<At, Order>,
    /// Points that are computed with and change nothing, and the first check that does so.
    idle: BTreeMap<At, (String, Name)>,
    noticed: BTreeSet<At>,
    /// Who reads a point, by name.
    readers: BTreeMap<(usize, String), Vec<Name>>,
}

struct Order {
    point: String,
    check: Name,
    /// Whether the registers read the same in either order.
    same: bool,
    noticed: bool,
    /// How the point says that its registers are to be read.
    declared: passline_modbus::point::Order,
    registers: usize,
}

impl<'s> Points<'s> {
    pub(super) fn new(spec: &'s Spec) -> Self {
        let mut points = Self {
            spec,
            seen: BTreeSet::new(),
            orders: BTreeMap::new(),
            idle: BTreeMap::new(),
            noticed: BTreeSet::new(),
            readers: BTreeMap::new(),
        };
        let steps = || spec.tests.iter().flat_map(Test::all_steps);
        let conditions = spec.tests.iter().filter_map(|test| test.course.condition.as_ref());
        let named = steps().flat_map(Step::expressions).chain(conditions);
        for named in named.flat_map(|expression| &expression.points) {
            points.seen.insert((named.device, named.point.location()));
        }
        // What is written has a value of its own by then.
        let writes = steps().filter_map(|step| match &step.action {
            Action::Write(write) => Some(write),
            _ => None,
        });
        for assigned in writes.flat_map(|write| write.assignments()) {
            points.seen.insert((assigned.device, assigned.point.location()));
        }
        points
    }

    /// Takes note of what a check looks at.
    pub(super) fn see(&mut self, case: &Case<'_>) {
        let own = match &case.check.subject {
            Subject::Read(read) => read.point.as_deref().map(|point| (read.device, point)),
            Subject::Expression { .. } | Subject::Told(_) => None,
        };
        let named = case.check.expressions().flat_map(|expression| &expression.points);
        let named = named.map(|named| (named.device, &*named.point));
        for (device, point) in own.into_iter().chain(named) {
            self.seen.insert((device, point.location()));
            let map = self.spec.devices.get(device).map(|device| &device.map.points);
            let factor = point.scale_factor().and_then(|factor| map?.get(factor));
            self.seen.extend(factor.map(|factor| (device, factor.location())));
        }
        if let Some((device, point)) = own {
            let key = (device, point.name().to_owned());
            self.readers.entry(key).or_default().push(case.name.clone());
        }
        for place in &case.trial.idle {
            let at = (place.device, place.point.location());
            self.idle.entry(at).or_insert_with(|| (place.name.clone(), case.name.clone()));
        }
    }

    /// Takes note of what became of a check.
    pub(super) fn note(&mut self, case: &Case<'_>, mutant: &Mutant, result: Option<&CheckResult>) {
        match &mutant.change {
            Change::Contents(contents) if noticed(result) => {
                // Together they say nothing of any of them.
                if let [content] = contents.as_slice() {
                    self.noticed.insert((content.device, content.location));
                }
            }
            Change::Swapped(content) => {
                let at = (content.device, content.location);
                let place =
                    |place: &&super::place::Place| (place.device, place.point.location()) == at;
                let Some(place) = case.trial.places.iter().find(place) else { return };
                let order = self.orders.entry(at).or_insert_with(|| Order {
                    point: full_name(self.spec, place.device, place.point_name()),
                    check: case.name.clone(),
                    same: place.raw == content.raw,
                    noticed: false,
                    declared: place.point.order(),
                    registers: place.point.size(),
                });
                order.noticed |= noticed(result);
            }
            _ => {}
        }
    }

    /// What is wrong. Points that nobody looks at are known only where all tests were proven.
    pub(super) fn findings(&self, all: bool) -> Vec<Finding> {
        let orders = self.orders.iter().filter(|(at, order)| !self.is_proven(at.0, order));
        let orders = orders.map(|(_, order)| order.finding());
        let idle = self.idle.iter().filter(|(at, _)| !self.noticed.contains(at));
        let idle = idle.map(|(_, (point, check))| Finding {
            kind: Kind::Unnoticed,
            check: Some(check.clone()),
            point: Some(point.clone()),
            limit: None,
            message: format!("whatever {point} is, it passes, and no other check looks at it"),
            remedy: "leave it out, or check it by itself",
        });
        let mut findings: Vec<Finding> = orders.chain(idle).collect();
        if all {
            for (index, device) in self.spec.devices.iter().enumerate() {
                for name in &device.simulation.valued {
                    let Some(point) = device.map.points.get(name) else { continue };
                    let at = (index, point.location());
                    if !self.seen.contains(&at) {
                        findings.push(self.unnoticed(index, name));
                    }
                }
            }
        }
        findings
    }

    /// Whether registers in the wrong order are noticed. What reads the same in either order, such as
    /// a word of flags that are all clear, is as good as another point of the device that is read so.
    fn is_proven(&self, device: usize, order: &Order) -> bool {
        let is_like = |other: &Order| {
            other.noticed && other.registers == order.registers && other.declared == order.declared
        };
        let mut others = self.orders.iter().filter(|(at, _)| at.0 == device);
        order.noticed || (order.same && others.any(|(_, other)| is_like(other)))
    }

    fn unnoticed(&self, device: usize, name: &str) -> Finding {
        let point = full_name(self.spec, device, name);
        let mut message = format!("no check notices what {point} is, although it is simulated");
        let twin = self.readers.iter().find(|((of, other), readers)| {
            *of == device && readers.len() > 1 && is_sibling(other, name)
        });
        if let Some(((_, other), readers)) = twin
            && let [first, second, ..] = readers.as_slice()
        {
            let other = full_name(self.spec, device, other);
            let ways = readers_in_words(first, second);
            message = format!("{message}; {other} is checked twice: {ways}");
        }
        Finding {
            kind: Kind::Unnoticed,
            check: None,
            point: Some(point),
            limit: None,
            message,
            remedy: "check it, record it with `record: true`, or give it no value",
        }
    }
}

impl Order {
    fn finding(&self) -> Finding {
        let point = &self.point;
        let (message, remedy) = if self.same {
            (
                format!("{point} reads the same with its registers in the wrong order"),
                "simulate a value whose registers differ",
            )
        } else {
            (
                format!("with its registers in the wrong order {point} passes as well"),
                "set limits that such a value misses",
            )
        };
        Finding {
            kind: Kind::WordOrder,
            check: Some(self.check.clone()),
            point: Some(point.clone()),
            limit: None,
            message,
            remedy,
        }
    }
}

fn readers_in_words(first: &Name, second: &Name) -> String {
    let said = |name: &Name| format!("by {} in `{}`", name.check, name.test);
    format!("{} and {}", said(first), said(second))
}

fn full_name(spec: &Spec, device: usize, point: &str) -> String {
    let device = spec.devices.get(device).map_or("", |device| &device.name);
    format!("{device}.{point}")
}

/// Whether two names differ in one character: `voltage_l1` and `voltage_l2`.
fn is_sibling(one: &str, other: &str) -> bool {
    let differ = one.chars().zip(other.chars()).filter(|(one, other)| one != other).count();
    one.chars().count() == other.chars().count() && differ == 1
}

/// Checks that another one of their test makes already, with nothing done between the two.
pub(super) fn duplicates(spec: &Spec, cases: &[Case<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for test in &spec.tests {
        if !cases.iter().any(|case| case.name.test == test.name) {
            continue;
        }
        for part in [&test.setup, &test.steps, &test.teardown] {
            let mut known: BTreeMap<String, &str> = BTreeMap::new();
            for step in part {
                if !matches!(step.action, Action::Read(_)) {
                    known.clear();
                }
                for check in step.checks() {
                    let Some(key) = identity(check) else { continue };
                    if let Some(first) = known.insert(key, &check.name) {
                        found.push(Finding {
                            kind: Kind::Duplicate,
                            check: Some(Name {
                                test: test.name.clone(),
                                check: check.name.clone(),
                            }),
                            point: None,
                            limit: None,
                            message: format!(
                                "it is the same as {first}, with nothing between them"
                            ),
                            remedy: "leave one out, or have it look at what it was meant for",
                        });
                    }
                }
            }
        }
    }
    found
}

/// What a check looks at, and what it demands.
fn identity(check: &Check) -> Option<String> {
    let Subject::Read(read) = &check.subject else { return None };
    let point = read.point.as_ref()?;
    let demand = check.criteria.known()?.to_json();
    Some(format!("{} {} {demand}", read.device, point.name()))
}
