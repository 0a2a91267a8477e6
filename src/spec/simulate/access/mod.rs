//! What a simulated device lets be read and written: what its profile and its points say, and what `access`,
//! `locks`, `together` and `overrides` of its simulation add.

mod area;
mod fixed;
mod lock;
mod together;
mod units;

use std::collections::BTreeMap;
use std::sync::Arc;

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Span, Table};
use passline_simulator::access::{Access, Guard, Unread, Unwritten, Whole};
use passline_simulator::image::Image;
use passline_simulator::program::Held;

pub(super) use fixed::OVERRIDE;
pub(super) use lock::LOCK;
pub(super) use together::TOGETHER;
pub(super) use units::{UNIT_IDS, unit_ids};

use crate::judge::exception;
use crate::language::decode::Context;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::yaml::Node;
use crate::spec::model::Map;

pub(super) static ACCESS: Object = Object {
    name: "access",
    doc: "How the simulated device refuses what its points do not allow.",
    fields: &[&[
        Field::optional(
            "read_only",
            UNWRITTEN,
            "What a write is answered with that touches a point of access `read`. Default `illegal_data_address`.",
        ),
        Field::optional(
            "write_only",
            UNREAD,
            "What a read is answered with that touches a point of access `write`. Default `illegal_data_address`.",
        ),
        Field::optional(
            "out_of_range",
            exception::SHAPE,
            "What a write is answered with that leaves the `range` of a point. Default `illegal_data_value`.",
        ),
        Field::optional(
            "undeclared",
            exception::SHAPE,
            "What a request is answered with that touches an address that does not exist. Default `illegal_data_address`.",
        ),
        Field::optional(
            "filler",
            Shape::U16,
            "What reads show instead at addresses that do not exist.",
        ),
    ]],
};

/// What a read is answered with of what cannot be read.
const UNREAD: Shape = Shape::AnyOf(&[Shape::Choice(&[ZEROS]), exception::SHAPE]);

/// What a write is answered with of what cannot be written.
const UNWRITTEN: Shape = Shape::AnyOf(&[Shape::Choice(&[IGNORED]), exception::SHAPE]);

const ZEROS: &str = "zeros";
const IGNORED: &str = "ignored";

/// What real devices say most, and peers too.
const REFUSAL: ExceptionCode = ExceptionCode::IllegalDataAddress;

/// A device whose access is read.
struct Guarded<'a> {
    context: &'a Context<'a>,
    map: &'a Map,
    /// What it holds when its simulation begins.
    image: &'a Image,
}

/// What a device lets be read and written. What is wrong with it is reported.
pub(super) fn access(
    context: &Context<'_>,
    (map, image): (&Map, &Image),
    fields: Option<&Fields<'_, '_>>,
) -> Access {
    let whole = map.rules.whole().iter();
    let mut access = Access {
        max_registers: map.rules.most(Table::Holding),
        max_bits: map.rules.most(Table::Coil),
        together: whole
            .map(|cells| Whole { cells: *cells, read: Some(REFUSAL), write: None })
            .collect(),
        ranges: ranges(map),
        ..Access::default()
    };
    let own = fields.and_then(|fields| fields.object("access"));
    let read = |key| own.as_ref().and_then(|own| own.node(key));
    let (read_only, write_only) = (
        read("read_only").and_then(|node| unwritten(context, node)),
        read("write_only").and_then(|node| unread(context, node)),
    );
    let code = |key| read(key).and_then(|node| exception::read(context, node));
    access.out_of_range = code("out_of_range").unwrap_or(access.out_of_range);
    access.undeclared = code("undeclared").unwrap_or(access.undeclared);
    access.filler = own.as_ref().and_then(|own| own.integer("filler")).map(|filler| filler.value);
    let (reads, writes) = one_way(map);
    if !reads.is_empty() {
        let write = Some(read_only.unwrap_or(Unwritten::Refused(REFUSAL)));
        access.guards.push(Guard { cells: reads, read: None, write, lock: None });
    }
    if !writes.is_empty() {
        let read = Some(write_only.unwrap_or(Unread::Refused(REFUSAL)));
        access.guards.push(Guard { cells: writes, read, write: None, lock: None });
    }
    let Some(fields) = fields else { return access };
    let device = Guarded { context, map, image };
    for node in fields.list("locks") {
        let Some(lock) = device.lock(node) else { continue };
        device.opens_beside(node, &lock, &access.guards);
        access.guards.push(lock);
    }
    let blocks = fields.list("together").into_iter();
    access.together.extend(blocks.filter_map(|node| device.together(node)));
    let overrides = fields.list("overrides").into_iter();
    access.overrides.extend(overrides.filter_map(|node| fixed::fixed(context, node)));
    access
}

/// `zeros`, or an exception. `None`: reported.
fn unread(context: &Context<'_>, node: Node<'_>) -> Option<Unread> {
    if node.scalar().is_some_and(|scalar| scalar.text == ZEROS) {
        return Some(Unread::Zeros);
    }
    exception::read(context, node).map(Unread::Refused)
}

/// `ignored`, or an exception. `None`: reported.
fn unwritten(context: &Context<'_>, node: Node<'_>) -> Option<Unwritten> {
    if node.scalar().is_some_and(|scalar| scalar.text == IGNORED) {
        return Some(Unwritten::Ignored);
    }
    exception::read(context, node).map(Unwritten::Refused)
}

/// The points with a range, in the order of their places.
fn ranges(map: &Map) -> Vec<Held> {
    let points = map.points.values().filter(|point| point.range().is_some());
    let mut points: Vec<_> = points.filter(|point| point.span().is_some()).collect();
    points.sort_by_key(|point| (point.span(), point.name()));
    points.into_iter().map(|point| held(map, point)).collect()
}

/// A point with what its power of ten is in.
fn held(map: &Map, point: &Arc<passline_modbus::point::Point>) -> Held {
    let factor = point.scale_factor().and_then(|factor| map.points.get(factor));
    Held { point: Arc::clone(point), factor: factor.cloned() }
}

/// The cells of writable tables that no point there lets be written, and those that none lets be
/// read. What is in no point is what its table is.
fn one_way(map: &Map) -> (Vec<Span>, Vec<Span>) {
    let points = || map.points.values().filter_map(|point| Some((point.span()?, point.access())));
    let points = || points().filter(|(span, _)| span.table().is_writable());
    if points().all(|(_, access)| access.reads() && access.writes()) {
        return (Vec::new(), Vec::new());
    }
    let mut cells: BTreeMap<(Table, u16), (bool, bool)> = BTreeMap::new();
    for (span, access) in points() {
        for address in (span.address()..=u16::MAX).take(span.count().into()) {
            let (reads, writes) = cells.entry((span.table(), address)).or_default();
            *reads |= access.reads();
            *writes |= access.writes();
        }
    }
    let with = |wanted: (bool, bool)| {
        let found = cells.iter().filter(move |(_, how)| **how == wanted);
        let found = found.filter_map(|((table, address), _)| Span::new(*table, *address, 1));
        area::merged(found)
    };
    (with((true, false)), with((false, true)))
}
