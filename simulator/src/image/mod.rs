//! The memory of a simulated device: four tables of cells at the addresses that exist, and what it
//! holds beyond them.
//!
//! An address that was never set is a hole: whatever touches one is refused. Cells are raw bits
//! and words; what they mean is decided by whoever sets them.

mod beyond;
mod runs;
mod value;

use passline_modbus::point::{Span, Table};

pub(crate) use beyond::Beyond;
use runs::Runs;
pub use value::PutError;

/// Addresses of one table.
const ADDRESSES: usize = 1 << 16;

/// Why an entry cannot be part of an [`Image`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Words for a table of bits, or bits for a table of words.
    #[error("the {table} table does not hold such cells")]
    WrongTable {
        /// The table named.
        table: Table,
    },
    /// No cells at all.
    #[error("no cells")]
    Empty,
    /// The last record would be past 9999.
    #[error("{count} records from {first} of file {file} on end past record 9999")]
    PastFile {
        /// The number of the file.
        file: u16,
        /// The first record.
        first: u16,
        /// How many there are.
        count: usize,
    },
    /// More than one answer could carry.
    #[error("{length} are more than the {most} that one answer can carry")]
    TooLong {
        /// How many bytes, or values of a queue, there are.
        length: usize,
        /// How many there can be.
        most: usize,
    },
    /// The last address would be past 65535.
    #[error("{count} cells from {table} {start} on end past address 65535")]
    PastEnd {
        /// The table.
        table: Table,
        /// The first address.
        start: u16,
        /// How many cells.
        count: usize,
    },
}

/// The four tables of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    coil: Runs<bool>,
    discrete: Runs<bool>,
    input: Runs<u16>,
    holding: Runs<u16>,
    /// Most devices have nothing there.
    beyond: Option<Box<Beyond>>,
}

impl Image {
    /// An image without any address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the registers from `start` on exist and hold `words`; later entries win.
    ///
    /// # Errors
    ///
    /// [`ImageError`] if `table` holds bits, `words` is empty, or the last address is past 65535.
    pub fn set_words(&mut self, table: Table, start: u16, words: &[u16]) -> Result<(), ImageError> {
        check(table, start, words.len())?;
        let runs = self.word_table_mut(table).ok_or(ImageError::WrongTable { table })?;
        runs.set(start, words);
        Ok(())
    }

    /// Makes the bits from `start` on exist and hold `bits`; later entries win.
    ///
    /// # Errors
    ///
    /// [`ImageError`] if `table` holds words, `bits` is empty, or the last address is past 65535.
    pub fn set_bits(&mut self, table: Table, start: u16, bits: &[bool]) -> Result<(), ImageError> {
        check(table, start, bits.len())?;
        let runs = self.bit_table_mut(table).ok_or(ImageError::WrongTable { table })?;
        runs.set(start, bits);
        Ok(())
    }

    /// The registers of `span`; `None` if one of them is a hole or the table holds bits.
    pub fn words(&self, span: Span) -> Option<&[u16]> {
        let runs = match span.table() {
            Table::Input => &self.input,
            Table::Holding => &self.holding,
            Table::Coil | Table::Discrete => return None,
        };
        runs.get(span.address(), span.count().into())
    }

    /// The bits of `span`; `None` if one of them is a hole or the table holds words.
    pub fn bits(&self, span: Span) -> Option<&[bool]> {
        let runs = match span.table() {
            Table::Coil => &self.coil,
            Table::Discrete => &self.discrete,
            Table::Input | Table::Holding => return None,
        };
        runs.get(span.address(), span.count().into())
    }

    /// As [`Self::words`], to write to.
    pub(crate) fn words_mut(&mut self, span: Span) -> Option<&mut [u16]> {
        self.word_table_mut(span.table())?.get_mut(span.address(), span.count().into())
    }

    /// As [`Self::bits`], to write to.
    pub(crate) fn bits_mut(&mut self, span: Span) -> Option<&mut [bool]> {
        self.bit_table_mut(span.table())?.get_mut(span.address(), span.count().into())
    }

    fn word_table_mut(&mut self, table: Table) -> Option<&mut Runs<u16>> {
        match table {
            Table::Input => Some(&mut self.input),
            Table::Holding => Some(&mut self.holding),
            Table::Coil | Table::Discrete => None,
        }
    }

    fn bit_table_mut(&mut self, table: Table) -> Option<&mut Runs<bool>> {
        match table {
            Table::Coil => Some(&mut self.coil),
            Table::Discrete => Some(&mut self.discrete),
            Table::Input | Table::Holding => None,
        }
    }
}

fn check(table: Table, start: u16, count: usize) -> Result<(), ImageError> {
    if count == 0 {
        return Err(ImageError::Empty);
    }
    if usize::from(start) + count > ADDRESSES {
        return Err(ImageError::PastEnd { table, start, count });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_for_the_wrong_table_or_past_the_end_is_refused_and_changes_nothing() {
        let mut image = Image::new();
        let wrong = |table| Err(ImageError::WrongTable { table });
        assert_eq!(image.set_words(Table::Coil, 0, &[1]), wrong(Table::Coil));
        assert_eq!(image.set_words(Table::Discrete, 0, &[1]), wrong(Table::Discrete));
        assert_eq!(image.set_bits(Table::Input, 0, &[true]), wrong(Table::Input));
        assert_eq!(image.set_bits(Table::Holding, 0, &[true]), wrong(Table::Holding));
        let past = ImageError::PastEnd { table: Table::Holding, start: 65535, count: 2 };
        assert_eq!(image.set_words(Table::Holding, 65535, &[1, 2]), Err(past));
        assert_eq!(image.set_bits(Table::Coil, 0, &[]), Err(ImageError::Empty));
        assert_eq!(image, Image::new());
    }

    #[test]
    fn tables_are_apart_and_later_entries_win() {
        let mut image = Image::new();
        image.set_words(Table::Input, 5, &[1, 2, 3]).unwrap();
        image.set_words(Table::Holding, 5, &[9]).unwrap();
        image.set_words(Table::Input, 6, &[8, 7, 6]).unwrap();
        let span = |table, start, count| Span::new(table, start, count).unwrap();
        assert_eq!(image.words(span(Table::Input, 5, 4)), Some(&[1, 8, 7, 6][..]));
        assert_eq!(image.words(span(Table::Input, 5, 5)), None);
        assert_eq!(image.words(span(Table::Holding, 5, 1)), Some(&[9][..]));
        assert_eq!(image.bits(span(Table::Coil, 5, 1)), None);
    }

    #[test]
    fn a_whole_table_fits() {
        let mut image = Image::new();
        image.set_bits(Table::Coil, 0, &vec![true; ADDRESSES]).unwrap();
        assert!(image.bits(Span::new(Table::Coil, 1, 65535).unwrap()).is_some());
        assert!(image.set_bits(Table::Coil, 1, &vec![true; ADDRESSES]).is_err());
    }
}
