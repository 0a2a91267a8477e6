//! Records to files that others read. Knows records alone: what it writes years later is what it
//! wrote at the run, to the byte.

pub mod file;
pub mod json;
pub mod junit;
pub(crate) mod xml;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Verdict, samples::*};

    fn passed() -> RunDocument {
        fold(in_plan_order(&script_of(&[Verdict::Pass])))
    }

    #[test]
    fn the_document_in_the_folder_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut document = passed();
        write_run(folder.path(), &mut document, "bench").unwrap();
        let bytes = std::fs::read(folder.path().join(RUN)).unwrap();
        assert_eq!(RunDocument::read(&bytes).unwrap(), passed());
        assert!(folder.path().join(JUNIT).is_file());
    }

    #[test]
    fn a_report_that_cannot_be_written_fails_the_run() {
        for taken in [RUN, JUNIT] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(taken), "of another run").unwrap();
            let mut document = passed();
            let error = write_run(folder.path(), &mut document, "bench").unwrap_err();
            assert!(matches!(error, EvidenceError::Exists(_)), "{error}");
            assert_eq!(document.outcome, Outcome::Error);
            assert!(document.records.iter().all(crate::record::Record::is_intact));
            let other = if taken == RUN { JUNIT } else { RUN };
            let written = std::fs::read_to_string(folder.path().join(other)).unwrap();
            let says_so = [r#""outcome":"error""#, r#"<error type="error""#];
            assert!(says_so.iter().any(|words| written.contains(words)), "{written}");
            let kept = std::fs::read(folder.path().join(taken)).unwrap();
            assert_eq!(kept, b"of another run");
        }
    }
}
