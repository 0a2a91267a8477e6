//! A capture as files: a profile with the reasons of every guess, and a spec whose simulation
//! answers as the device did.

use std::collections::BTreeSet;
use std::fmt::Write;

use passline_modbus::point::{DataType, Field, Length, Site, Table};
use passline_modbus::value::Value;

use super::capture::{Capture, Stretch};
use super::guess::{Guess, guesses};
use super::limits::equals;
use super::search::Search;
use crate::draft::{Draft, DraftPoint, name, quoted};

/// Points of one step: a longer line is no fun to read.
const STEP: usize = 20;

/// The files that say what was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The profile.
    pub profile: String,
    /// A spec with a device of that profile, whose simulation holds what the device held.
    pub spec: String,
}

/// The files of a capture; the spec names the profile as `profile`.
pub fn texts(capture: &Capture, id: &str, profile: &str) -> Texts {
    let stretches = capture.stretches();
    let draft = draft(capture, &stretches, id);
    let spec = spec(capture, &stretches, &draft, profile);
    Texts { profile: draft.to_yaml(), spec }
}

fn draft(capture: &Capture, stretches: &[Stretch], id: &str) -> Draft {
    let mut taken = BTreeSet::new();
    let mut points = identity(capture, &mut taken);
    for (stretch, guesses) in stretches.iter().zip(guesses(stretches)) {
        points.extend(guesses.into_iter().map(|guess| point(stretch, guess, &mut taken)));
    }
    let limit = |bits: bool| {
        let searches = capture.searches.iter().filter(|search| search.table().is_bits() == bits);
        searches.filter_map(Search::limit).min()
    };
    let model: Vec<String> = [0, 1, 2].into_iter().filter_map(|id| capture.object(id)).collect();
    let mut remarks = vec![format!(
        "Learned from {}, unit id {}. Names, types and orders are guesses; each says why.",
        capture.link, capture.unit_id
    )];
    remarks.extend(stretches.iter().map(|stretch| {
        let last = stretch.end().saturating_sub(1);
        format!("readable: {}:{}-{last}", stretch.table, stretch.first)
    }));
    if capture.searches.iter().any(|search| search.step() > 1) {
        remarks.push("Not every address was asked: there may be more.".to_owned());
    }
    Draft {
        name: id.to_owned(),
        model: (!model.is_empty()).then(|| model.join(" ")),
        remarks,
        max_registers: limit(false),
        max_bits: limit(true),
        points,
    }
}

/// What it says it is.
fn identity(capture: &Capture, taken: &mut BTreeSet<String>) -> Vec<DraftPoint> {
    // V1.1b3, clause 6.21.
    const NAMES: [&str; 7] =
        ["vendor", "product", "revision", "url", "product_name", "model", "application"];
    let length = |text: &str| {
        let Some(Value::Bytes(bytes)) = Value::bytes(text) else { return None };
        Length::new(u16::try_from(bytes.len()).ok()?)
    };
    let mut points = Vec::new();
    for (id, text) in &capture.identification {
        let Some(length) = length(text) else { continue };
        let is_text = capture.object(*id).is_some();
        let own = format!("object_{id}");
        let named = NAMES.get(usize::from(*id)).copied().unwrap_or(&own);
        let data_type =
            if is_text { DataType::String(Some(length)) } else { DataType::Bytes(Some(length)) };
        points.push(DraftPoint::new(name(named, taken), Site::DeviceId(*id), data_type));
    }
    if let Some(length) = capture.server_id.as_deref().and_then(length) {
        let data_type = DataType::Bytes(Some(length));
        points.push(DraftPoint::new(name("server_id", taken), Site::ServerId, data_type));
    }
    points
}

fn point(stretch: &Stretch, guess: Guess, taken: &mut BTreeSet<String>) -> DraftPoint {
    let address = stretch.address(guess.at);
    let own = name(&format!("{}_{address}", stretch.table), taken);
    let site = Site::Table(stretch.table, address.into());
    let bits = guess
        .bits
        .iter()
        .filter_map(|bit| Some((format!("bit_{bit}"), Field::new(*bit, *bit).ok()?)));
    DraftPoint {
        order: guess.order,
        bits: bits.collect(),
        description: Some(guess.why),
        ..DraftPoint::new(own, site, guess.data_type)
    }
}

fn spec(capture: &Capture, stretches: &[Stretch], draft: &Draft, profile: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# What was learned, as a device to simulate and as a first test.");
    let _ = writeln!(text, "spec: {}", quoted(&draft.name));
    let _ = writeln!(text, "devices:\n  device:\n    profile: {}", quoted(profile));
    let _ = writeln!(text, "    link: {}\n    unit_id: {}", quoted(&capture.link), capture.unit_id);
    let _ = writeln!(text, "    simulate:\n      image:");
    for (id, bytes) in &capture.identification {
        let _ = writeln!(text, "        - {{ device_id: {id}, bytes: \"{bytes}\" }}");
    }
    if let Some(bytes) = &capture.server_id {
        let _ = writeln!(text, "        - {{ server_id: true, bytes: \"{bytes}\" }}");
    }
    for stretch in stretches {
        image(&mut text, stretch);
    }
    let _ = writeln!(text, "tests:\n  - test: all that was learned can be read\n    steps:");
    let names: Vec<String> =
        draft.points.iter().map(|point| format!("device.{}", point.name)).collect();
    for names in names.chunks(STEP) {
        let _ = writeln!(text, "      - {{ read: [{}], record: true }}", names.join(", "));
    }
    if names.is_empty() {
        let _ = writeln!(text, "      - {{ read: {}, record: true }}", first(stretches));
    }
    let _ = writeln!(text, "  - test: what never changed is as it was\n    steps:");
    let checks = checks(stretches);
    if checks.is_empty() {
        let _ = writeln!(text, "      - {{ read: {}, answers: true }}", first(stretches));
    }
    for check in checks {
        let _ = writeln!(text, "      - {check}");
    }
    text
}

/// A first address, where no point was guessed at.
fn first(stretches: &[Stretch]) -> String {
    let (table, address) = match stretches.first() {
        Some(stretch) => (stretch.table, stretch.first),
        None => (Table::Holding, 0),
    };
    format!("{{ device: device, {table}: {address} }}")
}

/// A step for each point that always held the same.
fn checks(stretches: &[Stretch]) -> Vec<String> {
    let mut checks = Vec::new();
    for (stretch, guesses) in stretches.iter().zip(guesses(stretches)) {
        for guess in guesses {
            let Some(values) = guess.values(stretch) else { continue };
            let Some(first) = values.first() else { continue };
            let limit = equals(first).filter(|_| values.iter().all(|value| value == first));
            let (table, address) = (stretch.table, stretch.address(guess.at));
            checks.extend(
                limit.map(|limit| format!("{{ read: device.{table}_{address}, {limit} }}")),
            );
        }
    }
    checks
}

/// The memory of the last round.
fn image(text: &mut String, stretch: &Stretch) {
    let key = if stretch.table.is_bits() { "bits" } else { "words" };
    let Some(round) = stretch.rounds.last() else { return };
    for (index, values) in round.chunks(STEP).enumerate() {
        let address = stretch.address(index * STEP);
        let values: Vec<String> = values.iter().map(u16::to_string).collect();
        let values = values.join(", ");
        let _ = writeln!(text, "        - {{ {}: {address}, {key}: [{values}] }}", stretch.table);
    }
}
