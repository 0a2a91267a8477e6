//! Why bytes are not the PDU that they should be.

use tokio_modbus::ExceptionCode;

/// Why bytes are not the PDU that they should be. `Display` is a sentence; [`Defect::label`] is
/// the short stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The PDU has fewer bytes than its function needs.
    #[error("the PDU ends after {got} bytes")]
    Short {
        /// Bytes present, the function code included.
        got: usize,
    },
    /// More bytes than a PDU can have.
    #[error("{got} bytes are more than the 253 of a PDU")]
    TooLong {
        /// Bytes that there are, or would be.
        got: usize,
    },
    /// Bytes behind the last field.
    #[error("{extra} bytes too many")]
    Trailing {
        /// Bytes behind the last field.
        extra: usize,
    },
    /// A write's data is shorter or longer than its byte count.
    #[error("{got} bytes of data where the byte count says {declared}")]
    Length {
        /// The byte count.
        declared: usize,
        /// Bytes of data present.
        got: usize,
    },
    /// A byte count that contradicts the data or the quantity beside it.
    #[error("byte count {declared} where {expected} is due")]
    ByteCount {
        /// The byte count.
        declared: usize,
        /// What the rest of the PDU asks for.
        expected: usize,
    },
    /// A quantity that its function does not allow.
    #[error("quantity {got} is not within {min} to {max}")]
    Quantity {
        /// The quantity.
        got: usize,
        /// The smallest allowed.
        min: usize,
        /// The largest allowed.
        max: usize,
    },
    /// A coil is written with 0000 or FF00 only (clause 6.5).
    #[error("{got:04X} is not a coil value (0000 or FF00)")]
    CoilValue {
        /// The value.
        got: u16,
    },
    /// A function code that no request can have: 0, or 80 and above.
    #[error("{function:02X} is not a function code of a request")]
    IllegalFunction {
        /// The function code.
        function: u8,
    },
    /// An exception answer is two bytes (clause 7).
    #[error("an exception answer of {got} bytes, not 2")]
    ExceptionLength {
        /// Bytes present.
        got: usize,
    },
    /// The answer is of another function than the request.
    #[error("function {got:02X} answers function {expected:02X}")]
    Function {
        /// The request's function code.
        expected: u8,
        /// The answer's function code.
        got: u8,
    },
    /// The answer does not repeat what was sent.
    #[error("the answer's {field} is {got:04X}, sent was {sent:04X}")]
    Echo {
        /// Which field.
        field: &'static str,
        /// What the request said.
        sent: u16,
        /// What the answer says.
        got: u16,
    },
    /// The answer holds more or fewer items than were asked for. Coils count in bytes.
    #[error("the answer holds {got} items, asked for were {asked}")]
    AnswerQuantity {
        /// Items asked for.
        asked: usize,
        /// Items in the answer.
        got: usize,
    },
    /// A file record's reference type is 6 (clauses 6.14, 6.15).
    #[error("reference type {got:02X} is not 06")]
    ReferenceType {
        /// The reference type.
        got: u8,
    },
    /// A file record's length contradicts the data around it.
    #[error("a file record of {declared} bytes where {got} are left")]
    RecordLength {
        /// The length that the record declares, in bytes.
        declared: usize,
        /// Bytes left for it.
        got: usize,
    },
    /// An encapsulated interface other than `CANopen` (0D) and device identification (0E).
    #[error("{got:02X} is not a MEI type (0D or 0E)")]
    MeiType {
        /// The MEI type.
        got: u8,
    },
    /// A device identification is read with the codes 1 to 4 (clause 6.21).
    #[error("{got:02X} is not a read device id code (01 to 04)")]
    ReadCode {
        /// The code.
        got: u8,
    },
    /// A conformity level that clause 6.21 does not list.
    #[error("{got:02X} is not a conformity level (01 to 03, 81 to 83)")]
    ConformityLevel {
        /// The level.
        got: u8,
    },
    /// More follows is 00 or FF, and with 00 the next object id is 00 (clause 6.21).
    #[error("more follows {more:02X} with next object id {next:02X}")]
    MoreFollows {
        /// The byte `more follows`.
        more: u8,
        /// The byte `next object id`.
        next: u8,
    },
    /// The objects of a device identification do not fill the PDU as their lengths and their
    /// number say.
    #[error("the lengths of the identification objects do not add up to the PDU")]
    ObjectLength,
}

impl Defect {
    /// The short stable word for this kind of defect.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Short { .. } => "short-pdu",
            Self::TooLong { .. } => "pdu-too-long",
            Self::Trailing { .. } => "trailing-bytes",
            Self::Length { .. } => "length-mismatch",
            Self::ByteCount { .. } => "byte-count-mismatch",
            Self::Quantity { .. } => "quantity-out-of-range",
            Self::CoilValue { .. } => "invalid-coil-value",
            Self::IllegalFunction { .. } => "illegal-function",
            Self::ExceptionLength { .. } => "exception-length",
            Self::Function { .. } => "function-mismatch",
            Self::Echo { .. } => "echo-mismatch",
            Self::AnswerQuantity { .. } => "quantity-mismatch",
            Self::ReferenceType { .. } => "invalid-reference-type",
            Self::RecordLength { .. } => "record-length-mismatch",
            Self::MeiType { .. } => "invalid-mei-type",
            Self::ReadCode { .. } => "invalid-read-dev-id-code",
            Self::ConformityLevel { .. } => "invalid-conformity-level",
            Self::MoreFollows { .. } => "invalid-more-follows",
            Self::ObjectLength => "object-length-mismatch",
        }
    }

    /// What a server answers to a request with this defect: illegal function for what it cannot
    /// know, illegal data value for every other (clause 7: the *structure* of the request counts
    /// as its value).
    pub fn exception(&self) -> ExceptionCode {
        match self {
            Self::IllegalFunction { .. } | Self::MeiType { .. } => ExceptionCode::IllegalFunction,
            _ => ExceptionCode::IllegalDataValue,
        }
    }
}
