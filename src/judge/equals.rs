//! `equals`: the value that it must be; on a float with a `tolerance`.

use passline_modbus::value::{Decimal, Value};
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::kind::Kind;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::target::Target;
use super::tolerance::Around;
use crate::spec::shape::{Field, Shape};

/// The one value that passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Equals(pub(super) Target);

impl Equals {
    /// The tolerance, if it has one.
    pub(super) fn around(&self) -> Option<&Around> {
        match &self.0 {
            Target::Around(around) => Some(around),
            Target::Exactly(_) => None,
        }
    }
}

impl Kind for Equals {
    const FIELDS: &'static [Field] = &[Field::optional(
        "equals",
        Shape::Scalar,
        "The value that it must be. On a float with `tolerance`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(node) = from.fields.node("equals") else { return Ok(None) };
        from.target("equals", node).map(|target| Some(Self(target)))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        match (self.0.is(value), &self.0) {
            (Some(true), _) => Ok(()),
            (_, Target::Exactly(_)) => Err(format!("is not {}", self.0.describe(unit))),
            (_, Target::Around(_)) => Err(format!("is outside {}", self.0.describe(unit))),
        }
    }

    fn edges(&self) -> Vec<&Decimal> {
        self.0.edges()
    }

    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        self.around().map_or((None, None), Around::ends)
    }

    fn texts(&self) -> Option<Vec<&str>> {
        self.0.text().map(|text| vec![text])
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        match &self.0 {
            Target::Exactly(_) => format!("= {}", self.0.describe(unit)),
            Target::Around(_) => self.0.describe(unit),
        }
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let (named, tolerance) = self.0.to_json();
        limit.insert("equals".into(), named);
        limit.extend(tolerance.map(|tolerance| ("tolerance".to_owned(), tolerance)));
        if let Some(around) = self.around() {
            around.store_bounds(limit);
        }
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let Some(target) = Target::restore("equals", limit)? else { return Ok(None) };
        let equals = Self(target);
        if let Some(around) = equals.around() {
            around.take_bounds(limit);
        }
        Ok(Some(equals))
    }
}
