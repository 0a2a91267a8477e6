//! One unit: is it there, and what does it say it is?

use passline_modbus::link::LinkError;
use passline_modbus::pdu::{ExceptionCode, ReadCode, Request, Response};
use passline_modbus::planner;
use serde::Serialize;

use crate::cli::exchange::{Exchange, Failure};
use crate::cli::terminal::printable;
use crate::learn::{Run, Search, Told, Window};

/// How a unit showed that it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sign {
    /// It did what it was asked.
    Value,
    /// It refused: that is an answer.
    Exception(u8),
    /// Something came that is no sound answer: the text of the error.
    Damaged(String),
    /// It answered when its time was over.
    Late,
}

/// What is asked to see whether a unit is there. Whoever does not know the first should refuse it,
/// but not everyone does.
pub(super) const PROBES: [Request<'static>; 2] =
    [Request::ReadHoldingRegisters(0, 1), Request::ReportServerId];

/// What a unit says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Identity {
    /// Vendor name, product code, revision (V1.1b3, clause 6.21), and what else it tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) identification: Vec<Object>,
    /// Clause 6.13.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_id: Option<ServerId>,
}

/// A piece of a device identification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Object {
    pub(super) id: u8,
    pub(super) text: String,
}

/// A server id: its bytes mean what the vendor likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ServerId {
    pub(super) hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) running: Option<bool>,
}

/// Asks once. `None`: nobody is there.
///
/// # Errors
/// Nothing can be asked of anyone.
pub(super) async fn sign(
    exchange: &Exchange,
    unit: u8,
    probe: Request<'static>,
) -> Result<Option<Sign>, Failure> {
    match exchange.ask(unit, probe).await {
        Ok(_) => Ok(Some(Sign::Value)),
        Err(Failure::Exception(code)) => Ok(of_exception(code)),
        Err(Failure::Link(error)) => match error {
            LinkError::Connect(_) | LinkError::Babble { .. } | LinkError::Request(_) => {
                Err(Failure::Link(error))
            }
            LinkError::Crc { .. } | LinkError::Frame(_) => {
                Ok(Some(Sign::Damaged(error.to_string())))
            }
            // Some devices hang up on whoever asks for a unit that they are not.
            _ => Ok(None),
        },
    }
}

/// A gateway says that it reaches nobody: clause 7, exceptions 0A and 0B.
fn of_exception(code: ExceptionCode) -> Option<Sign> {
    match u8::from(code) {
        0x0A | 0x0B => None,
        code => Some(Sign::Exception(code)),
    }
}

/// Most requests for one device identification.
const PIECES: usize = 8;

/// What a unit says that it is, as far as it says anything.
pub(super) async fn identity(exchange: &Exchange, unit: u8) -> Identity {
    let identification = identification(exchange, unit).await;
    let server_id = match exchange.ask(unit, Request::ReportServerId).await {
        Ok(response) => server_id(&response),
        Err(_) => None,
    };
    Identity { identification, server_id }
}

async fn identification(exchange: &Exchange, unit: u8) -> Vec<Object> {
    let objects = objects(exchange, unit, ReadCode::Basic).await;
    let text = |value: &[u8]| printable(&String::from_utf8_lossy(value));
    objects.into_iter().map(|(id, value)| Object { id, text: text(&value) }).collect()
}

/// The objects of a category, as far as it gives them.
pub(in crate::cli) async fn objects(
    exchange: &Exchange,
    unit: u8,
    category: ReadCode,
) -> Vec<(u8, Vec<u8>)> {
    let mut objects = Vec::new();
    let mut next = 0;
    for _ in 0..PIECES {
        let request = Request::ReadDeviceIdentification(category, next);
        let Ok(Response::ReadDeviceIdentification(piece)) = exchange.ask(unit, request).await
        else {
            break;
        };
        let found = piece.device_id_objects.into_iter();
        objects.extend(found.map(|object| (object.id, object.value.to_vec())));
        // A device that begins anew would never end.
        if !piece.more_follows || piece.next_object_id <= next {
            break;
        }
        next = piece.next_object_id;
    }
    objects
}

fn server_id(response: &Response) -> Option<ServerId> {
    match response {
        Response::ReportServerId(id, running, more) => {
            let bytes = [&[*id], &more[..]].concat();
            Some(ServerId { hex: hex(&bytes), running: Some(*running) })
        }
        // Where the id ends and the state begins only the vendor knows.
        _ => Some(ServerId { hex: hex(&server_bytes(response)?), running: None }),
    }
}

/// A server id and the state, as they were sent.
pub(in crate::cli) fn server_bytes(response: &Response) -> Option<Vec<u8>> {
    match response {
        Response::ReportServerId(id, running, more) => {
            let state = if *running { 0xFF } else { 0x00 };
            Some([&[*id, state], &more[..]].concat())
        }
        // Without the byte count.
        Response::Custom(_, data) => Some(data.get(1..).unwrap_or_default().to_vec()),
        _ => None,
    }
}

/// `0A FF`.
pub(in crate::cli) fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(" ")
}

/// What of these windows a unit lets read; `false` beside it if it stopped to answer.
pub(super) async fn ranges(exchange: &Exchange, unit: u8, windows: &[Window]) -> (Vec<Run>, bool) {
    let mut readable = Vec::new();
    let mut whole = true;
    for window in windows {
        let mut search = Search::new(*window, 1);
        while let Some(span) = search.next() {
            let answer = exchange.ask(unit, planner::request(span)).await;
            whole &= search.told(span, told(&answer));
        }
        readable.extend(search.runs());
    }
    (readable, whole)
}

/// What an answer says about the addresses that were asked for.
pub(in crate::cli) fn told(answer: &Result<Response, Failure>) -> Told {
    match answer {
        Ok(_) => Told::Readable,
        Err(Failure::Link(_)) => Told::Nothing,
        Err(Failure::Exception(code)) => match u8::from(*code) {
            0x01 => Told::NoFunction,
            // Busy, or a gateway that reaches nobody: that says nothing about an address.
            0x05 | 0x06 | 0x0A | 0x0B => Told::Nothing,
            _ => Told::Refused,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_device_says_about_an_address_settles_it() {
        let told = |code| told(&Err(Failure::Exception(ExceptionCode::new(code))));
        assert_eq!(told(1), Told::NoFunction);
        for absent in [2, 3, 4] {
            assert_eq!(told(absent), Told::Refused, "{absent}");
        }
        for unknown in [5, 6, 0x0A, 0x0B] {
            assert_eq!(told(unknown), Told::Nothing, "{unknown}");
        }
    }
}
