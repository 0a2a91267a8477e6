//! What a run does when it is stopped: once, with teardown. In memory, on paused time.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use passline::engine::{self, Options, Simulate, stopper};
use passline::plan::{self, Selection};
use passline::record::{Fold, Outcome, RunDocument, Tool, Verdict};
use passline::spec::{self, Given};

const SPEC: &str = "
spec: stopped
devices: { d: { points: { a: { holding: 0 } } } }
tests:
  - test: out of limits
    steps: [{ read: d.a, equals: 1, retry: { attempts: 9, delay: 10s, errors: [limit] } }]
  - test: never begun
    steps: [{ read: d.a, equals: 0 }]
teardown:
  - { read: d.a, equals: 0 }
  - { wait: 1s }
  - { read: d.a, equals: 0 }
";

/// The account of a run that is stopped once after this time.
async fn stopped_after(time: Duration) -> RunDocument {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, SPEC).expect("the spec");
    let loaded = spec::load([file.as_path()], &Given::new());
    let plans = plan::plan(&loaded.specs, &Selection::default());
    let options = Options {
        tool: Tool::this(),
        started: "2026-05-04T03:02:01Z".parse().expect("a stamp"),
        seed: 1,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
    };
    let fold = Arc::new(Mutex::new(Fold::new()));
    let into = Arc::clone(&fold);
    let emit: engine::Emit =
        Arc::new(move |event| into.lock().expect("it").apply(event).expect("an event in order"));
    let (stopper, signal) = stopper();
    tokio::join!(
        async {
            tokio::time::sleep(time).await;
            stopper.stop();
        },
        engine::run(&plans, &options, emit, signal)
    );
    let fold = std::mem::take(&mut *fold.lock().expect("it"));
    fold.finish().expect("an account")
}

#[tokio::test(start_paused = true)]
async fn the_first_stop_runs_teardown_and_keeps_what_was_seen() {
    let document = stopped_after(Duration::from_secs(15)).await;
    assert_eq!(document.outcome, Outcome::Aborted);
    let tests = &document.records[0].tests;
    let verdicts: Vec<Vec<Verdict>> =
        tests.iter().map(|test| test.checks.iter().map(|check| check.verdict).collect()).collect();
    assert_eq!(
        verdicts,
        [
            // Two attempts were out of limits: that the third did not come makes it no skip.
            vec![Verdict::Fail],
            vec![Verdict::Skipped],
            vec![Verdict::Pass, Verdict::Recorded, Verdict::Pass],
        ]
    );
    assert_eq!(tests[0].checks[0].attempts.len(), 2);
}
