//! A log as JSON lines: one for each transaction, and one for each connection that begins or ends.

use passline_simulator::endpoint::{Event, What};
use passline_simulator::fault::{End, Kind};
use serde::Serialize;

use super::super::line::{Answered, Watched};
use crate::record::{Hex, Json};

/// A line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    link: &'a str,
    /// Counts the connections of the link.
    connection: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    event: &'static str,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Nothing {},
    Defect { defect: &'static str },
    Ended { by: &'static str },
    Transaction(Box<Transaction<'a>>),
}

#[derive(Debug, Serialize)]
struct Transaction<'a> {
    unit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    function: u8,
    request: Hex,
    /// Empty where nothing is said.
    answer: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<&'static str>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    points: serde_json::Map<String, serde_json::Value>,
}

/// The line for an event, if it has one.
pub(super) fn line(link: &Watched, event: &Event<'_>, now: jiff::Timestamp) -> Vec<u8> {
    let (word, content) = match event.what {
        What::Received(_) | What::Sent(_) => return Vec::new(),
        What::Connected => ("connected", Content::Nothing {}),
        What::Refused => ("refused", Content::Nothing {}),
        What::Defect(defect) => ("defect", Content::Defect { defect }),
        What::Ended(end) => {
            let by = if end == End::Reset { "reset" } else { "close" };
            ("ended", Content::Ended { by })
        }
        What::Transaction(transaction) => {
            let content = of_transaction(link, &transaction);
            ("transaction", Content::Transaction(Box::new(content)))
        }
    };
    let line = Line {
        time: format!("{now:.6}"),
        link: &link.name,
        connection: event.peer.number,
        client: event.peer.address.map(|address| address.to_string()),
        event: word,
        content,
    };
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn of_transaction<'a>(
    link: &'a Watched,
    transaction: &passline_simulator::endpoint::Transaction<'_>,
) -> Transaction<'a> {
    let request = transaction.request;
    let sent = transaction.transmission();
    let answer: Vec<u8> = sent.pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
    let told = Answered::new(transaction);
    let device = link.unit(request.unit_id);
    let values = device.map(|device| device.values(&told)).unwrap_or_default();
    let values = values.into_iter().map(|(name, value)| (name, plain(&value)));
    Transaction {
        unit: request.unit_id,
        device: device.map(|device| device.name.as_str()),
        function: request.function(),
        request: Hex(request.bytes.to_vec()),
        exception: told.exception().map(u8::from),
        answer: Hex(answer),
        delay_ms: (!sent.delay.is_zero())
            .then(|| u64::try_from(sent.delay.as_millis()).unwrap_or(u64::MAX)),
        faults: transaction.faults().iter().map(Kind::word).collect(),
        points: values.collect(),
    }
}

fn plain(value: &Json) -> serde_json::Value {
    value.read().unwrap_or_default()
}
