//! The third stage: the frame around what the device says. A kind that is about a field which the
//! framing does not have changes nothing.

use passline_modbus::framing::Framing;

use super::wire::Received;

/// A fault in the frame of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// The transaction id is another one. Modbus TCP.
    TransactionId(TransactionId),
    /// The unit id is another one; a checksum goes with it.
    UnitId {
        /// The unit id answered with.
        id: u8,
    },
    /// The protocol id is another one. Modbus TCP.
    ProtocolId {
        /// The protocol id answered with.
        id: u16,
    },
    /// The length is another one. Modbus TCP.
    Length(Length),
    /// The checksum is wrong. RTU and ASCII.
    Checksum,
}

/// Which transaction id an answer has instead of that of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionId {
    /// Always this one.
    Fixed(u16),
    /// The one behind that of the request.
    Next,
    /// Its two bytes, exchanged.
    Swapped,
    /// 1, 2, 3 and so on, as the fault counts requests.
    Counted,
}

/// Which length the header of an answer announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many more than there are, modulo 65536.
    Add(i16),
    /// This one.
    Fixed(u16),
}

/// What the frame of an answer says beside its PDU.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    /// The request, with the ids that the answer has.
    answers: Received<'a>,
    protocol: u16,
    length: Length,
    is_sound: bool,
}

impl HeaderFault {
    /// `count` is the how manieth request of the fault it is.
    pub(super) fn act(self, count: u64, header: &mut Header<'_>) {
        match self {
            Self::TransactionId(id) => {
                let asked = header.answers.transaction;
                header.answers.transaction = match id {
                    TransactionId::Fixed(id) => id,
                    TransactionId::Next => asked.wrapping_add(1),
                    TransactionId::Swapped => asked.swap_bytes(),
                    // Wraps as the field does.
                    TransactionId::Counted => (count & 0xFFFF) as u16,
                };
            }
            Self::UnitId { id } => header.answers.unit_id = id,
            Self::ProtocolId { id } => header.protocol = id,
            Self::Length(length) => header.length = length,
            Self::Checksum => header.is_sound = false,
        }
    }
}

impl<'a> Header<'a> {
    /// That of a sound answer.
    pub(super) fn of(received: &Received<'a>) -> Self {
        Self { answers: *received, protocol: 0, length: Length::Add(0), is_sound: true }
    }

    /// That of an answer to nobody: to another transaction, or of another unit.
    pub(super) fn stray(received: &Received<'a>, unit_id: u8) -> Self {
        let transaction = received.transaction ^ 0x8000;
        Self::of(&Received { transaction, unit_id, ..*received })
    }

    /// The frame around a PDU. Nothing around what is none.
    pub(super) fn frame(&self, pdu: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        self.answers.frame(pdu, &mut frame);
        match self.answers.framing {
            Framing::Mbap => self.spoil_fields(&mut frame),
            Framing::Rtu | Framing::Ascii if self.is_sound => {}
            Framing::Rtu => spoil_crc(&mut frame),
            Framing::Ascii => spoil_lrc(&mut frame),
        }
        frame
    }

    fn spoil_fields(&self, frame: &mut [u8]) {
        if let Some([_, _, p1, p0, l1, l0]) = frame.first_chunk_mut() {
            let length = u16::from_be_bytes([*l1, *l0]);
            let length = match self.length {
                Length::Add(add) => length.wrapping_add_signed(add),
                Length::Fixed(length) => length,
            };
            [*l1, *l0] = length.to_be_bytes();
            [*p1, *p0] = self.protocol.to_be_bytes();
        }
    }
}

/// The CRC is at the end.
pub(super) fn spoil_crc(frame: &mut [u8]) {
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
}

/// The LRC is the two digits before the line end; it stays one.
fn spoil_lrc(frame: &mut [u8]) {
    if let Some(digit) = frame.iter_mut().nth_back(2) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
}
