//! What stands between the tokens of a file: blanks, line ends and comments.

use super::layout::{Above, Comment};

/// A comment between two tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// From its `#` on.
    text: String,
    /// Whether a blank line stands above it.
    blank: bool,
    /// Whether a token stands before it on its line.
    right: bool,
    /// Blanks before it on its line.
    spaces: usize,
    /// The byte behind it.
    end: usize,
}

/// All that stands between two tokens.
#[derive(Debug, Default)]
pub(super) struct Gap {
    pieces: Vec<Piece>,
    /// Whether a blank line stands before what follows.
    blank: bool,
    /// Blanks before what follows, if it stands on the line of the token before.
    pub(super) spaces: Option<usize>,
    /// The byte where what follows begins.
    pub(super) end: usize,
}

impl Gap {
    /// What stands from this byte on, before the next token.
    pub(super) fn at(text: &str, from: usize) -> Self {
        let mut gap = Self { end: from, ..Self::default() };
        let (mut breaks, mut spaces, mut first) = (0, 0, from > 0);
        let mut rest = text.get(from..).unwrap_or_default();
        loop {
            let length = match rest.bytes().next() {
                Some(b' ' | b'\t') => {
                    spaces += 1;
                    1
                }
                Some(b'\n') => {
                    (breaks, spaces, first) = (breaks + 1, 0, false);
                    1
                }
                Some(b'#') => {
                    let line = rest.split('\n').next().unwrap_or_default();
                    let end = gap.end + line.len();
                    let text = line.trim_end().to_owned();
                    gap.pieces.push(Piece { text, blank: breaks > 1, right: first, spaces, end });
                    (breaks, first) = (0, false);
                    line.len()
                }
                _ => break,
            };
            gap.end += length;
            rest = rest.get(length..).unwrap_or_default();
        }
        gap.blank = breaks > 1;
        gap.spaces = first.then_some(spaces);
        gap
    }

    /// The comment on the line of the token before, and the byte behind it.
    pub(super) fn right(&self) -> Option<(Comment, usize)> {
        let piece = self.pieces.first().filter(|piece| piece.right)?;
        Some((Comment { text: piece.text.clone(), set_off: piece.spaces > 1 }, piece.end))
    }

    /// Splits it into the comment on the line of the token before, and the rest.
    pub(super) fn split(self) -> (Option<Comment>, Vec<Above>) {
        let right = self.right().map(|(comment, _)| comment);
        let mut above = Vec::new();
        for piece in self.pieces.into_iter().filter(|piece| !piece.right) {
            above.extend(piece.blank.then_some(Above::Blank));
            above.push(Above::Comment(piece.text));
        }
        above.extend(self.blank.then_some(Above::Blank));
        (right, above)
    }

    /// The first comments that begin in this column or to the right of it, and the byte behind them.
    pub(super) fn indented(self, column: usize) -> (Vec<Above>, Option<usize>) {
        let (mut above, mut end) = (Vec::new(), None);
        for piece in self.pieces.into_iter().take_while(|piece| piece.spaces >= column) {
            above.extend(piece.blank.then_some(Above::Blank));
            above.push(Above::Comment(piece.text));
            end = Some(piece.end);
        }
        (above, end)
    }
}
