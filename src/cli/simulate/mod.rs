//! `passline simulate`: the devices of specs, simulator files and profiles, served until interrupted.

mod bind;
mod control;
mod line;
mod listen;
mod log;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use jiff::Timestamp;
use passline_modbus::address::{Address, Place};
use passline_simulator::endpoint::{Clock, Endpoint};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::bind::{BindError, Bound, bind};
use self::control::{Bench, Seat};
use self::line::{Unit, Watched};
pub(super) use self::listen::Listen;
pub(super) use self::log::Log;
use self::log::Writer;
use super::arguments::SimulateArguments;
use super::check::load_simulated;
use super::exit::Exit;
use super::signals::Signals;
use super::terminal;
use crate::engine::{self, Beginning};
use crate::record::draw_seed;
use crate::spec::model::{Device, Spec};

/// Runs the command.
pub(super) fn simulate(arguments: &SimulateArguments) -> Exit {
    let Some(loaded) = load_simulated(&arguments.specs) else { return Exit::Usage };
    let seed = match arguments.seed.map_or_else(draw_seed, Ok) {
        Ok(seed) => seed,
        Err(error) => {
            return failed(&format!("no random numbers for a seed: {error}"), Exit::Error);
        }
    };
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
        Ok(()) => Exit::Pass,
        Err(error) => failed(&error.to_string(), Exit::Error),
    }
}

fn failed(text: &str, exit: Exit) -> Exit {
    terminal::aside(&format!("error: {text}"));
    exit
}

/// A link of the specs and the devices on it.
struct Line<'s> {
    name: String,
    /// Where it is said to be.
    address: Option<Address>,
    devices: Vec<&'s Device>,
}

impl Line<'_> {
    /// Its devices, told to the logs if there are any.
    fn endpoint(
        &self,
        beginning: Beginning,
        clock: &Clock,
        (index, links, logs): (usize, &Arc<[Watched]>, &Arc<[Writer]>),
    ) -> Endpoint {
        let devices = engine::simulation(&self.devices, beginning);
        if logs.is_empty() {
            return Endpoint::new(devices, clock.clone());
        }
        let (links, logs) = (Arc::clone(links), Arc::clone(logs));
        Endpoint::observed(devices, clock.clone(), move |event| {
            let Some(link) = links.get(index) else { return };
            logs.iter().for_each(|log| log.write(index, link, event));
        })
    }

    /// It as whoever watches it knows it, once it is served.
    fn watched(&self, place: &Listen, bound: &Bound) -> Watched {
        let units = self.devices.iter().map(|device| (device.unit_id, Unit::of(device)));
        Watched {
            name: self.name.clone(),
            url: bound.url.clone(),
            framing: place.address().framing(),
            datagrams: matches!(place.address().place(), Place::Udp { .. }),
            units: units.collect(),
        }
    }
}

/// The links in file order. Two specs may speak of the same unit only in the same words.
fn lines(specs: &[Spec]) -> Result<Vec<Line<'_>>, String> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for device in specs.iter().flat_map(|spec| &spec.devices) {
        let (key, name) = match &device.line {
            Some(line) => (line.place.to_string(), line.name.clone()),
            None => (device.name.clone(), device.name.clone()),
        };
        let index = *places.entry(key).or_insert_with(|| {
            let address = device.line.as_ref().map(|line| line.address.clone());
            lines.push(Line { name, address, devices: Vec::new() });
            lines.len() - 1
        });
        let Some(line) = lines.get_mut(index) else { continue };
        if let Some(other) = line.devices.iter().find(|other| other.unit_id == device.unit_id) {
            return Err(format!(
                "{} and {} are both unit {} on {}\n  help: simulate their specs one at a time",
                other.name, device.name, device.unit_id, line.name
            ));
        }
        line.devices.push(device);
    }
    Ok(lines)
}

/// Where each line is served: as the command line says, else on its own kind of line.
fn places(lines: &[Line<'_>], listens: &[Listen]) -> Result<Vec<Listen>, String> {
    match listens {
        [] => lines.iter().map(own_place).collect(),
        [only] if lines.len() > 1 && !only.has_room_for_several() => {
            let text = "only one link can be served there: give --listen once for each link";
            Err(format!("{text}, in their order:{}", names(lines)))
        }
        [only] => (0..lines.len()).map(|index| only.nth(index)).collect(),
        several if several.len() == lines.len() => Ok(several.to_vec()),
        several => Err(format!(
            "--listen is given {} times; give it once, or once for each link, in their order:{}",
            several.len(),
            names(lines)
        )),
    }
}

fn own_place(line: &Line<'_>) -> Result<Listen, String> {
    let place = match &line.address {
        Some(address) => Listen::like(address),
        None => "tcp://127.0.0.1:0".parse(),
    };
    place.map_err(|error| format!("{}: {error}", line.name))
}

fn names(lines: &[Line<'_>]) -> String {
    lines.iter().flat_map(|line| ["\n  ", &line.name]).collect()
}

/// Listens for every line, and serves until interrupted.
async fn serve(
    specs: &Arc<[Spec]>,
    lines: &[Line<'_>],
    places: &[Listen],
    (arguments, seed): (&SimulateArguments, u64),
) -> Result<(), Box<dyn Error>> {
    let beginning = Beginning { seed, host: Timestamp::now(), at: Instant::now() };
    let clock = Clock::scaled(beginning.at, arguments.time_scale);
    let mut signals = Signals::new()?;
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
        places.map(|((line, place), bound)| line.watched(place, bound)).collect();
    let logs = arguments.log.iter().map(|log| log.create(&links));
    let logs: Arc<[Writer]> = logs.collect::<Result<_, _>>()?;
    let mut serving = JoinSet::new();
    // The endpoints end what they serve when they are dropped, and the names go with them.
    let mut served = Vec::new();
    for (index, (line, Bound { listener, name, .. })) in lines.iter().zip(bound).enumerate() {
        let endpoint = Arc::new(line.endpoint(beginning, &clock, (index, &links, &logs)));
        serving.spawn(endpoint.serve(listener, std::future::pending()));
        served.push((endpoint, name));
    }
    for link in &*links {
        let units: Vec<String> = link.units.keys().map(u8::to_string).collect();
        let units = units.join(",");
        terminal::line(&format!("listening on {} for {} units {units}", link.url, link.name));
    }
    if let Some(listener) = control {
        terminal::line(&format!("control on http://{}", listener.local_addr()?));
        let endpoints = served.iter().map(|(endpoint, _)| endpoint);
        let seats = seats(specs, lines, endpoints.zip(&*links));
        let bench = Bench { specs: Arc::clone(specs), seats, clock, seed };
        serving.spawn(control::serve(listener, bench));
    }
    signals.next().await;
    match logs.iter().find(|log| !log.is_whole()) {
        Some(log) => Err(format!("{}: not all of the log could be written", log.path()).into()),
        None => Ok(()),
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
