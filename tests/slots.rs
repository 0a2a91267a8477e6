//! Sixteen slots take as long as one, in time that only the simulation moves.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Outcome, Stamp, Tool};
use passline::spec::{Given, Unit, load};
use tokio::time::Instant;

const CHECKS: usize = 200;

/// A device that takes 5 ms for each answer, and a check of each of its registers by itself.
fn spec() -> String {
    let mut spec = "spec: many\ndevices:\n  meter:\n    points:\n".to_owned();
    for point in 0..CHECKS {
        writeln!(spec, "      p{point}: {{ holding: {point}, alone: true }}").unwrap();
    }
    spec += "    simulate: { faults: [{ fault: delay, by: 5ms }] }\ntests:\n";
    for point in 0..CHECKS {
        let step = format!("{{ read: meter.p{point}, max: 9 }}");
        writeln!(spec, "  - {{ test: t{point}, steps: [{step}] }}").unwrap();
    }
    spec
}

/// How long a run with so many slots takes.
async fn takes(slots: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let (file, station) = (folder.path().join("spec.yaml"), folder.path().join("station.yaml"));
    std::fs::write(&file, spec()).unwrap();
    let mut bench = "station: s\nslots:\n".to_owned();
    for slot in 0..slots {
        writeln!(bench, "  S{slot}: {{ meter: {{ link: simulate }} }}").unwrap();
    }
    std::fs::write(&station, bench).unwrap();
    let units = (0..slots).map(|slot| (format!("S{slot}"), Unit::default())).collect();
    let given = Given { station: Some(station), slots: units, ..Given::new() };
    let loaded = load([file.as_path()], &given);
    let plans = plan::plan(&loaded.specs, &Selection::default());
    assert_eq!(plans.len(), slots);
    let options = Options {
        tool: Tool::this(),
        started: "2026-01-02T03:04:05.000Z".parse::<Stamp>().unwrap(),
        seed: 1,
        simulate: Simulate::None,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
    };
    let begun = Instant::now();
    let outcome = engine::run(&plans, &options, Arc::new(drop), StopSignal::never()).await;
    assert_eq!(outcome, Outcome::Pass);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn sixteen_slots_take_as_long_as_one() {
    let one = takes(1).await;
    assert!(one >= Duration::from_millis(5) * u32::try_from(CHECKS).unwrap(), "{one:?}");
    let sixteen = takes(16).await;
    assert!(sixteen <= one + one / 100, "{sixteen:?} for sixteen, {one:?} for one");
}
