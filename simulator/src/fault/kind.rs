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

impl Kind {
    /// A short stable word: the one by which specs know it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Request(fault) => match fault {
                RequestFault::Exception { .. } => "exception",
                RequestFault::NotStored => "not_stored",
                RequestFault::Pause { .. } => "pause",
                RequestFault::PauseAfterConnect { .. } => "pause_after_connect",
                RequestFault::OneInFlight => "one_in_flight",
            },
            Self::Answer(fault) => match fault {
                AnswerFault::Silent => "silent",
                AnswerFault::Function => "function",
                AnswerFault::ByteCount { .. } => "byte_count",
                AnswerFault::Registers { .. } => "registers",
                AnswerFault::Stale => "stale",
                AnswerFault::Frozen => "frozen",
                AnswerFault::Value { .. } => "value",
                AnswerFault::BitFlip { .. } => "bit_flip",
                AnswerFault::OldEcho => "old_echo",
            },
            Self::Header(fault) => match fault {
                HeaderFault::TransactionId(_) => "transaction_id",
                HeaderFault::UnitId { .. } => "unit_id",
                HeaderFault::ProtocolId { .. } => "protocol_id",
                HeaderFault::Length(_) => "length",
                HeaderFault::Checksum => "checksum",
            },
            Self::Frame(fault) => fault.word(),
            Self::Connection(fault) => match fault {
                ConnectionFault::Refuse => "refuse",
                ConnectionFault::Mute => "mute",
                ConnectionFault::NoiseAtOpen(_) => "noise_at_open",
                ConnectionFault::IdleClose { .. } => "idle_close",
                ConnectionFault::MaxClients { .. } => "max_clients",
            },
        }
    }
}

impl FrameFault {
    fn word(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::Jitter { .. } => "jitter",
            Self::Gap { .. } => "gap",
            Self::Trickle { .. } => "trickle",
            Self::NoSilence => "no_silence",
            Self::Truncate { .. } => "truncate",
            Self::Trailing(_) => "trailing",
            Self::Noise(_) => "noise",
            Self::Collision => "collision",
            Self::Echo => "echo",
            Self::Foreign { .. } => "foreign",
            Self::Unsolicited => "unsolicited",
            Self::Duplicate => "duplicate",
            Self::Together => "together",
            Self::Reorder => "reorder",
            Self::Close { .. } => "close",
            Self::Reset { .. } => "reset",
        }
    }
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
