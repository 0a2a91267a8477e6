//! The items of two lists held against each other by their names.

use std::collections::{HashMap, HashSet};

/// What became of an item: its index before, its index after, and whether it moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
    pub(super) moved: bool,
}

/// Names that are there more than once get a number.
pub(super) fn numbered(names: Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let number = |name: String| {
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    };
    names.into_iter().map(number).collect()
}

/// Pairs items by name; what is left, where `same` says that nothing but the name is another. First
/// those that were there, then new ones.
pub(super) fn pairs(
    old: &[String],
    new: &[String],
    same: impl Fn(usize, usize) -> bool,
) -> Vec<Pair> {
    let places: HashMap<&String, usize> = new.iter().zip(0..).collect();
    let mut partners: Vec<Option<usize>> =
        old.iter().map(|name| places.get(name).copied()).collect();
    let mut taken: HashSet<usize> = partners.iter().flatten().copied().collect();
    for (before, partner) in partners.iter_mut().enumerate() {
        if partner.is_none() {
            *partner = (0..new.len()).find(|after| !taken.contains(after) && same(before, *after));
            taken.extend(*partner);
        }
    }
    let stays = in_order(&partners.iter().flatten().copied().collect::<Vec<_>>());
    let was = partners.iter().enumerate().map(|(before, partner)| Pair {
        old: Some(before),
        new: *partner,
        moved: partner.is_some_and(|after| !stays.contains(&after)),
    });
    let is_new = (0..new.len()).filter(|after| !taken.contains(after));
    let is_new = is_new.map(|after| Pair { old: None, new: Some(after), moved: false });
    was.chain(is_new).collect()
}

/// The longest part of a sequence of different numbers that ascends.
fn in_order(sequence: &[usize]) -> HashSet<usize> {
    // For each length, where the part of it ends that ends lowest; and what stands before each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(sequence.len());
    for (at, value) in sequence.iter().enumerate() {
        let length = ends.partition_point(|end| sequence.get(*end).is_some_and(|end| end < value));
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut found = HashSet::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        found.extend(sequence.get(at));
        next = before.get(at).copied().flatten();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    #[test]
    fn only_what_moved_is_moved() {
        let moved = |old, new| {
            let (old, new) = (names(old), names(new));
            let pairs = pairs(&old, &new, |_, _| false).into_iter().filter(|pair| pair.moved);
            pairs.map(|pair| old[pair.old.unwrap()].clone()).collect::<String>()
        };
        assert_eq!(moved("abcd", "abcd"), "");
        assert_eq!(moved("abcd", "dabc"), "d");
        assert_eq!(moved("abcd", "bcda"), "a");
        assert_eq!(moved("abcd", "axbycd"), "");
        assert_eq!(moved("abcd", "ad"), "");
        assert_eq!(moved("ab", "ba").len(), 1);
    }

    #[test]
    fn a_name_that_is_there_twice_is_numbered() {
        assert_eq!(numbered(names("abaa")), ["a", "b", "a (2)", "a (3)"]);
    }
}
