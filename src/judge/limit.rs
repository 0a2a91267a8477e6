//! The list of limit kinds. A new kind is one file and one line here.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::bits::Bits;
use super::bounds::End;
use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::tolerance::Around;
use crate::language::shape::Field;

macro_rules! kinds {
    ($($module:ident::$kind:ident),* $(,)?) => {
        /// One limit on a value.
        #[derive(Debug, Clone, PartialEq)]
        pub(super) enum Limit {
            $($kind(super::$module::$kind)),*
        }

        /// The keys of every kind.
        pub(super) const KEYS: &[&[Field]] = &[$(<super::$module::$kind as Kind>::FIELDS),*];

        impl Limit {
            /// Reads every kind that is there, in this order; reports all that is wrong.
            pub(super) fn read_all(from: &Reader<'_, '_, '_>) -> Result<Vec<Self>, Reported> {
                let read = [$(super::$module::$kind::read(from).map(|kind| kind.map(Self::$kind))),*];
                read.into_iter().filter_map(Result::transpose).collect()
            }

            /// Takes every kind that is there, in this order.
            pub(super) fn restore_all(limit: &mut Stored) -> Result<Vec<Self>, Corrupt> {
                let read = [$(super::$module::$kind::restore(limit)?.map(Self::$kind)),*];
                Ok(read.into_iter().flatten().collect())
            }

            pub(super) fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
                match self { $(Self::$kind(kind) => kind.judge(value, unit)),* }
            }

            pub(super) fn edges(&self) -> Vec<(&'static str, At<'_>)> {
                match self { $(Self::$kind(kind) => kind.edges()),* }
            }

            pub(super) fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
                match self { $(Self::$kind(kind) => kind.ends()),* }
            }

            pub(super) fn texts(&self) -> Option<Vec<&str>> {
                match self { $(Self::$kind(kind) => kind.texts()),* }
            }

            pub(super) fn reach(&self, space: TextSpace) -> Reach {
                match self { $(Self::$kind(kind) => kind.reach(space)),* }
            }

            pub(super) fn describe(&self, unit: Unit<'_>) -> String {
                match self { $(Self::$kind(kind) => kind.describe(unit)),* }
            }

            pub(super) fn store(&self, limit: &mut Map<String, Json>) {
                match self { $(Self::$kind(kind) => kind.store(limit)),* }
            }
        }
    };
}

// `bounds` after the kinds with a tolerance: in a record, explicit bounds replace derived ones.
kinds! {
    nominal::Nominal,
    equals::Equals,
    not::Not,
    one_of::OneOf,
    bounds::Bounds,
    matches::Matches,
    at_least::AtLeast,
    bits::Bits,
    valid::Valid,
}

impl Limit {
    /// The bits, if it is that kind.
    pub(super) fn bits(&self) -> Option<Bits> {
        match self {
            Self::Bits(bits) => Some(*bits),
            _ => None,
        }
    }

    /// The tolerance whose bounds a record shows as `min` and `max`.
    pub(super) fn around(&self) -> Option<&Around> {
        match self {
            Self::Nominal(nominal) => Some(&nominal.0),
            Self::Equals(equals) => equals.around(),
            _ => None,
        }
    }
}
