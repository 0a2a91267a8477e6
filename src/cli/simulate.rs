//! `passline simulate`: the devices of specs, served until interrupted.

use std::collections::BTreeMap;
use std::io;

use passline_modbus::address::{Address, Place};
use passline_simulator::endpoint::Endpoint;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::arguments::SimulateArguments;
use super::check::load;
use super::exit::Exit;
use super::signals::Signals;
use super::terminal;
use crate::engine;
use crate::record::draw_seed;
use crate::spec::Loaded;
use crate::spec::model::Device;

/// Runs the command.
pub(super) fn simulate(arguments: &SimulateArguments) -> Exit {
    let Some(loaded) = load(&arguments.specs) else { return Exit::Usage };
    let seed = match arguments.seed.map_or_else(draw_seed, Ok) {
        Ok(seed) => seed,
        Err(error) => {
            return failed(&format!("no random numbers for a seed: {error}"), Exit::Error);
        }
    };
    let lines = match lines(&loaded) {
        Ok(lines) => lines,
        Err(text) => return failed(&text, Exit::Usage),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(serve(&lines, &arguments.listen, seed))) {
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
    devices: Vec<&'s Device>,
}

/// The links in file order. Two specs may speak of the same unit only in the same words.
fn lines(loaded: &Loaded) -> Result<Vec<Line<'_>>, String> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for device in loaded.specs.iter().flat_map(|spec| &spec.devices) {
        let (key, name) = match &device.line {
            Some(line) => (line.place.to_string(), line.name.clone()),
            None => (device.name.clone(), device.name.clone()),
        };
        let index = *places.entry(key).or_insert_with(|| {
            lines.push(Line { name, devices: Vec::new() });
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

/// Listens for every line, and serves until interrupted.
async fn serve(lines: &[Line<'_>], listen: &Address, seed: u64) -> io::Result<()> {
    let started = Instant::now();
    let mut serving = JoinSet::new();
    // The endpoints end what they serve when they are dropped.
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Place::Tcp { host, port: first } = listen.place() else {
            return Err(io::Error::other(format!("cannot listen on {listen}")));
        };
        let port = port(*first, index)?;
        let listener = TcpListener::bind((host.as_str(), port)).await.map_err(|error| {
            let text = format!("cannot listen on tcp://{host}:{port}: {error}");
            io::Error::new(error.kind(), text)
        })?;
        let address = listener.local_addr()?;
        let endpoint = engine::simulation(&line.devices, seed, started);
        serving.spawn(endpoint.serve(listener, std::future::pending()));
        endpoints.push(endpoint);
        let mut units: Vec<u8> = line.devices.iter().map(|device| device.unit_id).collect();
        units.sort_unstable();
        let units: Vec<String> = units.iter().map(u8::to_string).collect();
        let units = units.join(",");
        terminal::line(&format!("listening on tcp://{address} for {} units {units}", line.name));
    }
    Signals::new()?.next().await;
    Ok(())
}

/// The port of the link at `index`: the given one and those behind it; 0 is any free one.
fn port(first: u16, index: usize) -> io::Result<u16> {
    if first == 0 {
        return Ok(0);
    }
    let port = u16::try_from(index).ok().and_then(|index| first.checked_add(index));
    port.ok_or_else(|| io::Error::other("there are more links than ports above the given one"))
}
