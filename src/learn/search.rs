//! Which addresses of a table answer, in few requests: runs that answer are read as long as a
//! request may be, and an address that does not answer is asked for once, for nothing less shows
//! that it is not there. Pure: says what to ask next, and is told what came of it; what it knows
//! can be written down and read back at any time.

use std::fmt;
use std::str::FromStr;

use passline_modbus::pdu::{MAX_READ_BITS, MAX_READ_REGISTERS};
use passline_modbus::point::{Span, Table};
use serde::{Deserialize, Serialize, Serializer};

use super::table;

/// After so many requests in a row without an answer the rest of the table is left alone.
const PATIENCE: u8 = 3;
/// Around what answers every address is asked, whatever the step.
const NEAR: u32 = 128;

/// What a device made of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// All of it was read.
    Readable,
    /// Some of it does not exist, or it is too much at once.
    Refused,
    /// There is no such table.
    NoFunction,
    /// Nothing usable, so nothing is known.
    Nothing,
}

/// Addresses of one table, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Window {
    table: Table,
    first: u16,
    last: u16,
}

/// A window as it is written down.
#[derive(Serialize, Deserialize)]
struct Ends {
    #[serde(with = "table")]
    table: Table,
    first: u16,
    last: u16,
}

impl TryFrom<Ends> for Window {
    type Error = WindowError;

    fn try_from(Ends { table, first, last }: Ends) -> Result<Self, WindowError> {
        if first > last { Err(WindowError) } else { Ok(Self { table, first, last }) }
    }
}

impl From<Window> for Ends {
    fn from(Window { table, first, last }: Window) -> Self {
        Self { table, first, last }
    }
}

/// Not a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a table and addresses from 0, such as holding:0-999")]
pub struct WindowError;

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
        Ends { table: table.ok_or(WindowError)?, first: number(first)?, last: number(last)? }
            .try_into()
    }
}

impl Window {
    /// Whether the two share an address.
    pub fn overlaps(self, other: Self) -> bool {
        self.table == other.table && self.first <= other.last && other.first <= self.last
    }
}

/// A run of addresses that can be read, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    window: Window,
    /// Away from what answers only every so many-th address is asked.
    step: u16,
    /// The first address of which nothing is known.
    at: u32,
    /// How many addresses before `at` were stepped over since the last question.
    skipped: u32,
    /// Up to here every address is asked.
    dense: u32,
    /// Between `at` and here something was refused.
    bound: Option<u32>,
    /// How many to ask for next.
    length: u16,
    /// The most that one request may ask for, as far as is known.
    most: u16,
    /// The most that was read at once.
    largest: u16,
    /// First and last addresses of what answered.
    runs: Vec<(u16, u16)>,
    /// Unanswered requests in a row.
    #[serde(skip)]
    silent: u8,
}

impl Search {
    /// Asks every `step`-th address and all those around what answers; every address if it is 1.
    pub fn new(window: Window, step: u16) -> Self {
        let most = if window.table.is_bits() { MAX_READ_BITS } else { MAX_READ_REGISTERS };
        Self {
            window,
            step: step.max(1),
            at: window.first.into(),
            skipped: 0,
            dense: window.first.into(),
            bound: None,
            length: most,
            most,
            largest: 0,
            runs: Vec::new(),
            silent: 0,
        }
    }

    /// What is searched.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Every so many-th address is asked away from what answers.
    pub fn step(&self) -> u16 {
        self.step
    }

    /// The table that is searched.
    pub fn table(&self) -> Table {
        self.window.table
    }

    /// The most that this device lets read at once, as far as was seen; `None` if it is what the
    /// protocol allows.
    pub fn limit(&self) -> Option<u16> {
        let most = if self.table().is_bits() { MAX_READ_BITS } else { MAX_READ_REGISTERS };
        (self.most < most).then_some(self.most)
    }

    /// How many addresses are settled, of how many.
    pub fn progress(&self) -> (u32, u32) {
        let first = u32::from(self.window.first);
        let all = u32::from(self.window.last) + 1 - first;
        (self.at.saturating_sub(first).min(all), all)
    }

    /// Whether all is known that this search can find out.
    pub fn is_over(&self) -> bool {
        self.at > u32::from(self.window.last)
    }

    /// What to ask next; `None` if it is over, or the device has stopped to answer.
    pub fn next(&self) -> Option<Span> {
        if self.is_over() || self.silent >= PATIENCE {
            return None;
        }
        let left = u32::from(self.window.last) + 1 - self.at;
        let known = self.bound.map_or(left, |bound| bound.saturating_sub(self.at).max(1));
        let count = u32::from(self.length.min(self.most)).min(left).min(known).max(1);
        Span::new(self.window.table, u16::try_from(self.at).ok()?, u16::try_from(count).ok()?)
    }

    /// What came of the last question. `false`: the device has stopped to answer.
    pub fn told(&mut self, span: Span, told: Told) -> bool {
        self.silent = if told == Told::Nothing { self.silent + 1 } else { 0 };
        match told {
            Told::Readable if self.skipped > 0 => self.go_back(span),
            Told::Readable => self.readable(span),
            Told::Refused if span.count() > 1 => {
                self.bound = Some(span.end());
                self.length = span.count() / 2;
            }
            Told::Refused => self.absent(),
            Told::NoFunction => self.at = u32::from(self.window.last) + 1,
            // Too much at once for a device that says nothing instead of an exception, perhaps.
            Told::Nothing => self.length = (span.count() / 2).max(1),
        }
        self.silent < PATIENCE
    }

    /// Asks again from the address behind the last that was asked: a run may begin there.
    fn go_back(&mut self, span: Span) {
        self.at = self.at.saturating_sub(self.skipped);
        self.skipped = 0;
        self.dense = span.end() + NEAR;
        self.length = 1;
    }

    fn readable(&mut self, span: Span) {
        self.largest = self.largest.max(span.count());
        self.found(span);
        self.at = span.end();
        self.dense = self.at + NEAR;
        match self.bound {
            // Nothing is missing there: it was too much at once, or across some border.
            Some(bound) if self.at >= bound => {
                self.bound = None;
                self.most = self.largest;
                self.length = self.most;
            }
            Some(bound) => {
                self.length = u16::try_from((bound - self.at) / 2).unwrap_or(u16::MAX).max(1);
            }
            None => self.length = self.length.saturating_mul(2).min(self.most),
        }
    }

    fn absent(&mut self) {
        self.bound = None;
        self.length = 1;
        let next = self.at + 1;
        let step = u32::from(self.step.max(1));
        self.at = if next < self.dense { next } else { next.next_multiple_of(step) };
        self.skipped = self.at - next;
    }

    fn found(&mut self, span: Span) {
        let (first, last) = (span.address(), span.address() + (span.count() - 1));
        match self.runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(first) => run.1 = last,
            _ => self.runs.push((first, last)),
        }
    }

    /// What can be read, ascending.
    pub fn runs(&self) -> impl Iterator<Item = Run> {
        let table = self.window.table;
        self.runs.iter().map(move |(first, last)| Run { table, first: *first, last: *last })
    }

    /// The reads that bring all of it.
    pub fn reads(&self) -> impl Iterator<Item = Span> {
        self.runs.iter().flat_map(move |(first, last)| {
            let starts = (*first..=*last).step_by(self.most.max(1).into());
            starts.filter_map(move |start| {
                let left = (last - start).saturating_add(1);
                Span::new(self.window.table, start, self.most.min(left).max(1))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches a table where `readable` says what exists, at most `most` at once; gives the runs
    /// and the number of requests.
    fn search(
        (window, step): (&str, u16),
        most: u16,
        readable: impl Fn(u16) -> bool,
    ) -> (Vec<String>, u32) {
        let mut search = Search::new(window.parse().expect("a window"), step);
        let mut requests = 0;
        while let Some(span) = search.next() {
            requests += 1;
            let all = (span.address()..=span.address() + (span.count() - 1)).all(&readable);
            let told = if all && span.count() <= most { Told::Readable } else { Told::Refused };
            assert!(search.told(span, told));
            // Whatever it knows can be written down.
            let text = serde_json::to_string(&search).expect("JSON");
            assert_eq!(serde_json::from_str::<Search>(&text).expect("the same"), search);
        }
        (search.runs().map(|run| run.to_string()).collect(), requests)
    }

    #[test]
    fn a_block_takes_few_requests() {
        assert_eq!(search(("holding:0-999", 1), 125, |_| true), (vec!["holding:0-999".into()], 8));
        let block = search(("input:0-124", 1), 125, |address| address < 100);
        assert_eq!(block.0, ["input:0-99"]);
        assert!(block.1 < 45, "{}", block.1);
        let whole = search(("coil:0-65535", 1), 2000, |_| true);
        assert_eq!(whole, (vec!["coil:0-65535".into()], 33));
    }

    #[test]
    fn an_address_that_is_not_there_takes_one_request() {
        let (runs, requests) = search(("holding:0-999", 1), 125, |a| matches!(a, 500 | 501));
        assert_eq!(runs, ["holding:500-501"]);
        assert!(requests < 1_015, "{requests}");
    }

    #[test]
    fn a_step_asks_less_and_finds_what_lies_on_it_with_all_around() {
        let there = |address: u16| matches!(address, 4_100..=4_133 | 4_200 | 4_202);
        let (runs, requests) = search(("input:0-65535", 16), 125, there);
        assert_eq!(runs, ["input:4100-4133", "input:4200-4200", "input:4202-4202"]);
        assert!(requests < 4_500, "{requests}");
        assert_eq!(search(("input:0-65535", 16), 125, |a| a == 4_001).0, [""; 0]);
    }

    #[test]
    fn a_device_that_takes_less_at_once_is_asked_for_less() {
        let (runs, requests) = search(("holding:0-999", 1), 50, |_| true);
        assert_eq!(runs, ["holding:0-999"]);
        assert!(requests < 45, "{requests}");
    }

    #[test]
    fn a_table_that_is_not_there_takes_one_request_and_silence_three() {
        let mut none = Search::new("input:0-999".parse().expect("a window"), 1);
        let span = none.next().expect("a question");
        assert!(none.told(span, Told::NoFunction));
        assert!(none.next().is_none() && none.is_over());
        let mut silent = Search::new("input:0-999".parse().expect("a window"), 1);
        for left in [true, true, false] {
            let span = silent.next().expect("a question");
            assert_eq!(silent.told(span, Told::Nothing), left);
        }
        assert!(silent.next().is_none() && !silent.is_over());
        assert_eq!(silent.runs().count(), 0);
    }

    #[test]
    fn windows_are_read_or_refused() {
        for wrong in
            ["", "holding", "holding:1", "holding:2-1", "holding:0-65536", "x:0-1", "input:+0-1"]
        {
            assert_eq!(wrong.parse::<Window>(), Err(WindowError), "{wrong}");
        }
        let text = r#"{"table":"input","first":2,"last":1}"#;
        assert!(serde_json::from_str::<Window>(text).is_err());
    }

    proptest! {
        /// Exactly what exists is found, whatever the holes and the limit; and the reads bring all
        /// of it in pieces that the device gives.
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
            prop_assert_eq!(search(("input:100-500", 1), most, there).0, expected);
        }
    }
}
