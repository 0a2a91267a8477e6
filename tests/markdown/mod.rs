//! What tests read of a Markdown page: its fenced blocks. Knows nothing of what they mean.

#![allow(clippy::unwrap_used, reason = "a page that is not closed properly is a failure")]

/// A fenced block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// The words behind the fence.
    pub(crate) info: &'static str,
    /// What stands in it, without the last line feed.
    pub(crate) body: &'static str,
}

/// Every fenced block, in order. At least one: a page that has none is not the page that is meant.
pub(crate) fn blocks(page: &'static str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((before, opened)) = rest.split_once("\n```") {
        let (info, inside) = opened.split_once('\n').unwrap();
        let (body, behind) = inside.split_once("\n```").unwrap();
        let start = page.len() - rest.len() + before.len() + 1;
        let line = page[..start].matches('\n').count() + 1;
        blocks.push(Block { line, info, body });
        rest = behind;
    }
    assert!(!blocks.is_empty());
    blocks
}
