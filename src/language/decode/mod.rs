//! From nodes to values: variables inserted, types checked, every mistake reported with its place
//! and a remedy. `None` always means: already reported. Knows no word of the language itself.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::ops::Range;
use std::time::Duration;

use passline_modbus::{duration::parse_duration, value::Decimal};

use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::shape::{Shape, is_name, one_of};
use super::source::{Span, Spanned};
use super::variables::{Inserted, Scalar, Variable, Variables};
use super::yaml::{Node, Plain, Written};

mod mistakes;

/// What decoding needs at every node: where mistakes go, and the variables of this place.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// Where mistakes go.
    pub diagnostics: &'c Diagnostics,
    /// The variables that can be inserted here.
    pub variables: &'c Variables<'c>,
    /// What `= ` expressions are worth, where that is known already.
    pub expressions: Option<Evaluator<'c>>,
}

/// Gives expressions their values. `None`: already reported.
#[derive(Clone, Copy)]
pub struct Evaluator<'c>(pub &'c dyn Fn(&str) -> Option<Scalar>);

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Evaluator")
    }
}

/// An entry of a mapping with keys of the user's own.
#[derive(Debug, Clone)]
pub struct Entry<'t> {
    /// The key's text, variables inserted.
    pub key: Spanned<String>,
    /// The key as a node, for keys that are numbers or names.
    pub key_node: Node<'t>,
    /// The value.
    pub value: Node<'t>,
}

impl Spanned<String> {
    /// The place of a part of the text: exact if the text stands in the file as it is, else the
    /// whole scalar.
    pub fn part(&self, bytes: Range<usize>) -> Span {
        let Span { source, start, end } = self.span;
        let offset = |byte: usize| start.saturating_add(u32::try_from(byte).unwrap_or(u32::MAX));
        if end.saturating_sub(start) as usize != self.value.len() || bytes.end > self.value.len() {
            return self.span;
        }
        Span { source, start: offset(bytes.start), end: offset(bytes.end) }
    }
}

/// A scalar after variables.
enum Given<'t> {
    /// Without variables, as written.
    Written(Written<'t>),
    /// One variable and nothing else.
    Variable(Variable),
    /// A text with variables in it.
    Text(String),
    /// `= `.
    Expression(Spanned<String>),
}

impl<'c> Context<'c> {
    /// A context.
    pub fn new(diagnostics: &'c Diagnostics, variables: &'c Variables<'c>) -> Self {
        Self { diagnostics, variables, expressions: None }
    }

    /// Reports something.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports that a node is not what is needed there, and says what it is instead.
    pub fn unexpected(&self, node: Node<'_>, wanted: &Shape) {
        self.refuse::<()>(node, wanted);
    }

    /// A truth value.
    pub fn boolean(&self, node: Node<'_>) -> Option<Spanned<bool>> {
        let value = match self.typed(node, &Shape::Bool)? {
            Scalar::Bool(value) => value,
            other => return self.wrong(node, &Shape::Bool, &other),
        };
        Some(Spanned { value, span: node.span() })
    }

    /// An exact number.
    pub fn number(&self, node: Node<'_>) -> Option<Spanned<Decimal>> {
        self.number_in(node, &Shape::Number)
    }

    /// An integer of the type, within the bounds, both inclusive.
    pub fn integer<T: TryFrom<i128>>(
        &self,
        node: Node<'_>,
        (min, max): (i128, i128),
    ) -> Option<Spanned<T>> {
        let shape = Shape::Integer { min, max };
        let Spanned { value, span } = self.number_in(node, &shape)?;
        let within = value.to_i128().filter(|value| (min..=max).contains(value));
        match within.and_then(|value| T::try_from(value).ok()) {
            Some(value) => Some(Spanned { value, span }),
            None => self.wrong(node, &shape, &Scalar::Number(value)),
        }
    }

    /// Text.
    pub fn text(&self, node: Node<'_>) -> Option<Spanned<String>> {
        let value = match self.given(node, &Shape::Text)? {
            Given::Text(text) => text,
            Given::Variable(variable) => variable.text,
            Given::Expression(text) => return self.no_expression(&text, &Shape::Text),
            Given::Written(written) => match written.typed() {
                Ok(Plain::Text(text)) => text.to_owned(),
                _ => return self.needs_quotes(node, written),
            },
        };
        Some(spanned(node, value))
    }

    /// A name of `[A-Za-z0-9_]+`, a plain number among them.
    pub fn name(&self, node: Node<'_>) -> Option<Spanned<String>> {
        let name = self.word(node, &Shape::Name)?;
        if is_name(&name.value) {
            return Some(name);
        }
        let message = format!("{} is no name", quoted(&name.value));
        let remedy = "a name is letters (A-Z, a-z), digits and `_`";
        self.report(Diagnostic::error(name.span, message).remedy(remedy));
        None
    }

    /// One of the words, as the table has it.
    pub fn choice(
        &self,
        node: Node<'_>,
        words: &'static [&'static str],
    ) -> Option<Spanned<&'static str>> {
        let text = self.word(node, &Shape::Choice(words))?;
        if let Some(word) = words.iter().find(|word| **word == text.value) {
            return Some(Spanned { value: word, span: text.span });
        }
        let message = format!("{} is not possible here", quoted(&text.value));
        let remedy = format!("write {}", one_of(words));
        let error = Diagnostic::error(text.span, message).remedy(remedy);
        self.report(error.suggest(&text.value, words.iter().copied()));
        None
    }

    /// A span of time.
    pub fn duration(&self, node: Node<'_>) -> Option<Spanned<Duration>> {
        let text = match self.typed(node, &Shape::Duration)? {
            Scalar::Text(text) => text,
            Scalar::Number(number) => {
                let message = format!("{} has no unit of time", quoted(&number.to_string()));
                let remedy = format!("write `{number}s` or `{number}ms`");
                self.report(Diagnostic::error(node.span(), message).remedy(remedy));
                return None;
            }
            other => return self.wrong(node, &Shape::Duration, &other),
        };
        match parse_duration(&text) {
            Ok(value) => Some(Spanned { value, span: node.span() }),
            Err(error) => {
                let error = Diagnostic::error(node.span(), format!("{}: {error}", quoted(&text)));
                self.report(
                    error.remedy(
                        "a duration is a number and `ms`, `s`, `m` or `h`: `500ms`, `1.5s`",
                    ),
                );
                None
            }
        }
    }

    /// A number, a text or a truth value.
    pub fn scalar(&self, node: Node<'_>) -> Option<Spanned<Scalar>> {
        let value = self.typed(node, &Shape::Scalar)?;
        Some(Spanned { value, span: node.span() })
    }

    /// A number, a text or a truth value to bind to a name: with its text as it is written, so that
    /// `1.10` is inserted into a text as that.
    pub fn variable(&self, node: Node<'_>) -> Option<Spanned<Variable>> {
        let Spanned { value, span } = self.scalar(node)?;
        let text = self.word(node, &Shape::Scalar)?.value;
        Some(Spanned { value: Variable { value, text }, span })
    }

    /// An expression; its `= ` may be left out.
    pub fn expression(&self, node: Node<'_>) -> Option<Spanned<String>> {
        Some(match self.given(node, &Shape::Expression)? {
            Given::Expression(text) => text,
            Given::Written(written) => spanned(node, written.text.to_owned()),
            Given::Text(text) => spanned(node, text),
            Given::Variable(variable) => spanned(node, variable.text),
        })
    }

    /// The items of a list.
    pub fn list<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        let Some(items) = node.items() else {
            self.unexpected(node, &Shape::List(&Shape::Any));
            return Vec::new();
        };
        items.collect()
    }

    /// The items of a list, or the one value that stands in its place.
    pub fn one_or_many<'t>(&self, node: Node<'t>) -> Vec<Node<'t>> {
        node.items().map_or_else(|| vec![node], Iterator::collect)
    }

    /// The entries of a mapping with keys of the user's own.
    pub fn map<'t>(&self, node: Node<'t>) -> Vec<Entry<'t>> {
        let Some(pairs) = node.pairs() else {
            self.unexpected(node, &Shape::Map(&Shape::Any));
            return Vec::new();
        };
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut places = BTreeMap::new();
        for (key_node, value) in pairs {
            let Some(key) = self.word(key_node, &Shape::Text) else { continue };
            match places.entry(key.value.clone()) {
                // Two keys can become the same by their variables.
                Occupied(first) => self.twice(&key, *first.get()),
                Vacant(place) => {
                    place.insert(key.span);
                    entries.push(Entry { key, key_node, value });
                }
            }
        }
        entries
    }

    /// A scalar's text whatever its type: keys, names, choices.
    fn word(&self, node: Node<'_>, wanted: &Shape) -> Option<Spanned<String>> {
        let text = match self.given(node, wanted)? {
            Given::Written(written) => written.text.to_owned(),
            Given::Text(text) => text,
            Given::Variable(variable) => variable.text,
            Given::Expression(text) => return self.no_expression(&text, wanted),
        };
        Some(spanned(node, text))
    }

    fn number_in(&self, node: Node<'_>, wanted: &Shape) -> Option<Spanned<Decimal>> {
        match self.typed(node, wanted)? {
            Scalar::Number(value) => Some(Spanned { value, span: node.span() }),
            other => self.wrong(node, wanted, &other),
        }
    }

    /// A scalar's value by its own type.
    fn typed(&self, node: Node<'_>, wanted: &Shape) -> Option<Scalar> {
        let written = match self.given(node, wanted)? {
            Given::Written(written) => written,
            Given::Variable(variable) => return Some(variable.value),
            Given::Text(text) => return Some(Scalar::Text(text)),
            Given::Expression(text) => return self.no_expression(&text, wanted),
        };
        Some(match written.typed() {
            Ok(Plain::Bool(value)) => Scalar::Bool(value),
            Ok(Plain::Number(value)) => Scalar::Number(value),
            Ok(Plain::NotFinite(value)) => Scalar::NotFinite(value),
            Ok(Plain::Text(text)) => Scalar::Text(text.to_owned()),
            Ok(Plain::Null) => return self.no_value(node, wanted),
            Err(error) => return self.not_typed(node, &error),
        })
    }

    /// A scalar after its variables.
    fn given<'t>(&self, node: Node<'t>, wanted: &Shape) -> Option<Given<'t>> {
        let Some(written) = node.scalar() else { return self.refuse(node, wanted) };
        if written.is_null() {
            return self.no_value(node, wanted);
        }
        let body = written.text.strip_prefix("= ");
        let inserted = if written.text.contains("$(") {
            Some(self.insert(node, body.unwrap_or(written.text))?)
        } else {
            None
        };
        if let (Some(body), Some(Evaluator(evaluate))) = (body, self.expressions) {
            let text = inserted.map_or_else(|| body.to_owned(), Inserted::text);
            return evaluate(&text).map(|value| Given::Variable(Variable::from(value)));
        }
        Some(match (body, inserted) {
            (None, None) => Given::Written(written),
            (None, Some(Inserted::Whole(variable))) => Given::Variable(variable),
            (None, Some(Inserted::Text(text))) => Given::Text(text),
            (Some(body), None) => Given::Expression(spanned(node, body.to_owned())),
            (Some(_), Some(Inserted::Whole(variable))) => {
                Given::Expression(spanned(node, variable.text))
            }
            (Some(_), Some(Inserted::Text(text))) => Given::Expression(spanned(node, text)),
        })
    }

    fn insert(&self, node: Node<'_>, text: &str) -> Option<Inserted> {
        match self.variables.insert(text) {
            Ok(inserted) => Some(inserted),
            Err((error, bytes)) => {
                let span = spanned(node, text.to_owned()).part(bytes);
                self.report(Diagnostic::error(span, error.to_string()).remedy(error.remedy()));
                None
            }
        }
    }
}

/// A text with its place: without quotes and `= ` if it stands in the file as it is.
fn spanned(node: Node<'_>, text: String) -> Spanned<String> {
    let span = node.span();
    let written = node.written();
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let part = match written.rfind(text.as_str()).and_then(|at| u32::try_from(at).ok()) {
        Some(at) if written.len() - text.len() <= "'= '".len() => {
            let start = span.start.saturating_add(at);
            Span { start, end: start.saturating_add(length), ..span }
        }
        _ => span,
    };
    Spanned { value: text, span: part }
}
