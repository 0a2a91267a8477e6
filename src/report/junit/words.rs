//! What a check says in a report: its value beside its limit, its attempts, its frames.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use crate::record::{Attempt, Check, Frame, Json, Measurement, Record, Test, Transaction, Verdict};

/// Consumers keep little of an output: beyond this many bytes it is cut, and says so.
const OUTPUT: usize = 64 * 1024;

/// `230.4 V [207..253]`.
pub(super) fn measured(measurement: &Measurement, limit: Option<&Json>) -> String {
    let mut words = match &measurement.value {
        Some(value) => value.bare().into_owned(),
        None => "undecodable".to_owned(),
    };
    let unit = measurement.unit.as_deref().map(str::to_owned);
    for part in [unit, limit.map(bounds)].into_iter().flatten() {
        words.push(' ');
        words.push_str(&part);
    }
    words
}

/// `[207..253]`, `[>0..]` with an exclusive bound, `[equals true]` for any other limit.
fn bounds(limit: &Json) -> String {
    let Ok(mut keys) = limit.read::<BTreeMap<String, Json>>() else {
        return format!("[{}]", limit.bare());
    };
    let mut bound = |inclusive: &str, exclusive: &str, sign: &str| {
        let inclusive = keys.remove(inclusive).map(|at| at.bare().into_owned());
        inclusive.or_else(|| keys.remove(exclusive).map(|at| format!("{sign}{}", at.bare())))
    };
    let interval = match (bound("min", "above", ">"), bound("max", "below", "<")) {
        (None, None) => None,
        (low, high) => Some(format!("{}..{}", low.unwrap_or_default(), high.unwrap_or_default())),
    };
    let others = keys.iter().map(|(key, value)| format!("{key} {}", value.bare()));
    let parts: Vec<String> = interval.into_iter().chain(others).collect();
    format!("[{}]", parts.join(", "))
}

/// The class and the words of an attempt that was no pass.
pub(super) fn failed(attempt: &Attempt) -> (String, String) {
    match (&attempt.error, &attempt.measurement) {
        (Some(error), _) => (error.class.to_string(), error.text.clone()),
        (None, Some(measurement)) => {
            ("limit".to_owned(), format!("{} is out of limits", measured(measurement, None)))
        }
        (None, None) => ("limit".to_owned(), "out of limits".to_owned()),
    }
}

/// What a record is about, in lines: reports that show no properties show these.
pub(super) fn heading(record: &Record) -> String {
    let mut lines = String::new();
    for (name, value) in identity(record) {
        line(&mut lines, format_args!("{name}: {value}"));
    }
    lines
}

/// What identifies the unit under test and the bench, by name.
pub(super) fn identity(record: &Record) -> impl Iterator<Item = (Cow<'static, str>, &str)> {
    let uut = &record.uut;
    let unit = [
        ("uut.serial", &uut.serial),
        ("uut.part_number", &uut.part_number),
        ("uut.revision", &uut.revision),
        ("uut.batch", &uut.batch),
    ];
    let parts = uut.sub_units.iter().flat_map(|part| {
        let known = [("serial", &part.serial), ("part_number", &part.part_number)];
        known.map(|(what, value)| (Cow::from(format!("uut.{}.{what}", part.name)), value))
    });
    let bench =
        [("station", &record.station), ("slot", &record.slot), ("operator", &record.operator)];
    let plain = |(name, value)| (Cow::Borrowed(name), value);
    let known = unit.into_iter().map(plain).chain(parts).chain(bench.into_iter().map(plain));
    known.filter_map(|(name, value)| Some((name, value.as_deref()?)))
}

/// The attempts of a check in lines; with their frames, where something went wrong.
pub(super) fn output(check: &Check, transactions: &BTreeMap<u64, &Transaction>) -> String {
    let with_frames = check.flaky || matches!(check.verdict, Verdict::Fail | Verdict::Error);
    let mut lines = String::new();
    for attempt in &check.attempts {
        line(&mut lines, format_args!("{}", told(attempt)));
        let carried = attempt.transactions.iter().filter_map(|id| transactions.get(id));
        for transaction in carried.filter(|_| with_frames) {
            let Transaction { id, device, unit_id, .. } = transaction;
            line(&mut lines, format_args!("  transaction {id}, {device}, unit {unit_id}"));
            transaction.frames.iter().for_each(|frame| tell_frame(&mut lines, frame));
        }
        if lines.len() > OUTPUT {
            return cut(lines);
        }
    }
    lines
}

fn told(attempt: &Attempt) -> String {
    let Attempt { n, verdict, duration_ms, .. } = attempt;
    let mut words = format!("attempt {n}: {}, {duration_ms} ms", verdict.word());
    if let Some(measurement) = &attempt.measurement {
        words = format!("{words}: {}", measured(measurement, None));
    }
    if let Some(error) = &attempt.error {
        words = format!("{words}: {}: {}", error.class, error.text);
    }
    words
}

fn tell_frame(lines: &mut String, frame: &Frame) {
    let Frame { at_us, dir, hex, note } = frame;
    let note = note.map_or(String::new(), |note| format!(" ({})", note.word()));
    line(lines, format_args!("    {at_us} us {} {hex}{note}", dir.word()));
}

fn line(lines: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(lines, "{words}");
}

fn cut(mut lines: String) -> String {
    let mut end = OUTPUT;
    while !lines.is_char_boundary(end) {
        end -= 1;
    }
    lines.truncate(end);
    lines.push_str("\n[cut here: the record has all of it]\n");
    lines
}

/// Why a record of this outcome has no pass, where none of its checks says so.
pub(super) fn unsaid(record: &Record) -> &'static str {
    match record.outcome {
        crate::record::Outcome::Aborted => "the run was aborted",
        _ if record.counts.pass == 0 => "nothing was judged: every check was skipped or recorded",
        _ => "a test did not come to its end, or evidence could not be written",
    }
}

/// `spec.slot.test`: stable from run to run, whatever unit is tested.
pub(super) fn class(record: &Record, test: Option<&Test>) -> String {
    let parts = [Some(&record.spec.name), record.slot.as_ref(), test.map(|test| &test.name)];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(".")
}
