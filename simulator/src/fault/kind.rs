//! The kinds of faults: what each does to the way from a request to what is sent.
//!
//! A new kind is a variant here and its arm below; one that takes more than a few lines has them
//! in a file of its own beside this one.

use std::time::Duration;

use passline_modbus::pdu::ExceptionCode;

use super::{Reaction, Reply};

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// No answer. What was asked is done all the same: for a client, which cannot tell, that is
    /// the harder case.
    Silent,
    /// This exception is the answer, and what was asked is not done.
    Exception {
        /// The code answered.
        code: ExceptionCode,
    },
    /// The answer comes later.
    Delay {
        /// How much later.
        by: Duration,
    },
}

impl Kind {
    /// The exception for which the device does not even begin to do what was asked.
    pub(super) fn refusal(&self) -> Option<ExceptionCode> {
        match *self {
            Self::Exception { code } => Some(code),
            Self::Silent | Self::Delay { .. } => None,
        }
    }

    /// Changes what would have been sent.
    pub(super) fn act(&self, reaction: &mut Reaction) {
        match *self {
            Self::Silent => reaction.reply = Reply::Nothing,
            Self::Delay { by } => reaction.delay = reaction.delay.saturating_add(by),
            // It acted as a refusal.
            Self::Exception { .. } => {}
        }
    }
}
