//! XML 1.0 that every reader takes: no character that it forbids, none that a reader changes.

use std::{borrow::Cow, fmt::Write as _, io};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event, attributes::Attribute},
    name::QName,
};

/// A name and its value.
pub(super) type Pair<'a> = (&'static str, &'a str);

/// Elements to a writer, indented.
pub(super) struct Xml<W: io::Write>(Writer<W>);

impl<W: io::Write> Xml<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(out, b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self(writer))
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[Pair<'_>]) -> io::Result<()> {
        self.0.write_event(Event::Start(start(name, attributes)))
    }

    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    pub(super) fn empty(&mut self, name: &str, attributes: &[Pair<'_>]) -> io::Result<()> {
        self.0.write_event(Event::Empty(start(name, attributes)))
    }

    pub(super) fn leaf(
        &mut self,
        name: &str,
        attributes: &[Pair<'_>],
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.0.write_event(Event::Text(BytesText::from_escaped(escaped(text, Place::Text))))?;
        self.close(name)
    }

    pub(super) fn end(self) -> io::Result<()> {
        let mut out = self.0.into_inner();
        out.write_all(b"\n")
    }
}

fn start<'a>(name: &'a str, attributes: &[Pair<'_>]) -> BytesStart<'a> {
    let attributes = attributes
        .iter()
        .map(|(key, value)| Attribute { key: QName(key), value: escaped(value, Place::Attribute) });
    BytesStart::new(name).with_attributes(attributes)
}

/// `text` with every character that XML 1.0 forbids shown as `#x1B`.
pub(super) fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_legal(c) { shown.push(c) } else { show(c, &mut shown) }
    }
    Cow::Owned(shown)
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Attribute,
    Text,
}

fn escaped(text: &str, place: Place) -> Cow<'_, str> {
    if !text.chars().any(|c| !is_legal(c) || reference(c, place).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match reference(c, place) {
            Some(reference) => escaped.push_str(reference),
            None if is_legal(c) => escaped.push(c),
            None => show(c, &mut escaped),
        }
    }
    Cow::Owned(escaped)
}

/// The production `Char` of XML 1.0, clause 2.2.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn show(forbidden: char, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "#x{:02X}", u32::from(forbidden));
}

/// What stands for a character that is markup, or that a reader would make another of: line ends
/// (clause 2.11) and blanks in attributes (clause 3.3.3).
fn reference(c: char, place: Place) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        '"' if place == Place::Attribute => Some("&quot;"),
        '\n' if place == Place::Attribute => Some("&#10;"),
        '\t' if place == Place::Attribute => Some("&#9;"),
        _ => None,
    }
}
