//! What is beyond the four tables, from devices of bytes written by hand: each kind passes, fails
//! and errs; every limit is seen to miss once it is moved; no answer that is not whole passes.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::device::{Device, pdu};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// What one check of a point came to.
#[derive(Debug, PartialEq)]
struct Came {
    code: i32,
    verdict: String,
    class: String,
    raw: Value,
    decode: Value,
    /// The PDUs that the device heard.
    asked: Vec<Vec<u8>>,
}

/// A device that gives each request PDU its answer, and illegal function to any other.
fn device(answers: &[(&str, &str)]) -> Device {
    let answers: Vec<(Vec<u8>, Vec<u8>)> =
        answers.iter().map(|(request, answer)| (hex(request), hex(answer))).collect();
    Device::answering(move |heard| {
        let request = &heard.bytes[7..];
        let found = answers.iter().find(|(known, _)| known == request);
        let refused = vec![request[0] | 0x80, 1];
        pdu(heard, found.map_or(&refused, |(_, answer)| answer))
    })
}

/// `step` on a device with the point `p` of this declaration.
fn judged(point: &str, step: &str, answers: &[(&str, &str)]) -> Came {
    let device = device(answers);
    let spec = format!(
        "\
spec: beyond
devices:
  d:
    link: tcp://{}
    unit_id: 1
    retry: {{ attempts: 1 }}
    points: {{ p: {{ {point} }}, other: {{ holding: 9 }} }}
tests: [{{ test: t, steps: [{{ {step} }}] }}]
",
        device.address
    );
    let bench = Bench::with(&spec);
    let ended = bench.run(&[]);
    assert_ne!(ended.code, 2, "{}", ended.err);
    let document = bench.document();
    let check = &document["records"][0]["tests"][0]["checks"][0];
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    Came {
        code: ended.code,
        verdict: text(&check["verdict"]),
        class: text(&check["attempts"][0]["error"]["class"]),
        raw: check["measurement"]["raw"].clone(),
        decode: check["decode"].clone(),
        asked: device.heard().iter().map(|heard| heard.bytes[7..].to_vec()).collect(),
    }
}

fn verdict(point: &str, limits: &str, exchange: (&str, &str)) -> (i32, String, String) {
    let Came { code, verdict, class, .. } =
        judged(point, &format!("read: d.p, {limits}"), &[exchange]);
    (code, verdict, class)
}

fn came_to(code: i32, verdict: &str, class: &str) -> (i32, String, String) {
    (code, verdict.to_owned(), class.to_owned())
}

const VENDOR: (&str, &str) = ("2B0E 04 00", "2B0E 04 81 00 00 01 00 04 41636D65");
const SERVER: (&str, &str) = ("11", "11 06 2A FF 56 31 2E 32");
const COUNTER: (&str, &str) = ("08 000D 0000", "08 000D 0003");
const STATUS: (&str, &str) = ("07", "07 81");
const FILE: (&str, &str) = ("14 07 06 0004 0001 0002", "14 06 05 06 0001 1170");
const QUEUE: (&str, &str) = ("18 04DE", "18 0008 0003 01B8 1284 FFFE");

/// Point, a limit that holds, the same limit moved, and the exchange.
const KINDS: &[(&str, &str, &str, (&str, &str))] = &[
    ("device_id: vendor_name", "equals: Acme", "equals: Acne", VENDOR),
    ("device_id: 0", "matches: 'Ac.*'", "matches: 'Bc.*'", VENDOR),
    ("device_id: 0, type: bytes", "equals: 41 63 6D 65", "equals: 41 63 6D", VENDOR),
    ("device_id: 0, at: 2, type: string", "equals: me", "not: me", VENDOR),
    ("device_id: 0, type: u32", "equals: 0x41636D65", "equals: 0x41636D66", VENDOR),
    ("device_id: 0, type: u16, at: 1, order: BA", "equals: 0x6D63", "equals: 0x636D", VENDOR),
    ("server_id: true", "equals: 2A FF 56 31 2E 32", "equals: 2A FF 56 31 2E 33", SERVER),
    ("server_id: true, length: 1", "equals: 2A", "not: 2A", SERVER),
    ("server_id: true, at: 1, type: bool", "equals: true", "equals: false", SERVER),
    ("server_id: true, at: 2, type: string", "at_least: V1.1", "at_least: V1.3", SERVER),
    ("server_id: true, at: 2, type: string, length: 2", "equals: V1", "equals: V2", SERVER),
    ("diagnostic: 13", "max: 3", "max: 2", COUNTER),
    ("diagnostic: bus_exception_error_count", "equals: 3", "below: 3", COUNTER),
    ("diagnostic: 13, values: { 3: three, 4: four }", "equals: three", "not: three", COUNTER),
    ("exception_status: true", "equals: 129", "max: 128", STATUS),
    (
        "exception_status: true, bits: { a: 0, b: 1 }",
        "bits: { set: [a], clear: [b] }",
        "bits: { set: [a, b] }",
        STATUS,
    ),
    ("file: { number: 4, record: 1 }, type: u32", "equals: 70000", "min: 70001", FILE),
    (
        "file: { number: 4, record: 1 }, type: u32, order: CDAB, scale: 0.1",
        "equals: 29255270.5",
        "max: 29255270.4",
        FILE,
    ),
    ("fifo: 0x04DE", "equals: 3", "max: 2", QUEUE),
    ("fifo: 0x04DE, at: 0", "equals: 440", "max: 439", QUEUE),
    ("fifo: 0x04DE, at: 2, type: i16, scale: 0.5", "equals: -1", "min: -0.5", QUEUE),
    ("fifo: 0x04DE, at: 1, type: bytes", "equals: 12 84 FF FE", "equals: 12 84 FF FF", QUEUE),
];

#[test]
fn every_kind_passes_within_its_limit_and_fails_once_it_is_moved() {
    for (point, holds, moved, exchange) in KINDS {
        let passed = verdict(point, holds, *exchange);
        assert_eq!(passed, came_to(0, "pass", "-"), "{point}: {holds}");
        let failed = verdict(point, moved, *exchange);
        assert_eq!(failed, came_to(1, "fail", "-"), "{point}: {moved}");
    }
}

#[test]
fn without_a_usable_answer_every_kind_is_an_error() {
    for (point, holds, _, (request, answer)) in KINDS {
        let refused = format!("{:02X} 02", hex(request)[0] | 0x80);
        assert_eq!(
            verdict(point, holds, (request, &refused)),
            came_to(3, "error", "exception-02"),
            "{point}"
        );
        // Cut short, and one byte too many.
        let whole = hex(answer);
        let shown = |bytes: &[u8]| -> String {
            bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
        };
        for wrong in [shown(&whole[..whole.len() - 1]), shown(&[&whole[..], &[0]].concat())] {
            assert_eq!(
                verdict(point, holds, (request, &wrong)),
                came_to(3, "error", "frame"),
                "{point}: {wrong}"
            );
        }
    }
}

#[test]
fn what_is_not_there_or_means_nothing_is_an_error() {
    let decode = came_to(3, "error", "decode");
    for (point, limits, (request, answer)) in [
        // Latin-1 is no UTF-8.
        ("device_id: 0", "not: x", (VENDOR.0, "2B0E 04 81 00 00 01 00 02 E941")),
        ("device_id: 0", "matches: '[^x]*'", (VENDOR.0, "2B0E 04 81 00 00 01 00 01 FF")),
        ("device_id: 0, at: 5, type: string", "not: x", VENDOR),
        ("device_id: 0, type: u64", "min: 1", VENDOR),
        ("server_id: true, at: 1, type: bool", "equals: true", ("11", "11 02 2A 01")),
        ("server_id: true, at: 1, type: bool", "equals: false", ("11", "11 01 2A")),
        ("server_id: true, at: 6, length: 1", "not: FF", SERVER),
        ("fifo: 0x04DE, at: 3", "max: 65534", QUEUE),
        ("fifo: 0x04DE, at: 2, type: u32", "min: 1", QUEUE),
        ("fifo: 0x04DE, at: 0", "max: 65534", ("18 04DE", "18 0002 0000")),
        ("diagnostic: 13, values: { 4: four, 5: five }", "not: four", COUNTER),
    ] {
        assert_eq!(verdict(point, limits, (request, answer)), decode, "{point}: {limits}");
    }
    let frame = came_to(3, "error", "frame");
    for (point, limits, exchange) in [
        // Another MEI type, another object, none, another code, a stream that contradicts itself.
        ("device_id: 0", "not: x", (VENDOR.0, "2B0D 04 81 00 00 01 00 04 41636D65")),
        ("device_id: 0", "not: x", (VENDOR.0, "2B0F 04 81 00 00 01 00 04 41636D65")),
        ("device_id: 0", "not: x", (VENDOR.0, "2B0E 04 81 00 00 01 01 04 41636D65")),
        ("device_id: 0", "not: x", (VENDOR.0, "2B0E 04 81 00 00 00")),
        ("device_id: 0", "not: x", (VENDOR.0, "2B0E 01 81 00 00 01 00 04 41636D65")),
        ("device_id: 0", "not: x", (VENDOR.0, "2B0E 04 81 00 07 01 00 04 41636D65")),
        // More values than a queue can have, and fewer than it says.
        ("fifo: 0x04DE", "max: 30", ("18 04DE", "18 0042 0020 0000")),
        ("fifo: 0x04DE", "max: 30", ("18 04DE", "18 0006 0003 0001 0002")),
        // Another counter, two numbers, fewer registers, another reference type.
        ("diagnostic: 13", "max: 3", ("08 000D 0000", "08 000E 0003")),
        ("diagnostic: 13", "max: 3", ("08 000D 0000", "08 000D 0003 0000")),
        ("diagnostic: 13", "max: 3", ("08 000D 0000", "08 000D")),
        ("file: { number: 4, record: 1 }, type: u32", "min: 1", (FILE.0, "14 04 03 06 0001")),
        ("file: { number: 4, record: 1 }, type: u32", "min: 1", (FILE.0, "14 06 05 07 0001 1170")),
        ("exception_status: true", "min: 1", ("07", "07 8181")),
        ("server_id: true", "not: FF", ("11", "11 00")),
    ] {
        assert_eq!(verdict(point, limits, exchange), frame, "{point}: {exchange:?}");
    }
}

#[test]
fn a_device_without_single_objects_is_read_as_a_stream() {
    let step = "read: d.p, equals: Acme";
    let stream = [
        ("2B0E 04 82", "AB 03"),
        ("2B0E 03 00", "2B0E 03 03 FF 05 02 00 01 41 01 01 42"),
        ("2B0E 03 05", "2B0E 03 03 FF 80 01 05 01 43"),
        ("2B0E 03 80", "2B0E 03 03 00 00 02 80 00 82 04 41636D65"),
    ];
    let came = judged("device_id: 0x82", step, &stream);
    assert_eq!((came.code, came.verdict.as_str()), (0, "pass"));
    assert_eq!(came.asked, stream.map(|(request, _)| hex(request)));
    assert_eq!(came.raw, json!([4, 0x41, 0x63, 0x6D, 0x65]));
    // The basic objects and the regular ones have streams of their own.
    let basic = [("2B0E 04 01", "AB 01"), ("2B0E 01 00", "2B0E 01 01 00 00 01 01 04 41636D65")];
    assert_eq!(judged("device_id: 1", step, &basic).code, 0);
    let regular = [("2B0E 04 05", "AB 03"), ("2B0E 02 00", "2B0E 02 02 00 00 01 05 04 41636D65")];
    assert_eq!(judged("device_id: 5", step, &regular).code, 0);
}

#[test]
fn a_stream_that_never_ends_or_lacks_the_object_is_an_error() {
    let step = "read: d.p, not: x";
    for (name, second, third, class, requests) in [
        ("lacks it", "2B0E 01 01 00 00 01 00 01 41", "", "decode", 2),
        ("goes round", "2B0E 01 01 FF 01 01 00 01 41", "2B0E 01 01 FF 01 01 01 01 41", "decode", 3),
        ("goes back", "2B0E 01 01 FF 00 01 00 01 41", "", "decode", 2),
        ("is refused later", "2B0E 01 01 FF 01 01 00 01 41", "AB 04", "exception-04", 3),
        ("is cut", "2B0E 01 01 FF 01 01 00 02 41", "", "frame", 2),
    ] {
        let answers = [("2B0E 04 02", "AB 03"), ("2B0E 01 00", second), ("2B0E 01 01", third)];
        let answers = if third.is_empty() { &answers[..2] } else { &answers[..] };
        let came = judged("device_id: 2", step, answers);
        assert_eq!((came.code, came.class.as_str()), (3, class), "{name}");
        assert_eq!(came.asked.len(), requests, "{name}");
    }
    // Every id in its turn: as long as a stream can be.
    let answers: Vec<(String, String)> = (0..=255_u8)
        .map(|id| {
            let (more, next) = if id == 255 { (0, 0) } else { (0xFF, id + 1) };
            let answer = format!("2B0E 03 03 {more:02X} {next:02X} 01 {id:02X} 00");
            (format!("2B0E 03 {id:02X}"), answer)
        })
        .collect();
    let answers: Vec<(&str, &str)> =
        answers.iter().map(|(request, answer)| (request.as_str(), answer.as_str())).collect();
    let came = judged("device_id: 255", "read: d.p, not: x", &answers);
    assert_eq!((came.code, came.asked.len()), (0, 257));
}

/// Exception 2 is the device's word that there is no such object.
#[test]
fn the_kind_of_answer_is_that_to_one_request() {
    let none = [("2B0E 04 09", "AB 02")];
    let came = judged("device_id: 9", "read: d.p, exception: illegal_data_address", &none);
    assert_eq!((came.code, came.asked.len()), (0, 1));
    let no_access = [("2B0E 04 09", "AB 03"), ("2B0E 02 00", "2B0E 02 02 00 00 01 09 01 41")];
    let came = judged("device_id: 9", "read: d.p, exception: illegal_data_address", &no_access);
    assert_eq!((came.code, came.verdict.as_str(), came.asked.len()), (1, "fail", 1));
    for (point, request, answer) in [
        ("server_id: true", SERVER.0, SERVER.1),
        ("fifo: 0x04DE", QUEUE.0, QUEUE.1),
        ("file: { number: 4, record: 1 }, type: u32", FILE.0, FILE.1),
        ("exception_status: true", STATUS.0, STATUS.1),
        ("diagnostic: 13", COUNTER.0, COUNTER.1),
    ] {
        let answers = judged(
            "holding: 1",
            &format!("read: {{ device: d, {point} }}, answers: true"),
            &[(request, answer)],
        );
        assert_eq!((answers.code, answers.asked), (0, vec![hex(request)]), "{point}");
    }
}

/// Raw contents and how they are decoded: enough to judge again.
#[test]
fn the_record_holds_what_the_value_was_made_of() {
    for (point, exchange, raw, decode) in [
        (
            "device_id: 0",
            VENDOR,
            json!([4, 0x41, 0x63, 0x6D, 0x65]),
            json!({ "device_id": 0, "type": "string" }),
        ),
        (
            "server_id: true, at: 1, length: 1",
            SERVER,
            json!([6, 0x2A, 0xFF, 0x56, 0x31, 0x2E, 0x32]),
            json!({ "server_id": true, "type": "bytes", "at": 1, "length": 1 }),
        ),
        ("diagnostic: 13", COUNTER, json!([3]), json!({ "diagnostic": 13, "type": "u16" })),
        (
            "exception_status: true",
            STATUS,
            json!([129]),
            json!({ "exception_status": true, "type": "u16" }),
        ),
        (
            "file: { number: 4, record: 1 }, type: u32",
            FILE,
            json!([1, 0x1170]),
            json!({ "file": { "number": 4, "record": 1 }, "registers": 2, "type": "u32", "order": "ABCD" }),
        ),
        (
            "fifo: 0x04DE, at: 1",
            QUEUE,
            json!([3, 0x01B8, 0x1284, 0xFFFE]),
            json!({ "fifo": 1246, "type": "u16", "at": 1, "order": "ABCD" }),
        ),
        (
            "fifo: 0x04DE",
            QUEUE,
            json!([3, 0x01B8, 0x1284, 0xFFFE]),
            json!({ "fifo": 1246, "type": "u16" }),
        ),
    ] {
        let came = judged(point, "read: d.p, record: true", &[exchange]);
        assert_eq!((came.code, came.verdict.as_str()), (3, "recorded"), "{point}");
        assert_eq!(came.raw, raw, "{point}");
        assert_eq!(came.decode, decode, "{point}");
    }
}

/// Several points of one place are one request, and a scan's registers are read beside it.
#[test]
fn points_of_one_place_share_its_request() {
    let device = device(&[SERVER, QUEUE, ("03 0001 0001", "03 02 0007")]);
    let spec = format!(
        "\
spec: beyond
devices:
  d:
    link: tcp://{}
    unit_id: 1
    points:
      id: {{ server_id: true, length: 1 }}
      running: {{ server_id: true, at: 1, type: bool }}
      text: {{ server_id: true, at: 2, type: string }}
      queued: {{ fifo: 0x04DE }}
      oldest: {{ fifo: 0x04DE, at: 0 }}
      plain: {{ holding: 1 }}
tests:
  - test: t
    steps:
      - {{ read: d.id, equals: 2A }}
      - {{ read: d.running, equals: true }}
      - {{ read: d.queued, equals: 3 }}
      - {{ read: d.plain, equals: 7 }}
      - {{ read: d.text, equals: V1.2 }}
      - {{ read: d.oldest, equals: 440 }}
      - {{ compute: d.oldest * d.queued, equals: 1320 }}
",
        device.address
    );
    let bench = Bench::with(&spec);
    let ended = bench.run(&[]);
    assert_eq!(ended.code, 0, "{}", ended.out);
    let asked: Vec<Vec<u8>> =
        device.heard().iter().map(|heard| heard.bytes[7..].to_vec()).collect();
    assert_eq!(asked, ["03 0001 0001", "11", "18 04DE", "18 04DE"].map(hex));
    let check = bench.document()["records"][0]["tests"][0]["checks"][6].clone();
    let queue = [3, 0x01B8, 0x1284, 0xFFFE];
    assert_eq!(check["measurement"]["raw"], json!([queue, queue].concat()));
}
