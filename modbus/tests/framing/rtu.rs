use std::time::Instant;

use passline_modbus::framing::rtu::{MAX_FRAME, crc, encode};
use passline_modbus::framing::serial::{Decoder, Defect, Mode};
use passline_modbus::pdu::{ReadCode, Request};

use crate::Got;

/// Registers 0x6B to 0x6D, as the standard's example has them.
const READ: Request<'static> = Request::ReadHoldingRegisters(0x6B, 3);
const ANSWER: [u8; 8] = [0x03, 6, 0x02, 0x2B, 0x00, 0x01, 0x00, 0x64];

fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    crate::frame(Mode::Rtu, unit, pdu)
}

fn whole(unit: u8, pdu: &[u8]) -> Got {
    crate::whole(Mode::Rtu, unit, pdu)
}

fn waiting(request: &Request<'_>) -> Decoder {
    crate::waiting(Mode::Rtu, request)
}

/// With its last byte changed.
fn broken(mut frame: Vec<u8>) -> Vec<u8> {
    *frame.last_mut().unwrap() ^= 0x40;
    frame
}

/// What is wrong with bytes whose last two are no CRC.
fn bad_crc(bytes: &[u8]) -> Defect {
    let (body, got) = bytes.split_last_chunk::<2>().unwrap();
    Defect::Crc { expected: crc(body), got: u16::from_le_bytes(*got) }
}

#[test]
fn a_frame_of_the_specification() {
    // Serial Line V1.02, clause 6.2.2: the CRC of 02 07 is 1241.
    assert_eq!(frame(2, &[7]), [0x02, 0x07, 0x41, 0x12]);
    let mut decoder = Mode::Rtu.requests();
    assert_eq!(crate::feed(&mut decoder, &[0x02, 0x07, 0x41, 0x12]), [whole(2, &[7])]);
}

#[test]
fn what_no_frame_can_carry_is_not_written() {
    let mut out = vec![9];
    assert_eq!(encode(1, &[], &mut out), Err(Defect::Short { got: 3, least: 4 }));
    assert_eq!(encode(1, &[0; 254], &mut out), Err(Defect::TooLong { got: 257 }));
    assert_eq!(out, [9]);
    encode(1, &[0x41; 253], &mut out).unwrap();
    assert_eq!(out.len(), 1 + MAX_FRAME);
}

#[test]
fn an_answer_of_a_known_function_needs_no_silence_in_whatever_pieces_it_comes() {
    let identification: &[u8] =
        &[0x2B, 0x0E, 1, 1, 0, 0, 3, 0, 2, b'A', b'B', 1, 0, 2, 4, b'1', b'.', b'2', b'3'];
    let mut file = vec![0x14, 12, 5, 6, 0, 1, 0, 2, 5, 6, 0, 3, 0, 4];
    let read_file: Vec<u8> = vec![6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2];
    let raw = |code: u8, data: &[u8]| Request::Custom(code, data.to_vec().into());
    let write: &[u16] = &[1, 2];
    for (request, answer) in [
        (Request::ReadCoils(0, 10), &[0x01, 2, 0xFF, 0x03][..]),
        (Request::ReadDiscreteInputs(0, 1), &[0x02, 1, 1]),
        (READ, &ANSWER),
        (Request::ReadInputRegisters(0, 1), &[0x04, 2, 0, 7]),
        (Request::WriteSingleCoil(1, true), &[0x05, 0, 1, 0xFF, 0]),
        (Request::WriteSingleRegister(1, 2), &[0x06, 0, 1, 0, 2]),
        (raw(0x07, &[]), &[0x07, 0x6D]),
        (raw(0x08, &[0, 0, 1, 2, 3, 4]), &[0x08, 0, 0, 1, 2, 3, 4]),
        (raw(0x0B, &[]), &[0x0B, 0, 0, 0, 9]),
        (raw(0x0C, &[]), &[0x0C, 8, 0, 0, 1, 8, 1, 0x21, 0x20, 0]),
        (Request::WriteMultipleCoils(1, vec![true; 9].into()), &[0x0F, 0, 1, 0, 9]),
        (Request::WriteMultipleRegisters(1, write.into()), &[0x10, 0, 1, 0, 2]),
        (Request::ReportServerId, &[0x11, 3, 9, 0xFF, b'x']),
        (raw(0x14, &[&[14], &read_file[..]].concat()), &file.clone()),
        (raw(0x15, &[9, 6, 0, 4, 0, 7, 0, 1, 6, 0xAF]), &[0x15, 9, 6, 0, 4, 0, 7, 0, 1, 6, 0xAF]),
        (Request::MaskWriteRegister(4, 0xF2, 0x25), &[0x16, 0, 4, 0, 0xF2, 0, 0x25]),
        (
            Request::ReadWriteMultipleRegisters(3, 2, 14, write.into()),
            &[0x17, 4, 0, 0xFE, 0x0A, 0xCD],
        ),
        (raw(0x18, &[4, 0xDE]), &[0x18, 0, 6, 0, 2, 1, 0xB8, 0x12, 0x84]),
        (Request::ReadDeviceIdentification(ReadCode::Basic, 0), identification),
    ] {
        let exception = [answer[0] | 0x80, 6];
        for pdu in [answer, &exception] {
            let bytes = frame(0x11, pdu);
            for cut in 0..bytes.len() {
                let mut decoder = waiting(&request);
                let (front, back) = bytes.split_at(cut);
                assert_eq!(crate::feed(&mut decoder, front), [], "{request:?} cut at {cut}");
                assert_eq!(crate::feed(&mut decoder, back), [whole(0x11, pdu)], "{request:?}");
            }
            let mut decoder = waiting(&request);
            let got: Vec<Got> =
                bytes.iter().flat_map(|byte| crate::feed(&mut decoder, &[*byte])).collect();
            assert_eq!(got, [whole(0x11, pdu)], "{request:?} byte by byte");
        }
    }
    // Nothing is said of a file that was not asked for but its length.
    file[1] = 13;
    let mut decoder = waiting(&READ);
    assert_eq!(crate::feed(&mut decoder, &frame(7, &file)), []);
    assert_eq!(crate::silence(&mut decoder), [whole(7, &file)]);
}

#[test]
fn silence_ends_a_frame_of_unknown_length() {
    for request in [Request::Custom(0x41, vec![1].into()), Request::Custom(0x2B, vec![0x0D].into())]
    {
        let code = request.function_code().value();
        let pdu = [&[code, 0x0D][..], &[0xAB; 40]].concat();
        let bytes = frame(0x11, &pdu);
        let mut decoder = waiting(&request);
        for byte in &bytes {
            assert_eq!(crate::feed(&mut decoder, &[*byte]), []);
        }
        assert_eq!(crate::silence(&mut decoder), [whole(0x11, &pdu)]);
        // Its exceptions are as long as any.
        let exception = [code | 0x80, 1];
        assert_eq!(crate::feed(&mut decoder, &frame(0x11, &exception)), [whole(0x11, &exception)]);
        // It holds what reads like an answer; nothing but all of it could be sound.
        let hiding = [&[code, 0x0D][..], &frame(0x11, &exception), &[0]].concat();
        let bytes = broken(frame(0x11, &hiding));
        assert_eq!(crate::feed(&mut decoder, &bytes), []);
        let damaged = Got::Damaged(bytes.clone(), bad_crc(&bytes));
        assert_eq!(crate::silence(&mut decoder), [damaged]);
    }
}

#[test]
fn a_damaged_answer_is_told_from_noise() {
    let bytes = broken(frame(0x11, &ANSWER));
    let mut decoder = waiting(&READ);
    assert_eq!(crate::feed(&mut decoder, &bytes), [], "more could come");
    assert_eq!(crate::silence(&mut decoder), [Got::Damaged(bytes.clone(), bad_crc(&bytes))]);

    for end in 2..bytes.len() {
        let front = &bytes[..end];
        assert_eq!(crate::feed(&mut decoder, front), []);
        let least = if end == 2 { 3 } else { 11 };
        let short = Defect::Short { got: end, least };
        assert_eq!(crate::silence(&mut decoder), [Got::Damaged(front.to_vec(), short)]);
    }
    let mut coils = waiting(&Request::ReadCoils(0, 10));
    crate::feed(&mut coils, &[0x11, 1, 2]);
    let short = Defect::Short { got: 3, least: 7 };
    assert_eq!(crate::silence(&mut coils), [Got::Damaged(vec![0x11, 1, 2], short)]);
    // The unit alone is not convincing.
    assert_eq!(crate::feed(&mut decoder, &[0x11]), []);
    let short = Defect::Short { got: 1, least: 4 };
    assert_eq!(crate::silence(&mut decoder), [Got::Noise(vec![0x11], short)]);

    // An exception, and an answer whose byte count is what was damaged.
    let exception = broken(frame(0x11, &[0x83, 2]));
    let mut counted = frame(0x11, &ANSWER);
    counted[2] = 0x86;
    for bytes in [exception, counted] {
        assert_eq!(crate::feed(&mut decoder, &bytes), []);
        let damaged = Got::Damaged(bytes.clone(), bad_crc(&bytes));
        assert_eq!(crate::silence(&mut decoder), [damaged]);
    }

    // The same of another unit, of another function, or on the other side, is noise.
    for (mut decoder, unit, code) in
        [(waiting(&READ), 0x12, 3), (waiting(&READ), 0x11, 4), (Mode::Rtu.requests(), 0x11, 3)]
    {
        let bytes = broken(frame(unit, &[&[code], &ANSWER[1..]].concat()));
        assert_eq!(crate::feed(&mut decoder, &bytes), []);
        assert_eq!(crate::silence(&mut decoder), [Got::Noise(bytes.clone(), bad_crc(&bytes))]);
    }
}

#[test]
fn a_gap_is_told_from_an_end() {
    let whole = |decoder: &mut Decoder, bytes: &[u8]| -> Vec<bool> {
        let at = |byte: &u8| {
            crate::feed(decoder, &[*byte]);
            decoder.is_whole()
        };
        bytes.iter().map(at).collect()
    };
    let ends =
        |bytes: &[u8]| -> Vec<bool> { (1..=bytes.len()).map(|at| at == bytes.len()).collect() };
    // Frames whose length is predicted need no silence at all.
    let answer = frame(0x11, &ANSWER);
    assert_eq!(whole(&mut waiting(&READ), &answer), [false; 11]);
    let noisy = [&[0x00][..], &answer].concat();
    assert_eq!(whole(&mut waiting(&READ), &noisy), ends(&noisy));
    let custom = frame(0x11, &[0x41, 1, 2, 3]);
    assert_eq!(whole(&mut waiting(&Request::Custom(0x41, vec![].into())), &custom), ends(&custom));
    assert_eq!(whole(&mut waiting(&READ), &broken(answer.clone())), [false; 11]);
    assert_eq!(whole(&mut waiting(&READ), &[&noisy[..], &[0xFE]].concat())[12..], [false]);
}

#[test]
fn noise_before_and_behind_a_frame_does_not_hide_it() {
    let noises: [&[u8]; 6] = [
        &[0],
        &[0xFF],
        &[0xFF, 0xFF],
        &[0x11],
        &[0x55; 20],
        b"\x02\x9e\x10garbage of a wrong baud rate\xfe\x81",
    ];
    for before in noises {
        for after in noises {
            for pdu in [&ANSWER[..], &[0x83, 2]] {
                let mut decoder = waiting(&READ);
                let mut got = crate::feed(&mut decoder, before);
                got.extend(crate::feed(&mut decoder, &[&frame(0x11, pdu)[..], after].concat()));
                got.extend(crate::silence(&mut decoder));
                let [Got::Noise(front, _), answer, Got::Noise(back, _)] = &got[..] else {
                    panic!("{got:?}");
                };
                assert_eq!((&front[..], &back[..]), (before, after));
                assert_eq!(answer, &whole(0x11, pdu));
            }
        }
    }
}

#[test]
fn foreign_traffic_comes_out_one_by_one() {
    let request = frame(2, &[0x03, 0x10, 0, 0, 2]);
    let write = frame(3, &[0x10, 0, 1, 0, 2, 4, 0, 10, 1, 2]);
    let parts: [(u8, &[u8]); 7] = [
        (2, &[0x03, 0x10, 0, 0, 2]),
        (2, &[0x03, 4, 0, 1, 0, 2]),
        (3, &[0x10, 0, 1, 0, 2, 4, 0, 10, 1, 2]),
        (3, &[0x10, 0, 1, 0, 2]),
        (4, &[0x84, 2]),
        (5, &[0x11]),
        (0x11, &ANSWER),
    ];
    let bytes = parts.iter().flat_map(|(unit, pdu)| frame(*unit, pdu)).collect::<Vec<u8>>();
    assert!(bytes.starts_with(&request) && bytes.windows(write.len()).any(|at| at == write));
    let expected: Vec<Got> = parts.iter().map(|(unit, pdu)| whole(*unit, pdu)).collect();
    for mut decoder in [waiting(&READ), Mode::Rtu.answers(), Mode::Rtu.requests()] {
        assert_eq!(crate::feed(&mut decoder, &bytes), expected);
    }
}

/// The CRC of the answer stands where a request has its byte count.
#[test]
fn the_answer_to_a_foreign_write_does_not_hold_up_a_server() {
    for unit in 1..=247 {
        let pdu = [0x10, 0, 1, 0, 2];
        let mut decoder = Mode::Rtu.requests();
        let got = crate::feed(&mut decoder, &frame(unit, &pdu));
        let coherent = frame(unit, &pdu)[6] == 4;
        assert_eq!(got, if coherent { vec![] } else { vec![whole(unit, &pdu)] });
    }
}

#[test]
fn an_echo_is_a_frame_like_any_other() {
    for (request, sent, answer) in [
        (READ, &[0x03, 0, 0x6B, 0, 3][..], &ANSWER[..]),
        // The high byte of the address is the byte count of the answer.
        (Request::ReadHoldingRegisters(0x066B, 3), &[0x03, 6, 0x6B, 0, 3], &ANSWER),
        (Request::WriteSingleRegister(1, 2), &[0x06, 0, 1, 0, 2], &[0x06, 0, 1, 0, 2]),
        (
            Request::WriteMultipleRegisters(1, vec![7, 8].into()),
            &[0x10, 0, 1, 0, 2, 4, 0, 7, 0, 8],
            &[0x10, 0, 1, 0, 2],
        ),
    ] {
        let bytes = [frame(0x11, sent), frame(0x11, answer)].concat();
        let expected = [whole(0x11, sent), whole(0x11, answer)];
        let mut decoder = waiting(&request);
        assert_eq!(crate::feed(&mut decoder, &bytes), expected, "{request:?}");
        let mut decoder = waiting(&request);
        let (echo, rest) = bytes.split_at(sent.len() + 3);
        let mut got = crate::feed(&mut decoder, echo);
        let ambiguous = sent[1] == answer[1] && sent.len() < answer.len();
        assert_eq!(got.is_empty(), ambiguous, "{request:?}");
        got.extend(crate::silence(&mut decoder));
        got.extend(crate::feed(&mut decoder, rest));
        assert_eq!(got, expected, "{request:?}, silence between");
    }
    // Of a function without a length, only what follows can show where the echo ends.
    let request = Request::Custom(0x41, vec![1, 2, 3].into());
    for (answer, wait) in [(&[0x41, 9, 9, 9, 9][..], true), (&[0xC1, 1], true)] {
        let mut decoder = waiting(&request);
        let bytes = [frame(0x11, &[0x41, 1, 2, 3]), frame(0x11, answer)].concat();
        let mut got = crate::feed(&mut decoder, &bytes);
        assert_eq!(got.is_empty(), wait);
        got.extend(crate::silence(&mut decoder));
        assert_eq!(got, [whole(0x11, &[0x41, 1, 2, 3]), whole(0x11, answer)]);
    }
}

#[test]
fn what_lies_inside_a_frame_is_not_taken_for_one() {
    let inner = frame(0x11, &ANSWER);
    // In a foreign answer, in one of a function without a length, and directly before ours.
    let registers = [&[0x03, 12, 0xAA][..], &inner].concat();
    let custom = [&[0x41, 1][..], &inner, &[9]].concat();
    for pdu in [&registers, &custom] {
        let mut decoder = waiting(&READ);
        let mut got = crate::feed(&mut decoder, &frame(2, pdu));
        got.extend(crate::silence(&mut decoder));
        assert_eq!(got, [whole(2, pdu)]);
        let mut got = crate::feed(&mut decoder, &[frame(2, pdu), inner.clone()].concat());
        got.extend(crate::silence(&mut decoder));
        assert_eq!(got, [whole(2, pdu), whole(0x11, &ANSWER)]);
    }
    // In our own answer, sound or not: it holds another answer to the same request.
    let read = Request::ReadHoldingRegisters(0, 6);
    let asked = [&[0x03, 12][..], &[7; 12]].concat();
    let mut decoder = waiting(&read);
    let reading = frame(0x11, &asked);
    let long = [&[0x03, 36][..], &reading, &[0; 19]].concat();
    let bytes = broken(frame(0x11, &[&[0x03, 12][..], &reading[..12]].concat()));
    assert_eq!(crate::feed(&mut decoder, &bytes), []);
    let damaged = Got::Damaged(bytes.clone(), bad_crc(&bytes));
    assert_eq!(crate::silence(&mut decoder), [damaged]);
    let read = Request::ReadHoldingRegisters(0, 18);
    let mut decoder = waiting(&read);
    decoder.expect(0x11, &read);
    let bytes = broken(frame(0x11, &long));
    for before in [&[][..], &[0], &[0, 0xFE, 0x22]] {
        decoder.feed(before);
        assert_eq!(crate::feed(&mut decoder, &bytes), []);
        let got = crate::silence(&mut decoder);
        let damaged = Got::Damaged(bytes.clone(), bad_crc(&bytes));
        assert_eq!(got.last(), Some(&damaged));
        assert!(!got.iter().any(|part| matches!(part, Got::Frame { .. })), "{got:?}");
    }
}

/// Register values whose first bytes make a sound shorter frame: one in 65536 has them.
#[test]
fn a_chance_crc_inside_the_answer_is_not_its_end() {
    let read = Request::ReadHoldingRegisters(0, 10);
    let mut pdu = [&[0x03, 20][..], &[0x5A; 20]].concat();
    let sum = crc(&[&[0x11][..], &pdu[..5]].concat()).to_le_bytes();
    pdu[5..7].copy_from_slice(&sum);
    let bytes = frame(0x11, &pdu);
    assert_eq!(crc(&bytes[..8]), 0, "it reads like a request");
    for piece in [1, 8, 100] {
        let mut decoder = waiting(&read);
        let got: Vec<Got> =
            bytes.chunks(piece).flat_map(|piece| crate::feed(&mut decoder, piece)).collect();
        assert_eq!(got, [whole(0x11, &pdu)]);
    }
    // A foreign request whose first bytes make a sound answer of nothing.
    let [low, high] = crc(&[2, 3, 0]).to_le_bytes();
    let pdu = [3, 0, low, high, 1];
    assert_eq!(crate::feed(&mut waiting(&read), &frame(2, &pdu)), [whole(2, &pdu)]);
    // A request whose first bytes make a sound answer.
    let found = (0..=u16::MAX).find_map(|sum| {
        let [high, low] = sum.to_be_bytes();
        let bytes = frame(0x11, &[0x03, 2, high, low, 1]);
        (crc(&bytes[..7]) == 0).then_some(bytes)
    });
    let bytes = found.unwrap();
    let mut decoder = Mode::Rtu.requests();
    let got: Vec<Got> = bytes.iter().flat_map(|byte| crate::feed(&mut decoder, &[*byte])).collect();
    assert_eq!(got, [whole(0x11, &bytes[1..6])]);
}

#[test]
fn a_sound_frame_of_the_wrong_length_is_a_frame() {
    let more = [&[0x03, 8][..], &[1; 8]].concat();
    let lying = [&[0x03, 74][..], &[1; 6]].concat();
    let trailing = [&ANSWER[..], &[1, 2]].concat();
    let fewer = vec![0x03, 2, 0, 1];
    for (pdu, told) in [(&more, true), (&fewer, true), (&lying, true), (&trailing, false)] {
        let mut decoder = waiting(&READ);
        let mut got = crate::feed(&mut decoder, &frame(0x11, pdu));
        assert_eq!(got.len(), usize::from(told), "{pdu:?}");
        got.extend(crate::silence(&mut decoder));
        assert_eq!(got, [whole(0x11, pdu)]);
    }
}

#[test]
fn silence_ends_what_came_before_it_and_nothing_else() {
    let mut decoder = waiting(&READ);
    let (front, back) = (&[0x11, 0x03, 6][..], frame(0x11, &ANSWER));
    decoder.feed(front);
    decoder.silence();
    decoder.feed(&back);
    let short = Defect::Short { got: 3, least: 11 };
    let expected = [Got::Damaged(front.to_vec(), short), whole(0x11, &ANSWER)];
    assert_eq!(crate::drain(&mut decoder), expected);
    let first = [&back[..], front].concat();
    assert_eq!(crate::feed(&mut decoder, &first), [whole(0x11, &ANSWER)]);
    decoder.silence();
    assert_eq!(crate::feed(&mut decoder, &back), expected, "whatever is moved meanwhile");
    assert_eq!(crate::silence(&mut decoder), [], "nothing is pending: nothing comes of it");
}

/// One piece of noise in 65536 has no influence on the CRC of what follows it.
#[test]
fn noise_and_the_answer_behind_it_are_not_one_frame_by_chance() {
    let noise = (0..=u16::MAX).find_map(|end| {
        let [high, low] = end.to_be_bytes();
        let noise = [0x22, 0x55, high, low];
        (crc(&noise) == 0xFFFF).then_some(noise)
    });
    let bytes = [&noise.unwrap()[..], &frame(0x11, &ANSWER)].concat();
    assert_eq!(crc(&bytes), 0);
    let mut decoder = waiting(&READ);
    let got =
        [crate::feed(&mut decoder, &[&[0xFE][..], &bytes].concat()), crate::silence(&mut decoder)];
    let [Got::Noise(..), answer] = &got.concat()[..] else { panic!("{got:?}") };
    assert_eq!(answer, &whole(0x11, &ANSWER));
    // An odd answer is one behind noise, too.
    let odd = [&ANSWER[..], &[1, 2]].concat();
    crate::feed(&mut decoder, &[&[0xFE][..], &frame(0x11, &odd)].concat());
    assert_eq!(crate::silence(&mut decoder)[1..], [whole(0x11, &odd)]);
}

#[test]
fn a_frame_in_endless_noise_needs_no_silence() {
    let mut decoder = waiting(&READ);
    assert_eq!(crate::feed(&mut decoder, &[0x55; 700]).len(), 2);
    let got = crate::feed(&mut decoder, &frame(0x11, &ANSWER));
    assert_eq!(got.last(), Some(&whole(0x11, &ANSWER)));
    // The noise is over, and a frame of unknown length can begin again.
    let odd = [&ANSWER[..], &[1, 2]].concat();
    assert_eq!(crate::feed(&mut decoder, &frame(0x11, &odd)), []);
    assert_eq!(crate::silence(&mut decoder), [whole(0x11, &odd)]);
    // Which the longest frame and a byte behind it, without silence between, are not.
    decoder.feed(&[frame(0x12, &[0x41; 253]), vec![9]].concat());
    assert!(matches!(crate::silence(&mut decoder)[..], [Got::Noise(..), Got::Noise(..)]));
}

/// Every value of 16 bits in an order that looks like chance, for ever.
fn noise() -> impl Iterator<Item = u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), next).map(|state: u32| state.to_be_bytes()[0])
}

#[test]
fn a_flood_of_noise_costs_little_and_hides_nothing_behind_it() {
    let begin = Instant::now();
    for piece in [1, 7, 500, 100_000] {
        let mut decoder = waiting(&READ);
        let flood: Vec<u8> = noise().take(400_000).collect();
        let mut seen = 0;
        for piece in flood.chunks(piece) {
            for part in crate::feed(&mut decoder, piece) {
                assert!(!matches!(&part, Got::Frame { unit: 0x11, .. }), "{part:?}");
                assert!(part.bytes().len() <= MAX_FRAME);
                seen += part.bytes().len();
            }
            assert!(decoder.pending().len() <= 2 * MAX_FRAME);
        }
        assert_eq!(seen + decoder.pending().len(), flood.len());
        // No silence yet: the noise goes on behind the answer.
        let mut got = crate::feed(&mut decoder, &frame(0x11, &ANSWER));
        for byte in noise().take(2 * MAX_FRAME) {
            got.extend(crate::feed(&mut decoder, &[byte]));
        }
        assert!(got.contains(&whole(0x11, &ANSWER)), "in pieces of {piece}");
        crate::silence(&mut decoder);
        assert_eq!(crate::feed(&mut decoder, &frame(0x11, &ANSWER)), [whole(0x11, &ANSWER)]);
        assert!(begin.elapsed().as_secs() < 60, "far more than linear");
    }
}
