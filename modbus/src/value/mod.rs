//! What registers can mean: exact decimals, binary floats, texts. Knows nothing of where a value
//! came from.

mod decimal;

pub use decimal::Decimal;

/// A decoded value, before any limit.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A coil, a discrete input, or one bit of a register.
    Bool(bool),
    /// Integers, scaled integers and BCD: exact, every digit kept.
    Number(Decimal),
    /// `f16` and `f32` points. May be NaN or infinite.
    F32(f32),
    /// `f64` points and inexact expressions. May be NaN or infinite.
    F64(f64),
    /// Strings, and the labels of points with `values`.
    Text(String),
    /// `bytes` points.
    Bytes(Vec<u8>),
}
