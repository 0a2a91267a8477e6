//! A simulated line for the tests of any program: started with one call, on a thread of its own, so
//! that tests may be asynchronous or not; stopped when it is dropped.

mod asked;
mod place;
mod unit;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::device::{Device, Statistics};
use crate::endpoint::{Clock, Endpoint, What};
use crate::fault::{Fault, Seed};
use asked::Record;
pub use asked::{Asked, NotAsked};
use passline_modbus::value::Value;
pub use place::{Opened, Place};
pub use unit::{NoSuch, SetError, Setting, Unit};

/// A line that is served until this is dropped. Its port is free again when that returns.
///
/// Nothing of it waits but [`Self::wait_for`], so it is used alike in asynchronous tests.
#[derive(Debug)]
pub struct Simulator {
    endpoint: Arc<Endpoint>,
    units: BTreeMap<u8, unit::Points>,
    url: String,
    clock: Clock,
    record: Arc<Record>,
    /// Gone when the line is to end.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Serves units with Modbus TCP, at any free port of this machine. A unit is a [`Device`], or one
    /// with named points: a [`Unit`].
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn start<U: Into<Unit>>(units: impl IntoIterator<Item = (u8, U)>) -> io::Result<Self> {
        Self::start_on(Place::default(), units)
    }

    /// As [`Self::start`], on another kind of line.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn start_on<U: Into<Unit>>(
        place: Place,
        units: impl IntoIterator<Item = (u8, U)>,
    ) -> io::Result<Self> {
        Self::serve(units, Instant::now(), move || place.open())
    }

    /// Serves units by this clock on whatever `open` opens, which is called on the thread that
    /// serves.
    ///
    /// # Errors
    ///
    /// What `open` says, or the system.
    pub fn serve<U, F, O, E>(
        units: impl IntoIterator<Item = (u8, U)>,
        clock: impl Into<Clock>,
        open: F,
    ) -> Result<Self, E>
    where
        U: Into<Unit>,
        F: FnOnce() -> O + Send + 'static,
        O: Future<Output = Result<Opened, E>>,
        E: From<io::Error> + Send + 'static,
    {
        let units = units.into_iter().map(|(unit_id, unit)| (unit_id, unit.into().parts()));
        let (mut devices, mut points) = (BTreeMap::new(), BTreeMap::new());
        for (unit_id, (device, named)) in units {
            devices.insert(unit_id, device);
            points.insert(unit_id, named);
        }
        let (clock, record) = (clock.into(), Arc::new(Record::default()));
        let told = Arc::clone(&record);
        let endpoint = Endpoint::observed(devices, clock.clone(), move |event| {
            if let What::Transaction(transaction) = &event.what {
                told.push(Asked::of(transaction));
            }
        });
        let endpoint = Arc::new(endpoint);
        let served = Arc::clone(&endpoint);
        let (alive, mut ended) = oneshot::channel::<()>();
        let (ready, opened) = channel();
        let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.into()))),
            };
            runtime.block_on(async {
                let Opened { listener, url, name } = match open().await {
                    Ok(opened) => opened,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                if ready.send(Ok(url)).is_ok() {
                    let stop = async { drop((&mut ended).await) };
                    served.serve(listener, stop).await;
                }
                drop(name);
            });
        })?;
        let gone = || io::Error::other("the thread of the simulator has ended");
        let url = opened.recv().map_err(|_| gone())??;
        let (alive, thread) = (Some(alive), Some(thread));
        Ok(Self { endpoint, units: points, url, clock, record, alive, thread })
    }

    /// What a client connects to: `tcp://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same without its scheme: `127.0.0.1:40123`, or the path of a terminal.
    pub fn address(&self) -> &str {
        self.url.split_once("://").map_or(self.url.as_str(), |(_, address)| address)
    }

    /// The unit of this id.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn unit(&self, unit_id: u8) -> Result<Served<'_>, NoSuch> {
        let there = || self.units.keys().map(u8::to_string).collect();
        match self.units.get(&unit_id) {
            Some(points) => Ok(Served { simulator: self, unit_id, points }),
            None => Err(NoSuch::new("unit", unit_id.to_string(), there())),
        }
    }

    /// What was asked so far, and what was answered: the newest 65,536, in their order.
    pub fn requests(&self) -> Vec<Asked> {
        self.record.all()
    }

    /// Forgets what was asked so far.
    pub fn forget_requests(&self) {
        self.record.forget();
    }

    /// The first request of which this is true: of those that there were since they were forgotten
    /// last, else of those that come. It blocks: in asynchronous tests see [`Self::asked`].
    ///
    /// # Errors
    ///
    /// There was none within this time.
    pub fn wait_for(
        &self,
        time: Duration,
        is_it: impl Fn(&Asked) -> bool,
    ) -> Result<Asked, NotAsked> {
        self.record.wait(time, is_it)
    }

    /// As [`Self::wait_for`], for asynchronous tests on any runtime: it waits for ever, so put it in
    /// your runtime's timeout.
    pub async fn asked(&self, is_it: impl Fn(&Asked) -> bool) -> Asked {
        self.record.asked(is_it).await
    }

    /// How long it has run, by its own clock.
    fn elapsed(&self) -> Duration {
        self.clock.elapsed(Instant::now())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic, and there is nobody to tell.
            let _ = thread.join();
        }
    }
}

/// A unit of a simulator that runs.
#[derive(Debug, Clone, Copy)]
pub struct Served<'s> {
    simulator: &'s Simulator,
    unit_id: u8,
    points: &'s unit::Points,
}

impl Served<'_> {
    /// Its unit id.
    pub fn unit_id(&self) -> u8 {
        self.unit_id
    }

    /// Gives a point another value, whether clients may write it or not.
    ///
    /// # Errors
    ///
    /// There is no such point, or it cannot be that.
    pub fn set(&self, point: &str, value: impl Into<Setting>) -> Result<(), SetError> {
        let held = self.points.get(point)?;
        let value = value.into().value();
        let elapsed = self.simulator.elapsed();
        let mut put = Ok(());
        self.with(|device| {
            device.advance(elapsed);
            let factor = held.factor.as_ref().and_then(|point| device.image().value(point, None));
            put = device.image_mut().put(&held.point, factor.as_ref(), &value);
        });
        put.map_err(|source| SetError::Put {
            point: point.to_owned(),
            value: value.into(),
            source: source.into(),
        })
    }

    /// What a client would read of a point now; `None` if what is there is no value.
    ///
    /// # Errors
    ///
    /// There is no such point.
    pub fn value(&self, point: &str) -> Result<Option<Value>, NoSuch> {
        let held = self.points.get(point)?;
        let elapsed = self.simulator.elapsed();
        let mut value = None;
        self.with(|device| {
            device.show(elapsed);
            value = held.read(device.image());
        });
        Ok(value)
    }

    /// Gives it one more fault, which counts from now on.
    pub fn add_fault(&self, fault: Fault) {
        let seed = Seed::of_device(0, &self.unit_id.to_string());
        self.with(|device| device.add_fault(fault, seed));
    }

    /// Takes all of its faults away.
    pub fn clear_faults(&self) {
        self.with(Device::clear_faults);
    }

    /// How much it was asked and has answered.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        self.with(|device| statistics = device.statistics());
        statistics
    }

    /// Looks at or changes the device itself, between two requests.
    pub fn with(&self, look: impl FnOnce(&mut Device)) {
        // The unit was there when this was made, and units do not leave.
        let _ = self.simulator.endpoint.with_device(self.unit_id, look);
    }
}
