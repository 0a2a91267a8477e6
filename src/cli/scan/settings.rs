//! Line settings that devices have, the likelier first, and what came over the line with them. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use passline_modbus::framing::Framing;
use passline_modbus::link::{Direction, EventKind, What};
use passline_modbus::serial::{Baud, DataBits, Parity, Settings, StopBits};
use serde::Serialize;

/// Which bauds are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bauds(Vec<Baud>);

/// What devices have, the likelier first: the standard's default, the most common, …
const USUAL: [u32; 8] = [19_200, 9_600, 115_200, 38_400, 57_600, 4_800, 2_400, 1_200];

impl FromStr for Bauds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bauds: Option<Vec<Baud>> = match text {
            "auto" => USUAL.into_iter().map(Baud::new).collect(),
            list => list.split(',').map(|baud| Baud::new(baud.parse().ok()?)).collect(),
        };
        bauds.map(Self).ok_or("write auto, or bauds such as 9600,19200")
    }
}

impl Bauds {
    /// Each baud with the formats of characters that occur: 8E1, 8N1, 8N2, 8O1; of ASCII lines
    /// those with seven bits first.
    pub(super) fn settings(&self, framing: Framing) -> Vec<Settings> {
        use {
            DataBits::{Eight, Seven},
            Parity::{Even, None, Odd},
            StopBits::{One, Two},
        };
        let eight = [(Eight, Even, One), (Eight, None, One), (Eight, None, Two), (Eight, Odd, One)];
        let seven = [(Seven, Even, One), (Seven, None, Two), (Seven, Odd, One)];
        let seven = if framing == Framing::Ascii { &seven[..] } else { &[] };
        let formats = || seven.iter().chain(&eight).copied();
        let with = |baud: &Baud| {
            let baud = *baud;
            formats().map(move |(data, parity, stop)| Settings { baud, data, parity, stop })
        };
        self.0.iter().flat_map(with).collect()
    }
}

/// `9600 8N1`, as data sheets have it.
pub(super) fn short(settings: Settings) -> String {
    let Settings { baud, data, parity, stop } = settings;
    let data = match data {
        DataBits::Seven => 7,
        DataBits::Eight => 8,
    };
    let parity = match parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    let stop = match stop {
        StopBits::One => 1,
        StopBits::Two => 2,
    };
    format!("{} {data}{parity}{stop}", baud.get())
}

/// What came over the line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Traffic {
    /// Frames with a sound checksum, whoever sent them.
    pub(super) frames: u64,
    /// What began like an answer and was damaged.
    pub(super) damaged: u64,
    /// Runs of bytes that are no frame.
    pub(super) noise: u64,
    /// Units that answered when their time was over.
    #[serde(skip)]
    pub(super) late: BTreeSet<u8>,
}

impl Traffic {
    /// Counts what a link reports.
    pub(super) fn see(&mut self, framing: Framing, event: &EventKind<'_>) {
        let EventKind::Frame { direction: Direction::In, bytes, what, .. } = event else { return };
        match what {
            What::Damaged => self.damaged += 1,
            What::Garbage => self.noise += 1,
            What::Request | What::Echo => {}
            What::Late => {
                self.frames += 1;
                self.late.extend(unit(framing, bytes));
            }
            _ => self.frames += 1,
        }
    }

    pub(super) fn is_silence(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, damaged, noise, .. } = self;
        write!(formatter, "sound frames: {frames}, damaged: {damaged}, noise: {noise}")
    }
}

/// The unit id of a frame.
fn unit(framing: Framing, frame: &[u8]) -> Option<u8> {
    match framing {
        Framing::Rtu => frame.first().copied(),
        Framing::Mbap => frame.get(6).copied(),
        Framing::Ascii => {
            let digits = std::str::from_utf8(frame.get(1..3)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likelier_settings_come_first() {
        let shown = |text: &str, framing| -> Vec<String> {
            let bauds: Bauds = text.parse().expect(text);
            bauds.settings(framing).into_iter().map(short).collect()
        };
        let auto = shown("auto", Framing::Rtu);
        assert_eq!(auto.len(), 32);
        assert_eq!(auto[..5], ["19200 8E1", "19200 8N1", "19200 8N2", "19200 8O1", "9600 8E1"]);
        assert_eq!(shown("300", Framing::Ascii)[..2], ["300 7E1", "300 7N2"]);
        for wrong in ["", "fast", "9600,", "0", "-1"] {
            assert!(wrong.parse::<Bauds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn traffic_is_what_came_in() {
        let mut traffic = Traffic::default();
        let mut see = |framing, direction, bytes: &[u8], what| {
            traffic.see(framing, &EventKind::Frame { direction, bytes, transaction: None, what });
        };
        see(Framing::Rtu, Direction::Out, &[1], What::Request);
        see(Framing::Rtu, Direction::In, &[1], What::Echo);
        see(Framing::Rtu, Direction::In, &[1, 3], What::Answer);
        see(Framing::Rtu, Direction::In, &[9, 3], What::Late);
        see(Framing::Ascii, Direction::In, b":0A03", What::Late);
        see(Framing::Mbap, Direction::In, &[0, 1, 0, 0, 0, 3, 11, 3], What::Late);
        see(Framing::Rtu, Direction::In, &[0xFF], What::Garbage);
        see(Framing::Rtu, Direction::In, &[1, 3], What::Damaged);
        let Traffic { frames, damaged, noise, late } = traffic;
        assert_eq!((frames, damaged, noise), (4, 1, 1));
        assert_eq!(late, BTreeSet::from([9, 10, 11]));
    }
}
