//! Every kind of fault in bytes: what goes out, and when. Paused time, so that times are exact.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Span, Table};
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{
    AnswerFault, Fault, FrameFault, HeaderFault, Kind, Length, Noise, RequestFault, Scope, Seed,
    Sent, TransactionId, Trigger,
};
use passline_simulator::image::Image;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{frame, hex, image};

/// What is read of registers 3 and 4 of unit 1, as transaction 0x1234.
const READ: &str = "1234 0000 0006 01 03 0003 0002";
/// The answer of a sound device.
const SOUND: &str = "1234 0000 0007 01 03 04 0103 0104";

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn always(kind: impl Into<Kind>) -> Fault {
    Fault { kind: kind.into(), scope: Scope::default(), trigger: Trigger::default() }
}

fn first(count: u64, kind: impl Into<Kind>) -> Fault {
    Fault { trigger: Trigger { first: Some(count), ..Trigger::default() }, ..always(kind) }
}

fn on(span: (Table, u16, u16), kind: impl Into<Kind>) -> Fault {
    let scope = Scope { span: Span::new(span.0, span.1, span.2), ..Scope::default() };
    Fault { scope, ..always(kind) }
}

fn line(faults: impl IntoIterator<Item = Fault>) -> Endpoint {
    let device = Device::new(image()).with_faults(faults, Seed::of_device(7, "meter"));
    Endpoint::new(BTreeMap::from([(1, device)]), Instant::now())
}

fn text(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    digits.concat()
}

/// What comes within two seconds, as `milliseconds:bytes` each, and `end` if it ends.
async fn heard(client: &mut DuplexStream) -> String {
    let start = Instant::now();
    let mut heard = Vec::new();
    let mut chunk = [0; 600];
    while let Ok(read) = timeout(millis(2000), client.read(&mut chunk)).await {
        let at = start.elapsed().as_millis();
        let Ok(count @ 1..) = read else {
            heard.push(format!("{at}:end"));
            break;
        };
        heard.push(format!("{at}:{}", text(&chunk[..count])));
    }
    heard.join(" ")
}

/// What comes of these bytes.
async fn said(client: &mut DuplexStream, request: &[u8]) -> String {
    client.write_all(request).await.unwrap();
    heard(client).await
}

/// As [`said`] shows it: at these milliseconds these bytes.
fn expected(pieces: &[(u64, &str)]) -> String {
    let piece = |(at, bytes): &(u64, &str)| match *bytes {
        "end" => format!("{at}:end"),
        bytes => format!("{at}:{}", text(&hex(bytes))),
    };
    pieces.iter().map(piece).collect::<Vec<_>>().join(" ")
}

/// The answer of a line with these faults to [`READ`].
async fn check(faults: impl IntoIterator<Item = Fault>, pieces: &[(u64, &str)]) {
    let faults: Vec<Fault> = faults.into_iter().collect();
    let shown = format!("{faults:?}");
    let seen = said(&mut line(faults).connect(), &hex(READ)).await;
    assert_eq!(seen, expected(pieces), "{shown}");
}

fn given(bytes: &str) -> Noise {
    Noise::Given(hex(bytes).into())
}

#[tokio::test(start_paused = true)]
async fn what_a_device_says_under_each_fault_of_the_answer() {
    use AnswerFault as A;
    let code = ExceptionCode::ServerDeviceBusy;
    check([], &[(0, SOUND)]).await;
    check([always(RequestFault::Exception { code })], &[(0, "1234 0000 0003 01 83 06")]).await;
    check([always(A::Silent)], &[]).await;
    check([always(A::Function)], &[(0, "1234 0000 0007 01 04 04 0103 0104")]).await;
    check([always(A::ByteCount { add: 1 })], &[(0, "1234 0000 0007 01 03 05 0103 0104")]).await;
    check([always(A::ByteCount { add: -5 })], &[(0, "1234 0000 0007 01 03 FF 0103 0104")]).await;
    let registers = |add| always(A::Registers { add });
    check([registers(1)], &[(0, "1234 0000 0009 01 03 06 0103 0104 0000")]).await;
    check([registers(-1)], &[(0, "1234 0000 0005 01 03 02 0103")]).await;
    check([registers(-128)], &[(0, "1234 0000 0003 01 03 00")]).await;
    check([always(A::BitFlip { bit: Some(0) })], &[(0, "1234 0000 0007 01 03 04 0102 0104")]).await;
    check([always(A::BitFlip { bit: Some(15) })], &[(0, "1234 0000 0007 01 03 04 8103 0104")])
        .await;
    let at_4 = (Table::Holding, 4, 1);
    check([on(at_4, A::BitFlip { bit: Some(9) })], &[(0, "1234 0000 0007 01 03 04 0103 0304")])
        .await;
    // There is no answer before this one, nothing that was written, and nothing else to freeze.
    for kind in [A::Stale, A::OldEcho, A::Frozen] {
        check([always(kind)], &[(0, SOUND)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_answer_is_as_long_as_a_pdu_may_be() {
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[0xAAAA; 125]).unwrap();
    let faults = [always(AnswerFault::Registers { add: 127 })];
    let device = Device::new(image).with_faults(faults, Seed::of_device(7, "meter"));
    let line = Endpoint::new(BTreeMap::from([(1, device)]), Instant::now());
    let seen = said(&mut line.connect(), &frame(1, 1, &hex("03 0000 007D"))).await;
    let data = "AAAA".repeat(125);
    assert_eq!(seen, format!("0:0001000000FD0103FA{data}"));
}

#[tokio::test(start_paused = true)]
async fn what_a_device_says_under_each_fault_of_the_header() {
    use HeaderFault as H;
    let id = |id| [always(H::TransactionId(id))];
    check(id(TransactionId::Next), &[(0, "1235 0000 0007 01 03 04 0103 0104")]).await;
    check(id(TransactionId::Fixed(0)), &[(0, "0000 0000 0007 01 03 04 0103 0104")]).await;
    check(id(TransactionId::Swapped), &[(0, "3412 0000 0007 01 03 04 0103 0104")]).await;
    check(id(TransactionId::Counted), &[(0, "0001 0000 0007 01 03 04 0103 0104")]).await;
    check([always(H::UnitId { id: 9 })], &[(0, "1234 0000 0007 09 03 04 0103 0104")]).await;
    check([always(H::ProtocolId { id: 1 })], &[(0, "1234 0001 0007 01 03 04 0103 0104")]).await;
    let length = |length| [always(H::Length(length))];
    check(length(Length::Add(1)), &[(0, "1234 0000 0008 01 03 04 0103 0104")]).await;
    check(length(Length::Add(-1)), &[(0, "1234 0000 0006 01 03 04 0103 0104")]).await;
    check(length(Length::Fixed(65535)), &[(0, "1234 0000 FFFF 01 03 04 0103 0104")]).await;
    // Modbus TCP has no checksum.
    check([always(H::Checksum)], &[(0, SOUND)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_counts_by_itself_goes_on_counting() {
    let line = line([always(HeaderFault::TransactionId(TransactionId::Counted))]);
    let mut client = line.connect();
    for count in 1..=3 {
        let seen = said(&mut client, &hex(READ)).await;
        assert_eq!(seen, expected(&[(0, &SOUND.replace("1234", &format!("{count:04X}")))]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_frame_on_its_way() {
    use FrameFault as F;
    check([always(F::Delay { by: millis(30) })], &[(30, SOUND)]).await;
    let gap = |at, by| [always(F::Gap { at, by: millis(by) })];
    check(gap(Some(3), 40), &[(0, "1234 00"), (40, "00 0007 01 03 04 0103 0104")]).await;
    check(gap(None, 40), &[(0, "1234 0000 0007"), (40, "01 03 04 0103 0104")]).await;
    check(gap(Some(13), 40), &[(0, SOUND)]).await;
    check([always(F::Truncate { count: 1 })], &[(0, &SOUND[..SOUND.len() - 2])]).await;
    check([always(F::Truncate { count: 13 })], &[]).await;
    check([always(F::Truncate { count: 99 })], &[]).await;
    let trailing = [always(F::Trailing(given("DE AD")))];
    check(trailing, &[(0, "1234 0000 0007 01 03 04 0103 0104 DEAD")]).await;
    let noise = [always(F::Noise(given("FF")))];
    check(noise, &[(0, "FF 1234 0000 0007 01 03 04 0103 0104")]).await;
    check([always(F::Duplicate)], &[(0, &SOUND.repeat(2))]).await;
    let stray = "9234 0000 0007 01 03 04 FEFC FEFB";
    check([always(F::Unsolicited)], &[(0, &format!("{stray}{SOUND}"))]).await;
    // Serial lines have these; their bytes would mean nothing here.
    check([always(F::NoSilence)], &[(0, SOUND)]).await;
    let close = |sent| [always(F::Close { sent })];
    check(close(Sent::Bytes(0)), &[(0, "end")]).await;
    check(close(Sent::Bytes(5)), &[(0, "1234 0000 00"), (0, "end")]).await;
    check(close(Sent::All), &[(0, SOUND), (0, "end")]).await;
    check([always(F::Reset { sent: Sent::Bytes(2) })], &[(0, "1234"), (0, "end")]).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_trickle_come_one_by_one() {
    let line = line([always(FrameFault::Trickle { by: millis(7) })]);
    let seen = said(&mut line.connect(), &hex(READ)).await;
    let bytes = hex(SOUND);
    let each: Vec<String> =
        (0..).zip(&bytes).map(|(at, byte)| format!("{}:{byte:02X}", 7 * at)).collect();
    assert_eq!(seen, each.join(" "));
}

#[tokio::test(start_paused = true)]
async fn faults_of_all_stages_compose() {
    use FrameFault as F;
    let delay = || always(F::Delay { by: millis(10) });
    // A trailing byte in a frame whose length covers it.
    let inside = [always(HeaderFault::Length(Length::Add(1))), always(F::Trailing(given("AA")))];
    check(inside, &[(0, "1234 0000 0008 01 03 04 0103 0104 AA")]).await;
    // In their order: what is doubled is what there is by then.
    let noise = || always(F::Noise(given("FF")));
    let noisy = format!("FF{SOUND}");
    check([noise(), always(F::Duplicate)], &[(0, &noisy.repeat(2))]).await;
    check([always(F::Duplicate), noise()], &[(0, &format!("{noisy}{SOUND}"))]).await;
    check([always(AnswerFault::Silent), noise(), delay()], &[(10, "FF")]).await;
    let stray = "9234 0000 0007 01 03 04 FEFC FEFB";
    check([always(AnswerFault::Silent), always(F::Unsolicited)], &[(0, stray)]).await;
    let mid = F::Close { sent: Sent::Bytes(4) };
    check([delay(), always(mid)], &[(10, "1234 0000"), (10, "end")]).await;
    let two_gaps = [3, 5].map(|at| always(F::Gap { at: Some(at), by: millis(20) }));
    let pieces = [(0, "1234 00"), (20, "00 00"), (40, "07 01 03 04 0103 0104")];
    check(two_gaps, &pieces).await;
    let code = ExceptionCode::ServerDeviceBusy;
    let busy = [always(RequestFault::Exception { code }), always(HeaderFault::UnitId { id: 9 })];
    check(busy, &[(0, "1234 0000 0003 09 83 06")]).await;
    // What is ignored is not heard by anything.
    let ignored = [always(RequestFault::PauseAfterConnect { by: millis(1) }), noise()];
    check(ignored, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_holds_back_the_answers_behind_it() {
    let line = line([first(1, FrameFault::Gap { at: Some(2), by: millis(50) })]);
    let other = "4321 0000 0006 01 03 0003 0002";
    let requests = [hex(READ), hex(other)].concat();
    let seen = said(&mut line.connect(), &requests).await;
    let rest = format!("{}{}", &SOUND[4..], SOUND.replace("1234", "4321"));
    assert_eq!(seen, expected(&[(0, "1234"), (50, &rest)]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_wait_for_the_next_one() {
    let requests: Vec<u8> = (1..=4).flat_map(|id| frame(id, 1, &hex("03 0003 0001"))).collect();
    let answers = |ids: [u16; 4]| -> String {
        ids.map(|id| text(&frame(id, 1, &hex("03 02 0103")))).concat()
    };
    let seen = said(&mut line([always(FrameFault::Reorder)]).connect(), &requests).await;
    assert_eq!(seen, format!("0:{}", answers([2, 1, 4, 3])));
    let seen = said(&mut line([first(1, FrameFault::Reorder)]).connect(), &requests).await;
    assert_eq!(seen, format!("0:{}", answers([2, 1, 3, 4])));

    // The first one of two, with nothing behind it.
    let line = line([first(1, FrameFault::Together)]);
    let mut client = line.connect();
    assert_eq!(said(&mut client, &hex(READ)).await, "");
    let next = said(&mut client, &hex(&READ.replace("1234", "1235"))).await;
    assert_eq!(next, expected(&[(0, &format!("{SOUND}{}", SOUND.replace("1234", "1235")))]));
}

/// Asks one PDU after the other and gives the PDUs answered, `-` for none.
async fn dialog(line: &Endpoint, pdus: &[&str]) -> Vec<String> {
    let mut client = line.connect();
    let mut answers = Vec::new();
    for pdu in pdus {
        let seen = said(&mut client, &frame(1, 1, &hex(pdu))).await;
        answers.push(seen.get(16..).unwrap_or("-").to_owned());
    }
    answers
}

fn pdus(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|pdu| if *pdu == "-" { (*pdu).to_owned() } else { text(&hex(pdu)) }).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_the_one_to_the_request_before() {
    let line = line([always(AnswerFault::Stale)]);
    let asked = ["03 0000 0001", "03 0001 0001", "06 0001 AAAA", "03 0001 0001", "03 0002 0002"];
    let answered = ["03 02 0100", "03 02 0100", "03 02 0101", "06 0001 AAAA", "03 02 AAAA"];
    assert_eq!(dialog(&line, &asked).await, pdus(&answered));
}

#[tokio::test(start_paused = true)]
async fn what_is_frozen_stays_as_it_was_at_first_within_its_scope() {
    let asked = ["03 0003 0001", "06 0003 AAAA", "06 0004 BBBB", "03 0003 0002", "01 0000 0002"];
    let line_of = |fault| line([fault]);
    let seen = dialog(&line_of(on((Table::Holding, 3, 1), AnswerFault::Frozen)), &asked).await;
    assert_eq!(seen[3], text(&hex("03 04 0103 BBBB")));
    let all = line_of(always(AnswerFault::Frozen));
    assert_eq!(dialog(&all, &asked).await[3], text(&hex("03 04 0103 0104")));
    // What was written is there, under the ice.
    let span = Span::new(Table::Holding, 3, 2).unwrap();
    let held = all.with_device(1, |device| device.image().words(span).map(<[u16]>::to_vec));
    assert_eq!(held, Some(Some(vec![0xAAAA, 0xBBBB])));
    let coils = ["01 0000 0003", "05 0000 0000", "05 0001 FF00", "01 0000 0003"];
    let seen = dialog(&line_of(on((Table::Coil, 1, 2), AnswerFault::Frozen)), &coils).await;
    assert_eq!(seen[3], text(&hex("01 01 04")), "coil 0 thawed, 1 frozen off, 2 frozen on");
}

#[tokio::test(start_paused = true)]
async fn a_value_stands_for_what_the_device_holds() {
    let cells = |set: &dyn Fn(&mut Image)| {
        let mut cells = Image::new();
        set(&mut cells);
        AnswerFault::Value { cells: Arc::new(cells) }
    };
    let nan = cells(&|image| image.set_words(Table::Holding, 4, &[0x7FC0, 0]).unwrap());
    let line_of = |fault| line([fault]);
    let asked = ["03 0003 0001", "03 0003 0003", "03 0005 0002", "17 0004 0001 0009 0001 02 0000"];
    let answered = ["03 02 0103", "03 06 0103 7FC0 0000", "03 04 0000 0106", "17 02 7FC0"];
    let seen = dialog(&line_of(on((Table::Holding, 4, 2), nan.clone())), &asked).await;
    assert_eq!(seen, pdus(&answered));
    // Only in its scope.
    let seen = dialog(&line_of(on((Table::Holding, 4, 1), nan)), &asked).await;
    assert_eq!(seen[1], text(&hex("03 06 0103 7FC0 0105")));
    let off = cells(&|image| image.set_bits(Table::Discrete, 17, &[false, false]).unwrap());
    let asked = ["02 0010 0008", "02 0012 0001"];
    let seen = dialog(&line_of(on((Table::Discrete, 17, 2), off)), &asked).await;
    assert_eq!(seen, pdus(&["02 01 F9", "02 01 00"]));
}

#[tokio::test(start_paused = true)]
async fn bits_flip_where_data_are_and_nowhere_else() {
    let flip = |span, bit| line([on(span, AnswerFault::BitFlip { bit })]);
    let coil = flip((Table::Coil, 3, 1), Some(0));
    assert_eq!(dialog(&coil, &["01 0000 000A"]).await, pdus(&["01 02 5D01"]));
    let written = line([always(AnswerFault::BitFlip { bit: Some(3) })]);
    assert_eq!(dialog(&written, &["06 0004 0000"]).await, pdus(&["06 0804 0000"]));
    assert_eq!(dialog(&written, &["03 1000 0001"]).await, pdus(&["83 02"]), "no data");
    // By chance: always one bit, not always the same one.
    let drawn = line([on((Table::Holding, 1, 2), AnswerFault::BitFlip { bit: None })]);
    let mut seen = dialog(&drawn, &["03 0000 0004"; 30]).await;
    for answer in &seen {
        let bytes = hex(answer);
        let sound = hex("03 08 0100 0101 0102 0103");
        let flipped: Vec<usize> = (0..10).filter(|at| bytes[*at] != sound[*at]).collect();
        let [at] = flipped[..] else { panic!("{answer}") };
        assert!((4..8).contains(&at), "{answer}");
        assert_eq!((bytes[at] ^ sound[at]).count_ones(), 1, "{answer}");
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 10, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_is_answered_as_if_it_were() {
    let line = line([always(RequestFault::NotStored)]);
    let writes = [
        ("06 0003 AAAA", "06 0003 AAAA"),
        ("10 0003 0001 02 AAAA", "10 0003 0001"),
        ("16 0003 0000 00FF", "16 0003 0000 00FF"),
        ("05 0000 0000", "05 0000 0000"),
        ("0F 0000 0002 01 00", "0F 0000 0002"),
        // What it reads is what is there.
        ("17 0003 0001 0003 0001 02 AAAA", "17 02 0103"),
        // What cannot be written is still refused.
        ("06 1000 AAAA", "86 02"),
    ];
    for (write, answer) in writes {
        let seen = dialog(&line, &[write, "03 0003 0001", "01 0000 0002"]).await;
        assert_eq!(seen, pdus(&[answer, "03 02 0103", "01 01 01"]), "{write}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_echo_repeats_what_was_there_and_the_new_one_is_stored() {
    let line = line([always(AnswerFault::OldEcho)]);
    let asked = ["06 0003 AAAA", "03 0003 0001", "05 0000 0000", "05 0001 FF00", "01 0000 0002"];
    let answered = ["06 0003 0103", "03 02 AAAA", "05 0000 FF00", "05 0001 0000", "01 01 02"];
    assert_eq!(dialog(&line, &asked).await, pdus(&answered));
    // The answers to these repeat no value.
    let asked = ["10 0003 0001 02 1111", "06 1000 0000"];
    assert_eq!(dialog(&line, &asked).await, pdus(&["10 0003 0001", "86 02"]));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_needs_rest_ignores_who_comes_too_soon() {
    let delayed = always(FrameFault::Delay { by: millis(100) });
    let line = line([always(RequestFault::Pause { by: millis(50) }), delayed]);
    let mut client = line.connect();
    let request = hex(READ);
    let answered = |at| expected(&[(at, SOUND)]);
    assert_eq!(said(&mut client, &request).await, answered(100));
    // It rests since its answer went out, 100 ms behind the request.
    for (after, answers) in [(0, true), (149, false), (150, true), (151, true)] {
        sleep(Duration::from_secs(5)).await;
        client.write_all(&request).await.unwrap();
        sleep(millis(after)).await;
        client.write_all(&request).await.unwrap();
        let count = heard(&mut client).await.matches(&text(&hex(SOUND))).count();
        // At once: the second one comes while the first one is at work.
        let expected = if after == 0 || !answers { 1 } else { 2 };
        assert_eq!(count, expected, "{after} ms behind");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_not_ready_yet_ignores_who_asks() {
    let line = line([always(RequestFault::PauseAfterConnect { by: millis(100) })]);
    for (after, answers) in [(0, false), (99, false), (100, true)] {
        let mut client = line.connect();
        sleep(millis(after)).await;
        let seen = said(&mut client, &hex(READ)).await;
        assert_eq!(!seen.is_empty(), answers, "{after} ms after connecting");
    }
}

#[tokio::test(start_paused = true)]
async fn one_in_flight_means_that_others_vanish() {
    let line =
        line([always(RequestFault::OneInFlight), always(FrameFault::Delay { by: millis(20) })]);
    let mut client = line.connect();
    let requests: Vec<u8> = (1..=3).flat_map(|id| frame(id, 1, &hex("03 0003 0001"))).collect();
    let answer = |id| text(&frame(id, 1, &hex("03 02 0103")));
    assert_eq!(said(&mut client, &requests).await, format!("20:{}", answer(1)));
    // A write that vanishes is not done.
    let writes = [frame(4, 1, &hex("03 0003 0001")), frame(5, 1, &hex("06 0003 AAAA"))].concat();
    assert_eq!(said(&mut client, &writes).await, format!("20:{}", answer(4)));
    assert_eq!(said(&mut client, &requests[..12]).await, format!("20:{}", answer(1)));
}

#[tokio::test(start_paused = true)]
async fn requests_for_more_than_a_device_gives_are_refused() {
    let code = ExceptionCode::IllegalDataValue;
    let scope = Scope { more_than: Some(2), ..Scope::default() };
    let line = line([Fault { scope, ..always(RequestFault::Exception { code }) }]);
    let asked = ["03 0000 0002", "03 0000 0003", "10 0000 0003 06 0000 0000 0000", "05 0000 0000"];
    let answered = ["03 04 0100 0101", "83 03", "90 03", "05 0000 0000"];
    assert_eq!(dialog(&line, &asked).await, pdus(&answered));
}

/// RTU frames, their checksums worked out by another program.
const RTU_READ: &str = "01 03 0003 0002 340B";
const RTU_SOUND: &str = "01 03 04 0103 0104 0B9C";

async fn said_by<const N: usize>(framing: Framing, faults: [Fault; N], request: &[u8]) -> String {
    let line = line(faults);
    said(&mut line.connect_by(Wire::instant(framing)), request).await
}

async fn check_rtu(fault: Fault, pieces: &[(u64, &str)]) {
    let shown = format!("{fault:?}");
    let seen = said_by(Framing::Rtu, [fault], &hex(RTU_READ)).await;
    assert_eq!(seen, expected(pieces), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn serial_frames_are_spoilt_in_their_own_way() {
    use FrameFault as F;
    check_rtu(always(HeaderFault::Checksum), &[(0, "01 03 04 0103 0104 0B9D")]).await;
    check_rtu(always(HeaderFault::UnitId { id: 9 }), &[(0, "09 03 04 0103 0104 825C")]).await;
    check_rtu(always(F::Truncate { count: 2 }), &[(0, "01 03 04 0103 0104")]).await;
    check_rtu(always(F::Trailing(given("00"))), &[(0, &format!("{RTU_SOUND}00"))]).await;
    check_rtu(always(F::Noise(given("00 FF"))), &[(0, &format!("00FF{RTU_SOUND}"))]).await;
    check_rtu(always(F::Echo), &[(0, &format!("{RTU_READ}{RTU_SOUND}"))]).await;
    let other = "02 03 04 FEFC FEFB 3908";
    check_rtu(always(F::Foreign { unit_id: None }), &[(0, &format!("{other}{RTU_SOUND}"))]).await;
    let ninth = "09 03 04 FEFC FEFB 83C8";
    let foreign = always(F::Foreign { unit_id: Some(9) });
    check_rtu(foreign, &[(0, &format!("{ninth}{RTU_SOUND}"))]).await;
    let gap = F::Gap { at: Some(4), by: millis(9) };
    check_rtu(always(gap), &[(0, "01 03 04 01"), (9, "03 0104 0B9C")]).await;
    check_rtu(always(F::Duplicate), &[(0, &RTU_SOUND.repeat(2))]).await;
    // Nothing of Modbus TCP is here to be wrong.
    let ids = HeaderFault::TransactionId(TransactionId::Next);
    check_rtu(always(ids), &[(0, RTU_SOUND)]).await;
    check_rtu(always(HeaderFault::ProtocolId { id: 1 }), &[(0, RTU_SOUND)]).await;
    check_rtu(always(F::Unsolicited), &[(0, RTU_SOUND)]).await;
}

#[tokio::test(start_paused = true)]
async fn the_client_hears_itself_at_once_and_the_answer_when_it_is_due() {
    let faults = [always(FrameFault::Echo), always(FrameFault::Delay { by: millis(25) })];
    let seen = said_by(Framing::Rtu, faults, &hex(RTU_READ)).await;
    assert_eq!(seen, expected(&[(0, RTU_READ), (25, RTU_SOUND)]));
    let faults = [always(AnswerFault::Silent), always(FrameFault::Echo)];
    let seen = said_by(Framing::Rtu, faults, &hex(RTU_READ)).await;
    assert_eq!(seen, expected(&[(0, RTU_READ)]));
}

#[tokio::test(start_paused = true)]
async fn an_ascii_frame_has_another_checksum() {
    let ask = |fault| said_by(Framing::Ascii, [fault], b":010300030002F7\r\n");
    let seen = ask(always(HeaderFault::Checksum)).await;
    assert_eq!(seen, format!("0:{}", text(b":01030401030104E0\r\n")));
    let seen = ask(always(HeaderFault::UnitId { id: 9 })).await;
    assert_eq!(seen, format!("0:{}", text(b":09030401030104E7\r\n")));
}

#[tokio::test(start_paused = true)]
async fn a_collision_leaves_no_sound_frame() {
    let line = line([always(FrameFault::Collision)]);
    let sound = hex(RTU_SOUND);
    let mut starts = [0; 9];
    for _ in 0..200 {
        let mut client = line.connect_by(Wire::instant(Framing::Rtu));
        let seen = said(&mut client, &hex(RTU_READ)).await;
        let bytes = hex(seen.strip_prefix("0:").unwrap());
        assert_eq!(bytes.len(), sound.len());
        let from = (0..9).find(|at| bytes[*at] != sound[*at]).unwrap();
        assert!((from..8).all(|at| bytes[at] != sound[at]), "{seen}");
        starts[from] += 1;
    }
    assert!(starts.iter().all(|count| *count > 5), "{starts:?}");
}
