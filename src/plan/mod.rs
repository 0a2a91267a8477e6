//! What a run will do: which tests, which reads go out together, what may overlap. Arithmetic on
//! specs; no I/O.

pub mod order;
mod scan;
mod select;

pub use scan::{Batch, Input, Manner, Scan, ScanCheck, Source};
pub use select::{Selection, Shard, ShardError};

use std::time::Duration;

use crate::spec::model::{Check, Device, Spec, Step, Test};

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
    /// The test.
    pub test: &'s Test,
    /// Whether the selection leaves it out.
    pub left_out: bool,
    /// What it does, in order.
    pub stages: Vec<Stage>,
    /// Its steps in order, one entry for each line of the record.
    pub steps: Vec<PlannedStep<'s>>,
}

/// One line of a record: a check, or a step that is not judged.
#[derive(Debug, Clone, Copy)]
pub enum PlannedStep<'s> {
    /// Something that is judged.
    Check(&'s Check),
    /// A pause.
    Wait(&'s crate::spec::model::Wait),
}

impl PlannedStep<'_> {
    /// Its name in the record.
    pub fn name(&self) -> &str {
        match self {
            Self::Check(check) => &check.name,
            Self::Wait(wait) => &wait.name,
        }
    }
}

/// What happens next in a test. Writes, prompts, raw frames and commands become further variants.
#[derive(Debug)]
pub enum Stage {
    /// Reads that go out together.
    Scan(Box<Scan>),
    /// A pause; the index is that of its step.
    Wait {
        /// Index into [`PlannedTest::steps`].
        step: usize,
        /// How long.
        time: Duration,
    },
}

/// Plans specs. Shares count the tests of all of them; a spec of which no test is meant has no plan.
pub fn plan<'s>(specs: &'s [Spec], selection: &Selection) -> Vec<Plan<'s>> {
    let mut chosen = selection.chooser();
    let selected = *selection != Selection::default();
    let plans = specs.iter().map(|spec| one(spec, selected, &mut chosen));
    plans.filter(Plan::selects_anything).collect()
}

fn one<'s>(spec: &'s Spec, selected: bool, chosen: &mut impl FnMut(&Test) -> bool) -> Plan<'s> {
    let tests = spec.tests.iter().map(|test| PlannedTest {
        test,
        left_out: !chosen(test),
        stages: stages(&spec.devices, test),
        steps: steps(test),
    });
    Plan { spec, selected, tests: tests.collect() }
}

impl Plan<'_> {
    /// Whether every test of the spec is to run, and nothing else was asked for.
    pub fn is_full(&self) -> bool {
        !self.selected && self.tests.iter().all(|test| !test.left_out)
    }

    /// Whether any test of the main phase is to run.
    fn selects_anything(&self) -> bool {
        let main = |test: &&PlannedTest<'_>| test.test.phase == crate::record::Phase::Main;
        self.tests.iter().filter(main).any(|test| !test.left_out)
    }
}

impl PlannedTest<'_> {
    /// The devices that it talks to, each once, ascending.
    pub fn devices(&self) -> Vec<usize> {
        let scans = self.stages.iter().filter_map(|stage| match stage {
            Stage::Scan(scan) => Some(scan),
            Stage::Wait { .. } => None,
        });
        let mut devices: Vec<usize> =
            scans.flat_map(|scan| scan.batches.iter().map(|batch| batch.device)).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }
}

fn steps(test: &Test) -> Vec<PlannedStep<'_>> {
    let steps = test.steps.iter().flat_map(|step| match step {
        Step::Wait(wait) => vec![PlannedStep::Wait(wait)],
        judged => judged.checks().iter().map(PlannedStep::Check).collect(),
    });
    steps.collect()
}

/// The stages of a test: adjacent plain reads become one scan.
fn stages(devices: &[Device], test: &Test) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut open = scan::Builder::default();
    let mut index = 0;
    for step in &test.steps {
        if let Step::Wait(wait) = step {
            stages.extend(open.close(devices));
            stages.push(Stage::Wait { step: index, time: wait.time });
            index += 1;
        }
        for check in step.checks() {
            if !open.takes(devices, check) {
                stages.extend(open.close(devices));
            }
            open.add(devices, index, check);
            index += 1;
        }
    }
    stages.extend(open.close(devices));
    stages
}
