//! `retry:`: when an attempt is made again. Data only: the engine walks it.

use std::time::Duration;

use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::record::ErrorClass;

/// When an attempt is made again.
pub(super) static RETRY: Object = Object {
    name: "retry",
    doc: "How often, how soon, and after what an attempt is repeated. An out-of-limit value is repeated only where `limit` is among the errors.",
    fields: &[PACE, CAUSES],
};

pub(super) const CAUSES: &[Field] = &[
    Field::optional(
        "max_time",
        Shape::Duration,
        "No attempt begins later than this after the first one. Default no bound.",
    ),
    Field::optional(
        "errors",
        Shape::OneOrMany(&Shape::Text),
        "Error classes to repeat after: timeout, connect, closed, crc, frame, busy, gateway (the default), late, foreign, decode, exception-NN, and limit.",
    ),
    Field::optional(
        "busy",
        Shape::Object(&RULE),
        "A rule of its own for `busy`; these attempts count by themselves.",
    ),
    Field::optional(
        "gateway",
        Shape::Object(&RULE),
        "A rule of its own for `gateway`; these attempts count by themselves.",
    ),
];

static RULE: Object = Object {
    name: "retry rule",
    doc: "How often and how soon an attempt is repeated after one class of errors; what is absent is as in the `retry` around it.",
    fields: &[PACE],
};

pub(super) const PACE: &[Field] = &[
    Field::optional(
        "attempts",
        Shape::Integer { min: 1, max: 1000 },
        "Attempts in all. Default 3.",
    ),
    Field::optional("delay", Shape::Duration, "Pause before the second attempt. Default 100ms."),
    Field::optional(
        "backoff",
        Shape::Number,
        "Each later pause is the one before times this, 1 to 100. Default 1.",
    ),
    Field::optional("max_delay", Shape::Duration, "No pause is longer. Default 1m."),
];

/// What makes an attempt worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A link error, or an exception answer, of this class.
    Class(ErrorClass),
    /// A value out of limits: only where the spec asks for it.
    Limit,
}

/// How often and how soon an attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Attempts in all, from 1.
    pub attempts: u32,
    /// Pause before the second attempt.
    pub delay: Duration,
    /// Each later pause is the one before times this, from 1.
    pub backoff: f64,
    /// No pause is longer than this.
    pub max_delay: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempts: 3,
            delay: Duration::from_millis(100),
            backoff: 1.0,
            max_delay: Duration::from_mins(1),
        }
    }
}

impl Pace {
    /// The pause after attempt `n` (from 1); `None` after the last one.
    fn pause_after(&self, n: u32) -> Option<Duration> {
        if n >= self.attempts {
            return None;
        }
        let exponent = i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.delay.as_secs_f64() * self.backoff.powi(exponent);
        let pause = Duration::try_from_secs_f64(seconds).unwrap_or(self.max_delay);
        Some(pause.min(self.max_delay))
    }
}

/// How often, how soon, and after what an attempt is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// After every cause that has no pace of its own.
    pub pace: Pace,
    /// After [`ErrorClass::Busy`], where that has a pace of its own.
    pub busy: Option<Pace>,
    /// After [`ErrorClass::Gateway`], where that has a pace of its own.
    pub gateway: Option<Pace>,
    /// No attempt begins later than this after the first one.
    pub max_time: Option<Duration>,
    /// What is repeated after.
    pub causes: Vec<Cause>,
}

impl Default for Retry {
    fn default() -> Self {
        let causes = [
            ErrorClass::Timeout,
            ErrorClass::Connect,
            ErrorClass::Closed,
            ErrorClass::Crc,
            ErrorClass::Frame,
            ErrorClass::Busy,
            ErrorClass::Gateway,
        ]
        .map(Cause::Class);
        let pace = Pace::default();
        Self { pace, busy: None, gateway: None, max_time: None, causes: causes.to_vec() }
    }
}

/// The failed attempts so far, each counted by the pace that it falls under.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    busy: u32,
    gateway: u32,
    others: u32,
}

impl Retry {
    /// Counts an attempt that ended for `cause`. Returns the pause until the next one, which would
    /// end the wait `elapsed` after the first attempt began; `None` if there is to be no other.
    pub fn again(&self, spent: &mut Spent, cause: Cause, elapsed: Duration) -> Option<Duration> {
        let (pace, count) = match (cause, self.busy, self.gateway) {
            (Cause::Class(ErrorClass::Busy), Some(pace), _) => (pace, &mut spent.busy),
            (Cause::Class(ErrorClass::Gateway), _, Some(pace)) => (pace, &mut spent.gateway),
            _ => (self.pace, &mut spent.others),
        };
        *count = count.saturating_add(1);
        let pause = pace.pause_after(*count).filter(|_| self.causes.contains(&cause))?;
        let begins = elapsed.saturating_add(pause);
        self.max_time.is_none_or(|longest| begins <= longest).then_some(pause)
    }

    /// Whether a value that was read is read again: one out of limits, or one that means nothing.
    pub fn repeats_values(&self) -> bool {
        let of_values = [Cause::Limit, Cause::Class(ErrorClass::Decode)];
        self.pace.attempts > 1 && self.causes.iter().any(|cause| of_values.contains(cause))
    }
}

/// Reads a `retry:`.
pub(super) fn retry(context: &Context<'_>, fields: &Fields<'_, '_>) -> Retry {
    let mut retry = Retry { pace: pace(context, fields, Pace::default()), ..Retry::default() };
    retry.max_time = fields.duration("max_time").map(|longest| longest.value);
    if fields.has("errors") {
        let nodes = fields.one_or_many("errors").into_iter();
        retry.causes = nodes.filter_map(|node| cause(context, node)).collect();
    }
    retry.busy = rule(context, fields, (&retry, ErrorClass::Busy));
    retry.gateway = rule(context, fields, (&retry, ErrorClass::Gateway));
    retry
}

/// The rule of one class, which has to be among those that are repeated after.
fn rule(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    (retry, class): (&Retry, ErrorClass),
) -> Option<Pace> {
    let name = class.to_string();
    let rule = fields.object(&name)?;
    if !retry.causes.contains(&Cause::Class(class)) {
        let message = format!("{} has a rule, and is not among the `errors`", quoted(&name));
        let error = Diagnostic::error(fields.key_span(&name), message);
        context.report(error.remedy(format!("add {name} to `errors`, or remove the rule")));
    }
    Some(pace(context, &rule, retry.pace))
}

/// A pace; what is absent is as in another.
fn pace(context: &Context<'_>, fields: &Fields<'_, '_>, other: Pace) -> Pace {
    let duration = |key| fields.duration(key).map(|duration| duration.value);
    let mut pace = Pace {
        attempts: fields.integer("attempts").map_or(other.attempts, |attempts| attempts.value),
        delay: duration("delay").unwrap_or(other.delay),
        max_delay: duration("max_delay").unwrap_or(other.max_delay),
        ..other
    };
    if let Some(backoff) = fields.number("backoff") {
        pace.backoff = backoff.value.to_f64();
        if !(1.0..=100.0).contains(&pace.backoff) {
            let error = Diagnostic::error(backoff.span, "a backoff is within 1..=100");
            context.report(error.remedy("remove it for pauses that stay the same"));
        }
    }
    pace
}

fn cause(context: &Context<'_>, node: crate::language::yaml::Node<'_>) -> Option<Cause> {
    let text = context.text(node)?;
    if text.value == "limit" {
        return Some(Cause::Limit);
    }
    let unrepeatable = [ErrorClass::Io, ErrorClass::Internal];
    match text.value.parse::<ErrorClass>() {
        Ok(class) if !unrepeatable.contains(&class) => Some(Cause::Class(class)),
        _ => {
            let names = ErrorClass::NAMED.into_iter().filter(|class| !unrepeatable.contains(class));
            let names: Vec<String> =
                names.map(|class| class.to_string()).chain(["limit".to_owned()]).collect();
            let message = format!("{} is no error to repeat after", quoted(&text.value));
            let error = Diagnostic::error(text.span, message);
            let error = error.remedy(format!("write {} or exception-NN", names.join(", ")));
            context.report(error.suggest(&text.value, names.iter().map(String::as_str)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn class(class: ErrorClass) -> Cause {
        Cause::Class(class)
    }

    /// The pauses in milliseconds after these failed attempts in a row, all of them at once.
    fn pauses(retry: &Retry, causes: &[Cause]) -> Vec<Option<u128>> {
        let mut spent = Spent::default();
        let again = |cause: &Cause| retry.again(&mut spent, *cause, Duration::ZERO);
        causes.iter().map(again).map(|pause| pause.map(|pause| pause.as_millis())).collect()
    }

    #[test]
    fn pauses_grow_by_the_backoff_up_to_the_longest() {
        let pace = Pace { attempts: 5, backoff: 2.0, max_delay: 350 * MS, ..Pace::default() };
        let retry = Retry { pace, ..Retry::default() };
        let found = pauses(&retry, &[class(ErrorClass::Timeout); 5]);
        assert_eq!(found, [Some(100), Some(200), Some(350), Some(350), None]);
        let endless = Pace { attempts: u32::MAX, backoff: 1e300, ..pace };
        assert_eq!(endless.pause_after(u32::MAX - 1), Some(endless.max_delay));
    }

    #[test]
    fn a_value_out_of_limits_is_final_unless_asked_for() {
        let retry = Retry::default();
        let timeouts = [class(ErrorClass::Timeout); 3];
        assert_eq!(pauses(&retry, &timeouts), [Some(100), Some(100), None]);
        assert_eq!(pauses(&retry, &[class(ErrorClass::of_exception(2))]), [None]);
        assert_eq!(pauses(&retry, &[Cause::Limit]), [None]);
    }

    #[test]
    fn a_class_with_a_rule_of_its_own_does_not_use_up_the_other_attempts() {
        let busy = Some(Pace { attempts: 4, delay: 7 * MS, ..Pace::default() });
        let pace = Pace { attempts: 2, ..Pace::default() };
        let retry = Retry { pace, busy, ..Retry::default() };
        let (wait, lost) = (class(ErrorClass::Busy), class(ErrorClass::Timeout));
        assert_eq!(
            pauses(&retry, &[wait, wait, lost, wait, wait]),
            [Some(7), Some(7), Some(100), Some(7), None]
        );
        assert_eq!(pauses(&retry, &[wait, lost, wait, lost]), [Some(7), Some(100), Some(7), None]);
        let gateway = class(ErrorClass::Gateway);
        assert_eq!(pauses(&retry, &[lost, gateway]), [Some(100), None], "no rule, one count");
    }

    #[test]
    fn no_attempt_begins_after_the_longest_time() {
        let retry = Retry { max_time: Some(150 * MS), ..Retry::default() };
        let again = |elapsed| retry.again(&mut Spent::default(), class(ErrorClass::Busy), elapsed);
        assert_eq!(again(50 * MS), Some(100 * MS));
        assert_eq!(again(51 * MS), None);
    }
}
