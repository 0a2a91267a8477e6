//! `format:` of a serial number: how the digits of a device make the text on its label.

use std::fmt;

/// What stands in a register, as a label shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    before: String,
    conversion: Conversion,
    after: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversion {
    Text,
    /// At least so many digits, the first ones zeros.
    Number {
        radix: Radix,
        digits: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Radix {
    Decimal,
    LowerHex,
    UpperHex,
}

/// What a serial number is in the device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    Number(u64),
}

/// More digits than that no register holds.
const MOST_DIGITS: usize = 20;

impl Format {
    /// What a format can be.
    pub(super) const REMEDY: &str = "write `%s` for a text, `%d` for a number, `%08d` for one of eight digits, `%X` for hexadecimal \
         ones; `%%` is a percent sign";

    /// Reads a format: one conversion, and any text around it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut before, mut after, mut conversion) = (String::new(), String::new(), None);
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('%') {
            let around = if conversion.is_none() { &mut before } else { &mut after };
            around.push_str(literal);
            if let Some(tail) = tail.strip_prefix('%') {
                around.push('%');
                rest = tail;
                continue;
            }
            let end = tail.find(|c: char| !c.is_ascii_digit())?;
            let (width, letter) = (tail.get(..end)?, tail.get(end..)?.chars().next()?);
            let found = Conversion::of(width, letter)?;
            if conversion.replace(found).is_some() {
                return None;
            }
            rest = tail.get(end + letter.len_utf8()..)?;
        }
        let around = if conversion.is_none() { &mut before } else { &mut after };
        around.push_str(rest);
        Some(Self { before, conversion: conversion?, after, text: text.to_owned() })
    }

    /// That of a text, or of a number.
    pub(super) fn plain(is_text: bool) -> Self {
        let number = Conversion::Number { radix: Radix::Decimal, digits: 1 };
        let (conversion, text) = if is_text { (Conversion::Text, "%s") } else { (number, "%d") };
        Self { before: String::new(), conversion, after: String::new(), text: text.to_owned() }
    }

    /// Whether it writes numbers.
    pub(super) fn is_number(&self) -> bool {
        self.conversion != Conversion::Text
    }

    /// What is written as this serial number. `None`: nothing is.
    pub(super) fn read(&self, serial: &str) -> Option<Written> {
        let middle = serial.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        let Conversion::Number { radix, digits } = self.conversion else {
            return Some(Written::Text(middle.to_owned()));
        };
        let number = match radix {
            Radix::Decimal => middle.parse().ok()?,
            Radix::LowerHex | Radix::UpperHex => u64::from_str_radix(middle, 16).ok()?,
        };
        // `+5`, `5` for `05`, `0A` for `0a`: what would not be written so is another serial number.
        (radix.write(number, digits) == middle).then_some(Written::Number(number))
    }
}

impl Conversion {
    fn of(width: &str, letter: char) -> Option<Self> {
        let radix = match letter {
            's' => return width.is_empty().then_some(Self::Text),
            'd' => Radix::Decimal,
            'x' => Radix::LowerHex,
            'X' => Radix::UpperHex,
            _ => return None,
        };
        let digits = match width.strip_prefix('0') {
            Some(digits) => {
                digits.parse().ok().filter(|digits| (1..=MOST_DIGITS).contains(digits))?
            }
            None if width.is_empty() => 1,
            None => return None,
        };
        Some(Self::Number { radix, digits })
    }
}

impl Radix {
    fn write(self, number: u64, digits: usize) -> String {
        match self {
            Self::Decimal => format!("{number:0digits$}"),
            Self::LowerHex => format!("{number:0digits$x}"),
            Self::UpperHex => format!("{number:0digits$X}"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_written_so_is_read() {
        let read = |format: &str, serial: &str| Format::parse(format)?.read(serial);
        assert_eq!(read("%08d", "00001234"), Some(Written::Number(1234)));
        assert_eq!(read("%08d", "123456789"), Some(Written::Number(123_456_789)));
        assert_eq!(read("%d", "0"), Some(Written::Number(0)));
        assert_eq!(read("SN-%04X/b", "SN-00FF/b"), Some(Written::Number(255)));
        assert_eq!(read("%s", "A 7"), Some(Written::Text("A 7".into())));
        assert_eq!(read("%%%s", "%A"), Some(Written::Text("A".into())));
        for (format, serial) in [
            ("%08d", "1234"),
            ("%d", "01"),
            ("%d", "+1"),
            ("%d", "-1"),
            ("%d", ""),
            ("%d", "18446744073709551616"),
            ("%04X", "00ff"),
            ("A%d", "B1"),
            ("%dA", "A"),
            ("A%sA", "A"),
        ] {
            assert_eq!(read(format, serial), None, "{format} {serial}");
        }
    }

    #[test]
    fn a_format_has_one_conversion() {
        for format in ["", "%", "%%", "8", "%d%d", "%8d", "%08s", "%099d", "%00d", "%f", "%0", "%é"]
        {
            assert_eq!(Format::parse(format), None, "{format}");
        }
    }
}
