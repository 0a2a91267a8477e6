//! From a request frame to what goes out for it: the one place for it, whatever carries them.

use super::units::Units;
use crate::device::encode_answer;
use crate::fault::{Arrival, Reaction, Received, Transmission};

/// What the units answer to a request.
pub(super) fn answer(units: &Units, received: &Received<'_>, arrival: Arrival) -> Transmission {
    match units.react(received, arrival) {
        None => Transmission::default(),
        Some(Reaction::Wire(sent)) => sent,
        Some(Reaction::Answer(answer)) => {
            let (mut pdu, mut frame) = (Vec::new(), Vec::new());
            encode_answer(received.function(), &answer, &mut pdu);
            received.frame(&pdu, &mut frame);
            Transmission::frame(frame)
        }
    }
}
