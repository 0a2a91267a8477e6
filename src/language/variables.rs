//! `$(name)`: values that are given once and inserted into texts. Knows nothing of what they mean.
//!
//! A scalar that is nothing but `$(name)` takes the variable's type; in any other text the value is
//! inserted as text. Before a `(`, `$$` is one `$`: `$$(name)` is the text `$(name)`.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use passline_modbus::value::{Decimal, Value};

use super::decode::Context;
use super::diagnostic::{Diagnostic, Diagnostics, did_you_mean, quoted};
use super::shape::is_name;
use super::yaml::{Node, Plain, Written};

/// A value that a scalar of a spec can have.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// An exact number.
    Number(Decimal),
    /// `.nan`, `.inf` or `-.inf`.
    NotFinite(f64),
    /// Text.
    Text(String),
}

impl Scalar {
    /// What it is, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a truth value",
            Self::Number(_) | Self::NotFinite(_) => "a number",
            Self::Text(_) => "a text",
        }
    }

    /// Reads a text from the command line as a value of the same type.
    fn like(&self, text: &str) -> Option<Self> {
        if let Self::Text(_) = self {
            return Some(Self::Text(text.to_owned()));
        }
        match (self, Written { text, plain: true }.typed().ok()?) {
            (Self::Bool(_), Plain::Bool(value)) => Some(Self::Bool(value)),
            (Self::Number(_) | Self::NotFinite(_), Plain::Number(value)) => {
                Some(Self::Number(value))
            }
            (Self::Number(_) | Self::NotFinite(_), Plain::NotFinite(value)) => {
                Some(Self::NotFinite(value))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::NotFinite(value) if value.is_nan() => f.write_str(".nan"),
            Self::NotFinite(value) => {
                f.write_str(if value.is_sign_negative() { "-.inf" } else { ".inf" })
            }
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Number(value) => Self::Number(value),
            Scalar::NotFinite(value) => Self::F64(value),
            Scalar::Text(value) => Self::Text(value),
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its value, where it stands alone.
    pub value: Scalar,
    /// Its text as it was written, where it is inserted into a text.
    pub text: String,
}

impl From<Scalar> for Variable {
    fn from(value: Scalar) -> Self {
        Self { text: value.to_string(), value }
    }
}

/// Variables by name, in layers: an inner layer (the bindings of a `for_each`) hides an outer one.
#[derive(Debug, Default)]
pub struct Variables<'p> {
    outer: Option<&'p Variables<'p>>,
    own: BTreeMap<String, Variable>,
    /// Names that are known and have no value, and why.
    valueless: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl Variables<'static> {
    /// No variables but those of the environment, as `$(env.NAME)`.
    pub fn new(environment: BTreeMap<String, String>) -> Self {
        Self { environment, ..Self::default() }
    }

    /// Reads a `vars:` mapping. A default may use the variables above it; `given` (`--var`)
    /// replaces defaults and must be of their type.
    #[must_use]
    pub fn declare(
        mut self,
        vars: Option<Node<'_>>,
        given: &BTreeMap<String, String>,
        diagnostics: &Diagnostics,
    ) -> Self {
        let entries = vars.map(|node| Context::new(diagnostics, &self).map(node));
        for entry in entries.unwrap_or_default() {
            let context = Context::new(diagnostics, &self);
            let name = context.name(entry.key_node);
            let (Some(name), Some(default)) = (name, context.variable(entry.value)) else {
                continue;
            };
            let value = match given.get(&name.value) {
                Some(text) => typed_like(default.value, (&name.value, text), diagnostics),
                None => default.value,
            };
            self.own.insert(name.value, value);
        }
        for name in given.keys().filter(|name| !self.own.contains_key(*name)) {
            let error =
                Diagnostic::error(None, format!("--var {name}: the spec has no such variable"));
            let error = error.remedy("declare it with a default in `vars:`");
            diagnostics.push(error.suggest(name, self.own.keys().map(String::as_str)));
        }
        self
    }
}

fn typed_like(
    default: Variable,
    (name, text): (&str, &str),
    diagnostics: &Diagnostics,
) -> Variable {
    if let Some(value) = default.value.like(text) {
        return Variable { value, text: text.to_owned() };
    }
    let (kind, default_text) = (default.value.kind(), &default.text);
    let message =
        format!("--var {name}={text}: {kind} is needed, as its default {default_text} is");
    let remedy = format!("write a value such as {default_text}");
    diagnostics.push(Diagnostic::error(None, message).remedy(remedy));
    default
}

impl<'p> Variables<'p> {
    /// A layer inside this one.
    pub fn within<'i>(&'i self, own: BTreeMap<String, Variable>) -> Variables<'i>
    where
        'p: 'i,
    {
        Variables { outer: Some(self), own, ..Variables::default() }
    }

    /// With names that have no value, each with the place where it should be.
    #[must_use]
    pub fn without(self, valueless: BTreeMap<String, String>) -> Self {
        Self { valueless, ..self }
    }

    /// The value of a name, the innermost one.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.own.get(name).or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    /// All names that can be used here, sorted, with their values; without the environment.
    pub fn all(&self) -> BTreeMap<&str, &Variable> {
        let mut all = self.outer.map(Variables::all).unwrap_or_default();
        all.extend(self.own.iter().map(|(name, value)| (name.as_str(), value)));
        all
    }

    fn valueless(&self, name: &str) -> Option<&str> {
        let own = self.valueless.get(name).map(String::as_str);
        own.or_else(|| self.outer.and_then(|outer| outer.valueless(name)))
    }

    fn environment(&self, name: &str) -> Option<&str> {
        match self.outer {
            Some(outer) => outer.environment(name),
            None => self.environment.get(name).map(String::as_str),
        }
    }

    /// Inserts the variables of a text.
    ///
    /// # Errors
    /// The first [`NotInserted`] and the bytes of the text that it is about.
    pub fn insert(&self, text: &str) -> Result<Inserted, (NotInserted, Range<usize>)> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$(") {
            let literal = before.trim_end_matches('$');
            let dollars = before.len() - literal.len() + 1;
            out.push_str(literal);
            out.extend(std::iter::repeat_n('$', dollars / 2));
            if dollars.is_multiple_of(2) {
                out.push('(');
                rest = after;
                continue;
            }
            let start = text.len() - after.len() - "$(".len();
            let Some((name, tail)) = after.split_once(')') else {
                return Err((NotInserted::Unclosed, start..text.len()));
            };
            let end = text.len() - tail.len();
            let value = self.value(name).map_err(|error| (error, start..end))?;
            if start == 0 && end == text.len() {
                return Ok(Inserted::Whole(value));
            }
            out.push_str(&value.text);
            rest = tail;
        }
        out.push_str(rest);
        Ok(Inserted::Text(out))
    }

    fn value(&self, name: &str) -> Result<Variable, NotInserted> {
        if let Some(name) = name.strip_prefix("env.") {
            let value =
                self.environment(name).ok_or_else(|| NotInserted::NoEnvironment(name.into()))?;
            return Ok(Variable::from(Scalar::Text(value.to_owned())));
        }
        if let Some(variable) = self.get(name) {
            return Ok(variable.clone());
        }
        if let Some(place) = self.valueless(name) {
            return Err(NotInserted::Empty { name: name.to_owned(), place: place.to_owned() });
        }
        if !name.split('.').all(is_name) {
            return Err(NotInserted::NoName(name.to_owned()));
        }
        let similar = did_you_mean(name, self.all().into_keys());
        Err(NotInserted::Unknown { name: name.to_owned(), similar: similar.map(str::to_owned) })
    }
}

/// A text with its variables inserted.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// The text was nothing but one variable: its value, with its type.
    Whole(Variable),
    /// Anything else.
    Text(String),
}

impl Inserted {
    /// The whole text.
    pub fn text(self) -> String {
        match self {
            Self::Whole(variable) => variable.text,
            Self::Text(text) => text,
        }
    }
}

/// Why a variable cannot be inserted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInserted {
    /// `$(` without `)`.
    #[error("this `$(` has no `)`")]
    Unclosed,
    /// Something else than a name between the parentheses.
    #[error("{} is no name of a variable", quoted(.0))]
    NoName(String),
    /// No variable of that name.
    #[error("there is no variable {}", quoted(.name))]
    Unknown {
        /// The name.
        name: String,
        /// A variable that is called nearly so.
        similar: Option<String>,
    },
    /// A cell with nothing in it.
    #[error("{} is empty: there is nothing at {place}", quoted(.name))]
    Empty {
        /// The name.
        name: String,
        /// The place of the cell: `file:line:column`.
        place: String,
    },
    /// No such variable in the environment.
    #[error("the environment has no variable {}", quoted(.0))]
    NoEnvironment(String),
}

impl NotInserted {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unclosed => "write `$(name)`, or `$$(` for a `$(` that is no variable".to_owned(),
            Self::NoName(_) => {
                "a name is letters, digits and `_`; write `$$(` for a `$(` that is no variable"
                    .to_owned()
            }
            Self::Unknown { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::Unknown { name, similar: None } if name.starts_with("uut.") => {
                "`uut:` of the spec says it, or --serial, --slot, --batch or --sub-unit".to_owned()
            }
            Self::Unknown { similar: None, .. } => {
                "declare it with a default in `vars:`, or bind it with `for_each:`".to_owned()
            }
            Self::Empty { .. } => "write something there".to_owned(),
            Self::NoEnvironment(_) => "set it before you start passline".to_owned(),
        }
    }
}
