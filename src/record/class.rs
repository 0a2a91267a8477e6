//! The classes of errors: the one list for retry rules, records, JUnit and help.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The line could not be opened: refused, unreachable, no such port.
    Connect,
    /// The line was reset or closed while an answer was awaited.
    Closed,
    /// No answer in time.
    Timeout,
    /// The answer came after its deadline.
    Late,
    /// The checksum of the answer was wrong.
    Crc,
    /// The answer was malformed, of the wrong length or of the wrong function.
    Frame,
    /// The answer was another unit's, or another transaction's.
    Foreign,
    /// Exceptions 05 and 06: the device asks for patience.
    Busy,
    /// Exceptions 0A and 0B: a gateway found no way to the device.
    Gateway,
    /// Any other exception.
    Exception(OtherException),
    /// The answer cannot be read as the point's type.
    Decode,
    /// Evidence or another file could not be written or read.
    Io,
    /// A defect of Passline itself.
    Internal,
}

/// The code of an exception that has no class of its own: not 05, 06, 0A or 0B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OtherException(u8);

impl OtherException {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// A text that names no error class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown error class `{0}`")]
pub struct UnknownClass(pub String);

impl ErrorClass {
    /// The classes that have a fixed name, in the order of the documentation.
    pub const NAMED: [Self; 12] = [
        Self::Connect,
        Self::Closed,
        Self::Timeout,
        Self::Late,
        Self::Crc,
        Self::Frame,
        Self::Foreign,
        Self::Busy,
        Self::Gateway,
        Self::Decode,
        Self::Io,
        Self::Internal,
    ];

    /// Whether nobody gave this request an answer of any kind.
    pub fn is_silence(self) -> bool {
        matches!(self, Self::Connect | Self::Closed | Self::Timeout | Self::Late | Self::Foreign)
    }

    /// The class of the exception `code`.
    pub fn of_exception(code: u8) -> Self {
        match code {
            0x05 | 0x06 => Self::Busy,
            0x0A | 0x0B => Self::Gateway,
            other => Self::Exception(OtherException(other)),
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Late => "late",
            Self::Crc => "crc",
            Self::Frame => "frame",
            Self::Foreign => "foreign",
            Self::Busy => "busy",
            Self::Gateway => "gateway",
            Self::Exception(OtherException(code)) => return write!(f, "exception-{code:02X}"),
            Self::Decode => "decode",
            Self::Io => "io",
            Self::Internal => "internal",
        })
    }
}

impl FromStr for ErrorClass {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        if let Some(named) = Self::NAMED.into_iter().find(|class| class.to_string() == text) {
            return Ok(named);
        }
        let code = text.strip_prefix("exception-").and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.map(Self::of_exception) {
            // `exception-05` would be a second name for `busy`, `exception-2` for `exception-02`.
            Some(class) if class.to_string() == text => Ok(class),
            _ => Err(UnknownClass(text.to_owned())),
        }
    }
}

impl Serialize for ErrorClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ErrorClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_reads_back_from_its_name() {
        let exceptions = (0..=255).map(ErrorClass::of_exception);
        for class in ErrorClass::NAMED.into_iter().chain(exceptions) {
            assert_eq!(class.to_string().parse(), Ok(class));
        }
    }

    #[test]
    fn exceptions_have_one_name_each() {
        assert_eq!(ErrorClass::of_exception(2).to_string(), "exception-02");
        assert_eq!(ErrorClass::of_exception(0xFF).to_string(), "exception-FF");
        assert_eq!(ErrorClass::of_exception(5), ErrorClass::Busy);
        assert_eq!(ErrorClass::of_exception(6), ErrorClass::Busy);
        assert_eq!(ErrorClass::of_exception(0x0A), ErrorClass::Gateway);
        assert_eq!(ErrorClass::of_exception(0x0B), ErrorClass::Gateway);
        for other in ["exception-05", "exception-0b", "exception-2", "exception-+2", "Timeout", ""]
        {
            assert_eq!(other.parse::<ErrorClass>(), Err(UnknownClass(other.to_owned())));
        }
    }
}
