//! How the steps of a test follow on each other: conditions, failures that end a test, parts of a
//! test, saved values, and time that runs out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::process::Command;

use serde_json::Value;

/// Two points, of which the second never answers.
const BENCH: &str = "
spec: procedure
devices:
  meter:
    points:
      voltage: { input: 0, type: u16, scale: 0.1, unit: V }
      relay:   { coil: 0 }
      dead:    { input: 9 }
    response_timeout: 100ms
    retry: { attempts: 3, delay: 10ms }
    simulate:
      values: { voltage: 230, relay: true }
      faults: [{ fault: silent, scope: { point: dead } }]
tests:
";

/// The checks of the record of a run of these tests, in order: verdict, name, message.
fn checks(tests: &str) -> Vec<(String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    std::fs::write(&spec, format!("{BENCH}{tests}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.arg("run").arg(&spec).args(["--simulate", "--seed=1", "--json"]);
    command.arg(folder.path().join("run.json")).arg("--out").arg(folder.path().join("reports"));
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let run = std::fs::read(folder.path().join("run.json")).unwrap_or_else(|_| panic!("{shown}"));
    let run: Value = serde_json::from_slice(&run).unwrap();
    let tests = run["records"][0]["tests"].as_array().unwrap();
    let checks = tests.iter().flat_map(|test| test["checks"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
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
