//! What can go wrong on a wire, as data. An exception is an answer, not an error: it is not here.

use std::{io, time::Duration};

use super::ConnectError;
use crate::{framing::mbap, pdu};

/// Why a call has no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no connection, or it was refused before anything that was sent over it was looked
    /// at: see [`CloseReason::Refused`].
    #[error("no connection: {0}")]
    Connect(#[source] ConnectError),
    /// The connection ended while the call was open.
    #[error("the connection ended before the answer: {0}")]
    Closed(#[source] CloseReason),
    /// Nothing came that could have been the answer.
    #[error("no answer within {after:?}")]
    Timeout {
        /// The response timeout, counted from the request's last byte written.
        after: Duration,
    },
    /// No answer in time, and meanwhile a call that had already expired was answered: the device
    /// is slower than its timeout.
    #[error("no answer within {after:?}, but {answers} late to earlier requests")]
    Late {
        /// The response timeout, counted from the request's last byte written.
        after: Duration,
        /// How many late answers arrived while the call waited.
        answers: u64,
    },
    /// No answer in time, and meanwhile only frames of another unit or transaction came.
    #[error("no answer within {after:?}, but {frames} of another unit or transaction")]
    Foreign {
        /// The response timeout, counted from the request's last byte written.
        after: Duration,
        /// How many foreign frames arrived while the call waited.
        frames: u64,
    },
    /// The answer was damaged on the line, or nothing but damaged bytes came in time.
    #[error("damaged on the line: {bytes} bytes came, and no frame with a sound checksum")]
    Crc {
        /// How many damaged bytes arrived while the call waited.
        bytes: u64,
    },
    /// The line did not fall silent, so the request could not be sent.
    #[error("the line was not silent within {after:?}, {bytes} bytes of noise came: nothing sent")]
    Babble {
        /// How long silence was waited for.
        after: Duration,
        /// How many bytes came meanwhile that are no frame.
        bytes: u64,
    },
    /// The answer is malformed, or does not fit the request.
    #[error("malformed answer: {0}")]
    Frame(#[source] Malformed),
    /// The request cannot be put on the wire: a mistake of the caller, nothing was sent.
    #[error("the request cannot be sent: {0}")]
    Request(#[source] Malformed),
}

impl LinkError {
    /// The error class: the one short word that retry rules, records and reports share.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Closed(_) => "closed",
            Self::Timeout { .. } => "timeout",
            Self::Late { .. } => "late",
            Self::Foreign { .. } => "foreign",
            Self::Crc { .. } | Self::Babble { .. } => "crc",
            Self::Frame(_) => "frame",
            Self::Request(_) => "internal",
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The device closed it.
    #[error("closed by the device")]
    Eof,
    /// The device, or something on the way, reset it.
    #[error("reset by the device")]
    Reset,
    /// The device took no bytes for too long.
    #[error("the device read nothing for {after:?}")]
    Stalled {
        /// The write timeout.
        after: Duration,
    },
    /// It never stood: the other side refused it after it seemed to be open.
    #[error("{0}")]
    Refused(#[source] ConnectError),
    /// What came is no frame, so where the next frame begins cannot be known.
    #[error("not a frame: {0}")]
    Malformed(#[source] mbap::Defect),
    /// Too many transaction ids are kept back for answers that may still come.
    #[error("too many requests went without an answer to tell late answers apart any longer")]
    Exhausted,
    /// One request after the other had no answer, and not a byte came: it may be half open.
    #[error("not a byte came within {timeouts} response timeouts one after the other")]
    Silent {
        /// How many.
        timeouts: u32,
    },
    /// A request had no answer, and transaction ids mean nothing on this line: its answer could not
    /// be told from the next.
    #[error("an answer is missing that could not be told from the next")]
    Owed,
    /// It was idle for almost as long as the device allows: see
    /// [`Options::idle_close`](super::Options::idle_close).
    #[error("idle: closed before the device does")]
    Idle,
    /// [`Link::close`](super::Link::close), or the last handle was dropped.
    #[error("the link was closed by its user")]
    Link,
    /// Anything else.
    #[error("{text}")]
    Other {
        /// The kind of error.
        kind: io::ErrorKind,
        /// What the system says.
        text: String,
    },
}

impl CloseReason {
    pub(super) fn new(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ConnectError>());
        if let Some(refused) = inner {
            return Self::Refused(refused.clone());
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(ConnectError::Refused),
            io::ErrorKind::UnexpectedEof => Self::Eof,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Reset,
            kind => Self::Other { kind, text: error.to_string() },
        }
    }

    /// What a call that was open learns of it.
    pub(super) fn to_error(&self) -> LinkError {
        match self {
            Self::Malformed(defect) => LinkError::Frame(Malformed::Header(*defect)),
            Self::Refused(error) => LinkError::Connect(error.clone()),
            other => LinkError::Closed(other.clone()),
        }
    }
}

/// Why bytes are not a request, or not the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The frame's header is wrong. Ends the connection, and every open call with it.
    #[error(transparent)]
    Header(mbap::Defect),
    /// The PDU is wrong, or does not fit the request.
    #[error(transparent)]
    Pdu(pdu::Defect),
    /// The answer began, then the line fell silent.
    #[error("the answer ends after {bytes} bytes")]
    Short {
        /// Bytes that came, unit id included.
        bytes: usize,
    },
    /// Our own request came back where the line is not said to repeat it.
    #[error("the line repeats our own requests")]
    Echoed,
    /// The line is said to repeat what we send, and did not: noise, another sender at the same
    /// time, or it does not repeat at all.
    #[error("the line did not repeat the request as it was sent: {matched} of {sent} bytes")]
    NoEcho {
        /// Bytes of the request that came back as they were sent, from its first on.
        matched: usize,
        /// Bytes of the request.
        sent: usize,
    },
    /// A call to unit 0 of a bus: everyone is meant, so nobody answers.
    #[error("unit 0 is everyone on this line: nobody answers a broadcast")]
    Broadcast,
    /// A broadcast that asks for data.
    #[error("nobody answers a broadcast: only writes can be sent to all")]
    BroadcastRead,
    /// A broadcast on a line of MBAP frames, where 0 is a unit like any other.
    #[error("there is no broadcast on this line: unit 0 is a unit like any other")]
    NoBroadcast,
}
