//! Recordings in CSV files: a header line, a column of seconds, a column of numbers.

use std::time::Duration;

use passline_simulator::behaviour::Row;

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotARecording {
    #[error("{0}")]
    Csv(#[from] csv::Error),
    #[error("there is no column `{name}`; there are {}", known.join(", "))]
    Column { name: String, known: Vec<String> },
    #[error("line {line}: `{text}` is no time in seconds")]
    Time { line: u64, text: String },
    #[error("line {line}: `{text}` is no number")]
    Number { line: u64, text: String },
}

/// The rows of a recording; the times count from the first row.
pub(super) fn rows(text: &str, time: &str, value: &str) -> Result<Vec<Row>, NotARecording> {
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
pub(super) fn last_step(rows: &[Row]) -> Duration {
    match rows {
        [.., one, last] => last.at.saturating_sub(one.at),
        _ => Duration::from_secs(1),
    }
}
