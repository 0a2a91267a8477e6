//! `marginal`: a narrower limit inside a limit. A value between the two passes, and is flagged.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::bounds::{Bounds, End, narrowest};
use super::edge::At;
use super::kind::Kind;
use super::limit::Limit;
use super::nominal::Nominal;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::tolerance::{self, Around};
use crate::language::shape::{Field, Object, Shape};
use crate::language::yaml::Node;

static BOUNDS: Object = Object {
    name: "marginal limit",
    doc: "Bounds inside those of the limit. A value between the two passes, and is flagged.",
    fields: &[Bounds::FIELDS],
};

const SHAPES: &[Shape] = &[tolerance::SHAPE, Shape::Object(&BOUNDS)];

pub(super) const FIELD: Field = Field::optional(
    "marginal",
    Shape::AnyOf(SHAPES),
    "A narrower limit of the same kind: a tolerance beside a tolerance, `{ min: …, max: … }` \
     beside bounds. A value inside the limit but outside of this passes, and is flagged marginal.",
);

/// The narrower limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Marginal {
    Around(Nominal),
    Bounds(Bounds),
}

impl Marginal {
    /// Reads it, if there is one, and holds it against the limits.
    pub(super) fn read(
        from: &Reader<'_, '_, '_>,
        limits: &[Limit],
    ) -> Result<Option<Self>, Reported> {
        let Some(node) = from.fields.node("marginal") else { return Ok(None) };
        let is_bounds = node.pairs().is_some_and(|mut pairs| {
            pairs.all(|(key, _)| {
                key.scalar().is_none_or(|key| !matches!(key.text, "plus" | "minus"))
            })
        });
        let marginal = if is_bounds { bounds(from, node)? } else { around(from, node, limits)? };
        marginal.check(from, limits)?;
        Ok(Some(marginal))
    }

    /// It must lie inside the limits: on every side that it has, and further in on one.
    fn check(&self, from: &Reader<'_, '_, '_>, limits: &[Limit]) -> Result<(), Reported> {
        let span = from.fields.key_span("marginal");
        let (low, high) = narrowest(limits.iter().map(Limit::ends));
        let (own_low, own_high) = self.ends();
        let low = own_low.map(|own| low.map(|low| own.by_low(&low)));
        let high = own_high.map(|own| high.map(|high| high.by_high(&own)));
        let sides = [low, high];
        if sides.contains(&Some(None)) {
            let message = "`marginal` has no limit on this side that it could narrow";
            return from.refuse(span, message, "add the limit of the same kind, or remove this");
        }
        let orders: Vec<_> = sides.into_iter().flatten().flatten().collect();
        if orders.iter().any(|order| order.is_lt()) {
            let message = format!("`marginal` {} is wider than its limit", self.describe());
            return from.refuse(span, message, "give it narrower bounds than the limit");
        }
        if orders.iter().all(|order| order.is_eq()) {
            let message = "`marginal` is as wide as its limit: nothing could be marginal";
            return from.refuse(span, message, "give it narrower bounds than the limit");
        }
        Ok(())
    }

    pub(super) fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        match self {
            Self::Around(nominal) => nominal.ends(),
            Self::Bounds(bounds) => bounds.ends(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Around(nominal) => nominal.describe(Unit("")),
            Self::Bounds(bounds) => bounds.describe(Unit("")),
        }
    }

    pub(super) fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        match self {
            Self::Around(nominal) => nominal.edges(),
            Self::Bounds(bounds) => bounds.edges(),
        }
    }

    pub(super) fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        match self {
            Self::Around(nominal) => nominal.judge(value, unit),
            Self::Bounds(bounds) => bounds.judge(value, unit),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        let mut stored = Map::new();
        match self {
            Self::Around(nominal) => nominal.store(&mut stored),
            Self::Bounds(bounds) => bounds.store(&mut stored),
        }
        Json::Object(stored)
    }

    pub(super) fn from_json(json: Json) -> Result<Self, Corrupt> {
        let mut stored = Stored::new(json)?;
        let around = Nominal::restore(&mut stored)?.map(Self::Around);
        let bounds = Bounds::restore(&mut stored)?.map(Self::Bounds);
        stored.finish()?;
        match (around, bounds) {
            (Some(marginal), None) | (None, Some(marginal)) => Ok(marginal),
            _ => Err(Corrupt::Malformed("marginal".to_owned())),
        }
    }
}

fn bounds(from: &Reader<'_, '_, '_>, node: Node<'_>) -> Result<Marginal, Reported> {
    let fields = from.context.fields(node, &BOUNDS).ok_or(Reported)?;
    let read = Bounds::read(&from.inside(&fields))?.map(Marginal::Bounds);
    let refuse = || {
        let span = from.fields.key_span("marginal");
        from.refuse(span, "`marginal` has no bound", "write `marginal: { min: 1, max: 2 }`")
    };
    read.map_or_else(refuse, Ok)
}

/// A tolerance, around the same value as that of the limit.
fn around(
    from: &Reader<'_, '_, '_>,
    node: Node<'_>,
    limits: &[Limit],
) -> Result<Marginal, Reported> {
    let tolerance = tolerance::read(&from.context, node)?;
    let span = from.fields.key_span("marginal");
    let Some(centre) = limits.iter().find_map(Limit::around).map(|around| &around.centre) else {
        let message = "a `marginal` tolerance needs a limit with a `tolerance`";
        return from.refuse(span, message, "beside bounds write `marginal: { min: 1, max: 2 }`");
    };
    match Around::new(centre.clone(), tolerance) {
        Ok(around) => Ok(Marginal::Around(Nominal(around.into()))),
        Err(error) => from.refuse(span, error.to_string(), error.remedy()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::judge::testing::{limits, number, plain, refusal, verdict};

    #[test]
    fn between_the_two_limits_is_a_flagged_pass() {
        let limits = limits("nominal: 100, tolerance: 10%, marginal: 8%", &plain("u16"));
        assert_eq!(verdict(&limits, number("108")), "pass");
        assert_eq!(verdict(&limits, number("92")), "pass");
        assert_eq!(
            verdict(&limits, number("109")),
            "marginal: 109 V is above 108 V (nominal 100 V, tolerance 8%)"
        );
        assert!(verdict(&limits, number("90")).starts_with("marginal: 90 V is below 92 V"));
        assert!(verdict(&limits, number("111")).starts_with("111 V is above 110 V"));
        let marginal = json!({ "nominal": 100, "tolerance": "8%", "min": 92, "max": 108 });
        assert_eq!(limits.to_json()["marginal"], marginal);
    }

    #[test]
    fn bounds_narrow_bounds_on_the_sides_that_they_have() {
        let limits = limits("min: 10, below: 20, marginal: { above: 10, max: 18 }", &plain("u16"));
        assert_eq!(verdict(&limits, number("11")), "pass");
        assert_eq!(verdict(&limits, number("10")), "marginal: 10 V is not above 10 V");
        assert_eq!(verdict(&limits, number("19")), "marginal: 19 V is above max 18 V");
        assert_eq!(verdict(&limits, number("20")), "20 V is not below 20 V");
    }

    #[test]
    fn one_side_may_be_as_wide_as_the_limit() {
        let word = plain("u16");
        let uneven = limits("nominal: 100, tolerance: 10, marginal: { plus: 8, minus: 10 }", &word);
        assert_eq!(verdict(&uneven, number("90")), "pass");
        assert!(verdict(&uneven, number("109")).starts_with("marginal"));
    }

    #[test]
    fn only_a_narrower_limit_of_the_same_kind_is_accepted() {
        let word = plain("u16");
        for (yaml, refused) in [
            ("nominal: 100, tolerance: 10%, marginal: 12%", "wider than its limit"),
            ("nominal: 100, tolerance: 10%, marginal: { plus: 1%, minus: 11% }", "wider"),
            ("nominal: 100, tolerance: 10%, marginal: 10%", "as wide as its limit"),
            ("min: 10, max: 20, marginal: { min: 9 }", "wider than its limit"),
            ("above: 10, max: 20, marginal: { min: 10 }", "wider than its limit"),
            ("min: 10, max: 20, marginal: { max: 20 }", "as wide as its limit"),
            ("min: 10, marginal: { max: 20 }", "no limit on this side"),
            ("equals: 10, marginal: { min: 20 }", "no limit on this side"),
            ("min: 10, marginal: 5%", "needs a limit with a `tolerance`"),
            ("min: 10, marginal: {}", "has no bound"),
            ("min: 10, max: 20, marginal: { min: 19, max: 11 }", "no number is within"),
            ("min: 10, max: 20, marginal: { mn: 11 }", "did you mean `min`?"),
            ("marginal: 5%", "needs a limit with a `tolerance`"),
            ("marginal: { min: 4 }", "no limit on this side"),
        ] {
            let shown = refusal(yaml, &word);
            assert!(shown.contains(refused), "{yaml}: {shown}");
        }
    }
}
