//! Records to files that others read. Knows records alone: what it writes years later is what it
//! wrote at the run, to the byte.

pub mod file;
pub mod json;
pub mod junit;

use std::path::Path;

use crate::record::{EvidenceError, Outcome, RunDocument};

/// The name of the document in the folder of its run.
pub const RUN: &str = "run.json";
/// The name of the JUnit report in the folder of its run: Azure's default pattern finds it.
pub const JUNIT: &str = "TEST-passline.xml";

/// Writes the reports of a run into its own folder.
///
/// # Errors
///
/// The first report that could not be written. The document's outcome is then an error, at least,
/// and what could be written says so.
pub fn write_run(
    folder: &Path,
    document: &mut RunDocument,
    hostname: &str,
) -> Result<(), EvidenceError> {
    let path = folder.join(JUNIT);
    let junit = file::create(&path, |out| junit::write(document, hostname, out));
    if junit.is_err() {
        document.worsen(Outcome::Error)?;
    }
    let json = file::create(&folder.join(RUN), |out| json::write(document, out));
    if json.is_err() {
        document.worsen(Outcome::Error)?;
        if junit.is_ok() {
            file::replace(&path, |out| junit::write(document, hostname, out))?;
        }
    }
    junit.and(json)
}
