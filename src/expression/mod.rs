//! Expressions: what follows `= ` in a spec, and what `compute` and `if` take. Text to a tree with
//! byte spans, checked when a spec is loaded, evaluated when its names have values. Knows nothing
//! of where names get their values.
//!
//! # The language
//!
//! | loosest first | |
//! | --- | --- |
//! | `or` | |
//! | `and` | |
//! | `not` | |
//! | `==` `!=` `<` `<=` `>` `>=` | not one after the other: `a < b < c` is refused |
//! | `+` `-` | |
//! | `*` `/` `%` | `%` is the remainder of the division that rounds towards zero |
//! | `-x` | |
//!
//! Numbers are `12`, `0.5`, `1e3`, `0x1F`; texts stand in `'…'` or `"…"`, without escapes; `true`
//! and `false` are written out. Names are `device.point`, `device.point.field`, and the plain names
//! of saved values and variables. The right side of `and` and `or` is only looked at when the left
//! one leaves the result open, so `n != 0 and sum / n > 1` is safe.
//!
//! | function | |
//! | --- | --- |
//! | `abs(x)`, `min(x, …)`, `max(x, …)` | |
//! | `round(x)`, `round(x, places)` | halves away from zero; negative places round to tens and so on |
//! | `sqrt(x)` | |
//! | `log10(x)` | always a float |
//! | `bit(x, n)` | whether bit `n` of a whole number is set; bit 0 is the least significant |
//!
//! # Numbers
//!
//! Decimals are exact; quotients and roots that do not end have 34 significant digits. With a float
//! operand the result is a 64-bit float; what a 32-bit reading exactly is goes in. Against a float a
//! decimal is compared as limits are: first rounded to the float's width. NaN goes through
//! arithmetic, but NaN is not comparable: a condition on it has no answer rather than `false`.

mod arithmetic;
mod check;
mod evaluate;
mod lexer;
mod parser;
mod syntax;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use passline_modbus::value::{DecimalError, Value};

pub use check::Type;
use syntax::{Function, Kind, Node};

/// A parsed expression. Two are equal if they mean the same tree, however they are spaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    root: Box<Node>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The bytes of the text that are at fault; empty at its end.
    pub span: Range<usize>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxErrorKind {
    /// Longer than [`Expression::MAX_LENGTH`].
    #[error("an expression of more than {} bytes", Expression::MAX_LENGTH)]
    TooLong,
    /// Nested deeper than [`Expression::MAX_DEPTH`].
    #[error("nested deeper than {} levels", Expression::MAX_DEPTH)]
    TooDeep,
    /// A character that has no meaning.
    #[error("unexpected `{0}`")]
    Character(char),
    /// A text without its closing quote.
    #[error("a text without its closing quote")]
    OpenText,
    /// A number that is none, or too long.
    #[error("not a number: {0}")]
    Number(DecimalError),
    /// `0x` without digits, or with more than 32.
    #[error("not a hexadecimal number of at most 32 digits")]
    Hexadecimal,
    /// A name with a stray dot.
    #[error("not a name: expected `device.point`")]
    Name,
    /// Something else should stand here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// `a < b < c`.
    #[error("a comparison of a comparison: put `and` between, or parentheses around one")]
    ComparisonOfComparison,
    /// No such function: [`Expression::FUNCTIONS`] has them.
    #[error("unknown function `{0}`")]
    UnknownFunction(String),
    /// A function with too few or too many arguments.
    #[error("`{function}` takes {}, not {found}", count(*least, *most))]
    ArgumentCount {
        /// The function.
        function: &'static str,
        /// The least number of arguments.
        least: usize,
        /// The greatest number of arguments; `usize::MAX` for any.
        most: usize,
        /// How many there are.
        found: usize,
    },
}

fn count(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".to_owned(),
        _ if least == most => format!("{least} arguments"),
        (_, usize::MAX) => format!("{least} argument or more"),
        _ => format!("{least} to {most} arguments"),
    }
}

/// Why an expression has no value, or can never have one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct EvaluationError {
    /// What is wrong.
    pub kind: EvaluationErrorKind,
    /// The bytes of the expression's text that are at fault.
    pub span: Range<usize>,
}

/// What is wrong with an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationErrorKind {
    /// A name without a value.
    #[error("`{0}` has no value")]
    NoValue(String),
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What is taken here.
        expected: Type,
        /// What is there.
        found: Type,
    },
    /// Values of two types are compared.
    #[error("{0} cannot be compared with {1}")]
    Comparison(Type, Type),
    /// NaN is compared.
    #[error("NaN cannot be compared")]
    NotANumber,
    /// Division by zero, or the remainder of one.
    #[error("division by zero")]
    DivisionByZero,
    /// The square root of a negative number.
    #[error("square root of a negative number")]
    NegativeRoot,
    /// The logarithm of zero or of a negative number.
    #[error("logarithm of a number that is not above zero")]
    Logarithm,
    /// Not a whole number from 0 to 2^64 - 1, whose bits `bit` looks at.
    #[error("`bit` takes a whole number from 0 to 18446744073709551615")]
    BitsOf,
    /// No such bit.
    #[error("`bit` takes a bit from 0 to 63")]
    BitNumber,
    /// Not a number of decimal places.
    #[error("`round` takes a whole number of places from -100 to 100")]
    Places,
    /// The result is beyond what is kept.
    #[error("the result is too large")]
    Size,
}

impl Expression {
    /// The longest text of an expression, in bytes.
    pub const MAX_LENGTH: usize = 4096;
    /// The deepest nesting.
    pub const MAX_DEPTH: usize = 64;
    /// The names of all functions.
    pub const FUNCTIONS: [&str; Function::ALL.len()] = {
        let mut names = [""; Function::ALL.len()];
        let mut index = 0;
        while index < names.len() {
            names[index] = Function::ALL[index].name();
            index += 1;
        }
        names
    };

    /// The names that it refers to, with their bytes in its text, from left to right. A name that
    /// stands there twice is there twice.
    pub fn names(&self) -> Vec<(&str, Range<usize>)> {
        let mut names = Vec::new();
        collect_names(&self.root, &mut names);
        names
    }

    /// The name, if it is nothing but one.
    pub fn as_name(&self) -> Option<&str> {
        match &self.root.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Its value, given those of its names.
    ///
    /// # Errors
    /// [`EvaluationError`]: it has none.
    pub fn evaluate(
        &self,
        resolve: impl Fn(&str) -> Option<Value>,
    ) -> Result<Value, EvaluationError> {
        evaluate::evaluate(&self.root, &resolve)
    }

    /// The type of its value, given those of its names: what can be said before anything is read.
    ///
    /// # Errors
    /// Everything that will keep it from having a value: wrong types, constant parts without a
    /// value, constant divisors that are zero. At least one.
    pub fn check(&self, type_of: impl Fn(&str) -> Type) -> Result<Type, Vec<EvaluationError>> {
        check::check(&self.root, &type_of)
    }
}

fn collect_names<'a>(node: &'a Node, names: &mut Vec<(&'a str, Range<usize>)>) {
    if let Kind::Name(name) = &node.kind {
        names.push((name, node.span.clone()));
    }
    for part in node.parts() {
        collect_names(part, names);
    }
}

impl FromStr for Expression {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Expression, SyntaxError> {
        parser::parse(text).map(|root| Expression { root: Box::new(root) })
    }
}

impl fmt::Display for Expression {
    /// Reads back as the same expression: single blanks, and no parentheses that change nothing.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.root)
    }
}
