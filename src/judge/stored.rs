//! Reading limits back from a record. Every key must be known and used: a limit that was only half
//! understood would judge differently.

use serde_json::{Map, Value as Json};

/// Why the `limit` of a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// Something else than an object.
    #[error("a limit must be an object")]
    NotAnObject,
    /// No limit at all.
    #[error("a limit without a key")]
    Empty,
    /// Keys that cannot stand together.
    #[error("a limit with keys that contradict each other")]
    Contradictory,
    /// A key that no limit of this version has.
    #[error("unknown limit `{0}`")]
    Unknown(String),
    /// The value of a key is none that this version writes.
    #[error("the limit `{0}` is malformed")]
    Malformed(String),
}

/// The keys of a stored limit that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Stored(Map<String, Json>);

impl Stored {
    pub(super) fn new(json: Json) -> Result<Self, Corrupt> {
        match json {
            Json::Object(keys) => Ok(Self(keys)),
            _ => Err(Corrupt::NotAnObject),
        }
    }

    /// Takes a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Json> {
        self.0.remove(key)
    }

    /// Takes a key and reads it; a value that `read` does not know is corrupt.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Result<Option<T>, Corrupt> {
        let Some(json) = self.take(key) else { return Ok(None) };
        read(&json).map(Some).ok_or_else(|| Corrupt::Malformed(key.to_owned()))
    }

    /// Takes a key if it has this value.
    pub(super) fn take_if(&mut self, key: &str, value: &Json) {
        if self.0.get(key) == Some(value) {
            self.0.remove(key);
        }
    }

    /// Everything must have been taken.
    pub(super) fn finish(self) -> Result<(), Corrupt> {
        self.0.into_iter().next().map_or(Ok(()), |(key, _)| Err(Corrupt::Unknown(key)))
    }
}
