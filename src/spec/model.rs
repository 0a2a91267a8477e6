//! What a spec says, resolved: devices with their points, tests with their checks. Every name is
//! bound, every constant limit parsed. Knows no I/O and nothing of how the reads are made.

mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::address::{Address, Place};
use passline_modbus::change::Manner;
use passline_modbus::link::{InFlight, Tolerance};
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::planner::Rules;
use passline_modbus::point::{Domain, Location, Point};
use passline_modbus::value::Value;
use passline_simulator::access::{Access, UnitIds};
use passline_simulator::fault::{
    Beyond, ConnectionFault, Fault, RequestFault, Scope, Seed, Trigger,
};
use passline_simulator::image::Image;
use passline_simulator::program::Script;

pub use self::write::{Assigned, Assignment, KeepAlive, Reply, Write};
pub use super::act::{Ask, Capture, Prompt, Run, Told, Typed};
use super::criteria::Criteria;
use super::retry::Retry;
use super::serial_format::Format;
use super::station::Station;
use super::timing::Timing;
use crate::language::source::{Span, Spanned};
use crate::language::variables::Scalar;
use crate::record::{Digest, Phase};

/// A file that a spec was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path as the spec or the caller names it.
    pub file: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// One test procedure.
#[derive(Debug)]
pub struct Spec {
    /// `spec:`, the stable id.
    pub name: String,
    /// `version:`.
    pub version: Option<String>,
    /// `title:`.
    pub title: Option<String>,
    /// Its file.
    pub file: Input,
    /// Every file it was made from: its own first, then each profile and recording in the order of
    /// first use.
    pub inputs: Vec<Input>,
    /// The variables as this run sees them, in the order of the file.
    pub variables: Vec<(String, Scalar)>,
    /// The bench it runs on, where there is a station file.
    pub station: Option<Arc<Station>>,
    /// The fixture position there.
    pub slot: Option<String>,
    /// What is known of the unit under test before it is asked.
    pub uut: Uut,
    /// The devices, in the order of the file.
    pub devices: Vec<Device>,
    /// Setup first, then the tests, teardown last; `for_each` is unrolled.
    pub tests: Vec<Test>,
    /// The order in which they begin: that of the file, except that a test comes after those that
    /// it needs.
    pub order: Vec<usize>,
    /// The longest that everything but teardown may take.
    pub timeout: Option<Duration>,
}

impl Spec {
    /// Its name; where there are slots, with the slot: `meter [A]`.
    pub fn label(&self) -> String {
        label(&self.name, self.slot.as_deref())
    }
}

/// The name of a spec; where there are slots, with the slot: `meter [A]`.
pub fn label(spec: &str, slot: Option<&str>) -> String {
    slot.map_or_else(|| spec.to_owned(), |slot| format!("{spec} [{slot}]"))
}

/// The unit under test.
#[derive(Debug, Clone, Default)]
pub struct Uut {
    /// Its serial number.
    pub serial: Serial,
    /// `part_number:`.
    pub part_number: Option<String>,
    /// `revision:`.
    pub revision: Option<String>,
    /// The lot it was made in.
    pub batch: Option<String>,
    /// `sub_units:`, in the order of the file.
    pub sub_units: Vec<SubUnit>,
}

/// A part of the unit under test that has an identity of its own.
#[derive(Debug, Clone)]
pub struct SubUnit {
    /// Its name in the spec.
    pub name: String,
    /// `part_number:`.
    pub part_number: Option<String>,
    /// Its serial number.
    pub serial: Serial,
}

/// A serial number, and what is demanded of it.
#[derive(Debug, Clone, Default)]
pub struct Serial {
    /// The number, where it was given.
    pub given: Option<String>,
    /// Whether a run needs one.
    pub needed: bool,
    /// `pattern:`.
    pub pattern: Option<SerialPattern>,
    /// `matches:`.
    pub(super) matches: Option<Matches>,
}

/// Where a device holds its serial number, and how that is written.
#[derive(Debug, Clone)]
pub(super) struct Matches {
    /// `device.point`.
    pub(super) path: Spanned<String>,
    /// Without it the point decides.
    pub(super) format: Option<Format>,
    /// Where the format is given.
    pub(super) format_at: Span,
}

/// What the whole of a serial number looks like.
#[derive(Debug, Clone)]
pub struct SerialPattern {
    /// The pattern as it is written.
    pub text: String,
    /// It, for the whole of a text.
    pub whole: regex::Regex,
}

/// A named thing with a link and a unit id.
#[derive(Debug)]
pub struct Device {
    /// Its name in the spec.
    pub name: String,
    /// Where it is, and what the spec or the station calls that line.
    pub line: Option<Line>,
    /// Whether the station has no such device and simulates it.
    pub simulated_there: bool,
    /// Whether other slots of the station use it as well.
    pub shared: bool,
    /// Where all this is said.
    pub(super) at: Places,
    /// The Modbus address on the line.
    pub unit_id: u8,
    /// Its points, shared by every device of the same profile.
    pub map: Arc<Map>,
    /// How many requests may be open on its line at once; the line's own option is stronger.
    pub in_flight: Option<InFlight>,
    /// Silence before each request.
    pub pause: Option<Duration>,
    /// Silence after connecting.
    pub pause_after_connect: Option<Duration>,
    /// After how long it closes an idle connection.
    pub idle_close: Option<Duration>,
    /// How many connections it takes at once.
    pub max_clients: Option<u16>,
    /// With which functions it is written.
    pub manner: Manner,
    /// What of its answers is put up with; the options of its link included.
    pub tolerance: Tolerance,
    /// From the last byte of a request to its answer.
    pub response_timeout: Duration,
    /// When a transaction is made again.
    pub retry: Retry,
    /// What it has to be written so often that it goes on.
    pub keep_alive: Option<KeepAlive>,
    /// How a simulation of it begins and misbehaves.
    pub simulation: Simulation,
}

/// Where a device is declared, and where its link and its unit id are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) name: Span,
    pub(super) link: Span,
    pub(super) unit: Span,
}

/// A link as a spec names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The name under `links:`, or the URL itself.
    pub name: String,
    /// What is opened, with the options of the URL.
    pub address: Address,
    /// What tells it from other lines: where the address led when the spec was loaded. All
    /// spellings of a serial port lead to one.
    pub place: Place,
}

/// A register map: the points of a profile and what its device type allows.
#[derive(Debug, Default)]
pub struct Map {
    /// The points by name; `status.ready` for a bit field.
    pub points: HashMap<String, Arc<Point>>,
    /// Points that are declared, and reported to be wrong: who names one makes no mistake.
    pub(super) refused: HashSet<String>,
    /// What one read may cover.
    pub rules: Rules,
}

/// How the simulation of a device begins, moves and misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Simulation {
    /// The four tables at the start.
    pub image: Image,
    /// The points that are given a value, or something that moves them.
    pub valued: BTreeSet<String>,
    /// What it does wrong, and when.
    pub faults: Vec<Fault>,
    /// What it does on its own.
    pub script: Option<Script>,
    /// What it lets be read and written.
    pub access: Access,
    /// What it answers for beside its own unit id.
    pub unit_ids: UnitIds,
}

/// A test: steps in order.
#[derive(Debug)]
pub struct Test {
    /// Unique in the spec; `name [key=value]` for an instance of `for_each`.
    pub name: String,
    /// Where it stands: setup, main, teardown.
    pub phase: Phase,
    /// For `--tag`.
    pub tags: Vec<String>,
    /// Requirement ids.
    pub verifies: Vec<String>,
    /// What it does first. Where that does not pass, its steps are not made.
    pub setup: Vec<Step>,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// What it does at the end, whatever happened.
    pub teardown: Vec<Step>,
    /// What it does before it is tried again.
    pub recover: Vec<Step>,
    /// How it goes as a whole.
    pub course: Course,
}

/// How a test goes as a whole.
#[derive(Debug, Default)]
pub struct Course {
    /// The tests that must pass before: indices into [`Spec::tests`].
    pub needs: Vec<usize>,
    /// It runs only where this is true.
    pub condition: Option<Expression>,
    /// For how long it is made again and again.
    pub lasting: Option<Lasting>,
    /// When the whole of it is made again.
    pub retry: Option<Retry>,
    /// The longest that it may take in all, its teardown left aside.
    pub timeout: Option<Duration>,
    /// Whether no further test of the spec is made unless it passes.
    pub stops: bool,
    /// Whether it may overlap others although it acts on the bench.
    pub parallel: bool,
}

/// A test that is made again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting {
    /// It begins once more until this has passed.
    pub time: Duration,
    /// From one beginning to the next.
    pub every: Duration,
}

impl Test {
    /// Its steps in the order of its parts: setup, its own, teardown, recovery.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.setup.iter().chain(&self.steps).chain(&self.teardown).chain(&self.recover)
    }

    pub(super) fn all_steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        let parts = [&mut self.setup, &mut self.steps, &mut self.teardown, &mut self.recover];
        parts.into_iter().flatten()
    }

    /// The names under which it saves values.
    pub fn saves(&self) -> impl Iterator<Item = &str> {
        self.all_steps().flat_map(Step::checks).filter_map(|check| check.save.as_deref())
    }

    /// The names of the saved values that it uses.
    pub fn uses(&self) -> impl Iterator<Item = &str> {
        let expressions = self.all_steps().flat_map(Step::expressions);
        let expressions = expressions.chain(&self.course.condition);
        expressions.flat_map(|expression| &expression.saved).map(String::as_str)
    }

    /// Whether nothing else of its record may run at the same time (rule of overlap: a test that
    /// writes, prompts, waits, runs a command or sends raw frames).
    pub fn runs_alone(&self) -> bool {
        let is_alone = |step: &Step| !matches!(step.action, Action::Read(_) | Action::Compute(_));
        let acts = self.all_steps().any(is_alone) || self.course.lasting.is_some();
        self.phase != Phase::Main || (acts && !self.course.parallel)
    }
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// What governs it.
    pub flow: Flow,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Reads that are judged: one check for each point named.
    Read(Vec<Check>),
    /// An expression that is judged.
    Compute(Box<Check>),
    /// A pause.
    Wait(Wait),
    /// A new connection.
    Reconnect(Reconnect),
    /// Values for points.
    Write(Box<Write>),
    /// A program.
    Run(Box<Run>),
    /// A question to the operator.
    Prompt(Box<Prompt>),
}

/// What governs a step, whatever it does.
#[derive(Debug, Default)]
pub struct Flow {
    /// It runs only where this is true.
    pub condition: Option<Expression>,
    /// The longest that it may take in all.
    pub timeout: Option<Duration>,
    /// Whether nothing more of its test is done unless it passes.
    pub stops: bool,
}

impl Flow {
    /// Of a step that nothing governs.
    pub const PLAIN: Self = Self { condition: None, timeout: None, stops: false };

    /// Whether nothing governs the step.
    pub fn is_plain(&self) -> bool {
        self.condition.is_none() && self.timeout.is_none() && !self.stops
    }
}

/// A pause between steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Its name in the record.
    pub name: String,
    /// How long.
    pub time: Duration,
}

/// A line that is closed and opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconnect {
    /// Its name in the record.
    pub name: String,
    /// A device on the line: index into [`Spec::devices`].
    pub device: usize,
}

/// A judged step, or one point of it.
#[derive(Debug)]
pub struct Check {
    /// `device.point`, or the name that the step gives; unique in its test.
    pub name: String,
    /// What is judged.
    pub subject: Subject,
    /// What it must satisfy.
    pub criteria: Criteria,
    /// Requirement ids of the step alone.
    pub verifies: Vec<String>,
    /// The step's own retry; without it the device's.
    pub retry: Option<Retry>,
    /// The name under which later expressions find the value.
    pub save: Option<String>,
    /// When it is looked at, and how often.
    pub timing: Timing,
    /// How far apart its points may be read.
    pub max_skew: Option<Duration>,
}

impl Check {
    /// Every expression in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let subject = match &self.subject {
            Subject::Expression { expression, .. } => Some(expression),
            Subject::Read(_) | Subject::Told(_) => None,
        };
        subject.into_iter().chain(self.criteria.expressions())
    }
}

/// What a check looks at.
#[derive(Debug)]
pub enum Subject {
    /// A point, or a stretch of a table typed on the spot.
    Read(Read),
    /// An expression over points and variables.
    Expression {
        /// What is computed.
        expression: Expression,
        /// The measuring unit of the result.
        unit: Option<Arc<str>>,
    },
    /// What an action tells that is no read.
    Told(Told),
}

/// A read of one stretch of one table, or of one place beyond the tables.
#[derive(Debug, Clone)]
pub struct Read {
    /// Index into [`Spec::devices`].
    pub device: usize,
    /// What is asked for.
    pub location: Location,
    /// How it is decoded; absent where only the kind of answer is judged.
    pub point: Option<Arc<Point>>,
}

/// An expression whose names are bound.
#[derive(Debug)]
pub struct Expression {
    /// What is computed.
    pub text: crate::expression::Expression,
    /// The points it names, each once.
    pub points: Vec<NamedPoint>,
    /// The values of the variables it names.
    pub constants: BTreeMap<String, Value>,
    /// The saved values it names.
    pub saved: BTreeSet<String>,
    /// What it can come to.
    pub domain: Domain,
}

/// A point as an expression names it.
#[derive(Debug, Clone)]
pub struct NamedPoint {
    /// `device.point`.
    pub name: String,
    /// Index into [`Spec::devices`].
    pub device: usize,
    /// The point.
    pub point: Arc<Point>,
}

impl Device {
    /// It as its spec says that it begins; chance comes from the seed, and its clocks begin with
    /// `host`.
    pub fn simulated(&self, seed: u64, host: Timestamp) -> passline_simulator::device::Device {
        let Simulation { image, mut faults, script, access, unit_ids, .. } =
            self.simulation.clone();
        faults.extend(self.limits());
        let seed = Seed::of_device(seed, &self.name);
        let device = passline_simulator::device::Device::new(image).with_faults(faults, seed);
        let device = device.with_access(access).with_unit_ids(unit_ids);
        match script {
            Some(script) => device.with_script(script, seed, host),
            None => device,
        }
    }

    /// What its type does not allow, as its simulation shows it.
    fn limits(&self) -> impl Iterator<Item = Fault> {
        let always = |kind, function| Fault {
            kind,
            scope: Scope { function, ..Scope::default() },
            trigger: Trigger::default(),
        };
        let place = self.line.as_ref().map(|line| line.address.place());
        let connects = place.is_none_or(|at| matches!(at, Place::Tcp { .. } | Place::Tls { .. }));
        let idle_close = self.idle_close.filter(|by| !by.is_zero());
        let idle_close = idle_close.map(|by| ConnectionFault::IdleClose { by });
        let max_clients = self.max_clients.map(|count| {
            let beyond = Beyond::default();
            ConnectionFault::MaxClients { count, beyond }
        });
        let connections = idle_close.into_iter().chain(max_clients).filter(move |_| connects);
        let connections = connections.map(move |fault| always(fault.into(), None));
        let Manner { function, bits } = self.manner;
        let refused = function.refused().iter().chain(bits.refused()).map(move |function| {
            let code = ExceptionCode::IllegalFunction;
            always(RequestFault::Exception { code }.into(), Some(*function))
        });
        connections.chain(refused)
    }
}
