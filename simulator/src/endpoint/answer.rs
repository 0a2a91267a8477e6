//! From a request frame to the bytes of its answer: the one place for it, whatever the framing and
//! whatever carries it.

use std::time::Duration;

use passline_modbus::framing::{Framing, mbap};
use passline_modbus::pdu::{self, Answer, ExceptionCode};
use tokio::time::Instant;

use super::units::Units;
use crate::fault::Reply;

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The transaction id; 0 where the framing has none.
    pub(super) transaction: u16,
    /// The unit id.
    pub(super) unit: u8,
    /// Function code and data.
    pub(super) pdu: &'a [u8],
}

/// What goes out for it.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// How long after the request.
    pub(super) delay: Duration,
    /// One frame.
    pub(super) bytes: Vec<u8>,
}

/// What the units answer to a request that has arrived `now`; `None` is silence.
pub(super) fn answer(
    units: &Units,
    framing: Framing,
    asked: Asked<'_>,
    now: Instant,
) -> Option<Outgoing> {
    let reaction = units.react(framing, asked, now)?;
    let Reply::Answer(answer) = reaction.reply else { return None };
    let bytes = frame(framing, asked, &encode(asked.pdu, &answer));
    Some(Outgoing { delay: reaction.delay, bytes })
}

/// The frame of a PDU that answers a request.
fn frame(framing: Framing, asked: Asked<'_>, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Fails only for what is no PDU, and `encode` makes one.
    let _ = match framing {
        Framing::Mbap => mbap::encode(asked.transaction, asked.unit, pdu, &mut bytes),
        Framing::Rtu | Framing::Ascii => Ok(()),
    };
    bytes
}

/// The PDU of an answer to the request PDU `asked`. An answer that has none says something about
/// the device: it has failed (exception 4).
fn encode(asked: &[u8], answer: &Answer) -> Vec<u8> {
    let function = asked.first().copied().unwrap_or_default();
    let mut pdu = Vec::new();
    if pdu::encode_answer(function, answer, &mut pdu).is_err() {
        let _ = pdu::encode_answer(function, &Err(ExceptionCode::ServerDeviceFailure), &mut pdu);
    }
    pdu
}
