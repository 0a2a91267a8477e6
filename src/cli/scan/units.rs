//! Which unit ids are asked, and in which order. Pure.

use std::str::FromStr;

use passline_modbus::framing::Framing;

/// Unit ids, each once, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Units(Vec<u8>);

/// Not a list of unit ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write unit ids from 0 to 255, such as 1, 1-247 or 1-10,255")]
pub(crate) struct UnitsError;

impl FromStr for Units {
    type Err = UnitsError;

    fn from_str(text: &str) -> Result<Self, UnitsError> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u8>().ok().filter(|_| digits).ok_or(UnitsError)
        };
        let mut units = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(UnitsError);
            }
            units.extend((first..=last).filter(|unit| !units.contains(unit)).collect::<Vec<_>>());
        }
        Ok(Self(units))
    }
}

impl Units {
    /// Every unit id that a device may have: those of a serial line (V1.02, clause 2.2); behind
    /// TCP also 255 and 0, which devices without a line behind them have.
    pub(super) fn of(framing: Framing) -> Self {
        let more: &[u8] = if framing == Framing::Mbap { &[255, 0] } else { &[] };
        Self((1..=247).chain(more.iter().copied()).collect())
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The same in three lots: most lines have a device at the first id, or among the first few, so
    /// that a search over line settings seldom needs the third.
    pub(super) fn lots(&self) -> impl Iterator<Item = &[u8]> {
        let (first, rest) = self.0.split_at(self.0.len().min(1));
        let (few, others) = rest.split_at(rest.len().min(15));
        [first, few, others].into_iter().filter(|lot| !lot.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read_once_each_in_their_order() {
        let units = |text: &str| text.parse::<Units>().map(|units| units.0);
        assert_eq!(units("7"), Ok(vec![7]));
        assert_eq!(units("3-5,255,4,0"), Ok(vec![3, 4, 5, 255, 0]));
        assert_eq!(units("0-255").map(|units| units.len()), Ok(256));
        for wrong in ["", "-", "1-", "5-3", "256", "1,,2", "+1", " 1", "a", "1-2-3"] {
            assert_eq!(units(wrong), Err(UnitsError), "{wrong}");
        }
    }

    #[test]
    fn the_lots_are_all_of_them_in_order() {
        for units in
            [Units::of(Framing::Rtu), Units::of(Framing::Mbap), Units(vec![9]), Units(vec![])]
        {
            let lots: Vec<u8> = units.lots().flatten().copied().collect();
            assert_eq!(lots, units.0);
        }
        let sizes: Vec<usize> = Units::of(Framing::Rtu).lots().map(<[u8]>::len).collect();
        assert_eq!(sizes, [1, 15, 231]);
        // What devices with a connection of their own have.
        assert!(Units::of(Framing::Mbap).0.ends_with(&[247, 255, 0]));
    }
}
