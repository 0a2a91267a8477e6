//! `not`: a value that it must not be; on a float with a `tolerance`.

use passline_modbus::value::{Decimal, Value};
use serde_json::{Map, Value as Json};

use super::kind::Kind;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::target::Target;
use crate::spec::shape::{Field, Shape};

/// The one value that does not pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Not(pub(super) Target);

impl Kind for Not {
    const FIELDS: &'static [Field] = &[Field::optional(
        "not",
        Shape::Scalar,
        "A value that it must not be. On a float with `tolerance`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(node) = from.fields.node("not") else { return Ok(None) };
        from.target("not", node).map(|target| Some(Self(target)))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        // What cannot be compared with the target is not known to differ from it: it fails.
        match self.0.is(value) {
            Some(false) => Ok(()),
            Some(true) => Err(format!("is what is excluded: {}", self.describe(unit))),
            None => Err(format!("cannot be compared with {}", self.0.describe(unit))),
        }
    }

    fn edges(&self) -> Vec<&Decimal> {
        self.0.edges()
    }

    fn reach(&self, space: TextSpace) -> Reach {
        match self.0.text() {
            Some(text) if space.has(text) => Reach::Some,
            _ => Reach::All,
        }
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        format!("not {}", self.0.describe(unit))
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let (named, tolerance) = self.0.to_json();
        limit.insert("not".into(), named);
        limit.extend(tolerance.map(|tolerance| ("tolerance".to_owned(), tolerance)));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        Ok(Target::restore("not", limit)?.map(Self))
    }
}
