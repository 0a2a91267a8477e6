//! What is due when, in the order of time, and for one time in the order in which it was added.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The device begins.
    Begun,
    /// [`When::At`](super::When::At) and [`When::Every`](super::When::Every): see whether the rule
    /// applies.
    Rule(usize),
    /// The actions of a rule that applied: dropped if another state was entered since.
    Actions {
        /// Which rule.
        rule: usize,
        /// How many states had been entered, if it is about one.
        entered: Option<u64>,
    },
    /// A restart is over.
    Booted,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    waiting: BinaryHeap<Reverse<(Duration, u64, Due)>>,
    added: u64,
}

impl Timers {
    pub(super) fn add(&mut self, at: Duration, due: Due) {
        self.added += 1;
        self.waiting.push(Reverse((at, self.added, due)));
    }

    /// How much waits for its time.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.waiting.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next that is due by now, and when it was.
    pub(super) fn pop(&mut self, now: Duration) -> Option<(Duration, Due)> {
        self.next().filter(|at| *at <= now)?;
        self.waiting.pop().map(|Reverse((at, _, due))| (at, due))
    }

    /// Has what is late be due now.
    pub(super) fn bring_to(&mut self, now: Duration) {
        let late: Vec<Due> = std::iter::from_fn(|| self.pop(now)).map(|(_, due)| due).collect();
        for due in late {
            self.add(now, due);
        }
    }

    /// Puts off what is due by now.
    pub(super) fn postpone(&mut self, now: Duration, to: Duration) {
        while let Some((_, due)) = self.pop(now) {
            self.add(to, due);
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
