use std::path::Path;

use passline_modbus::point::Table;
use proptest::prelude::*;

use super::*;
use crate::spec::{self, Given};

fn point(data_type: DataType, order: &str) -> Point {
    let mut declaration = Declaration::new("value", Table::Holding, 0);
    declaration.data_type = data_type;
    declaration.order = Some(order.parse().expect("an order"));
    Point::new(declaration).expect("a point")
}

/// What is said of registers: options and value, the likelier first.
fn said(data_type: DataType, order: &str, registers: &[u16]) -> Vec<String> {
    let hints = hints(&point(data_type, order), registers);
    hints.iter().map(|hint| format!("{}: {}", hint.options, hint.value)).collect()
}

#[test]
fn words_in_the_wrong_order_are_told() {
    // 230.4 V of an SDM630, which sends ABCD.
    let volts = [0x4366, 0x6666];
    assert_eq!(said(DataType::F32, "CDAB", &volts), ["--order ABCD: 230.4"]);
    assert_eq!(said(DataType::F32, "DCBA", &volts), ["--order ABCD: 230.4"]);
    assert_eq!(said(DataType::F32, "BADC", &volts), ["--order ABCD: 230.4"]);
    // 230.0 of an EM24 at scale 0.1, which sends CDAB.
    assert_eq!(said(DataType::I32, "ABCD", &[0x08FC, 0x0000]), ["--order CDAB: 2300"]);
    assert_eq!(said(DataType::I32, "ABCD", &[0xFFFB, 0xFFFF]), ["--order CDAB: -5"]);
    let double = 49.98_f64.to_bits().to_be_bytes();
    let words: Vec<u16> = double.chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
    assert_eq!(said(DataType::F64, "CDAB", &words), ["--order ABCD: 49.98"]);
    assert_eq!(said(DataType::U64, "CDAB", &[0, 0, 1, 2]), ["--order ABCD: 65538"]);
}

#[test]
fn another_type_is_told() {
    assert_eq!(said(DataType::F32, "ABCD", &[0, 2300]), ["--type u32: 2300"]);
    assert_eq!(said(DataType::F32, "ABCD", &[2300, 0]), ["--type u32 --order CDAB: 2300"]);
    assert_eq!(said(DataType::U32, "ABCD", &[0x4366, 0x6666]), ["--type f32: 230.4"]);
    assert_eq!(said(DataType::U32, "ABCD", &[0xFFFF, 0xFFFB]), ["--type i32: -5"]);
    // A float with an empty second word may also be a small number in the wrong order.
    let both = ["--type f32: 230", "--order CDAB: 17254"];
    assert_eq!(said(DataType::U32, "ABCD", &[0x4366, 0]), both);
}

#[test]
fn what_is_shown_is_scaled() {
    let mut declaration = Declaration::new("value", Table::Holding, 0);
    declaration.data_type = DataType::I32;
    declaration.scale = "0.1".parse().expect("a number");
    let point = Point::new(declaration).expect("a point");
    assert_eq!(hints(&point, &[2300, 0])[0].value.to_string(), "230");
}

#[test]
fn no_value_is_nonsense_that_says_that_there_is_none() {
    for (data_type, registers) in [
        (DataType::F32, vec![0x7FC0, 0]),
        (DataType::F32, vec![0xFFC0, 0]),
        (DataType::F32, vec![0x7F80, 0]),
        (DataType::F32, vec![0xFFFF, 0xFFFF]),
        (DataType::F32, vec![0, 0]),
        (DataType::F32, vec![0x8000, 0]),
        (DataType::I32, vec![0x8000, 0]),
        (DataType::I32, vec![0xFFFF, 0xFFFF]),
        (DataType::U32, vec![0xFFFF, 0xFFFF]),
        (DataType::I64, vec![0x8000, 0, 0, 0]),
        (DataType::F64, vec![0x7FF8, 0, 0, 0]),
    ] {
        for order in ["ABCD", "CDAB"] {
            let mut registers = registers.clone();
            if order == "CDAB" {
                registers.reverse();
            }
            assert_eq!(said(data_type, order, &registers), [""; 0], "{data_type} {registers:X?}");
        }
    }
}

/// Every number of more than one register of the 33 maps of real devices, with the registers of its
/// example.
fn numbers() -> Vec<(String, Point, Vec<u16>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/maps");
    let files = spec::files(&folder).expect("the maps");
    assert_eq!(files.len(), 33);
    let loaded = spec::load(files.iter().map(std::path::PathBuf::as_path), &Given::new());
    let devices = loaded.specs.iter().flat_map(|spec| &spec.devices);
    let found = devices.flat_map(|device| {
        let simulated = device.simulated(0, jiff::Timestamp::UNIX_EPOCH);
        let points = device.map.points.values().filter(|point| point.field().is_none());
        let points = points.filter(|point| point.span().is_some_and(|span| span.count() > 1));
        let words = move |point: &Point| {
            let words = simulated.image().words(point.span()?)?.to_vec();
            number(point, &words)?;
            Some((device.name.clone(), Point::clone(point), words))
        };
        points.filter_map(|point| words(point)).collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn real_devices_read_right_get_no_hint_and_read_wrong_mostly_the_right_one() {
    let numbers = numbers();
    let (mut wrong, mut told, mut misled) = (0, 0, 0);
    for (device, right, registers) in &numbers {
        let hints = hints(right, registers);
        assert!(hints.is_empty(), "{device} {}: {hints:?}", right.location());
        // Zero is zero in every order.
        if registers.iter().all(|word| *word == 0) {
            continue;
        }
        let bare = Other { data_type: None, order: None }.unscaled(right).expect("a point");
        let value = value(&bare, registers).expect("the example");
        for swapped in other_orders(right).into_iter().take(1) {
            let misread = swapped.unscaled(right).expect("a point");
            let hints = super::hints(&misread, registers);
            wrong += 1;
            told += u32::from(hints.iter().any(|hint| hint.value == value));
            misled += u32::from(!hints.is_empty() && hints.iter().all(|hint| hint.value != value));
        }
    }
    // Told nothing: floats of few digits whose words swapped are small floats too, counters.
    assert_eq!((numbers.len(), wrong, told, misled), (618, 593, 557, 0));
}

fn usual() -> impl Strategy<Value = f32> {
    (1e-3_f32..1e9, any::<bool>()).prop_map(|(float, minus)| if minus { -float } else { float })
}

proptest! {
    #[test]
    fn no_measured_float_gets_a_hint(float in usual()) {
        let [a, b, c, d] = float.to_be_bytes();
        let words = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        prop_assert_eq!(said(DataType::F32, "ABCD", &words), [""; 0]);
    }

    #[test]
    fn no_whole_number_that_fits_its_first_word_gets_a_hint(number in -32768_i32..32768) {
        let [a, b, c, d] = number.to_be_bytes();
        let words = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        prop_assert_eq!(said(DataType::I32, "ABCD", &words), [""; 0]);
    }

    /// Whatever the registers: a hint never shows what is shown already, and nothing panics.
    #[test]
    fn a_hint_is_another_value(words in proptest::collection::vec(any::<u16>(), 1..=4)) {
        for data_type in DataType::ALL.into_iter().filter(|t| usize::from(t.registers()) == words.len()) {
            for order in ["ABCD", "CDAB", "BADC", "DCBA"] {
                let point = point(data_type, order);
                for hint in hints(&point, &words) {
                    prop_assert_ne!(Some(hint.value), value(&point, &words));
                }
            }
        }
    }
}
