//! `at_least`: a dotted version that a text must reach. `1.10` is more than `1.9`, `1.2` is as
//! much as `1.2.0`, and a `v` in front does not count.

use std::cmp::Ordering;
use std::str::FromStr;

use passline_modbus::point::Domain;
use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::shape::{Field, Shape};

/// A text that is no dotted version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no dotted version such as 1.10.2")]
pub(super) struct NotAVersion(String);

/// The least version that passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AtLeast {
    written: String,
    parts: Vec<u64>,
}

impl FromStr for AtLeast {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let parts = parts(text).ok_or_else(|| NotAVersion(text.to_owned()))?;
        Ok(Self { written: text.to_owned(), parts })
    }
}

/// The numbers of a version; `None` for anything but digits and single dots between them.
fn parts(text: &str) -> Option<Vec<u64>> {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    text.strip_prefix(['v', 'V']).unwrap_or(text).split('.').map(number).collect()
}

/// The order of two versions; missing numbers are zeros.
fn order(left: &[u64], right: &[u64]) -> Ordering {
    let at = |parts: &[u64], index| parts.get(index).copied().unwrap_or(0);
    (0..left.len().max(right.len()))
        .map(|index| at(left, index).cmp(&at(right, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Kind for AtLeast {
    const FIELDS: &'static [Field] = &[Field::optional(
        "at_least",
        Shape::Text,
        "A dotted version that the text must reach: `1.10` is more than `1.9`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has("at_least") {
            return Ok(None);
        }
        let Domain::Text { .. } = from.subject.domain else {
            return from.wrong_type("at_least", "a text");
        };
        let version = from.fields.text("at_least").ok_or(Reported)?;
        version.value.parse().map(Some).or_else(|error: NotAVersion| {
            let remedy = "write digits with dots between them: \"1.10.2\"";
            from.refuse(version.span, error.to_string(), remedy)
        })
    }

    fn judge(&self, value: &Value, _: Unit<'_>) -> Result<(), String> {
        let Value::Text(text) = value else {
            return Err(format!("is no text to be at least {}", self.written));
        };
        match parts(text) {
            Some(parts) if order(&parts, &self.parts).is_ge() => Ok(()),
            Some(_) => Err(format!("is not at least {}", self.written)),
            None => Err(format!("is no dotted version to be at least {}", self.written)),
        }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        vec![("at_least", At::Version(&self.written))]
    }

    fn reach(&self, space: TextSpace) -> Reach {
        let TextSpace::Trimmed { max_bytes } = space else { return Reach::Nothing };
        // The greatest version of a length is all nines; past 19 digits no number of a version is.
        let greatest = "9".repeat(max_bytes.min(19)).parse().unwrap_or(0);
        if order(&[greatest], &self.parts).is_ge() { Reach::Some } else { Reach::Nothing }
    }

    fn describe(&self, _: Unit<'_>) -> String {
        format!("at least {}", self.written)
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        limit.insert("at_least".into(), Json::String(self.written.clone()));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        limit.read("at_least", |json| json.as_str()?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::DataType;
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    #[test]
    fn versions_are_compared_number_by_number() {
        let limits = limits("at_least: '1.9.2'", &plain("string"));
        let check = |text: &str| verdict(&limits, Value::Text(text.to_owned()));
        for enough in ["1.9.2", "1.10", "2", "v1.9.2", "V1.9.2", "1.9.2.0", "01.09.02", "1.9.10"] {
            assert_eq!(check(enough), "pass", "{enough}");
        }
        assert_eq!(check("1.9.1"), "\"1.9.1\" is not at least 1.9.2");
        assert_eq!(check("1.9"), "\"1.9\" is not at least 1.9.2");
        for none in
            ["", "v", "1.", ".1", "1..2", "2.0-rc1", "2,0", "+2", " 2", "99999999999999999999"]
        {
            assert!(check(none).contains("is no dotted version"), "{none}");
        }
        assert!(verdict(&limits, number("2")).contains("is no text"));
    }

    #[test]
    fn only_versions_that_a_text_can_reach_are_accepted() {
        assert!(refusal("at_least: '1.x'", &plain("string")).contains("is no dotted version"));
        assert!(refusal("at_least: 1.10", &plain("string")).contains("quotes"));
        assert!(refusal("at_least: '1.2'", &plain("u16")).contains("needs a text"));
        let short = point("string", |point| {
            point.data_type = DataType::named("string", Some(1)).unwrap();
        });
        assert!(refusal("at_least: '100'", &short).contains("cannot pass"));
        assert!(refusal("at_least: '99.1'", &short).contains("cannot pass"));
        limits("at_least: '99.0'", &short);
    }
}
