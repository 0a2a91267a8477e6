//! A file as it is laid out: what stands where, with its comments and blank lines. Knows nothing of
//! bytes and columns.

/// A comment at the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    /// From its `#` on.
    pub(super) text: String,
    /// Whether more than one space stood before it: comments below each other are meant.
    pub(super) set_off: bool,
}

/// What stands on lines of its own above something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Above {
    /// One or more blank lines.
    Blank,
    /// A comment, from its `#` on.
    Comment(String),
}

/// A value with what belongs to it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `&name`.
    pub(super) anchor: Option<String>,
    /// The comment behind the `key:` or `-`, where the value itself begins below.
    pub(super) opening: Option<Comment>,
    /// What stands between that and the value.
    pub(super) lead: Vec<Above>,
    pub(super) content: Content,
    /// The comment behind it; behind the header of a block scalar.
    pub(super) trailing: Option<Comment>,
}

#[derive(Debug)]
pub(super) enum Content {
    /// A scalar or an alias as it is written, line by line; nothing at all is one empty line.
    Scalar(Vec<String>),
    /// `|` or `>`: its header, and its lines without their common indentation.
    Block { header: String, lines: Vec<String> },
    /// A list or a mapping.
    Collection(Collection),
}

impl Default for Content {
    fn default() -> Self {
        Self::Scalar(vec![String::new()])
    }
}

#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) mapping: bool,
    /// Whether it is written in brackets.
    pub(super) flow: bool,
    pub(super) entries: Vec<Entry>,
    /// What stands behind its last entry.
    pub(super) tail: Vec<Above>,
}

/// An item of a list, or a key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) above: Vec<Above>,
    /// As it is written, on one line.
    pub(super) key: Option<String>,
    pub(super) value: Node,
    /// Whether more space than needed stood before the value or, in brackets, before the entry:
    /// columns are meant.
    pub(super) wide: bool,
}

/// A whole file.
#[derive(Debug)]
pub(super) struct Layout {
    /// Directives, and the `---` with them.
    pub(super) head: Vec<String>,
    pub(super) root: Node,
    pub(super) tail: Vec<Above>,
}

/// Whether there is a comment among it.
pub(super) fn comments(above: &[Above]) -> bool {
    above.iter().any(|above| matches!(above, Above::Comment(_)))
}
