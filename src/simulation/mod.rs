//! Specs, profiles and simulator files as lines that are served, and all of that for a test of any
//! program with one call. `passline simulate` serves the same to whoever it may concern.
//!
//! ```
//! use std::time::Duration;
//!
//! use passline::simulation::Simulation;
//! use passline_modbus::pdu::Request;
//! # use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bench = Simulation::of_text(
//!     "simulator: bench
//! devices:
//!   meter:
//!     points: { voltage: { input: 0, type: i16, scale: 0.1, unit: V } }
//!     simulate: { values: { voltage: 230.4 } }
//! ",
//! )?;
//! let meter = bench.device("meter")?;
//! meter.set("voltage", 231.7)?;
//! meter.inject("{ fault: delay, by: 10ms, first: 1 }")?;
//!
//! // Whatever is under test is told `meter.address()` and `meter.unit_id()`.
//! # let mut client = std::net::TcpStream::connect(meter.address())?;
//! # client.write_all(&[0, 7, 0, 0, 0, 6, 1, 4, 0, 0, 0, 1])?;
//! # let mut answer = [0; 11];
//! # client.read_exact(&mut answer)?;
//! # assert_eq!(answer[9..], 2317u16.to_be_bytes());
//! let read = Request::ReadInputRegisters(0, 1);
//! let asked = meter
//!     .wait_for(Duration::from_secs(5), |asked| asked.request.as_ref() == Some(&read))?;
//! assert_eq!(asked.faults[0].word(), "delay");
//! # Ok(())
//! # }
//! ```

mod bind;
mod line;
mod listen;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::value::Value;
use passline_simulator::Simulator;
use passline_simulator::device::Statistics;
use passline_simulator::fault::Seed;
use passline_simulator::simulator::{
    Asked, NoSuch, NotAsked, Opened, Served, SetError, Setting, Unit,
};
use tokio::time::Instant;

pub(crate) use bind::{BindError, Bound, bind};
pub(crate) use line::{Line, lines, places};
pub(crate) use listen::Listen;

use crate::engine::{self, Beginning};
use crate::language::diagnostic::Style;
use crate::spec::simulate::live;
use crate::spec::{self, Given, Loaded, Spec};

/// The devices of some files, served until this is dropped.
#[derive(Debug)]
pub struct Simulation {
    specs: Vec<Spec>,
    lines: Vec<Simulator>,
    /// By name: which of the specs, which of its devices, which line.
    seats: BTreeMap<String, (usize, usize, usize)>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The files are wrong: each mistake with its place and a remedy.
    #[error("{0}")]
    Files(String),
    /// The lines make no sense together.
    #[error("{0}")]
    Lines(String),
    /// Nothing can be served there.
    #[error("{0}")]
    Bind(String),
    /// The system does not allow it.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<BindError> for SimulationError {
    fn from(error: BindError) -> Self {
        Self::Bind(error.to_string())
    }
}

impl Simulation {
    /// Serves the devices of a simulator file, a spec or a profile, each link on its own kind of line:
    /// at a free port of this machine, or on a new pseudo-terminal. What is left to chance is the
    /// same each time.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, all of it, or what the system says.
    pub fn start(file: impl AsRef<Path>) -> Result<Self, SimulationError> {
        Self::serve(spec::simulated([file.as_ref()], &Given::new()))
    }

    /// As [`Self::start`], of a text that is such a file. What it names is found from the current
    /// folder on.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn of_text(text: &str) -> Result<Self, SimulationError> {
        Self::serve(spec::simulated_text(text))
    }

    fn serve(loaded: Loaded) -> Result<Self, SimulationError> {
        if loaded.diagnostics.has_errors() {
            let text = loaded.diagnostics.render(&loaded.sources, Style::Plain);
            return Err(SimulationError::Files(text.trim_end().to_owned()));
        }
        let specs = loaded.specs;
        let beginning = Beginning { seed: 0, host: Timestamp::now(), at: Instant::now() };
        let all = lines(&specs).map_err(SimulationError::Lines)?;
        let mut seats = BTreeMap::new();
        let mut served = Vec::new();
        for (index, (line, place)) in
            all.iter().zip(places(&all, &[]).map_err(SimulationError::Lines)?).enumerate()
        {
            for (spec_index, spec) in specs.iter().enumerate() {
                for (device_index, device) in spec.devices.iter().enumerate() {
                    if line.devices.iter().any(|on| std::ptr::eq(*on, device)) {
                        seats.insert(device.name.clone(), (spec_index, device_index, index));
                    }
                }
            }
            served.push(simulator(line, place, beginning)?);
        }
        drop(all);
        Ok(Self { specs, lines: served, seats })
    }

    /// The device of this name.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn device(&self, name: &str) -> Result<SimulatedDevice<'_>, NoSuch> {
        let found = self.seats.get(name).and_then(|(spec, device, line)| {
            let model = self.specs.get(*spec)?.devices.get(*device)?;
            let simulator = self.lines.get(*line)?;
            let served = simulator.unit(model.unit_id).ok()?;
            Some(SimulatedDevice { model, simulator, served })
        });
        let there = || self.seats.keys().cloned().collect();
        found.ok_or_else(|| NoSuch::new("device", name.to_owned(), there()))
    }
}

/// Serves a line.
fn simulator(
    line: &Line<'_>,
    place: Listen,
    beginning: Beginning,
) -> Result<Simulator, SimulationError> {
    let mut devices = engine::simulation(&line.devices, beginning);
    let units: Vec<(u8, Unit)> = line
        .devices
        .iter()
        .filter_map(|model| {
            let device = devices.remove(&model.unit_id)?;
            let points = model.map.points.values().map(Arc::clone);
            Some((model.unit_id, Unit::named(device, points)))
        })
        .collect();
    Simulator::serve(units, beginning.at, async move || {
        let Bound { listener, url, name } = bind(&place).await?;
        let name = name.map(|name| -> Box<dyn Send> { Box::new(name) });
        Ok(Opened { listener, url, name })
    })
}

/// A device of a simulation that runs.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedDevice<'s> {
    model: &'s spec::model::Device,
    simulator: &'s Simulator,
    served: Served<'s>,
}

impl SimulatedDevice<'_> {
    /// What a client connects to: `tcp://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        self.simulator.url()
    }

    /// The same without its scheme: `127.0.0.1:40123`, or the path of a terminal.
    pub fn address(&self) -> &str {
        self.simulator.address()
    }

    /// Its unit id.
    pub fn unit_id(&self) -> u8 {
        self.model.unit_id
    }

    /// Gives a point another value, whether clients may write it or not.
    ///
    /// # Errors
    ///
    /// There is no such point, or it cannot be that.
    pub fn set(&self, point: &str, value: impl Into<Setting>) -> Result<(), SetError> {
        self.served.set(point, value)
    }

    /// What a client would read of a point now; `None` if what is there is no value.
    ///
    /// # Errors
    ///
    /// There is no such point.
    pub fn value(&self, point: &str) -> Result<Option<Value>, NoSuch> {
        self.served.value(point)
    }

    /// Gives it one more fault, in the words of a spec: `{ fault: silent, first: 2 }`. It counts from
    /// now on.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what to do about it.
    pub fn inject(&self, fault: &str) -> Result<(), SimulationError> {
        let fault = live::fault(self.model, fault).map_err(SimulationError::Files)?;
        let seed = Seed::of_device(0, &self.model.name);
        self.served.with(|device| device.add_fault(fault, seed));
        Ok(())
    }

    /// Takes all of its faults away.
    pub fn clear_faults(&self) {
        self.served.clear_faults();
    }

    /// How much it was asked and has answered.
    pub fn statistics(&self) -> Statistics {
        self.served.statistics()
    }

    /// What it was asked so far: the newest of its line, in their order.
    pub fn requests(&self) -> Vec<Asked> {
        let all = self.simulator.requests().into_iter();
        all.filter(|asked| asked.unit_id == self.unit_id()).collect()
    }

    /// The first request to it of which this is true, of those that were or that come. It blocks: in
    /// asynchronous tests see [`Self::asked`].
    ///
    /// # Errors
    ///
    /// There was none within this time.
    pub fn wait_for(
        &self,
        time: Duration,
        is_it: impl Fn(&Asked) -> bool,
    ) -> Result<Asked, NotAsked> {
        let unit_id = self.unit_id();
        self.simulator.wait_for(time, |asked| asked.unit_id == unit_id && is_it(asked))
    }

    /// As [`Self::wait_for`], for asynchronous tests on any runtime: it waits for ever, so put it in
    /// your runtime's timeout.
    pub async fn asked(&self, is_it: impl Fn(&Asked) -> bool) -> Asked {
        let unit_id = self.unit_id();
        self.simulator.asked(|asked| asked.unit_id == unit_id && is_it(asked)).await
    }
}
