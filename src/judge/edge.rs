//! Where judgements turn: what to try to see that a check can fail.

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::value::Decimal;

/// One place where a limit turns.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge<'l> {
    /// The key of the limit.
    pub key: &'static str,
    /// What turns there.
    pub turns: Turns,
    /// What the value, or the answer, is there.
    pub at: At<'l>,
}

/// What turns at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// The verdict, as far as it is this limit's to say.
    Verdict,
    /// Whether a pass is marginal.
    Marginal,
    /// The statement of conformity.
    Conformity,
}

/// What the value, or the answer, is at an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At<'l> {
    /// Just below, at or just above this number it turns.
    Number(&'l Decimal),
    /// It turns for this truth value.
    Bool(bool),
    /// It turns for this text, this label, or these bytes (`0A FF`).
    Text(&'l str),
    /// It turns for texts that do not match this regular expression.
    Matches(&'l str),
    /// It turns for texts that are less than this version.
    Version(&'l str),
    /// It turns with this bit, which must be set or clear. Bit 0 is the least significant.
    Bit {
        /// Which.
        index: u32,
        /// What it must be.
        set: bool,
    },
    /// It turns for what is NaN, infinite, or declared invalid.
    NoValue,
    /// It turns for any other answer than this exception.
    Exception(ExceptionCode),
    /// It turns with whether there is an answer; this is what must be.
    Answers(bool),
}

/// The edges of what judges under one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Case<'l> {
    /// The `if` of the band; `None` for limits without bands.
    pub condition: Option<&'l str>,
    /// Of all limits that judge then.
    pub edges: Vec<Edge<'l>>,
}

impl<'l> At<'l> {
    /// The number, if it is one.
    pub fn number(self) -> Option<&'l Decimal> {
        match self {
            Self::Number(at) => Some(at),
            _ => None,
        }
    }

    pub(super) fn is_number(self, number: &Decimal) -> bool {
        self.number() == Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{demand, limits, plain, point};

    /// `key: place`, with what turns there unless it is the verdict.
    fn shown(edges: &[Edge<'_>]) -> Vec<String> {
        let edge = |edge: &Edge<'_>| {
            let turns = match edge.turns {
                Turns::Verdict => "",
                Turns::Marginal => "marginal ",
                Turns::Conformity => "conformity ",
            };
            match edge.at {
                At::Number(at) => format!("{turns}{}: {at}", edge.key),
                other => format!("{turns}{}: {other:?}", edge.key),
            }
        };
        edges.iter().map(edge).collect()
    }

    #[test]
    fn every_limit_has_its_edges() {
        let word = plain("u16");
        let state = point("u16", |point| {
            point.labels = vec![(0, "idle".into()), (1, "run".into()), (7, "stop".into())];
        });
        for (yaml, point, expected) in [
            ("min: 3, below: 9", &word, vec!["min: 3", "below: 9"]),
            ("nominal: 100, tolerance: 5%", &word, vec!["nominal: 95", "nominal: 105"]),
            ("max: 9, not: 8", &word, vec!["not: 8", "max: 9"]),
            ("one_of: [3, 5]", &word, vec!["one_of: 3", "one_of: 5"]),
            (
                "one_of: [idle, run]",
                &state,
                vec![r#"one_of: Text("idle")"#, r#"one_of: Text("run")"#],
            ),
            (
                "bits: { set: [0, ready], clear: [15] }",
                &word,
                vec![
                    "bits: Bit { index: 0, set: true }",
                    "bits: Bit { index: 3, set: true }",
                    "bits: Bit { index: 15, set: false }",
                ],
            ),
            ("matches: '[0-9]+'", &plain("string"), vec![r#"matches: Matches("[0-9]+")"#]),
            ("at_least: '1.2'", &plain("string"), vec![r#"at_least: Version("1.2")"#]),
            ("equals: true", &plain("bool"), vec!["equals: Bool(true)"]),
            ("valid: true", &plain("f32"), vec!["valid: NoValue"]),
            ("answers: false", &word, vec!["answers: Answers(false)"]),
            ("record: true", &word, vec![]),
            (
                "min: 3, max: 9, marginal: { max: 8 }",
                &word,
                vec!["min: 3", "max: 9", "marginal max: 8"],
            ),
        ] {
            assert_eq!(shown(&limits(yaml, point).edges()), expected, "{yaml}");
        }
    }

    #[test]
    fn a_guarded_limit_turns_where_it_is_guarded() {
        let word = plain("u16");
        let yaml = |decision| {
            format!(
                "min: 10, above: 8, max: 90, uncertainty: {{ expanded: 5 }}, decision: {decision}"
            )
        };
        let edges = |decision| shown(&limits(&yaml(decision), &word).edges());
        // `above` is shadowed, and stays what it is.
        assert_eq!(edges("guarded"), ["min: 15", "above: 8", "max: 85"]);
        assert_eq!(edges("simple"), ["min: 10", "above: 8", "max: 90"]);
        let conformity = ["min: 15", "max: 85", "min: 5", "max: 95"];
        let conformity = conformity.map(|edge| format!("conformity {edge}"));
        let verdicts = ["min: 10", "above: 8", "max: 90"].map(str::to_owned);
        assert_eq!(edges("non_binary"), [&verdicts[..], &conformity[..]].concat());
    }

    #[test]
    fn each_band_is_a_case_with_what_is_common() {
        let yaml = "max: 90, bands: [{ if: cold, min: 10 }, { if: hot, min: 50 }]";
        let demand = demand(yaml, &plain("u16")).unwrap();
        let cases = demand.edges();
        let conditions: Vec<_> = cases.iter().filter_map(|case| case.condition).collect();
        assert_eq!(conditions, ["cold", "hot"]);
        assert_eq!(shown(&cases[1].edges), ["max: 90", "min: 50"]);
    }
}
