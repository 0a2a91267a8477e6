//! `first_order` and `computed`: what follows from other points.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::value::{Decimal, Value};
use passline_simulator::program::{Formula, Lag, Signal};

use super::{Names, float, holds, is_number, lasting};
use crate::expression::{Expression, Type};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;

pub(super) static FIRST_ORDER: Object = Object {
    name: "first-order lag",
    doc: "Follows another point: after one time constant 63 % of the way are gone.",
    fields: &[&[
        Field::required("target", Shape::Text, "The point that is followed."),
        Field::required("time_constant", Shape::Duration, "How slowly."),
        Field::optional(
            "from",
            Shape::Number,
            "The value at the start. Default: the one that the point has then.",
        ),
    ]],
};

/// The name of the time in a formula.
const TIME: &str = "t";

pub(super) fn first_order(
    names: &mut Names<'_, '_>,
    point: usize,
    fields: &Fields<'_, '_>,
) -> Option<Signal> {
    let time_constant = lasting(names, fields, "time_constant")?;
    let name = fields.text("target")?;
    let target = names.point(&name)?;
    is_number(names, target, name.span)?;
    is_number(names, point, fields.span())?;
    let from = float(fields, "from");
    if let Some(from) = from {
        holds(names, point, &[Value::F64(from)], fields.key_span("from"))?;
    }
    Some(Signal::Lag(Lag { target, time_constant, from }))
}

pub(super) fn computed(
    names: &mut Names<'_, '_>,
    point: usize,
    text: &Spanned<String>,
) -> Option<Signal> {
    formula(names, point, text).map(Signal::Computed)
}

/// An expression over points of the device and `t`, whose value a point takes. `None`: reported.
pub(in super::super) fn formula(
    names: &mut Names<'_, '_>,
    point: usize,
    text: &Spanned<String>,
) -> Option<Formula> {
    let context = names.context;
    let parsed = match text.value.parse::<Expression>() {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = Diagnostic::error(text.part(error.span.clone()), error.to_string());
            let remedy =
                "an expression is made of points of this device, `t`, numbers and operators";
            context.report(error.remedy(remedy));
            return None;
        }
    };
    let mut places = HashMap::new();
    let mut inputs = Vec::new();
    for (name, bytes) in parsed.names() {
        if name == TIME || places.contains_key(name) {
            continue;
        }
        let place = Spanned { value: name.to_owned(), span: text.part(bytes) };
        places.insert(name.to_owned(), inputs.len());
        inputs.push(names.point(&place)?);
    }
    let type_of = |name: &str| {
        let input = places.get(name).and_then(|place| inputs.get(*place));
        let held = input.and_then(|input| names.points.get(*input));
        held.map_or(Type::Number, |held| Type::of_domain(&held.point.domain()))
    };
    let found = parsed.check(type_of).map_err(|errors| {
        for error in errors {
            let wrong = Diagnostic::error(text.part(error.span.clone()), error.to_string());
            context.report(wrong.remedy("as it stands, it never has a value"));
        }
    });
    let found = found.ok()?;
    let held = names.points.get(point)?;
    let wanted = Type::of_domain(&held.point.domain());
    // What is not zero sets a bit.
    let suits = found == Type::Unknown
        || found == wanted
        || found.is_number() && (wanted.is_number() || wanted == Type::Bool);
    if !suits {
        let name = quoted(held.point.name());
        let message = format!("{name} is {wanted}, and this is {found}");
        let remedy = "compute a value that the point can hold";
        context.report(Diagnostic::error(text.span, message).remedy(remedy));
        return None;
    }
    let compute = move |values: &[Value], now: Duration| {
        let resolve = |name: &str| match places.get(name) {
            Some(place) => values.get(*place).cloned(),
            None => Decimal::try_from(now.as_secs_f64()).ok().map(Value::Number),
        };
        parsed.evaluate(resolve).ok()
    };
    Some(Formula { inputs, compute: Arc::new(compute) })
}
