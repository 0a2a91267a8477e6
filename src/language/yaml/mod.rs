//! YAML as a compact tree that remembers where everything stands. Knows YAML 1.2 and nothing of
//! what a spec means.
//!
//! A node takes 16 bytes: its text stays in the source, and an alias points at its anchor instead
//! of copying it.

use std::fmt;
use std::sync::Arc;

use super::source::{Source, Span};

pub use build::parse;
pub use plain::{NotTyped, Plain};

mod build;
mod faults;
mod plain;

/// The deepest nesting of lists and mappings, aliases expanded.
pub const MAX_DEPTH: usize = 64;

/// How many nodes the aliases of one file may stand for, together.
pub const MAX_ALIASED_NODES: u64 = 16_000_000;

/// One parsed file.
pub struct Tree {
    source: Arc<Source>,
    nodes: Vec<Cell>,
    /// Texts that are not a slice of the source: with escapes, or of several lines.
    texts: Vec<Box<str>>,
}

/// A node as it is stored, followed by its children; keys and values alternate.
#[derive(Debug, Clone, Copy)]
struct Cell {
    start: u32,
    end: u32,
    kind: CellKind,
}

#[derive(Debug, Clone, Copy)]
enum CellKind {
    /// Index into `texts`, or [`IN_SOURCE`].
    Plain(u32),
    /// Index into `texts`, or [`IN_SOURCE`]: between the quotes.
    Quoted(u32),
    /// Index after the last child.
    Sequence(u32),
    /// Index after the last child.
    Mapping(u32),
    /// The `<<` of a merge: not an entry itself; what it merges stands at the mapping's end.
    Merge,
    /// Index of the node it stands for, which is never an alias itself.
    Alias(u32),
    /// Something already reported.
    Broken,
}

const IN_SOURCE: u32 = u32::MAX;

impl Tree {
    /// The file it was parsed from.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The outermost node.
    pub fn root(&self) -> Node<'_> {
        Node::at(self, 0)
    }

    /// The node of a [`Node::place`] of this tree.
    pub fn node(&self, place: NodePlace) -> Node<'_> {
        Node::at(self, place.0)
    }

    /// How many nodes are stored.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node. Never so for a tree that was returned by [`parse`].
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Bytes of memory that the nodes and texts take, without the source.
    pub fn memory(&self) -> usize {
        let texts = self.texts.iter().map(|text| text.len() + size_of::<Box<str>>()).sum::<usize>();
        self.nodes.capacity() * size_of::<Cell>() + texts
    }

    /// Whether it is node for node the same as another, however either is written.
    pub fn means(&self, other: &Self) -> bool {
        self.len() == other.len()
            && (0..self.nodes.len())
                .all(|index| u32::try_from(index).is_ok_and(|index| self.means_at(other, index)))
    }

    fn means_at(&self, other: &Self, index: u32) -> bool {
        use CellKind as K;
        match (self.cell(index).kind, other.cell(index).kind) {
            (K::Plain(_) | K::Quoted(_), K::Plain(_) | K::Quoted(_)) => {
                let scalars = (Node::at(self, index).scalar(), Node::at(other, index).scalar());
                let (Some(one), Some(other)) = scalars else { return false };
                one == other || one.text == other.text && one.is_text() && other.is_text()
            }
            (K::Sequence(after), K::Sequence(same)) | (K::Mapping(after), K::Mapping(same)) => {
                after == same
            }
            (K::Alias(target), K::Alias(same)) => target == same,
            (K::Merge, K::Merge) => true,
            _ => false,
        }
    }

    fn cell(&self, index: u32) -> Cell {
        let broken = Cell { start: 0, end: 0, kind: CellKind::Broken };
        self.nodes.get(index as usize).copied().unwrap_or(broken)
    }

    /// The index after a node and its children.
    fn after(&self, index: u32) -> u32 {
        match self.cell(index).kind {
            CellKind::Sequence(after) | CellKind::Mapping(after) => after,
            _ => index.saturating_add(1),
        }
    }

    fn resolve(&self, index: u32) -> u32 {
        match self.cell(index).kind {
            CellKind::Alias(target) => target,
            _ => index,
        }
    }

    fn text(&self, cell: Cell, kept: u32, quotes: u32) -> &str {
        if let Some(text) = self.texts.get(kept as usize) {
            return text;
        }
        let (start, end) = (cell.start + quotes, cell.end.saturating_sub(quotes));
        self.source.text().get(start as usize..end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root().fmt(f)
    }
}

/// A node of a tree. A cheap handle.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    /// Where it stands: the alias, if it is one.
    site: u32,
    /// What it is: never an alias.
    index: u32,
}

/// Which node of its tree, for whoever holds the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePlace(u32);

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind<'t> {
    /// A scalar; a missing value is a plain one without text.
    Scalar(Written<'t>),
    /// A list.
    Sequence(Items<'t>),
    /// Keys and values.
    Mapping(Pairs<'t>),
    /// Something that has been reported already and must not be reported again.
    Broken,
}

/// A scalar as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<'t> {
    /// Its text, escapes resolved; of a plain number the exact source text.
    pub text: &'t str,
    /// Whether it is neither quoted nor a block scalar, so that it may be more than text.
    pub plain: bool,
}

impl<'t> Node<'t> {
    fn at(tree: &'t Tree, site: u32) -> Self {
        Self { tree, site, index: tree.resolve(site) }
    }

    /// Which node of its tree it is.
    pub fn place(self) -> NodePlace {
        NodePlace(self.site)
    }

    /// Where it is written; of an alias, where the alias is. Of a list or mapping, its beginning.
    pub fn span(self) -> Span {
        let cell = self.tree.cell(self.site);
        Span { source: self.tree.source.id(), start: cell.start, end: cell.end }
    }

    /// How it is written at its place, quotes and all.
    pub fn written(self) -> &'t str {
        self.tree.source.slice(self.span())
    }

    /// What it is.
    pub fn kind(self) -> Kind<'t> {
        let Self { tree, index, .. } = self;
        let cell = tree.cell(index);
        match cell.kind {
            CellKind::Plain(kept) => {
                Kind::Scalar(Written { text: tree.text(cell, kept, 0), plain: true })
            }
            CellKind::Quoted(kept) => {
                Kind::Scalar(Written { text: tree.text(cell, kept, 1), plain: false })
            }
            CellKind::Sequence(after) => Kind::Sequence(Items { tree, next: index + 1, after }),
            CellKind::Mapping(after) => {
                Kind::Mapping(Pairs(Items { tree, next: index + 1, after }))
            }
            CellKind::Merge | CellKind::Alias(_) | CellKind::Broken => Kind::Broken,
        }
    }

    /// The scalar it is.
    pub fn scalar(self) -> Option<Written<'t>> {
        match self.kind() {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items of the list it is.
    pub fn items(self) -> Option<Items<'t>> {
        match self.kind() {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The keys and values of the mapping it is.
    pub fn pairs(self) -> Option<Pairs<'t>> {
        match self.kind() {
            Kind::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Whether it is a missing value: nothing, `~` or `null`.
    pub fn is_null(self) -> bool {
        self.scalar().is_some_and(Written::is_null)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Scalar(scalar) if scalar.plain => f.write_str(scalar.text),
            Kind::Scalar(scalar) => write!(f, "{:?}", scalar.text),
            Kind::Sequence(items) => f.debug_list().entries(items).finish(),
            Kind::Mapping(pairs) => f.debug_map().entries(pairs).finish(),
            Kind::Broken => f.write_str("<broken>"),
        }
    }
}

/// The items of a list, in order.
#[derive(Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    next: u32,
    after: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.after {
            return None;
        }
        let node = Node::at(self.tree, self.next);
        self.next = self.tree.after(self.next);
        Some(node)
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The keys and values of a mapping, in order; merged ones last. Keys are scalars.
#[derive(Clone)]
pub struct Pairs<'t>(Items<'t>);

impl<'t> Iterator for Pairs<'t> {
    type Item = (Node<'t>, Node<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = self.0.next()?;
            let value = self.0.next()?;
            if !matches!(self.0.tree.cell(key.site).kind, CellKind::Merge) {
                return Some((key, value));
            }
        }
    }
}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}
