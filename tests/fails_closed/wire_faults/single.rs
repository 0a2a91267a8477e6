//! One point, one device, one thing wrong.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SOON, check, classes, frames, joined};
use crate::bench::{Bench, Ended};
use crate::device::{Act, Device, Heard, exception, pdu, words};

/// What a run of one check must come to.
struct Expected {
    code: i32,
    /// The error class of each attempt, `-` where there is none.
    attempts: &'static [&'static str],
    /// The notes on what came, in order; `-` where it was taken as the answer.
    notes: &'static [&'static str],
    /// Whether all that was sent is in the record: a reset loses what was not read.
    whole: bool,
}

impl Expected {
    fn error(attempts: &'static [&'static str], notes: &'static [&'static str]) -> Self {
        Self { code: 3, attempts, notes, whole: true }
    }

    fn pass(attempts: &'static [&'static str], notes: &'static [&'static str]) -> Self {
        Self { code: 0, attempts, notes, whole: true }
    }
}

/// Against a device that is to be waited for in vain not for long; against one that answers, so long
/// that a slow machine is not held against it.
fn spec(address: &str, expected: &Expected) -> String {
    let in_vain = |class: &&str| ["timeout", "late", "foreign"].contains(class);
    let timeout = if expected.attempts.iter().any(in_vain) { "250ms" } else { "20s" };
    format!(
        "\
spec: wire
devices:
  d:
    link: tcp://{address}
    unit_id: 17
    response_timeout: {timeout}
    points: {{ p: {{ holding: 3 }} }}
tests:
  - test: t
    steps: [{{ read: d.p, equals: 7 }}]
"
    )
}

/// A run against a device under this script, which must come to that.
fn run(
    script: impl Fn(Option<&Heard>) -> Vec<Act> + Send + Sync + 'static,
    expected: &Expected,
) -> Value {
    let device = Device::new(script);
    let bench = Bench::with(&spec(&device.address.to_string(), expected));
    let ended = bench.run(&[]);
    let document = bench.document();
    hold(&document, &ended, expected);
    let sent = frames(&document, "tx");
    let heard: Vec<u8> = device.heard().iter().flat_map(|heard| heard.bytes.clone()).collect();
    assert_eq!(joined(&sent), heard, "what was sent");
    assert!(sent.iter().all(|(bytes, note)| bytes.len() == 12 && *note == "-"), "{sent:02X?}");
    if expected.whole {
        assert_eq!(joined(&frames(&document, "rx")), device.sent(), "what came");
    }
    document
}

fn hold(document: &Value, ended: &Ended, expected: &Expected) {
    let check = check(document, "d.p");
    let shown = format!("{check:#}\n{}", ended.err);
    let verdict = match expected.code {
        0 => "pass",
        1 => "fail",
        _ => "error",
    };
    assert_eq!(ended.code, expected.code, "{shown}");
    assert_eq!(check["verdict"], verdict, "{shown}");
    assert_eq!(document["outcome"], verdict, "{shown}");
    assert_eq!(classes(check), expected.attempts, "{shown}");
    let flaky = expected.code == 0 && expected.attempts.len() > 1;
    assert_eq!(check["flaky"], flaky, "{shown}");
    let notes: Vec<&str> = frames(document, "rx").iter().map(|(_, note)| *note).collect();
    assert_eq!(notes, expected.notes, "{shown}");
    assert!(ended.took < SOON, "{:?}", ended.took);
    // A value was measured only where it was judged.
    assert_eq!(check["measurement"].is_null(), verdict == "error", "{shown}");
    let last = &check["attempts"][expected.attempts.len() - 1];
    assert_eq!(check["measurement"], last["measurement"], "{shown}");
    if verdict == "error" {
        assert_eq!(check["message"], last["error"]["text"], "{shown}");
    }
}

/// Once connected nothing, at each request these acts.
fn acts(
    acts: impl Fn(&Heard) -> Vec<Act> + Send + Sync + 'static,
) -> impl Fn(Option<&Heard>) -> Vec<Act> + Send + Sync + 'static {
    move |heard| heard.map(&acts).unwrap_or_default()
}

/// Once connected nothing, at each request this frame.
fn each(
    frame: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static,
) -> impl Fn(Option<&Heard>) -> Vec<Act> + Send + Sync + 'static {
    acts(move |heard| vec![Act::Send(frame(heard))])
}

/// The frame with one of its bytes changed.
fn with(mut frame: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    frame[at] = byte;
    frame
}

#[test]
fn the_right_answer_passes_and_a_wrong_value_fails_at_once() {
    run(each(|heard| words(heard, &[7])), &Expected::pass(&["-"], &["-"]));
    let expected = Expected { code: 1, ..Expected::pass(&["-"], &["-"]) };
    let document = run(each(|heard| words(heard, &[8])), &expected);
    assert_eq!(check(&document, "d.p")["measurement"]["raw"], json!([8]));
}

#[test]
fn nobody_listens() {
    let address = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let expected = Expected::error(&["connect"; 3], &[]);
    let bench = Bench::with(&spec(&address.to_string(), &expected));
    let ended = bench.run(&[]);
    let document = bench.document();
    hold(&document, &ended, &expected);
    assert!(frames(&document, "tx").is_empty(), "nothing can have been sent");
}

#[test]
fn nothing_comes() {
    run(|_| Vec::new(), &Expected::error(&["timeout"; 3], &[]));
}

#[test]
fn the_connection_ends() {
    let ends = Expected { whole: false, ..Expected::error(&["closed"; 3], &[]) };
    run(acts(|_| vec![Act::Close]), &ends);
    run(acts(|_| vec![Act::Reset]), &ends);
    let fragments = Expected::error(&["closed"; 3], &["garbage"; 3]);
    for cut in [1, 6, 8, 10] {
        let part = move |heard: &Heard| words(heard, &[7])[..cut].to_vec();
        run(acts(move |heard| vec![Act::Send(part(heard)), Act::Close]), &fragments);
    }
}

#[test]
fn the_connection_ends_before_anything_is_asked() {
    let device = Device::new(|heard| match heard {
        None => vec![Act::Close],
        Some(_) => Vec::new(),
    });
    let expected = Expected::error(&["closed"; 3], &[]);
    let bench = Bench::with(&spec(&device.address.to_string(), &expected));
    let ended = bench.run(&[]);
    hold(&bench.document(), &ended, &expected);
}

#[test]
fn what_comes_is_no_frame() {
    let garbage = Expected::error(&["frame"; 3], &["garbage"; 3]);
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    run(each(move |_| http.into()), &garbage);
    // Protocol id 1; a length of one; a length above the longest frame.
    for (at, byte) in [(3, 1), (5, 1), (4, 0xFF)] {
        run(each(move |heard| with(words(heard, &[7]), at, byte)), &garbage);
    }
}

#[test]
fn the_answer_is_to_another_request() {
    let foreign = Expected::error(&["foreign"], &["foreign"]);
    // Another transaction, or another unit.
    for at in [0, 1, 6] {
        run(each(move |heard| with(words(heard, &[7]), at, 0x55)), &foreign);
    }
    // Only the right one is an answer, whatever comes before.
    let others_first = acts(|heard| {
        let other = with(words(heard, &[99]), 6, 18);
        vec![Act::Send(other.clone()), Act::Send(other), Act::Send(words(heard, &[7]))]
    });
    run(others_first, &Expected::pass(&["-"], &["foreign", "foreign", "-"]));
}

#[test]
fn the_answer_does_not_fit_the_request() {
    let frame = Expected::error(&["frame"; 3], &["-"; 3]);
    let wrong: [&'static [u8]; 10] = [
        &[0x04, 0x02, 0x00, 0x07],             // another function
        &[0x03, 0x04, 0x00, 0x07],             // more bytes announced than there are
        &[0x03, 0x00, 0x00, 0x07],             // none announced
        &[0x03, 0x01, 0x07],                   // half a register
        &[0x03, 0x00],                         // no register
        &[0x03, 0x04, 0x00, 0x07, 0x00, 0x07], // one too many
        &[0x03, 0x02, 0x00, 0x07, 0x00],       // a byte left over
        &[0x83, 0x02, 0x00],                   // an exception of three bytes
        &[0x83],                               // an exception without a code
        &[0x84, 0x02],                         // an exception of another function
    ];
    for bytes in wrong {
        run(each(move |heard| pdu(heard, bytes)), &frame);
    }
}

#[test]
fn the_answer_comes_too_late() {
    // The answer to the request before this one, under its id.
    let late = |heard: &Heard, word| {
        let before = heard.bytes[1] - 1;
        Act::Send(with(words(heard, &[word]), 1, before))
    };
    let then_in_time = acts(move |heard| match heard.n {
        1 => vec![],
        _ => vec![late(heard, 99), Act::Send(words(heard, &[7]))],
    });
    let document = run(then_in_time, &Expected::pass(&["timeout", "-"], &["late", "-"]));
    assert_eq!(check(&document, "d.p")["measurement"]["raw"], json!([7]));
    // It is found at the request that it belongs to.
    let transactions = &document["records"][0]["transactions"];
    assert_eq!(transactions[0]["frames"][1]["note"], "late");
    assert_eq!(transactions[1]["frames"].as_array().unwrap().len(), 2);

    let always = acts(move |heard| match heard.n {
        1 => vec![],
        _ => vec![late(heard, 7)],
    });
    run(always, &Expected::error(&["timeout", "late"], &["late"]));
}

#[test]
fn the_answer_comes_twice() {
    let twice = |heard: &Heard| [words(heard, &[7]), words(heard, &[8])].concat();
    run(each(twice), &Expected::pass(&["-"], &["-", "duplicate"]));
    // What is malformed is no answer; what follows it under the same id is none either.
    let mended = |heard: &Heard| [pdu(heard, &[0x03, 0x00]), words(heard, &[7])].concat();
    let notes = &["-", "duplicate", "-", "duplicate", "-", "duplicate"];
    run(each(mended), &Expected::error(&["frame"; 3], notes));
}

#[test]
fn the_answer_comes_byte_by_byte() {
    let drips = acts(|heard| {
        let pause = Act::Wait(Duration::from_millis(2));
        let bytes = words(heard, &[7]).into_iter();
        bytes.flat_map(|byte| [Act::Send(vec![byte]), pause.clone()]).collect()
    });
    run(drips, &Expected::pass(&["-"], &["-"]));
}

#[test]
fn an_exception_is_an_answer() {
    let busy_once = each(|heard| match heard.n {
        1 => exception(heard, 6),
        _ => words(heard, &[7]),
    });
    run(busy_once, &Expected::pass(&["busy", "-"], &["-", "-"]));
    let always: [(u8, &[&str]); 8] = [
        (5, &["busy"; 3]),
        (6, &["busy"; 3]),
        (0x0A, &["gateway"; 3]),
        (0x0B, &["gateway"; 3]),
        (1, &["exception-01"]),
        (2, &["exception-02"]),
        (4, &["exception-04"]),
        (0xFF, &["exception-FF"]),
    ];
    for (code, attempts) in always {
        let notes = &["-"; 3][..attempts.len()];
        run(each(move |heard| exception(heard, code)), &Expected::error(attempts, notes));
    }
}
