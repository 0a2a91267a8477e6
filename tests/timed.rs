//! Checks that are about time: by when they hold, and for how long. In memory, on paused time, so that
//! no verdict depends on the speed of the machine.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use passline::engine::{self, Options, Simulate, TEARDOWN, stopper};
use passline::plan::{self, Selection};
use passline::record::{Check, Fold, RunDocument, Tool, Verdict};
use passline::spec::{self, Given};
use serde_json::Value;

/// A level that rises by one each 10 ms up to 100, one that holds for 200 ms of each 300 ms from 100 ms
/// on, one that never changes; a point that never answers, one that answers from the eighth request
/// on, one that stops answering at the tenth, and one whose answers take 300 ms.
const BENCH: &str = "
spec: timed
devices:
  d:
    points:
      rising: { holding: 0 }
      flapping: { holding: 1 }
      still: { holding: 2 }
      dead: { holding: 3 }
      shy: { holding: 4 }
      dying: { holding: 5 }
      slow: { holding: 6 }
      far: { holding: 90 }
    response_timeout: 1s
    retry: { attempts: 2, delay: 10ms }
    simulate:
      values:
        rising: { ramp: { from: 0, to: 100, rate: 100 } }
        flapping: { steps: { list: [{ value: 0, for: 100ms }, { value: 1, for: 200ms }], repeat: true } }
        still: 7
        shy: 1
        dying: 1
        slow: 1
        far: 5
      faults:
        - { fault: silent, scope: { point: dead } }
        - { fault: exception, code: server_device_failure, scope: { point: shy }, first: 7 }
        - { fault: exception, code: server_device_failure, scope: { point: dying }, after: 9 }
        - { fault: delay, by: 300ms, scope: { point: slow } }
";

/// The account of these tests, stopped after this time if there is one.
async fn account(tests: &str, stop: Option<Duration>) -> RunDocument {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, format!("{BENCH}{tests}")).unwrap();
    let loaded = spec::load([file.as_path()], &Given::new());
    assert!(
        !loaded.specs.is_empty(),
        "{}",
        loaded.diagnostics.render(&loaded.sources, passline::language::diagnostic::Style::Plain)
    );
    let plans = plan::plan(&loaded.specs, &Selection::default());
    let options = Options {
        tool: Tool::this(),
        started: "2026-05-04T03:02:01Z".parse().unwrap(),
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
    let emit: engine::Emit = Arc::new(move |event| into.lock().unwrap().apply(event).unwrap());
    let (stopper, signal) = stopper(TEARDOWN);
    let stopping = async {
        if let Some(time) = stop {
            tokio::time::sleep(time).await;
            stopper.stop();
        }
    };
    tokio::join!(stopping, engine::run(&plans, &options, emit, signal));
    let fold = std::mem::take(&mut *fold.lock().unwrap());
    fold.finish().unwrap()
}

/// The checks of a test of these steps.
async fn checks(steps: &str) -> Vec<Check> {
    let tests = format!("tests: [{{ test: t, steps: [{steps}] }}]\n");
    let mut run = account(&tests, None).await;
    run.records.remove(0).tests.remove(0).checks
}

/// The one check of a step.
async fn check(step: &str) -> Check {
    checks(step).await.remove(0)
}

fn timing(check: &Check) -> Value {
    check.timing.as_ref().unwrap().read().unwrap()
}

fn message(check: &Check) -> &str {
    check.message.as_deref().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn it_holds_from_the_first_look_on_that_shows_it() {
    let found = check("{ read: d.rising, min: 42, within: 2s, every: 50ms }").await;
    assert_eq!((found.verdict, found.flaky), (Verdict::Pass, false));
    assert_eq!(message(&found), "held from 450 ms on");
    let timing = timing(&found);
    assert_eq!(timing["held_from_us"], 450_000, "{timing}");
    assert_eq!(timing["looks"], 10);
    // The first look, and those between which it began to hold.
    let looks: Vec<u32> = found.attempts.iter().map(|attempt| attempt.n).collect();
    assert_eq!(looks, [1, 9, 10]);
    assert_eq!(found.measurement.unwrap().value.unwrap().text(), "45");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_hold_in_time_fails_with_its_last_value() {
    let found = check("{ read: d.rising, min: 42, within: 420ms, every: 50ms }").await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert_eq!(message(&found), "40 is below min 42; it did not hold within 420ms");
    // A look that begins in time and comes in late is no pass.
    let slow = check("{ read: d.slow, equals: 1, within: 290ms }").await;
    assert_eq!(slow.verdict, Verdict::Error);
    assert_eq!(message(&slow), "no answer came in in time; it did not hold within 290ms");
    let slow = check("{ read: d.slow, equals: 1, within: 310ms }").await;
    assert_eq!(slow.verdict, Verdict::Pass);
}

#[tokio::test(start_paused = true)]
async fn it_must_go_on_holding() {
    let found = check("{ read: d.flapping, equals: 1, within: 150ms, stays: 150ms, every: 10ms }");
    let found = found.await;
    assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
    assert_eq!(message(&found), "held from 100 ms on");
    assert_eq!(timing(&found)["held_until_us"], 250_000);
    let found = check("{ read: d.flapping, equals: 1, within: 150ms, stays: 250ms, every: 10ms }");
    let found = found.await;
    assert_eq!(found.verdict, Verdict::Fail);
    let says = "0 is not 1; it held from 100 ms on, but at 300 ms no longer: not for 250ms";
    assert_eq!(message(&found), says);
    // Until the time is over it may begin to hold again; it is no longer looked at than that.
    let found = check("{ read: d.flapping, equals: 1, within: 1005ms, stays: 250ms, every: 10ms }");
    let found = found.await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert_eq!(timing(&found)["held_from_us"], 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn without_within_it_must_hold_at_the_first_look() {
    let settled = check("{ read: d.flapping, equals: 1, settle: 120ms, stays: 150ms }").await;
    assert_eq!(settled.verdict, Verdict::Pass, "{settled:?}");
    let early = check("{ read: d.flapping, equals: 1, stays: 50ms }").await;
    assert_eq!(message(&early), "0 is not 1; it did not hold at the first look");
    let once = check("{ read: d.flapping, equals: 1, settle: 120ms }").await;
    assert_eq!((once.verdict, once.timing), (Verdict::Pass, None));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_used_shows_nothing() {
    // It is looked at again, until the time is over.
    let shy = check("{ read: d.shy, equals: 1, within: 1s }").await;
    assert_eq!(shy.verdict, Verdict::Pass);
    assert_eq!(message(&shy), "held from 350 ms on");
    let dead = check("{ read: d.dead, equals: 1, within: 3s }").await;
    assert_eq!(dead.verdict, Verdict::Error);
    assert_eq!(message(&dead), "no answer within 1s; it did not hold within 3s");
    // While it should go on holding, nothing shows that it does.
    let dying = check("{ read: d.dying, equals: 1, within: 100ms, stays: 2s }").await;
    assert_eq!(dying.verdict, Verdict::Error);
    assert!(message(&dying).contains("it held from 0 ms on, but at 450 ms no longer"), "{dying:?}");
}

#[tokio::test(start_paused = true)]
async fn points_of_a_step_are_looked_at_together() {
    let found = checks("{ read: [d.rising, d.still], min: 5, max: 40, within: 1s }").await;
    let verdicts: Vec<Verdict> = found.iter().map(|check| check.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
    assert_eq!(found[0].attempts[0].transactions, found[1].attempts[0].transactions);
    assert_eq!(timing(&found[1])["looks"], 1);
}

#[tokio::test(start_paused = true)]
async fn points_that_are_read_too_far_apart_are_not_compared() {
    // The slow one takes 300 ms, and both are asked at once or one behind the other.
    let compared =
        |most: &str| format!("{{ compute: d.slow + d.far, equals: 6, max_skew: {most} }}");
    let apart = check(&compared("299ms")).await;
    assert_eq!(apart.verdict, Verdict::Error, "{apart:?}");
    assert!(message(&apart).ends_with("apart, and 299ms is the most that is allowed"), "{apart:?}");
    assert_eq!(apart.attempts[0].skew_us, Some(300_000));
    assert_eq!(check(&compared("300ms")).await.verdict, Verdict::Pass);
    // What comes in one answer is of one moment.
    let together = check("{ compute: d.rising + d.still, min: 0, max: 200, max_skew: 1ms }").await;
    assert_eq!((together.verdict, together.attempts[0].skew_us), (Verdict::Pass, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_step_and_of_the_run_end_it() {
    let found = check("{ read: d.still, equals: 1, within: 1m, timeout: 1s }").await;
    assert_eq!(found.verdict, Verdict::Error);
    assert_eq!(found.attempts.last().unwrap().error.as_ref().unwrap().class.to_string(), "timeout");
    let tests = "tests: [{ test: t, steps: [{ read: d.still, equals: 1, within: 1h }] }]\n";
    let stopped = account(tests, Some(Duration::from_millis(1020))).await;
    let check = &stopped.records[0].tests[0].checks[0];
    assert_eq!(check.verdict, Verdict::Skipped);
    assert_eq!(timing(check)["looks"], 21);
}
