//! What passes between a device and a wire: a request as it came in, and what goes out about it.

use std::time::Duration;

use passline_modbus::framing::{Framing, mbap};
use passline_modbus::pdu::Answer;

use super::frame::Sent;
use super::kind::Kind;

/// A request as it came over a wire.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// How it was framed; its answer is framed alike.
    pub framing: Framing,
    /// Transaction id; 0 where the framing has none.
    pub transaction: u16,
    /// Unit id.
    pub unit_id: u8,
    /// Function code and data.
    pub pdu: &'a [u8],
    /// The whole frame.
    pub bytes: &'a [u8],
}

impl Received<'_> {
    /// Whether it is for all units of a serial line at once: nobody answers that.
    pub(crate) fn is_broadcast(&self) -> bool {
        self.unit_id == 0 && self.framing != Framing::Mbap
    }

    /// The function code asked for; 0 if there is none.
    pub fn function(&self) -> u8 {
        self.pdu.first().copied().unwrap_or_default()
    }

    /// Appends the frame of an answer with this PDU to `out`; nothing if it is none.
    pub(crate) fn frame(&self, pdu: &[u8], out: &mut Vec<u8>) {
        // Fails only for what is no PDU.
        match self.framing.mode() {
            None => drop(mbap::encode(self.transaction, self.unit_id, pdu, out)),
            Some(mode) => drop(mode.encode(self.unit_id, pdu, out)),
        }
    }
}

/// When and where a request arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// Since the simulation started, by its own time.
    pub elapsed: Duration,
    /// Since the simulation started, by the time of its clients.
    pub passed: Duration,
    /// Since the connection was made that it came over, or the port was opened.
    pub connected: Duration,
    /// Whether an earlier request of that connection has an answer that was not sent yet.
    pub overlaps: bool,
}

/// What a device does about one request, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// What a sound device does: this answer goes out at once, in a sound frame.
    Answer(Answer),
    /// Anything else: exactly this goes out.
    Wire(Transmission),
}

/// What goes out over a wire about one request. By default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transmission {
    /// From the request to the first piece. Other answers may go out meanwhile.
    pub delay: Duration,
    /// Where it goes among the other answers of its connection.
    pub order: Order,
    /// It follows the request at once, where a serial line would be silent first (t3.5).
    pub skips_silence: bool,
    /// What is sent, in this order. Nothing else goes out between two pieces.
    pub pieces: Vec<Piece>,
    /// What the client's own adapter repeats of the request, at once and before everything else.
    pub echo: Vec<u8>,
    /// What then becomes of the connection. Where there is none, nothing.
    pub end: Option<End>,
    /// The faults that showed, in the order in which they acted.
    pub faults: Vec<Kind>,
}

/// Bytes that go out in one go: in one segment or datagram, without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// Silence between the piece before it and this one.
    pub pause: Duration,
    /// The bytes, as they are on the wire.
    pub bytes: Vec<u8>,
}

/// Where an answer goes among those of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// When it is due.
    #[default]
    InTurn,
    /// Right before the next answer, in one segment with it.
    WithNext,
    /// Right behind the next answer.
    AfterNext,
}

/// How a connection is ended by the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// In order (FIN).
    Close,
    /// At once (RST).
    Reset,
}

impl Transmission {
    /// Nothing, because of these faults.
    pub(crate) fn none(faults: Vec<Kind>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// One frame in one piece.
    pub fn frame(bytes: Vec<u8>) -> Self {
        Self { pieces: vec![Piece { pause: Duration::ZERO, bytes }], ..Self::default() }
    }

    /// How many bytes are sent, the echo not counted.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }

    /// Whether no byte is sent, the echo not counted.
    pub fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| piece.bytes.is_empty())
    }

    /// A pause behind the first `at` bytes, if there are more.
    pub(super) fn split(&mut self, mut at: usize, pause: Duration) {
        for index in 0..self.pieces.len() {
            let Some(piece) = self.pieces.get_mut(index) else { return };
            if at < piece.bytes.len() {
                if at == 0 {
                    piece.pause = piece.pause.saturating_add(pause);
                } else {
                    let bytes = piece.bytes.split_off(at);
                    self.pieces.insert(index + 1, Piece { pause, bytes });
                }
                return;
            }
            at -= piece.bytes.len();
        }
    }

    /// Only the first `length` bytes.
    pub(super) fn truncate(&mut self, mut length: usize) {
        self.pieces.retain_mut(|piece| {
            piece.bytes.truncate(length);
            length -= piece.bytes.len();
            !piece.bytes.is_empty()
        });
    }

    /// These bytes behind the others.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some(last) => last.bytes.extend_from_slice(bytes),
            None => self.pieces.extend(Self::frame(bytes.to_vec()).pieces),
        }
    }

    /// These bytes before the others.
    pub(super) fn prepend(&mut self, mut bytes: Vec<u8>) {
        match self.pieces.first_mut() {
            Some(first) => {
                bytes.append(&mut first.bytes);
                first.bytes = bytes;
            }
            None => self.pieces.extend(Self::frame(bytes).pieces),
        }
    }

    /// Ends the connection when this much was sent. The first end is the end.
    pub(super) fn end_after(&mut self, part: Sent, end: End) {
        if let Sent::Bytes(count) = part {
            self.truncate(count.into());
        }
        self.end.get_or_insert(end);
    }
}
