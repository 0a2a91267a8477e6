//! The fewest reads that cover a set of points under a device's rules. Pure arithmetic on spans.
//!
//! A point is never split. One read may cover several points if it crosses nothing that it must not
//! between them: not more than [`Quirks::max_gap`] undeclared registers in a row, no barrier, and
//! no start or end of a block. A point that itself lies across such an end is read exactly by
//! itself, and points within it ride along. A point in a block that is read whole is read with all
//! of it.
//!
//! # Why the result is the smallest
//!
//! A point across the end of a block has no other read than its own, so those come first, with what
//! rides along. Of the others take the one that starts first: some read covers it, and what that
//! read covers of the points still waiting starts no earlier, so it may as well start there. Among
//! these reads the longest covers all that the shorter ones do. Covered points never help to cross
//! something behind the next waiting one: it ends behind all of them, or it would have been covered
//! itself. So the longest read from the first waiting point, and so on, is optimal.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::pdu::Request;
use crate::pdu::{MAX_READ_BITS, MAX_READ_REGISTERS};
pub use crate::point::Span;
use crate::point::Table;

/// What a device type allows in one read, as its profile says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirks {
    /// Most registers of one read, 1 to 125.
    pub max_registers: u16,
    /// Most bits of one read, 1 to 2000.
    pub max_bits: u16,
    /// The longest run of undeclared registers or bits that a read may cross between two points.
    pub max_gap: u16,
    /// Whether one read may cover several points.
    pub merge: bool,
    /// Reads never straddle the start or the end of one of these.
    pub blocks: Vec<Span>,
    /// Blocks that are read whole or not at all; none overlaps another.
    pub whole: Vec<Span>,
    /// What the profile declares: crossed freely.
    pub declared: Vec<Span>,
    /// What is never crossed: points that stand alone, are cleared by reading, or cannot be read.
    pub barriers: Vec<Span>,
}

impl Default for Quirks {
    /// What the protocol allows (V1.1b3, 6.1 to 6.4), and no gaps.
    fn default() -> Quirks {
        Quirks {
            max_registers: MAX_READ_REGISTERS,
            max_bits: MAX_READ_BITS,
            max_gap: 0,
            merge: true,
            blocks: Vec::new(),
            whole: Vec::new(),
            declared: Vec::new(),
            barriers: Vec::new(),
        }
    }
}

/// Quirks that no protocol allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuirksError {
    /// `max_registers` out of range.
    #[error("a read has 1 to 125 registers, not {0}")]
    MaxRegisters(u16),
    /// `max_bits` out of range.
    #[error("a read has 1 to 2000 bits, not {0}")]
    MaxBits(u16),
    /// Two blocks that are read whole share an address.
    #[error("{0} and {1} are both read whole, and overlap")]
    Overlap(Span, Span),
}

/// What one read may cover: checked [`Quirks`], ready to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    max_registers: u16,
    max_bits: u16,
    max_gap: u32,
    merge: bool,
    /// Starts and ends of blocks, ascending.
    cuts: Vec<(Table, u32)>,
    /// Ascending; none overlaps another.
    whole: Vec<Span>,
    declared: Vec<Run>,
    barriers: Vec<Run>,
}

/// A stretch of a table. Lists of runs are ascending and neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    table: Table,
    addresses: Range<u32>,
}

/// A point to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub span: Span,
    /// Whether it is its own transaction: `alone` or `clears_on_read`.
    pub alone: bool,
}

/// One read transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What is asked for. It ends with the last point that it covers, or with the block that is
    /// read whole.
    pub span: Span,
    /// The indices, ascending, of the wanted points that it is for. Each wanted point is in exactly
    /// one read.
    pub covers: Vec<usize>,
}

/// A point that cannot be read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{span} is longer than one read of this device, which has at most {limit}")]
pub struct TooLong {
    /// The index of the wanted point.
    pub index: usize,
    /// Where it is.
    pub span: Span,
    /// The most registers or bits of one read.
    pub limit: u16,
}

impl Default for Rules {
    fn default() -> Rules {
        let Quirks { max_registers, max_bits, .. } = Quirks::default();
        Rules {
            max_registers,
            max_bits,
            max_gap: 0,
            merge: true,
            cuts: Vec::new(),
            whole: Vec::new(),
            declared: Vec::new(),
            barriers: Vec::new(),
        }
    }
}

impl Rules {
    /// The rules of a device type.
    ///
    /// # Errors
    /// [`QuirksError`].
    pub fn new(quirks: Quirks) -> Result<Rules, QuirksError> {
        let Quirks { max_registers, max_bits, max_gap, merge, .. } = quirks;
        let Quirks { blocks, mut whole, declared, barriers, .. } = quirks;
        if !(1..=MAX_READ_REGISTERS).contains(&max_registers) {
            return Err(QuirksError::MaxRegisters(max_registers));
        }
        if !(1..=MAX_READ_BITS).contains(&max_bits) {
            return Err(QuirksError::MaxBits(max_bits));
        }
        let ends = |block: &Span| {
            [(block.table(), u32::from(block.address())), (block.table(), block.end())]
        };
        let mut cuts: Vec<(Table, u32)> = blocks.iter().chain(&whole).flat_map(ends).collect();
        cuts.sort_unstable();
        whole.sort_unstable();
        let overlapping = whole.array_windows().find(|[one, next]| one.overlaps(*next));
        if let Some([one, next]) = overlapping {
            return Err(QuirksError::Overlap(*one, *next));
        }
        Ok(Rules {
            max_registers,
            max_bits,
            max_gap: max_gap.into(),
            merge,
            cuts,
            whole,
            declared: runs(declared),
            barriers: runs(barriers),
        })
    }

    /// The most that one read of this table may ask for.
    pub fn most(&self, table: Table) -> u16 {
        if table.is_bits() { self.max_bits } else { self.max_registers }
    }

    /// The blocks that are read whole.
    pub fn whole(&self) -> &[Span] {
        &self.whole
    }

    /// The block that is read whole wherever this is read, if it lies in one.
    pub fn whole_around(&self, span: Span) -> Option<Span> {
        let behind = self.whole.partition_point(|block| {
            (block.table(), block.address()) <= (span.table(), span.address())
        });
        let block = self.whole.get(behind.checked_sub(1)?)?;
        block.contains(span).then_some(*block)
    }

    fn limit(&self, table: Table) -> u16 {
        if table.is_bits() { self.max_bits } else { self.max_registers }
    }

    /// The first start or end of a block behind an address.
    fn next_cut(&self, table: Table, address: u32) -> Option<u32> {
        let next = self.cuts.partition_point(|cut| *cut <= (table, address));
        self.cuts.get(next).filter(|(of, _)| *of == table).map(|(_, cut)| *cut)
    }

    fn is_cut(&self, span: Span) -> bool {
        self.next_cut(span.table(), span.address().into()).is_some_and(|cut| cut < span.end())
    }

    /// Whether a read may cross these registers although it covers no point there.
    fn may_cross(&self, table: Table, hole: Range<u32>) -> bool {
        if overlapping(&self.barriers, table, &hole).next().is_some() {
            return false;
        }
        let mut undeclared = hole.start;
        for declared in overlapping(&self.declared, table, &hole) {
            if declared.start.saturating_sub(undeclared) > self.max_gap {
                return false;
            }
            undeclared = declared.end;
        }
        hole.end.saturating_sub(undeclared) <= self.max_gap
    }
}

/// Ascending runs without overlap.
fn runs(mut spans: Vec<Span>) -> Vec<Run> {
    spans.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for span in spans {
        let (start, end) = (u32::from(span.address()), span.end());
        match runs.last_mut() {
            Some(last) if last.table == span.table() && start <= last.addresses.end => {
                last.addresses.end = last.addresses.end.max(end);
            }
            _ => runs.push(Run { table: span.table(), addresses: start..end }),
        }
    }
    runs
}

/// The runs that share an address with a hole.
fn overlapping<'a>(
    runs: &'a [Run],
    table: Table,
    hole: &Range<u32>,
) -> impl Iterator<Item = &'a Range<u32>> + use<'a> {
    let hole = hole.clone();
    let first = runs.partition_point(|run| (run.table, run.addresses.end) <= (table, hole.start));
    let rest = runs.get(first..).unwrap_or_default().iter();
    rest.take_while(move |run| run.table == table && run.addresses.start < hole.end)
        .map(|run| &run.addresses)
}

/// The request that reads a span: function codes 1 to 4 (V1.1b3, 6.1 to 6.4). How much one read
/// may ask for is not looked at.
pub fn request(span: Span) -> Request<'static> {
    let (address, count) = (span.address(), span.count());
    match span.table() {
        Table::Coil => Request::ReadCoils(address, count),
        Table::Discrete => Request::ReadDiscreteInputs(address, count),
        Table::Input => Request::ReadInputRegisters(address, count),
        Table::Holding => Request::ReadHoldingRegisters(address, count),
    }
}

/// The smallest number of reads that cover all wanted points, by table and address.
///
/// # Errors
/// [`TooLong`]: a point is longer than one read may be.
pub fn plan(wanted: &[Wanted], rules: &Rules) -> Result<Vec<Read>, TooLong> {
    let mut reads = Vec::new();
    let mut waiting: Vec<(Span, usize)> = Vec::new();
    let mut whole: BTreeMap<Span, Vec<usize>> = BTreeMap::new();
    for (index, Wanted { span, alone }) in wanted.iter().copied().enumerate() {
        let block = rules.whole_around(span);
        let (span, limit) = (block.unwrap_or(span), rules.limit(span.table()));
        if span.count() > limit {
            return Err(TooLong { index, span, limit });
        }
        if alone || !rules.merge {
            reads.push(Read { span, covers: vec![index] });
        } else if block.is_some() {
            whole.entry(span).or_default().push(index);
        } else {
            waiting.push((span, index));
        }
    }
    reads.extend(whole.into_iter().map(|(span, covers)| Read { span, covers }));
    // Of spans with the same start the longest comes first.
    waiting
        .sort_unstable_by_key(|(span, index)| (span.table(), span.address(), !span.end(), *index));
    let waiting = read_cut_points(&waiting, rules, &mut reads);
    read_others(&waiting, rules, &mut reads);
    for read in &mut reads {
        read.covers.sort_unstable();
    }
    reads.sort_unstable_by(|one, other| (one.span, &one.covers).cmp(&(other.span, &other.covers)));
    Ok(reads)
}

/// Plans the reads of points across the end of a block; leaves what does not ride along with them.
fn read_cut_points(
    waiting: &[(Span, usize)],
    rules: &Rules,
    reads: &mut Vec<Read>,
) -> Vec<(Span, usize)> {
    // Ascending by start and by end, none within another.
    let mut own: Vec<Read> = Vec::new();
    for (span, _) in waiting.iter().filter(|(span, _)| rules.is_cut(*span)) {
        if own.last().is_none_or(|last| !last.span.contains(*span)) {
            own.push(Read { span: *span, covers: Vec::new() });
        }
    }
    let mut left = Vec::new();
    for (span, index) in waiting.iter().copied() {
        let behind = own.partition_point(|read| {
            (read.span.table(), read.span.address()) <= (span.table(), span.address())
        });
        // Of those that start before it this one reaches furthest.
        let candidate = behind.checked_sub(1).and_then(|index| own.get_mut(index));
        match candidate {
            Some(read) if read.span.contains(span) => read.covers.push(index),
            _ => left.push((span, index)),
        }
    }
    reads.append(&mut own);
    left
}

/// Plans the other reads: always the longest from the first waiting point.
fn read_others(mut waiting: &[(Span, usize)], rules: &Rules, reads: &mut Vec<Read>) {
    while let Some((first, _)) = waiting.first() {
        let (count, end) = furthest(*first, waiting, rules);
        let (inside, behind) = waiting.split_at(count);
        let length = u16::try_from(end - u32::from(first.address())).unwrap_or(first.count());
        reads.push(Read {
            span: Span::new(first.table(), first.address(), length).unwrap_or(*first),
            covers: inside.iter().map(|(_, index)| *index).collect(),
        });
        waiting = behind;
    }
}

/// How many of these points the longest read from the first of them covers, and where it ends.
fn furthest(first: Span, waiting: &[(Span, usize)], rules: &Rules) -> (usize, u32) {
    let table = first.table();
    let address = u32::from(first.address());
    let cut = rules.next_cut(table, address).unwrap_or(u32::MAX);
    let limit = cut.min(address + u32::from(rules.limit(table)));
    let mut end = first.end();
    for (count, (span, _)) in waiting.iter().enumerate().skip(1) {
        let start = u32::from(span.address());
        let hole = end..start;
        // Later points that still end within the limit lie within this one, and ride along with it.
        if span.table() != table
            || span.end() > limit
            || (start > end && !rules.may_cross(table, hole))
        {
            return (count, end);
        }
        end = end.max(span.end());
    }
    (waiting.len(), end)
}
