//! Expressions of a spec: parsed, their names bound to points and variables, their types checked.

use std::collections::{BTreeMap, BTreeSet};

use passline_modbus::point::Domain;
use passline_modbus::value::{Value, Width};

use super::model::{Expression, NamedPoint};
use super::step::named_point;
use super::test::Names;
use crate::expression::{self, SyntaxErrorKind, Type};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::source::Spanned;

/// What to do about a text that is no expression.
const LANGUAGE: &str = "an expression is made of points (`device.point`), variables and numbers, \
    `+ - * / %`, comparisons, `and`, `or`, `not`, functions and parentheses";

/// An expression with its names bound. `None`: reported.
pub(super) fn bind(
    context: &Context<'_>,
    names: &Names<'_>,
    text: &Spanned<String>,
) -> Option<Expression> {
    let parsed = match text.value.parse::<expression::Expression>() {
        Ok(parsed) => parsed,
        Err(error) => {
            let span = text.part(error.span.clone());
            let wrong = Diagnostic::error(span, error.to_string()).remedy(LANGUAGE);
            context.report(match &error.kind {
                SyntaxErrorKind::UnknownFunction(name) => {
                    let functions = expression::Expression::FUNCTIONS;
                    let wrong = wrong.remedy(format!("the functions are {}", functions.join(", ")));
                    wrong.suggest(name, functions)
                }
                _ => wrong,
            });
            return None;
        }
    };
    let mut points = Vec::new();
    let mut constants = BTreeMap::new();
    let mut saved = BTreeMap::new();
    let mut complete = true;
    for (name, bytes) in parsed.names() {
        let place = Spanned { value: name.to_owned(), span: text.part(bytes) };
        if name.contains('.') {
            match named_point(context, names, &place) {
                Some((device, point)) => {
                    points.push(NamedPoint { name: name.to_owned(), device, point });
                }
                None => complete = false,
            }
        } else if let Some(variable) = context.variables.get(name) {
            constants.insert(name.to_owned(), Value::from(variable.value.clone()));
        } else if let Some(found) = names.saved.type_of(name) {
            saved.insert(name.to_owned(), found);
        } else {
            let message = format!("there is no variable {}", quoted(name));
            let error = Diagnostic::error(place.span, message);
            let error = error.remedy(
                "a point is `device.point`; a variable is declared in `vars:`, or saved by an \
                 earlier step",
            );
            let known = names.saved.names();
            let known = context.variables.all().into_keys().chain(known.iter().map(String::as_str));
            context.report(error.suggest(name, known));
            complete = false;
        }
    }
    if !complete {
        return None;
    }
    let domain = domain(&parsed, &points, (&constants, &saved))
        .map_err(|errors| {
            for error in errors {
                let wrong = Diagnostic::error(text.part(error.span.clone()), error.to_string());
                context.report(wrong.remedy("as it stands, it never has a value"));
            }
        })
        .ok()?;
    let saved: BTreeSet<String> = saved.into_keys().collect();
    Some(Expression { text: parsed, points, constants, saved, domain })
}

/// A condition: an expression that is true or false. `None`: reported.
pub(super) fn condition(
    context: &Context<'_>,
    names: &Names<'_>,
    text: &Spanned<String>,
) -> Option<Expression> {
    let bound = bind(context, names, text)?;
    let found = Type::of_domain(&bound.domain);
    if found == Type::Bool {
        return Some(bound);
    }
    let error = Diagnostic::error(text.span, format!("a condition is true or false, not {found}"));
    context.report(error.remedy("compare it with something: `meter.state == 'run'`"));
    None
}

/// What an expression can come to; of a point alone what the point can.
fn domain(
    parsed: &expression::Expression,
    points: &[NamedPoint],
    (constants, saved): (&BTreeMap<String, Value>, &BTreeMap<String, Type>),
) -> Result<Domain, Vec<expression::EvaluationError>> {
    let named = |name: &str| points.iter().find(|point| point.name == name);
    let found = parsed.check(|name| match (named(name), constants.get(name)) {
        (Some(named), _) => Type::of_domain(&named.point.domain()),
        (None, Some(value)) => Type::of(value),
        (None, None) => saved.get(name).copied().unwrap_or(Type::Unknown),
    })?;
    if let Some(named) = parsed.as_name().and_then(named) {
        return Ok(named.point.domain());
    }
    Ok(match found {
        Type::Bool => Domain::Bool,
        Type::Text => Domain::Text { max_bytes: u16::MAX },
        Type::Bytes => Domain::Bytes { least: 0, most: u16::MAX },
        Type::Number => Domain::Unbounded { width: None },
        Type::Float | Type::Unknown => Domain::Unbounded { width: Some(Width::F64) },
    })
}
