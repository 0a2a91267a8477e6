//! Slots side by side, in time that only the simulation moves: sixteen take as long as one, and what
//! they share one of them changes at a time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use passline::engine::{self, Options, Simulate, StopSignal, TEARDOWN, stopper};
use passline::plan::{self, Selection};
use passline::record::{Fold, Outcome, Record, Stamp, Tool};
use passline::spec::{Given, Unit, load};
use tokio::time::Instant;

const CHECKS: usize = 200;

/// A device that takes 5 ms for each answer, and a check of each of its registers by itself.
fn many_checks() -> String {
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

/// What became of the slots `S0`, `S1`, … that run a spec with a meter of their own and these shared
/// devices, and how long it took.
async fn run(
    spec: &str,
    slots: usize,
    shared: &[&str],
    stop: StopSignal,
) -> (Duration, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, station) = (folder.path().join("spec.yaml"), folder.path().join("station.yaml"));
    std::fs::write(&file, spec).unwrap();
    let mut bench = "station: s\nslots:\n".to_owned();
    for slot in 0..slots {
        writeln!(bench, "  S{slot}: {{ meter: {{ link: simulate }} }}").unwrap();
    }
    bench += if shared.is_empty() { "" } else { "shared:\n" };
    for device in shared {
        writeln!(bench, "  {device}: {{ link: simulate }}").unwrap();
    }
    std::fs::write(&station, bench).unwrap();
    let units = (0..slots).map(|slot| (format!("S{slot}"), Unit::default())).collect();
    let given = Given { station: Some(station), slots: units, ..Given::new() };
    let loaded = load([file.as_path()], &given);
    let style = passline::language::diagnostic::Style::Plain;
    assert!(
        !loaded.diagnostics.has_errors(),
        "{}",
        loaded.diagnostics.render(&loaded.sources, style)
    );
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
        questions: None,
    };
    let fold = Arc::new(Mutex::new(Fold::new()));
    let into = Arc::clone(&fold);
    let emit: engine::Emit = Arc::new(move |event| into.lock().unwrap().apply(event).unwrap());
    let begun = Instant::now();
    engine::run(&plans, &options, emit, stop).await;
    let took = begun.elapsed();
    let fold = std::mem::take(&mut *fold.lock().unwrap());
    (took, fold.finish().unwrap().records)
}

/// How long a run takes in which every slot passes.
async fn takes(spec: &str, slots: usize, shared: &[&str]) -> Duration {
    let run = run(spec, slots, shared, StopSignal::never());
    let hour = Duration::from_hours(1);
    let (took, records) = tokio::time::timeout(hour, run).await.expect("it ends");
    for record in &records {
        assert_eq!(record.outcome, Outcome::Pass, "{:#?}", record.tests);
    }
    took
}

/// Whether it took this many seconds, and no more beside them than requests take.
#[track_caller]
fn assert_seconds(took: Duration, seconds: u64) {
    let least = Duration::from_secs(seconds);
    assert!(took >= least && took < least + Duration::from_millis(500), "{took:?}, not {least:?}");
}

#[tokio::test(start_paused = true)]
async fn sixteen_slots_take_as_long_as_one() {
    let spec = many_checks();
    let one = takes(&spec, 1, &[]).await;
    assert!(one >= Duration::from_millis(5) * u32::try_from(CHECKS).unwrap(), "{one:?}");
    let sixteen = takes(&spec, 16, &[]).await;
    assert!(sixteen <= one + one / 100, "{sixteen:?} for sixteen, {one:?} for one");
}

/// A meter that each slot has for itself, and an oven and a fan that they share.
const BENCH: &str = "\
spec: heat
devices:
  meter: { points: { voltage: { input: 0 } }, simulate: { values: { voltage: 230 } } }
  oven:
    points:
      owner: { holding: 0, type: string, length: 4 }
      heat: { holding: 10 }
    simulate: { values: { heat: 5 } }
  fan: { points: { owner: { holding: 0, type: string, length: 4 } } }
";

const SHARED: [&str; 2] = ["oven", "fan"];

#[tokio::test(start_paused = true)]
async fn a_test_that_changes_what_is_shared_has_it_for_itself() {
    let spec = format!(
        "{BENCH}tests:\n\
         - {{ test: before, steps: [{{ read: meter.voltage, equals: 230 }}, {{ wait: 10s }}] }}\n\
         - test: mine\n  steps:\n    \
             - {{ write: {{ oven.owner: $(station.slot) }} }}\n    \
             - {{ wait: 10s }}\n    \
             - {{ read: oven.owner, equals: $(station.slot) }}\n\
         - {{ test: after, steps: [{{ read: meter.voltage, equals: 230 }}, {{ wait: 10s }}] }}\n"
    );
    assert_seconds(takes(&spec, 1, &SHARED).await, 30);
    // They follow each other in `mine` alone: while one has the oven the others do what they can.
    assert_seconds(takes(&spec, 2, &SHARED).await, 40);
    assert_seconds(takes(&spec, 4, &SHARED).await, 60);
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_is_read_by_all_at_once() {
    let spec = format!(
        "{BENCH}tests:\n\
         - test: look\n  steps:\n    \
             - {{ read: oven.heat, equals: 5 }}\n    \
             - {{ wait: 10s }}\n    \
             - {{ read: oven.heat, equals: 5 }}\n"
    );
    assert_seconds(takes(&spec, 4, &SHARED).await, 10);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_where_two_things_are_shared() {
    let step = |device: &str| {
        format!(
            "    - {{ write: {{ {device}.owner: $(station.slot) }} }}\n    \
                 - {{ wait: 1s }}\n    \
                 - {{ read: {device}.owner, equals: $(station.slot) }}\n"
        )
    };
    let (oven, fan) = (step("oven"), step("fan"));
    let spec = format!(
        "{BENCH}tests:\n\
         - test: oven first\n  parallel: true\n  steps:\n{oven}{fan}\
         - test: fan first\n  parallel: true\n  steps:\n{fan}{oven}\
         - test: fan\n  parallel: true\n  steps:\n{fan}\
         - test: oven\n  parallel: true\n  steps:\n{oven}"
    );
    // At least the six seconds of each slot in which it has the oven, one after the other.
    assert!(takes(&spec, 3, &SHARED).await >= Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn whose_time_is_over_lets_go_and_whose_time_was_over_before_changes_nothing() {
    let test = "\
         - test: mine\n  timeout: 3s\n  steps:\n    \
             - { read: meter.voltage, equals: 230 }\n    \
             - { write: { oven.owner: $(station.slot) } }\n    \
             - { wait: 10s }\n  \
           teardown: [{ write: { oven.heat: 9 } }]\n";
    let spec = format!("{BENCH}tests:\n{test}");
    let (took, records) = run(&spec, 2, &SHARED, StopSignal::never()).await;
    assert_seconds(took, 6);
    for record in &records {
        assert_eq!(record.outcome, Outcome::Error);
        assert_eq!(record.transactions.len(), 3, "{:#?}", record.transactions);
    }
    let spec = format!("{BENCH}timeout: 2s\ntests:\n{test}");
    let (took, records) = run(&spec, 2, &SHARED, StopSignal::never()).await;
    assert_seconds(took, 2);
    let [first, second] = &records[..] else { panic!("{} records", records.len()) };
    assert_eq!(first.transactions.len(), 3, "its teardown is made");
    assert_eq!(second.transactions.len(), 0, "the other had it all the time");
    let message = second.tests[0].checks[0].message.as_deref().unwrap();
    assert!(message.contains("before other slots let go of what it changes"), "{message}");
    assert_eq!(second.outcome, Outcome::Error);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_slot_lets_go_and_teardowns_follow_each_other() {
    let spec = format!(
        "{BENCH}tests:\n\
         - test: mine\n  steps:\n    \
             - {{ read: meter.voltage, equals: 230 }}\n    \
             - {{ write: {{ oven.owner: $(station.slot) }}, restore: true }}\n    \
             - {{ wait: 10s }}\n\
         teardown:\n\
         - {{ write: {{ oven.owner: $(station.slot) }} }}\n\
         - {{ wait: 1s }}\n\
         - {{ read: oven.owner, equals: $(station.slot) }}\n"
    );
    let (stopper, signal) = stopper(TEARDOWN);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stopper.stop();
    };
    let ((), (took, records)) = tokio::join!(stop, run(&spec, 3, &SHARED, signal));
    assert_seconds(took, 8);
    for record in &records {
        assert_eq!(record.outcome, Outcome::Aborted);
        let teardown = record.tests.last().unwrap();
        assert_eq!(teardown.verdict.word(), "pass", "{teardown:#?}");
    }
    let began = |record: &&Record| record.tests[0].verdict.word() != "skipped";
    assert_eq!(records.iter().filter(began).count(), 1);
}
