//! Serial framing against bytes written down by hand, labelled checksums, and arbitrary streams.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use passline_modbus::framing::serial::{Decoder, Defect, Mode, Part};
use passline_modbus::pdu::Request;

#[path = "../pairs/mod.rs"]
mod pairs;

mod ascii;
mod checksums;
mod properties;
mod rtu;

/// A [`Part`] that has left its decoder.
#[derive(Debug, Clone, PartialEq)]
enum Got {
    Frame { unit: u8, pdu: Vec<u8>, bytes: Vec<u8> },
    Damaged(Vec<u8>, Defect),
    Noise(Vec<u8>, Defect),
}

impl Got {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Frame { bytes, .. } | Self::Damaged(bytes, _) | Self::Noise(bytes, _) => bytes,
        }
    }
}

/// The frame of a unit and a PDU.
fn frame(mode: Mode, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    mode.encode(unit, pdu, &mut out).unwrap();
    out
}

/// What that frame comes out as.
fn whole(mode: Mode, unit: u8, pdu: &[u8]) -> Got {
    Got::Frame { unit, pdu: pdu.to_vec(), bytes: frame(mode, unit, pdu) }
}

/// All the parts that can be told now.
fn drain(decoder: &mut Decoder) -> Vec<Got> {
    let mut got = Vec::new();
    while let Some(part) = decoder.next_part() {
        got.push(match part {
            Part::Frame(frame) => Got::Frame {
                unit: frame.unit,
                pdu: frame.pdu.to_vec(),
                bytes: frame.bytes.to_vec(),
            },
            Part::Damaged { bytes, defect } => Got::Damaged(bytes.to_vec(), defect),
            Part::Noise { bytes, defect } => Got::Noise(bytes.to_vec(), defect),
        });
    }
    got
}

fn feed(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Got> {
    decoder.feed(bytes);
    drain(decoder)
}

fn silence(decoder: &mut Decoder) -> Vec<Got> {
    decoder.silence();
    let got = drain(decoder);
    assert_eq!(decoder.pending(), [], "silence ends everything");
    got
}

/// A client's decoder that waits for the answer of unit 0x11 to this request.
fn waiting(mode: Mode, request: &Request<'_>) -> Decoder {
    let mut decoder = mode.answers();
    decoder.expect(0x11, request);
    decoder
}
