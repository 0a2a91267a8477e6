//! A layout to the lines of its canonical form.

use super::layout::{Above, Collection, Comment, Content, Entry, Layout, Node, comments};
use super::table::{self, Cell, width};

/// How long a line with brackets may become; what is longer gets a line for each of its entries.
const WIDTH: usize = 120;

/// How much further in the entries of a collection stand.
const STEP: usize = 2;

/// A line, without its comment.
#[derive(Debug, Default)]
struct Line {
    text: String,
    comment: Option<Comment>,
}

/// The text of a layout.
pub(super) fn text(layout: &Layout) -> String {
    let mut writer = Writer { lines: Vec::new() };
    for line in &layout.head {
        writer.line(line.clone(), None);
    }
    writer.root(&layout.root);
    writer.above(&layout.tail, 0);
    writer.finish()
}

struct Writer {
    lines: Vec<Line>,
}

impl Writer {
    fn line(&mut self, text: String, comment: Option<&Comment>) {
        self.lines.push(Line { text, comment: comment.cloned() });
    }

    fn above(&mut self, above: &[Above], indent: usize) {
        for (at, one) in above.iter().enumerate() {
            match one {
                Above::Comment(text) => self.line(indented(indent, text), None),
                Above::Blank => {
                    let twice = above.get(at + 1) == Some(&Above::Blank);
                    if !twice && !self.lines.is_empty() {
                        self.line(String::new(), None);
                    }
                }
            }
        }
    }

    /// As [`Self::above`], where something just began: no blank line comes first.
    fn first_above(&mut self, above: &[Above], indent: usize) {
        let blanks = above.iter().take_while(|above| **above == Above::Blank).count();
        self.above(above.get(blanks..).unwrap_or_default(), indent);
    }

    fn root(&mut self, root: &Node) {
        if let Some(opening) = &root.opening {
            self.line(opening.text.clone(), None);
        }
        match &root.content {
            Content::Collection(collection)
                if !collection.entries.is_empty() && one_line(root, 0).is_none() =>
            {
                if let Some(anchor) = &root.anchor {
                    self.line(anchor.clone(), None);
                }
                self.above(&root.lead, 0);
                self.entries(collection, 0);
                self.behind(root.trailing.as_ref(), 0);
            }
            _ => {
                self.above(&root.lead, 0);
                self.value(String::new(), root, 0);
            }
        }
    }

    fn entries(&mut self, collection: &Collection, indent: usize) {
        let texts = collection.entries.iter().map(|entry| {
            let head = entry.key.as_deref().map_or(STEP, |key| width(key) + ": ".len());
            one_line(&entry.value, indent + head)
        });
        let cells = table::align(collection, texts.collect());
        for (at, (entry, cell)) in collection.entries.iter().zip(cells).enumerate() {
            if at == 0 {
                self.first_above(&entry.above, indent);
            } else {
                self.above(&entry.above, indent);
            }
            match (&entry.key, cell) {
                (Some(key), Some(cell)) => {
                    let key = indented(indent, key) + ":";
                    let text = in_columns(key, indent + 1, &cell);
                    self.line(text, entry.value.trailing.as_ref());
                }
                (None, Some(cell)) => {
                    let text = in_columns(indented(indent, "-"), 0, &cell);
                    self.line(text, entry.value.trailing.as_ref());
                }
                (Some(key), None) => self.value(indented(indent, key) + ":", &entry.value, indent),
                (None, None) => self.item(&entry.value, indent),
            }
        }
        self.above(&collection.tail, indent);
    }

    /// An item of several lines.
    fn item(&mut self, node: &Node, indent: usize) {
        let compact = match &node.content {
            Content::Collection(collection) => {
                let first = collection.entries.first();
                let bare = first.is_some_and(|entry| !comments(&entry.above));
                (bare && node.anchor.is_none() && node.opening.is_none() && node.lead.is_empty())
                    .then_some(collection)
                    .filter(|collection| !is_numbers(collection) && node.trailing.is_none())
            }
            _ => None,
        };
        let Some(collection) = compact else {
            return self.value(indented(indent, "-"), node, indent);
        };
        let first = self.lines.len();
        self.entries(collection, indent + STEP);
        if let Some(line) = self.lines.get_mut(first) {
            line.text.replace_range(indent..=indent, "-");
        }
    }

    /// A value behind its `key:` or `-`, or below it.
    fn value(&mut self, head: String, node: &Node, indent: usize) {
        let inner = if head.is_empty() { 0 } else { indent + STEP };
        if let Content::Collection(collection) = &node.content
            && !(collection.entries.is_empty() || head.is_empty())
        {
            return self.collection(head, node, collection, inner);
        }
        let apart = node.opening.is_some() || comments(&node.lead);
        let anchor = node.anchor.as_deref();
        let head = if apart {
            self.line(joined(head, anchor.unwrap_or_default()), node.opening.as_ref());
            self.first_above(&node.lead, inner);
            " ".repeat(inner)
        } else {
            joined(head, anchor.unwrap_or_default())
        };
        match &node.content {
            Content::Scalar(lines) => {
                let mut lines = lines.iter();
                let first = lines.next().map(String::as_str).unwrap_or_default();
                self.line(joined(head, first), None);
                for line in lines {
                    self.line(indented(inner, line), None);
                }
                if let Some(last) = self.lines.last_mut() {
                    last.comment.clone_from(&node.trailing);
                }
            }
            Content::Block { header, lines } => {
                self.line(joined(head, header), node.trailing.as_ref());
                for line in lines {
                    self.line(indented(inner, line), None);
                }
            }
            Content::Collection(collection) => {
                let text = in_brackets(collection).unwrap_or_default();
                self.line(joined(head, &text), node.trailing.as_ref());
            }
        }
    }

    fn collection(&mut self, head: String, node: &Node, collection: &Collection, indent: usize) {
        let head = joined(head, node.anchor.as_deref().unwrap_or_default());
        if is_numbers(collection) && node.opening.is_none() && !comments(&node.lead) {
            return self.numbers(joined(head, "["), node, collection, indent);
        }
        let (opening, trailing) = match (&node.opening, &node.trailing) {
            (None, trailing) => (trailing.as_ref(), None),
            (opening, trailing) => (opening.as_ref(), trailing.as_ref()),
        };
        self.line(head, opening);
        self.first_above(&node.lead, indent);
        self.entries(collection, indent);
        self.behind(trailing, indent);
    }

    /// A comment that stood behind a bracket which is there no more.
    fn behind(&mut self, comment: Option<&Comment>, indent: usize) {
        if let Some(comment) = comment {
            self.line(indented(indent, &comment.text), None);
        }
    }

    /// A long list of numbers: as many on a line as there is room for.
    fn numbers(&mut self, head: String, node: &Node, collection: &Collection, indent: usize) {
        self.line(head, None);
        let mut line = " ".repeat(indent);
        let mut items = collection.entries.iter().filter_map(in_line).peekable();
        while let Some(item) = items.next() {
            let item = item + if items.peek().is_some() { "," } else { "]" };
            let begun = line.len() > indent;
            if begun && width(&line) + 1 + width(&item) > WIDTH {
                self.line(std::mem::replace(&mut line, " ".repeat(indent)), None);
            } else if begun {
                line.push(' ');
            }
            line.push_str(&item);
        }
        self.line(line, node.trailing.as_ref());
    }

    /// The text, with comments of consecutive lines below each other where that was meant.
    fn finish(self) -> String {
        let mut text = String::new();
        let runs =
            self.lines.chunk_by(|one, other| one.comment.is_some() == other.comment.is_some());
        for run in runs {
            let meant = run.iter().filter_map(|line| line.comment.as_ref()).any(|it| it.set_off);
            let column = run.iter().map(|line| width(&line.text)).max().unwrap_or(0);
            for line in run {
                text.push_str(&line.text);
                if let Some(comment) = &line.comment {
                    let wanting = if meant { column - width(&line.text) } else { 0 };
                    text.push_str(&" ".repeat(1 + wanting));
                    text.push_str(&comment.text);
                }
                text.push('\n');
            }
        }
        text
    }
}

/// A value on one line behind its key, if it may stand there; brackets only if there is room.
fn one_line(node: &Node, column: usize) -> Option<String> {
    if node.opening.is_some() || comments(&node.lead) {
        return None;
    }
    let text = bare(node)?;
    let brackets = matches!(&node.content, Content::Collection(it) if !it.entries.is_empty());
    (!brackets || column + width(&text) <= WIDTH).then_some(text)
}

/// A value on one line, without what stands around it.
fn bare(node: &Node) -> Option<String> {
    let text = match &node.content {
        Content::Scalar(lines) => match lines.as_slice() {
            [line] => line.clone(),
            _ => return None,
        },
        Content::Block { .. } => return None,
        Content::Collection(collection) => in_brackets(collection)?,
    };
    Some(joined_inside(node.anchor.as_deref(), &text))
}

fn in_brackets(collection: &Collection) -> Option<String> {
    let Collection { mapping, flow: true, entries, .. } = collection else { return None };
    if entries.is_empty() {
        return Some(if *mapping { "{}" } else { "[]" }.to_owned());
    }
    if comments(&collection.tail) {
        return None;
    }
    let entries: Option<Vec<String>> = entries.iter().map(in_line).collect();
    let entries = entries?.join(", ");
    Some(if *mapping { format!("{{ {entries} }}") } else { format!("[{entries}]") })
}

/// An entry between brackets.
pub(super) fn in_line(entry: &Entry) -> Option<String> {
    let node = &entry.value;
    let commented = node.opening.is_some() || node.trailing.is_some() || comments(&node.lead);
    if commented || comments(&entry.above) {
        return None;
    }
    let value = bare(node)?;
    Some(match &entry.key {
        None => value,
        Some(key) if value.is_empty() => key.clone(),
        Some(key) => format!("{key}: {value}"),
    })
}

/// The anchor of a value, as it stands before it.
pub(super) fn anchored(node: &Node) -> String {
    node.anchor.as_ref().map(|anchor| format!("{anchor} ")).unwrap_or_default()
}

/// Whether a list in brackets holds numbers only.
fn is_numbers(collection: &Collection) -> bool {
    let number = |entry: &Entry| {
        in_line(entry).is_some_and(|text| {
            text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
                && !text.contains([' ', ':'])
        })
    };
    collection.flow
        && !collection.mapping
        && !comments(&collection.tail)
        && !collection.entries.is_empty()
        && collection.entries.iter().all(number)
}

fn in_columns(head: String, colon: usize, cell: &Cell) -> String {
    let missing = (cell.key_width + colon).saturating_sub(width(&head));
    if cell.text.is_empty() {
        return head;
    }
    format!("{head}{} {}", " ".repeat(missing), cell.text)
}

/// Two parts with a space between them; the first may be indentation alone.
fn joined(head: String, tail: &str) -> String {
    match (head.ends_with(|c| c != ' '), tail.is_empty()) {
        (_, true) => head,
        (true, false) => head + " " + tail,
        (false, false) => head + tail,
    }
}

fn joined_inside(anchor: Option<&str>, text: &str) -> String {
    joined(anchor.unwrap_or_default().to_owned(), text)
}

fn indented(indent: usize, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{:indent$}{text}", "") }
}
