//! What steps write: the bytes that go out, what is refused at run time, what is read back, and what
//! is put back in the end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::process::Command;

use serde_json::Value;

/// A drive with points of most kinds.
const BENCH: &str = "
spec: writing
devices:
  drive:
    KEYS
    points:
      relay:   { coil: 0 }
      lamp:    { coil: 1 }
      speed:   { holding: 0, scale: 0.1, unit: Hz, range: { min: 0, max: 50 } }
      gain:    { holding: 1, type: f32 }
      mode:    { holding: 3, values: { 0: stop, 1: run } }
      control: { holding: 4, bits: { enable: 0, ramp: 4..6 } }
      label:   { holding: 5, type: string, length: 2 }
      sf:      { holding: 7, type: i16 }
      power:   { holding: 8, scale_factor: sf }
      trigger: { holding: 9, access: write }
      odd:     { holding: 10 }
      status:  { input: 0 }
    response_timeout: 100ms
    retry: { attempts: 3, delay: 10ms }
    simulate:
      values: { speed: 20, sf: -1, control: 0xFF00, label: AB }
      FAULTS
";

/// The record of a run of this spec, and the exit code.
fn run(spec: &str) -> (Value, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.arg("run").arg(&file).args(["--simulate", "--seed=1", "--json"]);
    command.arg(folder.path().join("run.json")).arg("--out").arg(folder.path().join("reports"));
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let run = std::fs::read(folder.path().join("run.json")).unwrap_or_else(|_| panic!("{shown}"));
    let run: Value = serde_json::from_slice(&run).unwrap();
    (run["records"][0].clone(), output.status.code().unwrap())
}

/// A spec of these tests, with these keys of the device and these faults.
fn spec(tests: &str, keys: &str, faults: &str) -> String {
    let faults = if faults.is_empty() { String::new() } else { format!("faults: [{faults}]") };
    format!("{BENCH}{tests}").replace("KEYS\n", &format!("{keys}\n")).replace("FAULTS", &faults)
}

fn steps(steps: &str) -> String {
    format!("tests:\n  - test: t\n    steps:\n{steps}\n")
}

/// The requests that went out, as PDUs in hexadecimal digits.
fn requests(record: &Value) -> Vec<String> {
    let transactions = record["transactions"].as_array().unwrap().iter();
    let frames = transactions.flat_map(|one| one["frames"].as_array().unwrap());
    let sent = frames.filter(|frame| frame["dir"] == "tx");
    let hex = |frame: &Value| frame["hex"].as_str().unwrap().replace(' ', "");
    sent.map(|frame| hex(frame)[14..].to_owned()).collect()
}

/// Verdict, name and message of each check, in order.
fn checks(record: &Value) -> Vec<(String, String, String)> {
    let tests = record["tests"].as_array().unwrap().iter();
    let checks = tests.flat_map(|test| test["checks"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .map(|check| (text(&check["verdict"]), text(&check["name"]), text(&check["message"])))
        .collect()
}

fn verdicts(record: &Value) -> Vec<String> {
    checks(record).into_iter().map(|(verdict, ..)| verdict).collect()
}

/// The check of this name.
fn check<'r>(record: &'r Value, name: &str) -> &'r Value {
    let tests = record["tests"].as_array().unwrap().iter();
    let mut checks = tests.flat_map(|test| test["checks"].as_array().unwrap());
    checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {record}"))
}

const LOOK: &str = "      - { read: drive.status, equals: 0 }";

#[test]
fn every_kind_of_write_goes_out_as_the_standard_has_it() {
    for (write, keys, sent) in [
        ("{ write: { drive.relay: true } }", "", &["05 0000 FF00"][..]),
        ("{ write: { drive.relay: true } }", "write_function: multiple", &["0F 0000 0001 01 01"]),
        ("{ write: { drive.speed: 12.5 } }", "", &["06 0000 007D"]),
        ("{ write: { drive.gain: 230.4 } }", "", &["10 0001 0002 04 43666666"]),
        ("{ write: { drive.gain: .nan } }", "", &["10 0001 0002 04 7FC00000"]),
        ("{ write: { drive.mode: run } }", "", &["06 0003 0001"]),
        ("{ write: { drive.label: XYZ } }", "", &["10 0005 0002 04 58595A00"]),
        ("{ write: { drive.speed: 0.04 }, round: true }", "", &["06 0000 0000"]),
        // A scale factor is read before.
        ("{ write: { drive.power: 12.5 } }", "", &["03 0007 0001", "06 0008 007D"]),
        // In order, one by one; or together.
        ("{ write: { drive.mode: run, drive.speed: 1 } }", "", &["06 0003 0001", "06 0000 000A"]),
        (
            "{ write: { drive.mode: run, drive.gain: 1 }, together: true }",
            "",
            &["10 0001 0003 06 3F800000 0001"],
        ),
        (
            "{ write: { drive.lamp: true, drive.relay: false }, together: true }",
            "",
            &["0F 0000 0002 01 02"],
        ),
        // Bits.
        ("{ write: { drive.control.enable: true } }", "", &["16 0004 FFFE 0001"]),
        (
            "{ write: { drive.control.enable: true, drive.control.ramp: 5 }, together: true }",
            "",
            &["16 0004 FF8E 0051"],
        ),
        (
            "{ write: { drive.control.enable: true } }",
            "write_bits: read_modify_write",
            &["03 0004 0001", "06 0004 FF01"],
        ),
        // A place that no point is at.
        (
            "{ write: { device: drive, holding: 0x0A, type: i16, value: -2 } }",
            "",
            &["06 000A FFFE"],
        ),
        // Read back.
        ("{ write: { drive.speed: 50 }, verify: true }", "", &["06 0000 01F4", "03 0000 0001"]),
        // Computed from what is read just before.
        (
            "{ write: { drive.speed: = drive.speed * 1.5, drive.mode: run } }",
            "",
            &["03 0000 0001", "06 0000 012C", "06 0003 0001"],
        ),
    ] {
        let (record, exit) = run(&spec(&steps(&format!("      - {write}\n{LOOK}")), keys, ""));
        assert_eq!(exit, 0, "{write}: {:?}", checks(&record));
        let mut expected: Vec<String> = sent.iter().map(|pdu| pdu.replace(' ', "")).collect();
        expected.push("0400000001".to_owned());
        assert_eq!(requests(&record), expected, "{write} {keys}");
    }
}

#[test]
fn the_record_says_what_was_written_and_what_was_read_back() {
    let (record, _) = run(&spec(
        &steps("      - { write: { drive.speed: 12.5, drive.control.ramp: 3 }, verify: true }"),
        "",
        "",
    ));
    let speed = check(&record, "drive.speed");
    assert_eq!(speed["kind"], "write");
    assert_eq!(speed["written"].to_string(), r#"{"raw":[125],"unit":"Hz","value":12.5}"#);
    assert_eq!(speed["measurement"]["raw"].to_string(), "[125]");
    assert_eq!(speed["decode"]["address"], 0);
    assert_eq!(speed["attempts"][0]["transactions"].to_string(), "[1,2]");
    let ramp = check(&record, "drive.control.ramp");
    assert_eq!(ramp["written"]["raw"].to_string(), "[48]");
    assert_eq!(ramp["measurement"]["raw"].to_string(), "[65328]");
    assert_eq!(ramp["measurement"]["value"], 3);
}

#[test]
fn what_reads_back_as_something_else_fails_and_ends_the_writing() {
    let faults = "{ fault: not_stored, scope: { point: speed } }";
    let (record, exit) = run(&spec(
        &steps(
            "      - { write: { drive.speed: 12.5, drive.mode: run }, verify: true }\n      \
             - { write: { drive.relay: true } }\n      - { read: drive.status, equals: 0 }",
        ),
        "",
        faults,
    ));
    assert_eq!(exit, 1, "{:?}", checks(&record));
    assert_eq!(verdicts(&record), ["fail", "skipped", "skipped", "pass"]);
    assert_eq!(check(&record, "drive.speed")["message"], "wrote 12.5, reads back 20");
}

#[test]
fn a_computed_value_that_the_point_may_not_have_is_not_written() {
    for (value, says) in [
        ("= drive.speed * 3", "60 is not within what may be written to drive.speed: 0 to 50"),
        ("= drive.speed / 3", "drive.speed cannot be 6.66666"),
        ("= 1 / (drive.speed - 20)", "division by zero"),
        ("= drive.speed + 6540", "out of reach"),
    ] {
        let (record, exit) = run(&spec(
            &steps(&format!(
                "      - {{ write: {{ drive.speed: {value} }} }}\n      \
                 - {{ write: {{ drive.relay: true }} }}\n{LOOK}"
            )),
            "",
            "",
        ));
        assert_eq!(exit, 3, "{value}");
        let found = checks(&record);
        let verdicts: Vec<&str> = found.iter().map(|(verdict, ..)| verdict.as_str()).collect();
        assert_eq!(verdicts, ["error", "skipped", "pass"], "{found:?}");
        assert!(found[0].2.starts_with("nothing was written: "), "{}", found[0].2);
        assert!(found[0].2.contains(says), "{}", found[0].2);
        assert_eq!(check(&record, "drive.speed")["attempts"][0]["error"]["class"], "decode");
        assert_eq!(requests(&record), ["0300000001", "0400000001"], "{value}");
    }
}

#[test]
fn a_saved_value_is_written_to_the_nearest_float() {
    let (record, exit) = run(&spec(
        &steps(
            "      - { read: drive.speed, record: true, save: speed }\n      \
             - { write: { drive.gain: = speed / 3 }, verify: true }",
        ),
        "",
        "",
    ));
    assert_eq!(exit, 0, "{:?}", checks(&record));
    let gain = check(&record, "drive.gain");
    assert_eq!(gain["written"]["saved"]["speed"], 20);
    assert_eq!(gain["measurement"]["value"].to_string(), "6.6666665");
}

/// A write goes out once, unless the device cannot have done it or the step says so itself.
#[test]
fn a_write_is_never_silently_sent_twice() {
    let write = "      - { write: { drive.mode: run } }";
    let own = "      - { write: { drive.mode: run }, retry: { attempts: 2, delay: 1ms } }";
    let times = |steps_: &str, faults: &str| {
        let (record, _) = run(&spec(&steps(&format!("{steps_}\n{LOOK}")), "", faults));
        let sent = requests(&record).iter().filter(|pdu| pdu.starts_with("06")).count();
        let found = checks(&record).remove(0);
        (sent, found.0, found.2)
    };
    let silent = "{ fault: silent, scope: { function: 6 }, first: 1 }";
    let (sent, verdict, message) = times(write, silent);
    assert_eq!((sent, verdict.as_str()), (1, "error"));
    assert!(message.ends_with("the device may have written it or not"), "{message}");
    assert_eq!(times(own, silent).0, 2);
    assert_eq!(times(own, silent).1, "pass");
    let exception = |code: &str| {
        format!("{{ fault: exception, code: {code}, scope: {{ function: 6 }}, first: 1 }}")
    };
    // The device says that it did not do it.
    assert_eq!(times(write, &exception("busy")).0, 2);
    assert_eq!(times(write, &exception("busy")).1, "pass");
    assert_eq!(times(write, &exception("gateway_path_unavailable")).0, 2);
    // It is still at it, or nobody knows.
    for code in ["acknowledge", "gateway_target_failed"] {
        assert_eq!(times(write, &exception(code)).0, 1, "{code}");
        assert_eq!(times(write, &exception(code)).1, "error", "{code}");
    }
    assert_eq!(times(own, &exception("acknowledge")).0, 1);
    assert_eq!(times(write, &exception("illegal_data_value")).0, 1);
}

#[test]
fn a_refusal_can_be_what_is_wanted() {
    let negative = "
      - { write: { device: drive, holding: 999, value: 1 }, exception: illegal_data_address }
      - { write: { drive.speed: 99.9 }, exception: illegal_data_value }
      - { write: { drive.trigger: 1 }, answers: false }
      - { read: drive.status, equals: 0 }";
    let faults = "{ fault: exception, code: illegal_data_value, scope: { point: speed } }, \
                  { fault: silent, scope: { point: trigger } }";
    let (record, exit) = run(&spec(&steps(negative), "", faults));
    assert_eq!(exit, 0, "{:?}", checks(&record));
    assert_eq!(requests(&record).len(), 4, "each once");
    let (record, exit) = run(&spec(&steps(negative), "", ""));
    assert_eq!(exit, 1);
    let found = checks(&record);
    assert_eq!((&*found[2].0, &*found[3].0), ("fail", "pass"), "{found:?}");
    let accepted = "
      - { write: { drive.mode: run }, exception: illegal_data_value }
      - { write: { drive.relay: true } }
      - { read: drive.status, equals: 0 }";
    let (record, exit) = run(&spec(&steps(accepted), "", ""));
    assert_eq!(exit, 1);
    assert_eq!(verdicts(&record), ["fail", "skipped", "pass"]);
    assert!(checks(&record)[0].2.contains("accepted the request"));
}

#[test]
fn what_was_there_before_is_put_back_the_last_first_whatever_happens() {
    let (record, exit) = run(&spec(
        "setup:
  - { write: { drive.relay: true }, restore: true }
tests:
  - test: t
    steps:
      - { write: { drive.speed: 30, drive.control.ramp: 5 }, restore: true }
      - { write: { drive.mode: run }, restore: true, if: drive.speed > 45 }
      - { read: drive.speed, equals: 999 }
    teardown:
      - { read: drive.speed, equals: 30 }
  - test: after
    steps:
      - { read: drive.speed, equals: 20 }
      - { read: drive.control, equals: 0xFF00 }
      - { read: drive.relay, equals: true }
",
        "",
        "",
    ));
    assert_eq!(exit, 1, "{:?}", checks(&record));
    let found: Vec<(String, String)> =
        checks(&record).into_iter().map(|(verdict, name, _)| (verdict, name)).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        found,
        [
            ("pass", "drive.relay"),
            ("pass", "drive.speed"),
            ("pass", "drive.control.ramp"),
            ("skipped", "drive.mode"),
            ("fail", "drive.speed#2"),
            ("pass", "drive.speed#3"),
            ("skipped", "put back drive.mode"),
            ("recorded", "put back drive.control.ramp"),
            ("recorded", "put back drive.speed"),
            ("pass", "drive.speed"),
            ("pass", "drive.control"),
            ("pass", "drive.relay"),
            ("recorded", "put back drive.relay"),
        ]
    );
    assert_eq!(requests(&record).last().unwrap(), "0500000000");
    assert_eq!(check(&record, "put back drive.speed")["message"], "it is 20 again");
}

#[test]
fn what_cannot_be_put_back_is_an_error_that_names_it() {
    let silent = "{ fault: silent, scope: { function: 6 }, after: 1 }";
    let (record, exit) = run(&spec(
        &steps(
            "      - { write: { drive.speed: 30 }, restore: true }\n      - { read: drive.speed, equals: 30 }",
        ),
        "",
        silent,
    ));
    assert_eq!(exit, 3, "{:?}", checks(&record));
    let message = check(&record, "put back drive.speed")["message"].as_str().unwrap();
    assert!(message.starts_with("drive.speed could not be put back to 20, "), "{message}");
    assert!(message.ends_with("set it by hand"), "{message}");
    // Putting back twice is the same as once.
    assert_eq!(check(&record, "put back drive.speed")["attempts"].as_array().unwrap().len(), 3);
    // What cannot be read before is not written.
    let unread = "{ fault: silent, scope: { function: 3 } }";
    let (record, _) = run(&spec(
        &steps(
            "      - { write: { drive.speed: 30 }, restore: true }\n      - { read: drive.status, equals: 0 }",
        ),
        "",
        unread,
    ));
    assert_eq!(verdicts(&record), ["error", "pass", "skipped"]);
    assert!(!requests(&record).iter().any(|pdu| pdu.starts_with("06")));
}

#[test]
fn a_broadcast_reaches_all_devices_of_a_serial_line() {
    let serial = "
spec: broadcast
links: { bus: 'rtu:///dev/ttyNONE?turnaround=20ms' }
devices:
  a: { link: bus, unit_id: 1, points: { on: { coil: 0 }, level: { holding: 0 } } }
  b: { link: bus, unit_id: 2, points: { on: { coil: 0 }, level: { holding: 0 } } }
tests:
  - test: t
    steps:
      - { write: { a.on: true, a.level: 7 }, broadcast: true }
      - { read: b.on, equals: true }
      - { read: b.level, equals: 7 }
      - { read: a.level, equals: 7 }
";
    let (record, exit) = run(serial);
    assert_eq!(exit, 0, "{:?}", checks(&record));
    let units: Vec<&Value> =
        record["transactions"].as_array().unwrap().iter().map(|one| &one["unit_id"]).collect();
    assert_eq!(units[..2], [0, 0]);
}

#[test]
fn a_device_is_kept_alive_from_before_the_setup_until_after_the_teardown() {
    let alive = "keep_alive: { write: { odd: = (drive.odd + 1) % 100 }, every: 300ms }";
    let tests = "setup:
  - { read: drive.odd, min: 1, max: 100 }
tests:
  - test: t
    steps:
      - { read: drive.odd, min: 3, max: 99, retry: { errors: [limit], attempts: 900, delay: 10ms } }
teardown:
  - { write: { drive.relay: false } }
";
    let (record, exit) = run(&spec(tests, alive, ""));
    assert_eq!(exit, 0, "{:?}", checks(&record));
    let kept = check(&record, "keep drive alive");
    assert_eq!(kept["verdict"], "recorded");
    assert!(kept["message"].as_str().unwrap().ends_with(", 0 times missed"));
    assert_eq!(requests(&record)[..2], ["03000A0001", "06000A0001"]);
    // Two in a row may go wrong, three may not.
    let fault = |first: u8| {
        format!(
            "{{ fault: exception, code: server_device_failure, scope: {{ point: odd, function: 6 }}, first: {first} }}"
        )
    };
    let read_only = "tests:
  - test: t
    steps:
      - { read: drive.odd, min: 1, max: 99, retry: { errors: [limit], attempts: 900, delay: 10ms } }
";
    let (record, exit) = run(&spec(read_only, alive, &fault(2)));
    assert_eq!(exit, 0, "{:?}", checks(&record));
    let (record, exit) = run(&spec(read_only, alive, &fault(3)));
    assert_eq!(exit, 3, "{:?}", checks(&record));
    let message = check(&record, "keep drive alive")["message"].as_str().unwrap();
    assert!(message.starts_with("missed too often in a row "), "{message}");
}

#[test]
fn each_time_that_a_test_is_made_puts_back_what_it_wrote() {
    let again = "tests:
  - test: t
    repeat: 3
    steps:
      - { write: { drive.speed: 30 }, restore: true, verify: true }
      - { read: drive.speed, equals: 30 }
  - test: after
    steps: [{ read: drive.speed, equals: 20 }]
";
    let (record, exit) = run(&spec(again, "", ""));
    assert_eq!(exit, 0, "{:?}", checks(&record));
    let mut made = verdicts(&record);
    made.sort();
    assert_eq!(made, [vec!["pass"; 7], vec!["recorded"; 3]].concat());
}

/// What a recovery finds is older than what the try behind it finds.
#[test]
fn what_a_recovery_wrote_is_put_back_last_and_also_where_no_try_follows() {
    let spec_ = |recover: &str| {
        let tests = format!(
            "tests:
  - test: t
    steps:
      - {{ write: {{ drive.speed: 30 }}, restore: true }}
      - {{ read: drive.mode, equals: run }}
    retry:
      errors: [limit]
      attempts: 2
      delay: 1ms
      recover:
        - {{ write: {{ drive.speed: 10 }}, restore: true }}
        - {{ read: drive.status, equals: {recover} }}
  - test: after
    steps: [{{ read: drive.speed, equals: 20 }}]
"
        );
        let (record, exit) = run(&spec(&tests, "", ""));
        assert_eq!(exit, 1, "{:?}", checks(&record));
        assert_eq!(verdicts(&record).last().unwrap(), "pass", "{:?}", checks(&record));
        let sent = requests(&record).into_iter().filter(|pdu| pdu.starts_with("06"));
        sent.map(|pdu| i32::from_str_radix(&pdu[6..], 16).unwrap() / 10).collect::<Vec<_>>()
    };
    assert_eq!(spec_("0"), [30, 20, 10, 30, 10, 20]);
    assert_eq!(spec_("1"), [30, 20, 10, 20]);
}

#[test]
fn a_device_that_a_busy_line_kept_waiting_went_without() {
    let bus = "
spec: busy
links: { bus: 'rtu:///dev/ttyNONE' }
devices:
  drive:
    link: bus
    unit_id: 1
    points: { beat: { holding: 0 } }
    keep_alive: { write: { beat: 1 }, every: 200ms, misses: MISSES }
  deaf:
    link: bus
    unit_id: 2
    response_timeout: 2s
    points: { level: { holding: 0 } }
    simulate: { faults: [{ fault: silent }] }
tests:
  - test: t
    steps: [{ read: deaf.level, answers: false }, { read: drive.beat, equals: 1 }]
";
    let (record, exit) = run(&bus.replace("MISSES", "3"));
    assert_eq!(exit, 3, "{:?}", checks(&record));
    let message = check(&record, "keep drive alive")["message"].as_str().unwrap();
    assert!(message.contains("the line was busy for"), "{message}");
    let (record, exit) = run(&bus.replace("MISSES", "1000"));
    assert_eq!(exit, 0, "{:?}", checks(&record));
}

/// What `passline plan` says of a spec.
fn plan(spec: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    let output = command.arg("plan").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_plan_counts_all_that_is_sent() {
    let tests = "
setup:
  - { write: { drive.relay: true }, restore: true }
tests:
  - test: t
    steps:
      - { write: { drive.speed: = drive.speed + 1, drive.gain: 1 }, verify: true }
      - { write: { drive.control.enable: true }, restore: true }
      - { read: drive.status, equals: 0 }
";
    let keys = "write_bits: read_modify_write\n    keep_alive: { write: { odd: 1 }, every: 60s }";
    let spec = spec(tests, keys, "");
    let planned = plan(&spec);
    let lines: Vec<&str> =
        planned.lines().filter_map(|line| line.strip_prefix("    no link unit 1: ")).collect();
    assert_eq!(
        lines,
        [
            "coil 1 from 0, to be put back, for drive.relay",
            "write coil 1 from 0 for drive.relay",
            "holding 1 from 0 for drive.speed",
            "write holding 1 from 0 for drive.speed",
            "holding 1 from 0, read back, for drive.speed",
            "write holding 2 from 1 for drive.gain",
            "holding 2 from 1, read back, for drive.gain",
            "holding 1 from 4, to be put back, for drive.control.enable",
            "holding 1 from 4, whose other bits stay, for drive.control.enable",
            "write holding 1 from 4 for drive.control.enable",
            "input 1 from 0 for drive.status",
            "holding 1 from 4, whose other bits stay, for put back drive.control.enable",
            "write holding 1 from 4 for put back drive.control.enable",
            "write coil 1 from 0 for put back drive.relay",
        ],
        "{planned}"
    );
    assert!(
        planned.contains("  besides, 1 write every 60s keep drive alive on no link"),
        "{planned}"
    );
    // Just that is sent, and one heartbeat.
    let (record, exit) = run(&spec);
    assert_eq!(exit, 0, "{:?}", checks(&record));
    assert_eq!(requests(&record).len(), lines.len() + 1);
    assert!(planned.contains("  14 transactions in all"), "{planned}");
}

#[test]
fn junit_says_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec(&steps("      - { write: { drive.speed: 12.5 } }\n      - { read: drive.speed, equals: 12.5 }"), "", "")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.arg("run").arg(&file).args(["--simulate", "--junit"]);
    command.arg(folder.path().join("run.xml")).arg("--out").arg(folder.path().join("reports"));
    assert!(command.output().unwrap().status.success());
    let report = std::fs::read_to_string(folder.path().join("run.xml")).unwrap();
    let property = r#"<property name="write.drive.speed" value="12.5 Hz"/>"#;
    assert!(report.contains(property), "{report}");
}

/// Who serves a device shares its file with who tests it.
#[test]
fn what_keeps_a_device_alive_is_checked_in_simulator_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("simulator.yaml");
    let check = |keep: &str| {
        let device =
            format!("{{ points: {{ p: {{ holding: 0 }} }}, keep_alive: {{ {keep}, every: 1s }} }}");
        std::fs::write(&file, format!("simulator: s\ndevices: {{ d: {device} }}\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
        let output = command.arg("check").arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check("write: { p: 1 }").0, Some(0));
    let (code, said) = check("write: { q: 1 }");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`q`"), "{said}");
}
