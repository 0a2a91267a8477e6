//! What a teardown did not bring about: which output is not known to be safe, and what it should be.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::Running;
use super::test::ABORTED;
use super::tries::Trouble;
use crate::plan::Line;
use crate::record::{CheckResult, ErrorClass, Verdict};
use crate::spec::model::{Assigned, Reply};

/// Why the rest of a teardown was not made.
pub(super) const NO_TIME: &str = "the time that teardown has after a stop was over";

impl Running<'_> {
    /// What became of a line of a teardown. A value that it should have written and that may not be
    /// there is named.
    pub(super) fn of_teardown(&self, line: &Line<'_>, mut result: CheckResult) -> CheckResult {
        let Line::Write(write, assignment) = line else { return result };
        if !matches!(write.reply, Reply::Acknowledged | Reply::Nothing) {
            return result;
        }
        if is_aborted(&result) {
            result = self.error(ErrorClass::Timeout, &format!("not written: {NO_TIME}"));
        }
        if matches!(result.verdict, Verdict::Fail | Verdict::Error) {
            let value = match &assignment.value {
                Assigned::Constant(value) => value.to_string(),
                Assigned::Computed(expression) => format!("`{}`", expression.text),
            };
            let (name, why) = (&assignment.name, result.message.as_deref().unwrap_or_default());
            let message = format!("{name} may not be {value} now: {why}; make it safe by hand");
            result.message = Some(message);
        }
        result
    }
}

/// Whether a line was not made because its time was over.
pub(super) fn is_aborted(result: &CheckResult) -> bool {
    result.verdict == Verdict::Skipped && result.message.as_deref() == Some(ABORTED)
}

/// Does what may have a fault of ours in it: a panic ends that alone.
pub(super) async fn contained<T>(work: impl Future<Output = T>) -> Result<T, Trouble> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no word of why".to_owned());
        let text = format!("a fault in passline itself, please report it: {text}");
        Trouble { class: ErrorClass::Internal, text }
    })
}
