//! JSON with the way to every entry, so that what is wrong can be said with its place.

use serde_json::Value;

use super::Problem;

/// A part of a document, and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Part<'v> {
    pub(super) value: &'v Value,
    pub(super) place: String,
}

/// Reads a document.
///
/// # Errors
/// Where it is no JSON.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text.trim_start_matches('\u{FEFF}')).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let remedy = "is it the right file, and whole? JSON has no comments and no NaN";
        Problem::new(place, format!("this is no JSON: {error}"), remedy)
    })
}

impl<'v> Part<'v> {
    pub(super) fn whole(value: &'v Value) -> Self {
        Self { value, place: "the file".to_owned() }
    }

    fn below(&self, value: &'v Value, step: &str) -> Self {
        let place = if self.place == "the file" {
            step.trim_start_matches('.').to_owned()
        } else {
            format!("{}{step}", self.place)
        };
        Self { value, place }
    }

    pub(super) fn problem(&self, message: impl Into<String>, remedy: &'static str) -> Problem {
        Problem::new(self.place.clone(), message, remedy)
    }

    /// What is under a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        Some(self.below(self.value.get(key)?, &format!(".{key}")))
    }

    /// What is under a key.
    pub(super) fn required(&self, key: &str, remedy: &'static str) -> Result<Self, Problem> {
        self.get(key).ok_or_else(|| self.problem(format!("there is no `{key}` in it"), remedy))
    }

    /// The entries of a list; none if there is no such key.
    pub(super) fn list(&self, key: &str, remedy: &'static str) -> Result<Vec<Self>, Problem> {
        let Some(list) = self.get(key) else { return Ok(Vec::new()) };
        let Value::Array(entries) = list.value else {
            return Err(list.problem("a list is needed here", remedy));
        };
        let entries = entries.iter().enumerate();
        Ok(entries.map(|(at, entry)| list.below(entry, &format!("[{at}]"))).collect())
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self, remedy: &'static str) -> Result<Vec<(&'v str, Self)>, Problem> {
        let Value::Object(entries) = self.value else {
            return Err(self.problem("a mapping is needed here", remedy));
        };
        let entries = entries.iter();
        Ok(entries
            .map(|(key, value)| (key.as_str(), self.below(value, &format!(".{key}"))))
            .collect())
    }

    /// A text under a key, if it is there and is one.
    pub(super) fn text(&self, key: &str) -> Option<&'v str> {
        self.value.get(key)?.as_str()
    }

    /// A whole number from 0 to 65535.
    pub(super) fn number(&self, remedy: &'static str) -> Result<u16, Problem> {
        let number = self.value.as_u64().and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| self.problem(format!("{} is no number here", self.value), remedy))
    }
}
