//! Labelled frames of many sources (`data/wire.txt`), judged by the example program's own code:
//! whole, and in pieces down to single bytes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a broken table must fail the test")]

use std::collections::BTreeSet;

#[path = "../examples/vectors.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod example;

use example::{Direction, Transport, Vector, bytes, judge_lines};
use passline_modbus::framing::mbap;
use passline_modbus::framing::serial::Mode;

const TABLE: &str = include_str!("data/wire.txt");

/// The vectors of the table, each with its line and the words that it must get.
fn vectors() -> impl Iterator<Item = (&'static str, Vector, String)> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let (vector, words) = parse(line).unwrap_or_else(|| panic!("not a vector: {line}"));
        (line, vector, words)
    })
}

fn parse(line: &str) -> Option<(Vector, String)> {
    let (head, words) = line.match_indices(' ').nth(3).map(|(at, _)| line.split_at(at))?;
    let [transport, direction, hex, request] =
        head.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let request = (request != "-").then(|| request.to_owned());
    let hex = if hex == "-" { "" } else { hex }.to_owned();
    let transport = match transport {
        "pdu" => Transport::Pdu,
        "tcp" => Transport::Tcp,
        "rtu" => Transport::Rtu,
        "ascii" => Transport::Ascii,
        _ => return None,
    };
    let direction = match direction {
        "request" => Direction::Request,
        "response" => Direction::Response,
        "stream" => Direction::Stream,
        "unknown" => Direction::Unknown,
        _ => return None,
    };
    Some((Vector { transport, direction, hex, request }, words.trim_start().to_owned()))
}

#[test]
fn every_vector_gets_its_label_in_whatever_pieces_it_comes() {
    let mut wrong = Vec::new();
    for (line, vector, expected) in vectors() {
        for piece in [usize::MAX, 1, 2, 7] {
            let got = vector.judge(piece).unwrap();
            if got != expected {
                wrong.push(format!("{line}: got {got} in pieces of {piece}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_pdu_means_the_same_inside_any_frame() {
    for (line, vector, expected) in vectors() {
        // No frame can carry none or more than 253 bytes.
        if vector.transport != Transport::Pdu || !(2..=506).contains(&vector.hex.len()) {
            continue;
        }
        for transport in [Transport::Tcp, Transport::Rtu, Transport::Ascii] {
            let framed = Vector {
                transport,
                direction: vector.direction,
                hex: framed(transport, &vector.hex),
                request: vector.request.as_deref().map(|request| framed(transport, request)),
            };
            assert_eq!(framed.judge(1).unwrap(), expected, "{transport:?} {line}");
        }
    }
}

/// The frame of unit 0x11 around a PDU.
fn framed(transport: Transport, pdu: &str) -> String {
    let pdu = bytes("pdu", pdu).unwrap();
    let mut out = Vec::new();
    match transport {
        Transport::Pdu => out.extend(pdu),
        Transport::Tcp => mbap::encode(1, 0x11, &pdu, &mut out).unwrap(),
        Transport::Rtu => Mode::Rtu.encode(0x11, &pdu, &mut out).unwrap(),
        Transport::Ascii => Mode::Ascii.encode(0x11, &pdu, &mut out).unwrap(),
    }
    hex(&out)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn noise_before_a_serial_frame_and_behind_it_changes_no_label() {
    // Noise has no colon: that would be the beginning of a frame.
    let noises =
        [vec![0x00], vec![0xFF, 0x00], vec![0x55; 20], (0x60..0xE0).collect(), vec![b'\n']];
    let mut behind = 0;
    for (line, mut vector, expected) in vectors() {
        let serial = matches!(vector.transport, Transport::Rtu | Transport::Ascii);
        // What is too short for a frame by itself is not with noise around it.
        let short = ["short-frame", "ascii-unfinished"].contains(&expected.as_str());
        if !serial || short || vector.direction == Direction::Stream {
            continue;
        }
        let frame = vector.hex.clone();
        for noise in &noises {
            let noise = hex(noise);
            for piece in [usize::MAX, 1, 7] {
                vector.hex = format!("{noise}{frame}");
                assert_eq!(vector.judge(piece).unwrap(), expected, "{noise} before {line}");
                // Where only silence tells the end, nothing can be told from noise without it.
                if expected == "frame-too-long" || !ends_by_itself(&vector, &frame) {
                    continue;
                }
                behind += 1;
                for before in ["", &noise] {
                    vector.hex = format!("{before}{frame}{noise}");
                    assert_eq!(vector.judge(piece).unwrap(), expected, "{noise} around {line}");
                }
            }
        }
    }
    assert!(behind > 1000, "{behind}");
}

/// Whether a decoder takes this for whole without silence behind it.
fn ends_by_itself(vector: &Vector, frame: &str) -> bool {
    let mode = if vector.transport == Transport::Rtu { Mode::Rtu } else { Mode::Ascii };
    let mut decoder = match vector.direction {
        Direction::Request => mode.requests(),
        _ => mode.answers(),
    };
    decoder.feed(&bytes("frame", frame).unwrap());
    decoder.next_part().is_some() && decoder.pending().is_empty()
}

#[test]
fn the_table_shows_every_label() {
    let seen: BTreeSet<String> = vectors()
        .flat_map(|(_, _, words)| words.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let expected = [
        "ascii-not-hex",
        "ascii-short-or-odd",
        "ascii-unfinished",
        "bad-crc",
        "bad-lrc",
        "byte-count-mismatch",
        "echo-mismatch",
        "exception-length",
        "extra-bytes-after-adu",
        "frame-too-long",
        "function-mismatch",
        "illegal-function",
        "invalid-coil-value",
        "invalid-conformity-level",
        "invalid-mei-type",
        "invalid-more-follows",
        "invalid-read-dev-id-code",
        "invalid-reference-type",
        "length-mismatch",
        "mbap-length-too-large",
        "mbap-length-too-small",
        "object-length-mismatch",
        "outside-frame",
        "pdu-too-long",
        "protocol-id-nonzero",
        "quantity-mismatch",
        "quantity-out-of-range",
        "record-length-mismatch",
        "short-frame",
        "short-pdu",
        "trailing-bytes",
        "valid",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn every_line_gets_one_line_even_if_it_makes_no_sense() {
    let input: &[u8] = b"{\"transport\":\"pdu\",\"direction\":\"request\",\"hex\":\"0B\",\"id\":7}\n\
        \n\
        nonsense\n\
        [\"pdu\",\"request\",\"0b\",null]\n\
        {\"transport\":\"pdu\"}\n\
        {\"transport\":\"carrier pigeon\",\"direction\":\"request\",\"hex\":\"\"}\n\
        {\"transport\":\"pdu\",\"direction\":\"request\",\"hex\":\"0b0\"}\n\
        {\"transport\":\"pdu\",\"direction\":\"request\",\"hex\":\"+b\"}\n\
        {\"transport\":\"pdu\",\"direction\":\"request\",\"hex\":\"\xc3\xa4\"}\n\
        {\"transport\":\"pdu\",\"direction\":\"response\",\"hex\":\"0b\",\"request\":\"\"}\n\
        {\"transport\":\"tcp\",\"direction\":\"response\",\"hex\":\"000100000003118302\",\"request\":\"03\"}\n\
        \xff\xfe\n\
        {\"transport\":\"pdu\",\"direction\":\"response\",\"hex\":\"076d\",\"request\":\"07\"}";
    let mut output = Vec::new();
    judge_lines(input, &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    let starts = [
        "valid",
        "malformed: not a JSON object",
        "malformed: not a JSON object",
        "malformed: not a JSON object",
        "malformed: missing field `direction`",
        "malformed: unknown variant `carrier pigeon`",
        "malformed: `hex` has an odd number of digits",
        "malformed: `hex` is not hexadecimal",
        "malformed: `hex` is not hexadecimal",
        "malformed: `request` is not one frame",
        "malformed: `request` is not one frame",
        "malformed: not a JSON object",
        "valid",
    ];
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), starts.len(), "{output}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}, not {start}");
    }
}
