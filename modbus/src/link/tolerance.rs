//! What a line may be told to put up with: deviations from the standard that devices in the field
//! are known for. Nothing by default; what is used is told with the answer.

use std::fmt;

use crate::{
    framing::length,
    pdu::{Answer, Request, decode_answer, encode_request},
};

/// A deviation of an answer from the standard. Of MBAP frames only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Oddity {
    /// Its transaction id is not that of the request: some gateways count their own, or always
    /// answer with the same one. Who tolerates it is served one request at a time.
    TransactionId,
    /// Its unit id is not that of the request.
    UnitId,
    /// Its header promises one byte more than comes. Who tolerates it is served one request at a
    /// time.
    Length,
    /// It has more data than was asked for, or bytes behind the data.
    Trailing,
}

impl Oddity {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::TransactionId, Self::UnitId, Self::Length, Self::Trailing];

    /// The word for it in addresses, specs and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransactionId => "transaction_id",
            Self::UnitId => "unit_id",
            Self::Length => "length",
            Self::Trailing => "trailing",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Oddity`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Oddities(u8);

impl Oddities {
    /// None.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, oddity: Oddity) -> Self {
        Self(self.0 | oddity.bit())
    }

    /// Whether it is among them.
    pub const fn contains(self, oddity: Oddity) -> bool {
        self.0 & oddity.bit() != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and others.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each, in the order of [`Oddity::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.into_iter().filter(move |oddity| self.contains(*oddity))
    }
}

impl FromIterator<Oddity> for Oddities {
    fn from_iter<I: IntoIterator<Item = Oddity>>(oddities: I) -> Self {
        oddities.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Oddities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a line puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerance {
    /// These, in every answer.
    pub oddities: Oddities,
    /// This unit id in answers, beside that of the request.
    pub answer_unit_id: Option<u8>,
}

impl Tolerance {
    /// Whether answers cannot be told apart by their transaction ids, or their ends not by the
    /// next frame: then there is one request at a time.
    pub fn is_one_at_a_time(self) -> bool {
        let contains = |oddity| self.oddities.contains(oddity);
        contains(Oddity::TransactionId) || contains(Oddity::Length)
    }

    pub(super) fn ignores_transactions(self) -> bool {
        self.oddities.contains(Oddity::TransactionId)
    }

    /// Whether an answer of unit `got` may be that of unit `asked`.
    pub(super) fn admits(self, asked: u8, got: u8) -> bool {
        asked == got || self.answer_unit_id == Some(got) || self.oddities.contains(Oddity::UnitId)
    }

    /// The answer in a PDU that is longer than what was asked for.
    pub(super) fn shortened(self, pdu: &[u8], request: &Request<'_>) -> Option<Answer> {
        let length = answer_length(pdu, request).filter(|length| *length < pdu.len())?;
        if !self.oddities.contains(Oddity::Trailing) {
            return None;
        }
        let mut asked = pdu.get(..length)?.to_vec();
        if let [1..=4 | 0x17, count, data @ ..] = &mut asked[..] {
            // More registers than were asked for count more, too.
            let due = u8::try_from(data.len()).ok()?;
            if *count < due {
                return None;
            }
            *count = due;
        }
        decode_answer(&asked, request).ok()
    }
}

/// How long the answer to `request` is that begins with `pdu`, where the request tells.
pub(super) fn answer_length(pdu: &[u8], request: &Request<'_>) -> Option<usize> {
    if *pdu.first()? >= 0x80 {
        return Some(2);
    }
    let mut asked = Vec::new();
    encode_request(request, &mut asked).ok()?;
    length::of_answer_to(&asked)
}
