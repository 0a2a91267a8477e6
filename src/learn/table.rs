//! A table in a file: its name in a profile.

use passline_modbus::point::Table;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
pub(super) fn serialize<S: Serializer>(table: &Table, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(table.name())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
    let name = String::deserialize(deserializer)?;
    let found = Table::ALL.into_iter().find(|table| table.name() == name);
    found.ok_or_else(|| D::Error::custom(format!("`{name}` is no table")))
}
