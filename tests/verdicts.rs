//! What must never be a pass, tried through the real binary: specs in, exit code and record out.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::process::Command;

use serde_json::Value;

/// A run of a spec.
struct Ran {
    exit: Option<i32>,
    /// What the terminal shows.
    shown: String,
    complaints: String,
    document: Value,
    junit: String,
}

impl Ran {
    /// The verdicts of the checks, in order.
    fn verdicts(&self) -> Vec<&str> {
        let tests = self.document["records"][0]["tests"].as_array().expect("tests").iter();
        let checks = tests.flat_map(|test| test["checks"].as_array().expect("checks"));
        checks.map(|check| check["verdict"].as_str().expect("a verdict")).collect()
    }
}

/// Runs a spec of this name, devices and tests in simulation.
fn run(devices: &str, tests: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("spec.yaml");
    let text = format!("spec: tried\ndevices:\n{devices}\ntests:\n{tests}\n");
    std::fs::write(&spec, text).expect("the spec");
    let json = folder.path().join("run.json");
    let output = Command::new(env!("CARGO_BIN_EXE_passline"))
        .arg("run")
        .arg(&spec)
        .arg("--simulate")
        .arg("--json")
        .arg(&json)
        .arg("--junit")
        .arg(folder.path().join("junit.xml"))
        .arg("--out")
        .arg(folder.path().join("out"))
        .output()
        .expect("the binary");
    let document = std::fs::read(&json).ok();
    let document = document.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"));
    Ran {
        exit: output.status.code(),
        shown: String::from_utf8_lossy(&output.stdout).into_owned(),
        complaints: String::from_utf8_lossy(&output.stderr).into_owned(),
        document: document.unwrap_or_default(),
        junit: std::fs::read_to_string(folder.path().join("junit.xml")).unwrap_or_default(),
    }
}

const THREE: &str = "
  d:
    points: { a: { holding: 0 }, b: { holding: 1 }, c: { holding: 2 } }
    simulate:
      values: { a: 1, b: 2, c: 3 }
      faults: [{ fault: exception, code: 4, scope: { point: b } }]";

#[test]
fn the_answer_to_another_point_is_not_the_one_that_is_judged() {
    let ran = run(
        THREE,
        "
  - test: t
    steps:
      - { read: d.a, exception: 4 }
      - { read: d.b, exception: 4 }
      - { read: d.c, exception: 4 }
      - { read: [d.a, d.b], exception: 4 }",
    );
    assert_eq!(ran.verdicts(), ["fail", "pass", "fail", "fail", "pass"]);
    assert_eq!(ran.exit, Some(1));
}

#[test]
fn nothing_stands_beside_a_limit_on_the_kind_of_answer() {
    for limits in
        ["answers: true, min: 5", "exception: 2, equals: 7", "answers: true, record: true"]
    {
        for read in ["d.a", "{ device: d, holding: 0 }"] {
            let ran = run(
                THREE,
                &format!("\n  - test: t\n    steps:\n      - {{ read: {read}, {limits} }}"),
            );
            assert_eq!(ran.exit, Some(2), "{read} {limits}");
            assert!(ran.complaints.contains("contradict each other"), "{}", ran.complaints);
        }
    }
}

#[test]
fn what_is_computed_is_no_kind_of_answer() {
    let ran =
        run(THREE, "\n  - test: t\n    steps:\n      - { compute: d.a + d.c, answers: true }");
    assert_eq!(ran.exit, Some(2));
    assert!(ran.complaints.contains("not a kind of answer"), "{}", ran.complaints);
}

#[test]
fn a_test_that_would_fill_the_memory_with_instances_is_refused() {
    let values: Vec<String> = (0..100).map(|value| value.to_string()).collect();
    let list = format!("[{}]", values.join(", "));
    let tests = format!(
        "\n  - test: t\n    for_each: {{ x: {list}, y: {list}, z: {list} }}\n    steps: [{{ read: d.a, max: 5 }}]"
    );
    let ran = run(THREE, &tests);
    assert_eq!(ran.exit, Some(2));
    assert!(ran.complaints.contains("more than 100000 tests of one"), "{}", ran.complaints);
}

#[test]
fn a_device_that_is_given_no_time_is_not_silent() {
    let devices = "
  d:
    response_timeout: 0ms
    points: { a: { holding: 0 } }
    simulate: { faults: [{ fault: delay, by: 1ms }] }";
    let ran = run(devices, "\n  - test: t\n    steps:\n      - { read: d.a, answers: false }");
    assert_eq!(ran.exit, Some(2), "{:?}", ran.document);
    assert!(ran.complaints.contains("above zero"), "{}", ran.complaints);
}

#[test]
fn a_conditional_pass_and_fail_say_so_everywhere() {
    let ran = run(
        "
  d:
    points: { a: { holding: 0, scale: 0.01, unit: V } }
    simulate: { values: { a: 5.23 } }",
        "
  - test: t
    steps:
      - { read: d.a, max: 5.25, uncertainty: { expanded: 0.05 }, decision: non_binary }
      - { read: d.a, max: 5.2, uncertainty: { expanded: 0.05 }, decision: non_binary }
      - { read: d.a, max: 5.25, uncertainty: { expanded: 0.05 }, decision: guarded }
      - { read: d.a, max: 5.3, uncertainty: { expanded: 0.05 }, decision: guarded }
      - { read: d.a, max: = d.a + 0.02, uncertainty: { expanded: 0.05 }, decision: guarded }
      - { read: d.a, min: 1 }",
    );
    assert_eq!(ran.exit, Some(1), "{}", ran.complaints);
    assert_eq!(ran.verdicts(), ["pass", "fail", "fail", "pass", "fail", "pass"]);
    let checks = ran.document["records"][0]["tests"][0]["checks"].as_array().expect("checks");
    let stated: Vec<_> = checks.iter().map(|check| check["conformity"].as_str()).collect();
    let expected =
        ["conditional_pass", "conditional_fail", "fail", "pass", "fail"].map(Some).into_iter();
    assert_eq!(stated, expected.chain([None]).collect::<Vec<_>>());
    assert_eq!(checks[2]["limit"]["guard_band"], 0.05);
    assert_eq!(checks[2]["limit"]["acceptance"], serde_json::json!({ "max": 5.2 }));
    assert_eq!(checks[4]["limit"]["acceptance"], serde_json::json!({ "max": 5.2 }));
    let stated = ran.junit.matches(r#"name="conformity" value="conditional_pass""#).count();
    assert_eq!(stated, 1, "{}", ran.junit);
    let shown = "(conditional)";
    assert_eq!(ran.shown.matches(shown).count(), 2, "{}", ran.shown);
}
