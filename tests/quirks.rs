//! Quirks of real devices, each on a simulated device that has it: what a spec that knows nothing
//! of it sees, and what one sees that says so. The tables of `docs/quirks.md` are what is tried here.
#![expect(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::process::Command;
use std::time::Duration;

use passline_modbus::link::{Call, Link, Options};
use passline_modbus::pdu::Request;
use passline_simulator::endpoint::Endpoint;
use serde_json::{Value, json};

/// A run of a spec in simulation.
struct Ran {
    exit: Option<i32>,
    out: String,
    junit: String,
    record: Value,
}

impl Ran {
    fn checks(&self) -> Vec<&Value> {
        let tests = self.record["tests"].as_array().expect("tests").iter();
        tests.flat_map(|test| test["checks"].as_array().expect("checks")).collect()
    }

    /// The class of the last error of each check that reads; `-` for none.
    fn classes(&self) -> Vec<&str> {
        let reads = self.checks().into_iter().filter(|check| check["kind"] == "read");
        let class =
            |check: &'_ Value| -> Option<usize> { check["attempts"].as_array()?.len().into() };
        reads
            .map(|check| {
                let last = class(check).and_then(|count| check["attempts"].get(count - 1));
                last.and_then(|last| last["error"]["class"].as_str()).unwrap_or("-")
            })
            .collect()
    }

    /// What every check says that was put up with.
    fn tolerated(&self) -> Vec<&Value> {
        let attempts = |check: &'_ Value| check["attempts"].as_array().map_or(0, Vec::len);
        let last = |check: &&'_ Value| attempts(check) > 0;
        self.checks()
            .into_iter()
            .filter(last)
            .map(|check| &check["attempts"][attempts(check) - 1]["tolerated"])
            .collect()
    }

    /// How often each note stands at a frame.
    fn noted(&self, note: &str) -> usize {
        let transactions = self.record["transactions"].as_array().expect("transactions").iter();
        let frames = transactions.flat_map(|one| one["frames"].as_array().expect("frames"));
        frames.filter(|frame| frame["note"] == note).count()
    }

    fn requests(&self) -> usize {
        self.record["transactions"].as_array().expect("transactions").len()
    }
}

const STEPS: &str = "
  - test: reads
    steps:
      - { read: [d.a, d.b, d.c], min: 1, max: 3 }";

/// Runs a spec: a device of three registers with these keys and these faults.
fn run(keys: &str, faults: &str, steps: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("spec.yaml");
    let text = format!(
        "spec: tried
devices:
  d:
    points: {{ a: {{ holding: 0 }}, b: {{ holding: 1 }}, c: {{ holding: 2 }} }}
    {keys}
    simulate:
      values: {{ a: 1, b: 2, c: 3 }}
      faults: [{faults}]
tests:{steps}
"
    );
    std::fs::write(&spec, &text).expect("the spec");
    let [json, junit] = ["run.json", "junit.xml"].map(|name| folder.path().join(name));
    let output = Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(["run", "--simulate", "--json"])
        .arg(&json)
        .arg("--junit")
        .arg(&junit)
        .arg("--out")
        .arg(folder.path().join("out"))
        .arg(&spec)
        .output()
        .expect("the binary");
    let complaints = String::from_utf8_lossy(&output.stderr);
    let document = std::fs::read(&json).unwrap_or_else(|_| panic!("{complaints}\n{text}"));
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    Ran {
        exit: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        junit: std::fs::read_to_string(&junit).expect("JUnit"),
        record: document["records"][0].clone(),
    }
}

/// One attempt, soon over: what a quirk does is seen at once.
const ONCE: &str = "response_timeout: 150ms\n    retry: { attempts: 1 }";

#[test]
fn answers_that_are_not_by_the_standard_are_errors_unless_the_spec_puts_up_with_them() {
    for (fault, class, key, tolerated) in [
        ("transaction_id, id: 0", "foreign", "tolerate: transaction_id", "transaction_id"),
        ("transaction_id, id: next", "foreign", "tolerate: transaction_id", "transaction_id"),
        ("unit_id, id: 0", "foreign", "answer_unit_id: 0", "unit_id"),
        ("unit_id, id: 255", "foreign", "answer_unit_id: 255", "unit_id"),
        ("unit_id, id: 9", "foreign", "tolerate: unit_id", "unit_id"),
        ("length, add: 1", "frame", "tolerate: length", "length"),
        ("registers, add: 1", "frame", "tolerate: [trailing]", "trailing"),
    ] {
        let faults = format!("{{ fault: {fault} }}");
        let strict = run(ONCE, &faults, STEPS);
        assert_eq!(strict.exit, Some(3), "{fault}");
        assert_eq!(strict.classes(), [class; 3], "{fault}");
        assert_eq!(strict.noted("tolerated"), 0);

        let lenient = run(&format!("{ONCE}\n    {key}"), &faults, STEPS);
        assert_eq!((lenient.exit, lenient.classes()), (Some(0), vec!["-"; 3]), "{fault}");
        assert_eq!(lenient.tolerated(), [&json!([tolerated]); 3], "{fault}");
        assert_eq!(lenient.noted("tolerated"), 1, "one request for all of them");
        let remark = format!("d.a (tolerated: {tolerated})");
        assert!(lenient.out.contains(&remark), "{}", lenient.out);
        let property = format!("<property name=\"tolerated\" value=\"{tolerated}\"/>");
        assert_eq!(lenient.junit.matches(&property).count(), 3, "{}", lenient.junit);
    }
    let sound = run(&format!("{ONCE}\n    tolerate: [transaction_id, trailing]"), "", STEPS);
    assert_eq!((sound.exit, sound.noted("tolerated")), (Some(0), 0), "only where it was needed");
    assert_eq!(sound.tolerated(), [&Value::Null; 3]);
}

/// Without transaction ids, with every third answer later than its timeout and the values going up:
/// none is another's.
#[test]
fn a_late_answer_without_an_id_is_never_the_next_one() {
    let keys = "response_timeout: 60ms\n    merge: false\n    tolerate: transaction_id\n    \
                retry: { attempts: 4, delay: 1ms }";
    for late in ["100ms", "150ms"] {
        let faults =
            format!("{{ fault: transaction_id, id: 0 }}, {{ fault: delay, by: {late}, every: 3 }}");
        let steps = "
  - test: reads
    for_each: { n: [1, 2, 3, 4, 5] }
    steps:
      - { read: d.a, equals: 1 }
      - { read: d.b, equals: 2 }
      - { read: d.c, equals: 3 }";
        let ran = run(keys, &faults, steps);
        assert_eq!(ran.exit, Some(0), "{}", ran.out);
    }
}

#[test]
fn devices_that_need_time_get_it() {
    let each = "merge: false\n    ";
    for (fault, class, key) in [
        ("pause, by: 40ms", "timeout", "pause: 50ms"),
        ("pause_after_connect, by: 100ms", "timeout", "pause_after_connect: 120ms"),
        ("delay, by: 300ms", "timeout", "response_timeout: 900ms"),
    ] {
        let faults = format!("{{ fault: {fault} }}");
        let hasty = run(&format!("{each}{ONCE}"), &faults, STEPS);
        assert_eq!(hasty.exit, Some(3), "{fault}");
        assert!(hasty.classes().contains(&class), "{fault}: {:?}", hasty.classes());
        let once = ONCE.replace("response_timeout: 150ms\n    ", "");
        let once = if key.starts_with("response") { once.as_str() } else { ONCE };
        let patient = run(&format!("{each}{once}\n    {key}"), &faults, STEPS);
        assert_eq!(patient.exit, Some(0), "{fault}: {}", patient.out);
    }
}

#[test]
fn one_request_at_a_time_is_the_default() {
    let fault = "{ fault: one_in_flight }, { fault: delay, by: 10ms }";
    let each = format!("merge: false\n    {ONCE}");
    assert_eq!(run(&each, fault, STEPS).exit, Some(0));
    let many = run(&format!("{each}\n    in_flight: 3"), fault, STEPS);
    assert_eq!(many.exit, Some(3), "{}", many.out);
    assert!(many.classes().contains(&"timeout"));
}

#[test]
fn busy_devices_and_gateways_are_asked_as_often_as_their_rule_says() {
    for (code, class) in [("5", "busy"), ("busy", "busy"), ("0x0A", "gateway"), ("0x0B", "gateway")]
    {
        let fault = format!("{{ fault: exception, code: {code}, first: 6 }}");
        let retry = "retry: { attempts: 2, delay: 1ms";
        let plain = run(&format!("{retry} }}"), &fault, STEPS);
        assert_eq!((plain.exit, plain.classes()), (Some(3), vec![class; 3]), "{code}");
        assert_eq!(plain.requests(), 2);
        let patient = run(&format!("{retry}, {class}: {{ attempts: 7 }} }}"), &fault, STEPS);
        assert_eq!(patient.exit, Some(0), "{}", patient.out);
        assert_eq!(patient.requests(), 7, "every attempt is kept");
        assert!(patient.checks().iter().all(|check| check["flaky"] == true));
        let short = run(&format!("{retry}, {class}: {{ attempts: 6 }} }}"), &fault, STEPS);
        assert_eq!((short.exit, short.classes()), (Some(3), vec![class; 3]), "{code}");
        let bounded = "retry: { max_time: 30ms, busy: { attempts: 500, delay: 10ms }, gateway: { \
                       attempts: 500, delay: 10ms } }";
        let bounded = run(bounded, &fault, STEPS);
        assert_eq!(bounded.exit, Some(3), "{}", bounded.out);
        assert!(bounded.requests() <= 4, "{}", bounded.requests());
    }
}

#[test]
fn connections_are_shared_closed_in_time_and_opened_again() {
    let waits = "
  - test: reads
    steps:
      - { read: d.a, equals: 1 }
      - { wait: 150ms }
      - { read: d.a, equals: 1 }";
    for key in ["idle_close: 50ms", "idle_close: 0s", "max_clients: 1"] {
        let ran = run(&format!("{ONCE}\n    {key}"), "", waits);
        assert_eq!((ran.exit, ran.classes()), (Some(0), vec!["-"; 2]), "{key}: {}", ran.out);
    }
}

#[test]
fn reads_are_cut_as_the_device_needs_them() {
    let limited = "{ fault: exception, code: illegal_data_value, scope: { more_than: 2 } }";
    let two = run(&format!("{ONCE}\n    max_registers: 2"), limited, STEPS);
    assert_eq!((two.exit, two.requests()), (Some(0), 2));
    let one = run(&format!("{ONCE}\n    merge: false"), limited, STEPS);
    assert_eq!((one.exit, one.requests()), (Some(0), 3));
    let split = run(ONCE, limited, STEPS);
    assert_eq!((split.exit, split.requests()), (Some(0), 4), "refused, then one by one");
}

/// What is only written with the other function is refused by the simulation.
#[tokio::test]
async fn the_simulation_has_only_the_functions_that_it_is_written_with() {
    for (key, single, multiple, mask) in [
        ("write_function: auto", true, true, true),
        ("write_function: single", true, false, true),
        ("write_function: multiple", false, true, true),
        ("write_bits: mask", true, true, true),
        ("write_bits: read_modify_write", true, true, false),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("spec.yaml");
        let text = format!(
            "spec: s\ndevices:\n  d: {{ points: {{ a: {{ holding: 0 }} }}, {key} }}\n\
             tests:\n  - test: t\n    steps:\n      - {{ read: d.a, min: 1 }}\n"
        );
        std::fs::write(&file, text).expect("the spec");
        let loaded = passline::spec::load([file.as_path()], &passline::spec::Given::default());
        let spec = loaded.specs.first().expect("a spec");
        let device =
            spec.devices.first().expect("a device").simulated(1, jiff::Timestamp::UNIX_EPOCH);
        let line = Endpoint::new([(1, device)].into(), tokio::time::Instant::now());
        let connect = move || std::future::ready(std::io::Result::Ok(line.connect()));
        let link = Link::spawn(connect, Options::default(), |_| {});
        let one = Request::WriteSingleRegister(0, 1);
        let several = Request::WriteMultipleRegisters(0, vec![1].into());
        let bits = Request::MaskWriteRegister(0, 0xFFFE, 1);
        for (request, allowed) in [(one, single), (several, multiple), (bits, mask)] {
            let call = Call { id: 1, unit: 1, request, timeout: Duration::from_secs(5) };
            let answer = link.call(call).await.result.expect("an answer");
            assert_eq!(answer.is_ok(), allowed, "{key}: {answer:?}");
        }
    }
}
