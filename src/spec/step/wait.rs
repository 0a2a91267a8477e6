//! `wait`: a pause.

use super::At;
use crate::language::shape::{Field, Shape};
use crate::spec::model::Wait;

/// The action.
pub(super) const FIELD: Field = Field::optional("wait", Shape::Duration, "A pause.");

/// A pause. `None`: reported.
pub(super) fn wait(at: &At<'_, '_>) -> Option<Wait> {
    let time = at.fields.duration("wait")?;
    let name = at.fields.text("name").map(|name| name.value);
    Some(Wait { name: name.unwrap_or_else(|| format!("wait {:?}", time.value)), time: time.value })
}
