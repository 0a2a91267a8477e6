//! `reconnect`: a new connection to where a device is.

use super::{At, device_named};
use crate::language::shape::{Field, Shape};
use crate::spec::model::Reconnect;

/// The action.
pub(super) const FIELD: Field = Field::optional(
    "reconnect",
    Shape::Text,
    "A device whose line is closed and opened again, with everybody on it.",
);

/// A new connection. `None`: reported.
pub(super) fn reconnect(at: &At<'_, '_>) -> Option<Reconnect> {
    let named = at.fields.text("reconnect")?;
    let device = device_named(at.context, at.names, &named)?;
    let name = at.fields.text("name").map(|name| name.value);
    Some(Reconnect { name: name.unwrap_or_else(|| format!("reconnect {}", named.value)), device })
}
