//! What registers may mean, judged by what they held over a while, and why. Pure. Every guess is
//! one: it comes with its reason, and whoever has the manual knows better.

use passline_modbus::point::{DataType, Declaration, Length, Order, Point, Raw, Reading};
use passline_modbus::value::Value;

use super::capture::Stretch;
use super::plausible::Number;

/// So many registers in a row that were always 0 are nothing to guess at.
const NOTHING: usize = 16;
/// Most significant digits of a float that by itself shows that there is one.
const FEW_DIGITS: usize = 5;

/// What registers may mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// Where they begin in their stretch.
    pub at: usize,
    /// The type.
    pub data_type: DataType,
    /// The order of bytes, if it is not `ABCD`.
    pub order: Option<Order>,
    /// The bits that were seen to change, if it is a word of bits.
    pub bits: Vec<u8>,
    /// Why.
    pub why: String,
}

impl Guess {
    fn new(at: usize, data_type: DataType, why: impl Into<String>) -> Self {
        Self { at, data_type, order: None, bits: Vec::new(), why: why.into() }
    }

    fn swapped(mut self, words: Words) -> Self {
        self.order = (words == Words::Swapped).then(|| words.order()).flatten();
        self
    }

    fn end(&self) -> usize {
        self.at + usize::from(self.data_type.registers())
    }

    /// What it was in each round, read so; `None` if it cannot be read so.
    pub fn values(&self, stretch: &Stretch) -> Option<Vec<Value>> {
        let address = stretch.address(self.at);
        let mut declaration = Declaration::new("value", stretch.table, address.into());
        declaration.data_type = self.data_type;
        declaration.order = self.order;
        let point = Point::new(declaration).ok()?;
        let value = |round: &Vec<u16>| {
            let words = round.get(self.at..self.end())?;
            let raw = match (self.data_type, words) {
                (DataType::Bool, [bit]) => Raw::Bit(*bit == 1),
                _ => Raw::Registers(words.into()),
            };
            match point.decode(&raw, None) {
                Ok(Reading::Value(value)) => Some(value),
                _ => None,
            }
        };
        stretch.rounds.iter().map(value).collect()
    }
}

/// In which order the words of a number of 32 bits travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    High,
    Swapped,
}

impl Words {
    const ALL: [Self; 2] = [Self::High, Self::Swapped];

    fn name(self) -> &'static str {
        if self == Self::High { "ABCD" } else { "CDAB" }
    }

    fn order(self) -> Option<Order> {
        self.name().parse().ok()
    }

    /// The high and the low word of two that came one after the other.
    fn of(self, first: u16, second: u16) -> (u16, u16) {
        if self == Self::High { (first, second) } else { (second, first) }
    }
}

/// What the registers or bits of these stretches may mean; one list for each, ascending. Stretches
/// that were always 0 have none.
pub fn guesses(stretches: &[Stretch]) -> Vec<Vec<Guess>> {
    let words = likelier(stretches);
    stretches
        .iter()
        .map(|stretch| {
            let reader = Reader { stretch, words };
            if stretch.table.is_bits() { reader.bits() } else { reader.registers() }
        })
        .collect()
}

/// The order of words in which more floats can be seen: a device mostly has one.
fn likelier(stretches: &[Stretch]) -> Words {
    let registers = stretches.iter().filter(|stretch| !stretch.table.is_bits());
    let seen = |words| {
        let seen = registers.clone().map(|stretch| {
            let reader = Reader { stretch, words };
            (0..stretch.len()).filter(|at| reader.float(*at).is_some()).count()
        });
        seen.sum::<usize>()
    };
    if seen(Words::Swapped) > seen(Words::High) { Words::Swapped } else { Words::High }
}

/// Reads one stretch.
struct Reader<'s> {
    stretch: &'s Stretch,
    words: Words,
}

impl Reader<'_> {
    fn bits(&self) -> Vec<Guess> {
        let mut guesses = Vec::new();
        let mut at = 0;
        while at < self.stretch.len() {
            let zeros = self.zeros(at);
            if zeros >= NOTHING {
                at += zeros;
                continue;
            }
            let why = match self.stretch.constant(at) {
                Some(0) => self.always("off"),
                Some(_) => self.always("on"),
                None => "changes".to_owned(),
            };
            guesses.push(Guess::new(at, DataType::Bool, why));
            at += 1;
        }
        guesses
    }

    fn registers(&self) -> Vec<Guess> {
        let mut guesses: Vec<Guess> = Vec::new();
        let mut at = 0;
        while at < self.stretch.len() {
            let zeros = self.zeros(at);
            if zeros >= NOTHING {
                at += zeros;
                continue;
            }
            let before = guesses.last().filter(|guess| guess.end() == at);
            let found = self
                .text(at)
                .or_else(|| self.float(at))
                .or_else(|| self.long(at))
                .or_else(|| self.counter(at))
                .or_else(|| self.signed(at))
                .or_else(|| self.like(at, before))
                .unwrap_or_else(|| self.word(at));
            at = found.end();
            guesses.push(found);
        }
        guesses
    }

    /// How many registers from here on were always 0.
    fn zeros(&self, at: usize) -> usize {
        (at..self.stretch.len()).take_while(|at| self.stretch.constant(*at) == Some(0)).count()
    }

    fn rounds(&self) -> usize {
        self.stretch.rounds.len()
    }

    fn always(&self, what: &str) -> String {
        match self.rounds() {
            1 => format!("{what} when it was read"),
            rounds => format!("always {what} in {rounds} reads"),
        }
    }

    /// Two words in all rounds, the high one first.
    fn pairs(&self, at: usize, words: Words) -> Option<Vec<(u16, u16)>> {
        let pair = |round: &Vec<u16>| Some(words.of(*round.get(at)?, *round.get(at + 1)?));
        self.stretch.rounds.iter().map(pair).collect()
    }

    /// Six printable characters or more, or four that nothing else can be.
    fn text(&self, at: usize) -> Option<Guess> {
        let printable =
            |word: u16| word.to_be_bytes().iter().all(|byte| matches!(byte, 0x20..=0x7E));
        let ends = |word: u16| {
            let [first, second] = word.to_be_bytes();
            matches!(first, 0x20..=0x7E) && second == 0
        };
        let constants = (at..self.stretch.len()).map_while(|at| self.stretch.constant(at));
        let constants: Vec<u16> = constants.take(Length::MAX.into()).collect();
        let mut count = constants.iter().take_while(|word| printable(**word)).count();
        count += usize::from(constants.get(count).is_some_and(|word| ends(*word)));
        let words = constants.get(..count)?;
        let text: String =
            words.iter().flat_map(|word| word.to_be_bytes()).map(char::from).collect();
        let text = text.trim_end_matches(['\0', ' ']);
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || " -_./".contains(character);
        let plain = text.chars().all(is_plain);
        // The words of floats are printable now and then.
        let is_text = match self.float(at) {
            Some(_) => text.len() >= 8 && plain,
            None => text.len() >= 6 || (text.len() >= 4 && plain),
        };
        let length = Length::new(u16::try_from(count).ok()?)?;
        let why = format!("printable characters: {text:?}");
        is_text.then(|| Guess::new(at, DataType::String(Some(length)), why))
    }

    /// A float of few digits, or one whose second word moves and whose first hardly does.
    fn float(&self, at: usize) -> Option<Guess> {
        let pairs = self.pairs(at, self.words)?;
        let bits = |(high, low): &(u16, u16)| u32::from(*high) << 16 | u32::from(*low);
        let floats = pairs.iter().map(|pair| f32::from_bits(bits(pair)));
        let floats: Vec<f32> = floats.collect();
        let numbers = || floats.iter().copied().map(Number::Single);
        let usual = |number: &Number| number.is_usual() || *number == Number::Single(0.0);
        if !numbers().all(|number| usual(&number)) || numbers().all(|number| !number.is_usual()) {
            return None;
        }
        let digits = numbers().map(Number::digits).max().unwrap_or_default();
        let (highs, lows) = (spread(pairs.iter().map(|p| p.0)), spread(pairs.iter().map(|p| p.1)));
        let why = if digits <= FEW_DIGITS {
            format!("as a float it has {digits} digits")
        } else if pairs.len() > 2 && highs <= 64 && lows > 1024 {
            "the high word hardly moves, the low one does, as in a float".to_owned()
        } else {
            return None;
        };
        let (least, most) = extent(floats.iter().copied());
        let why = format!("{why}; {}", self.range(least, most));
        Some(Guess::new(at, DataType::F32, why).swapped(self.words))
    }

    /// Four words that rise together.
    fn long(&self, at: usize) -> Option<Guess> {
        let number = |round: &Vec<u16>| {
            let words = round.get(at..at + 4)?;
            Some(words.iter().fold(0_u64, |number, word| number << 16 | u64::from(*word)))
        };
        let numbers: Option<Vec<u64>> = self.stretch.rounds.iter().map(number).collect();
        let numbers = numbers?;
        let small =
            self.stretch.constant(at) == Some(0) && self.stretch.constant(at + 1) == Some(0);
        let upper = self.stretch.constant(at + 2).is_some_and(|word| word > 0);
        if !small || !upper || !rises(&numbers) {
            return None;
        }
        Some(Guess::new(at, DataType::U64, rising(&numbers)))
    }

    /// Two words that only rise: the high one is not 0, or was carried into.
    fn counter(&self, at: usize) -> Option<Guess> {
        Words::ALL.into_iter().find_map(|words| {
            let pairs = self.pairs(at, words)?;
            let numbers = pairs.iter().map(|(high, low)| u64::from(*high) << 16 | u64::from(*low));
            let numbers: Vec<u64> = numbers.collect();
            let slow = spread(pairs.iter().map(|pair| pair.0)) <= 1;
            let carried =
                pairs.windows(2).any(|two| matches!(two, [one, other] if one.0 < other.0));
            let is_long = carried
                || (words == self.words && pairs.iter().all(|pair| matches!(pair.0, 1..0x1000)))
                || (words == Words::High && pairs.iter().all(|pair| pair.0 == 0));
            let found = slow && is_long && rises(&numbers);
            found.then(|| Guess::new(at, DataType::U32, rising(&numbers)).swapped(words))
        })
    }

    /// A small negative number of two words.
    fn signed(&self, at: usize) -> Option<Guess> {
        let pairs = self.pairs(at, self.words)?;
        let negative = |(high, low): &(u16, u16)| *high == 0xFFFF && (0x8000..0xFFFF).contains(low);
        let small = |(high, low): &(u16, u16)| *high == 0 && *low < 0x8000;
        let all = pairs.iter().all(|pair| negative(pair) || small(pair));
        if !all || !pairs.iter().any(negative) {
            return None;
        }
        let number =
            |(high, low): &(u16, u16)| (u32::from(*high) << 16 | u32::from(*low)).cast_signed();
        let (least, most) = extent(pairs.iter().map(number));
        let why = format!("the high word is the sign of the low one; {}", self.range(least, most));
        Some(Guess::new(at, DataType::I32, why).swapped(self.words))
    }

    /// As the number of two words before it, if it can be.
    fn like(&self, at: usize, before: Option<&Guess>) -> Option<Guess> {
        let before = before?;
        let words = if before.order.is_some() { Words::Swapped } else { Words::High };
        let pairs = self.pairs(at, words)?;
        let fits = match before.data_type {
            DataType::F32 => |(high, low): &(u16, u16)| {
                let float = f32::from_bits(u32::from(*high) << 16 | u32::from(*low));
                float == 0.0 || Number::Single(float).is_usual()
            },
            DataType::U32 => |(high, low): &(u16, u16)| *high < 0x0100 && (*high > 0 || *low > 0),
            DataType::I32 => |(high, low): &(u16, u16)| match *high {
                0 => *low > 0,
                0xFFFF => (0x8000..0xFFFF).contains(low),
                _ => false,
            },
            _ => return None,
        };
        let anything = pairs.iter().any(|pair| *pair != (0, 0));
        let why = format!("fits the type of those before it; {}", self.steadiness(at, 2));
        (anything && pairs.iter().all(fits))
            .then(|| Guess::new(at, before.data_type, why).swapped(words))
    }

    /// A register by itself.
    fn word(&self, at: usize) -> Guess {
        let column = self.stretch.column(at);
        let numbers: Vec<u64> = column.clone().map(u64::from).collect();
        let signed = column.clone().all(|word| !(0x1000..0xF000).contains(&word))
            && column.clone().any(|word| word > 0xF000 && word != 0xFFFF);
        if let Some(constant) = self.stretch.constant(at) {
            let meant = if matches!(constant, 0x8000 | 0xFFFF | 0x7FFF) {
                "; may mean that there is no value"
            } else {
                ""
            };
            let data_type = if signed { DataType::I16 } else { DataType::U16 };
            let shown =
                if signed { constant.cast_signed().to_string() } else { constant.to_string() };
            return Guess::new(at, data_type, format!("{}{meant}", self.always(&shown)));
        }
        if let Some(bits) = self.flipped(at) {
            let shown: Vec<String> = bits.iter().map(u8::to_string).collect();
            let why = format!("changes bit by bit: {}", shown.join(", "));
            return Guess { bits, ..Guess::new(at, DataType::U16, why) };
        }
        if signed {
            let (least, most) = extent(column.map(u16::cast_signed));
            let why = format!("small numbers on both sides of 0; {}", self.range(least, most));
            return Guess::new(at, DataType::I16, why);
        }
        if rises(&numbers) {
            return Guess::new(at, DataType::U16, rising(&numbers));
        }
        let (least, most) = extent(column);
        Guess::new(at, DataType::U16, self.range(least, most))
    }

    /// The bits that changed, if they did so one at a time, and not as a number counts.
    fn flipped(&self, at: usize) -> Option<Vec<u8>> {
        let column: Vec<u16> = self.stretch.column(at).collect();
        let changes = column.windows(2).filter_map(|two| match two {
            [one, other] if one != other => Some(one ^ other),
            _ => None,
        });
        let changes: Vec<u16> = changes.collect();
        let all = changes.iter().fold(0, |all, change| all | change);
        let alone = changes.iter().all(|change| change.is_power_of_two());
        (alone && all >= 8).then(|| (0..16).filter(|bit| all >> bit & 1 == 1).collect())
    }

    fn steadiness(&self, at: usize, count: usize) -> String {
        if (at..at + count).all(|at| self.stretch.constant(at).is_some()) {
            self.always("the same")
        } else {
            "it changes".to_owned()
        }
    }

    fn range<T: PartialEq + std::fmt::Display>(&self, least: Option<T>, most: Option<T>) -> String {
        match (least, most) {
            (Some(least), Some(most)) if least == most => self.always(&least.to_string()),
            (Some(least), Some(most)) => {
                format!("from {least} to {most} in {} reads", self.rounds())
            }
            _ => String::new(),
        }
    }
}

fn extent<T: PartialOrd + Copy>(values: impl Iterator<Item = T> + Clone) -> (Option<T>, Option<T>) {
    let least = values.clone().reduce(|one, other| if other < one { other } else { one });
    let most = values.reduce(|one, other| if other > one { other } else { one });
    (least, most)
}

fn spread(values: impl Iterator<Item = u16> + Clone) -> u16 {
    match extent(values) {
        (Some(least), Some(most)) => most - least,
        _ => 0,
    }
}

/// Whether it never falls, and is more in the end.
fn rises(numbers: &[u64]) -> bool {
    numbers.is_sorted() && numbers.first() < numbers.last()
}

fn rising(numbers: &[u64]) -> String {
    let ends = (numbers.first().copied().unwrap_or(0), numbers.last().copied().unwrap_or(0));
    format!("only rises: from {} to {} in {} reads", ends.0, ends.1, numbers.len())
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::Table;
    use proptest::prelude::*;

    use super::*;

    fn guessed(rounds: &[&[u16]]) -> Vec<String> {
        let rounds = rounds.iter().map(|round| round.to_vec()).collect();
        let stretch = Stretch { table: Table::Input, first: 0, rounds };
        let found = guesses(&[stretch]).remove(0);
        let shown = found.iter().map(|guess| {
            let order = guess.order.map(|order| format!(" {order}")).unwrap_or_default();
            format!("{}: {}{order}", guess.at, guess.data_type)
        });
        shown.collect()
    }

    fn float(float: f32) -> [u16; 2] {
        let [a, b, c, d] = float.to_be_bytes();
        [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
    }

    #[test]
    fn floats_are_seen_in_the_order_of_most_of_them() {
        let all: Vec<u16> = [230.4, 4.98, 49.98, 1147.5].into_iter().flat_map(float).collect();
        assert_eq!(guessed(&[&all]), ["0: f32", "2: f32", "4: f32", "6: f32"]);
        let swapped: Vec<u16> = all.chunks(2).flat_map(|two| [two[1], two[0]]).collect();
        let found = guessed(&[&swapped]);
        assert_eq!(found, ["0: f32 CDAB", "2: f32 CDAB", "4: f32 CDAB", "6: f32 CDAB"]);
    }

    #[test]
    fn a_float_of_many_digits_shows_by_how_its_words_move() {
        let rounds = [230.412_37_f32, 230.398_1, 230.420_22].map(float);
        let rounds: Vec<&[u16]> = rounds.iter().map(<[u16; 2]>::as_slice).collect();
        assert_eq!(guessed(&rounds), ["0: f32"]);
    }

    #[test]
    fn what_only_rises_is_a_counter_of_as_many_words_as_it_needs() {
        assert_eq!(guessed(&[&[1, 57_914], &[1, 57_915], &[1, 57_915]]), ["0: u32"]);
        // The carry shows the order.
        assert_eq!(guessed(&[&[65_535, 7, 3], &[2, 8, 3]]), ["0: u32 CDAB", "2: u16"]);
        assert_eq!(guessed(&[&[0, 0, 3, 9], &[0, 0, 3, 12]]), ["0: u64"]);
        // What falls is none.
        assert_eq!(guessed(&[&[1, 57_914], &[1, 57_900]]), ["0: u16", "1: u16"]);
    }

    #[test]
    fn texts_bits_signs_and_the_rest() {
        let text = [0x4143, 0x4D45, 0x2D37, 0x4100, 0, 0, 5];
        assert_eq!(guessed(&[&text])[0], "0: string");
        assert_eq!(guessed(&[&[0xFFFF, 0xFFF6, 3]]), ["0: i32", "2: u16"]);
        assert_eq!(guessed(&[&[0xFFF6], &[4], &[0xFFFE]]), ["0: i16"]);
        let stretch = Stretch {
            table: Table::Holding,
            first: 7,
            rounds: vec![vec![0x0101], vec![0x0109], vec![0x0101], vec![0x0001]],
        };
        let found = guesses(&[stretch]).remove(0);
        assert_eq!(found[0].bits, [3, 8]);
        assert_eq!(found[0].why, "changes bit by bit: 3, 8");
        assert_eq!(guessed(&[&[0; 40]]), [""; 0]);
    }

    proptest! {
        /// Whatever was there: guesses are in order, share no register, and none passes the end.
        #[test]
        fn guesses_share_nothing(
            rounds in (1_usize..40).prop_flat_map(|len| {
                proptest::collection::vec(proptest::collection::vec(any::<u16>(), len), 1..5)
            })
        ) {
            let len = rounds[0].len();
            let stretch = Stretch { table: Table::Input, first: 65_000, rounds };
            let mut end = 0;
            for guess in guesses(&[stretch]).remove(0) {
                prop_assert!(guess.at >= end);
                end = guess.end();
            }
            prop_assert!(end <= len);
        }
    }
}
