//! How long a PDU is, told by its first bytes or by the request that it answers (V1.1b3, clause 6).
//! Knows the places of byte counts, and nothing of what is counted.

use crate::pdu::MAX_PDU;

/// The length of a PDU, as far as its first bytes tell. In order of how much they tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Length {
    /// So many bytes, at most [`MAX_PDU`].
    Exact(usize),
    /// The byte that tells has not come yet.
    Open,
    /// Nothing in the PDU tells, or what it tells cannot be.
    Unknown,
}

impl Length {
    fn exact(length: usize) -> Self {
        if length <= MAX_PDU { Self::Exact(length) } else { Self::Unknown }
    }

    /// `fixed` bytes and as many as the byte at `place` says.
    fn counted(pdu: &[u8], place: usize, fixed: usize) -> Self {
        pdu.get(place).map_or(Self::Open, |count| Self::exact(fixed + usize::from(*count)))
    }
}

/// Whether the second byte of this function's answers counts the bytes that follow.
pub(super) fn is_counted(function: u8) -> bool {
    matches!(function, 0x01..=0x04 | 0x0C | 0x11 | 0x14 | 0x15 | 0x17)
}

/// The length of an answer that begins with `pdu`.
pub(super) fn of_answer(pdu: &[u8]) -> Length {
    match pdu {
        [0x80..=0xFF, ..] => Length::Exact(2),
        // Registers come in pairs of bytes, and a read brings at least one item. Without this
        // half of all requests would look like the beginning of an answer.
        [0x01..=0x04 | 0x17, 0, ..] => Length::Unknown,
        [0x03 | 0x04 | 0x17, count, ..] if count % 2 == 1 => Length::Unknown,
        [function, ..] if is_counted(*function) => Length::counted(pdu, 1, 2),
        [0x07, ..] => Length::Exact(2),
        [0x05 | 0x06 | 0x08 | 0x0B | 0x0F | 0x10, ..] => Length::Exact(5),
        [0x16, ..] => Length::Exact(7),
        [0x18, high, low, ..] => Length::exact(3 + usize::from(u16::from_be_bytes([*high, *low]))),
        [] | [0x18, ..] | [0x2B] => Length::Open,
        [0x2B, 0x0E, ..] => of_identification(pdu),
        _ => Length::Unknown,
    }
}

/// A device identification says only of each object how long it is (clause 6.21).
fn of_identification(pdu: &[u8]) -> Length {
    const HEAD: usize = 7;
    let Some(objects) = pdu.get(HEAD - 1) else { return Length::Open };
    let mut end = HEAD;
    for _ in 0..*objects {
        let Some(length) = pdu.get(end + 1) else { return Length::Open };
        end += 2 + usize::from(*length);
    }
    Length::exact(end)
}

/// The length of a request that begins with `pdu`.
pub(super) fn of_request(pdu: &[u8]) -> Length {
    match pdu {
        [] | [0x2B] => Length::Open,
        [0x07 | 0x0B | 0x0C | 0x11, ..] => Length::Exact(1),
        [0x01..=0x06 | 0x08, ..] => Length::Exact(5),
        [0x0F | 0x10, ..] => Length::counted(pdu, 5, 6),
        [0x14 | 0x15, ..] => Length::counted(pdu, 1, 2),
        [0x16, ..] => Length::Exact(7),
        [0x17, ..] => Length::counted(pdu, 9, 10),
        [0x18, ..] => Length::Exact(3),
        [0x2B, 0x0E, ..] => Length::Exact(4),
        _ => Length::Unknown,
    }
}

/// Whether the byte count of a write, once it is there, is that of its quantity: what counts
/// otherwise is hardly the beginning of a request.
pub(super) fn is_coherent(pdu: &[u8]) -> bool {
    let (bits, counted) = match pdu {
        [0x0F, _, _, counted @ ..] => (true, counted),
        [0x10, _, _, counted @ ..] | [0x17, _, _, _, _, _, _, counted @ ..] => (false, counted),
        _ => return true,
    };
    let Some(&[high, low, count]) = counted.first_chunk() else { return true };
    let quantity = usize::from(u16::from_be_bytes([high, low]));
    usize::from(count) == if bits { quantity.div_ceil(8) } else { quantity * 2 }
}

/// The length of the answer to `request`, if that is told by the request alone.
pub(crate) fn of_answer_to(request: &[u8]) -> Option<usize> {
    let quantity = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    let length = match request {
        [0x01 | 0x02, _, _, high, low] => 2 + quantity(*high, *low).div_ceil(8),
        [0x03 | 0x04, _, _, high, low] | [0x17, _, _, high, low, ..] => {
            2 + 2 * quantity(*high, *low)
        }
        [0x05 | 0x06 | 0x0B | 0x0F | 0x10, ..] => 5,
        [0x07, ..] => 2,
        // Repeated as they came.
        [0x08 | 0x15 | 0x16, ..] => request.len(),
        [0x14, _, records @ ..] => {
            let (records, _) = records.as_chunks::<7>();
            2 + records.iter().map(|[.., high, low]| 2 + 2 * quantity(*high, *low)).sum::<usize>()
        }
        _ => return None,
    };
    (length <= MAX_PDU).then_some(length)
}
