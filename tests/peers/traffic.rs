//! Ten thousand transactions with the answers due: units, functions, addresses and counts vary, and
//! what is written tells its address and the number of the transaction, so that the answer to
//! another one is a wrong answer.

use crate::Exchange;
use crate::image::{ADDRESSES, TABLES, UNITS, request, text};
use crate::tables::Tables;

const TRANSACTIONS: u16 = 10_000;

/// Numbers without a pattern, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u16) -> u16 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        u16::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }

    /// Addresses, one behind the other: the first, and how many.
    fn span(&mut self) -> (u16, u16) {
        let first = self.below(ADDRESSES);
        (first, 1 + self.below((ADDRESSES - first).min(100)))
    }
}

pub(crate) fn traffic() -> Exchange {
    let (mut numbers, mut tables) = (Numbers(1), Tables::new());
    let transaction = |number| {
        let query = query(number, &mut numbers);
        let (unit, request) = request(&query);
        (query, text(tables.answer(unit, request)))
    };
    (0..TRANSACTIONS).map(transaction).unzip()
}

fn query(number: u16, numbers: &mut Numbers) -> String {
    let unit = UNITS[usize::from(numbers.below(3))];
    let (mut at, count) = numbers.span();
    if number % 40 == 39 {
        at += ADDRESSES; // where nothing is
    }
    let words = |at: u16, count: u16| {
        let words = (at..at + count).map(|at| number.wrapping_mul(ADDRESSES).wrapping_add(at));
        words.map(|word| word.to_string()).collect::<Vec<_>>().join(" ")
    };
    let bits = |count: u16| {
        let bits = (at..at + count).map(|at| number.wrapping_mul(25_717).wrapping_add(at) >> 3 & 1);
        bits.map(|bit| bit.to_string()).collect::<Vec<_>>().join(" ")
    };
    match numbers.below(10) {
        kind @ 0..4 => format!("{unit} {} {at} {count}", TABLES[usize::from(kind)]),
        4 => format!("{unit} write-coil {at} {}", bits(1)),
        5 => format!("{unit} write-coil {at} {}", bits(count)),
        6 => format!("{unit} write-holding {at} {}", words(at, 1)),
        7 => format!("{unit} write-holding {at} {}", words(at, count)),
        8 => format!("{unit} mask-holding {at} {}", words(at, 2)),
        _ => {
            let ((read, count), (first, written)) = (numbers.span(), numbers.span());
            format!("{unit} exchange-holding {read} {count} {first} {}", words(first, written))
        }
    }
}
