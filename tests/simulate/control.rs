//! `--control` over plain HTTP, while the real client asks the devices.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, Simulator, ask, read};

const SPEC: &str = "
spec: control
links: { net: 'tcp://192.0.2.3' }
devices:
  meter:
    link: net
    unit_id: 1
    points:
      level: { holding: 0 }
      voltage: { input: 4, type: f32, unit: V }
      factor: { holding: 10, type: i16 }
      scaled: { holding: 11, scale_factor: factor }
    simulate:
      values: { level: 7, factor: -1, scaled: 2.5 }
      faults: [{ fault: exception, code: busy, from: 1h }]
tests:
  - test: levels
    steps: [{ read: meter.level, equals: 7 }]
";

struct Control {
    simulator: Simulator,
    address: String,
}

impl Control {
    fn start(bench: &Bench, options: &[&str]) -> Self {
        Self::start_with(bench, options, 1)
    }

    fn start_with(bench: &Bench, options: &[&str], links: usize) -> Self {
        let options = [&["--control", "127.0.0.1:0"], options].concat();
        let mut simulator = bench.serve_with(&options, &[], links);
        let mut line = String::new();
        simulator.out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("control on http://").unwrap().to_owned();
        Self { simulator, address }
    }

    /// Status and body of an answer to exactly this.
    fn raw(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn text(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let (status, body) = self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        let value =
            if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        (status, value)
    }

    fn get(&self, path: &str) -> Value {
        let (status, value) = self.text("GET", path, "");
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.text(method, path, &body.to_string())
    }

    fn client(&self) -> &str {
        &self.simulator.urls[0]
    }

    fn elapsed(&self) -> u64 {
        self.get("/time")["elapsed_ms"].as_u64().unwrap()
    }
}

#[test]
fn points_are_read_and_set_while_clients_ask() {
    let bench = Bench::new(SPEC);
    let control = Control::start(&bench, &[]);
    let listed = &control.get("/devices")[0];
    assert_eq!((&listed["device"], &listed["url"]), (&json!("meter"), &json!(control.client())));
    assert_eq!(listed["points"], json!(["factor", "level", "scaled", "voltage"]));
    let level = json!({ "point": "meter.level", "value": 7, "unit": null });
    assert_eq!(control.get("/points/meter.level"), level);
    assert_eq!(control.send("PUT", "/points/meter.level", &json!({ "value": 65535 })).0, 200);
    assert_eq!(read(control.client(), 1), "65535");
    let voltage = json!({ "point": "meter.voltage", "value": 230.5, "unit": "V" });
    let set = control.send("PUT", "/points/meter.voltage", &json!({ "value": 230.5 }));
    assert_eq!(set, (200, voltage));
    assert_eq!(control.get("/points/meter.scaled")["value"], json!(2.5));
    assert_eq!(control.send("PUT", "/points/meter.scaled", &json!({ "value": 31.7 })).0, 200);
    assert_eq!(control.get("/points/meter.scaled")["value"], json!(31.7));
}

#[test]
fn faults_are_fired_and_cleared_and_counted() {
    let bench = Bench::new(SPEC);
    let control = Control::start(&bench, &[]);
    let faults = "/devices/meter/faults";
    let busy = json!({ "fault": "exception", "code": "busy", "first": 1 });
    assert_eq!(read(control.client(), 1), "7");
    assert_eq!(control.send("POST", faults, &busy), (201, json!({ "fault": "exception" })));
    assert!(!ask(control.client(), 1).status.success());
    assert_eq!(read(control.client(), 1), "7");
    let always = json!({ "fault": "exception", "code": "illegal_data_address" });
    assert_eq!(control.send("POST", faults, &always).0, 201);
    assert!(!ask(control.client(), 1).status.success());
    let refuse = json!({ "fault": "refuse" });
    assert_eq!(control.send("POST", faults, &refuse), (201, refuse));
    assert!(!ask(control.client(), 1).status.success());
    assert_eq!(control.get(faults).as_array().unwrap().len(), 4);
    assert_eq!(control.text("DELETE", faults, ""), (204, Value::Null));
    assert_eq!(control.get(faults), json!([]));
    assert_eq!(read(control.client(), 1), "7");
    let counted = json!({ "requests": 5, "answers": 5, "exceptions": 2, "faults": 2 });
    assert_eq!(control.get("/devices/meter/counters"), counted);
}

#[test]
fn the_time_can_be_faster_and_stand_still() {
    let bench = Bench::new(SPEC);
    let control = Control::start(&bench, &["--time-scale", "1000000"]);
    assert_eq!(control.get("/time")["scale"], 1_000_000);
    // An hour is over in 3.6 ms: from then on the device is busy.
    let deadline = Instant::now() + Duration::from_secs(20);
    while control.elapsed() < 3_600_000 {
        assert!(Instant::now() < deadline, "the time is not faster");
    }
    assert!(!ask(control.client(), 1).status.success());
    assert_eq!(control.send("PUT", "/time", &json!({ "paused": true })).1["paused"], true);
    let paused = control.elapsed();
    assert_eq!(control.elapsed(), paused);
    assert_eq!(control.send("PUT", "/time", &json!({ "paused": false })).0, 200);
    assert!(control.elapsed() > paused);
    let plain = Control::start(&bench, &[]);
    assert_eq!(plain.get("/time")["scale"], 1);
    assert_eq!(read(plain.client(), 1), "7");
}

#[test]
fn what_cannot_be_done_is_said_with_a_remedy_and_clients_go_on() {
    let bench = Bench::new(SPEC);
    let control = Control::start(&bench, &[]);
    let (level, faults) = ("/points/meter.level", "/devices/meter/faults");
    let long = format!("{{\"value\": \"{}\"}}", "x".repeat(100_000));
    for (method, path, body, expected, said) in [
        ("GET", "/", "", 404, "nothing here"),
        ("GET", "/points/meter", "", 404, "does not name a point"),
        ("GET", "/points/meter.none", "", 404, "no point"),
        ("GET", "/points/none.level", "", 404, "no device"),
        ("GET", "/devices/none/counters", "", 404, "no device"),
        ("POST", level, "", 405, "cannot be done"),
        ("PUT", level, "", 400, "EOF"),
        ("PUT", level, "{\"value\"", 400, "EOF"),
        ("PUT", level, "{\"values\": 1}", 400, "unknown field"),
        ("PUT", level, "{\"value\": [1]}", 422, "cannot be [1]"),
        ("PUT", level, "{\"value\": 70000}", 422, "level cannot be that"),
        ("PUT", level, "{\"value\": \"seven\"}", 422, "level cannot be that"),
        ("PUT", level, long.as_str(), 413, "length limit"),
        ("POST", faults, "{\"fault\": \"dely\"}", 422, "dely"),
        ("POST", faults, "{\"fault\": \"delay\"}", 422, "needs `by`"),
        ("POST", faults, "not JSON: [", 422, "error"),
        ("POST", faults, "", 422, "error"),
        ("POST", faults, "{\"fault\": \"checksum\"}", 422, "means nothing on this"),
        ("PUT", "/time", "{\"paused\": 1}", 400, "invalid type"),
    ] {
        let (status, value) = control.text(method, path, body);
        let error = value["error"].as_str().unwrap();
        assert_eq!(status, expected, "{method} {path} {body}: {value}");
        assert!(error.contains(said), "{method} {path} {body}: {value}");
        assert!(!value["remedy"].as_str().unwrap().is_empty());
    }
    let page = "PUT /points/meter.level HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://example.org\r\n\
                Connection: close\r\nContent-Length: 11\r\n\r\n{\"value\":1}";
    assert_eq!(control.raw(page).0, 403);
    assert_eq!(control.raw("nonsense\r\n\r\n").0, 400);
    assert_eq!(read(control.client(), 1), "7");
}

#[test]
fn every_route_that_is_described_is_there_and_no_other_method() {
    let bench = Bench::new(SPEC);
    let control = Control::start(&bench, &[]);
    let document = control.get("/openapi.json");
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace("{point}", "meter.level").replace("{device}", "meter");
        for method in ["get", "put", "post", "delete", "patch"] {
            let (status, value) = control.text(&method.to_uppercase(), &path, "{}");
            match item.get(method) {
                None => assert_eq!(status, 405, "{method} {path}"),
                Some(described) => {
                    asked += 1;
                    assert!(
                        described["responses"].get(status.to_string()).is_some(),
                        "{method} {path}: {status} {value}"
                    );
                }
            }
        }
    }
    assert_eq!(asked, 10);
}

#[test]
fn an_address_that_is_taken_is_refused_before_anything_is_served() {
    let bench = Bench::new(SPEC);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = super::passline(&["simulate", &bench.path("spec.yaml"), "--control", &address]);
    let output = { output }.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("another program listens there"));
    assert!(output.stdout.is_empty());
}

/// Every kind of fault, as it is written.
const KINDS: &[&str] = &[
    "exception, code: busy",
    "not_stored",
    "pause, by: 1s",
    "pause_after_connect, by: 1s",
    "one_in_flight",
    "silent",
    "function",
    "byte_count, add: 1",
    "registers, add: 1",
    "stale",
    "frozen",
    "value, value: 3, scope: { point: level }",
    "bit_flip, bit: 3, scope: { point: level }",
    "old_echo",
    "transaction_id, id: next",
    "unit_id, id: 3",
    "protocol_id, id: 3",
    "length, add: 1",
    "checksum",
    "delay, by: 1s",
    "jitter, by: 1s",
    "gap, by: 1s, at: 1",
    "trickle, by: 1s",
    "no_silence",
    "truncate, count: 3",
    "trailing, count: 3",
    "noise, count: 3",
    "collision",
    "echo",
    "foreign, id: 3",
    "unsolicited",
    "duplicate",
    "together",
    "reorder",
    "close",
    "reset",
    "refuse",
    "mute",
    "noise_at_open, count: 3",
    "idle_close, by: 1s",
    "max_clients, count: 3",
];

#[test]
fn a_fault_has_the_same_word_in_specs_and_in_whatever_shows_it() {
    let level = "unit_id: 1, points: { level: { holding: 0 } }";
    let spec = format!(
        "spec: words\nlinks: {{ net: 'tcp://192.0.2.3', bus: 'rtu+tcp://192.0.2.4' }}\ndevices:\n  \
         meter: {{ link: net, {level} }}\n  drive: {{ link: bus, {level} }}\ntests:\n  \
         - {{ test: t, steps: [{{ read: meter.level, equals: 0 }}] }}\n"
    );
    let control = Control::start_with(&Bench::new(&spec), &[], 2);
    for kind in KINDS {
        let word = kind.split(',').next().unwrap();
        let fault = format!("{{ fault: {kind} }}");
        let posts = ["meter", "drive"]
            .map(|device| control.text("POST", &format!("/devices/{device}/faults"), &fault));
        let done = posts.iter().find(|(status, _)| *status == 201);
        let (_, shown) = done.unwrap_or_else(|| panic!("{kind}: {posts:?}"));
        assert_eq!(shown, &json!({ "fault": word }));
    }
}
