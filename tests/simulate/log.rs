//! `--log`: the files that it leaves, read by a JSON parser and by Wireshark's dissectors.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, SPEC, Simulator, ask, read};

/// One device on TCP and one on a serial line, each with a fault at its second request.
const FAULTY: &str = "
spec: faulty
links: { net: 'tcp://192.0.2.3', bus: 'rtu+tcp://192.0.2.4' }
devices:
  a: { link: net, unit_id: 1, points: { level: { holding: 0 } }, simulate: { values: { level: 7 },
       faults: [{ fault: length, set: 2, after: 1, first: 2 }, { fault: protocol_id, id: 7, after: 2, first: 3 }] } }
  b: { link: bus, unit_id: 2, points: { level: { holding: 0 } }, simulate: { values: { level: 8 },
       faults: [{ fault: checksum, after: 1, first: 2 }, { fault: exception, code: busy, after: 2, first: 3 }] } }
tests:
  - test: levels
    steps: [{ read: a.level, equals: 7 }]
";

/// The lines of a log once one of them is as said. It is written before the client can see it, but
/// for the end of the connection.
fn lines(path: &str, until: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = fs::read_to_string(path).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if until(&lines) {
            return lines;
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::yield_now();
    }
}

fn transactions(lines: Vec<Value>) -> Vec<Value> {
    lines.into_iter().filter(|line| line["event"] == "transaction").collect()
}

/// Kills the simulator as nobody can hear it, once all connections but those for ever have ended.
fn killed(mut simulator: Simulator, log: &str, connections: usize) -> Vec<Value> {
    let ended = |lines: &[Value]| lines.iter().filter(|line| line["event"] == "ended").count();
    let lines = lines(log, |lines| ended(lines) == connections);
    simulator.process.kill().unwrap();
    simulator.process.wait().unwrap();
    lines
}

#[test]
fn each_transaction_is_a_line_however_the_simulator_ends() {
    let bench = Bench::new(FAULTY);
    let log = bench.path("log.jsonl");
    let simulator = bench.serve_with(&["--log", &log], &[], 2);
    let [net, bus] = &simulator.urls[..] else { panic!("two links") };
    assert_eq!((read(net, 1), read(bus, 2)), ("7".to_owned(), "8".to_owned()));
    assert!(!ask(net, 1).status.success() && !ask(net, 9).status.success());
    let all = killed(simulator, &log, 4);
    let bytes = [("unit", json!(1)), ("device", json!("a")), ("function", json!(3))];
    let told = transactions(all.clone());
    assert_eq!(told.len(), 4, "{told:?}");
    for (key, value) in bytes {
        assert_eq!(told[0][key], value);
    }
    assert_eq!(told[0]["request"], "000100000006010300000001");
    assert_eq!(told[0]["answer"], "0001000000050103020007");
    assert_eq!(told[0]["points"], json!({ "level": 7 }));
    assert_eq!(told[0].get("faults"), None);
    assert_eq!(
        (&told[1]["link"], &told[1]["request"]),
        (&json!("bus"), &json!("0203000000018439"))
    );
    assert_eq!(told[2]["faults"], json!(["length"]));
    assert_eq!(told[2].get("points"), None, "damaged");
    assert_eq!((&told[3]["unit"], &told[3]["exception"]), (&json!(9), &json!(11)));
    assert_eq!(told[3].get("device"), None);
    let client = told[0]["client"].as_str().unwrap();
    assert!(client.starts_with("127.0.0.1:"), "{client}");
    let connected =
        all.iter().filter(|line| line["event"] == "connected" && line["client"] == client);
    assert_eq!(connected.count(), 1);
}

#[test]
fn a_log_of_another_kind_or_at_a_place_that_is_not_there_is_refused() {
    let bench = Bench::new(SPEC);
    let refused = |log: &str| {
        let spec = bench.path("spec.yaml");
        let output = super::passline(&["simulate", &spec, "--log", log]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (exit, said) = refused("log.txt");
    assert!(exit == Some(2) && said.contains(".jsonl"), "{said}");
    let (exit, said) = refused("/no/such/folder/log.jsonl");
    assert!(exit == Some(3) && said.contains("/no/such/folder/log.jsonl"), "{said}");
}

/// What tshark says of the frames of a capture that match a filter.
fn tshark(capture: &str, filter: &str, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-r", capture, "-Y", filter, "-T", "fields"]);
    for check in
        ["ip.check_checksum", "tcp.check_checksum", "udp.check_checksum", "mbrtu.crc_verification"]
    {
        command.args(["-o", &format!("{check}:TRUE")]);
    }
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Whatever a dissector can find wrong.
const WRONG: &str = "_ws.malformed || _ws.unreassembled || _ws.expert.severity >= \"Warning\" || \
                     mbrtu.crc16.status == \"Bad\" || (tcp.len > 0 && !mbtcp)";

#[test]
#[ignore = "needs tshark: .ci/run installs it"]
fn wireshark_finds_nothing_wrong_with_a_faultless_run() {
    let bench = Bench::new(&SPEC.replace("tcp://192.0.2.3", "rtu+tcp://192.0.2.3"));
    let (log, capture) = (bench.path("log.jsonl"), bench.path("log.pcapng"));
    let listens = [
        "tcp://127.0.0.1:0",
        "rtu+tcp://127.0.0.1:0",
        "udp://127.0.0.1:0",
        "ascii+tcp://127.0.0.1:0",
    ];
    let simulator = bench.serve_with(&["--log", &capture, "--log", &log], &listens, 4);
    for (url, (unit, level)) in
        simulator.urls.iter().zip([(1, "11"), (3, "23"), (4, "34"), (5, "45")])
    {
        assert_eq!([read(url, unit), read(url, unit)], [level, level]);
    }
    killed(simulator, &log, 6);
    assert_eq!(tshark(&capture, WRONG, &["frame.number", "_ws.expert.message"]), [""; 0]);
    let names = tshark(&capture, "modbus", &["frame.interface_name"]);
    assert_eq!(
        names,
        [
            "bus",
            "bus",
            "bus",
            "bus",
            "text",
            "text",
            "text",
            "text",
            "datagrams",
            "datagrams",
            "datagrams",
            "datagrams"
        ]
    );
    let values = tshark(&capture, "modbus.regval_uint16", &["modbus.regval_uint16"]);
    assert_eq!(values, ["11", "11", "23", "23", "34", "34"]);
    assert_eq!(tshark(&capture, "tcp.flags.syn == 1", &["tcp.dstport"]).len(), 4);
    let text = tshark(&capture, "frame.interface_name == \"plain\"", &["data.data"]);
    assert!(text[0].starts_with("3a3035"), "{text:?}");
}

#[test]
#[ignore = "needs tshark: .ci/run installs it"]
fn wireshark_finds_what_was_planted() {
    let bench = Bench::new(FAULTY);
    let (log, capture) = (bench.path("log.jsonl"), bench.path("log.pcapng"));
    let simulator = bench.serve_with(&["--log", &capture, "--log", &log], &[], 2);
    let [net, bus] = &simulator.urls[..] else { panic!("two links") };
    for (url, unit) in [(net, 1), (net, 1), (net, 1), (bus, 2), (bus, 2), (bus, 2), (bus, 2)] {
        ask(url, unit);
    }
    killed(simulator, &log, 7);
    assert_eq!(tshark(&capture, WRONG, &["frame.interface_name"]), ["net", "net", "bus"]);
    assert_eq!(tshark(&capture, "_ws.malformed", &["frame.interface_name"]), ["net"]);
    assert_eq!(tshark(&capture, "mbrtu.crc16.status == \"Bad\"", &["mbrtu.unit_id"]), ["2"]);
    assert_eq!(tshark(&capture, "modbus.exception_code", &["modbus.exception_code"]), ["6"]);
}
