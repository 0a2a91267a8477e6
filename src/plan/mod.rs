//! What a run will do: which tests, which reads go out together, what may overlap. Arithmetic on
//! specs; no I/O.

pub mod order;
mod scan;
mod select;
mod write;

pub use scan::{Batch, Input, Manner, Scan, ScanCheck, Source};
pub use select::{Selection, Shard, ShardError};
pub use write::{Outgoing, Restoring, Sent, Writing, needs};

use std::collections::HashMap;
use std::ops::Range;

use crate::record::Phase;
use crate::spec::model::{
    Action, Assignment, Check, Device, Flow, Prompt, Reconnect, Run, Spec, Step, Test, Wait, Write,
};
use crate::spec::timing::{Poll, Timing};

/// One spec as a run sees it.
#[derive(Debug)]
pub struct Plan<'s> {
    /// The spec.
    pub spec: &'s Spec,
    /// Whether a selection was asked for, even one that leaves nothing out.
    selected: bool,
    /// Its tests, all of them, in order.
    pub tests: Vec<PlannedTest<'s>>,
}

/// A test as a run sees it.
#[derive(Debug)]
pub struct PlannedTest<'s> {
    /// Its place among the tests of the spec.
    pub index: usize,
    /// The test.
    pub test: &'s Test,
    /// Whether the selection leaves it out.
    pub left_out: bool,
    /// What its condition has to have read.
    pub condition: Option<Scan>,
    /// What it does, in order: its own setup, its steps, its own teardown.
    pub parts: Vec<Part<'s>>,
    /// What it does before it is tried again.
    pub recovery: Option<Part<'s>>,
    /// One entry for each line of the record, in order.
    pub lines: Vec<Line<'s>>,
}

/// A part of a test.
#[derive(Debug)]
pub struct Part<'s> {
    /// Which.
    pub phase: Phase,
    /// What happens, in order.
    pub stages: Vec<Stage<'s>>,
}

/// One line of a record: a check, or a step that is not judged.
#[derive(Debug, Clone, Copy)]
pub enum Line<'s> {
    /// Something that is judged.
    Check(&'s Check),
    /// A pause.
    Wait(&'s Wait),
    /// A new connection.
    Reconnect(&'s Reconnect),
    /// A value that is written.
    Write(&'s Write, &'s Assignment),
    /// A value that is put back.
    Restore(&'s Assignment),
    /// A device that was kept alive.
    KeepAlive(&'s Device),
}

impl Line<'_> {
    /// Its name in the record.
    pub fn name(&self) -> String {
        match self {
            Self::Check(check) => check.name.clone(),
            Self::Wait(wait) => wait.name.clone(),
            Self::Write(_, assignment) => assignment.name.clone(),
            Self::Restore(assignment) => format!("put back {}", assignment.name),
            Self::KeepAlive(device) => format!("keep {} alive", device.name),
            Self::Reconnect(reconnect) => reconnect.name.clone(),
        }
    }
}

/// What happens next in a test: one step, or adjacent plain reads of several.
#[derive(Debug)]
pub struct Stage<'s> {
    /// The lines that it fills.
    pub lines: Range<usize>,
    /// What governs it.
    pub flow: &'s Flow,
    /// What its condition has to have read.
    pub condition: Option<Scan>,
    /// What it does.
    pub work: Work<'s>,
}

/// What a stage does.
#[derive(Debug)]
pub enum Work<'s> {
    /// Reads, scan after scan.
    Read(Vec<Scan>),
    /// The same, looked at again and again.
    Poll(Vec<Scan>, &'s Poll),
    /// A pause.
    Wait(&'s Wait),
    /// A new connection.
    Reconnect(&'s Reconnect),
    /// Values for points.
    Write(Writing<'s>),
    /// What was there before they were written.
    Restore(Restoring<'s>),
    /// The end of what keeps a device alive, by its index.
    LetGo(usize),
    /// Something outside, and what its limits have to have read.
    Act(Act<'s>, Vec<Scan>),
}

/// What is done outside of what is read and computed.
#[derive(Debug, Clone, Copy)]
pub enum Act<'s> {
    /// A program is run.
    Run(&'s Run),
    /// The operator is asked.
    Prompt(&'s Prompt),
}

impl<'s> Act<'s> {
    /// What judges its outcome.
    pub fn check(self) -> &'s Check {
        match self {
            Self::Run(run) => &run.check,
            Self::Prompt(prompt) => &prompt.check,
        }
    }
}

impl Work<'_> {
    /// What it reads.
    pub fn scans(&self) -> &[Scan] {
        match self {
            Self::Read(scans) | Self::Poll(scans, _) | Self::Act(_, scans) => scans,
            Self::Wait(_)
            | Self::Reconnect(_)
            | Self::Write(_)
            | Self::Restore(_)
            | Self::LetGo(_) => &[],
        }
    }

    /// The devices that it does something to.
    fn acted_on(&self) -> Vec<usize> {
        match self {
            Self::Read(_)
            | Self::Poll(..)
            | Self::Wait(_)
            | Self::Act(Act::Run(_) | Act::Prompt(_), _) => Vec::new(),
            Self::Reconnect(reconnect) => vec![reconnect.device],
            Self::Write(writing) => writing.devices.clone(),
            Self::Restore(Restoring { assignments, .. }) => {
                assignments.iter().map(|assignment| assignment.device).collect()
            }
            Self::LetGo(device) => vec![*device],
        }
    }

    /// Whether it does something to the bench or asks somebody: that is not done any more once
    /// something went wrong in its test.
    pub fn acts(&self) -> bool {
        match self {
            Self::Read(_)
            | Self::Poll(..)
            | Self::Wait(_)
            | Self::Reconnect(_)
            | Self::LetGo(_) => false,
            Self::Write(_) | Self::Restore(_) | Self::Act(..) => true,
        }
    }
}

/// Plans specs. Shares count the tests of all of them; a spec of which no test is meant has no plan.
pub fn plan<'s>(specs: &'s [Spec], selection: &Selection) -> Vec<Plan<'s>> {
    let mut chosen = selection.chooser();
    let selected = *selection != Selection::default();
    let plans = specs.iter().map(|spec| one(spec, selected, &mut chosen));
    plans.filter(Plan::selects_anything).collect()
}

fn one<'s>(spec: &'s Spec, selected: bool, chosen: &mut impl FnMut(&Test) -> bool) -> Plan<'s> {
    let mut chosen: Vec<bool> = spec.tests.iter().map(chosen).collect();
    add_needed(&spec.tests, &mut chosen);
    // What the setup wrote is put back when the record is at its end.
    let mut of_setup = Vec::new();
    let tests = spec.tests.iter().zip(chosen).enumerate();
    let tests = tests.map(|(index, (test, chosen))| {
        let mut planned = planned(spec, (index, test), !chosen);
        let mut restorings = write::restorings(test, index);
        match test.phase {
            Phase::Setup => {
                restorings.append(&mut of_setup);
                of_setup = std::mem::take(&mut restorings);
            }
            Phase::Main => {}
            Phase::Teardown => restorings.append(&mut of_setup),
        }
        planned.parts.push(write::restore(restorings, &mut planned.lines));
        if test.phase == Phase::Teardown {
            planned.parts.push(write::let_go(&spec.devices, &mut planned.lines));
        }
        planned.parts.retain(|part| !part.stages.is_empty());
        planned
    });
    Plan { spec, selected, tests: tests.collect() }
}

fn planned<'s>(
    spec: &'s Spec,
    (index, test): (usize, &'s Test),
    left_out: bool,
) -> PlannedTest<'s> {
    let devices = &spec.devices;
    let condition = test.course.condition.as_ref();
    let condition = condition.and_then(|of| scan::of_points(devices, 0, &of.points));
    let (parts, recovery) = parts(devices, test);
    let lines = test.all_steps().flat_map(lines).collect();
    PlannedTest { index, test, left_out, condition, parts, recovery, lines }
}

/// What a chosen test cannot do without is chosen, too: the tests that it needs, and those that
/// save what it uses.
fn add_needed(tests: &[Test], chosen: &mut [bool]) {
    let mut savers: HashMap<&str, usize> = HashMap::new();
    for (place, test) in tests.iter().enumerate() {
        savers.extend(test.saves().map(|name| (name, place)));
    }
    let mut open: Vec<usize> = (0..tests.len()).filter(|place| chosen[*place]).collect();
    while let Some(test) = open.pop().and_then(|place| tests.get(place)) {
        let used = test.uses().filter_map(|name| savers.get(name)).copied();
        for before in test.course.needs.iter().copied().chain(used) {
            if let Some(chosen) = chosen.get_mut(before).filter(|chosen| !**chosen) {
                *chosen = true;
                open.push(before);
            }
        }
    }
}

impl Plan<'_> {
    /// Whether every test of the spec is to run, and nothing else was asked for.
    pub fn is_full(&self) -> bool {
        !self.selected && self.tests.iter().all(|test| !test.left_out)
    }

    /// Whether any test of the main phase is to run.
    fn selects_anything(&self) -> bool {
        let main = |test: &&PlannedTest<'_>| test.test.phase == Phase::Main;
        self.tests.iter().filter(main).any(|test| !test.left_out)
    }
}

impl<'s> PlannedTest<'s> {
    /// Its stages, in order.
    pub fn stages(&self) -> impl Iterator<Item = &Stage<'s>> {
        self.parts.iter().chain(&self.recovery).flat_map(|part| &part.stages)
    }

    /// The devices that it talks to, each once, ascending.
    pub fn devices(&self) -> Vec<usize> {
        let scans = self.stages().flat_map(Stage::scans).chain(&self.condition);
        let read = scans.flat_map(|scan| scan.batches.iter().map(|batch| batch.device));
        let mut devices: Vec<usize> = read.chain(self.acted_on()).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    /// The devices that it does something to besides reading.
    pub fn acted_on(&self) -> impl Iterator<Item = usize> {
        self.stages().flat_map(|stage| stage.work.acted_on())
    }
}

impl Stage<'_> {
    /// Everything that it reads.
    pub fn scans(&self) -> impl Iterator<Item = &Scan> {
        let requests = match &self.work {
            Work::Write(writing) => &writing.requests[..],
            _ => &[],
        };
        let needs = requests.iter().filter_map(|request| request.needs.as_ref());
        self.condition.iter().chain(needs).chain(self.work.scans())
    }
}

/// The lines of a step.
fn lines(step: &Step) -> Vec<Line<'_>> {
    match &step.action {
        Action::Read(_) | Action::Compute(_) | Action::Run(_) | Action::Prompt(_) => {
            step.checks().iter().map(Line::Check).collect()
        }
        Action::Wait(wait) => vec![Line::Wait(wait)],
        Action::Reconnect(reconnect) => vec![Line::Reconnect(reconnect)],
        Action::Write(write) => write.assignments().map(|one| Line::Write(write, one)).collect(),
    }
}

/// The parts of a test that have steps, and its recovery, if it has one.
fn parts<'s>(devices: &[Device], test: &'s Test) -> (Vec<Part<'s>>, Option<Part<'s>>) {
    let mut first = 0;
    let mut part = |phase: Phase, steps: &'s [Step]| {
        let mut stages = Stages::new(devices, first);
        for step in steps {
            stages.add(step);
        }
        stages.end_reads();
        first = stages.next;
        (!steps.is_empty()).then_some(Part { phase, stages: stages.done })
    };
    let parts = [
        part(Phase::Setup, &test.setup),
        part(Phase::Main, &test.steps),
        part(Phase::Teardown, &test.teardown),
    ];
    (parts.into_iter().flatten().collect(), part(Phase::Main, &test.recover))
}

/// The stages of a part while they are put together.
struct Stages<'s, 'd> {
    devices: &'d [Device],
    done: Vec<Stage<'s>>,
    /// The next line.
    next: usize,
    /// The first line of the reads below.
    first: usize,
    /// Reads of adjacent steps: what is complete, and what more can join.
    scans: Vec<Scan>,
    open: scan::Builder,
}

impl<'s, 'd> Stages<'s, 'd> {
    fn new(devices: &'d [Device], first: usize) -> Self {
        let (done, scans, open) = (Vec::new(), Vec::new(), scan::Builder::default());
        Self { devices, done, next: first, first, scans, open }
    }

    fn add(&mut self, step: &'s Step) {
        let reads = matches!(step.action, Action::Read(_) | Action::Compute(_));
        let timing = step.checks().first().map(|check| &check.timing);
        let joins = reads && step.flow.is_plain() && timing == Some(&Timing::Once);
        if !joins {
            self.end_reads();
        }
        let first = self.next;
        self.next += lines(step).len();
        let work = match &step.action {
            Action::Read(_) | Action::Compute(_) => {
                for (line, check) in (first..).zip(step.checks()) {
                    if !self.open.takes(self.devices, check) {
                        self.scans.extend(self.open.close(self.devices));
                    }
                    self.open.add(self.devices, line, check);
                }
                if joins {
                    return;
                }
                let scans = self.take_reads();
                match timing {
                    Some(Timing::Poll(poll)) => Work::Poll(scans, poll),
                    Some(Timing::Once) | None => Work::Read(scans),
                }
            }
            Action::Wait(wait) => Work::Wait(wait),
            Action::Reconnect(reconnect) => Work::Reconnect(reconnect),
            Action::Write(write) => Work::Write(Writing::new(self.devices, write, first)),
            Action::Run(run) => self.act(Act::Run(run), first),
            Action::Prompt(prompt) => self.act(Act::Prompt(prompt), first),
        };
        let condition = step.flow.condition.as_ref();
        let condition = condition.and_then(|of| scan::of_points(self.devices, first, &of.points));
        self.done.push(Stage { lines: first..self.next, flow: &step.flow, condition, work });
        self.first = self.next;
    }

    fn act(&self, act: Act<'s>, line: usize) -> Work<'s> {
        Work::Act(act, scan::of_limits(self.devices, line, act.check()).into_iter().collect())
    }

    fn take_reads(&mut self) -> Vec<Scan> {
        self.scans.extend(self.open.close(self.devices));
        std::mem::take(&mut self.scans)
    }

    /// Makes a stage of the reads so far, if there are any.
    fn end_reads(&mut self) {
        let scans = self.take_reads();
        if !scans.is_empty() {
            let (flow, work) = (&Flow::PLAIN, Work::Read(scans));
            self.done.push(Stage { lines: self.first..self.next, flow, condition: None, work });
        }
        self.first = self.next;
    }
}
