//! `settle`, `within`, `stays` and `every`: when a check is looked at, and how often.

use std::time::Duration;

use super::At;
use super::check::judges_the_answer;
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Shape};
use crate::spec::retry::Retry;
use crate::spec::timing::{Poll, Timing};

/// What says when a check is looked at.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "settle",
        Shape::Duration,
        "How long after its beginning the step is first looked at. Default at once.",
    ),
    Field::optional(
        "within",
        Shape::Duration,
        "It must hold by then, from the beginning of the step; until then it is looked at again and again.",
    ),
    Field::optional(
        "stays",
        Shape::Duration,
        "Once it holds, it must go on holding for this long.",
    ),
    Field::optional(
        "every",
        Shape::Duration,
        "From the beginning of one look to that of the next. Default 50ms.",
    ),
];

const PACE: Duration = Duration::from_millis(50);

/// When a check is looked at. `None`: reported.
pub(super) fn timing(at: &At<'_, '_>, retry: Option<&Retry>) -> Option<Timing> {
    let At { context, fields, .. } = *at;
    let given: Vec<&str> = FIELDS.iter().map(|f| f.key).filter(|key| fields.has(key)).collect();
    if given.is_empty() {
        return Some(Timing::Once);
    }
    let refuse = |key: &str, message: &str, remedy: &str| {
        context.report(Diagnostic::error(fields.key_span(key), message).remedy(remedy));
    };
    let durations = given.iter().map(|key| Some((*key, fields.duration(key)?.value)));
    let durations: Vec<(&str, Duration)> = durations.collect::<Option<_>>()?;
    let of = |key: &str| durations.iter().find(|(of, _)| *of == key).map(|(_, time)| *time);
    let (settle, within, stays) = (of("settle").unwrap_or_default(), of("within"), of("stays"));
    let poll = Poll { settle, within, stays, every: of("every").unwrap_or(PACE) };
    let looks_again = poll.looks_again();
    if let Some((key, _)) = durations.iter().find(|(_, time)| time.is_zero()) {
        refuse(key, &format!("`{key}` is no time at all"), "give it a time, or remove it");
    } else if of("every").is_some() && !looks_again {
        let remedy = "add `within` or `stays`, or remove `every`";
        refuse("every", "this step is looked at once: there is no pace", remedy);
    } else if within.is_some_and(|within| settle >= within) {
        let message = "it would first be looked at when the time is over";
        refuse("settle", message, "give `within` the longer time");
    } else if looks_again && fields.has("record") {
        let key = if within.is_some() { "within" } else { "stays" };
        let message = format!("`{key}` waits for a limit to hold, and there is none");
        refuse(key, &message, "give it a limit, or use `settle`, which reads once and later");
    } else if retry.is_some_and(Retry::repeats_values) && !judges_the_answer(fields) {
        let message = "a value that does not hold is looked at again anyway";
        refuse("retry", message, "leave `limit` and `decode` out of its `errors`");
    } else {
        return Some(Timing::Poll(poll));
    }
    None
}
