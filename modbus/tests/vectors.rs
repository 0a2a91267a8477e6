//! Labelled frames of many sources (`data/wire.txt`), judged by the example program's own code:
//! whole, and in pieces down to single bytes.

#![expect(clippy::panic, reason = "a broken table must fail the test")]

use std::collections::BTreeSet;

#[path = "../examples/vectors.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod example;

use example::{Direction, Transport, Vector, judge_lines};

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
fn a_pdu_means_the_same_inside_a_tcp_frame() {
    let framed = |hex: &str| format!("00010000{:04x}11{hex}", 1 + hex.len() / 2);
    for (line, mut vector, expected) in vectors() {
        // No frame can carry none or more than 253 bytes.
        if vector.transport != Transport::Pdu || !(2..=506).contains(&vector.hex.len()) {
            continue;
        }
        vector.transport = Transport::Tcp;
        vector.hex = framed(&vector.hex);
        vector.request = vector.request.as_deref().map(framed);
        assert_eq!(vector.judge(1).unwrap(), expected, "{line}");
    }
}

#[test]
fn the_table_shows_every_label() {
    let seen: BTreeSet<String> = vectors()
        .flat_map(|(_, _, words)| words.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let expected = [
        "byte-count-mismatch",
        "echo-mismatch",
        "exception-length",
        "extra-bytes-after-adu",
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
        "pdu-too-long",
        "protocol-id-nonzero",
        "quantity-mismatch",
        "quantity-out-of-range",
        "record-length-mismatch",
        "short-frame",
        "short-pdu",
        "trailing-bytes",
        "unsupported-transport",
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
