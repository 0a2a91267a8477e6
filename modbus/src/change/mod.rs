//! What is written: values in their raw form, and the one request that puts them in their places
//! (V1.1b3, clauses 6.5, 6.6, 6.11, 6.12, 6.16). Pure: requests are sent by others.
//!
//! A [`Part`] is a value as its registers hold it; a [`Change`] is one or several of them that one
//! request writes. Whether a point may be written is not looked at: a test may try it on purpose.

mod manner;
mod part;

use std::fmt;

pub use self::manner::{Manner, WriteBits, WriteFunction};
pub use self::part::Part;
use crate::pdu::{MAX_WRITE_BITS, MAX_WRITE_REGISTERS, Request};
use crate::point::{Raw, Span, Table};

/// What one request writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    span: Span,
    way: Way,
}

/// How a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By this request.
    Request(Request<'static>),
    /// By reading what is there first: some bits of it are to stay as they are.
    Merge(Merge),
}

/// Registers of which only some bits change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    span: Span,
    words: Words,
    function: WriteFunction,
}

/// Registers, and which of their bits are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Words {
    words: Vec<u16>,
    masks: Vec<u16>,
}

/// Why no request writes this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Nothing is to be written.
    #[error("there is no value to write")]
    Nothing,
    /// Beyond the tables.
    #[error("only coils and holding registers can be written")]
    Beyond,
    /// The protocol cannot write that table.
    #[error("the table `{0}` cannot be written")]
    ReadOnly(Table),
    /// A request writes one table.
    #[error("one request writes one table, not `{0}` and `{1}`")]
    Tables(Table, Table),
    /// Something lies between the two.
    #[error(
        "one request writes neighbours only: between {before} and {behind} lies something else"
    )]
    Gap {
        /// The part before.
        before: Span,
        /// The part behind.
        behind: Span,
    },
    /// Two values for the same bits.
    #[error("{0} would be written twice")]
    Overlap(Span),
    /// More than a request can carry.
    #[error("{count} {of}: a request writes at most {most}")]
    TooMany {
        /// How many.
        count: u32,
        /// `registers` or `coils`.
        of: &'static str,
        /// How many there can be.
        most: u16,
    },
    /// Functions 05 and 06 write one.
    #[error("function {function:02X} writes one {of}, these are {count}")]
    One {
        /// The function.
        function: u8,
        /// `register` or `coil`.
        of: &'static str,
        /// How many.
        count: usize,
    },
    /// Function 16 writes one register.
    #[error(
        "function 16 changes bits of one register, these are in {0}: write them one by one, or with \
         their whole words"
    )]
    Masks(usize),
}

impl Change {
    /// The change that gives all of these parts their values. They need not be in the order of their
    /// addresses.
    ///
    /// # Errors
    /// [`ChangeError`]: no request does that.
    pub fn new(parts: &[Part], manner: Manner) -> Result<Self, ChangeError> {
        let mut placed = parts
            .iter()
            .map(|part| part.point().span().map(|span| (span, part)).ok_or(ChangeError::Beyond))
            .collect::<Result<Vec<_>, _>>()?;
        placed.sort_by_key(|(span, _)| *span);
        let span = whole(&placed)?;
        let way = if span.table().is_bits() {
            Way::Request(coils(span, &placed, manner.function)?)
        } else {
            registers(span, &placed, manner)?
        };
        Ok(Self { span, way })
    }

    /// What it writes to.
    pub fn span(&self) -> Span {
        self.span
    }

    /// How it is made.
    pub fn way(&self) -> &Way {
        &self.way
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.span.fmt(formatter)
    }
}

impl Merge {
    /// What has to be read right before.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The request, where these registers are there now; `None` if these are not as many.
    ///
    /// What others change between that read and this request is lost.
    pub fn request(&self, present: &[u16]) -> Option<Request<'static>> {
        let Words { words, masks } = &self.words;
        let meant = words.iter().zip(masks);
        let merged = present.iter().zip(meant).map(|(there, (word, mask))| there & !mask | word);
        let merged: Vec<u16> = merged.collect();
        let complete = merged.len() == words.len() && present.len() == words.len();
        complete.then(|| self.function.registers(self.span.address(), merged).ok())?
    }
}

/// Parts by their place.
type Placed<'p> = [(Span, &'p Part)];

/// All that the parts cover: neighbours in one table. Of one register they may be several bits.
fn whole(placed: &Placed<'_>) -> Result<Span, ChangeError> {
    let [(first, _), others @ ..] = placed else { return Err(ChangeError::Nothing) };
    if !first.table().is_writable() {
        return Err(ChangeError::ReadOnly(first.table()));
    }
    let mut before = *first;
    for (behind, part) in others {
        if behind.table() != first.table() {
            return Err(ChangeError::Tables(first.table(), behind.table()));
        }
        let same_word = *behind == before && part.point().field().is_some();
        match u32::from(behind.address()) {
            _ if same_word => {}
            start if start > before.end() => {
                return Err(ChangeError::Gap { before, behind: *behind });
            }
            start if start < before.end() => return Err(ChangeError::Overlap(*behind)),
            _ => {}
        }
        before = *behind;
    }
    let (of, most) = if first.table().is_bits() {
        ("coils", MAX_WRITE_BITS)
    } else {
        ("registers", MAX_WRITE_REGISTERS)
    };
    let count = before.end() - u32::from(first.address());
    let span = u16::try_from(count).ok().filter(|count| *count <= most);
    let span = span.and_then(|count| Span::new(first.table(), first.address(), count));
    span.ok_or(ChangeError::TooMany { count, of, most })
}

fn coils(
    span: Span,
    placed: &Placed<'_>,
    function: WriteFunction,
) -> Result<Request<'static>, ChangeError> {
    let bits = placed.iter().map(|(_, part)| matches!(part.raw(), Raw::Bit(true)));
    function.coils(span.address(), bits.collect())
}

fn registers(span: Span, placed: &Placed<'_>, manner: Manner) -> Result<Way, ChangeError> {
    let words = Words::of(span, placed)?;
    if words.masks.iter().all(|mask| *mask == u16::MAX) {
        return manner.function.registers(span.address(), words.words).map(Way::Request);
    }
    match manner.bits {
        WriteBits::Mask => words.mask_write(span.address()).map(Way::Request),
        WriteBits::ReadModifyWrite => {
            // What will be sent then is known to be possible now.
            manner.function.registers(span.address(), words.words.clone())?;
            Ok(Way::Merge(Merge { span, words, function: manner.function }))
        }
    }
}

impl Words {
    fn of(span: Span, placed: &Placed<'_>) -> Result<Self, ChangeError> {
        let count = usize::from(span.count());
        let mut whole = Self { words: vec![0; count], masks: vec![0; count] };
        for (own, part) in placed {
            let Raw::Registers(words) = part.raw() else { return Err(ChangeError::Beyond) };
            let start = usize::from(own.address().saturating_sub(span.address()));
            let there = whole.words.iter_mut().zip(&mut whole.masks).skip(start);
            let part = words.iter().zip(part.point().mask());
            for ((there, taken), (word, mask)) in there.zip(part) {
                if *taken & mask != 0 {
                    return Err(ChangeError::Overlap(*own));
                }
                *there |= word & mask;
                *taken |= mask;
            }
        }
        Ok(whole)
    }

    /// The request in which the device itself keeps the other bits: the only way in which nobody
    /// else's change to them can be lost.
    fn mask_write(&self, address: u16) -> Result<Request<'static>, ChangeError> {
        let all = (address..).zip(self.words.iter().zip(&self.masks));
        let touched = all.filter(|(_, (_, mask))| **mask != 0);
        match touched.collect::<Vec<_>>()[..] {
            [(address, (word, mask))] => Ok(Request::MaskWriteRegister(address, !mask, *word)),
            ref several => Err(ChangeError::Masks(several.len())),
        }
    }
}
