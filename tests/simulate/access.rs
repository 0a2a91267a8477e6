//! What simulated devices refuse, lock and answer in any case, as specs say it: asked byte by byte
//! over TCP, and what the real client says of it. The servers of other libraries' own tests among
//! them, which `tests/devices` describes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Bench, passline};

const SPEC: &str = "
spec: access
devices:
  drive:
    link: tcp://192.0.2.3
    unit_id: 1
    points:
      code: { holding: 0, access: write }
      gain: { holding: 1 }
      offset: { holding: 2, range: { min: 1, max: 9 } }
      serial: { holding: 3, access: read }
      # One register, read as one thing and written as another.
      status: { holding: 4, access: read }
      command: { holding: 4, access: write }
      relay: { coil: 0, access: read }
      year: { holding: 10 }
      month: { holding: 11 }
      tenths: { holding: 20, scale_factor: power, range: { min: 0, max: 1 } }
      power: { holding: 21, type: i16 }
    simulate:
      values: { gain: 5, offset: 7, serial: 99, power: -1 }
      access: { write_only: zeros, out_of_range: server_device_failure }
      locks: [{ password: code, equals: 0x1234, points: gain }]
      together: [{ points: [year, month], write: 5 }]
      overrides: [{ function: 3, start: 0x1000, words: [0xCAFE] }]
      unit_ids: any
  other: { link: tcp://192.0.2.3, unit_id: 2, points: { level: { holding: 0 } }, simulate: { values: { level: 2 } } }
tests:
  - test: all of it
    steps:
      - { read: drive.gain, equals: 5 }
";

/// A connection that asks in hexadecimal digits.
struct Client(TcpStream);

impl Client {
    fn of(url: &str) -> Self {
        let stream = TcpStream::connect(url.rsplit('/').next().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(stream)
    }

    /// The answer to a PDU: its whole frame.
    fn frame(&mut self, unit_id: u8, pdu: &str) -> Vec<u8> {
        let pdu = hex(pdu);
        let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
        let header = [0x12, 0x34, 0, 0, length[0], length[1], unit_id];
        self.0.write_all(&[&header[..], &pdu].concat()).unwrap();
        let mut answer = vec![0; 6];
        self.0.read_exact(&mut answer).unwrap();
        let length = usize::from(u16::from_be_bytes([answer[4], answer[5]]));
        answer.resize(6 + length, 0);
        self.0.read_exact(&mut answer[6..]).unwrap();
        answer
    }

    /// Requests of a unit, and the answers that have to come.
    #[track_caller]
    fn exchange(&mut self, unit_id: u8, exchanges: &[(&str, &str)]) {
        for (request, answer) in exchanges {
            let frame = self.frame(unit_id, request);
            assert_eq!(frame[..4], [0x12, 0x34, 0, 0]);
            assert_eq!(frame[6], unit_id);
            assert_eq!(frame[7..], hex(answer), "{request}");
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// A file of `tests/devices`.
fn device(name: &str) -> Bench {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices").join(name);
    Bench::new(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn a_device_refuses_what_its_spec_says() {
    let simulator = Bench::new(SPEC).serve(&[], 1);
    let mut client = Client::of(&simulator.urls[0]);
    client.exchange(
        1,
        &[
            // The password is not read, and opens what it locks.
            ("03 0000 0002", "03 04 0000 0005"),
            ("06 0001 0001", "86 02"),
            ("06 0000 1234", "06 0000 1234"),
            ("03 0000 0001", "03 02 0000"),
            ("06 0001 0001", "06 0001 0001"),
            ("06 0000 0000", "06 0000 0000"),
            ("06 0001 0002", "86 02"),
            // Read only, but for what is something else when it is written.
            ("06 0003 0000", "86 02"),
            ("10 0003 0002 04 0000 0000", "90 02"),
            ("06 0004 0007", "06 0004 0007"),
            ("03 0003 0002", "03 04 0063 0007"),
            ("05 0000 FF00", "85 02"),
            ("0F 0000 0001 01 01", "8F 02"),
            // A range, and one that another register scales.
            ("06 0002 000A", "86 04"),
            ("06 0002 0009", "06 0002 0009"),
            ("06 0014 000B", "86 04"),
            ("06 0014 000A", "06 0014 000A"),
            ("10 0014 0002 04 0064 FFFE", "10 0014 0002"),
            ("10 0014 0002 04 0065 FFFE", "90 04"),
            ("03 0014 0002", "03 04 0064 FFFE"),
            // Together, or not at all.
            ("06 000A 07EA", "86 05"),
            ("10 000A 0002 04 07EA 000B", "10 000A 0002"),
            ("03 000A 0002", "03 04 07EA 000B"),
            ("03 1000 0001", "03 02 CAFE"),
            ("03 0005 0001", "83 02"),
        ],
    );
    client.exchange(2, &[("03 0000 0001", "03 02 0002")]);
    client.exchange(77, &[("03 1000 0001", "03 02 CAFE")]);
    client.exchange(0, &[("03 0001 0001", "03 02 0001")]);
}

/// Whoever is asked, the log names the device that answered.
#[test]
fn the_log_names_the_device_that_answers_for_another_unit() {
    let bench = Bench::new(SPEC);
    let log = bench.path("log.jsonl");
    let simulator = bench.serve_with(&["--log", &log], &[], 1);
    let mut client = Client::of(&simulator.urls[0]);
    client.exchange(77, &[("03 0001 0001", "03 02 0005")]);
    client.exchange(2, &[("03 0000 0001", "03 02 0002")]);
    let lines = std::fs::read_to_string(log).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: Vec<String> = lines
        .filter(|line| !line["request"].is_null())
        .map(|line| format!("{} {} {}", line["unit"], line["device"], line["points"]))
        .collect();
    assert_eq!(told, [r#"77 "drive" {"gain":5}"#, r#"2 "other" {"level":2}"#]);
}

/// What the client of this program says of it.
#[test]
fn the_command_says_which_exception_a_device_answered() {
    let simulator = Bench::new(SPEC).serve(&[], 1);
    let url = &simulator.urls[0];
    let refused = |arguments: &[&str], says: &str| {
        let output = passline(arguments).args(["--timeout", "5s"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(says), "{arguments:?}: {said}");
    };
    refused(&["write", url, "--unit-id", "1", "holding:3=1"], "illegal_data_address");
    refused(&["write", url, "--unit-id", "1", "holding:2=10"], "server_device_failure");
    refused(&["write", url, "--unit-id", "1", "holding:10=1"], "acknowledge");
    refused(&["read", url, "--unit-id", "1", "holding:5"], "illegal_data_address");
}

/// The requests that the tests of goburrow/modbus send, and what they look at in the answers.
#[test]
fn the_device_of_goburrows_tests_answers_them() {
    let simulator = device("goburrow.yaml").serve(&["tcp://127.0.0.1:0"; 3], 3);
    for (url, unit_id) in simulator.urls.iter().zip([0, 17, 17]) {
        Client::of(url).exchange(
            unit_id,
            &[
                ("01 0013 0013", "01 03 000000"),
                ("02 00C4 0016", "02 03 000000"),
                ("03 006B 0003", "03 06 0000 0000 0000"),
                ("04 0008 0001", "04 02 0000"),
                ("05 00AC FF00", "05 00AC FF00"),
                ("06 0001 0003", "06 0001 0003"),
                ("0F 0013 000A 02 CD01", "0F 0013 000A"),
                ("10 0001 0002 04 000A 0102", "10 0001 0002"),
                ("16 0004 00F2 0025", "16 0004 00F2 0025"),
                ("17 0003 0006 000E 0003 06 00FF 00FF 00FF", "17 0C 0000 0005 0000 0000 0000 0000"),
                // Its server has no queue, which its test expects or an empty one.
                ("18 04DE", "98 01"),
                ("02 000F 0002", "02 01 00"),
                ("10 0001 0002 04 0003 0004", "10 0001 0002"),
                ("0F 0005 000A 02 0403", "0F 0005 000A"),
            ],
        );
    }
}

/// The special registers of libmodbus's unit test server. `tests/peers` has its client ask the rest.
#[test]
fn the_device_of_libmodbuss_tests_has_its_special_registers() {
    let simulator = device("libmodbus.yaml").serve(&["tcp://127.0.0.1:0"; 2], 2);
    let mut client = Client::of(&simulator.urls[0]);
    for unit_id in [17, 18, 255, 0] {
        client.exchange(
            unit_id,
            &[
                ("03 0160 0002", "03 02 0000"),
                ("03 0170 0003", "83 06"),
                ("03 0180 0001", "83 02"),
                ("42 0000 0000", "C2 01"),
                ("11", "11 0A B4 FF 4C4D42 332E312E36"),
                ("02 01C4 0016", "02 03 AC DB 35"),
            ],
        );
    }
    assert_eq!(client.frame(255, "03 0171 0001")[..4], [0x12, 0x35, 0, 0]);
    let begun = Instant::now();
    client.exchange(255, &[("03 0172 0001", "03 02 0000")]);
    assert!(begun.elapsed() >= Duration::from_millis(500));
    let begun = Instant::now();
    client.exchange(255, &[("03 0173 0001", "03 02 0000")]);
    assert!(begun.elapsed() >= Duration::from_millis(40));
}

/// A line has one device for the unit ids that nobody has, whichever specs it is put together from.
#[test]
fn two_specs_do_not_answer_for_the_same_unit() {
    let spec = |id: u8, ids: &str| {
        format!(
            "simulator: s{id}\ndevices:\n  d{id}:\n    link: tcp://192.0.2.1\n    unit_id: {id}\n    \
             points: {{ v: {{ input: 0 }} }}\n    simulate: {{ unit_ids: {ids} }}\n"
        )
    };
    for (one, two, refused) in
        [("any", "any", "any unit"), ("[7, 8]", "[8, 9]", "unit 8"), ("[7]", "[7]", "unit 7")]
    {
        let bench = Bench::new(&spec(1, one));
        let other = bench.path("other.yaml");
        std::fs::write(&other, spec(2, two)).unwrap();
        let output = passline(&["simulate", &bench.path("spec.yaml"), &other]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("d1 and d2 both answer for {refused} on ")), "{text}");
    }
}

/// What the profile says that the device refuses, its simulation refuses.
#[test]
fn a_device_refuses_what_its_profile_says() {
    let bench = Bench::new(
        "profile: meter
max_registers: 4
max_bits: 8
blocks: [{ holding: 10, count: 3, whole: true }]
points:
  a: { holding: 0, type: f64 }
  b: { holding: 4 }
  c: { holding: 11 }
  flag: { coil: 9 }
  low: { coil: 0 }
",
    );
    let simulator = bench.serve(&[], 1);
    let mut client = Client::of(&simulator.urls[0]);
    client.exchange(
        1,
        &[
            ("03 0000 0004", "03 08 0000 0000 0000 0000"),
            ("03 0000 0005", "83 03"),
            ("01 0000 0009", "81 03"),
            ("03 000B 0001", "83 02"),
            ("03 000A 0003", "03 06 0000 0000 0000"),
            ("06 000B 0001", "06 000B 0001"),
        ],
    );
}
