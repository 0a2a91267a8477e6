use passline_modbus::framing::ascii::{MAX_FRAME, encode};
use passline_modbus::framing::serial::{Decoder, Defect, Mode};
use passline_modbus::pdu::Request;

use crate::{Got, drain, feed, frame, silence, whole};

const READ: Request<'static> = Request::ReadHoldingRegisters(0x6B, 3);
const ANSWER: [u8; 8] = [0x03, 6, 0x02, 0x2B, 0x00, 0x01, 0x00, 0x64];

fn waiting() -> Decoder {
    crate::waiting(Mode::Ascii, &READ)
}

#[test]
fn a_frame_as_it_is_written() {
    // NModbus: read 37 coils of unit 17 from 0x13 on.
    let text = b":110100130025B6\r\n";
    let pdu = [0x01, 0x00, 0x13, 0x00, 0x25];
    assert_eq!(frame(Mode::Ascii, 0x11, &pdu), text);
    for mut decoder in [Mode::Ascii.requests(), Mode::Ascii.answers()] {
        assert_eq!(feed(&mut decoder, text), [whole(Mode::Ascii, 0x11, &pdu)]);
    }
}

#[test]
fn the_longest_frame_and_what_cannot_be_one() {
    let mut out = vec![9];
    assert_eq!(encode(1, &[], &mut out), Err(Defect::Digits { got: 4 }));
    assert_eq!(encode(1, &[0; 254], &mut out), Err(Defect::TooLong { got: 515 }));
    assert_eq!(out, [9]);
    let longest = frame(Mode::Ascii, 0xFF, &[0xAB; 253]);
    assert_eq!((longest.len(), MAX_FRAME), (513, 513));
    let mut decoder = Mode::Ascii.answers();
    assert_eq!(feed(&mut decoder, &longest), [whole(Mode::Ascii, 0xFF, &[0xAB; 253])]);

    let mut endless = vec![b'0'; 2000];
    endless[0] = b':';
    let got = feed(&mut decoder, &endless);
    assert_eq!(got[0], Got::Noise(endless[..513].to_vec(), Defect::TooLong { got: 513 }));
    assert_eq!(got[1], Got::Noise(vec![b'0'; 513], Defect::Outside));
    assert_eq!(decoder.pending().len(), 2000 - 3 * 513);
    assert_eq!(feed(&mut decoder, &longest).len(), 2, "noise, then the frame");
}

#[test]
fn every_defect_has_its_name() {
    for (text, defect, label) in [
        (&b":110100130025B7\r\n"[..], Defect::Lrc { expected: 0xB6, got: 0xB7 }, "bad-lrc"),
        (b":10\r\n", Defect::Digits { got: 2 }, "ascii-short-or-odd"),
        (b":\r\n", Defect::Digits { got: 0 }, "ascii-short-or-odd"),
        (b":11EF\r\n", Defect::Digits { got: 4 }, "ascii-short-or-odd"),
        (b":110100130025B60\r\n", Defect::Digits { got: 15 }, "ascii-short-or-odd"),
        // Lower case is not what the standard sends.
        (b":110100130025b6\r\n", Defect::Character { got: b'b' }, "ascii-not-hex"),
        (b":1101 00130025B6\r\n", Defect::Character { got: b' ' }, "ascii-not-hex"),
        (b":110100130025B6\r\r\n", Defect::Character { got: b'\r' }, "ascii-not-hex"),
        (b":110100130025B6\n", Defect::Character { got: b'\n' }, "ascii-not-hex"),
        (b":\x91\xB10100130025B6\r\n", Defect::Character { got: 0x91 }, "ascii-not-hex"),
    ] {
        let mut decoder = waiting();
        let got: Vec<Got> = text.iter().flat_map(|byte| feed(&mut decoder, &[*byte])).collect();
        assert_eq!(got, [Got::Noise(text.to_vec(), defect)], "without waiting for silence");
        assert_eq!(defect.label(), label);
    }
    for (text, defect) in [
        (&b":110100130025B6\r"[..], Defect::Unfinished),
        (b":", Defect::Unfinished),
        (b"110100130025B6", Defect::Outside),
        (b"\r\n", Defect::Outside),
    ] {
        let mut decoder = waiting();
        assert_eq!(feed(&mut decoder, text), [], "more could come");
        assert_eq!(silence(&mut decoder), [Got::Noise(text.to_vec(), defect)]);
    }
}

#[test]
fn a_colon_begins_a_frame_wherever_it_stands() {
    let good = frame(Mode::Ascii, 0x11, &ANSWER);
    let mut decoder = waiting();
    let text = [b"noise\r\n", b":11030" as &[u8], &good, b"\n", &good].concat();
    let expected = [
        Got::Noise(b"noise\r\n".to_vec(), Defect::Outside),
        Got::Damaged(b":11030".to_vec(), Defect::Unfinished),
        whole(Mode::Ascii, 0x11, &ANSWER),
        Got::Noise(b"\n".to_vec(), Defect::Outside),
        whole(Mode::Ascii, 0x11, &ANSWER),
    ];
    assert_eq!(feed(&mut decoder, &text), expected);
}

#[test]
fn a_damaged_answer_is_told_from_noise() {
    let damage = |unit: u8, pdu: &[u8]| {
        let mut text = frame(Mode::Ascii, unit, pdu);
        text[5] = b'~';
        text
    };
    let defect = Defect::Character { got: b'~' };
    let mut decoder = waiting();
    for pdu in [&ANSWER[..], &[0x83, 2]] {
        let text = damage(0x11, pdu);
        assert_eq!(feed(&mut decoder, &text), [Got::Damaged(text, defect)]);
    }
    for (unit, pdu) in [(0x12, &ANSWER[..]), (0x11, &[0x04, 2, 0, 0])] {
        let text = damage(unit, pdu);
        assert_eq!(feed(&mut decoder, &text), [Got::Noise(text, defect)]);
    }
    let text = damage(0x11, &ANSWER);
    assert_eq!(feed(&mut Mode::Ascii.requests(), &text), [Got::Noise(text, defect)]);
}

#[test]
fn silence_ends_what_came_before_it_and_nothing_else() {
    let mut decoder = waiting();
    decoder.feed(b":1103");
    decoder.silence();
    decoder.feed(&frame(Mode::Ascii, 0x11, &ANSWER));
    let expected =
        [Got::Damaged(b":1103".to_vec(), Defect::Unfinished), whole(Mode::Ascii, 0x11, &ANSWER)];
    assert_eq!(drain(&mut decoder), expected);
    assert_eq!(silence(&mut decoder), []);
}
