//! What went over the wire, as evidence.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Hex;

/// One request and whatever came for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// Its number in the record.
    pub id: u64,
    /// The name of the device that was asked.
    pub device: Arc<str>,
    /// The link it was asked over.
    pub link: Arc<str>,
    /// Its Modbus address on that link.
    pub unit_id: u8,
    /// The bytes on the wire, in the order of time.
    pub frames: Vec<Frame>,
}

/// Bytes that went over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Microseconds since the start of the run, on a clock that never goes back.
    pub at_us: u64,
    /// Which way.
    pub dir: Direction,
    /// The bytes.
    pub hex: Hex,
    /// Why it was not taken as the answer, or is no ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the device.
    Tx,
    /// From the device.
    Rx,
}

impl Direction {
    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tx => "tx",
            Self::Rx => "rx",
        }
    }
}

/// Why a frame was not taken as an answer, or is no ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It was taken as the answer, although something is wrong with it that the spec puts up with.
    Tolerated,
    /// It came after the deadline.
    Late,
    /// It is another unit's, or another transaction's.
    Foreign,
    /// It answers a request that was answered.
    Duplicate,
    /// It is no frame.
    Garbage,
    /// It starts like the answer, but its checksum is wrong or it is cut short.
    Damaged,
    /// It is the request, repeated by the line.
    Echo,
    /// It could be the answer to an earlier request: the read was sent again.
    SetAside,
}

impl Note {
    /// The word in records and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tolerated => "tolerated",
            Self::Late => "late",
            Self::Foreign => "foreign",
            Self::Duplicate => "duplicate",
            Self::Garbage => "garbage",
            Self::Damaged => "damaged",
            Self::Echo => "echo",
            Self::SetAside => "set_aside",
        }
    }
}
