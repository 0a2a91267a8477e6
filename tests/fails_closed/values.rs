//! Registers that mean nothing never pass: not a number, not available, no such code, no such label.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::bench::Bench;
use crate::device::{Device, words};

/// A check of one point of this declaration with these limits, on a device that answers these words:
/// exit code, verdict and error class.
fn judged(point: &str, limits: &str, raw: &'static [u16]) -> (i32, String, String) {
    let device = Device::answering(move |heard| words(heard, raw));
    let spec = format!(
        "\
spec: values
devices:
  d:
    link: tcp://{}
    unit_id: 1
    points: {{ p: {{ holding: 0, {point} }} }}
tests: [{{ test: t, steps: [{{ read: d.p, {limits} }}] }}]
",
        device.address
    );
    let bench = Bench::with(&spec);
    let ended = bench.run(&[]);
    assert_ne!(ended.code, 2, "{}", ended.err);
    let document = bench.document();
    let check = &document["records"][0]["tests"][0]["checks"][0];
    let measured: Vec<Value> = raw.iter().map(|word| Value::from(*word)).collect();
    assert_eq!(check["measurement"]["raw"], Value::Array(measured), "the registers are kept");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    (ended.code, text(&check["verdict"]), text(&check["attempts"][0]["error"]["class"]))
}

fn came_to(code: i32, verdict: &str, class: &str) -> (i32, String, String) {
    (code, verdict.to_owned(), class.to_owned())
}

#[test]
fn what_is_no_finite_number_fails_every_limit() {
    const NAN: &[u16] = &[0x7FC0, 0];
    const INFINITY: &[u16] = &[0x7F80, 0];
    let fails = came_to(1, "fail", "-");
    for limits in
        ["min: -10", "max: 10", "not: 5, tolerance: 1", "below: 10", "above: -10", "valid: true"]
    {
        assert_eq!(judged("type: f32", limits, NAN), fails, "{limits}");
    }
    for limits in ["nominal: 0, tolerance: 5", "min: -10, max: 10", "bands: [{ if: true, max: 3 }]"]
    {
        assert_eq!(judged("type: f32", limits, NAN), fails, "{limits}");
    }
    for limits in ["min: -10", "max: 10", "above: -10"] {
        assert_eq!(judged("type: f32", limits, INFINITY), fails, "{limits}");
    }
    assert_eq!(judged("type: f32", "min: 1", &[0x3F80, 0]), came_to(0, "pass", "-"));
}

#[test]
fn what_the_device_says_is_no_value_fails_every_limit() {
    let fails = came_to(1, "fail", "-");
    for limits in ["min: 5", "max: 65535, min: 1", "not: 5", "valid: true"] {
        assert_eq!(judged("invalid: 0xFFFF", limits, &[0xFFFF]), fails, "{limits}");
        assert_eq!(judged("invalid: [7, 0xFFFF]", limits, &[0xFFFF]), fails, "{limits}");
    }
    assert_eq!(judged("type: i16, invalid: sunspec", "max: 0", &[0x8000]), fails);
    assert_eq!(judged("invalid: 0xFFFF", "min: 5", &[0xFFFE]), came_to(0, "pass", "-"));
}

#[test]
fn what_cannot_be_decoded_is_an_error() {
    let decode = came_to(3, "error", "decode");
    assert_eq!(judged("type: bcd16", "min: 1", &[0x00A1]), decode);
    assert_eq!(judged("values: { 1: on, 2: off }", "equals: on", &[3]), decode);
    assert_eq!(judged("values: { 1: on, 2: off }", "not: off", &[3]), decode);
    let text = "type: string, length: 2";
    assert_eq!(judged(text, "not: abcd", &[0xFFFE, 0x4142]), decode);
    assert_eq!(judged(text, "matches: '[^x]*'", &[0xC328, 0x4142]), decode);
    assert_eq!(judged("type: bcd16", "min: 1", &[0x0091]), came_to(0, "pass", "-"));
}

#[test]
fn what_means_nothing_is_read_again_where_the_spec_asks_for_it() {
    let run = |retry: &str| {
        let asked = AtomicUsize::new(0);
        // No BCD at first, then 42.
        let device = Device::answering(move |heard| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => words(heard, &[0x000F]),
            _ => words(heard, &[0x0042]),
        });
        let spec = format!(
            "\
spec: values
devices:
  d:
    link: tcp://{}
    unit_id: 1
    points: {{ p: {{ holding: 0, type: bcd16 }} }}
{retry}
tests: [{{ test: t, steps: [{{ read: d.p, equals: 42 }}] }}]
",
            device.address
        );
        let bench = Bench::with(&spec);
        let code = bench.run(&[]).code;
        let check = bench.document()["records"][0]["tests"][0]["checks"][0].clone();
        (code, check["attempts"].as_array().map(Vec::len), check["flaky"] == true)
    };
    assert_eq!(run(""), (3, Some(1), false));
    let asked_for = "    retry: { attempts: 2, delay: 1ms, errors: [decode] }";
    assert_eq!(run(asked_for), (0, Some(2), true));
}
