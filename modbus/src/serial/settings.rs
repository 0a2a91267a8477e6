//! How characters are formed on a serial line, and how long they take.

use std::time::Duration;

use crate::framing::Framing;

/// Bits per second: 50 to 20,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Baud(u32);

impl Baud {
    /// What a line has if nobody says otherwise (Serial Line V1.02, clause 3.2).
    pub const DEFAULT: Self = Self(19_200);

    /// `None` unless `rate` is 50 to 20,000,000.
    pub const fn new(rate: u32) -> Option<Self> {
        match rate {
            50..=20_000_000 => Some(Self(rate)),
            _ => None,
        }
    }

    /// 50 to 20,000,000.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How many bits of a character are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataBits {
    /// Enough for ASCII.
    Seven,
    /// A byte.
    Eight,
}

impl DataBits {
    /// All, as they are written in addresses.
    pub const ALL: [(&str, Self); 2] = [("7", Self::Seven), ("8", Self::Eight)];
}

/// What the parity bit makes of the count of ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Parity {
    /// There is no parity bit.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

impl Parity {
    /// All, as they are written in addresses.
    pub const ALL: [(&str, Self); 3] =
        [("none", Self::None), ("even", Self::Even), ("odd", Self::Odd)];
}

/// How many bits end a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopBits {
    /// One.
    One,
    /// Two.
    Two,
}

impl StopBits {
    /// All, as they are written in addresses.
    pub const ALL: [(&str, Self); 2] = [("1", Self::One), ("2", Self::Two)];

    /// What keeps a character as long as the standard wants it: two without parity, else one
    /// (Serial Line V1.02, clauses 2.5.1 and 2.5.2).
    pub const fn beside(parity: Parity) -> Self {
        match parity {
            Parity::None => Self::Two,
            Parity::Even | Parity::Odd => Self::One,
        }
    }
}

/// How characters are formed on a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Bits per second.
    pub baud: Baud,
    /// Data bits of a character.
    pub data: DataBits,
    /// Its parity bit.
    pub parity: Parity,
    /// Its stop bits.
    pub stop: StopBits,
}

impl Default for Settings {
    /// Those of [`Framing::Rtu`].
    fn default() -> Self {
        Self::of(Framing::Rtu)
    }
}

impl Settings {
    /// What the standard sets: 19,200 baud, even parity, one stop bit; seven data bits for ASCII,
    /// eight for everything else (Serial Line V1.02, clauses 2.5.1 and 2.5.2).
    pub const fn of(framing: Framing) -> Self {
        let data = match framing {
            Framing::Ascii => DataBits::Seven,
            Framing::Rtu | Framing::Mbap => DataBits::Eight,
        };
        Self { baud: Baud::DEFAULT, data, parity: Parity::Even, stop: StopBits::One }
    }

    /// Bits of one character, start and stop included: 9 to 12.
    pub const fn bits(self) -> u32 {
        let data = match self.data {
            DataBits::Seven => 7,
            DataBits::Eight => 8,
        };
        let parity = match self.parity {
            Parity::None => 0,
            Parity::Even | Parity::Odd => 1,
        };
        let stop = match self.stop {
            StopBits::One => 1,
            StopBits::Two => 2,
        };
        1 + data + parity + stop
    }

    /// How long one character takes, rounded up to the nanosecond.
    pub fn character(self) -> Duration {
        self.wire_time(1)
    }

    /// How long so many bytes take, one behind the other, rounded up to the nanosecond.
    pub fn wire_time(self, bytes: usize) -> Duration {
        // Two halves of a character each.
        self.halves(2 * bytes as u128)
    }

    /// How long the line is silent between RTU frames, at the least: 3.5 characters, as long as
    /// they are here; above 19,200 baud 1.75 ms, whatever the characters (Serial Line V1.02,
    /// clause 2.5.1.1).
    pub fn silence(self) -> Duration {
        const FAST: Duration = Duration::from_micros(1750);
        if self.baud > Baud::DEFAULT { FAST } else { self.halves(7) }
    }

    fn halves(self, count: u128) -> Duration {
        let nanos = (u128::from(self.bits()) * count * 1_000_000_000)
            .div_ceil(2 * u128::from(self.baud.get()));
        u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
    }
}
