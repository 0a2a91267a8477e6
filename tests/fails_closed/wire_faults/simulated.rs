//! Every kind of fault of a simulated device, and what a run says about it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{check, classes};
use crate::bench::Bench;

/// A fault on a line of its own, and what becomes of two points that hold 7 and 8: verdict, error
/// classes of the attempts, raw content. Empty: not looked at.
type Case = (&'static str, &'static str, &'static str, &'static str);

const TCP: &str = "tcp";
const RTU: &str = "rtu+tcp";
const ASCII: &str = "ascii+tcp";

const PASS: &str = "pass - [7]";
const FRAME: &str = "error frame frame frame";
const CLOSED: &str = "error closed closed closed";
const TIMEOUT: &str = "error timeout timeout timeout";
const SECOND: &str = "pass timeout - [7]";

const CASES: [Case; 68] = [
    (TCP, "exception, code: busy, first: 2", "pass busy busy - [7]", "pass - [8]"),
    (TCP, "exception, code: 2", "error exception-02", ""),
    (TCP, "silent", TIMEOUT, ""),
    (TCP, "pause, by: 10s", PASS, "error timeout timeout timeout"),
    (TCP, "pause_after_connect, by: 10s", TIMEOUT, ""),
    (TCP, "one_in_flight", PASS, "pass - [8]"),
    (TCP, "function", FRAME, ""),
    (TCP, "byte_count, add: 1", FRAME, ""),
    (TCP, "registers, add: 1", FRAME, ""),
    (TCP, "registers, add: -1", FRAME, ""),
    // Nothing tells a client that a value is old: only its limits do, if they can.
    (TCP, "stale", PASS, "fail - [7]"),
    (TCP, "frozen", PASS, "pass - [8]"),
    (TCP, "value, value: 9, scope: { point: p }", "fail - [9]", "pass - [8]"),
    (TCP, "value, words: [65535], scope: { point: p }", "fail - [65535]", "pass - [8]"),
    (TCP, "bit_flip, bit: 0", "fail - [6]", "fail - [9]"),
    (TCP, "transaction_id, id: next", "error foreign", ""),
    (TCP, "transaction_id, id: 0", "error foreign", ""),
    (TCP, "transaction_id, id: swapped", "error foreign", ""),
    (TCP, "transaction_id, id: counted, scope: { point: q }", PASS, "error timeout late"),
    (TCP, "unit_id, id: 0", "error foreign", ""),
    (TCP, "protocol_id, id: 1", FRAME, ""),
    (TCP, "length, add: 1", FRAME, ""),
    (TCP, "length, add: -1", FRAME, ""),
    (TCP, "length, set: 65535", FRAME, ""),
    (TCP, "delay, by: 20ms", PASS, "pass - [8]"),
    (TCP, "delay, by: 900ms, first: 1", SECOND, "pass - [8]"),
    (TCP, "jitter, by: 20ms", PASS, "pass - [8]"),
    (TCP, "gap, by: 10ms", PASS, "pass - [8]"),
    (TCP, "trickle, by: 2ms", PASS, "pass - [8]"),
    (TCP, "truncate, count: 1", FRAME, ""),
    (TCP, "trailing, bytes: FF", PASS, ""),
    (TCP, "noise, bytes: FF", FRAME, ""),
    (TCP, "unsolicited", PASS, "pass - [8]"),
    (TCP, "duplicate", PASS, "pass - [8]"),
    (TCP, "together, first: 1", SECOND, "pass - [8]"),
    (TCP, "reorder, first: 1", SECOND, "pass - [8]"),
    (TCP, "close", CLOSED, ""),
    (TCP, "close, sent: 9", CLOSED, ""),
    (TCP, "close, sent: all", PASS, "pass - [8]"),
    (TCP, "reset, sent: 3", CLOSED, ""),
    (TCP, "refuse", "error connect connect connect", ""),
    (TCP, "refuse, first: 1", "pass connect - [7]", "pass - [8]"),
    (TCP, "mute", TIMEOUT, ""),
    (TCP, "noise_at_open, bytes: FF FF FF FF", FRAME, ""),
    (RTU, "function", FRAME, ""),
    (RTU, "byte_count, add: 1", FRAME, ""),
    (RTU, "registers, add: 1", FRAME, ""),
    (RTU, "registers, add: -1", FRAME, ""),
    (RTU, "stale", PASS, "fail - [7]"),
    (RTU, "bit_flip, bit: 0", "fail - [6]", "fail - [9]"),
    (RTU, "unit_id, id: 9", "error foreign", ""),
    (RTU, "checksum", "error crc crc crc", ""),
    (RTU, "no_silence", PASS, "pass - [8]"),
    (RTU, "gap, by: 10ms", PASS, "pass - [8]"),
    (RTU, "trickle, by: 2ms", PASS, "pass - [8]"),
    (RTU, "truncate, count: 1", FRAME, ""),
    (RTU, "trailing, bytes: FF", PASS, "pass - [8]"),
    (RTU, "noise, bytes: FF", PASS, "pass - [8]"),
    (RTU, "noise, count: 25", PASS, "pass - [8]"),
    (RTU, "collision", "error crc crc crc", ""),
    (RTU, "echo", FRAME, ""),
    (RTU, "foreign", PASS, "pass - [8]"),
    (RTU, "duplicate", PASS, "pass - [8]"),
    (RTU, "noise_at_open, count: 3", PASS, "pass - [8]"),
    (ASCII, "checksum", "error crc crc crc", ""),
    (ASCII, "noise, count: 25", PASS, "pass - [8]"),
    (ASCII, "foreign", PASS, "pass - [8]"),
    (ASCII, "truncate, count: 1", TIMEOUT, ""),
];

/// Each device with a test that reads both points. Who is waited for in vain is not waited for
/// long; a slow machine is not held against the others.
fn spec() -> String {
    let (mut devices, mut tests) = (Vec::new(), Vec::new());
    for (index, (scheme, fault, p, q)) in CASES.iter().enumerate() {
        let in_vain = ["error", "timeout"].iter().any(|word| p.contains(word) || q.contains(word));
        let timeout = if in_vain { "400ms" } else { "20s" };
        devices.push(format!(
            "  d{index}:
    link: \"{scheme}://192.0.2.1:{port}\"
    unit_id: 17
    response_timeout: {timeout}
    points: {{ p: {{ holding: 3, alone: true }}, q: {{ holding: 4, alone: true }} }}
    simulate:
      values: {{ p: 7, q: 8 }}
      faults: [{{ fault: {fault} }}]
",
            port = 1000 + index
        ));
        tests.push(format!(
            "  - test: t{index}
    steps: [{{ read: d{index}.p, equals: 7 }}, {{ read: d{index}.q, equals: 8 }}]
"
        ));
    }
    format!("spec: faults\ndevices:\n{}tests:\n{}", devices.concat(), tests.concat())
}

/// Verdict, error classes and raw content of a check.
fn came_to(check: &Value) -> String {
    let raw = &check["measurement"]["raw"];
    let mut parts = vec![check["verdict"].as_str().unwrap()];
    parts.extend(classes(check));
    let raw = if raw.is_null() { String::new() } else { format!(" {raw}") };
    parts.join(" ") + &raw
}

#[test]
fn every_kind_is_named_for_what_it_is_and_no_wrong_value_passes() {
    let bench = Bench::with(&spec());
    let ended = bench.run(&["--simulate", "--seed=1"]);
    assert_eq!(ended.code, 3, "{}", ended.err);
    let document = bench.document();
    let mut wrong = Vec::new();
    for (index, (scheme, fault, p, q)) in CASES.iter().enumerate() {
        for (point, expected, sound) in [("p", p, 7), ("q", q, 8)] {
            let check = check(&document, &format!("d{index}.{point}"));
            let seen = came_to(check);
            if check["verdict"] == "pass" {
                assert_eq!(check["measurement"]["raw"], serde_json::json!([sound]), "{fault}");
            }
            if !expected.is_empty() && seen != **expected {
                wrong.push(format!("{scheme} {fault}: {point} {seen}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_run_under_faults_by_chance_is_the_same_for_the_same_seed() {
    let faults = "
        - { fault: noise, count: 5, probability: 0.3 }
        - { fault: bit_flip, probability: 0.4 }
        - { fault: close, sent: 9, probability: 0.2 }";
    let spec = format!(
        "spec: chance
devices:
  d:
    link: tcp://192.0.2.1
    unit_id: 17
    response_timeout: 20s
    retry: {{ delay: 0ms }}
    points: {{ p: {{ holding: 3, alone: true }} }}
    simulate:
      values: {{ p: 7 }}
      faults: {faults}
tests:
  - test: t
    for_each: {{ n: [1, 2, 3, 4, 5, 6, 7, 8] }}
    steps: [{{ read: d.p, equals: 7 }}]
"
    );
    let frames = |seed: &str| -> Vec<String> {
        let bench = Bench::with(&spec);
        bench.run(&["--simulate", seed]);
        let document = bench.document();
        let frames = super::frames(&document, "rx").into_iter();
        frames.map(|(bytes, note)| format!("{bytes:02X?} {note}")).collect()
    };
    let seen = frames("--seed=1");
    assert!(seen.len() >= 8, "{seen:?}");
    assert_eq!(seen, frames("--seed=1"));
    assert_ne!(seen, frames("--seed=2"));
}

#[test]
fn a_connection_that_was_closed_while_idle_is_made_again() {
    let spec = "spec: idle
devices:
  d:
    link: tcp://192.0.2.1
    unit_id: 17
    response_timeout: 20s
    points: { p: { holding: 3 } }
    simulate: { values: { p: 7 }, faults: [{ fault: idle_close, by: 20ms }] }
tests:
  - test: t
    steps: [{ read: d.p, equals: 7 }, { wait: 300ms }, { read: d.p, equals: 7 }]
";
    let bench = Bench::with(spec);
    let ended = bench.run(&["--simulate"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(came_to(check(&bench.document(), "d.p#2")), PASS);
}

/// `passline simulate`, ended with the test, and where it listens.
struct Served(Child, String);

impl Served {
    fn start(bench: &Bench) -> Self {
        let mut command = bench.passline(&["simulate", "spec.yaml", "--seed", "1"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().nth(2).unwrap().to_owned();
        Self(child, url)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn writes_that_go_wrong_are_found_where_they_are_read_back() {
    let device = |unit: u8, faults: &str| {
        format!(
            "  d{unit}:
    link: tcp://192.0.2.1
    unit_id: {unit}
    points: {{ p: {{ holding: 3 }} }}
    simulate: {{ values: {{ p: 7 }}, faults: [{faults}] }}
"
        )
    };
    let cases = [
        ("", 0, "9"),
        ("{ fault: not_stored }", 1, "7"),
        // What is shown is what was there, and nobody can know better.
        ("{ fault: frozen }", 1, "7"),
        // It is stored, and the answer says otherwise.
        ("{ fault: old_echo }", 3, "9"),
        ("{ fault: exception, code: 1, scope: { function: 6 } }", 3, "7"),
    ];
    let devices: String = (1..).zip(cases).map(|(unit, case)| device(unit, case.0)).collect();
    let bench = Bench::with(&format!(
        "spec: writes\ndevices:\n{devices}tests:\n  - test: t\n    steps: [{{ read: d1.p, equals: 7 }}]\n"
    ));
    let served = Served::start(&bench);
    for (unit, (faults, code, held)) in (1..).zip(cases) {
        let unit = format!("--unit-id={unit}");
        let patience = "--timeout=20s";
        let write = ["write", &served.1, &unit, patience, "holding:3=9", "--verify"];
        let written = bench.ends(&write);
        assert_eq!(written.code, code, "{faults}: {}{}", written.out, written.err);
        let read = bench.ends(&["read", &served.1, &unit, patience, "holding:3"]);
        assert_eq!((read.code, read.out.trim()), (0, held), "{faults}: {}", read.err);
    }
}
