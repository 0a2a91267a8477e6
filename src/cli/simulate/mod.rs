//! `passline simulate`: the devices of specs, simulator files and profiles, served until interrupted.

mod control;
mod line;
mod live;
mod log;

use std::error::Error;
use std::sync::Arc;

use jiff::Timestamp;
use passline_modbus::address::Place;
use passline_simulator::access::strangers;
use passline_simulator::endpoint::{Clock, Endpoint, Event};
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::control::{Bench, Seat};
use self::line::{Unit, Watched};
use self::live::{Live, View};
pub(super) use self::log::Log;
use self::log::Writer;
use super::arguments::SimulateArguments;
use super::check::load_simulated;
use super::exit::Exit;
use super::hold;
use super::signals::Signals;
use super::terminal;
use crate::engine::{self, Beginning};
use crate::record::draw_seed;
use crate::simulation::{BindError, Bound, Line, Listen, bind, lines, places};
use crate::spec::model::Spec;

/// Runs the command.
pub(super) fn simulate(arguments: &SimulateArguments) -> Exit {
    let Some(loaded) = load_simulated(&arguments.specs) else { return Exit::Usage };
    let seed = match arguments.seed.map_or_else(draw_seed, Ok) {
        Ok(seed) => seed,
        Err(error) => {
            return failed(&format!("no random numbers for a seed: {error}"), Exit::Error);
        }
    };
    raise_descriptors();
    let specs: Arc<[Spec]> = loaded.specs.into();
    let lines = match lines(&specs) {
        Ok(lines) => lines,
        Err(text) => return failed(&text, Exit::Usage),
    };
    let places = match places(&lines, &arguments.listen) {
        Ok(places) => places,
        Err(text) => return failed(&text, Exit::Usage),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(serve(&specs, &lines, &places, (arguments, seed))));
    match served {
        Ok(exit) => exit,
        Err(error) => failed(&error.to_string(), Exit::Error),
    }
}

/// Every port and every connection takes a file descriptor, and a program begins with few of those
/// that it may have.
#[cfg(unix)]
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is not allowed, what there is has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
fn raise_descriptors() {}

fn failed(text: &str, exit: Exit) -> Exit {
    terminal::aside(&format!("error: {text}"));
    exit
}

/// Whoever watches the links.
#[derive(Clone)]
struct Watchers {
    links: Arc<[Watched]>,
    logs: Arc<[Writer]>,
    live: Option<Arc<Live>>,
}

impl Watchers {
    fn tell(&self, index: usize, event: &Event<'_>) {
        let Some(link) = self.links.get(index) else { return };
        self.logs.iter().for_each(|log| log.write(index, link, event));
        if let Some(live) = &self.live {
            live.see(index, event);
        }
    }

    /// The devices of the line of this index, told to those who watch.
    fn endpoint(
        &self,
        (index, line): (usize, &Line<'_>),
        beginning: Beginning,
        clock: &Clock,
    ) -> Endpoint {
        let devices = engine::simulation(&line.devices, beginning);
        if self.logs.is_empty() && self.live.is_none() {
            return Endpoint::new(devices, clock.clone());
        }
        let watchers = self.clone();
        Endpoint::observed(devices, clock.clone(), move |event| watchers.tell(index, event))
    }
}

/// A line as whoever watches it knows it, once it is served.
fn watched(line: &Line<'_>, place: &Listen, bound: &Bound) -> Watched {
    let units = line.devices.iter().map(|device| (device.unit_id, Unit::of(device)));
    let ids = line.devices.iter().map(|device| (device.unit_id, &device.simulation.unit_ids));
    Watched {
        name: line.name.clone(),
        url: bound.url.clone(),
        framing: place.address().framing(),
        datagrams: matches!(place.address().place(), Place::Udp { .. }),
        units: units.collect(),
        strangers: strangers(ids),
    }
}

/// Listens for every line, and serves until interrupted.
async fn serve(
    specs: &Arc<[Spec]>,
    lines: &[Line<'_>],
    places: &[Listen],
    (arguments, seed): (&SimulateArguments, u64),
) -> Result<Exit, Box<dyn Error>> {
    let real = places.iter().filter(|place| !place.is_pty()).map(Listen::address);
    let mut signals = Signals::new()?;
    let _ports = match hold::lines_unless(real, &arguments.lock, &mut signals).await {
        Ok(ports) => ports,
        Err(exit) => return Ok(exit),
    };
    let beginning = Beginning { seed, host: Timestamp::now(), at: Instant::now() };
    let clock = Clock::scaled(beginning.at, arguments.time_scale);
    let mut bound = Vec::new();
    for place in places {
        bound.push(bind(place).await?);
    }
    let control = match arguments.control {
        Some(address) => Some(
            TcpListener::bind(address)
                .await
                .map_err(|source| BindError::Port { url: format!("http://{address}"), source })?,
        ),
        None => None,
    };
    let places = lines.iter().zip(places).zip(&bound);
    let links: Arc<[Watched]> =
        places.map(|((line, place), bound)| watched(line, place, bound)).collect();
    let logs = arguments.log.iter().map(|log| log.create(&links));
    let logs: Arc<[Writer]> = logs.collect::<Result<_, _>>()?;
    let sees = !arguments.quiet && Live::has_terminal();
    let live = sees.then(|| Arc::new(Live::new(Arc::clone(&links))));
    let watchers = Watchers { links, logs, live };
    let mut serving = JoinSet::new();
    // The endpoints end what they serve when they are dropped, and the names go with them.
    let mut served = Vec::new();
    for (index, (line, Bound { listener, name, .. })) in lines.iter().zip(bound).enumerate() {
        let endpoint = Arc::new(watchers.endpoint((index, line), beginning, &clock));
        serving.spawn(endpoint.serve(listener, std::future::pending()));
        served.push((endpoint, name));
    }
    for link in &*watchers.links {
        let units: Vec<String> = link.units.keys().map(u8::to_string).collect();
        let units = units.join(",");
        terminal::line(&format!("listening on {} for {} units {units}", link.url, link.name));
    }
    if let Some(listener) = control {
        terminal::line(&format!("control on http://{}", listener.local_addr()?));
        let endpoints = served.iter().map(|(endpoint, _)| endpoint);
        let seats = seats(specs, lines, endpoints.zip(&*watchers.links));
        let bench = Bench { specs: Arc::clone(specs), seats, clock, seed };
        serving.spawn(control::serve(listener, bench));
    }
    let endpoints = || served.iter().map(|(endpoint, _)| Arc::clone(endpoint)).collect();
    let view = watchers.live.clone().map(|live| View::open(live, endpoints())).transpose()?;
    signals.next().await;
    drop(view);
    match watchers.logs.iter().find(|log| !log.is_whole()) {
        Some(log) => Err(format!("{}: not all of the log could be written", log.path()).into()),
        None => Ok(Exit::Pass),
    }
}

/// Where each device of the specs is served.
fn seats<'a>(
    specs: &[Spec],
    lines: &[Line<'_>],
    served: impl Iterator<Item = (&'a Arc<Endpoint>, &'a Watched)>,
) -> Vec<Seat> {
    let lines: Vec<_> = lines.iter().zip(served).collect();
    let mut seats = Vec::new();
    for (spec_index, spec) in specs.iter().enumerate() {
        for (index, device) in spec.devices.iter().enumerate() {
            let is_on = |line: &Line<'_>| line.devices.iter().any(|on| std::ptr::eq(*on, device));
            let found = lines.iter().find(|(line, _)| is_on(line));
            seats.extend(found.map(|(_, (endpoint, link))| Seat {
                place: (spec_index, index),
                endpoint: Arc::clone(endpoint),
                link: link.name.clone(),
                url: link.url.clone(),
            }));
        }
    }
    seats
}
