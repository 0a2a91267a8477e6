//! A point of a register map: its table of keys, and what it declares.

use passline_modbus::pdu::counter::Counter;
use passline_modbus::point::{
    Access, DataType, Declaration, Field as BitField, Invalid, Location, Order, PointError, Site,
    Table,
};
use passline_modbus::value::Decimal;

use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::source::{Span, Spanned};
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

/// Addresses as any of the notations writes them; what fits is decided by the notation.
pub(super) const ADDRESS: Shape = Shape::Integer { min: 0, max: 465_536 };

const RAW_NUMBER: Shape = Shape::Integer { min: i64::MIN as i128, max: u64::MAX as i128 };

/// The names of the types.
pub(super) const TYPES: &[&str] = &[
    "bool", "u16", "i16", "u32", "i32", "u64", "i64", "f16", "f32", "f64", "s16", "s32", "bcd16",
    "bcd32", "string", "bytes",
];

/// A table, and an address in it.
pub(super) const TABLES: &[Field] = &[
    Field::optional("coil", ADDRESS, "Address in the table of coils: bits, read and written."),
    Field::optional(
        "discrete",
        ADDRESS,
        "Address in the table of discrete inputs: bits, read only.",
    ),
    Field::optional("input", ADDRESS, "Address in the table of input registers, read only."),
    Field::optional(
        "holding",
        ADDRESS,
        "Address in the table of holding registers, read and written.",
    ),
];

/// Where a point is beyond the tables. Exactly one of these keys or of [`TABLES`] is there.
pub(super) const BEYOND: &[Field] = &[
    Field::optional(
        "device_id",
        Shape::AnyOf(&[Shape::Integer { min: 0, max: 255 }, Shape::Choice(Location::OBJECTS)]),
        "An object of the device identification (function 43/14), by its id or name.",
    ),
    Field::optional(
        "server_id",
        Shape::Bool,
        "The server id (function 17), whose bytes are the vendor's: `true`.",
    ),
    Field::optional(
        "diagnostic",
        Shape::AnyOf(&[Shape::Integer { min: 2, max: 18 }, Shape::Choice(Counter::NAMES)]),
        "A counter or the diagnostic register (function 8), by its sub-function or name.",
    ),
    Field::optional("exception_status", Shape::Bool, "The exception status (function 7): `true`."),
    Field::optional("file", Shape::Object(&FILE), "Registers of a file (function 20)."),
    Field::optional(
        "fifo",
        ADDRESS,
        "Address of a queue (function 24), counted as holding registers are. Without `at` the value is how many values are in it.",
    ),
];

static FILE: Object = Object {
    name: "file record",
    doc: "Registers of a file.",
    fields: &[&[
        Field::required(
            "number",
            Shape::Integer { min: 1, max: 65_535 },
            "The number of the file.",
        ),
        Field::required("record", Shape::Integer { min: 0, max: 9_999 }, "The first record."),
    ]],
};

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

/// What the numbers of a file mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Notation {
    /// Protocol addresses.
    #[default]
    From0,
    /// One more than the protocol address.
    From1,
    /// Table digit and four digits: 40001 is holding 0.
    Modicon5,
    /// Table digit and five digits: 400001 is holding 0.
    Modicon6,
}

impl Notation {
    pub(super) const NAMES: &[&str] = &["from_0", "from_1", "modicon_5", "modicon_6"];

    pub(super) fn named(name: &str) -> Self {
        match name {
            "from_1" => Self::From1,
            "modicon_5" => Self::Modicon5,
            "modicon_6" => Self::Modicon6,
            _ => Self::From0,
        }
    }

    /// The protocol address of a number of the file.
    fn protocol(self, table: Table, number: u32) -> Result<u32, String> {
        let digit = match table {
            Table::Coil => 0,
            Table::Discrete => 1,
            Table::Input => 3,
            Table::Holding => 4,
        };
        let first = match self {
            Self::From0 => 0,
            Self::From1 => 1,
            Self::Modicon5 => digit * 10_000 + 1,
            Self::Modicon6 => digit * 100_000 + 1,
        };
        let last = match self {
            Self::From0 | Self::From1 | Self::Modicon6 => first + 65_535,
            Self::Modicon5 => first + 9_998,
        };
        if (first..=last).contains(&number) {
            return Ok(number - first);
        }
        Err(format!("the table `{table}` has addresses within {first}..={last} here, not {number}"))
    }
}

/// What holds for all points of a map.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Common {
    pub(super) notation: Notation,
    pub(super) order: Order,
    /// Added to every address.
    pub(super) base: u32,
}

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
    let Some(site) = site(context, common, &fields) else { return Vec::new() };
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

/// A table and a protocol address.
pub(super) fn table(
    context: &Context<'_>,
    common: &Common,
    fields: &Fields<'_, '_>,
) -> Option<(Table, u32)> {
    let key = only(context, fields, &[TABLES])?;
    let table = Table::ALL.into_iter().find(|table| table.name() == key)?;
    Some((table, address(context, common, fields, (table, key))?))
}

/// Where a point is.
pub(super) fn site(
    context: &Context<'_>,
    common: &Common,
    fields: &Fields<'_, '_>,
) -> Option<Site> {
    let key = only(context, fields, &[TABLES, BEYOND])?;
    Some(match key {
        "device_id" => Site::DeviceId(object(context, fields)?),
        "server_id" => affirmed(context, fields, key, Site::ServerId)?,
        "diagnostic" => Site::Diagnostic(counter(context, fields)?),
        "exception_status" => affirmed(context, fields, key, Site::ExceptionStatus)?,
        "file" => {
            let file = fields.object(key)?;
            Site::File(file.integer("number")?.value, file.integer("record")?.value)
        }
        "fifo" => Site::Fifo(address(context, common, fields, (Table::Holding, key))?),
        _ => {
            let table = Table::ALL.into_iter().find(|table| table.name() == key)?;
            Site::Table(table, address(context, common, fields, (table, key))?)
        }
    })
}

/// The only key of these that is there.
fn only(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    places: &[&'static [Field]],
) -> Option<&'static str> {
    let keys = || places.iter().copied().flatten().map(|field| field.key);
    let named: Vec<&'static str> = keys().filter(|key| fields.has(key)).collect();
    if let [key] = named[..] {
        return Some(key);
    }
    let in_tables = named.iter().all(|key| Table::ALL.iter().any(|table| table.name() == *key));
    let message = match named.len() {
        0 => "it is not said where this is",
        _ if in_tables => "this is in more than one table",
        _ => "this is in more than one place",
    };
    let remedy = format!("give one of {}", one_of(&keys().collect::<Vec<_>>()));
    context.report(Diagnostic::error(fields.span(), message).remedy(remedy));
    None
}

/// The protocol address that a key gives.
fn address(
    context: &Context<'_>,
    common: &Common,
    fields: &Fields<'_, '_>,
    (table, key): (Table, &str),
) -> Option<u32> {
    let number = fields.integer::<u32>(key)?;
    match common.notation.protocol(table, number.value) {
        Ok(address) => Some(address.saturating_add(common.base)),
        Err(message) => {
            let remedy = "the notation is given by `addresses:` of this file, `from_0` if absent";
            context.report(Diagnostic::error(number.span, message).remedy(remedy));
            None
        }
    }
}

/// The id of an object, by its number or name.
fn object(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<u8> {
    let node = fields.node("device_id")?;
    if let Scalar::Text(_) = context.scalar(node)?.value {
        let name = context.choice(node, Location::OBJECTS)?.value;
        return (0..).zip(Location::OBJECTS).find(|(_, known)| **known == name).map(|(id, _)| id);
    }
    context.integer::<u8>(node, (0, 255)).map(|id| id.value)
}

/// A counter, by the number of its sub-function or its name.
fn counter(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Counter> {
    let node = fields.node("diagnostic")?;
    if let Scalar::Text(_) = context.scalar(node)?.value {
        return context.choice(node, Counter::NAMES).and_then(|name| Counter::named(name.value));
    }
    let number = context.integer::<u16>(node, (2, 18))?;
    let counter = Counter::of_sub_function(number.value);
    if counter.is_none() {
        let message = format!("sub-function {} reads no counter", number.value);
        let remedy = "counters are 11 to 18, the diagnostic register is 2";
        context.report(Diagnostic::error(number.span, message).remedy(remedy));
    }
    counter
}

/// The only place of its kind, which `true` stands for.
fn affirmed(context: &Context<'_>, fields: &Fields<'_, '_>, key: &str, site: Site) -> Option<Site> {
    let given = fields.boolean(key)?;
    if !given.value {
        let error = Diagnostic::error(given.span, format!("`{key}: false` says where it is not"));
        context.report(error.remedy(format!("write `{key}: true`, or remove the key")));
    }
    given.value.then_some(site)
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
        PointError::FieldBeyond { .. } => "bits are counted from 0, the least significant",
        PointError::ReadOnly => "remove the `access:`",
        PointError::OrderWidth { .. } => {
            "write a letter for each byte: two for 16 bits, four for 32, eight for 64"
        }
        PointError::ScaleZero => "write the factor, or remove the `scale:`",
        PointError::FieldReversed => "write the lower bit first: `4..6`",
        PointError::FieldType(_) => "give the word one of these types",
        PointError::FieldOutside { .. } => "bits are counted from 0, the least significant",
        PointError::LabelType(_) => "remove the `values:`",
        PointError::LabelOutside(_) => "remove the label, or correct the `type:`",
        PointError::LabelTwice(_) => "keep one of the two",
        PointError::InvalidType(_) => "remove the `invalid:`",
        PointError::InvalidOutside { .. } => "write the raw number as the type holds it",
        PointError::InvalidSunSpec(_) => "write a raw number instead of `sunspec`",
        PointError::ReadOnlyTable(_) => "remove the `access:`",
        PointError::RangeReadOnly => "remove the `range:`, or correct the `access:`",
        PointError::RangeType => "remove the `range:`",
        PointError::RangeReversed => "exchange `min` and `max`",
    })
}
