//! What a run does when it is stopped: once, with teardown. In memory, on paused time.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use passline::engine::{self, Options, Simulate, TEARDOWN, stopper};
use passline::language::diagnostic::Style;
use passline::plan::{self, Selection};
use passline::record::{ErrorClass, Event, Fold, Outcome, RunDocument, Tool, Verdict};
use passline::spec::{self, Given};
use tokio::time::{Instant, sleep};

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

/// On hardware that goes silent behind its first answer.
const LOST: &str = "
spec: lost
devices:
  d:
    points: { a: { holding: 0 }, b: { holding: 1 }, relay: { coil: 0 }, lamp: { coil: 1 } }
    response_timeout: 20s
    retry: { attempts: 1 }
    simulate: { values: { a: 7 }, faults: [{ fault: silent, after: 1 }] }
tests:
  - test: changes it
    steps:
      - { write: { d.a: 5 }, restore: true }
      - { read: d.b, record: true }
teardown:
  - { write: { d.relay: false } }
  - { write: { d.lamp: true, d.b: = 2 + 3 } }
";

/// Takes every event before the account does.
type Listen = fn(&Event);

/// The account of a run that is stopped once after this time, and how long it took.
async fn stopped(spec: &str, time: Option<Duration>, listen: Listen) -> (RunDocument, Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec).expect("the spec");
    let loaded = spec::load([file.as_path()], &Given::new());
    let plans = plan::plan(&loaded.specs, &Selection::default());
    assert!(!plans.is_empty(), "{}", loaded.diagnostics.render(&loaded.sources, Style::Plain));
    let options = Options {
        tool: Tool::this(),
        started: "2026-05-04T03:02:01Z".parse().expect("a stamp"),
        seed: 1,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let fold = Arc::new(Mutex::new(Fold::new()));
    let into = Arc::clone(&fold);
    let emit: engine::Emit = Arc::new(move |event| {
        listen(&event);
        into.lock().expect("it").apply(event).expect("an event in order");
    });
    let (stopper, signal) = stopper(TEARDOWN);
    let begun = Instant::now();
    tokio::join!(
        async {
            if let Some(time) = time {
                sleep(time).await;
                stopper.stop();
            }
        },
        engine::run(&plans, &options, emit, signal)
    );
    let fold = std::mem::take(&mut *fold.lock().expect("it"));
    (fold.finish().expect("an account"), begun.elapsed())
}

/// The messages of a test's lines.
fn messages(document: &RunDocument, test: usize) -> Vec<&str> {
    let checks = document.records[0].tests[test].checks.iter();
    checks.map(|check| check.message.as_deref().unwrap_or_default()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_stop_runs_teardown_and_keeps_what_was_seen() {
    let (document, _) = stopped(SPEC, Some(Duration::from_secs(15)), |_| ()).await;
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

#[tokio::test(start_paused = true)]
async fn teardown_ends_in_time_and_says_what_it_left_undone() {
    let (document, took) = stopped(LOST, Some(Duration::from_secs(1)), |_| ()).await;
    assert_eq!(document.outcome, Outcome::Aborted);
    // What was under way ends after 20 s; what puts back is given up 30 s after the stop.
    assert_eq!(took, Duration::from_secs(31));
    let put_back = messages(&document, 0)[2];
    assert!(put_back.starts_with("d.a could not be put back to 7, which it was"), "{put_back}");
    let teardown = messages(&document, 1);
    let safe = ["d.relay may not be false now", "d.lamp may not be true", "d.b may not be `2 + 3`"];
    for (message, safe) in teardown.iter().zip(safe) {
        assert!(message.starts_with(safe), "{message}");
        assert!(message.ends_with("make it safe by hand"), "{message}");
    }
    let checks = &document.records[0].tests[1].checks;
    assert!(checks.iter().all(|check| check.verdict == Verdict::Error), "{checks:?}");
    assert_eq!(checks.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_stop_each_output_that_is_not_safe_is_named() {
    let (document, _) = stopped(LOST, None, |_| ()).await;
    assert_eq!(document.outcome, Outcome::Error);
    let teardown = messages(&document, 1);
    assert!(teardown[0].starts_with("d.relay may not be false now: no answer"), "{teardown:?}");
    assert!(teardown[2].starts_with("d.b may not be `2 + 3` now"), "{teardown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_our_own_is_an_error_of_its_step_and_teardown_runs() {
    // Whoever listens to events is called within steps.
    let listen = |event: &Event| {
        if let Event::Transaction { transaction, .. } = event {
            assert!(transaction.id != 1, "a bug");
        }
    };
    let spec = SPEC.replace("retry: { attempts: 9, delay: 10s, errors: [limit] }", "name: it");
    let (document, _) = stopped(&spec, None, listen).await;
    assert_eq!(document.outcome, Outcome::Error);
    let tests = &document.records[0].tests;
    let verdicts: Vec<Verdict> = tests.iter().map(|test| test.verdict).collect();
    assert_eq!(verdicts, [Verdict::Error, Verdict::Pass, Verdict::Pass]);
    let error = tests[0].checks[0].attempts[0].error.as_ref().expect("an error");
    assert_eq!(error.class, ErrorClass::Internal);
    assert!(error.text.contains("a fault in passline itself"), "{}", error.text);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_longer_waited_for_is_no_silence() {
    const WAITS: &str = "
spec: waits
devices:
  d:
    response_timeout: 1m
    points: { a: { holding: 0 } }
    simulate: { faults: [{ fault: silent, scope: { point: a } }] }
tests: [{ test: t, steps: [{ wait: 10s }, { read: d.a, max: 5 }] }]
teardown: [{ read: d.a, answers: false }]
";
    let (document, took) = stopped(WAITS, Some(Duration::from_secs(1)), |_| ()).await;
    assert_eq!(took, Duration::from_secs(31));
    let check = &document.records[0].tests[1].checks[0];
    assert_eq!(check.verdict, Verdict::Error, "{check:?}");
}
