//! A cabinet on different lines, `specs/mixed_lines.yaml`: the real command against the real
//! simulator, over a pseudo-terminal and sockets, and the same procedure within one process. Values
//! and verdicts are the same, and the record shows the frames of each line.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const SPEC: &str = "specs/mixed_lines.yaml";

/// A request of eight characters, and before it the silence of 3.5, of ten bits at 9600 baud, in
/// microseconds. A request counts as sent when its last character is.
const REQUEST: u64 = 11_979;

fn passline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    command
}

/// Serves the lines of the spec until it is dropped.
struct Simulator {
    process: Child,
    /// Where each line is, as variables of the spec.
    lines: Vec<String>,
}

impl Simulator {
    fn start() -> Self {
        let mut process = passline(&["simulate", SPEC]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let line = |variable| {
            let said = said.next().unwrap().unwrap();
            let url = said.strip_prefix("listening on ").unwrap().split(' ').next().unwrap();
            format!("{variable}={url}")
        };
        let lines = ["bus", "inverter", "relays"].map(line).to_vec();
        Self { process, lines }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the spec; its record.
fn run(how: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, out) = (path("run.json"), path("out"));
    let output = passline(&["run", SPEC, "--json", &json, "--out", &out]).args(how).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let run: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    run["records"][0].clone()
}

fn run_over_lines() -> Value {
    let simulator = Simulator::start();
    let variables = simulator.lines.iter().flat_map(|line| ["--var", line.as_str()]);
    run(&variables.collect::<Vec<_>>())
}

/// What was judged: of every check the verdict, the value, the registers.
fn judged(record: &Value) -> BTreeMap<(String, String), (Value, Value)> {
    let tests = record["tests"].as_array().unwrap().iter();
    let checks = tests.flat_map(|test| {
        let checks = test["checks"].as_array().unwrap().iter();
        checks.map(move |check| {
            let name = (test["name"].to_string(), check["name"].to_string());
            (name, (check["verdict"].clone(), check["measurement"].clone()))
        })
    });
    checks.collect()
}

/// The bytes of a transaction, request and answer, and when they were there.
struct Transaction {
    link: String,
    unit: u8,
    frames: Vec<(u64, Vec<u8>)>,
}

fn transactions(record: &Value) -> Vec<Transaction> {
    let bytes = |frame: &Value| {
        let hex = frame["hex"].as_str().unwrap().replace(' ', "");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (frame["at_us"].as_u64().unwrap(), (0..hex.len()).step_by(2).map(byte).collect())
    };
    let transaction = |said: &Value| Transaction {
        link: said["link"].as_str().unwrap().to_owned(),
        unit: u8::try_from(said["unit_id"].as_u64().unwrap()).unwrap(),
        frames: said["frames"].as_array().unwrap().iter().map(bytes).collect(),
    };
    record["transactions"].as_array().unwrap().iter().map(transaction).collect()
}

/// The CRC of the serial line guide (V1.02, clause 6.2.2), bit by bit. With its own CRC behind it
/// a frame has 0.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        let shift = |crc: u16, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
        (0..8).fold(crc ^ u16::from(*byte), shift)
    })
}

/// Whether a frame has the form of its line, for this unit.
fn is_frame(link: &str, unit: u8, bytes: &[u8]) -> bool {
    if link == "bus" {
        return bytes.len() > 4 && bytes[0] == unit && crc(bytes) == 0;
    }
    let length = u16::try_from(bytes.len()).unwrap() - 6;
    bytes[2..4] == [0, 0] && bytes[4..6] == length.to_be_bytes() && bytes[6] == unit
}

#[test]
fn over_lines_and_within_the_process_the_same_is_judged() {
    let (over_lines, within) = (run_over_lines(), run(&["--simulate"]));
    assert_eq!(over_lines["mode"], "development");
    assert_eq!(within["mode"], "simulated");
    let judged_over_lines = judged(&over_lines);
    assert_eq!(judged_over_lines.len(), 23);
    assert!(judged_over_lines.values().all(|(verdict, _)| verdict == "pass"));
    assert_eq!(judged_over_lines, judged(&within));
}

#[test]
fn each_line_has_frames_of_its_own_kind() {
    for record in [run_over_lines(), run(&["--simulate"])] {
        let transactions = transactions(&record);
        for link in ["bus", "inverter", "relays"] {
            assert!(transactions.iter().any(|transaction| transaction.link == link), "{link}");
        }
        for Transaction { link, unit, frames } in &transactions {
            assert_eq!(frames.len(), 2, "a request and its answer, and nothing else");
            for (_, bytes) in frames {
                assert!(is_frame(link, *unit, bytes), "{link}, unit {unit}: {bytes:02X?}");
            }
        }
    }
}

#[test]
fn the_meters_of_the_bus_are_asked_one_after_the_other() {
    let mut bus = transactions(&run_over_lines());
    bus.retain(|transaction| transaction.link == "bus");
    let mut units: Vec<u8> = bus.iter().map(|transaction| transaction.unit).collect();
    assert!(units.windows(2).any(|pair| pair[0] != pair[1]));
    units.sort_unstable();
    units.dedup();
    assert_eq!(units, [1, 2, 3]);
    bus.sort_by_key(|transaction| transaction.frames[0].0);
    for pair in bus.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        let (answered, asked) = (before.frames[1].0, after.frames[0].0);
        assert!(asked >= answered + REQUEST, "asked at {asked} after the answer at {answered}");
    }
}
