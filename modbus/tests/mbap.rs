//! MBAP framing against bytes written down by hand and against arbitrary bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use passline_modbus::framing::mbap::{Decoder, Defect, MAX_FRAME, encode};
use proptest::prelude::*;

/// What a decoder made of a stream: frames, then at most one defect, then the rest.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    frames: Vec<(u16, u8, Vec<u8>, Vec<u8>)>,
    defect: Option<Defect>,
    rest: Vec<u8>,
}

/// Decodes `pieces` in turn; `rest` is left empty after a defect, as it then depends on how much
/// had been fed by that time.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new();
    let mut seen = Decoded::default();
    for piece in pieces {
        decoder.feed(piece);
        while let Some(next) = decoder.next_frame() {
            assert_eq!(seen.defect, None, "nothing comes after a defect");
            match next {
                Ok(frame) => seen.frames.push((
                    frame.transaction,
                    frame.unit,
                    frame.pdu.to_vec(),
                    frame.bytes.to_vec(),
                )),
                Err(defect) => seen.defect = Some(defect),
            }
        }
        assert!(decoder.is_lost() || decoder.rest().len() < MAX_FRAME, "bounded between feeds");
    }
    assert_eq!(decoder.is_lost(), seen.defect.is_some());
    if !decoder.is_lost() {
        seen.rest = decoder.rest().to_vec();
    }
    seen
}

#[test]
fn a_frame_of_the_specification() {
    // V1.1b3, clause 6.3: read holding registers 108 to 110.
    let bytes = [0x00, 0x01, 0, 0, 0, 6, 0x11, 0x03, 0x00, 0x6B, 0x00, 0x03];
    let mut out = Vec::new();
    encode(1, 0x11, &bytes[7..], &mut out).unwrap();
    assert_eq!(out, bytes);
    let decoded = decode([&bytes[..]]);
    assert_eq!(decoded.frames, [(1, 0x11, bytes[7..].to_vec(), bytes.to_vec())]);
    assert_eq!((decoded.defect, decoded.rest), (None, vec![]));
}

#[test]
fn two_frames_and_a_beginning() {
    let bytes = [0, 1, 0, 0, 0, 3, 9, 0x83, 2, 0, 2, 0, 0, 0, 2, 9, 7, 0, 3, 0, 0, 0, 200, 9];
    let decoded = decode([&bytes[..]]);
    assert_eq!(decoded.frames.len(), 2);
    assert_eq!(decoded.frames[1], (2, 9, vec![7], bytes[9..17].to_vec()));
    assert_eq!(decoded.rest, &bytes[17..]);
}

#[test]
fn bad_headers_are_told_at_once() {
    for (header, defect, label) in [
        (&[1, 2, 0, 1][..], Defect::ProtocolId { got: 1 }, "protocol-id-nonzero"),
        (&[1, 2, 0x28, 0x7E], Defect::ProtocolId { got: 0x287E }, "protocol-id-nonzero"),
        (&[1, 2, 0, 0, 0, 0], Defect::LengthTooSmall { got: 0 }, "mbap-length-too-small"),
        (&[1, 2, 0, 0, 0, 1], Defect::LengthTooSmall { got: 1 }, "mbap-length-too-small"),
        (&[1, 2, 0, 0, 0, 255], Defect::LengthTooLarge { got: 255 }, "mbap-length-too-large"),
        (&[1, 2, 0, 0, 255, 255], Defect::LengthTooLarge { got: 65535 }, "mbap-length-too-large"),
    ] {
        let mut decoder = Decoder::new();
        decoder.feed(&header[..header.len() - 1]);
        assert_eq!(decoder.next_frame(), None, "{header:?}: the field is not whole yet");
        decoder.feed(&header[header.len() - 1..]);
        assert_eq!(decoder.next_frame(), Some(Err(defect)));
        assert_eq!((defect.label(), decoder.rest()), (label, header));
        decoder.feed(&[0, 1, 0, 0, 0, 3, 9, 0x83, 2]);
        assert_eq!(decoder.next_frame(), None, "a lost stream stays lost");
        assert_eq!(decoder.rest(), header, "and takes no more memory");
    }
}

#[test]
fn the_longest_frame_and_what_cannot_be_one() {
    let mut out = Vec::new();
    encode(0xFFFF, 255, &[0xAB; 253], &mut out).unwrap();
    assert_eq!(out.len(), MAX_FRAME);
    assert_eq!(decode([&out[..]]).frames, [(0xFFFF, 255, vec![0xAB; 253], out.clone())]);
    let before = out.clone();
    assert_eq!(encode(1, 1, &[], &mut out), Err(Defect::LengthTooSmall { got: 1 }));
    assert_eq!(encode(1, 1, &[0; 254], &mut out), Err(Defect::LengthTooLarge { got: 255 }));
    assert_eq!(
        encode(1, 1, &vec![0; 70_000], &mut out),
        Err(Defect::LengthTooLarge { got: 65535 })
    );
    assert_eq!(out, before);
}

/// A backlog taken one frame per feed must not be moved once per frame: that would copy 4 TB,
/// which takes a minute; this takes a fraction of a second.
#[test]
fn a_backlog_costs_linear_time() {
    let begin = std::time::Instant::now();
    let mut bytes = Vec::new();
    for transaction in (0..=u16::MAX).cycle().take(1_000_000) {
        encode(transaction, 1, &[3], &mut bytes).unwrap();
    }
    let mut decoder = Decoder::new();
    decoder.feed(&bytes);
    let mut frames = 0;
    while let Some(next) = decoder.next_frame() {
        assert!(next.is_ok());
        frames += 1;
        decoder.feed(&[]);
        assert!(begin.elapsed().as_secs() < 20, "quadratic");
    }
    assert_eq!((frames, decoder.rest().len()), (1_000_000, 0));
}

/// Mostly frames, sometimes anything: arbitrary bytes alone hardly ever get past one header.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = (any::<u16>(), any::<u8>(), prop::collection::vec(any::<u8>(), 1..=253)).prop_map(
        |(transaction, unit, pdu)| {
            let mut out = Vec::new();
            encode(transaction, unit, &pdu, &mut out).unwrap();
            out
        },
    );
    let piece = prop_oneof![8 => frame, 1 => prop::collection::vec(any::<u8>(), 0..300)];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(bytes in stream(), cuts in prop::collection::vec(1..400_usize, 0..40)) {
        let whole = decode([&bytes[..]]);
        prop_assert_eq!(&decode(bytes.chunks(1)), &whole);
        let mut pieces = Vec::new();
        let mut left = &bytes[..];
        for cut in cuts {
            let (piece, rest) = left.split_at(cut.min(left.len()));
            pieces.push(piece);
            left = rest;
        }
        pieces.push(left);
        prop_assert_eq!(&decode(pieces), &whole);
    }

    #[test]
    fn nothing_is_lost_or_made_up(bytes in stream()) {
        let decoded = decode([&bytes[..]]);
        let mut again = Vec::new();
        for (transaction, unit, pdu, raw) in &decoded.frames {
            let begin = again.len();
            encode(*transaction, *unit, pdu, &mut again).unwrap();
            prop_assert_eq!(&again[begin..], &raw[..]);
        }
        prop_assert!(bytes.starts_with(&again));
        if decoded.defect.is_none() {
            prop_assert_eq!(&bytes[again.len()..], &decoded.rest[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        decode([&bytes[..]]);
        decode(bytes.chunks(1));
    }
}
