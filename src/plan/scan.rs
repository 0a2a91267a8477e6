//! Reads that go out together, and which check needs which of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use passline_modbus::planner::{self, Wanted};
use passline_modbus::point::{Location, Point};

use crate::spec::model::{Check, Device, NamedPoint, Read, Subject};
use crate::spec::retry::Retry;

/// Reads of any number of devices that go out together.
#[derive(Debug)]
pub struct Scan {
    /// What is read, each place of a device once.
    pub inputs: Vec<Input>,
    /// The transactions, device by device.
    pub batches: Vec<Batch>,
    /// What is judged when the reads are done.
    pub checks: Vec<ScanCheck>,
    /// The retry of the only check, where it has one of its own.
    pub retry: Option<Retry>,
}

/// One place to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Input {
    /// Index of the device.
    pub device: usize,
    /// What is asked for.
    pub location: Location,
    /// How it may be read.
    pub manner: Manner,
}

/// How a place may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Together with others.
    Merged,
    /// By itself: the point stands alone, or is cleared by reading.
    Alone,
    /// By itself and whatever its length: the kind of answer is judged.
    Probe,
}

impl Manner {
    fn of(point: &Point) -> Self {
        if point.alone() || point.clears_on_read() { Self::Alone } else { Self::Merged }
    }
}

/// The transactions of one device, in order.
#[derive(Debug)]
pub struct Batch {
    /// Index of the device.
    pub device: usize,
    /// Each read, and the inputs that it is for.
    pub reads: Vec<(Location, Vec<usize>)>,
}

/// A check and what it needs.
#[derive(Debug)]
pub struct ScanCheck {
    /// Index of its line in the test.
    pub line: usize,
    /// What it needs: for a read, its own point comes first.
    pub sources: Vec<Source>,
}

/// A point that a check needs.
#[derive(Debug)]
pub struct Source {
    /// What an expression calls it; the check's name for a read.
    pub name: String,
    /// How it is decoded; absent where only the kind of answer is judged.
    pub point: Option<Arc<Point>>,
    /// Index of its input.
    pub input: usize,
    /// The point that holds its power of ten, and the index of that input.
    pub scale_factor: Option<(Arc<Point>, usize)>,
}

/// What of which device a check reads: two parts of one server id are two points.
type Whole = (usize, Location, Option<u16>);

fn whole(read: &Read) -> Whole {
    (read.device, read.location, read.point.as_ref().and_then(|point| point.at()))
}

/// A scan that is being put together.
#[derive(Debug, Default)]
pub(super) struct Builder {
    inputs: Vec<Input>,
    known: HashMap<Input, usize>,
    /// The points that checks read here; a second read of one starts a new scan.
    read: HashSet<Whole>,
    checks: Vec<ScanCheck>,
    retry: Option<Retry>,
    /// Whether nothing else may join.
    closed: bool,
}

impl Builder {
    /// Whether the check may join what is there.
    pub(super) fn takes(&self, devices: &[Device], check: &Check) -> bool {
        if self.checks.is_empty() {
            return true;
        }
        let again = match &check.subject {
            Subject::Read(read) => self.read.contains(&whole(read)),
            Subject::Expression { .. } | Subject::Told(_) => false,
        };
        !self.closed && is_plain(devices, check) && !again
    }

    pub(super) fn add(&mut self, devices: &[Device], line: usize, check: &Check) {
        self.closed = !is_plain(devices, check);
        self.retry.clone_from(&check.retry);
        let mut sources = Vec::new();
        if let Subject::Read(read) = &check.subject {
            self.read.insert(whole(read));
            sources.push(self.source(devices, check.name.clone(), read));
        }
        for named in named_points(check) {
            let NamedPoint { name, device, point } = named;
            let read = Read { device, location: point.location(), point: Some(point) };
            sources.push(self.source(devices, name, &read));
        }
        self.checks.push(ScanCheck { line, sources });
    }

    fn source(&mut self, devices: &[Device], name: String, read: &Read) -> Source {
        let manner = read.point.as_deref().map_or(Manner::Probe, Manner::of);
        let input = self.input(Input { device: read.device, location: read.location, manner });
        let factor = read.point.as_ref().and_then(|point| point.scale_factor());
        let factor = factor.and_then(|name| devices.get(read.device)?.map.points.get(name));
        let scale_factor = factor.map(|factor| {
            let manner = Manner::of(factor);
            let input = Input { device: read.device, location: factor.location(), manner };
            (Arc::clone(factor), self.input(input))
        });
        Source { name, point: read.point.clone(), input, scale_factor }
    }

    fn input(&mut self, input: Input) -> usize {
        *self.known.entry(input).or_insert_with(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        })
    }

    /// The scan, if anything is in it; what follows starts afresh.
    pub(super) fn close(&mut self, devices: &[Device]) -> Option<Scan> {
        let Self { inputs, checks, retry, .. } = std::mem::take(self);
        if checks.is_empty() {
            return None;
        }
        let batches = batches(devices, &inputs);
        Some(Scan { inputs, batches, checks, retry })
    }
}

/// The reads for the points of an expression that no check makes: what a condition or a value to be
/// written needs. `None`: it names no point.
pub(super) fn of_points(devices: &[Device], line: usize, points: &[NamedPoint]) -> Option<Scan> {
    let mut open = Builder::default();
    let mut sources = Vec::with_capacity(points.len());
    for NamedPoint { name, device, point } in points {
        let (location, point) = (point.location(), Some(Arc::clone(point)));
        let read = Read { device: *device, location, point };
        sources.push(open.source(devices, name.clone(), &read));
    }
    if !sources.is_empty() {
        open.checks.push(ScanCheck { line, sources });
    }
    open.close(devices)
}

/// The reads for the points that the limits of a check name, where its own value is no read.
pub(super) fn of_limits(devices: &[Device], line: usize, check: &Check) -> Option<Scan> {
    of_points(devices, line, &named_points(check))
}

/// Whether a check may share its scan and its reads with others.
fn is_plain(devices: &[Device], check: &Check) -> bool {
    let read = match &check.subject {
        Subject::Read(read) => read,
        Subject::Expression { .. } | Subject::Told(_) => return false,
    };
    let repeats = || devices.get(read.device).is_some_and(|device| device.retry.repeats_values());
    read.point.is_some()
        && check.retry.is_none()
        && check.criteria.expressions().next().is_none()
        && !repeats()
}

/// The points that the expressions of a check name, each once.
fn named_points(check: &Check) -> Vec<NamedPoint> {
    let mut named: BTreeMap<String, NamedPoint> = BTreeMap::new();
    for point in check.expressions().flat_map(|expression| &expression.points) {
        named.insert(point.name.clone(), point.clone());
    }
    named.into_values().collect()
}

/// The fewest transactions for these inputs, device by device in the order of first use.
fn batches(devices: &[Device], inputs: &[Input]) -> Vec<Batch> {
    let mut order: Vec<usize> = Vec::new();
    let mut by_device: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, input) in inputs.iter().enumerate() {
        let of_device = by_device.entry(input.device).or_default();
        if of_device.is_empty() {
            order.push(input.device);
        }
        of_device.push(index);
    }
    let batch = |device: usize| {
        let members = by_device.remove(&device)?;
        let device_of = devices.get(device)?;
        Some(Batch { device, reads: reads(device_of, inputs, &members) })
    };
    order.into_iter().filter_map(batch).collect()
}

/// The reads of one device: those of its tables as its rules have it, then each place beyond them,
/// then what is only probed.
fn reads(device: &Device, inputs: &[Input], members: &[usize]) -> Vec<(Location, Vec<usize>)> {
    let mut planned = Vec::new();
    let (mut beyond, mut probes) = (Vec::new(), Vec::new());
    for index in members.iter().copied() {
        let Input { location, manner, .. } = inputs[index];
        match (manner, location) {
            (Manner::Probe, _) => probes.push((location, vec![index])),
            (_, Location::Table(span)) => {
                planned.push((index, Wanted { span, alone: manner == Manner::Alone }));
            }
            _ => beyond.push((location, vec![index])),
        }
    }
    let wanted: Vec<Wanted> = planned.iter().map(|(_, wanted)| *wanted).collect();
    let input = |at: usize| planned[at].0;
    let mut reads: Vec<(Location, Vec<usize>)> = match planner::plan(&wanted, &device.map.rules) {
        Ok(reads) => reads
            .into_iter()
            .map(|read| (read.span.into(), read.covers.into_iter().map(input).collect()))
            .collect(),
        // Longer than the device allows: the spec is refused for it before it comes here, except
        // for a stretch typed on the spot, which is then asked for as it stands.
        Err(_) => planned.iter().map(|(index, one)| (one.span.into(), vec![*index])).collect(),
    };
    reads.append(&mut beyond);
    reads.append(&mut probes);
    reads
}
