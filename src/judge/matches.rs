//! `matches`: a regular expression for the whole text.

use passline_modbus::point::Domain;
use passline_modbus::value::Value;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reach::{self, Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::shape::{Field, Shape};

/// What to do about a text that is no pattern.
pub(crate) const PATTERN: &str = "write a regular expression as of the Rust crate `regex`";

/// Why a text is no pattern, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no regular expression: {0}")]
pub struct NotAPattern(String);

impl From<regex::Error> for NotAPattern {
    /// What the last line says: those before it draw the pattern, as diagnostics do themselves.
    fn from(error: regex::Error) -> Self {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        Self(last.trim_start_matches("error: ").to_owned())
    }
}

/// Compiles a pattern for texts as a whole, from the first character to the last.
///
/// # Errors
/// [`NotAPattern`]: what the pattern's own syntax has against it.
pub fn whole_text(pattern: &str) -> Result<Regex, NotAPattern> {
    // Alone first, because `a)|(b` would be complete inside a group, and match parts.
    Regex::new(pattern)?;
    Ok(Regex::new(&format!(r"\A(?:{pattern})\z"))?)
}

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
    fn new(pattern: &str) -> Result<Self, NotAPattern> {
        Ok(Self { pattern: pattern.to_owned(), whole: whole_text(pattern)? })
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
        Self::new(&pattern.value)
            .map(Some)
            .or_else(|error| from.refuse(pattern.span, error.to_string(), PATTERN))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        match value {
            Value::Text(text) if self.whole.is_match(text) => Ok(()),
            Value::Text(_) => Err(format!("does not match {}", self.describe(unit))),
            _ => Err(format!("is no text to match {}", self.describe(unit))),
        }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        vec![("matches", At::Matches(&self.pattern))]
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

#[cfg(test)]
mod tests {
    use passline_modbus::point::DataType;
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn the_whole_text_must_match() {
        let serial = limits("matches: '[0-9]{8}'", &plain("string"));
        assert_eq!(verdict(&serial, text("00123456")), "pass");
        for other in ["0012345", "001234567", "x00123456", "00123456\n", ""] {
            assert_ne!(verdict(&serial, text(other)), "pass", "{other:?}");
        }
        let either = limits("matches: 'a|ab'", &plain("string"));
        assert_eq!(verdict(&either, text("ab")), "pass");
        assert_eq!(verdict(&either, text("abc")), "\"abc\" does not match /a|ab/");
        assert_eq!(verdict(&either, number("1")), "1 V is no text to match /a|ab/");
        let commented = limits("matches: \"(?x) a # letter\\n\"", &plain("string"));
        assert_eq!(verdict(&commented, text("a")), "pass");
    }

    #[test]
    fn a_bad_pattern_is_shown() {
        let text = plain("string");
        assert!(refusal("matches: '[0-9'", &text).contains("unclosed character class"));
        assert!(refusal("matches: 'a)(b'", &text).contains("unopened group"));
        assert!(refusal("matches: '(?x)a # open'", &text).contains("unclosed group"));
        assert!(refusal("matches: 5", &text).contains("quotes"));
    }

    #[test]
    fn a_pattern_that_always_or_never_matches_is_refused() {
        let text = plain("string");
        assert!(refusal("matches: '.*'", &text).contains("cannot fail"));
        assert!(refusal("matches: '.{0,8}'", &text).contains("cannot fail"));
        assert!(refusal("matches: '[0-9]{9}'", &text).contains("cannot pass"));
        let long = point("string", |point| {
            point.data_type = DataType::named("string", Some(40)).unwrap();
        });
        assert!(refusal("matches: '.*a.{20}b'", &long).contains("too large"));
        assert!(refusal("matches: '[0-9]+', equals: abc", &text).contains("cannot pass"));
        limits("matches: '.{0,7}'", &text);
    }

    #[test]
    fn only_texts_match() {
        assert!(refusal("matches: '1'", &plain("u16")).contains("`matches` needs a text"));
        assert!(refusal("matches: '1'", &plain("bytes")).contains("`matches` needs a text"));
        let labels = point("u16", |point| point.labels = vec![(0, "a".into()), (1, "b".into())]);
        assert!(refusal("matches: 'a'", &labels).contains("use `equals` or `one_of`"));
    }
}
