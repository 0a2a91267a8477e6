//! Why a declaration is no point.

use super::{DataType, Order, Table};

/// Why a declaration makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// No type of that name.
    #[error("unknown type `{0}`")]
    UnknownType(String),
    /// In registers, `string` and `bytes` need a length.
    #[error("a `{0}` needs a `length` in registers")]
    LengthMissing(DataType),
    /// The other types have none.
    #[error("a `{0}` has no `length`: its type says how long it is")]
    LengthNeedless(DataType),
    /// The length is not one that a read can carry.
    #[error("a length of {0} registers: 1 to 125 can be read at once")]
    LengthRange(u16),
    /// Nothing to choose a part of.
    #[error("there is only one thing there: `at` belongs to `device_id`, `server_id` and `fifo`")]
    PartNeedless,
    /// The part ends behind what an answer can carry.
    #[error("it ends behind what one answer can carry: {size} from {at}, of {most}")]
    PartOutside {
        /// Where it begins.
        at: u16,
        /// How many bytes or registers it has.
        size: u16,
        /// How many there can be.
        most: u16,
    },
    /// Longer than a read of a file can carry.
    #[error("a length of {0} registers: 1 to 121 can be read from a file at once")]
    FileLength(u16),
    /// No such records: files are numbered from 1, records from 0 to 9999.
    #[error("a file has the records 0 to 9999: no {count} from {record} of file {file}")]
    PastFile {
        /// The number of the file.
        file: u16,
        /// The first record.
        record: u16,
        /// How many registers.
        count: u16,
    },
    /// What is there is one unsigned number.
    #[error("a number is there: its type is `u16`, not `{0}`")]
    NumberType(DataType),
    /// Without `at` the value is how many values are in the queue.
    #[error("how many values are in the queue is a `u16`, no `{0}`")]
    QueueType(DataType),
    /// No registers, whose bytes could be swapped.
    #[error("there are no registers whose bytes could be in another order")]
    OrderNeedless,
    /// The number there never has this bit.
    #[error("it is {greatest} at most, and so has no bit {bit}")]
    FieldBeyond {
        /// The greatest number.
        greatest: u16,
        /// The bit.
        bit: u8,
    },
    /// Only tables are written.
    #[error("only points of the tables can be written")]
    ReadOnly,
    /// The point passes address 65535.
    #[error("it passes address 65535: {count} from address {address}")]
    PastEnd {
        /// The first address.
        address: u32,
        /// How many registers or bits.
        count: u16,
    },
    /// A bit has no other type than `bool`.
    #[error("a {table} is one bit: its type is `bool`, not `{data_type}`")]
    RegisterType {
        /// The bit table.
        table: Table,
        /// The type of registers.
        data_type: DataType,
    },
    /// The order leaves open where some byte goes, or names bytes that the type lacks.
    #[error("the order {order} does not fit a `{data_type}`")]
    OrderWidth {
        /// The order.
        order: Order,
        /// The type.
        data_type: DataType,
    },
    /// Every value would be the same.
    #[error("a scale of 0 makes every value the same")]
    ScaleZero,
    /// More digits than any scale or offset needs.
    #[error("`{key}` has more than 100 digits")]
    TooLong {
        /// `scale` or `offset`.
        key: &'static str,
    },
    /// Only whole numbers and floats can be scaled; labels and bit fields are taken as they are.
    #[error("`{key}` needs a plain number: no `bool`, text or bytes, no labels, no bit field")]
    NotScalable {
        /// `scale`, `offset` or `scale_factor`.
        key: &'static str,
    },
    /// The last bit comes before the first.
    #[error("the last bit of a field comes before its first")]
    FieldReversed,
    /// Only unsigned numbers have bit fields.
    #[error("a `{0}` has no bit fields: `u16`, `u32` and `u64` have")]
    FieldType(DataType),
    /// The word has no such bit.
    #[error("a `{data_type}` has no bit {bit}")]
    FieldOutside {
        /// The type of the word.
        data_type: DataType,
        /// The bit.
        bit: u8,
    },
    /// Only whole numbers and bits have labels.
    #[error("a `{0}` has no labels: whole numbers and bits have")]
    LabelType(DataType),
    /// The point cannot be this number.
    #[error("the label of {0}, which this point cannot be")]
    LabelOutside(i128),
    /// A number with two labels.
    #[error("two labels for {0}")]
    LabelTwice(i128),
    /// Text and bits have no invalid numbers.
    #[error("a `{0}` has no `invalid` number")]
    InvalidType(DataType),
    /// The raw value does not fit the type.
    #[error("the invalid value {number} does not fit a `{data_type}`")]
    InvalidOutside {
        /// The raw value.
        number: i128,
        /// The type.
        data_type: DataType,
    },
    /// `SunSpec` has no such type.
    #[error("SunSpec has no not-implemented value for a `{0}`: write the raw value instead")]
    InvalidSunSpec(DataType),
    /// The protocol cannot write that table.
    #[error("the table `{0}` cannot be written")]
    ReadOnlyTable(Table),
    /// Nobody may write it.
    #[error("a `range` of what may be written, but `access` is `read`")]
    RangeReadOnly,
    /// Only numbers have a range.
    #[error("a `range` needs a number: no `bool`, text or bytes, no labels")]
    RangeType,
    /// Nothing is within.
    #[error("the low end of the range is above its high end")]
    RangeReversed,
}

impl PointError {
    /// The key of a profile that is at fault; the table's own for an address.
    pub fn key(&self) -> &'static str {
        match self {
            Self::UnknownType(_)
            | Self::RegisterType { .. }
            | Self::NumberType(_)
            | Self::QueueType(_) => "type",
            Self::LengthMissing(_)
            | Self::LengthNeedless(_)
            | Self::LengthRange(_)
            | Self::FileLength(_) => "length",
            Self::PartNeedless | Self::PartOutside { .. } => "at",
            Self::PastEnd { .. } | Self::PastFile { .. } => "address",
            Self::OrderWidth { .. } | Self::OrderNeedless => "order",
            Self::ScaleZero => "scale",
            Self::TooLong { key } | Self::NotScalable { key } => key,
            Self::FieldReversed
            | Self::FieldType(_)
            | Self::FieldOutside { .. }
            | Self::FieldBeyond { .. } => "bits",
            Self::LabelType(_) | Self::LabelOutside(_) | Self::LabelTwice(_) => "values",
            Self::InvalidType(_) | Self::InvalidOutside { .. } | Self::InvalidSunSpec(_) => {
                "invalid"
            }
            Self::ReadOnlyTable(_) | Self::ReadOnly => "access",
            Self::RangeReadOnly | Self::RangeType | Self::RangeReversed => "range",
        }
    }
}
