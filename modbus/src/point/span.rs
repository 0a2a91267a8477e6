//! Where data is: a stretch of one of the four tables.

use std::fmt;

/// One of the four tables of a Modbus device (V1.1b3, 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Bits, read and written.
    Coil,
    /// Bits, read only.
    Discrete,
    /// Registers, read only.
    Input,
    /// Registers, read and written.
    Holding,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 4] = [Table::Coil, Table::Discrete, Table::Input, Table::Holding];

    /// Its name in a profile.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Coil => "coil",
            Table::Discrete => "discrete",
            Table::Input => "input",
            Table::Holding => "holding",
        }
    }

    /// Whether it holds bits rather than registers.
    pub const fn is_bits(self) -> bool {
        matches!(self, Table::Coil | Table::Discrete)
    }

    /// Whether the protocol can write it.
    pub const fn is_writable(self) -> bool {
        matches!(self, Table::Coil | Table::Holding)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// At least one register or bit of a table, within its 65,536 addresses.
///
/// Ordered by table, address and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    table: Table,
    address: u16,
    count: u16,
}

impl Span {
    /// The span of `count` registers or bits from the protocol address `address`; `None` if it is
    /// empty or passes address 65535.
    pub fn new(table: Table, address: u16, count: u16) -> Option<Span> {
        let fits = u32::from(address) + u32::from(count) <= 0x1_0000;
        (count > 0 && fits).then_some(Span { table, address, count })
    }

    /// The table.
    pub const fn table(self) -> Table {
        self.table
    }

    /// The first address.
    pub const fn address(self) -> u16 {
        self.address
    }

    /// How many registers or bits, at least 1.
    pub const fn count(self) -> u16 {
        self.count
    }

    /// The address behind the last one, at most 65536.
    pub const fn end(self) -> u32 {
        self.address as u32 + self.count as u32
    }

    /// Whether all of `other` lies within.
    pub const fn contains(self, other: Span) -> bool {
        self.table as u8 == other.table as u8
            && self.address <= other.address
            && other.end() <= self.end()
    }

    /// Whether the two share an address.
    pub const fn overlaps(self, other: Span) -> bool {
        self.table as u8 == other.table as u8
            && (self.address as u32) < other.end()
            && (other.address as u32) < self.end()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.table, self.address)?;
        if self.count > 1 { write!(formatter, "..{}", self.end() - 1) } else { Ok(()) }
    }
}
