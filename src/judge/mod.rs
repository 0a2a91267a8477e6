//! Limits: what a check's value must satisfy. Judging is a pure function of a limit and of what one
//! attempt brought.
//!
//! A spec's limits are read to a [`Demand`], which refuses what cannot fail, cannot pass, or is of
//! the wrong type; [`Demand::resolve`] gives the [`Limits`] that judge an [`Observed`] to a
//! [`Judgement`]. A record keeps the limits ([`Limits::to_json`]), and they judge again from there
//! ([`Limits::from_json`]).
//!
//! A check passes only if every limit was evaluated on a finite, valid value of the right type, and
//! held. Each kind of limit on a value is one file (`kind` says what it holds) and one line of
//! `limit`. Knows nothing of links, time, retries or plans.

mod answers;
mod at_least;
mod bands;
mod bits;
mod bounds;
mod decision;
mod demand;
mod edge;
mod equals;
mod judgement;
mod kind;
mod limit;
mod limits;
mod margin;
mod marginal;
mod matches;
mod nominal;
mod not;
mod number;
mod one_of;
mod proof;
mod reach;
mod reader;
mod set;
mod stored;
mod target;
mod tolerance;
mod uncertainty;
mod valid;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub mod exception;

/// The key of a condition, whose expression needs no `= `.
pub(crate) const CONDITION: &str = bands::CONDITION.key;

pub(crate) use demand::ALONE;
pub use demand::Demand;
pub use edge::{At, Case, Edge, Turns};
pub use judgement::{Judgement, Observed};
pub use limits::Limits;
pub(crate) use matches::PATTERN;
pub use matches::{NotAPattern, whole_text};
pub use reader::Subject;
pub use stored::Corrupt;

use crate::language::shape::{Field, Shape};

/// The keys of every limit on a value: those of the kinds, and what stands beside them.
static VALUE_FIELDS: [Field; count(limit::KEYS) + 3] =
    flat(limit::KEYS, &[marginal::FIELD, uncertainty::FIELD, decision::FIELD]);

/// The keys of a demand on the answer of a step that brings no value.
pub static ANSWER_FIELDS: [Field; 2] = [exception::FIELD, answers::FIELD];

/// The keys of a demand on a value: of steps that read or compute.
pub static FIELDS: [Field; count(limit::KEYS) + 7] = flat(
    limit::KEYS,
    &[
        marginal::FIELD,
        uncertainty::FIELD,
        decision::FIELD,
        bands::FIELD,
        exception::FIELD,
        answers::FIELD,
        demand::RECORD,
    ],
);

const fn count(groups: &[&[Field]]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < groups.len() {
        sum += groups[index].len();
        index += 1;
    }
    sum
}

/// The fields of all groups and those behind them in one table.
const fn flat<const N: usize>(groups: &[&[Field]], rest: &[Field]) -> [Field; N] {
    let mut all = [const { Field::optional("", Shape::Any, "") }; N];
    let (mut next, mut group) = (0, 0);
    while group <= groups.len() {
        let fields = if group < groups.len() { groups[group] } else { rest };
        let mut index = 0;
        while index < fields.len() {
            let Field { key, shape, required, doc } = &fields[index];
            all[next] = Field { key, shape: *shape, required: *required, doc };
            (next, index) = (next + 1, index + 1);
        }
        group += 1;
    }
    all
}
