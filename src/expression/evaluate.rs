//! A tree to a value. Recursion is bounded by the depth that the parser allows.

use std::cmp::Ordering;

use passline_modbus::value::{Decimal, Value};

use super::arithmetic::{self, Number};
use super::check::Type;
use super::syntax::{Function, Kind, Logical, Node, Operator};
use super::{EvaluationError, EvaluationErrorKind};

/// Where names get their values.
pub(super) type Resolve<'a> = &'a dyn Fn(&str) -> Option<Value>;

type Evaluated<T> = Result<T, EvaluationError>;

/// Puts the place to what is wrong.
fn at<T>(node: &Node, result: Result<T, EvaluationErrorKind>) -> Evaluated<T> {
    result.map_err(|kind| EvaluationError { kind, span: node.span.clone() })
}

pub(super) fn evaluate(node: &Node, resolve: Resolve<'_>) -> Evaluated<Value> {
    match &node.kind {
        Kind::Literal(literal) => Ok(literal.value()),
        Kind::Name(name) => {
            at(node, resolve(name).ok_or_else(|| EvaluationErrorKind::NoValue(name.to_string())))
        }
        Kind::Negative(inner) => Ok(arithmetic::negative(number(inner, resolve)?).into_value()),
        Kind::Not(inner) => Ok(Value::Bool(!truth(inner, resolve)?)),
        Kind::Logical(kind, parts) => logical(*kind, parts, resolve),
        Kind::Chain(first, rest) => chain(first, rest, resolve),
        Kind::Comparison(comparison, sides) => {
            let (left, right) = (evaluate(&sides.0, resolve)?, evaluate(&sides.1, resolve)?);
            at(node, arithmetic::compare(*comparison, &left, &right)).map(Value::Bool)
        }
        Kind::Call(function, arguments) => call(node, *function, arguments, resolve),
    }
}

fn number(node: &Node, resolve: Resolve<'_>) -> Evaluated<Number> {
    at(node, Number::of(&evaluate(node, resolve)?))
}

fn truth(node: &Node, resolve: Resolve<'_>) -> Evaluated<bool> {
    match evaluate(node, resolve)? {
        Value::Bool(value) => Ok(value),
        other => at(
            node,
            Err(EvaluationErrorKind::Type { expected: Type::Bool, found: Type::of(&other) }),
        ),
    }
}

/// From left to right until the matter is settled.
fn logical(logical: Logical, parts: &[Node], resolve: Resolve<'_>) -> Evaluated<Value> {
    let settled = logical == Logical::Or;
    for part in parts {
        if truth(part, resolve)? == settled {
            return Ok(Value::Bool(settled));
        }
    }
    Ok(Value::Bool(!settled))
}

fn chain(first: &Node, rest: &[(Operator, Node)], resolve: Resolve<'_>) -> Evaluated<Value> {
    let mut result = number(first, resolve)?;
    for (operator, part) in rest {
        let right = number(part, resolve)?;
        let span = first.span.start..part.span.end;
        result = arithmetic::operate(*operator, &result, &right)
            .map_err(|kind| EvaluationError { kind, span })?;
    }
    Ok(result.into_value())
}

fn call(
    node: &Node,
    function: Function,
    arguments: &[Node],
    resolve: Resolve<'_>,
) -> Evaluated<Value> {
    let numbers: Vec<Number> =
        arguments.iter().map(|argument| number(argument, resolve)).collect::<Result<_, _>>()?;
    at(node, apply(function, numbers))
}

/// The parser has seen to the number of arguments; a missing one would be 0.
fn apply(function: Function, numbers: Vec<Number>) -> Result<Value, EvaluationErrorKind> {
    let mut numbers = numbers.into_iter();
    let mut take = || numbers.next().unwrap_or(Number::Exact(Decimal::zero()));
    let first = take();
    let result = match function {
        Function::Abs => arithmetic::abs(first),
        Function::Min | Function::Max => {
            let wanted = if function == Function::Min { Ordering::Less } else { Ordering::Greater };
            numbers.try_fold(first, |best, next| arithmetic::choose(best, next, wanted))?
        }
        Function::Round => {
            let places = arithmetic::places(&take())?;
            arithmetic::round(first, places)?
        }
        Function::Sqrt => arithmetic::sqrt(first)?,
        Function::Log10 => arithmetic::log10(&first)?,
        Function::Bit => return arithmetic::bit(&first, &take()).map(Value::Bool),
    };
    Ok(result.into_value())
}
