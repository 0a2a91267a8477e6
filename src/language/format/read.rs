//! A file to its layout: the parser's events say what stands there, the bytes between them what the
//! parser leaves out. `None` throughout: the two do not fit together. Recursion ends, because the
//! tree of the file is known to be no deeper than `MAX_DEPTH`.

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};

use super::gap::Gap;
use super::layout::{Above, Collection, Comment, Content, Entry, Layout, Node};
use super::scalar;
use crate::language::yaml::MAX_DEPTH;

/// The layout of a text whose lines end with `\n`.
pub(super) fn layout(text: &str) -> Option<Layout> {
    let mut reader = Reader { text, events: events(text)?, next: 0, cursor: 0 };
    reader.file()
}

/// All comments of a text, in order, found without its layout.
pub(super) fn comments(text: &str) -> Option<Vec<String>> {
    let mut tokens: Vec<(usize, usize)> = events(text)?
        .into_iter()
        .filter(|token| !matches!(token.event, Event::DocumentStart(..)))
        .map(|token| (token.start, token.end))
        .filter(|(start, end)| start < end)
        .collect();
    tokens.sort_unstable();
    tokens.push((text.len(), text.len()));
    let (mut found, mut from) = (Vec::new(), 0);
    for (start, end) in tokens {
        let mut between = text.get(from..start)?;
        while let Some(at) = between.find('#') {
            let comment = between.get(at..)?.split('\n').next()?;
            found.push(comment.trim_end().to_owned());
            between = between.get(at + comment.len()..)?;
        }
        from = end;
    }
    Some(found)
}

/// An event and its bytes.
struct Token<'t> {
    event: Event<'t>,
    start: usize,
    end: usize,
}

fn events(text: &str) -> Option<Vec<Token<'_>>> {
    let options = options! {
        emit_comments: false,
        emit_anchor_events: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    let mut events = Vec::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.ok()?;
        let (start, end) = (span.start.byte_offset()?, span.end.byte_offset()?);
        events.push(Token { event, start, end });
    }
    Some(events)
}

struct Reader<'t> {
    text: &'t str,
    events: Vec<Token<'t>>,
    /// Which event comes next.
    next: usize,
    /// The byte behind what has been read.
    cursor: usize,
}

/// What is inside of what: which columns belong to whom.
#[derive(Clone, Copy)]
struct Place {
    /// The column of the innermost block collection around.
    column: usize,
    /// Whether there is one.
    inside: bool,
}

impl<'t> Reader<'t> {
    fn file(&mut self) -> Option<Layout> {
        let mut head = Vec::new();
        while matches!(self.peek()?.event, Event::StreamStart) {
            self.next += 1;
        }
        let Event::DocumentStart(explicit, _) = self.peek()?.event else { return None };
        if explicit {
            let end = self.peek()?.end;
            let lines = self.text.get(..end)?.lines().map(|line| line.trim_end().to_owned());
            for line in lines {
                if !(line.is_empty() && head.last().is_none_or(String::is_empty)) {
                    head.push(line);
                }
            }
            self.cursor = end;
        }
        self.next += 1;
        let root = self.node(Place { column: 0, inside: false })?;
        let (_, mut tail) = self.gap().split();
        if self.rest().starts_with("...") {
            self.cursor += "...".len();
            let (right, below) = self.gap().split();
            tail.extend(right.map(|comment| Above::Comment(comment.text)));
            tail.extend(below);
        }
        drop_last_blanks(&mut tail);
        (self.cursor == self.text.len()).then_some(Layout { head, root, tail })
    }

    fn peek(&self) -> Option<&Token<'t>> {
        self.events.get(self.next)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// What stands before the next token; that comes next then.
    fn gap(&mut self) -> Gap {
        let gap = Gap::at(self.text, self.cursor);
        self.cursor = gap.end;
        gap
    }

    /// Takes an indicator, if it is there.
    fn take(&mut self, indicator: char) -> bool {
        let there = self.rest().starts_with(indicator);
        self.cursor += if there { indicator.len_utf8() } else { 0 };
        there
    }

    /// The comment behind what was read last, on its line.
    fn trailing(&mut self) -> Option<Comment> {
        let (comment, end) = Gap::at(self.text, self.cursor).right()?;
        self.cursor = end;
        Some(comment)
    }

    /// Where the cursor is in its line.
    fn column(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }

    fn anchored(&self) -> bool {
        matches!(self.events.get(self.next + 1), Some(Token { event: Event::Anchor(..), .. }))
    }

    /// Takes `&name`.
    fn anchor(&mut self) -> Option<String> {
        let Token { event: Event::Anchor(..), start, end } = self.events.get(self.next + 1)? else {
            return None;
        };
        if *start != self.cursor {
            return None;
        }
        self.cursor = *end;
        self.text.get(*start..*end).map(str::to_owned)
    }

    /// Whether nothing is written where the next value should be.
    fn is_nothing(&self) -> bool {
        self.peek().is_some_and(|token| {
            token.start == token.end
                && matches!(token.event, Event::Scalar(_, ScalarStyle::Plain, ..))
        })
    }

    fn node(&mut self, place: Place) -> Option<Node> {
        let mut node = Node::default();
        if self.is_nothing() && !self.anchored() {
            self.next += 1;
            node.trailing = self.trailing();
            return Some(node);
        }
        (node.opening, node.lead) = self.gap().split();
        let anchored = self.anchored();
        if anchored {
            node.anchor = Some(self.anchor()?);
            if self.is_nothing() {
                self.next += 2;
                node.trailing = self.trailing();
                return Some(node);
            }
            let (right, lead) = self.gap().split();
            match (&node.opening, right) {
                (None, right) => node.opening = right,
                (_, right) => node.lead.extend(right.map(|right| Above::Comment(right.text))),
            }
            node.lead.extend(lead);
        }
        self.content(&mut node, place, 1 + usize::from(anchored))?;
        Some(node)
    }

    /// What the node is; `events` begin it.
    fn content(&mut self, node: &mut Node, place: Place, events: usize) -> Option<()> {
        let Token { event, start, end } = self.events.get(self.next)?;
        let (event, start, end) = (event.clone(), *start, *end);
        self.next += events;
        match event {
            Event::Scalar(text, style @ (ScalarStyle::Literal | ScalarStyle::Folded), ..) => {
                self.block(node, place, text.trim_end_matches('\n').is_empty(), style)?;
            }
            Event::Scalar(text, style, ..) => {
                node.content = Content::Scalar(self.scalar(&text, style, start, end)?);
                node.trailing = self.trailing();
            }
            Event::Alias(_) => {
                node.content = Content::Scalar(self.scalar("", ScalarStyle::Plain, start, end)?);
                node.trailing = self.trailing();
            }
            Event::SequenceStart(style, ..) => self.collection(node, place, false, style)?,
            Event::MappingStart(style, ..) => self.collection(node, place, true, style)?,
            _ => return None,
        }
        Some(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        start: usize,
        end: usize,
    ) -> Option<Vec<String>> {
        if start != self.cursor {
            return None;
        }
        let written = self.text.get(start..end)?.trim_end();
        self.cursor = start + written.len();
        Some(scalar::lines(written, text, style))
    }

    /// A block scalar, from its header on.
    fn block(
        &mut self,
        node: &mut Node,
        place: Place,
        empty: bool,
        style: ScalarStyle,
    ) -> Option<()> {
        let header = self.rest().split(|c: char| c.is_whitespace()).next()?;
        let sign = if style == ScalarStyle::Literal { '|' } else { '>' };
        let marks = header.strip_prefix(sign)?;
        let given: Option<usize> = marks.trim_matches(['+', '-']).parse().ok();
        let (keep, strip) = (marks.contains('+'), marks.contains('-'));
        self.cursor += header.len();
        node.trailing = self.trailing();
        self.cursor += self.rest().find('\n').unwrap_or(self.rest().len());
        let around = if place.inside { place.column } else { 0 };
        let below = self.rest().strip_prefix('\n').unwrap_or_default();
        let indent = match given {
            Some(given) => around + given,
            None if empty => usize::MAX,
            None => {
                below.split('\n').find(|line| !line.trim_matches(' ').is_empty()).map(spaces)?
            }
        };
        let mut lines: Vec<String> = Vec::new();
        let (mut end, mut kept) = (self.cursor, 0);
        for line in below.split_inclusive('\n') {
            let line = line.strip_suffix('\n').unwrap_or(line);
            let inside = spaces(line) >= indent;
            if !inside && !line.trim_matches(' ').is_empty() {
                break;
            }
            end += 1 + line.len();
            lines.push(line.get(indent..).unwrap_or_default().to_owned());
            if keep || lines.last().is_some_and(|line| !line.is_empty()) {
                (self.cursor, kept) = (end, lines.len());
            }
        }
        self.cursor = self.cursor.min(self.text.len());
        lines.truncate(kept);
        let indicator = if given.is_some() { "2" } else { "" };
        let chomping = match (keep, strip) {
            (true, _) => "+",
            (_, true) => "-",
            _ => "",
        };
        let header = format!("{sign}{indicator}{chomping}");
        node.content = Content::Block { header, lines };
        Some(())
    }

    fn collection(
        &mut self,
        node: &mut Node,
        place: Place,
        mapping: bool,
        style: StructureStyle,
    ) -> Option<()> {
        if style == StructureStyle::Block {
            let collection = self.in_block(std::mem::take(&mut node.lead), place, mapping)?;
            node.content = Content::Collection(collection);
            return Some(());
        }
        let bracketed = self.take(if mapping { '{' } else { '[' });
        let mut collection = self.in_brackets(node, place, mapping, bracketed)?;
        if collection.entries.is_empty() {
            node.lead.append(&mut collection.tail);
        }
        node.content = Content::Collection(collection);
        if bracketed {
            if !self.take(if mapping { '}' } else { ']' }) {
                return None;
            }
            node.trailing = self.trailing();
        }
        Some(())
    }

    fn ends(&self) -> bool {
        let end = self.peek().map(|token| &token.event);
        matches!(end, Some(Event::SequenceEnd | Event::MappingEnd) | None)
    }

    fn in_block(&mut self, lead: Vec<Above>, place: Place, mapping: bool) -> Option<Collection> {
        let column = self.column();
        let inner = Place { column, inside: true };
        let mut collection = Collection { mapping, ..Collection::default() };
        let mut above = lead;
        while !self.ends() {
            above.extend(self.gap().split().1);
            let entry = if mapping {
                self.pair(std::mem::take(&mut above), inner)?
            } else {
                if !self.take('-') {
                    return None;
                }
                let value = self.node(inner)?;
                Entry { above: std::mem::take(&mut above), key: None, value, wide: false }
            };
            collection.entries.push(entry);
        }
        self.next += 1;
        // Comments further in than what follows belong to what ends here.
        let least = if place.inside { column.max(place.column + 1) } else { column };
        let (tail, end) = Gap::at(self.text, self.cursor).indented(least);
        collection.tail = tail;
        self.cursor = end.unwrap_or(self.cursor);
        Some(collection)
    }

    fn in_brackets(
        &mut self,
        node: &mut Node,
        place: Place,
        mapping: bool,
        bracketed: bool,
    ) -> Option<Collection> {
        let mut collection = Collection { mapping, flow: true, ..Collection::default() };
        if !bracketed {
            let pair = self.pair(Vec::new(), place)?;
            collection.entries.push(pair);
            self.next += 1;
            return Some(collection);
        }
        let mut above = Vec::new();
        loop {
            let gap = self.gap();
            let wide =
                !collection.entries.is_empty() && gap.spaces.is_some_and(|spaces| spaces > 1);
            let (right, more) = gap.split();
            let before = collection
                .entries
                .last_mut()
                .map_or(&mut node.opening, |entry| &mut entry.value.trailing);
            match before {
                None => *before = right,
                Some(_) => above.extend(right.map(|right| Above::Comment(right.text))),
            }
            above.extend(more);
            if self.ends() {
                break;
            }
            let before = std::mem::take(&mut above);
            let mut entry = if mapping {
                self.pair(before, place)?
            } else {
                Entry { above: before, key: None, value: self.node(place)?, wide: false }
            };
            entry.wide |= wide;
            collection.entries.push(entry);
            above.extend(self.gap().split().1);
            self.take(',');
        }
        self.next += 1;
        drop_last_blanks(&mut above);
        collection.tail = above;
        Some(collection)
    }

    fn pair(&mut self, mut above: Vec<Above>, place: Place) -> Option<Entry> {
        let mut explicit = false;
        if self.rest().starts_with('?') && self.peek()?.start > self.cursor && !self.anchor_here() {
            explicit = self.take('?');
            let (right, more) = self.gap().split();
            above.extend(right.map(|right| Above::Comment(right.text)));
            above.extend(more);
        }
        let (key, right) = self.key(place)?;
        above.extend(right.map(|right| Above::Comment(right.text)));
        if explicit {
            let (right, more) = self.gap().split();
            above.extend(right.map(|right| Above::Comment(right.text)));
            above.extend(more);
        }
        let colon = Gap::at(self.text, self.cursor);
        if self.text.get(colon.end..)?.starts_with(':') && colon.right().is_none() {
            self.cursor = colon.end + 1;
        } else if !self.is_nothing() {
            return None;
        }
        let wide = Gap::at(self.text, self.cursor).spaces.is_some_and(|spaces| spaces > 1);
        let value = self.node(place)?;
        let wide = wide
            && value.opening.is_none()
            && !matches!(&value.content,
            Content::Scalar(lines) if lines.concat().is_empty());
        Some(Entry { above, key: Some(key), value, wide })
    }

    fn anchor_here(&self) -> bool {
        self.events.get(self.next + 1).is_some_and(|token| {
            token.start == self.cursor && matches!(token.event, Event::Anchor(..))
        })
    }

    /// A key on one line, and the comment behind it.
    fn key(&mut self, place: Place) -> Option<(String, Option<Comment>)> {
        let text = match &self.peek()?.event {
            Event::Scalar(text, ..) => text.to_string(),
            Event::Alias(_) => String::new(),
            _ => return None,
        };
        let alias = matches!(self.peek()?.event, Event::Alias(_));
        let node = self.node(place)?;
        if node.opening.is_some() || !node.lead.is_empty() {
            return None;
        }
        let written = match node.content {
            Content::Scalar(lines) if lines.len() == 1 => lines.concat(),
            _ => scalar::double_quoted(&text),
        };
        let anchor = node.anchor.map(|anchor| anchor + " ").unwrap_or_default();
        // A colon may be part of the name of an alias.
        let key = format!("{anchor}{written}{}", if alias { " " } else { "" });
        Some((key, node.trailing))
    }
}

/// Nothing follows that blank lines could set apart.
fn drop_last_blanks(above: &mut Vec<Above>) {
    while above.last() == Some(&Above::Blank) {
        above.pop();
    }
}

fn spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
