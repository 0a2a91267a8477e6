//! XML 1.0 that every reader takes: quick-xml quotes what a reader would take for markup or
//! change, and what XML forbids is shown here.

use std::{borrow::Cow, fmt::Write as _, io};

use quick_xml::{
    Writer,
    escape::partial_escape,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

/// A name and its value.
pub(crate) type Pair<'a> = (&'static str, &'a str);

/// Elements to a writer, indented.
pub(crate) struct Xml<W: io::Write>(Writer<W>);

impl<W: io::Write> Xml<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(out, b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self(writer))
    }

    pub(crate) fn open(&mut self, name: &str, attributes: &[Pair<'_>]) -> io::Result<()> {
        self.0.write_event(Event::Start(start(name, attributes)))
    }

    pub(crate) fn close(&mut self, name: &str) -> io::Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    pub(crate) fn empty(&mut self, name: &str, attributes: &[Pair<'_>]) -> io::Result<()> {
        self.0.write_event(Event::Empty(start(name, attributes)))
    }

    pub(crate) fn leaf(
        &mut self,
        name: &str,
        attributes: &[Pair<'_>],
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.0.write_event(Event::Text(BytesText::from_escaped(partial_escape(legal(text)))))?;
        self.close(name)
    }

    pub(crate) fn end(self) -> io::Result<()> {
        let mut out = self.0.into_inner();
        out.write_all(b"\n")
    }
}

fn start<'a>(name: &'a str, attributes: &[Pair<'_>]) -> BytesStart<'a> {
    let attributes = attributes.iter().map(|&(key, value)| (key, legal(value)));
    BytesStart::new(name).with_attributes(attributes)
}

/// `text` with every character that XML 1.0 forbids shown as `#x1B`.
pub(crate) fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_legal(c) {
            shown.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(shown, "#x{:02X}", u32::from(c));
        }
    }
    Cow::Owned(shown)
}

/// The production `Char` of XML 1.0, clause 2.2.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
