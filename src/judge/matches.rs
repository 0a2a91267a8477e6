//! `matches`: a regular expression for the whole text.

use passline_modbus::point::Domain;
use passline_modbus::value::Value;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::kind::Kind;
use super::number::Unit;
use super::reach::{self, Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::spec::shape::{Field, Shape};

/// A pattern as it was written, and as it judges: from the first character to the last.
#[derive(Debug, Clone)]
pub(super) struct Matches {
    pattern: String,
    whole: Regex,
}

impl PartialEq for Matches {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Matches {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What the pattern's own syntax has against it.
    pub(super) fn new(pattern: &str) -> Result<Self, regex::Error> {
        // Alone first, for an error that shows the pattern as written, and because `a)(b` would be
        // complete inside a group.
        Regex::new(pattern)?;
        let whole = Regex::new(&format!(r"\A(?:{pattern})\z"))?;
        Ok(Self { pattern: pattern.to_owned(), whole })
    }
}

impl Kind for Matches {
    const FIELDS: &'static [Field] = &[Field::optional(
        "matches",
        Shape::Text,
        "A regular expression that the whole text must match.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has("matches") {
            return Ok(None);
        }
        let Domain::Text { .. } = from.subject.domain else {
            return from.wrong_type("matches", "a text");
        };
        let pattern = from.fields.text("matches").ok_or(Reported)?;
        Self::new(&pattern.value).map(Some).or_else(|error| {
            let remedy = "write a regular expression as of the Rust crate `regex`";
            from.refuse(pattern.span, error.to_string(), remedy)
        })
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        match value {
            Value::Text(text) if self.whole.is_match(text) => Ok(()),
            Value::Text(_) => Err(format!("does not match {}", self.describe(unit))),
            _ => Err(format!("is no text to match {}", self.describe(unit))),
        }
    }

    fn reach(&self, space: TextSpace) -> Reach {
        match space {
            TextSpace::Trimmed { max_bytes } => reach::reach(self.whole.as_str(), max_bytes),
            TextSpace::Hexadecimal { .. } => Reach::Nothing,
        }
    }

    fn describe(&self, _: Unit<'_>) -> String {
        format!("/{}/", self.pattern)
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        limit.insert("matches".into(), Json::String(self.pattern.clone()));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        limit.read("matches", |json| Self::new(json.as_str()?).ok())
    }
}
