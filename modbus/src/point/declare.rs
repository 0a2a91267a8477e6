//! What a profile says of a point, yet unchecked.

use super::location::Medium;
use super::{DataType, Order, PointError, Site, Table};
use crate::value::Decimal;

/// A point as a profile declares it, yet unchecked.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub site: Site,
    /// Where it begins in what is there: a byte of an object or server id, a value of a queue.
    pub at: Option<u16>,
    /// Its type.
    pub data_type: DataType,
    /// The point's own order.
    pub order: Option<Order>,
    /// The order of the whole profile, which does not touch `string` and `bytes`.
    pub profile_order: Order,
    /// What a raw number is multiplied by.
    pub scale: Decimal,
    /// What is added after scaling.
    pub offset: Decimal,
    /// The point that holds a further power of ten.
    pub scale_factor: Option<String>,
    /// The measuring unit.
    pub unit: Option<String>,
    /// Which bits of the word it is, if not all.
    pub field: Option<Field>,
    /// Number and label.
    pub labels: Vec<(i128, String)>,
    /// Which raw contents mean "not available".
    pub invalid: Invalid,
    /// What one may do with it; by default what its table allows.
    pub access: Option<Access>,
    /// The least and the greatest value that may be written.
    pub range: Option<(Decimal, Decimal)>,
    /// Whether it is never merged with other reads.
    pub alone: bool,
    /// Whether reading it changes the device.
    pub clears_on_read: bool,
    /// What it is, for people.
    pub description: Option<String>,
}

impl Declaration {
    /// A declaration of a point in a table with nothing but the default: `bool` in a bit table,
    /// `u16` in registers.
    pub fn new(name: impl Into<String>, table: Table, address: u32) -> Declaration {
        Self::of(name, Site::Table(table, address))
    }

    /// A declaration with nothing but the default: for bits `bool`, for an object of the device
    /// identification `string`, for a server id `bytes`, else `u16`.
    pub fn of(name: impl Into<String>, site: Site) -> Declaration {
        let data_type = match site {
            Site::Table(table, _) if table.is_bits() => DataType::Bool,
            Site::DeviceId(_) => DataType::String(None),
            Site::ServerId => DataType::Bytes(None),
            _ => DataType::U16,
        };
        Declaration {
            name: name.into(),
            site,
            at: None,
            data_type,
            order: None,
            profile_order: Order::default(),
            scale: Decimal::one(),
            offset: Decimal::zero(),
            scale_factor: None,
            unit: None,
            field: None,
            labels: Vec::new(),
            invalid: Invalid::None,
            access: None,
            range: None,
            alone: false,
            clears_on_read: false,
            description: None,
        }
    }

    /// The declaration of a bit field of this word, named `word.field`: where the word is and how
    /// it is read, but none of what the whole word means.
    #[must_use]
    pub fn field(&self, name: &str, field: Field) -> Declaration {
        Declaration {
            order: self.order,
            profile_order: self.profile_order,
            data_type: self.data_type,
            field: Some(field),
            invalid: self.invalid.clone(),
            access: self.access,
            alone: self.alone,
            clears_on_read: self.clears_on_read,
            at: self.at,
            ..Declaration::of(format!("{}.{name}", self.name), self.site)
        }
    }

    /// What it is made of, where it is.
    pub(super) fn medium(&self) -> Medium {
        self.site.medium(self.at.is_some())
    }
}

/// What one may do with a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only read it.
    Read,
    /// Only write it.
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    /// Whether it may be read.
    pub const fn reads(self) -> bool {
        matches!(self, Access::Read | Access::ReadWrite)
    }

    /// Whether it may be written.
    pub const fn writes(self) -> bool {
        matches!(self, Access::Write | Access::ReadWrite)
    }
}

/// Some neighbouring bits of a word; bit 0 is the least significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field {
    first: u8,
    last: u8,
}

impl Field {
    /// The bits `first` to `last`, both included (`4..6` of a profile is three bits).
    ///
    /// # Errors
    /// [`PointError::FieldReversed`].
    pub fn new(first: u8, last: u8) -> Result<Field, PointError> {
        if first > last { Err(PointError::FieldReversed) } else { Ok(Field { first, last }) }
    }

    /// The least significant bit.
    pub fn first(self) -> u8 {
        self.first
    }

    /// The most significant bit.
    pub fn last(self) -> u8 {
        self.last
    }

    /// Whether it is one bit, which reads as a `bool`.
    pub fn is_single(self) -> bool {
        self.first == self.last
    }

    /// The greatest number in it.
    pub(super) fn greatest(self) -> u64 {
        u64::MAX >> (63_u8.saturating_sub(self.last - self.first))
    }
}

/// Which raw contents mean "not available".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// None.
    None,
    /// These: patterns (`0x8000`), or negative numbers of a signed type (`-32768`).
    Raw(Vec<i128>),
    /// What `SunSpec` calls the type's not-implemented value.
    SunSpec,
}
