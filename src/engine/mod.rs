//! Does what the plans say, and tells what happened as events. Whatever happens on the bench is data
//! in an attempt: the engine itself cannot fail. It never prints, and knows no files.

mod act;
mod alteration;
mod bench;
mod bounds;
mod check;
mod evaluate;
mod exchange;
mod frames;
mod gather;
mod poll;
mod safe;
mod scan;
mod shared;
mod sheet;
mod stop;
mod test;
mod tries;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use passline_modbus::change::Part;
use passline_modbus::link::Oddities;
use passline_modbus::value::Value;
use tokio::time::Instant;

pub use act::{NoAnswer, Question, Questions};
pub use alteration::Alteration;
pub(crate) use bench::{Beginning, simulation};
pub use stop::{Stop, StopSignal, Stopper, TEARDOWN, stopper};
pub use test::NOT_SELECTED;

use crate::plan::order::{Claim, Order, order};
use crate::plan::{Line, Plan, PlannedTest, ScanCheck};
use crate::record::{
    Event, EventsFormat, Input, Json, Kind, Mode, Outcome, Phase, PlannedCheck, RecordFinished,
    RecordStarted, RunFinished, RunStarted, Scope, SpecSource, Stamp, SubUnit, TestPlanned, Tool,
    Uut, Verdict, record_id, run_id,
};
use crate::spec::model;
use crate::spec::model::Device;
use act::Alive;
use bench::Bench;
use shared::Shared;

/// Where events go. Called on the thread of the engine.
pub type Emit = Arc<dyn Fn(Event) + Send + Sync>;

/// Which devices are simulated.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Simulate {
    /// None: hardware.
    #[default]
    None,
    /// Those of these names.
    Only(BTreeSet<String>),
    /// All.
    All,
    /// All, and those of these names are not quite as their specs say.
    Altered(BTreeMap<String, Alteration>),
}

impl Simulate {
    /// Whether a device is simulated: asked for here, or by its station.
    pub fn includes(&self, device: &Device) -> bool {
        device.simulated_there
            || match self {
                Self::None => false,
                Self::Only(names) => names.contains(&device.name),
                Self::All | Self::Altered(_) => true,
            }
    }

    /// How a device differs from what its spec says, if it does.
    fn alteration(&self, device: &str) -> Option<&Alteration> {
        match self {
            Self::Altered(altered) => altered.get(device),
            Self::None | Self::Only(_) | Self::All => None,
        }
    }
}

/// What a run is given besides its plans.
#[derive(Debug, Clone)]
pub struct Options {
    /// What runs, for the record: [`Tool::this`].
    pub tool: Tool,
    /// When the run starts, for everything that shows a date.
    pub started: Stamp,
    /// Where chance comes from, ids included.
    pub seed: u64,
    /// Which devices are simulated.
    pub simulate: Simulate,
    /// Start no further test once one has not passed.
    pub fail_fast: bool,
    /// The arguments of the command, for the events.
    pub arguments: Vec<String>,
    /// The arguments that select tests, for the records.
    pub selection: Vec<String>,
    /// Who runs it.
    pub operator: Option<String>,
    /// Who answers what steps ask; nobody, where there is none.
    pub questions: Option<Questions>,
}

/// Runs the plans, one record each, and returns when all that can happen has happened.
pub async fn run(plans: &[Plan<'_>], options: &Options, emit: Emit, stop: StopSignal) -> Outcome {
    let zero = Instant::now();
    emit(Event::RunStarted(RunStarted {
        format: EventsFormat::V1,
        tool: options.tool.clone(),
        run_id: run_id(options.started, options.seed),
        started: options.started,
        arguments: options.arguments.clone(),
    }));
    let beginning = Beginning { seed: options.seed, host: options.started.into(), at: zero };
    let bench = Bench::new(plans, &options.simulate, beginning, &emit);
    let shared = Shared::new(plans);
    let slots = plans.iter().map(|plan| (plan.spec.slot.as_deref(), Cell::new(None)));
    let cuts: HashMap<Option<&str>, Cell<Option<&'static str>>> = slots.collect();
    let none = Cell::new(None);
    let records: Vec<Running<'_>> = plans
        .iter()
        .enumerate()
        .map(|(record, plan)| {
            let names = plan.spec.devices.iter();
            let names = names.map(|device| (device.name.clone(), device.name.as_str().into()));
            Running {
                record,
                plan,
                bench: &bench,
                emit: &emit,
                stop: &stop,
                options,
                zero,
                transactions: Cell::new(0),
                tolerated: RefCell::default(),
                shared: &shared,
                cut: cuts.get(&plan.spec.slot.as_deref()).unwrap_or(&none),
                ended: Cell::new(None),
                deadline: plan.spec.timeout.and_then(|longest| zero.checked_add(longest)),
                next_place: Cell::new(plan.tests.len()),
                began: Cell::new(false),
                verdicts: RefCell::new(vec![None; plan.tests.len()]),
                saved: RefCell::default(),
                found: RefCell::default(),
                alive: kept_alive(plan),
                names: names.collect(),
            }
        })
        .collect();
    records.iter().for_each(Running::announce);
    tokio::select! {
        // First, so that what is under way is left as it stands: it ended with nothing else to say.
        biased;
        () = stop.reached(Stop::Now) => {}
        () = async { walk(&records).await; close(&bench, &stop).await } => {}
        () = keep_alive(&records) => {}
    }
    bench.seal();
    let outcomes: Vec<Outcome> = records.iter().filter_map(Running::finish).collect();
    let outcome = Outcome::of_records(outcomes);
    emit(Event::RunFinished(RunFinished { outcome, ended: options.started.after(zero.elapsed()) }));
    outcome
}

/// Closes every line cleanly, as long as there is time for it.
async fn close(bench: &Bench, stop: &StopSignal) {
    tokio::select! {
        () = bench.close() => {}
        () = stop.reached(Stop::Over) => {}
    }
}

/// Keeps the devices of all records alive; never ends.
async fn keep_alive(records: &[Running<'_>]) {
    join_all(records.iter().map(Running::keep_alive)).await;
    std::future::pending::<()>().await;
}

fn kept_alive(plan: &Plan<'_>) -> Vec<Option<Alive>> {
    let devices = plan.spec.devices.iter();
    devices.map(|device| device.keep_alive.as_ref().map(|_| Alive::default())).collect()
}

/// Runs every test when those that it waits for have ended.
async fn walk(records: &[Running<'_>]) {
    let tests: Vec<(&Running<'_>, usize)> = records
        .iter()
        .flat_map(|running| running.plan.spec.order.iter().map(move |test| (running, *test)))
        .collect();
    let places: HashMap<(usize, usize), usize> =
        tests.iter().enumerate().map(|(at, (of, test))| ((of.record, *test), at)).collect();
    let claim = |(running, test): &(&Running<'_>, usize)| {
        let mut claim = running.claim(*test);
        let place = |need: &usize| places.get(&(running.record, *need)).copied();
        claim.needs = claim.needs.iter().filter_map(place).collect();
        claim
    };
    let claims: Vec<Claim<String>> = tests.iter().map(claim).collect();
    let Order { mut waits_for, followers } = order(&claims);
    let mut running = FuturesUnordered::new();
    let tests = &tests;
    let start = |index: usize| async move {
        if let Some((record, test)) = tests.get(index) {
            record.test(*test).await;
        }
        index
    };
    for (index, waits) in waits_for.iter().enumerate() {
        if *waits == 0 {
            running.push(start(index));
        }
    }
    while let Some(ended) = running.next().await {
        for follower in followers.get(ended).into_iter().flatten() {
            if let Some(waits) = waits_for.get_mut(*follower) {
                *waits -= 1;
                if *waits == 0 {
                    running.push(start(*follower));
                }
            }
        }
    }
}

/// One more time of a test that is made again and again.
#[derive(Debug, Clone, Copy)]
struct Again {
    /// The place of its first time.
    of: usize,
    /// The how manieth time, from 2.
    time: u32,
}

/// One record while it runs.
struct Running<'r> {
    record: usize,
    plan: &'r Plan<'r>,
    bench: &'r Bench,
    emit: &'r Emit,
    stop: &'r StopSignal,
    options: &'r Options,
    /// When the run began.
    zero: Instant,
    /// How many transactions there were.
    transactions: Cell<u64>,
    /// What was put up with in the answers of transactions, of the few where it was anything.
    tolerated: RefCell<HashMap<u64, Oddities>>,
    shared: &'r Shared,
    /// Why no further test of the slot starts; without slots, of the run.
    cut: &'r Cell<Option<&'static str>>,
    /// Why no further test of the record starts.
    ended: Cell<Option<&'static str>>,
    /// Until when everything but teardown is to be done.
    deadline: Option<Instant>,
    /// The place of the next time of a test that is made again and again.
    next_place: Cell<usize>,
    /// Whether a test of the record ran.
    began: Cell<bool>,
    verdicts: RefCell<Vec<Option<Verdict>>>,
    /// The values that steps saved.
    saved: RefCell<HashMap<String, Value>>,
    /// What writes found before them and is yet to be put back, by the test and its first line.
    found: RefCell<HashMap<(usize, usize), Vec<Part>>>,
    /// Which devices are kept alive, by their index.
    alive: Vec<Option<Alive>>,
    /// Shared texts for the record, by name.
    names: HashMap<String, Arc<str>>,
}

impl Running<'_> {
    fn now(&self) -> Stamp {
        self.stamp(Instant::now())
    }

    fn stamp(&self, at: Instant) -> Stamp {
        self.options.started.after(at.saturating_duration_since(self.zero))
    }

    fn next_transaction(&self) -> u64 {
        self.transactions.set(self.transactions.get() + 1);
        self.transactions.get()
    }

    fn device_name(&self, name: &str) -> Arc<str> {
        self.names.get(name).map_or_else(|| name.into(), Arc::clone)
    }

    /// What a test keeps others from.
    fn claim(&self, index: usize) -> Claim<String> {
        let Some(test) = self.plan.tests.get(index) else {
            let (devices, needs) = (Vec::new(), Vec::new());
            return Claim { record: self.record, devices, needs, alone: true };
        };
        let device = |device: usize| {
            let spec = self.plan.spec;
            let device = spec.devices.get(device)?;
            if let (true, Some(slot)) = (device.shared, &spec.slot) {
                // Other slots have it at the same time; `Shared` sees to the rest.
                return Some(format!("{} of slot {slot}", device.name));
            }
            let simulated = self.options.simulate.includes(device);
            let line = device.line.as_ref().map(|line| line.place.to_string());
            Some(match line.filter(|_| !simulated) {
                Some(line) => format!("{line} {}", device.unit_id),
                None => format!("{} {}", self.record, device.name),
            })
        };
        // Who needs a saved value comes after who saves it.
        let saved = test.test.saves().chain(test.test.uses());
        let saved = saved.map(|name| format!("{} saves {name}", self.record));
        Claim {
            record: self.record,
            devices: test.devices().into_iter().filter_map(device).chain(saved).collect(),
            needs: test.test.course.needs.clone(),
            alone: test.test.runs_alone(),
        }
    }

    /// What the record may be filed as, if every test runs.
    fn mode(&self) -> Mode {
        let spec = self.plan.spec;
        if spec.devices.iter().any(|device| self.options.simulate.includes(device)) {
            return Mode::Simulated;
        }
        spec.station.as_ref().map_or(Mode::Development, |station| station.mode)
    }

    /// Tells what the record is to be.
    fn announce(&self) {
        let (spec, options) = (self.plan.spec, self.options);
        let station = spec.station.as_ref();
        let today = options.started.day();
        let instruments = station.iter().flat_map(|station| &station.instruments);
        let inputs: Vec<Input> = spec
            .inputs
            .iter()
            .map(|input| Input { file: input.file.display().to_string(), sha256: input.sha256 })
            .collect();
        let variables = spec.variables.iter();
        let variables =
            variables.map(|(name, value)| (name.clone(), Json::from(&Value::from(value.clone()))));
        (self.emit)(Event::RecordStarted(Box::new(RecordStarted {
            record: self.record,
            record_id: record_id(options.started, options.seed, self.record),
            mode: self.mode(),
            scope: if self.plan.is_full() { Scope::Full } else { Scope::Partial },
            selection: options.selection.clone(),
            spec: SpecSource {
                name: spec.name.clone(),
                version: spec.version.clone(),
                file: spec.file.file.display().to_string(),
                sha256: spec.file.sha256,
            },
            inputs,
            variables: variables.collect::<BTreeMap<String, Json>>(),
            seed: options.seed,
            station: station.map(|station| station.name.clone()),
            slot: spec.slot.clone(),
            operator: options.operator.clone(),
            instruments: instruments.map(|instrument| instrument.to_json(today)).collect(),
            environment: station.and_then(|station| station.surroundings()),
            uut: identity(&spec.uut),
            started: options.started,
            retest_of: None,
        })));
        for (index, test) in self.plan.tests.iter().enumerate() {
            self.announce_test(index, test, None);
        }
    }

    /// Tells what a test is to be, or another time of one that is made again and again.
    fn announce_test(&self, index: usize, test: &PlannedTest<'_>, again: Option<Again>) {
        let name = match again.map(|again| again.time).or(test.test.course.lasting.map(|_| 1)) {
            Some(time) => format!("{} [repeat={time}]", test.test.name),
            None => test.test.name.clone(),
        };
        (self.emit)(Event::TestPlanned(TestPlanned {
            record: self.record,
            test: index,
            repeats: again.map(|again| again.of),
            name,
            phase: test.test.phase,
            tags: test.test.tags.clone(),
            verifies: requirements(test.test),
            checks: planned(test),
        }));
    }

    /// Tells how the record ended. `None`: fail-fast cut the run before anything of it ran, so that
    /// there is nothing to account for.
    fn finish(&self) -> Option<Outcome> {
        if self.cut.get().is_some() && !self.began.get() {
            (self.emit)(Event::RecordWithdrawn { record: self.record });
            return None;
        }
        let verdicts = self.verdicts.borrow();
        let tests = self.plan.tests.iter().zip(verdicts.iter());
        let judged =
            tests.map(|(test, verdict)| (test.test.phase, verdict.unwrap_or(Verdict::Skipped)));
        let mut outcome = Outcome::of_tests(judged);
        let stopped = self.stop.level() > Stop::No;
        if stopped {
            outcome = Outcome::Aborted;
        }
        (self.emit)(Event::RecordFinished(RecordFinished {
            record: self.record,
            outcome,
            ended: self.now(),
            reason: stopped.then(|| test::ABORTED.to_owned()),
        }));
        Some(outcome)
    }

    /// Whether a setup did not pass: then no test runs.
    fn setup_failed(&self) -> bool {
        let verdicts = self.verdicts.borrow();
        let tests = self.plan.tests.iter().zip(verdicts.iter());
        // Every test asks: look no further than the setups, which come first.
        let mut setups = tests.take_while(|(test, _)| test.test.phase == Phase::Setup);
        setups.any(|(_, verdict)| {
            matches!(verdict, Some(Verdict::Fail | Verdict::Error | Verdict::Skipped))
        })
    }
}

/// The unit under test, for the record.
fn identity(uut: &model::Uut) -> Uut {
    let sub_units = uut.sub_units.iter().map(|sub_unit| SubUnit {
        name: sub_unit.name.clone(),
        serial: sub_unit.serial.given.clone(),
        part_number: sub_unit.part_number.clone(),
    });
    Uut {
        serial: uut.serial.given.clone(),
        part_number: uut.part_number.clone(),
        revision: uut.revision.clone(),
        batch: uut.batch.clone(),
        sub_units: sub_units.collect(),
    }
}

/// A test's requirements and those of its steps, each once.
fn requirements(test: &crate::spec::model::Test) -> Vec<String> {
    let mut all = test.verifies.clone();
    let steps = test.all_steps().flat_map(crate::spec::model::Step::checks);
    for id in steps.flat_map(|check| &check.verifies) {
        if !all.contains(id) {
            all.push(id.clone());
        }
    }
    all
}

/// The lines of a test before it runs.
fn planned(test: &PlannedTest<'_>) -> Vec<PlannedCheck> {
    let scans = test.stages().flat_map(|stage| stage.work.scans());
    let checks: HashMap<usize, &ScanCheck> =
        scans.flat_map(|scan| &scan.checks).map(|check| (check.line, check)).collect();
    let line = |(index, line): (usize, &Line<'_>)| match line {
        Line::Check(check) => evaluate::planned(check, checks.get(&index).copied()),
        Line::Wait(_) => unjudged(line.name(), Kind::Wait),
        Line::Reconnect(_) => unjudged(line.name(), Kind::Reconnect),
        Line::KeepAlive(_) => unjudged(line.name(), Kind::Write),
        Line::Write(write, assignment) => PlannedCheck {
            decode: Some(evaluate::written(assignment)),
            limit: write.reply.demand().map(|demand| demand.to_json().into()),
            ..unjudged(line.name(), Kind::Write)
        },
        Line::Restore(assignment) => PlannedCheck {
            decode: Some(evaluate::written(assignment)),
            ..unjudged(line.name(), Kind::Write)
        },
    };
    test.lines.iter().enumerate().map(line).collect()
}

/// A line that nothing is decoded for.
fn unjudged(name: String, kind: Kind) -> PlannedCheck {
    PlannedCheck { name, kind, decode: None, limit: None }
}
