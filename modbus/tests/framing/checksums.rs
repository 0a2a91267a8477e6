//! `data/checksums.txt`, and the slow way to make a CRC.

use passline_modbus::framing::{ascii::lrc, rtu::crc};
use proptest::prelude::*;

const TABLE: &str = include_str!("../data/checksums.txt");

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
    assert!(odd.is_empty(), "{hex}");
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    pairs.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}

#[test]
fn every_checksum_is_the_labelled_one() {
    let mut seen = 0;
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [kind, data, wire] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (data, wire) = (if data == "-" { vec![] } else { bytes(data) }, bytes(wire));
        match kind {
            "crc" => assert_eq!(crc(&data).to_le_bytes(), wire[..], "{line}"),
            "lrc" => assert_eq!([lrc(&data)], wire[..], "{line}"),
            _ => unreachable!("{line}"),
        }
        seen += 1;
    }
    assert!(seen > 80, "{seen}");
}

/// Serial Line V1.02, clause 6.2.2, as it is written there: bit by bit.
fn slow_crc(bytes: &[u8]) -> u16 {
    let mut sum = 0xFFFF;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 };
        }
    }
    sum
}

proptest! {
    #[test]
    fn the_table_makes_the_same_crc(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(crc(&bytes), slow_crc(&bytes));
        let sealed = [&bytes[..], &crc(&bytes).to_le_bytes()].concat();
        prop_assert_eq!(crc(&sealed), 0);
        prop_assert_eq!(lrc(&[&bytes[..], &[lrc(&bytes)]].concat()), 0);
    }
}
