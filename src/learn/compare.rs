//! What is different between two captures: of a device before and after a change of its firmware,
//! or of two devices that should be alike. Pure.

use std::collections::{BTreeMap, BTreeSet};

use passline_modbus::point::{Span, Table};

use super::capture::Capture;

/// What an address held: the value, if it was always the same.
type Memory = BTreeMap<(Table, u16), Option<u16>>;

/// The differences, a line for each: what it says it is, addresses that are gone or new, and
/// addresses that always held one value, and now hold another. What changed while one of the two
/// was captured is no difference.
pub fn differences(before: &Capture, after: &Capture) -> Vec<String> {
    let mut lines = identity(before, after);
    let (old, new) = (memory(before), memory(after));
    let only = |one: &Memory, other: &Memory| -> BTreeSet<(Table, u16)> {
        one.keys().filter(|place| !other.contains_key(place)).copied().collect()
    };
    lines.extend(spans(&only(&old, &new)).map(|span| format!("{span} is gone")));
    lines.extend(spans(&only(&new, &old)).map(|span| format!("{span} is new")));
    for ((table, address), was) in &old {
        let is = new.get(&(*table, *address)).copied().flatten();
        if let (Some(was), Some(is)) = (was, is)
            && *was != is
        {
            lines.push(format!("{table}:{address} was always {was}, and is now always {is}"));
        }
    }
    lines
}

fn identity(before: &Capture, after: &Capture) -> Vec<String> {
    let mut lines = Vec::new();
    let ids: BTreeSet<u8> =
        before.identification.keys().chain(after.identification.keys()).copied().collect();
    for id in ids {
        let (was, is) = (before.identification.get(&id), after.identification.get(&id));
        if was != is {
            let shown = |capture: &Capture, bytes: Option<&String>| match capture.object(id) {
                Some(text) => format!("{text:?}"),
                None => bytes.cloned().unwrap_or_else(|| "nothing".to_owned()),
            };
            let (was, is) = (shown(before, was), shown(after, is));
            lines.push(format!("device identification, object {id}: was {was}, is {is}"));
        }
    }
    if before.server_id != after.server_id {
        let shown = |id: &Option<String>| id.clone().unwrap_or_else(|| "nothing".to_owned());
        let (was, is) = (shown(&before.server_id), shown(&after.server_id));
        lines.push(format!("server id: was {was}, is {is}"));
    }
    lines
}

fn memory(capture: &Capture) -> Memory {
    let mut memory = Memory::new();
    for stretch in capture.stretches() {
        for at in 0..stretch.len() {
            memory.insert((stretch.table, stretch.address(at)), stretch.constant(at));
        }
    }
    memory
}

/// Neighbours together.
fn spans(places: &BTreeSet<(Table, u16)>) -> impl Iterator<Item = Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (table, address) in places {
        let last = spans
            .last()
            .copied()
            .filter(|span| span.table() == *table && span.end() == u32::from(*address));
        let grown =
            last.and_then(|span| Span::new(*table, span.address(), span.count().checked_add(1)?));
        match grown {
            Some(grown) => {
                spans.pop();
                spans.push(grown);
            }
            None => spans.extend(Span::new(*table, *address, 1)),
        }
    }
    spans.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Cells, Sample};

    fn capture(rounds: &[&[(u16, u16)]], revision: &str) -> Capture {
        let mut capture = Capture::new("x".to_owned(), 1, Vec::new());
        capture.identification.insert(2, revision.to_owned());
        capture.samples = rounds
            .iter()
            .map(|round| Sample {
                at_ms: 0,
                memory: round
                    .iter()
                    .map(|(first, value)| Cells {
                        table: Table::Input,
                        first: *first,
                        values: vec![*value],
                    })
                    .collect(),
            })
            .collect();
        capture
    }

    #[test]
    fn only_what_was_constant_on_both_sides_is_compared() {
        let before =
            capture(&[&[(0, 1), (1, 5), (2, 7), (9, 9)], &[(0, 1), (1, 6), (2, 7), (9, 9)]], "31");
        let after = capture(&[&[(0, 1), (1, 9), (2, 8), (3, 0), (4, 0)]], "32");
        assert_eq!(
            differences(&before, &after),
            [
                "device identification, object 2: was \"1\", is \"2\"",
                "input:9 is gone",
                "input:3..4 is new",
                "input:2 was always 7, and is now always 8",
            ]
        );
        assert_eq!(differences(&before, &before), [""; 0]);
    }
}
