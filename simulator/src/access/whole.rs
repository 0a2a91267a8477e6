//! Stretches that make sense only as a whole: a date, the halves of a number.

use passline_modbus::pdu::{ExceptionCode, Request};
use passline_modbus::point::Span;

use super::write::Touched;

/// Cells that are read or written as a whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    /// The cells.
    pub cells: Span,
    /// What a read is answered with that touches some of them and not all. Without it, it is let
    /// through.
    pub read: Option<ExceptionCode>,
    /// What a write is answered with that touches some of them and not all, or is of a function
    /// that writes single cells. Without it, it is let through.
    pub write: Option<ExceptionCode>,
}

impl Whole {
    pub(super) fn check(
        &self,
        request: &Request<'_>,
        touched: Touched,
    ) -> Result<(), ExceptionCode> {
        let is_part = |span: Span| self.cells.overlaps(span) && !span.contains(self.cells);
        if let Some(code) = self.read.filter(|_| touched.read.is_some_and(is_part)) {
            return Err(code);
        }
        let is_single = |span: Span| self.cells.overlaps(span) && !is_multiple(request);
        let refused = touched.written.is_some_and(|span| is_part(span) || is_single(span));
        self.write.filter(|_| refused).map_or(Ok(()), Err)
    }
}

/// Whether a request can write several cells at once.
fn is_multiple(request: &Request<'_>) -> bool {
    matches!(
        request,
        Request::WriteMultipleCoils(..)
            | Request::WriteMultipleRegisters(..)
            | Request::ReadWriteMultipleRegisters(..)
    )
}
