//! Columns, where the writer meant some: entries of consecutive lines whose values, or whose entries
//! in braces, stand below each other. They are made as wide as they have to be.

use std::collections::HashMap;

use super::layout::{Above, Collection, Content, Entry};

/// What is written on a line behind `key:` or `-`, and how wide the key is to be.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) key_width: usize,
    pub(super) text: String,
}

/// Widens the texts of a collection's entries to columns. `None` is an entry of several lines.
pub(super) fn align(collection: &Collection, texts: Vec<Option<String>>) -> Vec<Option<Cell>> {
    let mut cells: Vec<Option<Cell>> =
        texts.into_iter().map(|text| text.map(|text| Cell { key_width: 0, text })).collect();
    let mut from = 0;
    while from < cells.len() {
        let ends = |at: &usize| {
            cells.get(*at).is_none_or(Option::is_none)
                || *at > from
                    && collection.entries.get(*at).is_none_or(|entry| has_blank(&entry.above))
        };
        let end = (from..cells.len()).find(ends).unwrap_or(cells.len());
        let entries = collection.entries.get(from..end).unwrap_or_default();
        if let Some(run) = cells.get_mut(from..end) {
            align_keys(collection.mapping, entries, run);
            align_braces(entries, run);
        }
        from = end.max(from + 1);
    }
    cells
}

fn has_blank(above: &[Above]) -> bool {
    above.contains(&Above::Blank)
}

fn align_keys(mapping: bool, entries: &[Entry], run: &mut [Option<Cell>]) {
    if !mapping || !entries.iter().any(|entry| entry.wide) {
        return;
    }
    let widths = entries.iter().filter_map(|entry| entry.key.as_deref()).map(width);
    let key_width = widths.max().unwrap_or(0);
    for cell in run.iter_mut().flatten() {
        cell.key_width = key_width;
    }
}

/// The entries of a mapping in braces.
fn braced(entry: &Entry) -> Option<&[Entry]> {
    match &entry.value.content {
        Content::Collection(Collection { mapping: true, flow: true, entries, .. }) => Some(entries),
        _ => None,
    }
}

/// Entries stand below each other that have the same keys before them.
fn align_braces(entries: &[Entry], run: &mut [Option<Cell>]) {
    let mut rows: Vec<(Vec<&str>, Vec<String>, &Entry, &mut String)> = Vec::new();
    for (entry, cell) in entries.iter().zip(run) {
        let (Some(inner), Some(cell)) = (braced(entry), cell) else { continue };
        let texts: Option<Vec<String>> = inner.iter().map(super::write::in_line).collect();
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else { continue };
        let keys = inner.iter().map(|entry| entry.key.as_deref().unwrap_or_default()).collect();
        rows.push((keys, texts, entry, &mut cell.text));
    }
    let meant = rows.iter().filter_map(|row| braced(row.2)).flatten().any(|inner| inner.wide);
    if !meant {
        return;
    }
    let mut widest: HashMap<Vec<&str>, usize> = HashMap::new();
    for (keys, texts, ..) in &rows {
        for (column, text) in texts.iter().enumerate().take(texts.len().saturating_sub(1)) {
            let before = keys.get(..=column).unwrap_or_default().to_vec();
            let most = widest.entry(before).or_default();
            *most = (*most).max(width(text));
        }
    }
    for (keys, texts, entry, out) in rows {
        let mut line = super::write::anchored(&entry.value) + "{ ";
        for (column, text) in texts.iter().enumerate() {
            line.push_str(text);
            if column + 1 < texts.len() {
                let before = keys.get(..=column).unwrap_or_default();
                let most = widest.get(before).copied().unwrap_or_default();
                line.push(',');
                line.push_str(&" ".repeat(1 + most.saturating_sub(width(text))));
            }
        }
        *out = line + " }";
    }
}

/// How many columns a text takes, as far as characters tell.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}
