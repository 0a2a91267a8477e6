//! YAML, its diagnostics and the table-driven decoder, through the functions the spec model uses.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::collections::BTreeMap;

use passline::language::decode::Context;
use passline::language::diagnostic::{Diagnostics, Style};
use passline::language::source::Sources;
use passline::language::variables::Variables;
use passline::language::yaml::{self, Node, Tree};

mod diagnostics;
mod fields;
mod properties;
mod schema;
mod source;
mod tree;
mod variables;

/// A text that is parsed, and what is said about it.
struct Parsed {
    sources: Sources,
    diagnostics: Diagnostics,
    tree: Option<Tree>,
}

impl Parsed {
    fn of(text: impl Into<String>) -> Self {
        let mut sources = Sources::new();
        let id = sources.add("spec.yaml", text);
        let diagnostics = Diagnostics::new();
        let tree = yaml::parse(sources.get(id).unwrap(), &diagnostics);
        Self { sources, diagnostics, tree }
    }

    fn root(&self) -> Node<'_> {
        self.tree.as_ref().unwrap().root()
    }

    /// The value of a key of the outermost mapping.
    fn value(&self, key: &str) -> Node<'_> {
        let mut pairs = self.root().pairs().unwrap();
        pairs.find(|(node, _)| node.scalar().unwrap().text == key).unwrap().1
    }

    /// The text as this layer understands it.
    fn shown(&self) -> String {
        format!("{:?}", self.root())
    }

    /// Everything that is said, as people read it.
    fn said(&self) -> String {
        self.diagnostics.render(&self.sources, Style::Plain)
    }

    /// `line:column message` of everything that is said.
    fn messages(&self) -> Vec<String> {
        let place = |span: Option<passline::language::source::Span>| {
            let span = span?;
            let (line, column) = self.sources.get(span.source)?.line_and_column(span.start);
            Some(format!("{line}:{column} "))
        };
        let all = self.diagnostics.sorted().into_iter();
        all.map(|found| place(found.span).unwrap_or_default() + &found.message).collect()
    }

    /// Runs a decoder over the root, without variables.
    fn decode<T>(&self, decode: impl FnOnce(Context<'_>, Node<'_>) -> T) -> T {
        let variables = Variables::new(BTreeMap::new());
        decode(Context::new(&self.diagnostics, &variables), self.root())
    }
}
