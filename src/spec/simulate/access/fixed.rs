//! `overrides`: requests that are answered whatever the memory holds.

use passline_modbus::pdu::{MAX_PDU, MAX_READ_BITS, MAX_READ_REGISTERS};
use passline_modbus::value::Value;
use passline_simulator::access::{Override, Says};

use crate::judge::exception;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::yaml::Node;
use crate::spec::simulate::image::{CELLS, bit};

pub(in super::super) static OVERRIDE: Object = Object {
    name: "override",
    doc: "A request that is answered with this, whatever the memory holds.",
    fields: &[
        &[
            Field::required(
                "function",
                Shape::Integer { min: 1, max: 127 },
                "The function code of the request.",
            ),
            Field::optional(
                "start",
                Shape::U16,
                "Its protocol address, or its first two bytes if it has none. Default: any.",
            ),
            Field::optional(
                "count",
                Shape::U16,
                "How many registers or bits it is about. Default: any.",
            ),
        ],
        CELLS,
        &[
            Field::optional("code", exception::SHAPE, "The exception that is answered."),
            Field::optional("pdu", Shape::Text, "The whole answer: `\"2B 0E …\"`."),
        ],
    ],
};

/// The answers that there are.
const ANSWERS: [&str; 4] = ["words", "bits", "code", "pdu"];

/// Functions whose request says a count behind its address.
const COUNTED: [u8; 7] = [1, 2, 3, 4, 15, 16, 23];

/// Functions whose request is nothing but its function code.
const BARE: [u8; 4] = [7, 11, 12, 17];

/// A request and its answer. `None`: reported.
pub(super) fn fixed(context: &Context<'_>, node: Node<'_>) -> Option<Override> {
    let fields = context.fields(node, &OVERRIDE)?;
    let function = fields.integer::<u8>("function")?.value;
    let refuse = |key, message: String, remedy: &str| {
        context.report(Diagnostic::error(fields.key_span(key), message).remedy(remedy));
        None
    };
    let given: Vec<&str> = ANSWERS.into_iter().filter(|key| fields.has(key)).collect();
    let &[key] = given.as_slice() else {
        let message = format!("an override has one answer, not {}", given.len());
        let error = Diagnostic::error(fields.span(), message);
        context.report(error.remedy(format!("give one of {}", one_of(&ANSWERS))));
        return None;
    };
    if fields.has("start") && BARE.contains(&function) {
        let message = format!("requests of function {function} have no address");
        return refuse("start", message, "remove the `start:`");
    }
    if fields.has("count") && !COUNTED.contains(&function) {
        let message = format!("requests of function {function} have no count");
        return refuse("count", message, "remove the `count:`");
    }
    let count = fields.integer::<u16>("count").map(|count| count.value);
    let says = match key {
        "code" => Says::Exception(exception::read(context, fields.node("code")?)?),
        "pdu" => pdu(context, &fields, function)?,
        _ => cells(context, &fields, (function, key, count))?,
    };
    let start = fields.integer("start").map(|start| start.value);
    Some(Override { function, start, count, says })
}

/// `words` or `bits`. `None`: reported.
fn cells(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    (function, key, count): (u8, &str, Option<u16>),
) -> Option<Says> {
    let nodes = fields.list(key);
    let length = nodes.len();
    let (of, most, says) = if key == "bits" {
        let bits: Vec<bool> =
            nodes.into_iter().map(|node| bit(context, node)).collect::<Option<_>>()?;
        ("1 and 2", MAX_READ_BITS, Says::Bits(bits.into()))
    } else {
        let words = nodes.into_iter().map(|node| context.integer(node, (0, i128::from(u16::MAX))));
        let words: Vec<u16> = words.map(|word| Some(word?.value)).collect::<Option<_>>()?;
        ("3, 4 and 23", MAX_READ_REGISTERS, Says::Words(words.into()))
    };
    let reads = match says {
        Says::Bits(_) => matches!(function, 1 | 2),
        _ => matches!(function, 3 | 4 | 23),
    };
    let (message, remedy) = if !reads {
        (format!("`{key}` are answered by the functions {of}"), "write the answer as `pdu:`")
    } else if length == 0 || length > most.into() {
        (format!("{length} in one answer; there are 1 to {most}"), "correct how many there are")
    } else if count == Some(0) {
        let message = format!("a request for none is never answered with `{key}`");
        (message, "correct the `count`, or answer with a `code:`")
    } else if count.is_some_and(|count| length < count.into()) {
        let message = format!("{length} are fewer than the `count` that is asked for");
        (message, "give as many as are asked for; an answer that is too short is a `pdu:`")
    } else {
        return Some(says);
    };
    context.report(Diagnostic::error(fields.key_span(key), message).remedy(remedy));
    None
}

/// `pdu`: an answer of this function. `None`: reported.
fn pdu(context: &Context<'_>, fields: &Fields<'_, '_>, function: u8) -> Option<Says> {
    let text = fields.text("pdu")?;
    let (message, remedy) = match Value::bytes(&text.value) {
        Some(Value::Bytes(bytes)) if bytes.len() > MAX_PDU => {
            (format!("{} bytes; a PDU has {MAX_PDU} at most", bytes.len()), "shorten it")
        }
        Some(Value::Bytes(bytes)) => match bytes.split_first() {
            Some((own, data)) if *own == function => {
                return Some(Says::Data(data.to_vec().into()));
            }
            _ => (
                format!("this answer does not begin with {function:02X}, the function asked for"),
                "exceptions are `code:`, and another function is the fault `function`",
            ),
        },
        _ => (
            format!("{} is no sequence of bytes", quoted(&text.value)),
            "write two hexadecimal digits for each byte: \"2B 0E 01\"",
        ),
    };
    context.report(Diagnostic::error(text.span, message).remedy(remedy));
    None
}
