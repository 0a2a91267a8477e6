//! stub
use passline_modbus::{point::Domain, value::Value};
/// e
#[derive(Debug, Clone)]
pub struct Expression(String);
/// k
pub struct Kind;
impl Kind {
    /// d
    pub fn domain(&self) -> Domain {
        Domain::Unbounded { width: None }
    }
}
/// err
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct Error;
impl Error {
    /// s
    pub fn span(&self) -> std::ops::Range<usize> {
        0..1
    }
}
impl std::str::FromStr for Expression {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        Ok(Self(s.into()))
    }
}
impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl Expression {
    /// n
    pub fn names(&self) -> Vec<(&str, std::ops::Range<usize>)> {
        vec![]
    }
    /// v
    pub fn evaluate(&self, _r: impl Fn(&str) -> Option<Value>) -> Result<Value, Error> {
        Err(Error)
    }
    /// k
    pub fn kind(&self) -> Kind {
        Kind
    }
}
