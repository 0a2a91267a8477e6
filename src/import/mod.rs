//! Register maps of other programs, read into a draft of a profile. Each format is one file: a pure
//! function from a text to a draft, and to notes on what it could not carry over. Knows no files
//! and no command line.

mod csv;
mod json;
mod modpoll;
mod pymodbus;
mod rows;
mod sunspec;

use std::collections::BTreeMap;

use passline_modbus::point::Table;

use crate::draft::Draft;

/// A format.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Reads a text.
    pub read: fn(&str, &Options) -> Result<Import, Problem>,
}

/// Every format.
pub static FORMATS: [&Format; 4] =
    [&csv::FORMAT, &modpoll::FORMAT, &pymodbus::FORMAT, &sunspec::FORMAT];

/// What a text does not say by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The id of the profile.
    pub name: String,
    /// Which device of a text that has several.
    pub device: Option<String>,
    /// Added to every address.
    pub base: u16,
    /// The table of what names none.
    pub table: Table,
    /// The text's own names of columns, by ours.
    pub columns: BTreeMap<String, String>,
    /// What stands between two cells.
    pub delimiter: char,
    /// What addresses count from: 0 or 1.
    pub first: u16,
}

/// What came of a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Import {
    /// The profile.
    pub draft: Draft,
    /// What could not be carried over, a sentence each.
    pub notes: Vec<String>,
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// Where: a line, or the way to an entry.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Problem {
    fn new(place: impl Into<String>, message: impl Into<String>, remedy: &'static str) -> Self {
        Self { place: place.into(), message: message.into(), remedy }
    }
}

impl Import {
    fn of(options: &Options) -> Self {
        let draft = Draft { name: options.name.clone(), ..Draft::default() };
        Self { draft, notes: Vec::new() }
    }

    /// Says once what could not be carried over.
    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

/// A type as other programs call it; `None` if none of ours is like it. Texts have no length yet.
fn data_type(name: &str) -> Option<passline_modbus::point::DataType> {
    use passline_modbus::point::DataType::{
        Bcd16, Bcd32, Bool, F16, F32, F64, I16, I32, I64, String, U16, U32, U64,
    };
    Some(match name.trim().to_ascii_lowercase().replace([' ', '-', '_'], "").as_str() {
        "bool" | "boolean" | "bit" | "coil" => Bool,
        "u16" | "uint16" | "uint" | "word" | "unsigned" | "unsigned16" | "ushort" => U16,
        "i16" | "int16" | "int" | "short" | "signed" | "signed16" | "s16" => I16,
        "u32" | "uint32" | "dword" | "ulong" | "unsigned32" | "udint" => U32,
        "i32" | "int32" | "long" | "signed32" | "s32" | "dint" => I32,
        "u64" | "uint64" | "qword" | "unsigned64" | "ulint" => U64,
        "i64" | "int64" | "signed64" | "s64" | "lint" => I64,
        "f16" | "float16" => F16,
        "f32" | "float32" | "float" | "real" | "single" => F32,
        "f64" | "float64" | "double" | "lreal" => F64,
        "bcd16" | "bcd" => Bcd16,
        "bcd32" => Bcd32,
        "string" | "str" | "text" | "ascii" => String(None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn options() -> Options {
        Options {
            name: "imported".to_owned(),
            device: None,
            base: 0,
            table: Table::Holding,
            columns: BTreeMap::new(),
            delimiter: ',',
            first: 0,
        }
    }

    proptest! {
        /// No text makes any format panic; whatever comes out has names of its own.
        #[test]
        fn any_text_is_read_or_refused(text in "([a-z_]{1,8}|[0-9]{1,6}|[\\[\\]{}:\",\n]){0,60}") {
            for format in FORMATS {
                if let Ok(import) = (format.read)(&text, &options()) {
                    let points = import.draft.points.iter();
                    let mut names: Vec<&String> = points.map(|point| &point.name).collect();
                    let all = names.len();
                    names.sort();
                    names.dedup();
                    prop_assert_eq!(names.len(), all);
                }
            }
        }
    }
}
