//! The parser's events to a tree, and what is refused on the way. No recursion: the input decides
//! about depth and size.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, options};

use super::faults::{depth_error, key_error, merge_error, syntax_error, tag_error};
use super::{Cell, CellKind, IN_SOURCE, Kind, MAX_ALIASED_NODES, MAX_DEPTH, Node, Tree};
use crate::language::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::language::source::{Source, Span};

/// Parses a file. `None` if no tree can be made of it; everything wrong is among the diagnostics,
/// and a tree may be returned beside errors so that what follows finds its own.
pub fn parse(source: &Arc<Source>, diagnostics: &Diagnostics) -> Option<Tree> {
    let mut builder = Builder::new(source, diagnostics);
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    for next in Parser::new_from_str_with_options(source.text(), options) {
        let taken = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(Stop::Because(syntax_error(&error, source))),
        };
        match taken {
            Ok(()) => {}
            Err(Stop::Enough) => break,
            Err(Stop::Because(diagnostic)) => {
                diagnostics.push(diagnostic);
                return None;
            }
        }
    }
    builder.finish()
}

/// Why building ends before the file does.
enum Stop {
    /// What is needed is there.
    Enough,
    /// Nothing sensible can follow.
    Because(Diagnostic),
}

struct Builder<'d> {
    tree: Tree,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    aliased: u64,
    documents: usize,
    diagnostics: &'d Diagnostics,
}

/// A list or mapping whose end has not come.
struct Frame {
    node: u32,
    anchor: usize,
    mapping: bool,
    /// Children so far; in a mapping keys and values both.
    children: u32,
    extent: Extent,
}

/// The size of a node with all aliases below it expanded.
#[derive(Clone, Copy)]
struct Extent {
    nodes: u64,
    height: usize,
}

const LEAF: Extent = Extent { nodes: 1, height: 0 };

enum Anchor {
    Open,
    Closed { node: u32, extent: Extent },
}

impl<'d> Builder<'d> {
    fn new(source: &Arc<Source>, diagnostics: &'d Diagnostics) -> Self {
        let tree = Tree { source: Arc::clone(source), nodes: Vec::new(), texts: Vec::new() };
        Self {
            tree,
            open: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            documents: 0,
            diagnostics,
        }
    }

    fn take(&mut self, event: Event<'_>, at: granit_parser::Span) -> Result<(), Stop> {
        let span = self.span(&at);
        if event.tag().is_some() {
            self.diagnostics.push(tag_error(at.tag_span().map_or(span, |tag| self.span(&tag))));
        }
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Anchor(..) => {}
            Event::DocumentStart(_, version) => {
                let version = version.map(|version| (version.major, version.minor));
                self.start_document(span, version)?;
            }
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, span),
            Event::SequenceStart(_, anchor, _) => self.start(span, anchor, false)?,
            Event::MappingStart(_, anchor, _) => self.start(span, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(span, anchor)?,
            Event::UnresolvedAlias(name) => {
                let message = format!("there is no anchor {} above", quoted(&format!("&{name}")));
                self.diagnostics.push(Diagnostic::error(span, message).remedy(
                    "an alias repeats what an anchor of the same file has named; quote a text that begins with `*`",
                ));
                self.push(span, CellKind::Broken);
                self.child(LEAF);
            }
            // The parser may learn of more; what is not understood is not read past.
            _ => {
                return Err(Stop::Because(Diagnostic::error(
                    span,
                    "this part of YAML is not used here",
                )));
            }
        }
        Ok(())
    }

    fn start_document(&mut self, span: Span, version: Option<(u32, u32)>) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents > 1 {
            let error = Diagnostic::error(span, "a second document begins here")
                .remedy("one file holds one document: put this part into its own file");
            self.diagnostics.push(error);
            return Err(Stop::Enough);
        }
        match version {
            None | Some((1, 2)) => Ok(()),
            Some((major, minor)) => {
                let message = format!("this file asks for YAML {major}.{minor}");
                let error = Diagnostic::error(span, message)
                    .remedy("specs are YAML 1.2: remove the `%YAML` line");
                self.diagnostics.push(error);
                Ok(())
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: Span) {
        let written = self.tree.source.slice(span);
        let (quotes, plain) = match style {
            ScalarStyle::Plain => (0, true),
            _ => (1, false),
        };
        let same = written.len() == text.len() + 2 * quotes
            && written.get(quotes..quotes + text.len()) == Some(text);
        // A missing value has no text of its own.
        let kept = if same || (plain && written.is_empty()) {
            IN_SOURCE
        } else {
            self.tree.texts.push(text.into());
            index(self.tree.texts.len() - 1)
        };
        let merge = plain && anchor == 0 && text == "<<" && self.expects_key();
        let kind = match (merge, plain) {
            (true, _) => CellKind::Merge,
            (_, true) => CellKind::Plain(kept),
            (_, false) => CellKind::Quoted(kept),
        };
        let node = self.push(span, kind);
        self.close_anchor(anchor, node, LEAF);
        self.child(LEAF);
    }

    fn start(&mut self, span: Span, anchor: usize, mapping: bool) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Stop::Because(depth_error(span)));
        }
        if self.expects_key() {
            return Err(Stop::Because(key_error(span)));
        }
        let kind = if mapping { CellKind::Mapping(0) } else { CellKind::Sequence(0) };
        let node = self.push(span, kind);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Open);
        }
        self.open.push(Frame { node, anchor, mapping, children: 0, extent: LEAF });
        Ok(())
    }

    fn end(&mut self, span: Span) {
        let Some(frame) = self.open.pop() else { return };
        if frame.mapping {
            let pairs = self.pairs(frame.node, index(self.tree.nodes.len()));
            self.report_twice(&pairs);
            self.merge(&pairs);
        }
        let after = index(self.tree.nodes.len());
        if let Some(cell) = self.tree.nodes.get_mut(frame.node as usize) {
            cell.end = span.end.max(cell.start);
            cell.kind =
                if frame.mapping { CellKind::Mapping(after) } else { CellKind::Sequence(after) };
        }
        let extent = Extent { height: frame.extent.height + 1, ..frame.extent };
        self.close_anchor(frame.anchor, frame.node, extent);
        self.child(extent);
    }

    fn alias(&mut self, span: Span, anchor: usize) -> Result<(), Stop> {
        let (node, extent) = match self.anchors.get(&anchor) {
            Some(Anchor::Closed { node, extent }) => (*node, *extent),
            Some(Anchor::Open) | None => {
                let error = Diagnostic::error(span, "this alias stands inside its own anchor");
                return Err(Stop::Because(
                    error.remedy("write the repeated part out, or move the anchor"),
                ));
            }
        };
        self.expand(extent, span)?;
        if self.expects_key()
            && !matches!(self.tree.cell(node).kind, CellKind::Plain(_) | CellKind::Quoted(_))
        {
            return Err(Stop::Because(key_error(span)));
        }
        let target = self.tree.resolve(node);
        self.push(span, CellKind::Alias(target));
        self.child(extent);
        Ok(())
    }

    /// Counts what an alias stands for, before it is used.
    fn expand(&mut self, extent: Extent, span: Span) -> Result<(), Stop> {
        self.aliased = self.aliased.saturating_add(extent.nodes);
        if self.aliased > MAX_ALIASED_NODES {
            let message =
                format!("the aliases of this file stand for more than {MAX_ALIASED_NODES} nodes");
            let error = Diagnostic::error(span, message);
            return Err(Stop::Because(
                error
                    .remedy("use fewer aliases, above all of anchors that hold aliases themselves"),
            ));
        }
        if self.open.len() + extent.height > MAX_DEPTH {
            return Err(Stop::Because(depth_error(span)));
        }
        Ok(())
    }

    /// The pairs of a mapping that just ended, as indices of key and value. Reports what is there
    /// twice.
    fn pairs(&self, mapping: u32, end: u32) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        let mut at = mapping + 1;
        while at < end {
            let value = self.tree.after(at);
            pairs.push((at, value));
            at = self.tree.after(value);
        }
        pairs
    }

    fn report_twice(&self, pairs: &[(u32, u32)]) {
        let mut seen: HashMap<&str, u32> = HashMap::with_capacity(pairs.len());
        for (key, _) in pairs {
            let Some(text) = self.key_text(*key) else { continue };
            let Some(first) = seen.insert(text, *key) else { continue };
            let span = Node::at(&self.tree, *key).span();
            let error = Diagnostic::error(span, format!("{} is given twice", quoted(text)))
                .related(Node::at(&self.tree, first).span(), "first given here")
                .remedy("remove one of the two");
            self.diagnostics.push(error);
        }
    }

    fn key_text(&self, key: u32) -> Option<&str> {
        match self.tree.cell(key).kind {
            CellKind::Merge => Some("<<"),
            _ => Node::at(&self.tree, key).scalar().map(|scalar| scalar.text),
        }
    }

    /// Appends what `<<` merges: every pair whose key is not there yet, as aliases. They are no
    /// more than what the merged aliases stand for, which has been counted.
    fn merge(&mut self, pairs: &[(u32, u32)]) {
        let is_merge = |key: u32| matches!(self.tree.cell(key).kind, CellKind::Merge);
        let Some((_, merge)) = pairs.iter().find(|(key, _)| is_merge(*key)) else { return };
        let mut present: HashSet<&str> =
            pairs.iter().filter_map(|(key, _)| self.key_text(*key)).collect();
        let mut added = Vec::new();
        for mapping in self.merged_mappings(*merge) {
            for (key, value) in self.pairs(mapping, self.tree.after(mapping)) {
                if self.key_text(key).is_some_and(|text| present.insert(text)) {
                    added.extend([key, value]);
                }
            }
        }
        for node in added {
            let at = Node::at(&self.tree, node).span();
            self.push(at, CellKind::Alias(self.tree.resolve(node)));
        }
    }

    /// The mappings that the value of a `<<` names: one alias, or a list of them. A mapping that
    /// is written out there could as well be written without the `<<`.
    fn merged_mappings(&self, value: u32) -> Vec<u32> {
        let node = Node { tree: &self.tree, site: value, index: value };
        let named: Vec<Node<'_>> = node.items().map_or_else(|| vec![node], Iterator::collect);
        let mut mappings = Vec::with_capacity(named.len());
        for name in named {
            match (self.tree.cell(name.site).kind, Node::at(&self.tree, name.site).kind()) {
                (CellKind::Alias(mapping), Kind::Mapping(_)) => mappings.push(mapping),
                (_, Kind::Broken) => {}
                _ => self.diagnostics.push(merge_error(name.span())),
            }
        }
        mappings
    }

    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|frame| frame.mapping && frame.children % 2 == 0)
    }

    /// Tells the enclosing list or mapping of a child that is complete.
    fn child(&mut self, extent: Extent) {
        if let Some(parent) = self.open.last_mut() {
            parent.children = parent.children.wrapping_add(1);
            parent.extent.nodes = parent.extent.nodes.saturating_add(extent.nodes);
            parent.extent.height = parent.extent.height.max(extent.height);
        }
    }

    fn close_anchor(&mut self, anchor: usize, node: u32, extent: Extent) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Closed { node, extent });
        }
    }

    fn push(&mut self, span: Span, kind: CellKind) -> u32 {
        let node = index(self.tree.nodes.len());
        self.tree.nodes.push(Cell { start: span.start, end: span.end, kind });
        node
    }

    fn span(&self, at: &granit_parser::Span) -> Span {
        let byte = |marker: &granit_parser::Marker| index(marker.byte_offset().unwrap_or_default());
        Span { source: self.tree.source.id(), start: byte(&at.start), end: byte(&at.end) }
    }

    fn finish(self) -> Option<Tree> {
        if self.tree.is_empty() {
            let id = self.tree.source.id();
            let error = Diagnostic::error(
                Span { source: id, start: 0, end: 0 },
                "the file holds nothing but comments",
            );
            self.diagnostics.push(error.remedy("`passline init` writes a spec to start from"));
            return None;
        }
        Some(self.tree)
    }
}

/// Positions and node counts fit: a file has at most 64 MiB, and every node but an alias at least
/// one byte of it.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
