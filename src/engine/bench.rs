//! The lines of a run: real ones and simulated ones, each shared by the devices on it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use passline_modbus::address::{Address, Place};
use passline_modbus::link::{Bus, Discipline, InFlight, Link, Options};
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::Seed;
use tokio::time::Instant;

use super::frames::Frames;
use super::{Emit, Simulate};
use crate::plan::Plan;
use crate::spec::model::{Device, Spec};

/// Every device of the run, and the line it is on.
pub(super) struct Bench {
    /// By record, then by device.
    seats: Vec<Vec<Option<Seat>>>,
}

/// Where a device is.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) link: Link,
    pub(super) frames: Frames,
    /// What the record calls the line.
    pub(super) name: Arc<str>,
    pub(super) unit_id: u8,
    pub(super) in_flight: InFlight,
}

/// What tells lines apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Real(Place),
    Simulated(Owner, Option<Place>, String),
}

/// Whose a simulated line is: its devices begin as that spec says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Record(usize),
    /// What slots share is one thing for all records of a spec.
    Spec(PathBuf),
}

/// A device without a link has a line of its own where it is simulated.
fn key((record, spec): (usize, &Spec), device: &Device, simulated: bool) -> Key {
    let owner =
        if device.shared { Owner::Spec(spec.file.file.clone()) } else { Owner::Record(record) };
    match &device.line {
        Some(line) if !simulated => Key::Real(line.place.clone()),
        Some(line) => Key::Simulated(owner, Some(line.place.clone()), String::new()),
        None => Key::Simulated(owner, None, device.name.clone()),
    }
}

/// A line before it is opened.
struct Draft<'s> {
    name: Arc<str>,
    address: Option<Address>,
    members: Vec<&'s Device>,
}

impl Bench {
    /// The lines of these plans; nothing is opened before it is needed.
    pub(super) fn new(
        plans: &[Plan<'_>],
        simulate: &Simulate,
        beginning: Beginning,
        emit: &Emit,
    ) -> Self {
        let mut drafts: HashMap<Key, Draft<'_>> = HashMap::new();
        let mut order = Vec::new();
        for (record, plan) in plans.iter().enumerate() {
            for device in &plan.spec.devices {
                let key = key((record, plan.spec), device, simulate.includes(device));
                let draft = drafts.entry(key.clone()).or_insert_with(|| {
                    order.push(key);
                    let name = device.line.as_ref().map_or(&device.name, |line| &line.name);
                    let address = device.line.as_ref().map(|line| line.address.clone());
                    Draft { name: name.as_str().into(), address, members: Vec::new() }
                });
                draft.members.push(device);
            }
        }
        let mut lines: HashMap<Key, Seat> = HashMap::new();
        for key in order {
            let Some(draft) = drafts.remove(&key) else { continue };
            let frames = Frames::new(emit.clone(), beginning.at);
            let line = open(&key, &draft, (beginning, simulate), frames);
            lines.insert(key, line);
        }
        let seat = |record: usize, spec: &Spec, device: &Device| {
            let key = key((record, spec), device, simulate.includes(device));
            lines.get(&key).map(|line| Seat { unit_id: device.unit_id, ..line.clone() })
        };
        let seats = plans.iter().enumerate().map(|(record, plan)| {
            plan.spec.devices.iter().map(|device| seat(record, plan.spec, device)).collect()
        });
        Self { seats: seats.collect() }
    }

    /// Where a device is.
    pub(super) fn seat(&self, record: usize, device: usize) -> Option<&Seat> {
        self.seats.get(record)?.get(device)?.as_ref()
    }

    /// Tells what is still under way on the lines, and nothing more from then on.
    pub(super) fn seal(&self) {
        self.seats.iter().flatten().flatten().for_each(|seat| seat.frames.seal());
    }

    /// Closes every line cleanly.
    pub(super) async fn close(&self) {
        for seat in self.seats.iter().flatten().flatten() {
            seat.link.close().await;
        }
    }
}

/// Opens one line: its first call connects.
fn open(
    key: &Key,
    draft: &Draft<'_>,
    (beginning, simulate): (Beginning, &Simulate),
    frames: Frames,
) -> Seat {
    let mut options = options(draft);
    let observer = frames.clone();
    let observe = move |event: passline_modbus::link::Event<'_>| observer.observe(&event);
    let link = if let (Key::Real(_), Some(address)) = (key, &draft.address) {
        Link::open(address, options, observe)
    } else {
        options.discipline = in_memory(options.discipline);
        let mut devices = simulation(&draft.members, beginning);
        for member in &draft.members {
            let Some(alteration) = simulate.alteration(&member.name) else { continue };
            if let Some(device) = devices.remove(&member.unit_id) {
                let seed = Seed::of_device(beginning.seed, &member.name);
                devices.insert(member.unit_id, alteration.of(device, seed));
            }
        }
        let endpoint = Endpoint::new(devices, beginning.at);
        let framing = draft.address.as_ref().map(Address::framing).unwrap_or_default();
        let wire = Wire::instant(framing);
        let connect = move || {
            let stream = endpoint.try_connect_by(wire);
            async move { stream }
        };
        Link::spawn(connect, options, observe)
    };
    let in_flight = options.in_flight;
    Seat { link, frames, name: Arc::clone(&draft.name), unit_id: 0, in_flight }
}

/// How the line is to be treated: its own options, else what the most delicate of its devices
/// needs.
fn options(draft: &Draft<'_>) -> Options {
    let mut options = draft.address.as_ref().map_or_else(Options::default, Options::of);
    let own = draft.address.as_ref().map(|address| address.overrides().clone()).unwrap_or_default();
    let members = || draft.members.iter();
    let least = members().map(|device| device.in_flight.unwrap_or_default()).min();
    let pause = members().filter_map(|device| device.pause).max();
    let after_connect = members().filter_map(|device| device.pause_after_connect).max();
    options.in_flight = own.in_flight.or(least).unwrap_or(options.in_flight);
    options.pause = own.pause.or(pause).unwrap_or(options.pause);
    options.pause_after_connect =
        own.pause_after_connect.or(after_connect).unwrap_or(options.pause_after_connect);
    let idle_close = members().filter_map(|device| device.idle_close).min();
    options.idle_close = own.idle_close.or(idle_close);
    // The same for all of them: else the spec is refused.
    options.tolerance = members().map(|device| device.tolerance).next().unwrap_or_default();
    options
}

/// The discipline of a line that is simulated within this process: bytes take no time there, each
/// frame comes whole, and no adapter repeats what is sent.
fn in_memory(discipline: Discipline) -> Discipline {
    let bare = |bus| Bus { pace: None, echo: false, ..bus };
    match discipline {
        Discipline::Mbap | Discipline::Datagrams => Discipline::Mbap,
        Discipline::Rtu(bus) => Discipline::Rtu(bare(bus)),
        Discipline::Ascii(bus) => Discipline::Ascii(bare(bus)),
    }
}

/// What the simulated devices of a run begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    /// Where their chances come from.
    pub(crate) seed: u64,
    /// What their clocks show.
    pub(crate) host: Timestamp,
    /// When they begin.
    pub(crate) at: Instant,
}

/// The devices of a line as their specs say that they begin.
pub(crate) fn simulation(
    members: &[&Device],
    beginning: Beginning,
) -> BTreeMap<u8, passline_simulator::device::Device> {
    let Beginning { seed, host, .. } = beginning;
    let mut devices = BTreeMap::new();
    for device in members {
        // What slots share is named by each of them.
        devices.entry(device.unit_id).or_insert_with(|| device.simulated(seed, host));
    }
    devices
}
