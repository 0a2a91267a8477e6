//! A mapping read by its table: unknown, missing and empty keys are reported at once, and typed
//! getters give the rest. `None` always means: absent, or already reported.

use std::time::Duration;

use passline_modbus::value::Decimal;

use super::decode::{Context, Entry};
use super::diagnostic::{Diagnostic, quoted};
use super::shape::{Field, Object, Shape, one_of};
use super::source::{Span, Spanned};
use super::variables::Scalar;
use super::yaml::Node;

/// A mapping whose keys are all known.
#[derive(Debug, Clone)]
pub struct Fields<'t, 'c> {
    context: Context<'c>,
    object: &'static Object,
    node: Node<'t>,
    entries: Vec<Present<'t>>,
}

#[derive(Debug, Clone, Copy)]
struct Present<'t> {
    field: &'static Field,
    key: Node<'t>,
    value: Node<'t>,
}

impl<'c> Context<'c> {
    /// Reads a mapping by its table.
    pub fn fields<'t>(&self, node: Node<'t>, object: &'static Object) -> Option<Fields<'t, 'c>> {
        let Some(pairs) = node.pairs() else {
            self.unexpected(node, &Shape::Object(object));
            return None;
        };
        let mut fields = Fields { context: *self, object, node, entries: Vec::new() };
        let mut empty = Vec::new();
        for (key, value) in pairs {
            let Some(written) = key.scalar() else { continue };
            match object.field(written.text) {
                None => fields.unknown(key, written.text),
                Some(field) if value.is_null() => {
                    fields.empty(field, key);
                    empty.push(field.key);
                }
                Some(field) => fields.entries.push(Present { field, key, value }),
            }
        }
        for field in object.fields().filter(|field| field.required) {
            if !fields.has(field.key) && !empty.contains(&field.key) {
                fields.missing(field);
            }
        }
        Some(fields)
    }
}

impl<'t, 'c> Fields<'t, 'c> {
    /// Where the mapping begins.
    pub fn span(&self) -> Span {
        self.node.span()
    }

    /// Where a key stands; the mapping itself if it is not there.
    pub fn key_span(&self, key: &str) -> Span {
        self.present(key).map_or(self.span(), |present| present.key.span())
    }

    /// Whether a key is there and has a value.
    pub fn has(&self, key: &str) -> bool {
        self.present(key).is_some()
    }

    /// The keys that are there, in the file's order.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.entries.iter().map(|present| present.field.key)
    }

    /// The value of a key as it is, for shapes that are decided by looking.
    pub fn node(&self, key: &str) -> Option<Node<'t>> {
        self.present(key).map(|present| present.value)
    }

    /// A `Shape::Bool`.
    pub fn boolean(&self, key: &str) -> Option<Spanned<bool>> {
        self.context.boolean(self.shaped(key, |shape| matches!(shape, Shape::Bool))?.value)
    }

    /// A `Shape::Number`.
    pub fn number(&self, key: &str) -> Option<Spanned<Decimal>> {
        self.context.number(self.shaped(key, |shape| matches!(shape, Shape::Number))?.value)
    }

    /// A `Shape::Integer`, within the bounds of the table; they must fit the type.
    pub fn integer<T: TryFrom<i128>>(&self, key: &str) -> Option<Spanned<T>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::Integer { .. }))?;
        let Shape::Integer { min, max } = present.field.shape else { return None };
        self.context.integer(present.value, (min, max))
    }

    /// A `Shape::Text`.
    pub fn text(&self, key: &str) -> Option<Spanned<String>> {
        self.context.text(self.shaped(key, |shape| matches!(shape, Shape::Text))?.value)
    }

    /// A `Shape::Name`.
    pub fn name(&self, key: &str) -> Option<Spanned<String>> {
        self.context.name(self.shaped(key, |shape| matches!(shape, Shape::Name))?.value)
    }

    /// A `Shape::Duration`.
    pub fn duration(&self, key: &str) -> Option<Spanned<Duration>> {
        self.context.duration(self.shaped(key, |shape| matches!(shape, Shape::Duration))?.value)
    }

    /// A `Shape::Choice`: the word of the table.
    pub fn choice(&self, key: &str) -> Option<Spanned<&'static str>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::Choice(_)))?;
        let Shape::Choice(words) = present.field.shape else { return None };
        self.context.choice(present.value, words)
    }

    /// A `Shape::Scalar`.
    pub fn scalar(&self, key: &str) -> Option<Spanned<Scalar>> {
        self.context.scalar(self.shaped(key, |shape| matches!(shape, Shape::Scalar))?.value)
    }

    /// A `Shape::Expression`.
    pub fn expression(&self, key: &str) -> Option<Spanned<String>> {
        self.context.expression(self.shaped(key, |shape| matches!(shape, Shape::Expression))?.value)
    }

    /// A `Shape::List`. Empty if absent.
    pub fn list(&self, key: &str) -> Vec<Node<'t>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::List(_)));
        present.map(|present| self.context.list(present.value)).unwrap_or_default()
    }

    /// A `Shape::OneOrMany`. Empty if absent.
    pub fn one_or_many(&self, key: &str) -> Vec<Node<'t>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::OneOrMany(_)));
        present.map(|present| self.context.one_or_many(present.value)).unwrap_or_default()
    }

    /// A `Shape::Map`. Empty if absent.
    pub fn map(&self, key: &str) -> Vec<Entry<'t>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::Map(_)));
        present.map(|present| self.context.map(present.value)).unwrap_or_default()
    }

    /// A `Shape::Object`.
    pub fn object(&self, key: &str) -> Option<Fields<'t, 'c>> {
        let present = self.shaped(key, |shape| matches!(shape, Shape::Object(_)))?;
        let Shape::Object(object) = present.field.shape else { return None };
        self.context.fields(present.value, object)
    }

    fn present(&self, key: &str) -> Option<Present<'t>> {
        debug_assert!(self.object.field(key).is_some(), "{} has no `{key}`", self.object.name);
        self.entries.iter().find(|present| present.field.key == key).copied()
    }

    /// A getter that the table does not agree with would make decoder and schema differ.
    fn shaped(&self, key: &str, agrees: fn(&Shape) -> bool) -> Option<Present<'t>> {
        let field = self.object.field(key);
        debug_assert!(field.is_some_and(|field| agrees(&field.shape)), "the shape of `{key}`");
        self.present(key)
    }

    fn unknown(&self, key: Node<'_>, text: &str) {
        let message = format!("{} is no key of this {}", quoted(text), self.object.name);
        let known: Vec<&str> = self.object.fields().map(|field| field.key).collect();
        let error = Diagnostic::error(key.span(), message);
        let error = error.remedy(format!("its keys are {}", one_of(&known)));
        self.context.report(error.suggest(text, known));
    }

    fn empty(&self, field: &Field, key: Node<'_>) {
        let message = format!("{} has no value", quoted(field.key));
        let remedy = format!("write {}, or remove the key", field.shape.wanted());
        self.context.report(Diagnostic::error(key.span(), message).remedy(remedy));
    }

    fn missing(&self, field: &Field) {
        let message = format!("{} is missing in this {}", quoted(field.key), self.object.name);
        let remedy = format!("add `{}:` and {}", field.key, field.shape.wanted());
        self.context.report(Diagnostic::error(self.span(), message).remedy(remedy));
    }
}
