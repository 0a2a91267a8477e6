//! What every kind of limit on a value is able to do.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::edge::At;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::shape::Field;

/// One kind of limit on a value. The file of a kind holds all of it: its keys, its reading, its
/// judgement, its text and its JSON.
pub(super) trait Kind: Sized {
    /// Its keys in a spec.
    const FIELDS: &'static [Field];

    /// Reads its keys; `None` if there are none.
    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported>;

    /// Judges a finite value: `Err` says how it misses, to follow the value in a sentence
    /// ("is above max 5.25 V"). A value of another type never holds.
    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String>;

    /// Where it begins or ends to hold, by its keys: at least one. Between two neighbouring numbers
    /// it does not change.
    fn edges(&self) -> Vec<(&'static str, At<'_>)>;

    /// The lower and the upper end of the numbers that hold, where it is such a limit.
    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        (None, None)
    }

    /// The texts among which all are that hold, if there are finitely many.
    fn texts(&self) -> Option<Vec<&str>> {
        None
    }

    /// For which of a point's texts it holds.
    fn reach(&self, _: TextSpace) -> Reach {
        Reach::Some
    }

    /// The limit for reports: `[207..253] V`.
    fn describe(&self, unit: Unit<'_>) -> String;

    /// Writes its keys, with the numbers as judged.
    fn store(&self, limit: &mut Map<String, Json>);

    /// Takes its keys; `None` if there are none.
    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt>;
}
