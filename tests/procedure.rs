//! How the steps of a test follow on each other: conditions, failures that end a test, parts of a
//! test, saved values, and time that runs out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::process::Command;

use serde_json::Value;

/// Two points that answer, one that never does, and one that does at the fifth time.
const BENCH: &str = "
spec: procedure
devices:
  meter:
    points:
      voltage: { input: 0, type: u16, scale: 0.1, unit: V }
      relay:   { coil: 0 }
      dead:    { input: 9 }
      shy:     { input: 8 }
    response_timeout: 100ms
    retry: { attempts: 3, delay: 10ms }
    simulate:
      values: { voltage: 230, relay: true }
      faults:
        - { fault: silent, scope: { point: dead } }
        - { fault: silent, scope: { point: shy }, first: 4 }
tests:
";

/// The document of a run of these tests, with these arguments.
fn run(tests: &str, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    std::fs::write(&spec, format!("{BENCH}{tests}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.arg("run").arg(&spec).args(["--simulate", "--seed=1"]).args(arguments).arg("--json");
    command.arg(folder.path().join("run.json")).arg("--out").arg(folder.path().join("reports"));
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let run = std::fs::read(folder.path().join("run.json")).unwrap_or_else(|_| panic!("{shown}"));
    serde_json::from_slice(&run).unwrap()
}

fn tests(run: &Value) -> &Vec<Value> {
    run["records"][0]["tests"].as_array().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The tests of the record of a run: verdict and name.
fn outcomes(yaml: &str, arguments: &[&str]) -> Vec<String> {
    let run = run(yaml, arguments);
    let line = |test: &Value| format!("{} {}", text(&test["verdict"]), text(&test["name"]));
    tests(&run).iter().map(line).collect()
}

/// The checks of the record of a run of these tests, in order: verdict, name, message.
fn checks(yaml: &str) -> Vec<(String, String, String)> {
    let run = run(yaml, &[]);
    let checks = tests(&run).iter().flat_map(|test| test["checks"].as_array().unwrap());
    checks
        .map(|check| (text(&check["verdict"]), text(&check["name"]), text(&check["message"])))
        .collect()
}

/// The verdicts alone.
fn verdicts(tests: &str) -> Vec<String> {
    checks(tests).into_iter().map(|(verdict, ..)| verdict).collect()
}

#[test]
fn a_step_runs_where_its_condition_holds() {
    let found = checks(
        "
  - test: t
    steps:
      - { read: meter.voltage, min: 200, if: meter.relay }
      - { read: meter.voltage, min: 900, if: not meter.relay }
      - { wait: 1ms, if: meter.voltage < 3 }
      - { read: meter.voltage, min: 200, if: meter.dead == 0 }
",
    );
    let verdicts: Vec<&str> = found.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["pass", "skipped", "skipped", "error"]);
    assert_eq!(found[1].2, "not run: `not meter.relay` is not so");
    assert!(found[3].2.starts_with("the condition `meter.dead == 0`: meter.dead: "), "{found:?}");
}

#[test]
fn a_failure_ends_its_part_of_the_test_only_where_it_is_said() {
    let steps = "
  - test: t
    steps:
      - { read: meter.voltage, max: 5 ON_FAIL }
      - { read: meter.voltage, min: 200 }
    teardown:
      - { read: meter.relay, equals: true }
";
    assert_eq!(verdicts(&steps.replace("ON_FAIL", "")), ["fail", "pass", "pass"]);
    let stopped = steps.replace("ON_FAIL", ", on_fail: stop");
    assert_eq!(verdicts(&stopped), ["fail", "skipped", "pass"]);
    let passed = stopped.replace("max: 5", "max: 500");
    assert_eq!(verdicts(&passed), ["pass", "pass", "pass"]);
}

#[test]
fn where_the_setup_of_a_test_does_not_pass_its_steps_are_not_made() {
    let test = "
  - test: t
    setup: [{ read: meter.voltage, max: 5 }]
    steps: [{ read: meter.voltage, min: 200 }, { wait: 1ms }]
    teardown: [{ read: meter.voltage, max: 6 }, { read: meter.relay, equals: true }]
  - test: next
    steps: [{ read: meter.voltage, min: 200 }]
";
    assert_eq!(verdicts(test), ["fail", "skipped", "skipped", "fail", "pass", "pass"]);
}

#[test]
fn a_value_is_saved_for_later_steps_and_tests() {
    let found = verdicts(
        "
  - test: first
    steps:
      - { read: meter.voltage, record: true, save: before }
      - { read: meter.voltage, equals: = before }
      - { compute: meter.voltage - before, max: -1 }
      - { read: meter.dead, record: true, save: nothing }
  - test: later
    steps:
      - { compute: before + meter.voltage, equals: 460 }
      - { read: meter.voltage, max: = nothing }
",
    );
    assert_eq!(found, ["recorded", "pass", "fail", "error", "pass", "error"]);
}

#[test]
fn what_comes_after_its_time_is_no_pass() {
    let late = "
  - test: t
    steps:
      - { wait: 5ms, timeout: 10s }
      - { wait: 10s, timeout: 5ms }
      - { read: meter.dead, answers: false, timeout: 10ms }
      - { read: meter.dead, min: 1, timeout: 150ms }
";
    let found = checks(late);
    let verdicts: Vec<&str> = found.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["recorded", "error", "error", "error"], "{found:#?}");
}

/// A test of one step that passes, and one that fails.
const GOOD: &str = "steps: [{ read: meter.voltage, min: 200 }]";
const BAD: &str = "steps: [{ read: meter.voltage, max: 5 }]";

#[test]
fn a_test_comes_after_those_that_it_needs_and_only_if_they_pass() {
    let tests = format!(
        "
  - {{ test: last, needs: [good, first], {GOOD} }}
  - {{ test: spoiled, needs: bad, {GOOD} }}
  - {{ test: good, for_each: {{ n: [1, 2] }}, {GOOD} }}
  - {{ test: first, steps: [{{ read: meter.voltage, min: 200, save: v }}, {{ wait: 1ms }}] }}
  - {{ test: bad, {BAD} }}
  - {{ test: later, needs: spoiled, {GOOD} }}
"
    );
    let found = outcomes(&tests, &[]);
    let all = [
        "pass last",
        "skipped spoiled",
        "pass good [n=1]",
        "pass good [n=2]",
        "pass first",
        "fail bad",
        "skipped later",
    ];
    assert_eq!(found, all);
    // What a chosen test needs is chosen with it.
    let found = outcomes(&tests, &["--filter=last"]);
    let chosen: Vec<&String> = found.iter().filter(|test| test.starts_with("pass")).collect();
    assert_eq!(chosen, ["pass last", "pass good [n=1]", "pass good [n=2]", "pass first"]);
}

#[test]
fn a_test_runs_where_its_condition_holds() {
    let found = outcomes(
        &format!(
            "
  - {{ test: yes, if: meter.relay, {GOOD} }}
  - {{ test: no, if: meter.voltage < 3, {BAD} }}
  - {{ test: nobody knows, if: meter.dead > 3, {GOOD} }}
"
        ),
        &[],
    );
    assert_eq!(found, ["pass yes", "skipped no", "error nobody knows"]);
}

#[test]
fn a_test_is_made_as_often_as_it_is_repeated() {
    let counted = format!("\n  - {{ test: counted, repeat: 3, {GOOD} }}\n");
    assert_eq!(
        outcomes(&counted, &[]),
        ["pass counted [repeat=1]", "pass counted [repeat=2]", "pass counted [repeat=3]"]
    );
    let lasting = format!(
        "
  - {{ test: before, {GOOD} }}
  - {{ test: lasting, repeat: {{ for: 250ms, every: 100ms }}, {GOOD} }}
  - {{ test: behind, {GOOD} }}
"
    );
    let found = outcomes(&lasting, &[]);
    let (first, last) = (found.first().unwrap(), found.last().unwrap());
    assert_eq!((first.as_str(), last.as_str()), ("pass before", "pass behind"));
    // However slow the machine: it begins once, and never more than three times.
    let between: Vec<&str> = found[1..found.len() - 1].iter().map(String::as_str).collect();
    let all = ["pass lasting [repeat=1]", "pass lasting [repeat=2]", "pass lasting [repeat=3]"];
    assert!(!between.is_empty() && all.starts_with(&between), "{found:?}");
    let bad =
        lasting.replace("min: 200 }] }\n  - { test: behind", "min: 900 }] }\n  - { test: behind");
    assert!(outcomes(&bad, &[]).iter().any(|test| test == "fail lasting [repeat=1]"));
}

#[test]
fn a_test_is_tried_again_after_its_recovery_and_keeps_every_attempt() {
    let test = "
  - test: t
    retry:
      attempts: 2
      delay: 1ms
      recover: [{ reconnect: meter }, { read: meter.voltage, min: LEAST }]
    steps: [{ read: meter.shy, equals: 0 }, { read: meter.relay, equals: true }]
";
    let run_of = |least: &str| run(&test.replace("LEAST", least), &[]);
    let good = run_of("200");
    let checks = tests(&good)[0]["checks"].as_array().unwrap();
    let verdicts: Vec<String> = checks.iter().map(|check| text(&check["verdict"])).collect();
    assert_eq!(verdicts, ["pass", "pass", "recorded", "pass"]);
    let flaky: Vec<bool> = checks.iter().map(|check| check["flaky"].as_bool().unwrap()).collect();
    assert_eq!(flaky, [true, false, false, false]);
    let attempts = |check: usize| checks[check]["attempts"].as_array().unwrap();
    let verdicts: Vec<String> = attempts(0).iter().map(|one| text(&one["verdict"])).collect();
    assert_eq!(verdicts, ["error", "error", "error", "error", "pass"]);
    let numbers: Vec<u64> = attempts(0).iter().map(|one| one["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(attempts(1).len(), 2);
    // Where the recovery does not pass, there is no other try.
    let bad = run_of("900");
    assert_eq!(tests(&bad)[0]["verdict"], "error");
    let checks = tests(&bad)[0]["checks"].as_array().unwrap();
    assert_eq!(checks[0]["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(checks[3]["verdict"], "fail");
}

#[test]
fn a_value_out_of_limits_does_not_make_a_test_again_unless_asked_for() {
    let test = "
  - test: t
    retry: { attempts: 3, delay: 1ms ERRORS }
    steps: [{ read: meter.voltage, max: 5 }]
";
    let attempts = |errors: &str| {
        let run = run(&test.replace("ERRORS", errors), &[]);
        tests(&run)[0]["checks"][0]["attempts"].as_array().unwrap().len()
    };
    assert_eq!(attempts(""), 1);
    assert_eq!(attempts(", errors: [limit]"), 3);
}

#[test]
fn time_that_is_over_is_an_error_of_what_is_left() {
    let test = format!(
        "
  - test: slow
    timeout: 20ms
    steps: [{{ wait: 10s }}, {{ read: meter.voltage, min: 200 }}]
    teardown: [{{ read: meter.voltage, min: 200 }}]
  - {{ test: next, {GOOD} }}
"
    );
    let verdicts = verdicts(&test);
    assert_eq!(verdicts, ["error", "error", "pass", "pass"]);
    let whole = format!(
        "
  - {{ test: slow, steps: [{{ read: meter.voltage, min: 200 }}, {{ wait: 10s }}] }}
  - {{ test: next, {GOOD} }}
timeout: 300ms
teardown: [{{ read: meter.voltage, min: 200 }}]
"
    );
    let found = outcomes(&whole, &[]);
    assert_eq!(found, ["error slow", "error next", "pass teardown"]);
}

#[test]
fn a_test_can_end_the_spec() {
    let tests = format!(
        "
  - {{ test: bad, on_fail: stop, {BAD} }}
  - {{ test: next, {GOOD} }}
teardown: [{{ read: meter.voltage, min: 200 }}]
"
    );
    assert_eq!(outcomes(&tests, &[]), ["fail bad", "skipped next", "pass teardown"]);
}

#[test]
fn a_try_that_leaves_a_step_out_mends_nothing_and_uses_nothing_of_the_one_before() {
    let found = checks(
        "
  - test: left out
    retry: { attempts: 2, delay: 1ms, recover: [{ write: { meter.relay: false } }] }
    steps:
      - { read: meter.voltage, record: true, save: before, if: meter.relay }
      - { read: meter.voltage, equals: = before }
      - { read: meter.shy, equals: 0, if: meter.relay }
",
    );
    let verdicts: Vec<&str> = found.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["skipped", "error", "error", "pass"], "{found:#?}");
    assert!(found[1].2.starts_with("before has no value"), "{found:#?}");
}
