//! The protocol data unit: function code and data, to bytes and back.
//!
//! `tokio_modbus`'s [`Request`], [`Response`] and [`ExceptionCode`] are the vocabulary. The public
//! functions that it has no variant for (07, 08, 0B, 0C, 14, 15, 18) travel as `Custom`, and are
//! checked just as strictly here. Knows nothing of framing, links or time.

pub use tokio_modbus::{ExceptionCode, Request, Response};

/// Largest PDU in bytes (V1.1b3, clause 4.1: 256 - address - CRC).
pub const MAX_PDU: usize = 253;

/// What a device answered: data, or an exception. Both are answers.
pub type Answer = Result<Response, ExceptionCode>;

/// Why bytes are not the PDU that they should be. `Display` is a sentence; [`Defect::label`] is
/// the short stable word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The PDU has fewer bytes than its function needs.
    #[error("the PDU ends after {got} bytes")]
    Short {
        /// Bytes present.
        got: usize,
    },
}
