//! Whatever comes in: no panic, an answer to every request, and of every read the words that a
//! model holds.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::fault::{Arrival, Reaction, Received};
use passline_simulator::image::Image;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::{ask, frame, hex, image, line};

/// Runs to its end what is written for paused time.
fn paused(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(test);
}

/// The four tables as maps from address to value: bits are 0 or 1.
#[derive(Debug, Clone, Default)]
struct Model([BTreeMap<u16, u16>; 4]);

impl Model {
    fn put(&mut self, table: usize, start: u16, values: &[u16]) {
        self.0[table].extend((start..=u16::MAX).zip(values.iter().copied()));
    }

    /// The values, if none is missing. No address comes after 65535.
    fn get(&self, table: usize, start: u16, count: u16) -> Option<Vec<u16>> {
        start.checked_add(count - 1)?;
        (0..count).map(|offset| self.0[table].get(&(start + offset)).copied()).collect()
    }
}

/// Makes an image and its model of the same entries.
fn build(entries: &[(usize, u16, Vec<u16>)]) -> (Image, Model) {
    let (mut image, mut model) = (Image::new(), Model::default());
    for (table, start, values) in entries {
        match table {
            0 | 1 => {
                let bits: Vec<bool> = values.iter().map(|value| value & 1 == 1).collect();
                image.set_bits(Table::ALL[*table], *start, &bits).unwrap();
                let bits: Vec<u16> = values.iter().map(|value| value & 1).collect();
                model.put(*table, *start, &bits);
            }
            _ => {
                image.set_words(Table::ALL[*table], *start, values).unwrap();
                model.put(*table, *start, values);
            }
        }
    }
    (image, model)
}

/// The answer to a read, put together here and not by the codec.
fn expected(model: &Model, function: u8, start: u16, quantity: u16) -> Vec<u8> {
    let max = if function <= 2 { 2000 } else { 125 };
    if quantity == 0 || quantity > max {
        return vec![function | 0x80, 3];
    }
    // Functions 1 to 4 read the coils, discrete inputs, holding and input registers.
    let table = [0, 1, 3, 2][usize::from(function - 1)];
    let Some(values) = model.get(table, start, quantity) else {
        return vec![function | 0x80, 2];
    };
    let data: Vec<u8> = if function <= 2 {
        let byte =
            |bits: &[u16]| bits.iter().rev().fold(0, |byte, bit| (byte << 1) | u8::from(*bit == 1));
        values.chunks(8).map(byte).collect()
    } else {
        values.iter().flat_map(|word| word.to_be_bytes()).collect()
    };
    [&[function, u8::try_from(data.len()).unwrap()], &data[..]].concat()
}

/// Near the beginning and near the end of the address space.
fn addresses() -> impl Strategy<Value = u16> {
    prop_oneof![0u16..80, 65_500u16..=65_535]
}

fn entries() -> impl Strategy<Value = Vec<(usize, u16, Vec<u16>)>> {
    let values = prop::collection::vec(any::<u16>(), 1..40);
    let entry = (0usize..4, addresses(), values).prop_map(|(table, start, mut values)| {
        values.truncate(usize::from(u16::MAX - start) + 1);
        (table, start, values)
    });
    prop::collection::vec(entry, 0..12)
}

fn quantities() -> impl Strategy<Value = u16> {
    prop_oneof![8 => 1u16..40, 1 => Just(0), 1 => 120u16..130, 1 => 1995u16..2005, 1 => any::<u16>()]
}

fn read(function: u8, start: u16, quantity: u16) -> Vec<u8> {
    [&[function], &start.to_be_bytes()[..], &quantity.to_be_bytes()].concat()
}

/// Requests that are valid or close to it.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let valid = prop::sample::select(vec![
        "01 0000 000A",
        "02 0010 0008",
        "03 0000 000A",
        "04 0064 0003",
        "05 0004 FF00",
        "06 0004 1234",
        "08 0000 A537",
        "0F 0000 000A 02 FF03",
        "10 0000 0002 04 1234 5678",
        "16 0004 00F2 0025",
        "17 0000 0002 0004 0002 04 1234 5678",
        "2B 0E 01 00",
    ]);
    let header = (any::<u16>(), prop_oneof![4 => Just(1u8), 1 => any::<u8>()]);
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let cut = prop_oneof![3 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (valid, header, flips, cut).prop_map(|(valid, (transaction, unit_id), flips, cut)| {
        let mut bytes = frame(transaction, unit_id, &hex(valid));
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(index) = cut {
            bytes.truncate(index.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn a_read_answers_what_the_model_holds(
        entries in entries(),
        reads in prop::collection::vec((1u8..=4, addresses(), quantities()), 1..20),
    ) {
        let (image, model) = build(&entries);
        paused(async {
            let line = line(Device::new(image));
            let mut client = line.connect();
            for (function, start, quantity) in reads {
                let answer = ask(&mut client, &read(function, start, quantity)).await;
                assert_eq!(answer, expected(&model, function, start, quantity));
            }
        });
    }

    #[test]
    fn what_was_written_is_read_and_what_was_refused_is_not(
        entries in entries(),
        writes in prop::collection::vec(
            (addresses(), prop::collection::vec(any::<u16>(), 1..20)), 1..10),
    ) {
        let (image, mut model) = build(&entries);
        paused(async {
            let line = line(Device::new(image));
            let mut client = line.connect();
            for (start, words) in writes {
                let count = u16::try_from(words.len()).unwrap();
                let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
                let bytes = [u8::try_from(data.len()).unwrap()];
                let head = read(16, start, count);
                let answer = ask(&mut client, &[&head, &bytes[..], &data].concat()).await;
                if model.get(3, start, count).is_some() {
                    assert_eq!(answer, head);
                    model.put(3, start, &words);
                } else {
                    assert_eq!(answer, [0x90, 2]);
                }
            }
            for address in (0..100).chain(65_500..=65_535) {
                let answer = ask(&mut client, &read(3, address, 1)).await;
                assert_eq!(answer, expected(&model, 3, address, 1));
            }
        });
    }

    #[test]
    fn a_device_makes_something_of_any_bytes(pdu in prop::collection::vec(any::<u8>(), 0..300)) {
        let received = Received {
            framing: Framing::Mbap,
            transaction: 7,
            unit_id: 1,
            pdu: &pdu,
            bytes: &pdu,
        };
        let reaction = Device::new(image()).react(&received, Arrival::default());
        prop_assert!(matches!(reaction, Reaction::Answer(_)));
    }

    #[test]
    fn no_bytes_stop_a_line(
        frames in prop::collection::vec(
            prop_oneof![4 => mutated(), 1 => prop::collection::vec(any::<u8>(), 0..40)], 0..8),
        piece in 1usize..50,
    ) {
        paused(async {
            let line = line(Device::new(image()));
            let mut client = line.connect();
            for part in frames.concat().chunks(piece) {
                // It may have been closed: that is one of the things to be made of them.
                let _ = client.write_all(part).await;
            }
            let mut answers = Vec::new();
            let _ = timeout(Duration::from_secs(1), client.read_to_end(&mut answers)).await;
            let alive = ask(&mut line.connect(), &hex("04 0064 0001")).await;
            assert_eq!(alive, hex("04 02 0A0B"));
        });
    }
}
