//! The canonical form of a file: the same tree and the same comments, laid out in one way. Knows YAML
//! and no word of the language.
//!
//! What the writer decides stays: the order of keys, brackets or lines of their own where there is
//! room for brackets, how numbers and quoted texts are written, where blank lines are. The rest
//! follows from that, so that the form of a form is the form itself.

mod gap;
mod layout;
mod read;
mod scalar;
mod table;
mod write;

use std::sync::Arc;

use super::diagnostic::Diagnostics;
use super::source::{BYTE_ORDER_MARK, Source, Sources};
use super::yaml;

/// Why there is no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file is no YAML that is used here: the diagnostics say why.
    #[error("the file is not used as it is")]
    Faulty,
    /// The form would mean something else or lack a comment: a mistake of this module.
    #[error("its canonical form would not mean the same")]
    Internal,
}

/// The canonical form of a file. Its line ends are those of its first line.
///
/// # Errors
/// [`Refused`]; what is wrong with the file is among the diagnostics.
pub fn format(source: &Arc<Source>, diagnostics: &Diagnostics) -> Result<String, Refused> {
    let tree = yaml::parse(source, diagnostics).ok_or(Refused::Faulty)?;
    if diagnostics.has_errors() {
        return Err(Refused::Faulty);
    }
    let text = source.text().trim_start_matches(BYTE_ORDER_MARK);
    let ends_with_return = text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let plain = text.replace("\r\n", "\n").replace('\r', "\n");
    let layout = read::layout(&plain).ok_or(Refused::Internal)?;
    let formed = write::text(&layout);
    let formed = if ends_with_return { formed.replace('\n', "\r\n") } else { formed };
    if means_the_same(&tree, &formed) && has_the_same_comments(&plain, &formed) {
        Ok(formed)
    } else {
        Err(Refused::Internal)
    }
}

fn means_the_same(tree: &yaml::Tree, formed: &str) -> bool {
    let mut sources = Sources::new();
    let id = sources.add(tree.source().path(), formed);
    let diagnostics = Diagnostics::default();
    let again = sources.get(id).and_then(|source| yaml::parse(source, &diagnostics));
    !diagnostics.has_errors() && again.is_some_and(|again| again.means(tree))
}

/// A comment may come to stand elsewhere where brackets went; none is lost, and none is made.
fn has_the_same_comments(text: &str, formed: &str) -> bool {
    let sorted = |text: &str| {
        let mut comments = read::comments(text)?;
        comments.sort_unstable();
        Some(comments)
    };
    let comments = sorted(text);
    comments.is_some() && comments == sorted(&formed.replace("\r\n", "\n"))
}
