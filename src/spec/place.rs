//! Where a point is: the keys that name a place in a table or beyond the tables, and the notation of
//! addresses.

use passline_modbus::pdu::counter::Counter;
use passline_modbus::point::{Location, Order, Site, Table};

use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::variables::Scalar;

/// Addresses as any of the notations writes them; what fits is decided by the notation.
pub(super) const ADDRESS: Shape = Shape::Integer { min: 0, max: 465_536 };

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
