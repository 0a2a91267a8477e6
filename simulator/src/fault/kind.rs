//! The kinds of faults by the stage at which they act.
//!
//! A new kind is a variant of its stage's enum and its arm there; one that takes more than a few
//! lines has them in a function of its own beside it.

use super::answer::AnswerFault;
use super::connection::ConnectionFault;
use super::frame::FrameFault;
use super::header::HeaderFault;
use super::request::RequestFault;

/// What a fault does, and at which stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Whether the device does what it is asked.
    Request(RequestFault),
    /// What it says.
    Answer(AnswerFault),
    /// The frame around that.
    Header(HeaderFault),
    /// What becomes of the frame on its way.
    Frame(FrameFault),
    /// How the line treats connections.
    Connection(ConnectionFault),
}

impl From<RequestFault> for Kind {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}

impl From<AnswerFault> for Kind {
    fn from(fault: AnswerFault) -> Self {
        Self::Answer(fault)
    }
}

impl From<HeaderFault> for Kind {
    fn from(fault: HeaderFault) -> Self {
        Self::Header(fault)
    }
}

impl From<FrameFault> for Kind {
    fn from(fault: FrameFault) -> Self {
        Self::Frame(fault)
    }
}

impl From<ConnectionFault> for Kind {
    fn from(fault: ConnectionFault) -> Self {
        Self::Connection(fault)
    }
}
