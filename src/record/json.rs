//! JSON that a record carries without looking into it.

use std::{borrow::Cow, fmt, sync::Arc};

use passline_modbus::value::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::Hex;

/// One JSON value as its compact text: every digit and the order of keys are kept. Clones share
/// the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// `null`.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// What `value` serialises to.
    ///
    /// # Errors
    ///
    /// Those of `value`, and keys that are no texts.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self(text.into()))
    }

    /// The compact text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text for people: that of a string without its quotes, anything else as it stands.
    pub fn bare(&self) -> Cow<'_, str> {
        if !self.0.starts_with('"') {
            return Cow::Borrowed(&self.0);
        }
        serde_json::from_str::<String>(&self.0).map_or(Cow::Borrowed(&*self.0), Cow::Owned)
    }

    /// Reads the value as a `T`.
    ///
    /// # Errors
    ///
    /// When it is not of that shape.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string().into())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        serde_json::Value::from(text).into()
    }
}

/// The form of a measured value: exact numbers, the shortest text that reads back as the same
/// float, texts for what JSON has no number for, bytes as upper-case hex.
impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Bool(true) => Self("true".into()),
            Value::Bool(false) => Self("false".into()),
            Value::Number(number) => Self(number.to_string().into()),
            Value::F32(number) => float(number, f64::from(*number)),
            Value::F64(number) => float(number, *number),
            Value::Text(text) => Self::from(text.as_str()),
            Value::Bytes(bytes) => Self::from(&*Hex(bytes.clone()).to_string()),
        }
    }
}

/// `number`, which is about `size`.
fn float(number: &(impl fmt::Display + fmt::LowerExp), size: f64) -> Json {
    let plain = size == 0.0 || (1e-5..1e17).contains(&size.abs());
    match size {
        _ if size.is_nan() => Json::from("NaN"),
        f64::INFINITY => Json::from("Infinity"),
        f64::NEG_INFINITY => Json::from("-Infinity"),
        _ if plain => Json(number.to_string().into()),
        _ => Json(format!("{number:e}").into()),
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(compact(raw.get()).into()))
    }
}

/// `json` without the blanks between its tokens.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let in_text_or_visible = |c: &char| {
        let kept = quoted || !c.is_ascii_whitespace();
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        kept
    };
    json.chars().filter(in_text_or_visible).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_digit_and_the_order_of_keys_are_kept() {
        let exact = r#"{"z":123456789012345678901234567890,"a":0.10,"m":[1e400,-0,"é \" x"]}"#;
        let json: Json = serde_json::from_str(exact).unwrap();
        assert_eq!(json.text(), exact);
        assert_eq!(serde_json::to_string(&json).unwrap(), exact);
    }

    #[test]
    fn blanks_go_except_in_texts() {
        let json: Json = serde_json::from_str(" { \"a b\" :\n[ 1 , \"\\\" \\\\\" ] } ").unwrap();
        assert_eq!(json.text(), r#"{"a b":[1,"\" \\"]}"#);
        let read: (Json,) = serde_json::from_str("[ {\t} ]").unwrap();
        assert_eq!(read.0.text(), "{}");
    }

    #[test]
    fn people_see_texts_without_quotes() {
        assert_eq!(Json::from("a \"b\"\n").bare(), "a \"b\"\n");
        assert_eq!(Json::of(&230.4).unwrap().bare(), "230.4");
        assert_eq!(Json::null().bare(), "null");
    }

    #[test]
    fn values_are_written_in_full() {
        let text = |value: &Value| Json::from(value).text().to_owned();
        let number = |digits: &str| Value::Number(digits.parse().unwrap());
        assert_eq!(text(&number("18446744073709551615")), "18446744073709551615");
        assert_eq!(text(&number("0.3")), "0.3");
        assert_eq!(text(&number("-0.000000000000000000000001")), "-0.000000000000000000000001");
        assert_eq!(text(&Value::F32(230.4)), "230.4");
        assert_eq!(text(&Value::F32(-0.0)), "-0");
        assert_eq!(text(&Value::F32(f32::MAX)), "3.4028235e38");
        assert_eq!(text(&Value::F32(f32::NAN)), "\"NaN\"");
        assert_eq!(text(&Value::F64(f64::INFINITY)), "\"Infinity\"");
        assert_eq!(text(&Value::F64(f64::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(text(&Value::Bool(true)), "true");
        assert_eq!(text(&Value::Text("a\"\u{1}".to_owned())), r#""a\"\u0001""#);
        assert_eq!(text(&Value::Bytes(vec![0xAB, 0])), "\"AB00\"");
    }

    proptest! {
        #[test]
        fn floats_read_back_as_the_same_float(narrow: u32, wide: u64) {
            let (narrow, wide) = (f32::from_bits(narrow), f64::from_bits(wide));
            let (short, long) = (Json::from(&Value::F32(narrow)), Json::from(&Value::F64(wide)));
            prop_assert!(narrow.is_nan() || short.bare().parse::<f32>().unwrap().to_bits() == narrow.to_bits());
            prop_assert!(wide.is_nan() || long.bare().parse::<f64>().unwrap().to_bits() == wide.to_bits());
            prop_assert!(serde_json::to_string(&[short, long]).is_ok());
        }

        #[test]
        fn any_text_reads_back(text: String) {
            let json = Json::from(text.as_str());
            prop_assert_eq!(json.read::<String>().unwrap(), text.clone());
            prop_assert_eq!(json.bare(), text.as_str());
            let pretty = serde_json::to_string_pretty(&vec![&json, &json]).unwrap();
            let back: Vec<Json> = serde_json::from_str(&pretty).unwrap();
            prop_assert_eq!(back, vec![json.clone(), json]);
        }
    }
}
