//! `needs:`: which tests must pass before others. Names are bound when all tests are known.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::source::{Span, Spanned};
use crate::record::Phase;
use crate::spec::model::Test;

/// A test with what it needs, as it is written.
pub(super) struct Needing {
    pub(super) test: Test,
    /// Where its name stands.
    pub(super) span: Span,
    /// Its name without what `for_each` adds.
    pub(super) base: String,
    pub(super) needs: Vec<Spanned<String>>,
}

/// Binds the names; `offset` is the place of the first test in the spec.
pub(super) fn bind(context: &Context<'_>, tests: Vec<Needing>, offset: usize) -> Vec<(Test, Span)> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, needing) in tests.iter().enumerate() {
        places.entry(&needing.base).or_default().push(place);
        if needing.test.name != needing.base {
            places.entry(&needing.test.name).or_default().push(place);
        }
    }
    let mut bound: Vec<Vec<usize>> = Vec::with_capacity(tests.len());
    for needing in &tests {
        let mut needs = Vec::new();
        for name in &needing.needs {
            if let Some(found) = places.get(name.value.as_str()) {
                needs.extend(found);
                continue;
            }
            let message = format!("there is no test {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            let error = error.remedy("name a test of this spec as it is written there");
            context.report(error.suggest(&name.value, places.keys().copied()));
        }
        needs.sort_unstable();
        needs.dedup();
        bound.push(needs);
    }
    let tests = tests.into_iter().zip(bound);
    let bind = |(needing, needs): (Needing, Vec<usize>)| {
        let mut test = needing.test;
        test.course.needs = needs.into_iter().map(|place| place + offset).collect();
        (test, needing.span)
    };
    tests.map(bind).collect()
}

/// An order in which each test comes after those that it needs, and after those that save what it
/// uses; else the order of the file. Tests that can never begin are reported.
pub(super) fn order(
    context: &Context<'_>,
    tests: &[Test],
    place_of: impl Fn(usize) -> Option<Span>,
) -> Vec<usize> {
    let mut savers: HashMap<&str, usize> = HashMap::new();
    for (place, test) in tests.iter().enumerate() {
        savers.extend(test.saves().map(|name| (name, place)));
    }
    let main = |place: usize| tests.get(place).is_some_and(|test| test.phase == Phase::Main);
    let mut missing = vec![0_usize; tests.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); tests.len()];
    for (own, test) in tests.iter().enumerate().filter(|(own, _)| main(*own)) {
        let savers = test.uses().filter_map(|name| savers.get(name).copied());
        let savers = savers.filter(|place| *place != own);
        let before: BTreeSet<usize> = test.course.needs.iter().copied().chain(savers).collect();
        for place in before.into_iter().filter(|place| main(*place)) {
            followers[place].push(own);
            missing[own] += 1;
        }
    }
    let free = missing.iter().enumerate().filter(|(_, missing)| **missing == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(|(place, _)| Reverse(place)).collect();
    let mut order = Vec::with_capacity(tests.len());
    while let Some(Reverse(next)) = free.pop() {
        order.push(next);
        for follower in std::mem::take(&mut followers[next]) {
            missing[follower] -= 1;
            if missing[follower] == 0 {
                free.push(Reverse(follower));
            }
        }
    }
    if order.len() < tests.len() {
        let left: Vec<usize> = (0..tests.len()).filter(|place| missing[*place] > 0).collect();
        let names: Vec<String> = left.iter().map(|place| quoted(&tests[*place].name)).collect();
        let message = format!("these tests wait for each other: {}", names.join(", "));
        let span = left.first().and_then(|first| place_of(*first));
        let remedy = "none of them could ever begin: remove one of their `needs`";
        context.report(Diagnostic::error(span, message).remedy(remedy));
    }
    order
}
