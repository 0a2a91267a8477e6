//! `csv`: recordings. A header line, a column of seconds, a column of numbers.

use std::time::Duration;

use passline_simulator::behaviour::{Between, Replay, ReplayError, Row, Then};

use super::Names;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

pub(super) static CSV: Object = Object {
    name: "recording",
    doc: "A CSV file with a header line: a column of times and one of values.",
    fields: &[&[
        Field::required("file", Shape::Text, "The file, relative to the one that names it."),
        Field::required("value", Shape::Text, "The column of the values."),
        Field::optional(
            "time",
            Shape::Text,
            "The column of the times, in seconds. Default `time`.",
        ),
        Field::optional(
            "between",
            Shape::Choice(&["hold", "interpolate"]),
            "What is between two rows: the earlier value, or a straight line. Default `hold`.",
        ),
        Field::optional(
            "then",
            Shape::Choice(&["hold", "loop"]),
            "After the last row: its value stays, or the recording begins anew. Default `hold`.",
        ),
    ]],
};

/// `None`: reported.
pub(super) fn recording(names: &mut Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Replay> {
    let file = fields.text("file")?;
    let time = fields.text("time").map_or("time".to_owned(), |text| text.value);
    let value = fields.text("value")?.value;
    let between = match fields.choice("between").map(|between| between.value) {
        Some("interpolate") => Between::Interpolate,
        _ => Between::Hold,
    };
    let source = (names.read_file)(names.context, &file)?;
    let replay = rows(source.text(), &time, &value).and_then(|rows| {
        let then = match fields.choice("then").map(|then| then.value) {
            // The last row lasts as long as the one before it did.
            Some("loop") => Then::Loop(last_step(&rows)),
            _ => Then::Hold,
        };
        Ok(Replay::new(&rows, between, then)?)
    });
    let refused = |error: NotARecording| {
        let message = format!("{}: {error}", source.path().display());
        let error = Diagnostic::error(file.span, message);
        let remedy =
            "a recording has a header line, a column of ascending seconds and one of numbers";
        names.context.report(error.remedy(remedy));
    };
    replay.map_err(refused).ok()
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
enum NotARecording {
    #[error("{0}")]
    Csv(#[from] csv::Error),
    #[error("{0}")]
    Rows(#[from] ReplayError),
    #[error("there is no column `{name}`; there are {}", known.join(", "))]
    Column { name: String, known: Vec<String> },
    #[error("line {line}: `{text}` is no time in seconds")]
    Time { line: u64, text: String },
    #[error("line {line}: `{text}` is no number")]
    Number { line: u64, text: String },
}

/// The rows of a recording; the times count from the first row.
fn rows(text: &str, time: &str, value: &str) -> Result<Vec<Row>, NotARecording> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| NotARecording::Column {
            name: name.to_owned(),
            known: header.iter().map(|column| format!("`{column}`")).collect(),
        })
    };
    let (time, value) = (column(time)?, column(value)?);
    let mut rows: Vec<Row> = Vec::new();
    let mut start = None;
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column| record.get(column).unwrap_or_default();
        let seconds = cell(time).parse::<f64>().ok();
        let at = seconds.and_then(|seconds| {
            Duration::try_from_secs_f64(seconds - *start.get_or_insert(seconds)).ok()
        });
        let at = at.ok_or_else(|| NotARecording::Time { line, text: cell(time).to_owned() })?;
        let number = cell(value).parse().ok();
        let value =
            number.ok_or_else(|| NotARecording::Number { line, text: cell(value).to_owned() })?;
        rows.push(Row { at, value });
    }
    Ok(rows)
}

/// The time between the last two rows; a second if there is but one.
fn last_step(rows: &[Row]) -> Duration {
    match rows {
        [.., one, last] => last.at.saturating_sub(one.at),
        _ => Duration::from_secs(1),
    }
}
