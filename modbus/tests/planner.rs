//! Read plans: legal, complete, and the smallest, against every possible plan.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Instant;

use passline_modbus::planner::{Quirks, QuirksError, Read, Rules, Span, TooLong, Wanted, plan};
use passline_modbus::point::Table;
use proptest::prelude::*;

fn span(table: Table, address: u16, count: u16) -> Span {
    Span::new(table, address, count).unwrap()
}

fn holding(address: u16, count: u16) -> Span {
    span(Table::Holding, address, count)
}

fn wanted(spans: &[Span]) -> Vec<Wanted> {
    spans.iter().map(|span| Wanted { span: *span, alone: false }).collect()
}

/// The plan as text: `holding:0..3 <- 0 1`.
fn show(reads: &[Read]) -> Vec<String> {
    let line = |read: &Read| {
        let covers: Vec<String> = read.covers.iter().map(ToString::to_string).collect();
        format!("{} <- {}", read.span, covers.join(" "))
    };
    reads.iter().map(line).collect()
}

fn planned(spans: &[Span], quirks: Quirks) -> Vec<String> {
    show(&plan(&wanted(spans), &Rules::new(quirks).unwrap()).unwrap())
}

#[test]
fn neighbours_share_a_read_and_gaps_do_not() {
    let spans = [holding(10, 2), holding(0, 2), holding(2, 1), holding(13, 1), holding(0, 2)];
    let apart = ["holding:0..2 <- 1 2 4", "holding:10..11 <- 0", "holding:13 <- 3"];
    assert_eq!(planned(&spans, Quirks::default()), apart);
    let crossing = Quirks { max_gap: 1, ..Quirks::default() };
    let across = ["holding:0..2 <- 1 2 4", "holding:10..13 <- 0 3"];
    assert_eq!(planned(&spans, crossing), across);
    let declared = Quirks { declared: vec![holding(12, 1)], ..Quirks::default() };
    assert_eq!(planned(&spans, declared), across);
    let declared = Quirks { declared: vec![holding(3, 4), holding(8, 5)], ..Quirks::default() };
    assert_eq!(planned(&spans, Quirks { max_gap: 1, ..declared }), ["holding:0..13 <- 0 1 2 3 4"]);
}

#[test]
fn barriers_are_never_crossed() {
    let quirks = || Quirks {
        max_gap: 9,
        declared: vec![holding(0, 20)],
        barriers: vec![holding(5, 1)],
        ..Quirks::default()
    };
    let spans = [holding(4, 1), holding(6, 1)];
    assert_eq!(planned(&spans, quirks()), ["holding:4 <- 0", "holding:6 <- 1"]);
    // A wanted point over the barrier makes it part of what is asked for.
    let over = [holding(4, 1), holding(6, 1), holding(4, 2)];
    assert_eq!(planned(&over, quirks()), ["holding:4..6 <- 0 1 2"]);
}

#[test]
fn a_point_that_stands_alone_is_its_own_read() {
    let mut points = wanted(&[holding(0, 1), holding(1, 1), holding(2, 1), holding(1, 1)]);
    points[1].alone = true;
    points[3].alone = true;
    let rules = Rules::default();
    let reads = plan(&points, &rules).unwrap();
    let alone = ["holding:0 <- 0", "holding:1 <- 1", "holding:1 <- 3", "holding:2 <- 2"];
    assert_eq!(show(&reads), alone);
}

#[test]
fn blocks_are_not_straddled_but_by_a_point_of_their_own() {
    let quirks = Quirks { blocks: vec![holding(4, 4)], ..Quirks::default() };
    let spans = [holding(2, 2), holding(4, 4), holding(8, 1)];
    let cut = ["holding:2..3 <- 0", "holding:4..7 <- 1", "holding:8 <- 2"];
    assert_eq!(planned(&spans, quirks.clone()), cut);
    let across = [holding(2, 3), holding(3, 1), holding(4, 1), holding(5, 1)];
    assert_eq!(planned(&across, quirks), ["holding:2..4 <- 0 1 2", "holding:5 <- 3"]);
}

#[test]
fn a_block_that_is_read_whole_is_asked_for_from_its_start_to_its_end() {
    let coils = span(Table::Coil, 0, 16);
    let quirks = || Quirks {
        max_gap: 9,
        whole: vec![holding(20, 4), coils, holding(10, 6)],
        ..Quirks::default()
    };
    let spans = [holding(12, 2), holding(9, 1), holding(15, 1), span(Table::Coil, 7, 1)];
    let whole = ["coil:0..15 <- 3", "holding:9 <- 1", "holding:10..15 <- 0 2"];
    assert_eq!(planned(&spans, quirks()), whole);
    // Nothing crosses it, and what is only partly in it is read by itself.
    let across = [holding(9, 1), holding(16, 2), holding(18, 3)];
    assert_eq!(
        planned(&across, quirks()),
        ["holding:9 <- 0", "holding:16..17 <- 1", "holding:18..20 <- 2"]
    );
    let mut alone = wanted(&[holding(12, 2), holding(10, 1)]);
    alone[0].alone = true;
    let rules = Rules::new(quirks()).unwrap();
    let reads = plan(&alone, &rules).unwrap();
    assert_eq!(show(&reads), ["holding:10..15 <- 0", "holding:10..15 <- 1"]);
    assert_eq!(rules.whole_around(holding(10, 6)), Some(holding(10, 6)));
    for outside in [holding(9, 2), holding(15, 2), holding(16, 1), span(Table::Input, 12, 1)] {
        assert_eq!(rules.whole_around(outside), None, "{outside}");
    }
}

#[test]
fn without_merging_every_point_has_a_read_of_its_own() {
    let quirks = Quirks { merge: false, whole: vec![holding(10, 4)], ..Quirks::default() };
    let spans = [holding(0, 2), holding(2, 1), holding(11, 1), holding(12, 1)];
    assert_eq!(
        planned(&spans, quirks),
        ["holding:0..1 <- 0", "holding:2 <- 1", "holding:10..13 <- 2", "holding:10..13 <- 3"]
    );
}

#[test]
fn tables_are_read_apart_each_to_its_limit() {
    let bits: Vec<Span> = (0..2001).map(|address| span(Table::Coil, address, 1)).collect();
    let mut spans = bits;
    spans.push(span(Table::Input, 0, 125));
    spans.push(span(Table::Input, 125, 1));
    spans.push(span(Table::Discrete, 65535, 1));
    let rules = Rules::default();
    let reads = plan(&wanted(&spans), &rules).unwrap();
    let spans: Vec<String> = reads.iter().map(|read| read.span.to_string()).collect();
    let expected = ["coil:0..1999", "coil:2000", "discrete:65535", "input:0..124", "input:125"];
    assert_eq!(spans, expected);
}

#[test]
fn spans_overlap_where_they_share_an_address() {
    for (start, count, expected) in
        [(0, 10, false), (0, 11, true), (10, 1, true), (12, 9, true), (13, 1, false)]
    {
        let (one, other) = (holding(10, 3), holding(start, count));
        assert_eq!(one.overlaps(other), expected, "{other}");
        assert_eq!(other.overlaps(one), expected, "{other}");
    }
    assert!(!holding(10, 3).overlaps(span(Table::Input, 10, 3)));
}

#[test]
fn refuses_what_no_read_can_carry() {
    let quirks = Quirks { max_registers: 10, ..Quirks::default() };
    let rules = Rules::new(quirks).unwrap();
    let points = wanted(&[holding(0, 10), holding(20, 11)]);
    let too_long = TooLong { index: 1, span: holding(20, 11), limit: 10 };
    assert_eq!(plan(&points, &rules), Err(too_long));
    for max_registers in [0, 126] {
        let quirks = Quirks { max_registers, ..Quirks::default() };
        assert_eq!(Rules::new(quirks), Err(QuirksError::MaxRegisters(max_registers)));
    }
    for max_bits in [0, 2001] {
        let quirks = Quirks { max_bits, ..Quirks::default() };
        assert_eq!(Rules::new(quirks), Err(QuirksError::MaxBits(max_bits)));
    }
    let (one, other) = (holding(8, 4), holding(11, 2));
    let quirks = Quirks { whole: vec![other, one], ..Quirks::default() };
    assert_eq!(Rules::new(quirks), Err(QuirksError::Overlap(one, other)));
    let quirks = Quirks { max_registers: 3, whole: vec![one], ..Quirks::default() };
    let too_long = TooLong { index: 0, span: one, limit: 3 };
    assert_eq!(plan(&wanted(&[holding(9, 1)]), &Rules::new(quirks).unwrap()), Err(too_long));
    assert_eq!(Span::new(Table::Coil, 65535, 2), None);
    assert_eq!(Span::new(Table::Coil, 0, 0), None);
    assert_eq!(Rules::new(Quirks::default()), Ok(Rules::default()));
}

#[test]
fn large_maps_are_planned_at_once() {
    let count = 54_000_u16;
    let bits: Vec<Span> = (0..count).map(|address| span(Table::Coil, address, 1)).collect();
    let holes: Vec<Span> = (0..count / 2).map(|step| span(Table::Coil, 2 * step, 1)).collect();
    let words: Vec<Span> = (0..count).map(|address| holding(address, 1 + address % 4)).collect();
    for spans in [bits, holes, words] {
        let quirks = Quirks { declared: spans.clone(), ..Quirks::default() };
        let rules = Rules::new(quirks).unwrap();
        let begin = Instant::now();
        let reads = plan(&wanted(&spans), &rules).unwrap();
        // A quadratic plan takes minutes.
        assert!(begin.elapsed().as_secs() < 10, "{} reads", reads.len());
    }
}

// ---- against every possible plan

#[derive(Debug, Clone)]
struct Case {
    quirks: Quirks,
    wanted: Vec<Wanted>,
}

const TABLES: [Table; 2] = [Table::Coil, Table::Holding];

fn spans(longest: u16) -> impl Strategy<Value = Span> {
    let tables = prop_oneof![1 => Just(Table::Coil), 5 => Just(Table::Holding)];
    (tables, 0..20_u16, 1..=longest).prop_map(|(table, address, count)| span(table, address, count))
}

fn cases() -> impl Strategy<Value = Case> {
    let several = |most: usize, longest: u16| prop::collection::vec(spans(longest), 0..most);
    let wanted = prop::collection::vec((spans(6), prop::bool::weighted(0.1)), 1..9);
    (wanted, 6..12_u16, 6..12_u16, 0..3_u16, several(4, 8), several(6, 9), several(4, 2)).prop_map(
        |(wanted, max_registers, max_bits, max_gap, blocks, declared, barriers)| Case {
            quirks: Quirks {
                max_registers,
                max_bits,
                max_gap,
                blocks,
                declared,
                barriers,
                ..Quirks::default()
            },
            wanted: wanted.into_iter().map(|(span, alone)| Wanted { span, alone }).collect(),
        },
    )
}

impl Case {
    fn limit(&self, table: Table) -> u16 {
        if table.is_bits() { self.quirks.max_bits } else { self.quirks.max_registers }
    }

    fn straddles(&self, read: Span) -> bool {
        let (start, end) = (u32::from(read.address()), read.end());
        self.quirks.blocks.iter().filter(|block| block.table() == read.table()).any(|block| {
            let within = |address: u32| start < address && address < end;
            within(block.address().into()) || within(block.end())
        })
    }

    /// Register by register, as the rules are worded: whether this may be one read.
    fn allows(&self, read: Span) -> bool {
        let merged: Vec<&Wanted> = self.wanted.iter().filter(|point| !point.alone).collect();
        if self.straddles(read) {
            return merged.iter().any(|point| point.span == read);
        }
        if read.count() > self.limit(read.table()) {
            return false;
        }
        let holds = |span: &Span, address: u32| {
            span.table() == read.table()
                && u32::from(span.address()) <= address
                && address < span.end()
        };
        let mut undeclared = 0;
        for address in u32::from(read.address())..read.end() {
            let covered =
                merged.iter().any(|point| read.contains(point.span) && holds(&point.span, address));
            let declared = self.quirks.declared.iter().any(|span| holds(span, address));
            let barrier = self.quirks.barriers.iter().any(|span| holds(span, address));
            if !covered && barrier {
                return false;
            }
            undeclared = if covered || declared { 0 } else { undeclared + 1 };
            if undeclared > self.quirks.max_gap {
                return false;
            }
        }
        true
    }

    /// The least number of reads, by trying all.
    fn least(&self) -> usize {
        let alone = self.wanted.iter().filter(|point| point.alone).count();
        let merged: Vec<Span> =
            self.wanted.iter().filter(|point| !point.alone).map(|point| point.span).collect();
        let mut masks: Vec<usize> = Vec::new();
        for table in TABLES {
            for start in 0..26_u16 {
                for count in 1..=26_u16 {
                    let read = span(table, start, count);
                    let inside = |point: &&(usize, &Span)| read.contains(*point.1);
                    let mask: usize = merged
                        .iter()
                        .enumerate()
                        .collect::<Vec<_>>()
                        .iter()
                        .filter(inside)
                        .map(|(index, _)| 1 << index)
                        .sum();
                    if mask != 0 && self.allows(read) {
                        masks.push(mask);
                    }
                }
            }
        }
        let mut least = vec![usize::MAX; 1 << merged.len()];
        least[0] = 0;
        for covered in 0..least.len() {
            let reads = least[covered];
            for mask in masks.iter().filter(|_| reads < usize::MAX) {
                let next = covered | mask;
                least[next] = least[next].min(reads + 1);
            }
        }
        alone + least.last().unwrap()
    }

    fn check(&self, reads: &[Read]) -> Result<(), TestCaseError> {
        let mut covered: Vec<usize> = reads.iter().flat_map(|read| read.covers.clone()).collect();
        covered.sort_unstable();
        prop_assert_eq!(covered, (0..self.wanted.len()).collect::<Vec<_>>(), "each exactly once");
        for read in reads {
            let points: Vec<&Wanted> =
                read.covers.iter().map(|index| &self.wanted[*index]).collect();
            prop_assert!(points.iter().all(|point| read.span.contains(point.span)));
            if points.iter().any(|point| point.alone) {
                prop_assert!(points.len() == 1 && points[0].span == read.span);
            } else {
                prop_assert!(self.allows(read.span), "{} is not legal", read.span);
            }
            let start = points.iter().map(|point| point.span.address()).min();
            let end = points.iter().map(|point| point.span.end()).max();
            prop_assert_eq!((start, end), (Some(read.span.address()), Some(read.span.end())));
        }
        prop_assert!(reads.is_sorted_by_key(|read| read.span));
        prop_assert_eq!(reads.len(), self.least(), "not the smallest: {:?}", show(reads));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_plan_is_legal_complete_and_the_smallest(case in cases()) {
        let rules = Rules::new(case.quirks.clone()).unwrap();
        let reads = plan(&case.wanted, &rules).unwrap();
        case.check(&reads)?;
    }

    /// What lies in such a block is read with it, once; all else as if it were any block.
    #[test]
    fn blocks_that_are_read_whole_are_read_whole_and_once(case in cases(), start in 0..20_u16) {
        let block = holding(start, 6);
        let whole = Quirks { whole: vec![block], ..case.quirks.clone() };
        let inside = |point: &Wanted| block.contains(point.span);
        let (within, outside): (Vec<Wanted>, Vec<Wanted>) =
            case.wanted.iter().partition(|point| inside(point));
        let mut cut = case.quirks.clone();
        cut.blocks.push(block);
        let others = plan(&outside, &Rules::new(cut).unwrap()).unwrap();
        let reads = plan(&case.wanted, &Rules::new(whole).unwrap()).unwrap();
        let (of_block, rest): (Vec<Read>, Vec<Read>) =
            reads.into_iter().partition(|read| read.covers.iter().any(|at| inside(&case.wanted[*at])));
        prop_assert!(of_block.iter().all(|read| read.span == block));
        let alone = within.iter().filter(|point| point.alone).count();
        let together = usize::from(within.iter().any(|point| !point.alone));
        prop_assert_eq!(of_block.len(), alone + together);
        let spans = |reads: &[Read]| reads.iter().map(|read| read.span).collect::<Vec<_>>();
        prop_assert_eq!(spans(&rest), spans(&others));
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_of_asking(case in cases(), turn in 0..8_usize) {
        let rules = Rules::new(case.quirks.clone()).unwrap();
        let spans = |wanted: &[Wanted]| -> Vec<Span> {
            plan(wanted, &rules).unwrap().into_iter().map(|read| read.span).collect()
        };
        let mut turned = case.wanted.clone();
        turned.rotate_left(turn % case.wanted.len());
        prop_assert_eq!(spans(&turned), spans(&case.wanted));
    }
}
