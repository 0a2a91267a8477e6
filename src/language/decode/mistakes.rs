//! What can be wrong with a value, in words. Every function reports and returns `None`.

use super::{Context, Scalar, Shape};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::source::{Span, Spanned};
use crate::language::yaml::{Kind, Node, NotTyped, Plain, Written};

impl Context<'_> {
    /// A node of another kind.
    pub(super) fn refuse<T>(&self, node: Node<'_>, wanted: &Shape) -> Option<T> {
        let found = match node.kind() {
            Kind::Broken => return None,
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Scalar(written) => match written.typed() {
                Ok(Plain::Null) => return self.no_value(node, wanted),
                Ok(Plain::Bool(_)) => quoted(written.text),
                Ok(Plain::Number(_) | Plain::NotFinite(_)) | Err(_) => {
                    format!("the number {}", quoted(written.text))
                }
                Ok(Plain::Text(_)) => format!("the text {}", quoted(written.text)),
            },
        };
        self.report(Diagnostic::error(node.span(), needed(wanted, &found)));
        None
    }

    /// A scalar of another type.
    pub(super) fn wrong<T>(&self, node: Node<'_>, wanted: &Shape, value: &Scalar) -> Option<T> {
        let text = value.to_string();
        let found = match value {
            Scalar::Bool(_) => quoted(&text),
            Scalar::Number(_) | Scalar::NotFinite(_) => format!("the number {}", quoted(&text)),
            Scalar::Text(_) => format!("the text {}", quoted(&text)),
        };
        let error = Diagnostic::error(node.span(), needed(wanted, &found));
        self.report(match remedy(node, wanted, &text) {
            Some(remedy) => error.remedy(remedy),
            None => error,
        });
        None
    }

    /// A key of the user's own that stands there already.
    pub(super) fn twice(&self, key: &Spanned<String>, first: Span) {
        let error = Diagnostic::error(key.span, format!("{} is given twice", quoted(&key.value)))
            .related(first, "first given here");
        self.report(error.remedy("remove one of the two"));
    }

    /// Nothing, `~` or `null`.
    pub(super) fn no_value<T>(&self, node: Node<'_>, wanted: &Shape) -> Option<T> {
        let message = format!("there is no value here, and {} is needed", wanted.wanted());
        let remedy = "write the value, or remove the entry; an empty text is `\"\"`";
        self.report(Diagnostic::error(node.span(), message).remedy(remedy));
        None
    }

    /// A plain scalar that is no text in a text's place.
    pub(super) fn needs_quotes<T>(&self, node: Node<'_>, written: Written<'_>) -> Option<T> {
        let kind = match written.typed() {
            Ok(Plain::Bool(_)) => "a truth value",
            _ => "a number",
        };
        let message = format!("a text is needed here, and {} is {kind}", quoted(written.text));
        let remedy = format!("write it in quotes: \"{}\"", written.text);
        self.report(Diagnostic::error(node.span(), message).remedy(remedy));
        None
    }

    /// An expression where none is evaluated.
    pub(super) fn no_expression<T>(&self, text: &Spanned<String>, wanted: &Shape) -> Option<T> {
        let message = format!("{} is needed here, and this is an expression", wanted.wanted());
        let remedy = "`= ` and an expression can stand only where a value is compared or written";
        self.report(Diagnostic::error(text.span, message).remedy(remedy));
        None
    }

    /// A plain scalar that looks like a number and is none.
    pub(super) fn not_typed<T>(&self, node: Node<'_>, error: &NotTyped) -> Option<T> {
        let remedy = match error {
            NotTyped::LeadingZero(plain)
                if plain.bytes().all(|byte| (b'0'..b'8').contains(&byte)) =>
            {
                format!("write {plain}, or 0o{plain} if it is octal, or quotes if it is text")
            }
            NotTyped::LeadingZero(plain) => format!("write {plain}, or quotes if it is text"),
            NotTyped::TooLarge => "write fewer digits, or quotes if it is text".to_owned(),
        };
        self.report(Diagnostic::error(node.span(), error.to_string()).remedy(remedy));
        None
    }
}

fn needed(wanted: &Shape, found: &str) -> String {
    format!("{} is needed here, and this is {found}", wanted.wanted())
}

/// What helps a scalar of another type, if that can be told.
fn remedy(node: Node<'_>, wanted: &Shape, text: &str) -> Option<String> {
    let written = node.scalar()?;
    if written.text.contains("$(") {
        let alone = written.text.starts_with("$(")
            && written.text.find(')') == Some(written.text.len() - 1);
        return Some(String::from(if alone {
            "give the variable a value of that type"
        } else {
            "a text with a variable in it is text: compute it with `= `"
        }));
    }
    if !written.plain && fits(wanted, text) {
        return Some(format!("remove the quotes: {text}"));
    }
    if matches!(wanted, Shape::Number | Shape::Integer { .. }) {
        let mended = text.replace('_', "").replace(',', ".");
        if mended != text && fits(wanted, &mended) {
            return Some(format!("write {mended}"));
        }
        if text.starts_with('=') {
            return Some("an expression starts with `= `".to_owned());
        }
        let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        if number != text && fits(wanted, number) {
            return Some(format!("write the number alone: {number}"));
        }
    }
    None
}

/// Whether a text would be of the wanted type without quotes.
fn fits(wanted: &Shape, text: &str) -> bool {
    let unquoted = Written { text, plain: true };
    match unquoted.typed() {
        Ok(Plain::Bool(_)) => matches!(wanted, Shape::Bool),
        Ok(Plain::Number(_)) => matches!(wanted, Shape::Number | Shape::Integer { .. }),
        _ => false,
    }
}
