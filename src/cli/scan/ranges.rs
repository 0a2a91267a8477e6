//! Which addresses of a table can be read: blocks as long as a request may be, halved where the
//! device refuses. Pure: says what to ask next, and is told what came of it.

use std::fmt;
use std::str::FromStr;

use passline_modbus::pdu::{MAX_READ_BITS, MAX_READ_REGISTERS};
use passline_modbus::point::{Span, Table};
use serde::{Serialize, Serializer};

/// After so many requests in a row without an answer the rest of the table is left alone.
const PATIENCE: u8 = 3;

/// What a device made of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Readable,
    /// Some of it does not exist, or it is too much at once.
    Refused,
    /// There is no such table.
    NoFunction,
    /// Nothing usable, so nothing is known.
    Nothing,
}

/// Addresses of one table, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    table: Table,
    first: u16,
    last: u16,
}

/// Not a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a table and addresses from 0, such as holding:0-999")]
pub(crate) struct WindowError;

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let (table, range) = text.split_once(':').ok_or(WindowError)?;
        let table = Table::ALL.into_iter().find(|known| known.name() == table);
        let (first, last) = range.split_once('-').ok_or(WindowError)?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(WindowError)
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(WindowError);
        }
        Ok(Self { table: table.ok_or(WindowError)?, first, last })
    }
}

/// A run of addresses that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    table: Table,
    first: u16,
    last: u16,
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}-{}", self.table, self.first, self.last)
    }
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The search of one window.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Not yet asked; the next one last.
    waiting: Vec<Run>,
    /// The most that one request may ask for.
    most: u16,
    readable: Vec<Run>,
    silent: u8,
}

impl Search {
    pub(super) fn new(window: Window) -> Self {
        let Window { table, first, last } = window;
        let most = if table.is_bits() { MAX_READ_BITS } else { MAX_READ_REGISTERS };
        Self { waiting: vec![Run { table, first, last }], most, readable: Vec::new(), silent: 0 }
    }

    /// What to ask next.
    pub(super) fn next(&mut self) -> Option<Span> {
        let run = self.waiting.pop()?;
        let last = run.first.saturating_add(self.most - 1);
        let run = if last < run.last { self.part(run, last) } else { run };
        Span::new(run.table, run.first, run.last - run.first + 1)
    }

    /// The part of a run up to `last`; the rest waits.
    fn part(&mut self, run: Run, last: u16) -> Run {
        self.waiting.push(Run { first: last + 1, ..run });
        Run { last, ..run }
    }

    /// What came of the last question. `false`: the device has stopped to answer.
    pub(super) fn told(&mut self, span: Span, told: Told) -> bool {
        let (first, count) = (span.address(), span.count());
        let run = Run { table: span.table(), first, last: first + (count - 1) };
        self.silent = if told == Told::Nothing { self.silent + 1 } else { 0 };
        match told {
            Told::Readable => self.found(run),
            Told::NoFunction => self.waiting.clear(),
            Told::Nothing if self.silent >= PATIENCE => {
                self.waiting.clear();
                return false;
            }
            _ if count > 1 => {
                let first_half = self.part(run, first + (count / 2 - 1));
                self.waiting.push(first_half);
            }
            _ => {}
        }
        true
    }

    fn found(&mut self, run: Run) {
        match self.readable.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(run.first) => last.last = run.last,
            _ => self.readable.push(run),
        }
    }

    /// What can be read, ascending.
    pub(super) fn readable(self) -> Vec<Run> {
        self.readable
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches a table where `readable` says what exists, at most `most` at once; gives the runs
    /// and the number of requests.
    fn search(window: &str, most: u16, readable: impl Fn(u16) -> bool) -> (Vec<String>, u32) {
        let mut search = Search::new(window.parse().expect("a window"));
        let mut requests = 0;
        while let Some(span) = search.next() {
            requests += 1;
            let all = (span.address()..=span.address() + (span.count() - 1)).all(&readable);
            let told = if all && span.count() <= most { Told::Readable } else { Told::Refused };
            assert!(search.told(span, told));
        }
        (search.readable().iter().map(Run::to_string).collect(), requests)
    }

    #[test]
    fn a_block_takes_few_requests() {
        assert_eq!(search("holding:0-999", 125, |_| true), (vec!["holding:0-999".into()], 8));
        let block = search("input:0-124", 125, |address| address < 100);
        assert_eq!(block.0, ["input:0-99"]);
        assert!(block.1 < 70, "{}", block.1);
        let whole = search("coil:0-65535", 2000, |_| true);
        assert_eq!(whole, (vec!["coil:0-65535".into()], 33));
    }

    #[test]
    fn a_device_that_takes_less_at_once_is_asked_for_less() {
        // Of each 125: 125 and twice 62 are too many, four times 31 are not.
        let (runs, requests) = search("holding:0-999", 50, |_| true);
        assert_eq!((runs, requests), (vec!["holding:0-999".into()], 8 * 7));
    }

    #[test]
    fn a_table_that_is_not_there_takes_one_request_and_silence_three() {
        let mut none = Search::new("input:0-999".parse().expect("a window"));
        let span = none.next().expect("a question");
        assert!(none.told(span, Told::NoFunction));
        assert_eq!(none.next(), None);
        let mut silent = Search::new("input:0-999".parse().expect("a window"));
        for left in [true, true, false] {
            let span = silent.next().expect("a question");
            assert_eq!(silent.told(span, Told::Nothing), left);
        }
        assert_eq!(silent.next(), None);
        assert_eq!(silent.readable(), []);
    }

    #[test]
    fn windows_are_read_or_refused() {
        for wrong in
            ["", "holding", "holding:1", "holding:2-1", "holding:0-65536", "x:0-1", "input:+0-1"]
        {
            assert_eq!(wrong.parse::<Window>(), Err(WindowError), "{wrong}");
        }
    }

    proptest! {
        /// Exactly what exists is found, whatever the holes and the limit.
        #[test]
        fn what_is_found_is_what_is_there(
            holes in proptest::collection::btree_set(0_u16..600, 0..40), most in 1_u16..=125,
        ) {
            let there = |address: u16| !holes.contains(&address);
            let mut expected: Vec<Run> = Vec::new();
            for address in (100..=500).filter(|address| there(*address)) {
                match expected.last_mut() {
                    Some(run) if run.last + 1 == address => run.last = address,
                    _ => expected.push(Run { table: Table::Input, first: address, last: address }),
                }
            }
            let expected: Vec<String> = expected.iter().map(Run::to_string).collect();
            prop_assert_eq!(search("input:100-500", most, there).0, expected);
        }
    }
}
