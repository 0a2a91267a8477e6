//! What a check demands, as its spec says it: read, held against what the point can decode to, and
//! resolved to the limits that judge.

use serde_json::{Map, Value as Json};

use super::bands::{self, Band, Written};
use super::decision::{Given, Rule, RuleError};
use super::edge::Case;
use super::judgement::Judgement;
use super::limit::Limit;
use super::limits::{self, Limits};
use super::number::Unit;
use super::proof::{self, Fault};
use super::reader::{Reader, Reported, Subject};
use super::set::Set;
use super::{answers, exception};
use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Shape};
use crate::language::source::Span;

pub(super) const RECORD: Field = Field::optional(
    "record",
    Shape::Bool,
    "`true`: the value is recorded on purpose without a limit.",
);

/// The keys that say all there is to say: nothing stands beside one, and no expression in its place.
pub(crate) const ALONE: [&str; 3] = [RECORD.key, answers::FIELD.key, exception::FIELD.key];

/// What a check demands of an attempt, before conditions are known. (Limit values that are
/// expressions belong here: [`Demand::resolve`] is where they become numbers.)
#[derive(Debug, Clone, PartialEq)]
pub struct Demand(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    Fixed(Limits),
    Bands { common: Set, bands: Vec<(Band, Option<Box<Rule>>)> },
}

impl From<Limits> for Demand {
    fn from(limits: Limits) -> Self {
        Self(Form::Fixed(limits))
    }
}

impl Demand {
    /// Reads the demand of a step that brings a value: the step's table must hold
    /// [`FIELDS`](super::FIELDS). `None`: it is refused, and what is wrong has been reported.
    pub fn read(
        context: Context<'_>,
        fields: &Fields<'_, '_>,
        subject: &Subject<'_>,
    ) -> Option<Self> {
        read(context, fields, subject).ok()
    }

    /// Reads the demand of a step whose answer carries no value: the step's table must hold
    /// [`ANSWER_FIELDS`](super::ANSWER_FIELDS). `None`: there is none, or it has been reported.
    pub fn read_answer(context: Context<'_>, fields: &Fields<'_, '_>) -> Option<Self> {
        read_answer(context, fields).ok().flatten().map(|limits| Self(Form::Fixed(limits)))
    }

    /// The limits that judge, now that conditions can be evaluated: `evaluate` takes the expression
    /// of an `if`; what it says of one that cannot be evaluated is the judgement. The first band
    /// that matches is the one.
    ///
    /// # Errors
    /// The judgement, if no band matches or a condition cannot be evaluated.
    pub fn resolve(
        &self,
        evaluate: &mut dyn FnMut(&str) -> Result<bool, Judgement>,
    ) -> Result<Limits, Judgement> {
        match &self.0 {
            Form::Fixed(limits) => Ok(limits.clone()),
            Form::Bands { common, bands } => {
                let (band, rule) = bands::matching(bands, evaluate)?;
                Ok(Limits::on_value(common.clone(), Some(band.clone()), rule.clone()))
            }
        }
    }

    /// Where the judgement turns: one case for each band.
    pub fn edges(&self) -> Vec<Case<'_>> {
        match &self.0 {
            Form::Fixed(limits) => vec![Case { condition: None, edges: limits.edges() }],
            Form::Bands { common, bands } => {
                let cases = bands.iter().map(|(band, rule)| Case {
                    condition: Some(band.condition()),
                    edges: limits::edges_of(&limits::sets(common, Some(band)), rule.as_deref()),
                });
                cases.collect()
            }
        }
    }

    /// What is demanded, for plans and for checks that never ran.
    pub fn describe(&self, unit: Option<&str>) -> String {
        match &self.0 {
            Form::Fixed(limits) => limits.describe(unit),
            Form::Bands { common, bands } => {
                let unit = Unit(unit.unwrap_or_default());
                let common = (!common.is_empty()).then(|| common.describe(unit));
                let bands = bands.iter().map(|(band, rule)| {
                    let rule = rule.as_ref().map(|rule| format!(", {}", rule.describe(unit)));
                    band.describe(unit) + &rule.unwrap_or_default()
                });
                common.into_iter().chain(bands).collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// What is demanded, for the record of a check that was not judged.
    pub fn to_json(&self) -> Json {
        match &self.0 {
            Form::Fixed(limits) => limits.to_json(),
            Form::Bands { common, bands } => {
                let mut stored = Map::new();
                common.store(&mut stored);
                let bands =
                    bands.iter().map(|(band, rule)| band.to_json(rule.as_deref())).collect();
                stored.insert("bands".to_owned(), Json::Array(bands));
                Json::Object(stored)
            }
        }
    }
}

fn read(
    context: Context<'_>,
    fields: &Fields<'_, '_>,
    subject: &Subject<'_>,
) -> Result<Demand, Reported> {
    let refuse = |key: &str, message: String, remedy: &str| {
        context.report(Diagnostic::error(fields.key_span(key), message).remedy(remedy));
        Err(Reported)
    };
    if let Some(limits) = read_answer(context, fields)? {
        return Ok(Demand(Form::Fixed(limits)));
    }
    let given = given(fields);
    if fields.has(RECORD.key) {
        if fields.boolean(RECORD.key).ok_or(Reported)?.value {
            return Ok(Demand(Form::Fixed(Limits::RECORDED)));
        }
        let message = "`record: false` is no limit".to_owned();
        return refuse(RECORD.key, message, "add a limit, or write `record: true`");
    }
    if given.is_empty() {
        let message = "this check has no limit, so it cannot fail".to_owned();
        let remedy = "add a limit such as `min`, `max` or `equals`, or `record: true`";
        context.report(Diagnostic::error(fields.span(), message).remedy(remedy));
        return Err(Reported);
    }
    read_value(&Reader::new(context, fields, subject)?, &given)
}

fn read_value(from: &Reader<'_, '_, '_>, given: &[&'static str]) -> Result<Demand, Reported> {
    // All first, so that all are reported.
    let (common, own, bands) = (Set::read(from), Given::read(from), bands::read(from));
    let (common, own, bands) = (common?, own?, bands?);
    let Some(bands) = bands else {
        let first = given.first().copied().unwrap_or_default();
        let spans = (from.fields.key_span(first), from.fields.key_span(own.key()));
        let rule = settle(from, spans, own, &[&common])?;
        return Ok(Demand(Form::Fixed(Limits::on_value(common, None, rule))));
    };
    let settled = bands.into_iter().map(|Written { band, given, span }| {
        let rule = settle(from, (span, span), given.or(&own), &limits::sets(&common, Some(&band)))?;
        Ok((band, rule))
    });
    let bands = settled.collect::<Result<_, _>>()?;
    Ok(Demand(Form::Bands { common, bands }))
}

/// The rule of decision for what judges together, if there is one. Refuses what cannot fail or hold.
fn settle(
    from: &Reader<'_, '_, '_>,
    (span, rule_span): (Span, Span),
    given: Given,
    sets: &[&Set],
) -> Result<Option<Box<Rule>>, Reported> {
    let limits: Vec<&Limit> = sets.iter().flat_map(|set| set.limits()).collect();
    let rule = given.rule(&limits).and_then(|rule| {
        if let Some(rule) = &rule {
            let mut marginal = sets.iter().filter_map(|set| set.marginal());
            marginal.try_for_each(|marginal| rule.check_marginal(marginal))?;
        }
        Ok(rule)
    });
    let refused = |error: RuleError| from.refuse(rule_span, error.to_string(), error.remedy());
    let rule = rule.or_else(refused)?;
    prove(from, span, &limits, rule.as_deref())?;
    Ok(rule)
}

/// The limits that are given, in the order of the spec.
fn given(fields: &Fields<'_, '_>) -> Vec<&'static str> {
    fields.keys().filter(|key| super::FIELDS.iter().any(|field| field.key == *key)).collect()
}

/// The limits on the kind of answer, if there are any. Whatever is asked for, nothing stands beside
/// a limit that says all there is to say: it would not be looked at.
fn read_answer(context: Context<'_>, fields: &Fields<'_, '_>) -> Result<Option<Limits>, Reported> {
    let given = given(fields);
    for alone in ALONE {
        let other = given.iter().find(|key| **key != alone);
        if let (true, Some(other)) = (given.contains(&alone), other) {
            let message = format!("`{alone}` and `{other}` contradict each other");
            let error = Diagnostic::error(fields.key_span(alone), message);
            context.report(error.remedy("keep the one that is meant"));
            return Err(Reported);
        }
    }
    if let Some(node) = fields.node(exception::FIELD.key) {
        let code = exception::read(&context, node).ok_or(Reported)?;
        return Ok(Some(Limits::exception(code)));
    }
    if fields.has(answers::FIELD.key) {
        let wanted = fields.boolean(answers::FIELD.key).ok_or(Reported)?.value;
        return Ok(Some(Limits::answers(wanted)));
    }
    Ok(None)
}

/// Refuses limits that cannot fail or cannot hold.
fn prove(
    from: &Reader<'_, '_, '_>,
    span: Span,
    limits: &[&Limit],
    rule: Option<&Rule>,
) -> Result<(), Reported> {
    let Some(fault) = proof::fault(limits, rule, from.subject) else { return Ok(()) };
    let values = from.subject.describe();
    match fault {
        Fault::CannotFail => from.refuse(
            span,
            format!("this check cannot fail: every value passes ({values})"),
            "narrow the limit, or write `record: true` instead",
        ),
        Fault::CannotHold => from.refuse(
            span,
            format!("this check cannot pass: no value does ({values})"),
            "correct the limit, or the point's declaration",
        ),
        Fault::Unproved => from.refuse(
            span,
            "the pattern is too large to show that it can fail",
            "write a simpler one: `[0-9]` for `\\d`, `[A-Za-z0-9_]` for `\\w`, fewer repetitions",
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{demand, demand_of_answer, limits, plain, refusal};

    #[test]
    fn a_check_without_a_limit_is_refused_unless_it_records() {
        let word = plain("u16");
        assert!(refusal("", &word).starts_with("this check has no limit, so it cannot fail"));
        assert!(refusal("record: false", &word).starts_with("`record: false` is no limit"));
        assert!(refusal("record: true, min: 3", &word).contains("contradict"));
        assert!(refusal("min: 3, record: true", &word).contains("contradict"));
        limits("record: true", &word);
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_where_it_stands() {
        let shown = demand("min: x, equals: true, one_of: [a, 1], matches: '['", &plain("u16"));
        let shown = shown.unwrap_err();
        for column in [7, 18, 33, 40] {
            assert!(shown.contains(&format!("s.yaml:1:{column}")), "{column}: {shown}");
        }
        assert!(shown.contains("`matches` needs a text"), "{shown}");
        assert!(shown.contains("4 errors"), "{shown}");
    }

    #[test]
    fn a_check_that_cannot_fail_says_what_the_values_are() {
        let shown = refusal("min: 0", &plain("u16"));
        assert!(shown.contains("every value passes (0 to 65535 in steps of 1)"), "{shown}");
        let shown = refusal("min: 0.2, max: 0.8", &plain("u16"));
        assert!(shown.contains("no value does (0 to 65535 in steps of 1)"), "{shown}");
        let all = "min: -3.5e38, max: 3.5e38";
        assert!(refusal(all, &plain("f32")).contains("cannot fail"));
        assert!(refusal("min: 3.5e38", &plain("f32")).contains("cannot pass"));
        limits("max: 3.4e38", &plain("f32"));
    }

    #[test]
    fn a_write_may_demand_an_answer_and_nothing_else() {
        assert_eq!(demand_of_answer("answers: false").unwrap().describe(None), "does not answer");
        assert!(demand_of_answer("min: 5").unwrap_err().contains("`min` is no key"));
    }
}
