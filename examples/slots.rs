//! What slots cost: `cargo run --release --example slots -- 16` tests one simulated unit with 200
//! checks, then so many at once, and says how long each took. A device takes 5 ms for each answer.
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Journal, Outcome, Stamp, Tool};
use passline::spec::{Given, Unit, load};

const CHECKS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let slots: usize = std::env::args().nth(1).map_or(Ok(16), |slots| slots.parse())?;
    let one = measure(1)?;
    let all = measure(slots)?;
    println!(
        "checks={CHECKS} slots=1: {:.3} s, slots={slots}: {:.3} s, ratio {:.3}",
        one.as_secs_f64(),
        all.as_secs_f64(),
        all.as_secs_f64() / one.as_secs_f64(),
    );
    Ok(())
}

/// How long a run with so many slots takes, its journal included.
fn measure(slots: usize) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let given = given(folder.path(), slots)?;
    let file = folder.path().join("spec.yaml");
    fs::write(&file, spec()?)?;
    let loaded = load([file.as_path()], &given);
    let plans = plan::plan(&loaded.specs, &Selection::default());
    let options = Options {
        tool: Tool::this(),
        started: Stamp::new(jiff::Timestamp::now()),
        seed: 1,
        simulate: Simulate::None,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let journal = Arc::new(Journal::open(folder.path(), |_| {})?);
    let keeper = Arc::clone(&journal);
    let emit: engine::Emit = Arc::new(move |event| keeper.emit(event));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now();
    let outcome = runtime.block_on(engine::run(&plans, &options, emit, StopSignal::never()));
    drop(runtime);
    let journal = Arc::into_inner(journal).ok_or("the journal is still in use")?;
    let records = journal.finish()?.document.records.len();
    if outcome != Outcome::Pass || records != slots {
        return Err(format!("{records} records, {}", outcome.word()).into());
    }
    Ok(begun.elapsed())
}

/// A station with so many simulated slots, and a unit in each.
fn given(folder: &Path, slots: usize) -> Result<Given, Box<dyn Error>> {
    let mut station = "station: s\nslots:\n".to_owned();
    for slot in 0..slots {
        writeln!(station, "  S{slot}: {{ meter: {{ link: simulate }} }}")?;
    }
    let file = folder.join("station.yaml");
    fs::write(&file, station)?;
    let units = (0..slots).map(|slot| (format!("S{slot}"), Unit::default())).collect();
    Ok(Given { station: Some(file), slots: units, ..Given::new() })
}

fn spec() -> Result<String, std::fmt::Error> {
    let mut spec = "spec: many\ndevices:\n  meter:\n    points:\n".to_owned();
    for point in 0..CHECKS {
        writeln!(spec, "      p{point}: {{ holding: {point}, alone: true }}")?;
    }
    spec += "    simulate: { faults: [{ fault: delay, by: 5ms }] }\ntests:\n";
    for point in 0..CHECKS {
        let step = format!("{{ read: meter.p{point}, max: 9 }}");
        writeln!(spec, "  - {{ test: t{point}, steps: [{step}] }}")?;
    }
    Ok(spec)
}
