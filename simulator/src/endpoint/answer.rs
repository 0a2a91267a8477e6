//! From a request frame to what goes out for it: the one place for it, whatever carries them.

use crate::device::encode_answer;
use crate::fault::{Reaction, Received, Transmission};

impl Reaction {
    /// What goes out for it about this request.
    pub(super) fn transmission(self, received: &Received<'_>) -> Transmission {
        match self {
            Self::Wire(sent) => sent,
            Self::Answer(answer) => {
                let (mut pdu, mut frame) = (Vec::new(), Vec::new());
                encode_answer(received.function(), &answer, &mut pdu);
                received.frame(&pdu, &mut frame);
                Transmission::frame(frame)
            }
        }
    }
}
