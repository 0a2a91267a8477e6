//! The same seed and the same start give the same evidence, byte for byte, in the order of the plan.
//! In memory, on paused time.

use std::sync::{Arc, Mutex};

use passline::engine::{self, Emit, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Event, Fold, Outcome, RunDocument, Tool};
use passline::report::{json, junit};
use passline::spec::{self, Given};

use crate::bench::Bench;

/// Slow and quick devices, some on one line, some pipelined; exceptions and silence by chance,
/// reads that are split, repeated, given up, computed.
const SPEC: &str = "\
spec: chance
links: { bus: 'tcp://192.0.2.1:502?in_flight=3' }
devices:
  slow:
    link: bus
    unit_id: 1
    response_timeout: 50ms
    retry: { delay: 7ms, backoff: 2 }
    points: &points
      a: { holding: 0, alone: true }
      b: { holding: 1, alone: true }
      c: { holding: 2 }
      d: { holding: 3 }
      e: { input: 0, type: f32 }
    simulate:
      values: { a: 1, b: 2, c: 3, d: 4, e: 5.5 }
      faults:
        - { fault: delay, by: 20ms, probability: 0.5 }
        - { fault: silent, probability: 0.2 }
        - { fault: exception, code: busy, scope: { point: b }, probability: 0.5 }
  quick:
    link: bus
    unit_id: 2
    response_timeout: 50ms
    points: *points
    simulate:
      values: { a: 1, b: 2, c: 3, d: 4, e: 5.5 }
      faults:
        - { fault: exception, code: illegal_data_address, scope: { holding: 2, count: 2 }, probability: 0.3 }
  other:
    link: tcp://192.0.2.2:502
    unit_id: 1
    response_timeout: 50ms
    points: *points
    simulate: { faults: [{ fault: silent, first: 2 }] }
setup: [{ read: quick.a, equals: 1 }]
tests:
  - test: slow
    for_each: { n: [1, 2, 3] }
    steps:
      - { read: [slow.a, slow.b, slow.c, slow.d], max: 3 }
      - { compute: slow.e + slow.c, name: sum $(n), min: 8 }
  - test: quick
    for_each: { n: [1, 2, 3] }
    steps:
      - { read: [quick.a, quick.b, quick.c, quick.d], min: 2 }
      - { read: quick.e, min: 5 }
  - test: other
    steps: [{ read: [other.a, other.c, other.e], max: 0.5 }]
  - test: all of them
    steps:
      - { wait: 1s }
      - { compute: slow.a + quick.a + other.a, min: 2 }
teardown: [{ read: slow.a, equals: 1 }]
";

/// Everything that a run leaves behind.
struct Left {
    events: Vec<Event>,
    document: RunDocument,
    files: [Vec<u8>; 3],
}

async fn run(bench: &Bench, seed: u64) -> Left {
    let loaded = spec::load([bench.path("spec.yaml").as_path()], &Given::new());
    let plans = plan::plan(&loaded.specs, &Selection::default());
    assert_eq!(plans.len(), 1);
    let options = Options {
        tool: Tool::this(),
        started: "2026-03-04T05:06:07.089Z".parse().unwrap(),
        seed,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: vec!["run".to_owned()],
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let events = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&events);
    let emit: Emit = Arc::new(move |event| into.lock().unwrap().push(event));
    let outcome = engine::run(&plans, &options, emit, StopSignal::never()).await;
    let events = std::mem::take(&mut *events.lock().unwrap());
    let mut fold = Fold::new();
    for event in &events {
        fold.apply(event.clone()).unwrap();
    }
    let document = fold.finish().unwrap();
    assert_eq!(document.outcome, outcome);
    let mut files = [const { Vec::new() }; 3];
    files[0] = serde_json::to_vec(&events).unwrap();
    json::write(&document, &mut files[1]).unwrap();
    junit::write(&document, "station", &mut files[2]).unwrap();
    Left { events, document, files }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_evidence() {
    let bench = Bench::with(SPEC);
    for seed in 0..20 {
        let first = run(&bench, seed).await;
        for _ in 0..3 {
            let again = run(&bench, seed).await;
            for (file, (first, again)) in first.files.iter().zip(&again.files).enumerate() {
                assert!(first == again, "seed {seed}, file {file}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_seed_gives_other_chances() {
    let bench = Bench::with(SPEC);
    let mut counts = Vec::new();
    for seed in 0..20 {
        let left = run(&bench, seed).await;
        // By chance some test passes, and some does not: `other` is silent twice, and never passes
        // its first read without stumbling.
        let record = &left.document.records[0];
        assert!(record.counts.flaky >= 1, "{:?}", record.counts);
        assert!(matches!(left.document.outcome, Outcome::Fail | Outcome::Error));
        counts.push(format!("{:?}", record.counts));
    }
    counts.sort();
    counts.dedup();
    assert!(counts.len() > 3, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn results_stand_in_the_order_of_the_plan_whatever_ended_first() {
    let bench = Bench::with(SPEC);
    let Left { events, document, .. } = run(&bench, 4).await;
    let tests = document.records[0].tests.iter().map(|test| test.name.as_str());
    let planned = [
        "setup",
        "slow [n=1]",
        "slow [n=2]",
        "slow [n=3]",
        "quick [n=1]",
        "quick [n=2]",
        "quick [n=3]",
        "other",
        "all of them",
        "teardown",
    ];
    assert_eq!(tests.collect::<Vec<_>>(), planned);
    let ended: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::TestFinished(finished) => Some(finished.test),
            _ => None,
        })
        .collect();
    assert!(!ended.is_sorted(), "nothing overtook anything: {ended:?}");
    let ids = document.records[0].transactions.iter().map(|transaction| transaction.id);
    assert!(ids.is_sorted());
}
