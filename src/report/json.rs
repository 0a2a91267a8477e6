//! The run as one JSON document, in canonical form.

use std::io;

use crate::record::RunDocument;

/// Writes `document` as compact JSON, without a line break at its end.
///
/// # Errors
///
/// Those of `out`.
pub fn write(document: &RunDocument, out: impl io::Write) -> io::Result<()> {
    Ok(serde_json::to_writer(out, document)?)
}
