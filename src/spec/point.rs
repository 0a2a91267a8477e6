//! A point of a register map: its table of keys, and what it declares.

use passline_modbus::point::{
    Access, DataType, Declaration, Field as BitField, Invalid, Order, PointError, Site,
};
use passline_modbus::value::Decimal;

use super::place::{self, BEYOND, Common, TABLES};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::source::{Span, Spanned};
use crate::language::yaml::Node;

const RAW_NUMBER: Shape = Shape::Integer { min: i64::MIN as i128, max: u64::MAX as i128 };

/// The names of the types.
pub(super) const TYPES: &[&str] = &[
    "bool", "u16", "i16", "u32", "i32", "u64", "i64", "f16", "f32", "f64", "s16", "s32", "bcd16",
    "bcd32", "string", "bytes",
];

/// How raw registers make a value.
pub(super) const DECODING: &[Field] = &[
    Field::optional(
        "at",
        Shape::Integer { min: 0, max: 250 },
        "Where it begins: a byte of `device_id` and `server_id`, a value of `fifo`. Counted from 0.",
    ),
    Field::optional(
        "type",
        Shape::Choice(TYPES),
        "Default `u16` for registers, `bool` for bits, `string` for `device_id` and `bytes` for `server_id`. `s16` and `s32` are sign and magnitude.",
    ),
    Field::optional(
        "length",
        Shape::Integer { min: 1, max: 125 },
        "Registers of a `string` or `bytes`; of `device_id` and `server_id` bytes.",
    ),
    Field::optional(
        "order",
        Shape::Text,
        "Bytes as they travel, by significance: `ABCD` (default), `CDAB`, `BADC`, `DCBA`; `AB`, \
         `BA`; eight letters for 64 bits.",
    ),
    Field::optional("scale", Shape::Number, "Value = raw × scale + offset, exactly. Default 1."),
    Field::optional("offset", Shape::Number, "Added after scaling. Default 0."),
    Field::optional("unit", Shape::Text, "The measuring unit."),
];

/// A point of a register map.
pub(super) static POINT: Object = Object {
    name: "point",
    doc: "A named datum of a device: where it is, and how it is read.",
    fields: &[TABLES, BEYOND, DECODING, MEANING],
};

const MEANING: &[Field] = &[
    Field::optional(
        "scale_factor",
        Shape::Text,
        "A point that holds a further power of ten to scale by, -10 to 10, as in SunSpec.",
    ),
    Field::optional(
        "bits",
        Shape::Map(&Shape::AnyOf(&[Shape::Integer { min: 0, max: 63 }, Shape::Text])),
        "Bit fields by name: `ready: 3` or `mode: 4..6`, read as `device.point.ready`.",
    ),
    Field::optional(
        "values",
        Shape::Map(&Shape::Text),
        "Labels by number. The value is the label; a number without one cannot be decoded.",
    ),
    Field::optional(
        "invalid",
        Shape::AnyOf(&[RAW_NUMBER, Shape::List(&RAW_NUMBER), Shape::Choice(&["sunspec"])]),
        "Raw contents that mean \"not available\": a number, a list, or `sunspec`.",
    ),
    Field::optional(
        "access",
        Shape::Choice(&["read", "write", "read-write"]),
        "What one may do with it; by default what its table allows.",
    ),
    Field::optional(
        "range",
        Shape::Object(&RANGE),
        "The least and the greatest value to be written.",
    ),
    Field::optional("alone", Shape::Bool, "Never read together with others."),
    Field::optional("clears_on_read", Shape::Bool, "Reading it changes the device."),
    Field::optional("description", Shape::Text, "What it is, for people."),
];

static RANGE: Object = Object {
    name: "range",
    doc: "What may be written, both ends included.",
    fields: &[&[
        Field::required("min", Shape::Number, "The least."),
        Field::required("max", Shape::Number, "The greatest."),
    ]],
};

/// A declaration and where it stands, for what can only be checked with the other points.
pub(super) struct Declared {
    pub(super) name: Spanned<String>,
    pub(super) declaration: Declaration,
    fields: Vec<(&'static str, Span)>,
}

impl Declared {
    /// Where the key of a declaration's mistake stands.
    pub(super) fn span_of(&self, key: &str) -> Span {
        let found = self.fields.iter().find(|(name, _)| *name == key);
        found.map_or(self.name.span, |(_, span)| *span)
    }
}

/// The point at `node` and its bit fields.
pub(super) fn declarations(
    context: &Context<'_>,
    common: &Common,
    name: &Spanned<String>,
    node: Node<'_>,
) -> Vec<Declared> {
    let Some(fields) = context.fields(node, &POINT) else { return Vec::new() };
    let Some(site) = place::site(context, common, &fields) else { return Vec::new() };
    let Some(mut declaration) = decoding(context, common, (&name.value, site), &fields) else {
        return Vec::new();
    };
    meaning(context, &fields, &mut declaration);
    let mut spans: Vec<(&'static str, Span)> = fields
        .keys()
        .flat_map(|key| {
            let span = fields.key_span(key);
            let address = TABLES.iter().chain(BEYOND).any(|place| place.key == key);
            [(key, span), (if address { "address" } else { key }, span)]
        })
        .collect();
    // A length that is missing is missing of a type.
    if let (false, Some(word)) = (fields.has("length"), fields.node("type")) {
        spans.push(("length", word.span()));
    }
    let mut declared = vec![];
    for entry in fields.map("bits") {
        let Some(field_name) = context.name(entry.key_node) else { continue };
        let Some(field) = bit_field(context, entry.value) else { continue };
        declared.push(Declared {
            name: Spanned {
                value: format!("{}.{}", name.value, field_name.value),
                span: field_name.span,
            },
            declaration: declaration.field(&field_name.value, field),
            fields: vec![("bits", entry.value.span())],
        });
    }
    declared.insert(0, Declared { name: name.clone(), declaration, fields: spans });
    declared
}

/// How its registers make a value; the keys of [`DECODING`] alone.
pub(super) fn decoding(
    context: &Context<'_>,
    common: &Common,
    (name, site): (&str, Site),
    fields: &Fields<'_, '_>,
) -> Option<Declaration> {
    let mut declaration = Declaration::of(name, site);
    declaration.profile_order = common.order;
    let length = fields.integer::<u16>("length");
    let at = fields.integer::<u16>("at");
    if (length.is_none() && fields.has("length")) || (at.is_none() && fields.has("at")) {
        return None;
    }
    declaration.at = at.map(|at| at.value);
    let word = fields.choice("type");
    if word.is_none() && fields.has("type") {
        return None;
    }
    let (name, span) = match (&word, &length) {
        (Some(word), _) => (word.value, word.span),
        (None, Some(length)) => (declaration.data_type.name(), length.span),
        (None, None) => (declaration.data_type.name(), fields.span()),
    };
    declaration.data_type = DataType::named(name, length.map(|length| length.value))
        .map_err(|error| report(context, &error, span))
        .ok()?;
    declaration.order = fields.text("order").and_then(|text| order(context, &text));
    declaration.scale = fields.number("scale").map_or_else(Decimal::one, |scale| scale.value);
    declaration.offset = fields.number("offset").map_or_else(Decimal::zero, |offset| offset.value);
    declaration.unit = fields.text("unit").map(|unit| unit.value);
    Some(declaration)
}

fn meaning(context: &Context<'_>, fields: &Fields<'_, '_>, declaration: &mut Declaration) {
    declaration.scale_factor = fields.text("scale_factor").map(|name| name.value);
    declaration.description = fields.text("description").map(|text| text.value);
    declaration.alone = fields.boolean("alone").is_some_and(|alone| alone.value);
    declaration.clears_on_read =
        fields.boolean("clears_on_read").is_some_and(|clears| clears.value);
    declaration.access = fields.choice("access").map(|access| match access.value {
        "read" => Access::Read,
        "write" => Access::Write,
        _ => Access::ReadWrite,
    });
    declaration.range = fields
        .object("range")
        .and_then(|range| Some((range.number("min")?.value, range.number("max")?.value)));
    for entry in fields.map("values") {
        let number =
            context.integer::<i128>(entry.key_node, (i128::from(i64::MIN), i128::from(u64::MAX)));
        let label = context.text(entry.value);
        if let (Some(number), Some(label)) = (number, label) {
            declaration.labels.push((number.value, label.value));
        }
    }
    if let Some(node) = fields.node("invalid") {
        declaration.invalid = invalid(context, node);
    }
}

fn invalid(context: &Context<'_>, node: Node<'_>) -> Invalid {
    if node.scalar().is_some_and(|scalar| scalar.text == "sunspec") {
        return Invalid::SunSpec;
    }
    let bounds = (i128::from(i64::MIN), i128::from(u64::MAX));
    let numbers = context.one_or_many(node).into_iter();
    Invalid::Raw(
        numbers.filter_map(|node| context.integer(node, bounds)).map(|raw| raw.value).collect(),
    )
}

/// The order that a text names.
pub(super) fn order(context: &Context<'_>, text: &Spanned<String>) -> Option<Order> {
    let order = text.value.parse::<Order>();
    if order.is_err() {
        let message = format!("{} is no order of bytes", quoted(&text.value));
        let remedy = "write the bytes as they travel, A the most significant: `AB` or `BA`, `ABCD`, \
                      `CDAB`, `BADC` or `DCBA`, or eight letters for 64 bits";
        context.report(Diagnostic::error(text.span, message).remedy(remedy));
    }
    order.ok()
}

/// `3`, or `4..6`.
fn bit_field(context: &Context<'_>, node: Node<'_>) -> Option<BitField> {
    let text = context.scalar(node)?;
    let written = text.value.to_string();
    let (first, last) = written.split_once("..").unwrap_or((&written, &written));
    let (Ok(first), Ok(last)) = (first.trim().parse::<u8>(), last.trim().parse::<u8>()) else {
        let message = format!("{} is no bit field", quoted(&written));
        let remedy = "write the bit, 0 the least significant: `3`, or the first and last: `4..6`";
        context.report(Diagnostic::error(text.span, message).remedy(remedy));
        return None;
    };
    BitField::new(first, last).map_err(|error| report(context, &error, text.span)).ok()
}

/// Reports what makes no sense in a declaration.
pub(super) fn report(context: &Context<'_>, error: &PointError, span: Span) {
    context.report(Diagnostic::error(span, error.to_string()).remedy(remedy(error)));
}

fn remedy(error: &PointError) -> String {
    String::from(match error {
        PointError::UnknownType(_) => return format!("write {}", one_of(TYPES)),
        PointError::NotScalable { key } => return format!("remove the `{key}:`"),
        PointError::TooLong { key } => return format!("round the `{key}:`"),
        PointError::LengthMissing(_) | PointError::LengthRange(_) => {
            "write `length:` and a number of registers, 1 to 125"
        }
        PointError::LengthNeedless(_) => "remove it, or write `type: string` or `type: bytes`",
        PointError::PastEnd { .. } => {
            "correct the address: those of a profile are moved by the device's `base:`"
        }
        PointError::RegisterType { .. } | PointError::NumberType(_) => "remove the `type:`",
        PointError::QueueType(_) => "say with `at:` which of its values is read, 0 the oldest",
        PointError::PartNeedless => "remove the `at:`",
        PointError::PartOutside { .. } => "bytes and values are counted from 0",
        PointError::FileLength(_) => "write `length:` and a number of registers, 1 to 121",
        PointError::PastFile { .. } => "correct the `record:`, or the length",
        PointError::OrderNeedless => "remove the `order:`",
        PointError::OrderWidth { .. } => {
            "write a letter for each byte: two for 16 bits, four for 32, eight for 64"
        }
        PointError::ScaleZero => "write the factor, or remove the `scale:`",
        PointError::FieldReversed => "write the lower bit first: `4..6`",
        PointError::FieldType(_) => "give the word one of these types",
        PointError::FieldOutside { .. } | PointError::FieldBeyond { .. } => {
            "bits are counted from 0, the least significant"
        }
        PointError::LabelType(_) => "remove the `values:`",
        PointError::LabelOutside(_) => "remove the label, or correct the `type:`",
        PointError::LabelTwice(_) => "keep one of the two",
        PointError::InvalidType(_) => "remove the `invalid:`",
        PointError::InvalidOutside { .. } => "write the raw number as the type holds it",
        PointError::InvalidSunSpec(_) => "write a raw number instead of `sunspec`",
        PointError::ReadOnlyTable(_) | PointError::ReadOnly => "remove the `access:`",
        PointError::RangeReadOnly => "remove the `range:`, or correct the `access:`",
        PointError::RangeType => "remove the `range:`",
        PointError::RangeReversed => "exchange `min` and `max`",
    })
}
