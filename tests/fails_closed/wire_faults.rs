//! What goes wrong on a wire never passes, is named for what it is, and leaves every byte in the
//! record.

use std::time::Duration;

use serde_json::Value;

mod asked;
mod simulated;
mod single;

/// Longer than any of these runs takes, also where everything is slow.
const SOON: Duration = Duration::from_secs(30);

/// The checks of a document, across records and tests.
fn checks(document: &Value) -> Vec<&Value> {
    let records = document["records"].as_array().unwrap().iter();
    let tests = records.flat_map(|record| record["tests"].as_array().unwrap());
    tests.flat_map(|test| test["checks"].as_array().unwrap()).collect()
}

fn check<'d>(document: &'d Value, name: &str) -> &'d Value {
    checks(document).into_iter().find(|check| check["name"] == name).unwrap()
}

/// The error class of each attempt; `-` where there is none.
fn classes(check: &Value) -> Vec<&str> {
    let attempts = check["attempts"].as_array().unwrap().iter();
    attempts.map(|attempt| attempt["error"]["class"].as_str().unwrap_or("-")).collect()
}

/// The frames of a document in one direction, in the order of time: bytes and note.
fn frames<'d>(document: &'d Value, dir: &str) -> Vec<(Vec<u8>, &'d str)> {
    let records = document["records"].as_array().unwrap().iter();
    let transactions = records.flat_map(|record| record["transactions"].as_array().unwrap());
    let mut frames: Vec<&Value> = transactions
        .flat_map(|transaction| transaction["frames"].as_array().unwrap())
        .filter(|frame| frame["dir"] == dir)
        .collect();
    frames.sort_by_key(|frame| frame["at_us"].as_u64());
    let bytes = |frame: &Value| unhex(frame["hex"].as_str().unwrap());
    frames.into_iter().map(|frame| (bytes(frame), frame["note"].as_str().unwrap_or("-"))).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn joined(frames: &[(Vec<u8>, &str)]) -> Vec<u8> {
    frames.iter().flat_map(|(bytes, _)| bytes.clone()).collect()
}
