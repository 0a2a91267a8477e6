//! What can be said of an expression before its names have values.

use std::fmt;

use passline_modbus::point::Domain;
use passline_modbus::value::Value;

use super::evaluate::evaluate;
use super::syntax::{Function, Kind, Node, Operator};
use super::{EvaluationError, EvaluationErrorKind};

/// The type of a value, as far as expressions tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// An exact decimal.
    Number,
    /// A binary float, which may be NaN.
    Float,
    /// A text, labels included.
    Text,
    /// Bytes.
    Bytes,
    /// Not known before it is read.
    Unknown,
}

impl Type {
    /// The type of a value; never [`Type::Unknown`].
    pub fn of(value: &Value) -> Type {
        match value {
            Value::Bool(_) => Type::Bool,
            Value::Number(_) => Type::Number,
            Value::F32(_) | Value::F64(_) => Type::Float,
            Value::Text(_) => Type::Text,
            Value::Bytes(_) => Type::Bytes,
        }
    }

    /// The type of what a point decodes to; never [`Type::Unknown`].
    pub fn of_domain(domain: &Domain) -> Type {
        match domain {
            Domain::Bool => Type::Bool,
            Domain::Steps(_) | Domain::Unbounded { width: None } => Type::Number,
            Domain::Float { .. } | Domain::Unbounded { width: Some(_) } => Type::Float,
            Domain::Labels(_) | Domain::Text { .. } => Type::Text,
            Domain::Bytes { .. } => Type::Bytes,
        }
    }

    /// Whether it can be calculated with.
    pub fn is_number(self) -> bool {
        matches!(self, Type::Number | Type::Float)
    }

    /// Whether one can stand where the other is taken.
    pub fn may_be(self, other: Type) -> bool {
        let unknown = self == Type::Unknown || other == Type::Unknown;
        unknown || self == other || (self.is_number() && other.is_number())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Type::Bool => "true or false",
            Type::Number => "a number",
            Type::Float => "a float",
            Type::Text => "a text",
            Type::Bytes => "bytes",
            Type::Unknown => "a value of unknown type",
        })
    }
}

pub(super) fn check(
    root: &Node,
    type_of: &dyn Fn(&str) -> Type,
) -> Result<Type, Vec<EvaluationError>> {
    let mut checker = Checker { type_of, errors: Vec::new() };
    let (found, _) = checker.node(root);
    if checker.errors.is_empty() { Ok(found) } else { Err(checker.errors) }
}

struct Checker<'a> {
    type_of: &'a dyn Fn(&str) -> Type,
    errors: Vec<EvaluationError>,
}

/// Whether a part refers to no name.
type Constant = bool;

impl Checker<'_> {
    fn node(&mut self, node: &Node) -> (Type, Constant) {
        let before = self.errors.len();
        let (found, constant) = self.kind(node);
        // The innermost constant part without a value is the one to be shown.
        if constant && self.errors.len() == before && !matches!(node.kind, Kind::Literal(_)) {
            self.errors.extend(evaluate(node, &|_| None).err());
        }
        (found, constant)
    }

    fn kind(&mut self, node: &Node) -> (Type, Constant) {
        match &node.kind {
            Kind::Literal(literal) => (Type::of(&literal.value()), true),
            Kind::Name(name) => ((self.type_of)(name), false),
            Kind::Not(_) | Kind::Logical(..) => (Type::Bool, self.all(node, Type::Bool).1),
            Kind::Negative(_) => self.all(node, Type::Number),
            Kind::Call(function, _) => {
                let (number, constant) = self.all(node, Type::Number);
                let found = match function {
                    Function::Bit => Type::Bool,
                    Function::Log10 => Type::Float,
                    _ => number,
                };
                (found, constant)
            }
            Kind::Chain(_, rest) => {
                let (number, constant) = self.all(node, Type::Number);
                if !constant {
                    self.divisors(rest);
                }
                (number, constant)
            }
            Kind::Comparison(comparison, sides) => {
                let ((left, one), (right, other)) = (self.node(&sides.0), self.node(&sides.1));
                let ordered = !comparison.orders()
                    || (left.may_be(Type::Number) && right.may_be(Type::Number));
                if !left.may_be(right) || !ordered {
                    self.error(node, EvaluationErrorKind::Comparison(left, right));
                }
                (Type::Bool, one && other)
            }
        }
    }

    /// Checks that all parts are of that type. The type of a number made of them: exact only if all
    /// of them are.
    fn all(&mut self, node: &Node, expected: Type) -> (Type, Constant) {
        let mut result = (Type::Number, true);
        for part in node.parts() {
            let (found, constant) = self.node(part);
            if !found.may_be(expected) {
                self.error(part, EvaluationErrorKind::Type { expected, found });
            }
            if found != Type::Number {
                result.0 = Type::Float;
            }
            result.1 &= constant;
        }
        result
    }

    /// Constant divisors of a chain that are zero.
    fn divisors(&mut self, rest: &[(Operator, Node)]) {
        for (operator, part) in rest {
            let divides = matches!(operator, Operator::Divide | Operator::Remainder);
            let is_zero = |value: Value| value.to_decimal().is_some_and(|value| value.is_zero());
            if divides && evaluate(part, &|_| None).is_ok_and(is_zero) {
                self.error(part, EvaluationErrorKind::DivisionByZero);
            }
        }
    }

    fn error(&mut self, node: &Node, kind: EvaluationErrorKind) {
        self.errors.push(EvaluationError { kind, span: node.span.clone() });
    }
}
