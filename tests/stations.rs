//! Units, stations and slots, through the binary and over real sockets: who is tested where, what
//! the record says of it, and what is refused.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

#[expect(dead_code, reason = "what other tests need of it")]
mod binary;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use binary::{Simulator, text};
use serde_json::{Value, json};
use tempfile::TempDir;

const SPEC: &str = "\
spec: panel
uut:
  part_number: PM-5
  serial: { pattern: '[0-9]{8}', matches: meter.serial_number, format: '%08d' }
devices:
  meter:
    unit_id: 1
    response_timeout: 300ms
    retry: { attempts: 1 }
    points:
      voltage: { input: 0 }
      serial_number: { holding: 0, type: u32 }
    simulate:
      values: { voltage: 230, serial_number: 7 }
tests:
  - { test: mains, steps: [{ read: meter.voltage, min: 207 }] }
  - { test: not too much, steps: [{ read: meter.voltage, max: 253 }] }
";

/// A folder with `spec.yaml` and `station.yaml`.
struct Folder(TempDir);

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Folder {
    fn new(spec: &str, station: &str) -> Self {
        let folder = Self(TempDir::new().unwrap());
        fs::write(folder.path("spec.yaml"), spec).unwrap();
        fs::write(folder.path("station.yaml"), station).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn passline(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
        let output = command.args(arguments).current_dir(self.0.path()).output().unwrap();
        let code = output.status.code().unwrap_or(-1);
        Ended { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut all = vec!["run", "spec.yaml", "--station=station.yaml", "--json=run.json"];
        all.extend(["--junit=junit.xml", "--out=out"]);
        all.extend(arguments);
        self.passline(&all)
    }

    fn records(&self) -> Vec<Value> {
        let run: Value = serde_json::from_slice(&fs::read(self.path("run.json")).unwrap()).unwrap();
        run["records"].as_array().unwrap().clone()
    }
}

/// The served spec for a unit of this serial number, and where it is.
fn served(serial: &str) -> (Simulator, String, TempDir) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unit.yaml");
    fs::write(&path, SPEC.replace("serial_number: 7", &format!("serial_number: {serial}")))
        .unwrap();
    let (simulator, lines) = Simulator::start(1, &[path.to_str().unwrap()]);
    let url = lines[0].split(' ').nth(2).unwrap().to_owned();
    (simulator, url, folder)
}

/// `outcome`, and `name: verdict` of each test.
fn told(record: &Value) -> Vec<String> {
    let tests = record["tests"].as_array().unwrap().iter();
    let tests = tests.map(|test| {
        format!("{}: {}", test["name"].as_str().unwrap(), test["verdict"].as_str().unwrap())
    });
    [record["outcome"].as_str().unwrap().to_owned()].into_iter().chain(tests).collect()
}

#[test]
fn units_in_several_slots_are_tested_at_once_and_one_failure_touches_no_other() {
    let (_a, a, _f) = served("41");
    let (_b, b, _g) = served("42");
    let station = format!(
        "station: line 3\nlocation: hall B\nmode: production\nslots:\n  \
         A: {{ meter: {{ link: '{a}' }} }}\n  B: {{ meter: {{ link: '{b}' }} }}\n\
         instruments:\n  - {{ id: DMM-7, calibration: {{ due: 2999-12-31, certificate: C-1 }}, uncertainty: 0.05 }}\n\
         environment: {{ temperature: 23.10 }}\n"
    );
    let folder = Folder::new(SPEC, &station);
    let Ended { code, out, err } = folder.run(&["--slot", "A=00000041", "--slot", "B=00000042"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("panel [A]: mains"), "{out}");
    assert!(out.contains("panel [B]: PASS in"), "{out}");
    let records = folder.records();
    for (record, (slot, serial)) in records.iter().zip([("A", "00000041"), ("B", "00000042")]) {
        assert_eq!(told(record), ["pass", "uut: pass", "mains: pass", "not too much: pass"]);
        assert_eq!(record["slot"], slot);
        assert_eq!(record["uut"]["serial"], serial);
        assert_eq!(record["station"], "line 3");
        assert_eq!(record["mode"], "production");
        let instrument = json!({
            "id": "DMM-7", "calibration": { "due": "2999-12-31", "certificate": "C-1" }, "uncertainty": 0.05
        });
        assert_eq!(record["instruments"], json!([instrument]));
        assert_eq!(record["environment"]["location"], "hall B");
        let files: Vec<&str> = record["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["file"].as_str().unwrap())
            .collect();
        assert_eq!(files, ["spec.yaml", "station.yaml"]);
        let check = &record["tests"][0]["checks"][0];
        assert_eq!(check["name"], "serial");
        assert_eq!(check["limit"]["equals"], serial.parse::<u64>().unwrap());
    }
    assert_eq!(records.len(), 2);
    let junit = fs::read_to_string(folder.path("junit.xml")).unwrap();
    assert!(junit.contains("classname=\"panel.A.mains\""), "{junit}");
    assert!(junit.contains("classname=\"panel.B.uut\""), "{junit}");

    // The unit in B is another one than its label says.
    let Ended { code, out, err } = folder.run(&["--slot", "A=00000041", "--slot", "B=00000043"]);
    assert_eq!(code, 1, "{out}{err}");
    let records = folder.records();
    assert_eq!(told(&records[0])[0], "pass");
    assert_eq!(told(&records[1]), ["fail", "uut: fail", "mains: skipped", "not too much: skipped"]);
    assert!(out.contains("42 is not 43"), "{out}");
    // The unit is told in the end, whichever it is.
    assert!(out.contains("\n  unit 00000041\npanel [B]: FAIL in"), "{out}");
    // With fail-fast the other slot goes on.
    let fast = ["--fail-fast", "--slot", "B=00000043", "--slot", "A=00000041"];
    assert_eq!(folder.run(&fast).code, 1);
    assert_eq!(told(&folder.records()[1])[0], "pass");
}

#[test]
fn a_slot_whose_device_is_gone_is_an_error_of_its_own() {
    let (_a, a, _f) = served("41");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let station = format!(
        "station: s\nslots:\n  A: {{ meter: {{ link: '{a}' }} }}\n  \
         B: {{ meter: {{ link: 'tcp://127.0.0.1:{port}' }} }}\n"
    );
    let folder = Folder::new(SPEC, &station);
    let Ended { code, .. } = folder.run(&["--slot", "A=00000041", "--slot", "B=00000042"]);
    assert_eq!(code, 3);
    let records = folder.records();
    assert_eq!(told(&records[0])[0], "pass");
    assert_eq!(
        told(&records[1]),
        ["error", "uut: error", "mains: skipped", "not too much: skipped"]
    );
    assert_eq!(records[0]["mode"], "development");
}

/// Where connections are taken and nothing is ever said.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn what_becomes_of_a_slot_touches_no_other_and_the_run_is_as_bad_as_the_worst() {
    let (_a, a, _f) = served("41");
    let (_b, b, _g) = served("42");
    let (_d, d, _h) = served("44");
    let (_silent, silent) = silent();
    let slot = |name: &str, url: &str| format!("  {name}: {{ meter: {{ link: '{url}' }} }}\n");
    let slots = [slot("A", &a), slot("B", &b), slot("C", &silent), slot("D", &d)].concat();
    let folder = Folder::new(SPEC, &format!("station: s\nslots:\n{slots}"));
    // Whatever the order of the file: the records come as the slots are named.
    let slots =
        ["--slot=D=00000044", "--slot=C=00000043", "--slot=B=00000099", "--slot=A=00000041"];
    let Ended { code, out, err } = folder.run(&slots);
    assert_eq!(code, 3, "{out}{err}");
    let records = folder.records();
    let slots_of: Vec<&str> = records.iter().map(|r| r["slot"].as_str().unwrap()).collect();
    assert_eq!(slots_of, ["D", "C", "B", "A"]);
    let good = ["pass", "uut: pass", "mains: pass", "not too much: pass"];
    assert_eq!(told(&records[0]), good);
    assert_eq!(told(&records[1])[..3], ["error", "uut: error", "mains: skipped"]);
    assert_eq!(told(&records[2])[..3], ["fail", "uut: fail", "mains: skipped"]);
    assert_eq!(told(&records[3]), good);
    let junit = fs::read_to_string(folder.path("junit.xml")).unwrap();
    let suites: Vec<&str> = junit
        .split("<testsuite name=\"")
        .skip(1)
        .map(|suite| suite.split('"').next().unwrap())
        .collect();
    assert_eq!(suites, ["panel.D", "panel.C", "panel.B", "panel.A"]);
    for class in ["panel.C.uut", "panel.C.mains", "panel.B.uut", "panel.A.not too much"] {
        assert!(junit.contains(&format!("classname=\"{class}\"")), "{class}: {junit}");
    }
    // A failed one is worse than one that passed, and less bad than one without an answer.
    assert_eq!(folder.run(&slots[2..]).code, 1);
    assert_eq!(folder.run(&[slots[0], slots[3]]).code, 0);
    let Ended { code, out, .. } = folder
        .passline(&[&["plan", "spec.yaml", "--station=station.yaml"][..], &slots[..]].concat());
    assert_eq!(code, 0);
    let heads: Vec<&str> = out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, ["panel [D]", "panel [C]", "panel [B]", "panel [A]"], "{out}");
    assert_eq!(out.matches("  mains (1 check)").count(), 4, "{out}");
}

#[test]
fn slots_that_write_to_one_device_have_it_one_after_the_other() {
    let (_a, a, _f) = served("41");
    let (_b, b, _g) = served("42");
    let (_oven, oven, _h) = served("0");
    let station = format!(
        "station: s\nslots:\n  A: {{ meter: {{ link: '{a}' }} }}\n  B: {{ meter: {{ link: '{b}' }} }}\n\
         shared: {{ oven: {{ link: '{oven}' }} }}\n"
    );
    let spec = "\
spec: heat
devices:
  meter: { unit_id: 1, points: { number: { holding: 0, type: u32 } } }
  oven: { unit_id: 1, points: { number: { holding: 0, type: u32 } } }
tests:
  - test: mine
    steps:
      - { write: { oven.number: = meter.number } }
      - { wait: 200ms }
      - { compute: oven.number - meter.number, equals: 0 }
";
    let folder = Folder::new(spec, &station);
    let Ended { code, out, err } = folder.run(&["--slot=A", "--slot=B"]);
    assert_eq!(code, 0, "{out}{err}");
    let started =
        |record: &Value| -> String { record["tests"][0]["started"].as_str().unwrap().to_owned() };
    let records = folder.records();
    assert_ne!(started(&records[0]), started(&records[1]), "one waits for the other");
}

#[test]
fn sub_units_are_told_in_reports() {
    let spec = SPEC.replace(
        "uut:\n",
        "uut:\n  sub_units: { supply: { part_number: PS-2, serial: { pattern: 'S.*' } } }\n",
    );
    let folder = Folder::new(&spec, "station: s\nslots: { A: { meter: { link: simulate } } }\n");
    let Ended { code, out, err } = folder.run(&["--slot=A=00000007", "--sub-unit=supply=S-12"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("\n  unit 00000007, supply S-12\n"), "{out}");
    let junit = fs::read_to_string(folder.path("junit.xml")).unwrap();
    for (name, value) in [("serial", "S-12"), ("part_number", "PS-2")] {
        let property = format!("<property name=\"uut.supply.{name}\" value=\"{value}\"/>");
        assert!(junit.contains(&property), "{junit}");
        assert!(junit.contains(&format!("uut.supply.{name}: {value}\n")), "{junit}");
    }
}

#[test]
fn slots_on_one_bus_share_it() {
    let station = |bus: &str| {
        format!(
            "station: s\nlinks: {{ bus: '{bus}' }}\nslots:\n  A: {{ meter: {{ link: bus, unit_id: 1 }} }}\n  \
             B: {{ meter: {{ link: bus, unit_id: 2 }} }}\n"
        )
    };
    // One image serves both: what the units say of themselves is not asked.
    let spec = SPEC.replace(", matches: meter.serial_number, format: '%08d'", "");
    let folder = Folder::new(&spec, &station("rtu+tcp://192.0.2.1:1"));
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (spec_path, station_path) =
        (path("spec.yaml"), format!("--station={}", path("station.yaml")));
    let (_bus, lines) =
        Simulator::start(1, &[&spec_path, &station_path, "--listen=rtu+tcp://127.0.0.1:0"]);
    assert!(lines[0].ends_with("for bus units 1,2"), "{lines:?}");
    fs::write(folder.path("station.yaml"), station(lines[0].split(' ').nth(2).unwrap())).unwrap();
    let Ended { code, out, err } = folder.run(&["--slot", "A=00000041", "--slot", "B=00000042"]);
    assert_eq!(code, 0, "{out}{err}");
    let units: Vec<Value> =
        folder.records().iter().map(|r| r["transactions"][0]["unit_id"].clone()).collect();
    assert_eq!(units, [1, 2]);
}

#[test]
fn a_simulated_slot_has_devices_of_its_own_and_is_never_production() {
    let station = "\
station: s
mode: production
slots:
  A: { meter: { link: simulate } }
  B: { meter: { link: simulate } }
";
    let spec = SPEC.replace("serial_number: 7", "serial_number: 42");
    let folder = Folder::new(&spec, station);
    let Ended { code, out, err } = folder.run(&["--slot", "A=00000042", "--slot", "B=00000043"]);
    assert_eq!(code, 1, "{out}{err}");
    let records = folder.records();
    assert_eq!(told(&records[0])[0], "pass");
    assert_eq!(told(&records[1])[..2], ["fail", "uut: fail"]);
    assert!(records.iter().all(|record| record["mode"] == "simulated"));
    let Ended { code, out, .. } =
        folder.passline(&["plan", "spec.yaml", "--station=station.yaml", "--slot=B=00000001"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("panel [B]\n"), "{out}");
    // Of one slot, the serial number may be given by itself.
    fs::write(
        folder.path("station.yaml"),
        station.replace("  B: { meter: { link: simulate } }\n", ""),
    )
    .unwrap();
    assert_eq!(folder.run(&["--serial", "00000042"]).code, 0);
    assert_eq!(folder.records()[0]["slot"], "A");
}

const TWO: &str = "\
station: s
slots:
  A: { meter: { link: 'tcp://127.0.0.1:1' } }
  B: { meter: { link: 'tcp://127.0.0.1:2' } }
";

/// What is said where a run of these files with these arguments is refused: `place: message`.
fn refusal(spec: &str, station: &str, arguments: &[&str]) -> String {
    let folder = Folder::new(spec, station);
    let Ended { code, err, .. } = folder.run(arguments);
    assert_eq!(code, 2, "{err}");
    assert!(!folder.path("out").exists(), "evidence was begun: {err}");
    assert!(err.contains("help: ") || err.contains("needed"), "no remedy: {err}");
    let message = err.lines().next().unwrap();
    let place = err.lines().find_map(|line| line.trim_start().strip_prefix("--> ")).unwrap_or("-");
    format!("{place}: {message}")
}

#[test]
fn slots_that_are_not_there_or_meant_twice() {
    let refused = |arguments: &[&str], says: &str| {
        assert_eq!(refusal(SPEC, TWO, arguments), says, "{arguments:?}");
    };
    refused(&[], "station.yaml:2:1: error: the station has several slots: which is meant?");
    refused(&["--slot=C"], "station.yaml:2:1: error: --slot C: the station has no such slot");
    refused(&["--slot=A=00000001", "--slot=A=00000002"], "-: error: --slot A is given twice");
    refused(
        &["--slot=A=00000001", "--slot=B=00000001"],
        "-: error: slots A and B have the same serial number 00000001",
    );
    refused(
        &["--slot=A=00000001", "--slot=B"],
        "-: error: spec.yaml [B]: this spec needs the serial number of the unit under test",
    );
    refused(
        &["--slot=A=00000001", "--slot=B=2"],
        "spec.yaml:4:73: error: serial number 2 is not written as `%08d` says",
    );
    refused(
        &["--slot=A", "--slot=B", "--serial=00000001"],
        "-: error: --serial 00000001: which of the slots has it?",
    );
    refused(
        &["--slot=A=00000002", "--serial=00000001"],
        "-: error: --serial 00000001: slot A has another serial number",
    );
    refused(
        &["--slot=A=00000001", "--slot=B=00000002", "--sub-unit=x=1"],
        "-: error: --sub-unit x: in which slot?",
    );
    let folder = Folder::new(SPEC, TWO);
    let Ended { code, err, .. } = folder.passline(&["run", "spec.yaml", "--slot=A=00000001"]);
    assert_eq!(code, 2);
    assert!(err.contains("--slot A: no station file says what is in that slot"), "{err}");
}

#[test]
fn benches_that_cannot_be() {
    let one = ["--slot=A=00000001"];
    let both = ["--slot=A=00000001", "--slot=B=00000002"];
    let refused = |from: &str, to: &str, arguments: &[&str], says: &str| {
        assert!(TWO.contains(from), "{from}");
        assert_eq!(refusal(SPEC, &TWO.replace(from, to), arguments), says, "{to}");
    };
    refused(
        "A: { meter:",
        "A: { metre:",
        &one,
        "station.yaml:3:8: error: no spec of this run has a device `metre`",
    );
    refused(
        "A: { meter: { link: 'tcp://127.0.0.1:1' } }",
        "A: {}",
        &one,
        "spec.yaml:6:3: error: device meter has no link",
    );
    refused(
        "127.0.0.1:2",
        "127.0.0.1:1",
        &both,
        "station.yaml:4:24: error: `meter` of slot A and `meter` of slot B are the same device: \
         unit 1 on tcp://127.0.0.1:1",
    );
    refused(
        "A: { meter: { link: 'tcp://127.0.0.1:1' } }",
        "A: { meter: { link: buss } }\nlinks: { bus: 'tcp://127.0.0.1:3' }\nshared:",
        &one,
        "station.yaml:3:23: error: there is no link `buss`",
    );
    refused(
        "station: s",
        "station: s\nshared: { meter: { link: simulate } }",
        &one,
        "station.yaml:4:8: error: slot `A` has a device `meter` of its own, and it is shared",
    );
    refused(
        "station: s",
        "station: s\nmode: prod",
        &one,
        "station.yaml:2:7: error: `prod` is not possible here",
    );
    refused(
        "station: s",
        "stations: s",
        &one,
        "station.yaml:1:1: error: `stations` is no key of this station",
    );
    refused(
        "station: s",
        "station: s\ninstruments: [{ id: x, calibration: { due: 2026-13-01 } }]",
        &one,
        "station.yaml:2:44: error: `2026-13-01` is no day",
    );
    refused(
        "station: s",
        "station: s\nenvironment: { location: hall B }",
        &one,
        "station.yaml:2:16: error: where the station stands is no reading",
    );
    refused(
        "{ link: 'tcp://127.0.0.1:1' }",
        "{}",
        &one,
        "station.yaml:3:15: error: this says nothing of the device",
    );
    refused(
        "'tcp://127.0.0.1:1'",
        "'rtu:///dev/ttyS9', unit_id: 250",
        &one,
        "station.yaml:3:52: error: a serial line has no such unit: 248 to 255 are reserved",
    );
    // A spec without a unit id, on a station that has none either.
    let spec = SPEC.replace("    unit_id: 1\n", "");
    assert_eq!(
        refusal(&spec, TWO, &one),
        "spec.yaml:7:5: error: device `meter` has a link, but no `unit_id`"
    );
}

#[test]
fn an_overdue_calibration_lets_nothing_run_unless_the_station_says_so() {
    let (_a, a, _f) = served("41");
    let station = format!(
        "station: s\nslots: {{ A: {{ meter: {{ link: '{a}' }} }} }}\n\
         instruments:\n  - {{ id: DMM-7, calibration: {{ due: 2020-02-29 }} }}\n"
    );
    let says =
        "station.yaml:4:38: error: the calibration of instrument `DMM-7` ran out on 2020-02-29";
    assert_eq!(refusal(SPEC, &station, &["--serial=00000041"]), says);
    let folder = Folder::new(SPEC, &format!("{station}overdue: warn\n"));
    let Ended { code, err, .. } = folder.run(&["--serial=00000041"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("warning: the calibration of instrument `DMM-7` ran out"), "{err}");
    assert_eq!(folder.records()[0]["instruments"][0]["overdue"], true);
    // A simulation needs no instrument.
    let folder = Folder::new(SPEC, &station);
    assert_eq!(folder.run(&["--simulate", "--serial=00000007"]).code, 0);
    assert_eq!(folder.passline(&["check", "spec.yaml", "--station=station.yaml"]).code, 1);
}

#[test]
fn serial_numbers_that_no_device_can_hold() {
    let refused = |from: &str, to: &str, serial: &str, says: &str| {
        assert!(SPEC.contains(from), "{from}");
        let spec = SPEC.replace(from, to);
        let given = format!("--slot=A={serial}");
        assert_eq!(refusal(&spec, TWO, &[&given]), says, "{to}");
    };
    let number = "serial_number: { holding: 0, type: u32 }";
    refused(
        number,
        "serial_number: { holding: 0 }",
        "00070000",
        "spec.yaml:4:43: error: `meter.serial_number` cannot be 00070000: this check cannot pass: \
         no value does (0 to 65535 in steps of 1)",
    );
    refused(
        number,
        "serial_number: { holding: 0, type: f32 }",
        "00000001",
        "spec.yaml:4:43: error: `meter.serial_number` holds no serial number",
    );
    refused(
        number,
        "serial_number: { holding: 0, type: string, length: 8 }",
        "00000001",
        "spec.yaml:4:73: error: `meter.serial_number` is a text",
    );
    refused(
        "'%08d'",
        "'%8d'",
        "00000001",
        "spec.yaml:4:73: error: `%8d` is no format of a serial number",
    );
    refused(
        "matches: meter.serial_number,",
        "matches: meter.serial,",
        "00000001",
        "spec.yaml:4:49: error: `meter` has no point `serial`",
    );
    refused(
        "test: mains",
        "test: uut",
        "00000001",
        "spec.yaml:4:43: error: a test is named `uut`, as the check of the serial number is",
    );
}
