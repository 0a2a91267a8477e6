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
    fields: &[&[
        Field::optional(
            "attempts",
            Shape::Integer { min: 1, max: 1000 },
            "Attempts in all. Default 3.",
        ),
        Field::optional(
            "delay",
            Shape::Duration,
            "Pause before the second attempt. Default 100ms.",
        ),
        Field::optional(
            "backoff",
            Shape::Number,
            "Each later pause is the one before times this, 1 to 100. Default 1.",
        ),
        Field::optional("max_delay", Shape::Duration, "No pause is longer. Default 1m."),
        Field::optional(
            "errors",
            Shape::OneOrMany(&Shape::Text),
            "Error classes to repeat after: timeout, connect, closed, crc, frame, busy, gateway (the default), late, foreign, decode, exception-NN, and limit.",
        ),
    ]],
};

/// What makes an attempt worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A link error, or an exception answer, of this class.
    Class(ErrorClass),
    /// A value out of limits: only where the spec asks for it.
    Limit,
}

/// How often, how soon, and after what an attempt is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts in all, from 1.
    pub attempts: u32,
    /// Pause before the second attempt.
    pub delay: Duration,
    /// Each later pause is the one before times this, from 1.
    pub backoff: f64,
    /// No pause is longer than this.
    pub max_delay: Duration,
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
        Self {
            attempts: 3,
            delay: Duration::from_millis(100),
            backoff: 1.0,
            max_delay: Duration::from_mins(1),
            causes: causes.to_vec(),
        }
    }
}

impl Retry {
    /// Whether attempt `n` (from 1), which ended for `cause`, is followed by another.
    pub fn again(&self, n: u32, cause: Cause) -> bool {
        n < self.attempts && self.causes.contains(&cause)
    }

    /// Whether a value that was read is read again: one out of limits, or one that means nothing.
    pub fn repeats_values(&self) -> bool {
        let of_values = [Cause::Limit, Cause::Class(ErrorClass::Decode)];
        self.attempts > 1 && self.causes.iter().any(|cause| of_values.contains(cause))
    }

    /// The pause after attempt `n` (from 1).
    pub fn pause_after(&self, n: u32) -> Duration {
        let exponent = i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.delay.as_secs_f64() * self.backoff.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_delay).min(self.max_delay)
    }
}

/// Reads a `retry:`.
pub(super) fn retry(context: &Context<'_>, fields: &Fields<'_, '_>) -> Retry {
    let mut retry = Retry::default();
    if let Some(attempts) = fields.integer("attempts") {
        retry.attempts = attempts.value;
    }
    if let Some(delay) = fields.duration("delay") {
        retry.delay = delay.value;
    }
    if let Some(longest) = fields.duration("max_delay") {
        retry.max_delay = longest.value;
    }
    if let Some(backoff) = fields.number("backoff") {
        retry.backoff = backoff.value.to_f64();
        if !(1.0..=100.0).contains(&retry.backoff) {
            let error = Diagnostic::error(backoff.span, "a backoff is within 1..=100");
            context.report(error.remedy("remove it for pauses that stay the same"));
        }
    }
    if fields.has("errors") {
        let nodes = fields.one_or_many("errors").into_iter();
        retry.causes = nodes.filter_map(|node| cause(context, node)).collect();
    }
    retry
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

    #[test]
    fn pauses_grow_by_the_backoff_up_to_the_longest() {
        let retry = Retry {
            attempts: 5,
            backoff: 2.0,
            max_delay: Duration::from_millis(350),
            ..Retry::default()
        };
        let pauses: Vec<u128> = (1..=4).map(|n| retry.pause_after(n).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 350, 350]);
        let endless = Retry { backoff: 1e300, ..retry };
        assert_eq!(endless.pause_after(u32::MAX), endless.max_delay);
    }

    #[test]
    fn a_value_out_of_limits_is_final_unless_asked_for() {
        let retry = Retry::default();
        assert!(retry.again(1, Cause::Class(ErrorClass::Timeout)));
        assert!(!retry.again(3, Cause::Class(ErrorClass::Timeout)));
        assert!(!retry.again(1, Cause::Class(ErrorClass::of_exception(2))));
        assert!(!retry.again(1, Cause::Limit));
    }
}
