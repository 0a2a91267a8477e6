//! Values one after the other.

use std::time::Duration;

use passline_modbus::value::Value;

/// Values one after the other; the last one stays, or the first one follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    first: Value,
    /// When each of the others begins, ascending.
    others: Vec<(Duration, Value)>,
    /// After how long it begins anew.
    period: Option<Duration>,
}

/// One value, and how long it lasts.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The value.
    pub value: Value,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Steps {
    /// `steps` one after the other, then `last` for ever.
    pub fn ending(steps: impl IntoIterator<Item = Step>, last: Value) -> Self {
        let mut begins = Duration::ZERO;
        let mut values = Vec::new();
        for Step { value, lasts } in steps {
            values.push((begins, value));
            begins = begins.saturating_add(lasts);
        }
        values.push((begins, last));
        let (_, first) = values.remove(0);
        Self { first, others: values, period: None }
    }

    /// `first` and then the `others`, over and over.
    pub fn repeating(first: Step, others: impl IntoIterator<Item = Step>) -> Self {
        let mut begins = first.lasts;
        let mut values = Vec::new();
        for Step { value, lasts } in others {
            values.push((begins, value));
            begins = begins.saturating_add(lasts);
        }
        Self { first: first.value, others: values, period: Some(begins) }
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.first).chain(self.others.iter().map(|(_, value)| value))
    }

    /// The value so long after it began.
    pub fn at(&self, elapsed: Duration) -> &Value {
        let elapsed = match self.period.map(|period| period.as_nanos()) {
            Some(period @ 1..) => {
                Duration::from_nanos(u64::try_from(elapsed.as_nanos() % period).unwrap_or(u64::MAX))
            }
            _ => elapsed,
        };
        let begun = self.others.partition_point(|(begins, _)| *begins <= elapsed);
        let last = begun.checked_sub(1).and_then(|index| self.others.get(index));
        last.map_or(&self.first, |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(label: &str, lasts: u64) -> Step {
        Step { value: Value::Text(label.to_owned()), lasts: Duration::from_millis(lasts) }
    }

    fn labels(steps: &Steps, times: &[u64]) -> String {
        let label = |at: &u64| steps.at(Duration::from_millis(*at)).to_string();
        times.iter().map(label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_last_of_the_steps_stays() {
        let steps = Steps::ending([step("off", 100), step("boot", 50)], step("run", 0).value);
        assert_eq!(labels(&steps, &[0, 99, 100, 149, 150, 99_999]), "off off boot boot run run");
    }

    #[test]
    fn repeated_steps_begin_anew() {
        let steps = Steps::repeating(step("a", 10), [step("b", 20), step("c", 5)]);
        assert_eq!(labels(&steps, &[0, 9, 10, 29, 30, 34, 35, 45, 65]), "a a b b c c a b c");
    }
}
