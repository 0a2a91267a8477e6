//! Limits proposed from units that are known to be good: mean ± k·s, where s is the sample standard
//! deviation over the units. Pure. A proposal says from how many units, and with which k: whether
//! the values are normally distributed, and whether the units are like those to come, nobody knows
//! from the numbers.

use passline_modbus::value::Value;

use super::capture::{Capture, Stretch};
use super::guess::{Guess, guesses};
use crate::draft::quoted;

/// Why there is no proposal.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum LimitsError {
    /// Nothing can be said about spread.
    #[error("limits need at least 2 units, and {0} was given")]
    Units(usize),
    /// No limit lies there.
    #[error("sigma must be a finite number above 0, not {0}")]
    Sigma(f64),
    /// What was captured is not all of it.
    #[error("the capture of unit {0}, counted from 1, is not complete")]
    Incomplete(usize),
    /// Nothing was captured that all units have.
    #[error("the units have no address in common that was captured of all of them")]
    Nothing,
}

/// A limit for one point, from several units.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The point, by the name that `learn` gives it.
    pub point: String,
    /// The limit, as keys of a step.
    pub limit: String,
    /// What it comes from.
    pub why: String,
}

/// Limits for all points that these units have in common.
///
/// # Errors
/// [`LimitsError`]: no honest limit follows from these.
pub fn propose(units: &[Capture], sigma: f64) -> Result<Vec<Proposal>, LimitsError> {
    if units.len() < 2 {
        return Err(LimitsError::Units(units.len()));
    }
    if !sigma.is_finite() || sigma <= 0.0 {
        return Err(LimitsError::Sigma(sigma));
    }
    if let Some(at) = units.iter().position(|unit| !unit.complete || unit.samples.is_empty()) {
        return Err(LimitsError::Incomplete(at + 1));
    }
    let stretches = together(units);
    if stretches.is_empty() {
        return Err(LimitsError::Nothing);
    }
    let counts: Vec<usize> = units.iter().map(|unit| unit.samples.len()).collect();
    let mut proposals = Vec::new();
    for (stretch, guesses) in stretches.iter().zip(guesses(&stretches)) {
        proposals.extend(guesses.iter().filter_map(|guess| {
            let units = values(stretch, guess, &counts)?;
            let point = format!("{}_{}", stretch.table, stretch.address(guess.at));
            proposal(point, &units, sigma)
        }));
    }
    Ok(proposals)
}

/// All rounds of all units, as if they were of one: a point has one type in all of them.
fn together(units: &[Capture]) -> Vec<Stretch> {
    let mut all = Capture::new(String::new(), 0, Vec::new());
    all.samples = units.iter().flat_map(|unit| unit.samples.clone()).collect();
    all.stretches()
}

/// The values of a point, unit by unit.
fn values(stretch: &Stretch, guess: &Guess, counts: &[usize]) -> Option<Vec<Vec<Value>>> {
    let mut values = guess.values(stretch)?.into_iter();
    Some(counts.iter().map(|count| values.by_ref().take(*count).collect()).collect())
}

fn proposal(point: String, units: &[Vec<Value>], sigma: f64) -> Option<Proposal> {
    let n = units.len();
    let first = units.first()?.first()?;
    if units.iter().flatten().all(|value| value == first) {
        let limit = equals(first)?;
        return Some(Proposal { point, limit, why: format!("n = {n}, always the same") });
    }
    let means: Option<Vec<f64>> = units.iter().map(|values| mean(values)).collect();
    let means = means?;
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 units")]
    let (count, free) = (n as f64, (n - 1) as f64);
    let centre = means.iter().sum::<f64>() / count;
    let squares: f64 = means.iter().map(|mean| (mean - centre).powi(2)).sum();
    let deviation = (squares / free).sqrt();
    let (low, high) = (centre - sigma * deviation, centre + sigma * deviation);
    // Units that are alike on average say nothing about the limits of one value.
    if !(low.is_finite() && high.is_finite() && low < high) {
        return None;
    }
    let why = format!("n = {n}, k = {sigma}, mean {centre:.6}, s = {deviation:.6}");
    Some(Proposal { point, limit: format!("min: {low}, max: {high}"), why })
}

/// The limit that only this value passes.
pub(super) fn equals(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(format!("equals: {}", quoted(text))),
        Value::Number(_) | Value::Bool(_) => Some(format!("equals: {value}")),
        Value::F32(_) | Value::F64(_) => Some(format!("equals: {value}, tolerance: 0")),
        Value::Bytes(_) => None,
    }
}

/// `None`: it is no number.
fn mean(values: &[Value]) -> Option<f64> {
    let numbers = values.iter().map(|value| match value {
        Value::Number(number) => Some(number.to_f64()),
        Value::F32(float) => Some(f64::from(*float)),
        Value::F64(float) => Some(*float),
        _ => None,
    });
    let numbers: Option<Vec<f64>> = numbers.collect();
    let numbers = numbers?;
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 samples")]
    let count = numbers.len() as f64;
    (count > 0.0).then(|| numbers.iter().sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::Table;

    use super::*;
    use crate::learn::{Cells, Sample};

    fn unit(values: &[u16]) -> Capture {
        let memory = vec![Cells { table: Table::Input, first: 0, values: values.to_vec() }];
        let mut unit = Capture::new("x".to_owned(), 1, Vec::new());
        unit.samples = vec![Sample { at_ms: 0, memory }];
        unit.complete = true;
        unit
    }

    #[test]
    fn limits_are_the_mean_and_so_many_standard_deviations() {
        let units = [[98, 7], [100, 7], [102, 7]].map(|values| unit(&values));
        let found = propose(&units, 3.0).expect("limits");
        assert_eq!(found[0].limit, "min: 94, max: 106");
        assert_eq!(found[0].why, "n = 3, k = 3, mean 100.000000, s = 2.000000");
        assert_eq!((found[1].point.as_str(), found[1].limit.as_str()), ("input_1", "equals: 7"));
    }

    #[test]
    fn what_gives_no_honest_limit_is_refused() {
        let one = unit(&[1]);
        assert_eq!(propose(&[], 3.0), Err(LimitsError::Units(0)));
        assert_eq!(propose(std::slice::from_ref(&one), 3.0), Err(LimitsError::Units(1)));
        let two = [one.clone(), one.clone()];
        assert_eq!(propose(&two, 0.0), Err(LimitsError::Sigma(0.0)));
        assert!(matches!(propose(&two, f64::NAN), Err(LimitsError::Sigma(_))));
        let mut cut = one.clone();
        cut.complete = false;
        assert_eq!(propose(&[one.clone(), cut], 3.0), Err(LimitsError::Incomplete(2)));
        let mut other = one.clone();
        other.samples[0].memory[0].first = 9;
        assert_eq!(propose(&[one, other], 3.0), Err(LimitsError::Nothing));
    }
}
