//! `TABLE:ADDRESS[.BITS]` and the options beside it: which points a command line means. Opens
//! nothing.

use std::str::FromStr;

use passline_modbus::point::{DataType, Declaration, Field, Point, Table};

use super::arguments::ValueArguments;

/// Where a value is, as people write it: `holding:100`, `input:0x34`, `holding:100.3`,
/// `holding:100.4..6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    table: Table,
    address: u16,
    /// Some bits of the word only.
    field: Option<Field>,
}

const FORM: &str = "write a table and a protocol address, from 0: coil:0, discrete:7, input:0x34, \
                    holding:100; for bits of a register holding:100.3 or holding:100.4..6";

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (table, rest) = text.split_once(':').ok_or(FORM)?;
        let table = Table::ALL.into_iter().find(|known| known.name() == table).ok_or(FORM)?;
        let (address, field) = match rest.split_once('.') {
            Some((address, bits)) => (address, Some(field(bits).ok_or(FORM)?)),
            None => (rest, None),
        };
        let address = match address.strip_prefix("0x") {
            Some(hex) => digits(hex, 16),
            None => digits(address, 10),
        };
        Ok(Self { table, address: address.ok_or(FORM)?, field })
    }
}

/// `3`, or `4..6` with both ends.
fn field(bits: &str) -> Option<Field> {
    let (first, last) = bits.split_once("..").unwrap_or((bits, bits));
    let bit = |text| digits(text, 10).and_then(|bit| u8::try_from(bit).ok());
    Field::new(bit(first)?, bit(last)?).ok()
}

/// Digits alone, as opposed to [`u16::from_str_radix`], which takes a sign.
fn digits(text: &str, radix: u32) -> Option<u16> {
    let plain = text.chars().all(|digit| digit.is_digit(radix));
    plain.then(|| u16::from_str_radix(text, radix).ok()).flatten()
}

impl Target {
    /// `count` points one after the other from here on.
    ///
    /// # Errors
    /// What makes no sense about them.
    pub(super) fn points(self, shape: &ValueArguments, count: u16) -> Result<Vec<Point>, String> {
        let data_type = match &shape.data_type {
            Some(name) => DataType::named(name, shape.length).map_err(|error| error.to_string())?,
            None if shape.length.is_some() => {
                return Err("--length is for --type string and --type bytes".to_owned());
            }
            None if self.table.is_bits() => DataType::Bool,
            None => DataType::U16,
        };
        let step = u32::from(data_type.registers());
        (0..u32::from(count)).map(|index| self.point(shape, data_type, index * step)).collect()
    }

    fn point(
        self,
        shape: &ValueArguments,
        data_type: DataType,
        behind: u32,
    ) -> Result<Point, String> {
        let address = u32::from(self.address).saturating_add(behind);
        let mut declaration = Declaration::new("value", self.table, address);
        declaration.data_type = data_type;
        declaration.order = shape.order;
        declaration.field = self.field;
        if let Some(scale) = &shape.scale {
            declaration.scale = scale.clone();
        }
        if let Some(offset) = &shape.offset {
            declaration.offset = offset.clone();
        }
        Point::new(declaration).map_err(|errors| {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            texts.join("; ")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_meant_or_refused() {
        let shape = ValueArguments { data_type: Some("u32".to_owned()), ..Default::default() };
        let shown = |text: &str| -> Vec<String> {
            let points = text.parse::<Target>().expect(text).points(&shape, 2).expect(text);
            points.iter().map(|point| format!("{} {:?}", point.location(), point.field())).collect()
        };
        assert_eq!(shown("holding:100"), ["holding:100..101 None", "holding:102..103 None"]);
        assert_eq!(shown("input:0x34")[0], "input:52..53 None");
        assert!(shown("input:7.31")[0].contains("first: 31, last: 31"));
        assert!(shown("input:7.4..6")[1].contains("first: 4, last: 6"));
        for wrong in [
            "",
            ":",
            "holding",
            "holding:",
            "holdings:1",
            "holding:+1",
            "holding:-1",
            "holding:1.",
            "holding:65536",
            "holding:0x",
            "holding:0x+1",
            "holding:1.6..4",
            "holding:1.256",
            "holding: 1",
            "HOLDING:1",
            "holding:1..2",
            "holding:1.4...6",
            "holding:１",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shapes_that_make_no_sense_are_refused_with_the_reason() {
        let refused = |place: &str, data_type: &str, length| {
            let data_type = (!data_type.is_empty()).then(|| data_type.to_owned());
            let shape = ValueArguments { data_type, length, ..Default::default() };
            place.parse::<Target>().expect(place).points(&shape, 1).expect_err("refused")
        };
        assert!(refused("coil:1", "u16", None).contains("one bit"));
        assert!(refused("coil:1.3", "", None).contains("no bit fields"));
        assert!(refused("holding:1.16", "", None).contains("no bit 16"));
        assert!(refused("holding:65535", "u32", None).contains("passes address 65535"));
        assert!(refused("holding:1", "string", None).contains("length"));
        assert!(refused("holding:1", "", Some(2)).contains("--length"));
        assert!(refused("holding:1", "u17", None).contains("unknown type"));
    }
}
