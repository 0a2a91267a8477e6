//! `locks`: cells that a password opens.

use std::sync::Arc;

use passline_modbus::point::Span;
use passline_simulator::access::{Guard, Lock, Unwritten};

use super::area::AREA;
use super::{Guarded, REFUSAL, UNREAD, UNWRITTEN, held, unread, unwritten};
use crate::judge::exception;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::yaml::Node;
use crate::spec::map;
use crate::spec::place::TABLES;
use crate::spec::simulate::image;

pub(in super::super) static LOCK: Object = Object {
    name: "lock",
    doc: "Points or addresses that can be read or written only after a password.",
    fields: &[
        &[
            Field::required("password", Shape::Text, "The point where the password is written."),
            Field::required("equals", Shape::Scalar, "The password."),
            Field::optional(
                "read",
                UNREAD,
                "What a read is answered with before. Without it, reads are let through.",
            ),
            Field::optional(
                "write",
                UNWRITTEN,
                "What a write is answered with before. Without `read` and `write`: `illegal_data_address`.",
            ),
            Field::optional(
                "for",
                Shape::Duration,
                "How long the password opens. Default: until another value is written there, or a restart.",
            ),
            Field::optional(
                "once",
                Shape::Bool,
                "Whether the password lets only one request through. Default false.",
            ),
            Field::optional(
                "wrong",
                exception::SHAPE,
                "What a wrong password is answered with. Without it, it is stored as any other value.",
            ),
        ],
        AREA,
        TABLES,
    ],
};

impl Guarded<'_> {
    /// Cells that a password opens. `None`: reported.
    pub(super) fn lock(&self, node: Node<'_>) -> Option<Guard> {
        let context = self.context;
        let fields = context.fields(node, &LOCK)?;
        let cells = self.area(&fields);
        let lock = self.password(&fields);
        let read = match fields.node("read") {
            Some(node) => Some(unread(context, node)?),
            None => None,
        };
        let write = match fields.node("write") {
            Some(node) => Some(unwritten(context, node)?),
            None => (read.is_none()).then_some(Unwritten::Refused(REFUSAL)),
        };
        let (cells, lock) = (cells?, lock?);
        let refuse = |key, message: String, remedy: &str| {
            context.report(Diagnostic::error(fields.key_span(key), message).remedy(remedy));
            None
        };
        let password = lock.password.point.span();
        let is_within = |span: Span| cells.iter().any(|own| own.overlaps(span));
        if write.is_some() && password.is_some_and(is_within) {
            let name = quoted(lock.password.point.name());
            let message = format!("{name} would be behind its own lock");
            return refuse("password", message, "lock other points than the password");
        }
        if write.is_some() && cells.iter().all(|cells| !cells.table().is_writable()) {
            let key = if fields.has("write") { "write" } else { "password" };
            let message = "nothing of what is locked can be written anyway".to_owned();
            return refuse(key, message, "say with `read:` what a read is answered with");
        }
        Some(Guard { cells, read, write, lock: Some(lock) })
    }

    /// Reports a lock that is never open together with one of those before it, where both have to be.
    pub(super) fn opens_beside(&self, node: Node<'_>, own: &Guard, before: &[Guard]) {
        let clashes = |other: &&Guard| {
            let (Some(one), Some(two)) = (&own.lock, &other.lock) else { return false };
            let refuse_both = own.read.is_some() && other.read.is_some()
                || own.write.is_some() && other.write.is_some();
            let overlap =
                own.cells.iter().any(|one| other.cells.iter().any(|two| one.overlaps(*two)));
            one.password.point.span() == two.password.point.span()
                && one.value != two.value
                && refuse_both
                && overlap
        };
        if before.iter().any(|other| clashes(&other)) {
            let message = "what is locked here never opens: another lock has another password for \
                           some of it, in the same place";
            let error = Diagnostic::error(node.span(), message);
            self.context
                .report(error.remedy("give each lock points, or a password point, of its own"));
        }
    }

    /// The password, and how long it opens. `None`: reported.
    fn password(&self, fields: &Fields<'_, '_>) -> Option<Lock> {
        let Guarded { context, map, image } = *self;
        let name = fields.text("password")?;
        let point = map::named(context, map, &name, "this device")?;
        if point.span().is_none() || !point.access().writes() {
            let message = format!("{} cannot be written", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            context.report(error.remedy("name a point among coils or holding registers"));
            return None;
        }
        let given = fields.scalar("equals")?;
        let value = Spanned { value: image::held(point, given.value), span: given.span };
        image::put(context, map, &mut image.clone(), point, &value)?;
        let lasts = fields.duration("for");
        if lasts.as_ref().is_some_and(|lasts| lasts.value.is_zero()) {
            let error = Diagnostic::error(fields.key_span("for"), "this lock never opens");
            context.report(error.remedy("give it the time for which the password opens"));
            return None;
        }
        let wrong = match fields.node("wrong") {
            Some(node) => Some(exception::read(context, node)?),
            None => None,
        };
        Some(Lock {
            password: held(map, &Arc::clone(point)),
            value: value.value,
            lasts: lasts.map(|lasts| lasts.value),
            once: fields.boolean("once").is_some_and(|once| once.value),
            wrong,
        })
    }
}
