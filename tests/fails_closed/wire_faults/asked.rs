//! What is asked, in what order, how often, how much at once; and what is not asked.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::{Value, json};

use super::{SOON, check, checks, classes};
use crate::bench::{Bench, Ended};
use crate::device::{Act, Device, Heard, addresses, exception, range, words};

/// Points at 0 to 9 that are never read together.
const ALONE: &str = "      p0: { holding: 0, alone: true }
      p1: { holding: 1, alone: true }
      p2: { holding: 2, alone: true }
      p3: { holding: 3, alone: true }
      p4: { holding: 4, alone: true }
      p5: { holding: 5, alone: true }
      p6: { holding: 6, alone: true }
      p7: { holding: 7, alone: true }
";

/// The same points, for planners to read at once.
const MERGED: &str = "      p0: { holding: 0 }
      p1: { holding: 1 }
      p2: { holding: 2 }
      p3: { holding: 3 }
";

/// For a device that is waited for in vain.
const BRIEF: &str = "    response_timeout: 250ms\n";

/// A device of a spec. A slow machine is not held against it unless `rest` is [`BRIEF`].
fn device(name: &str, link: &str, unit_id: u8, rest: &str, points: &str) -> String {
    let timeout = if rest == BRIEF { "" } else { "    response_timeout: 20s\n" };
    let place = format!("    link: {link}\n    unit_id: {unit_id}\n");
    format!("  {name}:\n{place}{timeout}{rest}    points:\n{points}")
}

fn spec(devices: &[String], tests: &str) -> String {
    format!("spec: asked\ndevices:\n{}tests:\n{tests}\n", devices.concat())
}

/// A test that reads these points and expects each at its address.
fn reads(test: &str, points: &[&str]) -> String {
    let step = |point: &&str| {
        let address = point.trim_start_matches(|c: char| !c.is_ascii_digit());
        format!("      - {{ read: {point}, equals: {address} }}\n")
    };
    let steps: String = points.iter().map(step).collect();
    format!("  - test: {test}\n    steps:\n{steps}")
}

/// What a run of this spec comes to.
fn run(spec: &str) -> (Ended, Value) {
    let bench = Bench::with(spec);
    let ended = bench.run(&[]);
    assert!(ended.code != 2 && ended.took < SOON, "{:?} {}", ended.took, ended.err);
    (ended, bench.document())
}

fn link(server: &Device) -> String {
    format!("tcp://{}", server.address)
}

/// What was asked for: unit, first register, quantity.
fn asked(server: &Device) -> Vec<(u8, u16, u16)> {
    let asked = |heard: &Heard| (heard.bytes[6], range(heard).0, range(heard).1);
    server.heard().iter().map(asked).collect()
}

const POINTS: [&str; 8] = ["d.p0", "d.p1", "d.p2", "d.p3", "d.p4", "d.p5", "d.p6", "d.p7"];

#[test]
fn a_dead_device_is_asked_for_one_register_and_the_others_go_on() {
    let server = Device::new(|heard| match heard {
        Some(heard) if heard.bytes[6] == 2 => vec![Act::Send(addresses(heard))],
        _ => Vec::new(),
    });
    let devices =
        [device("d", &link(&server), 1, BRIEF, ALONE), device("e", &link(&server), 2, "", ALONE)];
    let healthy = ["e.p0", "e.p1", "e.p2"];
    let tests = reads("all", &[&POINTS[..], &healthy[..]].concat());
    let (ended, document) = run(&spec(&devices, &tests));
    assert_eq!(ended.code, 3);
    let dead = asked(&server).into_iter().filter(|(unit, ..)| *unit == 1);
    assert_eq!(dead.collect::<Vec<_>>(), [(1, 0, 1); 3], "one register, once for each attempt");
    assert_eq!(classes(check(&document, "d.p0")), ["timeout"; 3]);
    for name in &POINTS[1..] {
        let check = check(&document, name);
        assert_eq!(classes(check), ["timeout"], "{name}");
        assert_eq!(check["message"], "not asked: the device did not answer", "{name}");
        assert_eq!(check["attempts"][0]["transactions"], json!([]), "{name}");
    }
    for name in healthy {
        assert_eq!(check(&document, name)["verdict"], "pass", "{name}");
    }
}

#[test]
fn a_merged_read_that_is_refused_is_split_and_nothing_is_flaky() {
    for code in [2, 3] {
        // Two registers exist, two do not.
        let server = Device::answering(move |heard| match range(heard) {
            (0 | 1, 1) => addresses(heard),
            _ => exception(heard, code),
        });
        let devices = [device("d", &link(&server), 1, "", MERGED)];
        let tests = reads("all", &POINTS[..4]);
        let (ended, document) = run(&spec(&devices, &tests));
        assert_eq!(ended.code, 3);
        assert_eq!(asked(&server), [(1, 0, 4), (1, 0, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1)]);
        for (index, name) in POINTS[..4].iter().enumerate() {
            let check = check(&document, name);
            assert_eq!(check["flaky"], false, "{name}");
            assert_eq!(check["attempts"].as_array().unwrap().len(), 1, "{name}");
            assert_eq!(check["attempts"][0]["transactions"], json!([1, index + 2]), "{name}");
            let expected = if index < 2 { json!([index]) } else { Value::Null };
            let raw = check.pointer("/measurement/raw").cloned().unwrap_or_default();
            assert_eq!(raw, expected, "{name}");
        }
        assert_eq!(classes(check(&document, "d.p1")), ["-"]);
        assert_eq!(classes(check(&document, "d.p2")), [format!("exception-0{code}")]);
    }
}

#[test]
fn a_merged_read_that_is_refused_for_another_reason_is_not_split() {
    let server = Device::answering(|heard| exception(heard, 4));
    let devices = [device("d", &link(&server), 1, "", MERGED)];
    let (ended, document) = run(&spec(&devices, &reads("all", &POINTS[..4])));
    assert_eq!(ended.code, 3);
    assert_eq!(asked(&server), [(1, 0, 4)]);
    assert!(checks(&document).iter().all(|check| classes(check) == ["exception-04"]));
}

#[test]
fn checks_of_one_transaction_share_its_attempts() {
    let server = Device::answering(|heard| match heard.n {
        1 => exception(heard, 6),
        _ => addresses(heard),
    });
    let devices = [device("d", &link(&server), 1, "", MERGED)];
    let (ended, document) = run(&spec(&devices, &reads("all", &POINTS[..4])));
    assert_eq!(ended.code, 0);
    assert_eq!(asked(&server), [(1, 0, 4); 2]);
    for check in checks(&document) {
        assert_eq!(classes(check), ["busy", "-"]);
        assert_eq!(check["flaky"], true);
        assert_eq!(check["attempts"][1]["transactions"], json!([2]));
    }
}

/// What a check of `d.p0` with these demands comes to: exit code, verdict, classes of its attempts.
fn demanded(
    answer: impl Fn(&Heard) -> Vec<Act> + Send + Sync + 'static,
    demands: &str,
) -> (i32, String, Vec<String>) {
    let server = Device::new(move |heard| heard.map(&answer).unwrap_or_default());
    let devices = [device("d", &link(&server), 1, BRIEF, ALONE)];
    let tests = format!("  - {{ test: t, steps: [{{ read: d.p0, {demands} }}] }}");
    let (ended, document) = run(&spec(&devices, &tests));
    let check = check(&document, "d.p0");
    let attempts = classes(check).into_iter().map(str::to_owned).collect();
    assert_eq!(server.heard().len(), classes(check).len());
    (ended.code, check["verdict"].as_str().unwrap().to_owned(), attempts)
}

fn sends(frame: Vec<u8>) -> Vec<Act> {
    vec![Act::Send(frame)]
}

fn came_to(code: i32, verdict: &str, attempts: &[&str]) -> (i32, String, Vec<String>) {
    (code, verdict.to_owned(), attempts.iter().map(ToString::to_string).collect())
}

#[test]
fn an_exception_that_is_asked_for() {
    let demand = "exception: illegal_data_address";
    let answers = |code| move |heard: &Heard| sends(exception(heard, code));
    assert_eq!(demanded(answers(2), demand), came_to(0, "pass", &["-"]));
    assert_eq!(demanded(answers(3), demand), came_to(1, "fail", &["-"]));
    let value = |heard: &Heard| sends(words(heard, &[0]));
    assert_eq!(demanded(value, demand), came_to(1, "fail", &["-"]));
    assert_eq!(demanded(|_| vec![], demand), came_to(3, "error", &["timeout"; 3]));
    assert_eq!(demanded(|_| vec![Act::Close], demand), came_to(3, "error", &["closed"; 3]));
    // What is asked for is not repeated, whatever else is.
    assert_eq!(demanded(answers(6), "exception: 6"), came_to(0, "pass", &["-"]));
}

#[test]
fn silence_that_is_asked_for() {
    let demand = "answers: false";
    assert_eq!(demanded(|_| vec![], demand), came_to(0, "pass", &["-"]));
    let value = |heard: &Heard| sends(words(heard, &[0]));
    assert_eq!(demanded(value, demand), came_to(1, "fail", &["-"]));
    assert_eq!(demanded(|heard| sends(exception(heard, 2)), demand), came_to(1, "fail", &["-"]));
    // A line that breaks, or another's answer, is not the silence of this device.
    assert_eq!(demanded(|_| vec![Act::Close], demand), came_to(3, "error", &["closed"; 3]));
    let foreign = |heard: &Heard| {
        let mut frame = words(heard, &[0]);
        frame[6] = 9;
        sends(frame)
    };
    assert_eq!(demanded(foreign, demand), came_to(3, "error", &["foreign"]));
    let garbage = |_: &Heard| sends(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    assert_eq!(demanded(garbage, demand), came_to(3, "error", &["frame"; 3]));
}

#[test]
fn an_answer_of_any_kind_that_is_asked_for() {
    let demand = "answers: true";
    assert_eq!(demanded(|heard| sends(exception(heard, 2)), demand), came_to(0, "pass", &["-"]));
    assert_eq!(demanded(|heard| sends(words(heard, &[0])), demand), came_to(0, "pass", &["-"]));
    assert_eq!(demanded(|_| vec![], demand), came_to(3, "error", &["timeout"; 3]));
}

#[test]
fn what_is_repeated_is_what_the_spec_says() {
    let busy = |heard: &Heard| sends(exception(heard, 6));
    let retry = |rest: &str| format!("equals: 7, retry: {{ delay: 1ms, {rest} }}");
    let silent = |_: &Heard| vec![];
    let only_timeouts = retry("errors: [timeout]");
    assert_eq!(demanded(busy, &only_timeouts), came_to(3, "error", &["busy"]));
    assert_eq!(demanded(silent, &only_timeouts), came_to(3, "error", &["timeout"; 3]));
    assert_eq!(demanded(silent, &retry("attempts: 1")), came_to(3, "error", &["timeout"]));
    assert_eq!(demanded(silent, &retry("errors: []")), came_to(3, "error", &["timeout"]));
    assert_eq!(demanded(busy, &retry("attempts: 5")), came_to(3, "error", &["busy"; 5]));
    let refuses = |heard: &Heard| sends(exception(heard, 2));
    let wanted = retry("attempts: 2, errors: exception-02");
    assert_eq!(demanded(refuses, &wanted), came_to(3, "error", &["exception-02"; 2]));
}

#[test]
fn a_value_out_of_limits_is_repeated_only_where_that_is_asked_for() {
    let grows = |heard: &Heard| sends(words(heard, &[u16::try_from(heard.n).unwrap() + 4]));
    assert_eq!(demanded(grows, "equals: 7"), came_to(1, "fail", &["-"]));
    let retry = "equals: 7, retry: { delay: 1ms, attempts: 5, errors: limit }";
    assert_eq!(demanded(grows, retry), came_to(0, "pass", &["-"; 3]));
    let retry = "equals: 7, retry: { delay: 1ms, attempts: 2, errors: limit }";
    assert_eq!(demanded(grows, retry), came_to(1, "fail", &["-"; 2]));

    // Every attempt is kept, and the pass is flaky.
    let server = Device::answering(|heard| words(heard, &[u16::try_from(heard.n).unwrap() + 4]));
    let rest = "    retry: { delay: 1ms, errors: [limit] }\n";
    let devices = [device("d", &link(&server), 1, rest, ALONE)];
    let tests = "  - { test: t, steps: [{ read: d.p0, equals: 7 }] }";
    let (ended, document) = run(&spec(&devices, tests));
    assert_eq!(ended.code, 0);
    let check = check(&document, "d.p0");
    assert_eq!(check["flaky"], true);
    let kept = |key: &str| -> Vec<Value> {
        let attempts = check["attempts"].as_array().unwrap().iter();
        attempts.map(|attempt| attempt.pointer(key).cloned().unwrap_or_default()).collect()
    };
    assert_eq!(kept("/verdict"), ["fail", "fail", "pass"]);
    assert_eq!(kept("/measurement/value"), [5, 6, 7]);
    assert_eq!(kept("/n"), [1, 2, 3]);
    assert_eq!(document["records"][0]["counts"]["flaky"], 1);
}

#[test]
fn tests_on_different_devices_overlap() {
    // Neither answers before the other was asked as well.
    let both = Arc::new(Barrier::new(2));
    let waits = |both: &Arc<Barrier>| {
        let both = Arc::clone(both);
        Device::answering(move |heard| {
            both.wait();
            addresses(heard)
        })
    };
    let (one, other) = (waits(&both), waits(&both));
    let patient = "    retry: { attempts: 1 }\n";
    let devices = [
        device("d", &link(&one), 1, patient, ALONE),
        device("e", &link(&other), 1, patient, ALONE),
    ];
    let tests = reads("one", &["d.p0"]) + &reads("other", &["e.p1"]);
    let (ended, _) = run(&spec(&devices, &tests));
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
}

/// Answers only when nothing more comes for a while: what would overlap shows itself.
fn reluctant() -> Device {
    Device::new(|heard| {
        let Some(heard) = heard else { return Vec::new() };
        vec![Act::Wait(Duration::from_millis(15)), Act::Send(addresses(heard))]
    })
}

#[test]
fn tests_on_the_same_device_never_overlap_not_even_across_specs() {
    let server = reluctant();
    let several = "    in_flight: 4\n";
    let devices = [device("d", &link(&server), 1, several, ALONE)];
    let first = reads("one", &POINTS[..2]) + &reads("two", &POINTS[2..4]);
    let bench = Bench::with(&spec(&devices, &first));
    let second = reads("three", &POINTS[4..6]) + &reads("four", &POINTS[6..]);
    bench.file("other.yaml", spec(&devices, &second).replace("  d:", "  f:").replace("d.p", "f.p"));
    let ended = bench.run(&["other.yaml"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let heard = server.heard();
    let of_test = |heard: &Heard| range(heard).0 / 2;
    let tests: Vec<u16> = heard.iter().map(of_test).collect();
    assert_eq!(tests, [0, 0, 1, 1, 2, 2, 3, 3]);
    // Within a test two are open; the first of the next comes when both are answered.
    let open: Vec<usize> = heard.iter().map(|heard| heard.open).collect();
    assert_eq!(open, [1, 2, 1, 2, 1, 2, 1, 2]);
}

/// The most requests that were open at once, on a device that answers none of the first `window`
/// before it has them all.
fn window(window: usize, devices: &dyn Fn(&str) -> Vec<String>, points: &[&str]) -> usize {
    let server = Device::new(move |heard| {
        let Some(heard) = heard else { return Vec::new() };
        let more = Act::Wait(Duration::from_millis(30));
        vec![Act::Until(window), more, Act::Send(addresses(heard))]
    });
    let bench = Bench::with(&spec(&devices(&link(&server)), &reads("all", points)));
    let ended = bench.run(&[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    server.heard().iter().map(|heard| heard.open).max().unwrap_or_default()
}

#[test]
fn no_more_requests_are_open_than_device_and_link_allow() {
    let one = |rest: &'static str, option: &'static str| {
        move |link: &str| vec![device("d", &format!("{link}{option}"), 1, rest, ALONE)]
    };
    assert_eq!(window(1, &one("", ""), &POINTS), 1);
    assert_eq!(window(4, &one("    in_flight: 4\n", ""), &POINTS), 4);
    // The link's own option is stronger, in both directions.
    assert_eq!(window(3, &one("", "?in_flight=3"), &POINTS), 3);
    assert_eq!(window(2, &one("    in_flight: 4\n", "?in_flight=2"), &POINTS), 2);
    // A shared line goes as its most delicate device needs, for all of them together.
    let two = |link: &str| {
        vec![
            device("d", link, 1, "    in_flight: 4\n", ALONE),
            device("e", link, 2, "    in_flight: 2\n", ALONE),
        ]
    };
    let points = ["d.p0", "d.p1", "d.p2", "e.p3", "e.p4", "e.p5"];
    assert_eq!(window(2, &two, &points), 2);
    let with_default = |link: &str| vec![two(link).remove(0), device("e", link, 2, "", ALONE)];
    assert_eq!(window(1, &with_default, &points), 1);
}

#[test]
fn answers_out_of_order_go_to_whom_they_belong() {
    // Answers eight requests in reverse.
    let server = Device::new(|heard| {
        let Some(heard) = heard else { return Vec::new() };
        let place = 8 - u64::try_from(heard.n).unwrap();
        let wait = Act::Wait(Duration::from_millis(10 * place));
        vec![Act::Until(8), wait, Act::Send(addresses(heard))]
    });
    let devices = [device("d", &link(&server), 1, "    in_flight: 8\n", ALONE)];
    let (ended, _) = run(&spec(&devices, &reads("all", &POINTS)));
    assert_eq!(ended.code, 0, "{}", ended.out);
}
