//! `nominal` with `tolerance`: a number within a tolerance of the one that is meant.

use passline_modbus::value::{Decimal, Value};
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::kind::Kind;
use super::number::{self, Unit};
use super::reader::{Reader, Reported, TOLERANCE};
use super::stored::{Corrupt, Stored};
use super::tolerance::{Around, Tolerance};
use crate::spec::shape::{Field, Shape};

/// A nominal value and its tolerance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Nominal(pub(super) Box<Around>);

impl Kind for Nominal {
    const FIELDS: &'static [Field] = &[
        Field::optional("nominal", Shape::Number, "The number that is meant; with `tolerance`."),
        TOLERANCE,
    ];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(centre) = from.number("nominal")? else { return Ok(None) };
        let Some(tolerance) = from.tolerance_of("nominal") else {
            return from.refuse(
                from.fields.key_span("nominal"),
                "`nominal` needs a `tolerance`",
                "add `tolerance: 5%`, or use `equals` for one exact value",
            );
        };
        let around = Around::new(centre, tolerance.clone());
        around.map(|around| Some(Self(around.into()))).or_else(|error| from.bad_tolerance(&error))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        let Around { centre, tolerance, low, high } = &*self.0;
        let meant = || format!("nominal {}, tolerance {tolerance}", unit.of(centre));
        let low_order = number::compare(value, low);
        let high_order = number::compare(value, high);
        match (low_order, high_order) {
            (Some(order), _) if order.is_lt() => {
                Err(format!("is below {} ({})", unit.of(low), meant()))
            }
            (_, Some(order)) if order.is_gt() => {
                Err(format!("is above {} ({})", unit.of(high), meant()))
            }
            (Some(_), Some(_)) => Ok(()),
            _ => Err(format!("is no number to compare with {}", meant())),
        }
    }

    fn edges(&self) -> Vec<&Decimal> {
        vec![&self.0.low, &self.0.high]
    }

    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        self.0.ends()
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        self.0.describe(unit)
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        limit.insert("nominal".into(), number::to_json(&self.0.centre));
        limit.insert("tolerance".into(), self.0.tolerance.to_json());
        self.0.store_bounds(limit);
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let Some(centre) = limit.read("nominal", number::from_json)? else { return Ok(None) };
        let missing = || Corrupt::Malformed("nominal".to_owned());
        let tolerance = limit.read("tolerance", Tolerance::from_json)?.ok_or_else(missing)?;
        let around = Around::new(centre, tolerance).map_err(|_| missing())?;
        around.take_bounds(limit);
        Ok(Some(Self(around.into())))
    }
}
