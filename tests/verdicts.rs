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

#[test]
fn the_row_of_a_table_is_that_of_the_unit_under_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("spec.yaml");
    let text = "
spec: by-serial
tables: { own: { file: own.csv, where: { serial: $(uut.serial) } } }
devices: { d: { points: { a: { holding: 0 } }, simulate: { values: { a: 7 } } } }
tests: [{ test: t, steps: [{ read: d.a, max: $(own.max) }] }]
";
    std::fs::write(&spec, text).expect("the spec");
    std::fs::write(folder.path().join("own.csv"), "serial,max\n007,7.0\n7,6\n").expect("the table");
    let run = |serial: &str| {
        let json = folder.path().join("run.json");
        let status = Command::new(env!("CARGO_BIN_EXE_passline"))
            .arg("run")
            .arg(&spec)
            .args(["--simulate", "--serial", serial, "--json"])
            .arg(&json)
            .arg("--out")
            .arg(folder.path().join(format!("out-{serial}")))
            .output()
            .expect("the binary")
            .status;
        let document = std::fs::read(&json).ok().filter(|_| status.code() != Some(2));
        let document: Option<Value> =
            document.map(|bytes| serde_json::from_slice(&bytes).expect("JSON"));
        (status.code(), document.unwrap_or_default())
    };
    let (code, document) = run("007");
    assert_eq!(code, Some(0), "{document}");
    let inputs = document["records"][0]["inputs"].as_array().expect("inputs");
    let table = inputs.last().expect("the table");
    assert!(table["file"].as_str().is_some_and(|file| file.ends_with("own.csv")), "{table}");
    assert!(table["sha256"].as_str().is_some_and(|sum| sum.len() == 64), "{table}");
    assert_eq!(document["records"][0]["tests"][0]["checks"][0]["limit"]["max"], 7);
    assert_eq!(run("7").0, Some(1));
    assert_eq!(run("8").0, Some(2));
}

const REFERENCE: &str = "
  d:
    points: { a: { holding: 0 } }
    simulate: { values: { a: 100 } }
  ref:
    merge: false
    points:
      v: { holding: 0 }
      zero: { holding: 1 }
      broken: { holding: 2 }
      nan: { holding: 3, type: f32 }
      minus: { holding: 5, type: i16 }
    simulate:
      values: { v: 100, minus: -100 }
      image: [{ holding: 3, words: [0x7FC0, 0] }]
      faults: [{ fault: exception, code: 4, scope: { point: broken } }]";

#[test]
fn a_limit_that_a_reference_does_not_give_is_an_error() {
    for (step, expected) in [
        ("read: d.a, nominal: = ref.v, tolerance: 1%", "pass"),
        ("read: d.a, nominal: = ref.v + 2, tolerance: 1%", "fail"),
        ("read: d.a, nominal: = ref.v, tolerance: { plus: 0, minus: = ref.v * 0.01 }", "pass"),
        ("compute: 0 - d.a, nominal: = ref.minus, tolerance: 1%", "pass"),
        ("read: d.a, min: = ref.v * 0.99, max: = ref.v * 1.01", "pass"),
        ("read: d.a, min: 1, bands: [{ if: ref.v > 50, max: = ref.v - 1 }]", "fail"),
        ("read: d.a, nominal: = ref.nan, tolerance: 1", "error"),
        ("read: d.a, nominal: = ref.v, tolerance: = ref.nan", "error"),
        ("read: d.a, max: = ref.nan", "error"),
        ("read: d.a, max: = ref.broken", "error"),
        ("read: d.a, max: = ref.v / ref.zero", "error"),
        // Contradictory, all of it, nothing of it.
        ("read: d.a, min: = ref.v + 1, max: = ref.v - 1", "error"),
        ("read: d.a, min: = ref.zero", "error"),
        ("read: d.a, nominal: = ref.v + 0.3, tolerance: 0.2", "error"),
        ("read: d.a, nominal: = ref.zero, tolerance: 1%", "error"),
        ("read: d.a, nominal: = ref.v, tolerance: = ref.minus", "error"),
        (
            "read: d.a, max: = ref.v + 9, uncertainty: { expanded: = ref.v * 0.01 }, \
             decision: guarded",
            "pass",
        ),
        (
            "read: d.a, max: = ref.v + 9, uncertainty: { expanded: = ref.zero }, decision: guarded",
            "error",
        ),
        (
            "read: d.a, nominal: = ref.v, tolerance: 1, uncertainty: { expanded: 2 }, \
             decision: guarded",
            "error",
        ),
    ] {
        let ran = run(REFERENCE, &format!("\n  - test: t\n    steps: [{{ {step} }}]"));
        assert_eq!(ran.verdicts(), [expected], "{step}: {} {}", ran.shown, ran.complaints);
    }
}
