//! What a device refuses of what its memory could do: on the wire, and that what is refused has
//! changed nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{ask, frame, hex, image, line, receive};
use bytes::Bytes;
use passline_modbus::framing::{Framing, serial::Mode};
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{DataType, Declaration, Point, Span, Table};
use passline_modbus::value::{Decimal, Value};
use passline_simulator::access::{
    Access, Guard, Lock, Override, Says, UnitIds, Unread, Unwritten, Whole,
};
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{Fault, RequestFault, Scope, Seed, Trigger};
use passline_simulator::program::{Action, Held, Rule, Script, Test, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const ADDRESS: ExceptionCode = ExceptionCode::IllegalDataAddress;
const VALUE: ExceptionCode = ExceptionCode::IllegalDataValue;
const BUSY: ExceptionCode = ExceptionCode::ServerDeviceBusy;

fn holding(address: u16, count: u16) -> Span {
    Span::new(Table::Holding, address, count).unwrap()
}

/// Cells that nothing opens.
fn guard(cells: Span, read: Option<Unread>, write: Option<Unwritten>) -> Guard {
    Guard { cells: vec![cells], read, write, lock: None }
}

fn written(cells: Span, code: ExceptionCode) -> Whole {
    Whole { cells, read: None, write: Some(code) }
}

fn held(address: u32, data_type: DataType, range: Option<(i128, i128)>) -> Held {
    let mut declaration = Declaration::new("p", Table::Holding, address);
    declaration.data_type = data_type;
    declaration.range = range.map(|(low, high)| (Decimal::from(low), Decimal::from(high)));
    Held { point: Arc::new(Point::new(declaration).unwrap()), factor: None }
}

/// A line with such a device, and a connection to it.
fn with(access: Access) -> (Endpoint, DuplexStream) {
    connected(Device::new(image()).with_access(access))
}

fn connected(device: Device) -> (Endpoint, DuplexStream) {
    let line = line(device);
    let stream = line.connect();
    (line, stream)
}

async fn check(stream: &mut DuplexStream, exchanges: &[(&str, &str)]) {
    for (request, answer) in exchanges {
        assert_eq!(ask(stream, &hex(request)).await, hex(answer), "{request}");
    }
}

#[tokio::test]
async fn a_write_that_touches_a_read_only_cell_is_refused_as_a_whole() {
    let refused = Some(Unwritten::Refused(ADDRESS));
    let guards = vec![
        guard(holding(2, 2), None, refused),
        guard(Span::new(Table::Coil, 4, 1).unwrap(), None, Some(Unwritten::Refused(BUSY))),
    ];
    let (_line, mut stream) = with(Access { guards, ..Access::default() });
    check(
        &mut stream,
        &[
            ("06 0002 1111", "86 02"),
            ("10 0001 0002 04 1111 2222", "90 02"),
            ("16 0003 0000 1111", "96 02"),
            ("17 0000 0001 0001 0002 04 1111 2222", "97 02"),
            ("03 0000 0005", "03 0A 0100 0101 0102 0103 0104"),
            ("05 0004 0000", "85 06"),
            ("0F 0003 0003 01 07", "8F 06"),
            ("01 0000 0008", "01 01 55"),
            // What is beside it can be written, also by function 23 that reads it.
            ("06 0001 AAAA", "06 0001 AAAA"),
            ("17 0002 0001 0004 0001 02 BBBB", "17 02 0102"),
            ("03 0001 0004", "03 08 AAAA 0102 0103 BBBB"),
            // Quantity and existence come first.
            ("10 0002 0000 00", "90 03"),
            ("10 0009 0002 04 0000 0000", "90 02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_write_can_be_ignored_instead() {
    let guards = vec![guard(holding(2, 1), None, Some(Unwritten::Ignored))];
    let (_line, mut stream) = with(Access { guards, ..Access::default() });
    check(
        &mut stream,
        &[
            ("06 0002 1111", "06 0002 1111"),
            ("10 0001 0002 04 1111 2222", "10 0001 0002"),
            ("17 0001 0002 0001 0002 04 1111 2222", "17 04 0101 0102"),
            ("03 0001 0002", "03 04 0101 0102"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_write_only_is_refused_or_zero() {
    let refused = Access {
        guards: vec![guard(holding(2, 1), Some(Unread::Refused(ADDRESS)), None)],
        ..Access::default()
    };
    let (_line, mut stream) = with(refused);
    check(
        &mut stream,
        &[
            ("03 0002 0001", "83 02"),
            ("03 0000 0003", "83 02"),
            ("17 0002 0001 0005 0001 02 BBBB", "97 02"),
            ("03 0005 0001", "03 02 0105"),
            ("06 0002 1234", "06 0002 1234"),
        ],
    )
    .await;
    let coil = Span::new(Table::Coil, 2, 1).unwrap();
    let guards = vec![
        guard(holding(2, 2), Some(Unread::Zeros), None),
        guard(coil, Some(Unread::Zeros), None),
    ];
    let (_line, mut stream) = with(Access { guards, ..Access::default() });
    check(
        &mut stream,
        &[
            ("03 0001 0004", "03 08 0101 0000 0000 0104"),
            ("03 0003 0002", "03 04 0000 0104"),
            ("17 0000 0003 0001 0001 02 BBBB", "17 06 0100 BBBB 0000"),
            ("01 0000 0005", "01 01 11"),
            ("04 0064 0001", "04 02 0A0B"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_value_out_of_its_range_is_refused_however_it_is_written() {
    let ranges = vec![
        held(1, DataType::U16, Some((10, 300))),
        held(4, DataType::I32, Some((-5, 5))),
        held(6, DataType::F32, Some((0, 1))),
    ];
    let (_line, mut stream) = with(Access { ranges, out_of_range: VALUE, ..Access::default() });
    check(
        &mut stream,
        &[
            ("06 0001 0009", "86 03"),
            ("06 0001 012D", "86 03"),
            ("06 0001 012C", "06 0001 012C"),
            // What follows from what is there: 012C with bit 9 set is 032C.
            ("16 0001 FDFF 0200", "96 03"),
            ("16 0001 FF00 0001", "16 0001 FF00 0001"),
            // A part of several registers, and a value over two of them.
            ("10 0000 0002 04 1111 0009", "90 03"),
            ("17 0000 0001 0000 0002 04 1111 0009", "97 03"),
            ("10 0004 0002 04 FFFF FFFB", "10 0004 0002"),
            ("06 0005 0001", "86 03"),
            ("06 0004 0000", "86 03"),
            // Not a number is in no range.
            ("10 0006 0002 04 7FC0 0000", "90 03"),
            ("10 0006 0002 04 3F80 0000", "10 0006 0002"),
            ("03 0000 0008", "03 10 0100 0101 0102 0103 FFFF FFFB 3F80 0000"),
        ],
    )
    .await;
}

#[tokio::test]
async fn addresses_are_refused_before_values() {
    let access = Access {
        guards: vec![guard(holding(2, 1), None, Some(Unwritten::Refused(ADDRESS)))],
        ranges: vec![held(1, DataType::U16, Some((10, 300)))],
        together: vec![written(holding(3, 2), BUSY)],
        ..Access::default()
    };
    let (_line, mut stream) = with(access);
    check(
        &mut stream,
        &[
            ("10 0001 0001 02 0001", "90 03"),
            ("10 0001 0002 04 0001 0001", "90 02"),
            ("10 0001 0003 06 0001 0001 0001", "90 02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_block_is_written_whole_or_not_at_all() {
    let coils = Span::new(Table::Coil, 0, 3).unwrap();
    let together = vec![written(holding(3, 2), ADDRESS), written(coils, BUSY)];
    let (_line, mut stream) = with(Access { together, ..Access::default() });
    check(
        &mut stream,
        &[
            ("06 0003 1111", "86 02"),
            ("16 0004 0000 1111", "96 02"),
            ("10 0003 0001 02 1111", "90 02"),
            ("10 0002 0002 04 1111 2222", "90 02"),
            ("10 0004 0002 04 1111 2222", "90 02"),
            ("03 0002 0004", "03 08 0102 0103 0104 0105"),
            ("10 0003 0002 04 1111 2222", "10 0003 0002"),
            ("10 0002 0004 08 0001 0002 0003 0004", "10 0002 0004"),
            ("17 0003 0002 0003 0002 04 5555 6666", "17 04 5555 6666"),
            ("06 0005 0007", "06 0005 0007"),
            ("05 0001 FF00", "85 06"),
            ("0F 0000 0002 01 00", "8F 06"),
            ("0F 0000 0003 01 02", "0F 0000 0003"),
            ("01 0000 0003", "01 01 02"),
            // It is read as one likes.
            ("03 0004 0001", "03 02 6666"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_block_can_be_read_whole_or_not_at_all() {
    let input = Span::new(Table::Input, 100, 2).unwrap();
    let read = |cells| Whole { cells, read: Some(ADDRESS), write: None };
    let together = vec![read(input), read(holding(3, 2))];
    let (_line, mut stream) = with(Access { together, ..Access::default() });
    check(
        &mut stream,
        &[
            ("04 0064 0001", "84 02"),
            ("04 0065 0002", "84 02"),
            ("04 0064 0002", "04 04 0A0B FFFF"),
            ("04 0064 0003", "04 06 0A0B FFFF 8000"),
            ("04 0066 0001", "04 02 8000"),
            ("17 0004 0001 0000 0001 02 1111", "97 02"),
            ("03 0000 0001", "03 02 0100"),
            ("06 0003 1111", "06 0003 1111"),
            ("03 0003 0002", "03 04 1111 0104"),
        ],
    )
    .await;
}

/// Registers 2 and 3 behind the password 1234 in register 0.
fn locked(lock: impl FnOnce(&mut Lock)) -> Access {
    let value = Value::Number(Decimal::from(0x1234));
    let password = held(0, DataType::U16, None);
    let mut own = Lock { password, value, lasts: None, once: false, wrong: None };
    lock(&mut own);
    let guard = Guard {
        cells: vec![holding(2, 2)],
        read: Some(Unread::Zeros),
        write: Some(Unwritten::Refused(ADDRESS)),
        lock: Some(own),
    };
    Access { guards: vec![guard], ..Access::default() }
}

#[tokio::test]
async fn a_password_opens_until_another_value_is_written() {
    let (_line, mut stream) = with(locked(|_| {}));
    check(
        &mut stream,
        &[
            ("03 0001 0004", "03 08 0101 0000 0000 0104"),
            ("06 0002 1111", "86 02"),
            ("06 0000 1233", "06 0000 1233"),
            ("06 0002 1111", "86 02"),
            // The password and what it opens in one request: the lock is looked at before.
            ("10 0000 0003 06 1234 0000 1111", "90 02"),
            ("06 0000 1234", "06 0000 1234"),
            ("06 0002 1111", "06 0002 1111"),
            ("06 0003 2222", "06 0003 2222"),
            ("03 0001 0003", "03 06 0101 1111 2222"),
            ("16 0000 FFFF 0000", "16 0000 FFFF 0000"),
            ("06 0002 3333", "06 0002 3333"),
            ("06 0000 0000", "06 0000 0000"),
            ("03 0002 0002", "03 04 0000 0000"),
            ("06 0002 1111", "86 02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_password_can_open_once_and_a_wrong_one_be_refused() {
    let (_line, mut stream) = with(locked(|lock| (lock.once, lock.wrong) = (true, Some(VALUE))));
    check(
        &mut stream,
        &[
            ("06 0000 1233", "86 03"),
            ("03 0000 0001", "03 02 0100"),
            ("06 0000 1234", "06 0000 1234"),
            // What touches nothing that is locked does not count, nor does what is refused.
            ("06 0004 0000", "06 0004 0000"),
            ("10 0002 0000 00", "90 03"),
            ("06 0002 1111", "06 0002 1111"),
            ("06 0002 2222", "86 02"),
            ("06 0000 1234", "06 0000 1234"),
            ("03 0002 0001", "03 02 1111"),
            ("03 0002 0001", "03 02 0000"),
            ("06 0000 1234", "06 0000 1234"),
            ("06 0000 0000", "86 03"),
            ("06 0002 1111", "86 02"),
        ],
    )
    .await;
}

/// Two locks have their passwords in one place: that of the one is no wrong password for the other.
#[tokio::test]
async fn one_place_can_take_the_passwords_of_several_locks() {
    let mut access = locked(|lock| lock.wrong = Some(VALUE));
    let other = locked(|lock| lock.value = Value::Number(Decimal::from(0x5678)));
    let more = other.guards.into_iter().map(|guard| Guard { cells: vec![holding(4, 1)], ..guard });
    access.guards.extend(more);
    let (_line, mut stream) = with(access);
    check(
        &mut stream,
        &[
            ("06 0000 5678", "06 0000 5678"),
            ("06 0004 1111", "06 0004 1111"),
            ("06 0002 1111", "86 02"),
            ("06 0000 1234", "06 0000 1234"),
            ("06 0002 1111", "06 0002 1111"),
            ("06 0004 2222", "86 02"),
            ("06 0000 9999", "86 03"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_read_may_ask_for_less_than_the_protocol_allows() {
    let (_line, mut stream) = with(Access { max_registers: 2, max_bits: 4, ..Access::default() });
    check(
        &mut stream,
        &[
            ("03 0000 0002", "03 04 0100 0101"),
            ("03 0000 0003", "83 03"),
            // The quantity comes before the address.
            ("03 FFF0 0003", "83 03"),
            ("03 FFF0 0002", "83 02"),
            ("01 0000 0005", "81 03"),
            ("17 0000 0003 0000 0001 02 1111", "97 03"),
            // A write may be longer.
            ("10 0000 0003 06 0001 0002 0003", "10 0000 0003"),
        ],
    )
    .await;
}

/// A write that is ignored, of a request that reads what is filled.
#[tokio::test]
async fn what_is_ignored_reads_fillers_too() {
    let guards = vec![guard(holding(2, 1), None, Some(Unwritten::Ignored))];
    let (_line, mut stream) = with(Access { guards, filler: Some(7), ..Access::default() });
    let exchanges =
        [("17 0009 0002 0002 0001 02 1111", "17 04 0109 0007"), ("03 0002 0001", "03 02 0102")];
    check(&mut stream, &exchanges).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_can_open_for_a_time() {
    let (_line, mut stream) = with(locked(|lock| lock.lasts = Some(Duration::from_secs(30))));
    check(&mut stream, &[("06 0000 1234", "06 0000 1234")]).await;
    tokio::time::advance(Duration::from_millis(29_990)).await;
    check(&mut stream, &[("06 0002 1111", "06 0002 1111")]).await;
    tokio::time::advance(Duration::from_millis(20)).await;
    check(&mut stream, &[("06 0002 2222", "86 02"), ("03 0002 0001", "03 02 0000")]).await;
    check(&mut stream, &[("06 0000 1234", "06 0000 1234"), ("03 0002 0001", "03 02 1111")]).await;
}

#[tokio::test]
async fn a_write_that_is_only_said_to_be_done_opens_nothing_and_is_checked_all_the_same() {
    let kind = RequestFault::NotStored.into();
    let fault = Fault { kind, scope: Scope::default(), trigger: Trigger::default() };
    let device = Device::new(image()).with_access(locked(|_| {}));
    let device = device.with_faults([fault], Seed::of_device(1, "d"));
    let (_line, mut stream) = connected(device);
    check(
        &mut stream,
        &[
            ("06 0000 1234", "06 0000 1234"),
            ("06 0002 1111", "86 02"),
            ("03 0002 0001", "03 02 0000"),
            ("06 0004 1111", "06 0004 1111"),
            ("03 0004 0001", "03 02 0104"),
        ],
    )
    .await;
}

/// A rule hears of what was done, not of what was refused or ignored; and a restart locks.
#[tokio::test(start_paused = true)]
async fn a_restart_locks_and_rules_hear_of_what_was_done() {
    let points = vec![held(5, DataType::U16, None), held(2, DataType::U16, None)];
    let count = Action::Increment(0, Decimal::from(1));
    let rule = |when, actions| Rule { when, state: None, after: Duration::ZERO, actions };
    let restarts = Test { equals: Some(Value::Number(Decimal::from(7))), ..Test::default() };
    let rules = vec![
        rule(When::Written(1, Test::default()), vec![count]),
        rule(When::Written(1, restarts), vec![Action::Restart(Duration::from_millis(10))]),
    ];
    let script = Script::new(points, Vec::new(), rules).unwrap();
    let device = Device::new(image()).with_access(locked(|_| {}));
    let device = device.with_script(script, Seed::of_device(1, "d"), jiff::Timestamp::UNIX_EPOCH);
    let endpoint = line(device);
    let mut stream = endpoint.connect();
    check(
        &mut stream,
        &[
            ("06 0002 0001", "86 02"),
            ("03 0005 0001", "03 02 0105"),
            ("06 0000 1234", "06 0000 1234"),
            ("06 0002 0001", "06 0002 0001"),
            ("03 0005 0001", "03 02 0106"),
        ],
    )
    .await;
    stream.write_all(&frame(1, 1, &hex("06 0002 0007"))).await.unwrap();
    assert!(receive(&mut stream).await.is_none(), "the connection is lost");
    tokio::time::advance(Duration::from_millis(20)).await;
    let mut stream = endpoint.connect();
    check(&mut stream, &[("06 0002 0001", "86 02"), ("06 0000 1234", "06 0000 1234")]).await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_told_or_filled() {
    let (_line, mut stream) = with(Access { undeclared: VALUE, ..Access::default() });
    check(&mut stream, &[("03 0009 0002", "83 03"), ("06 000A 0000", "86 03")]).await;
    let (_line, mut stream) =
        with(Access { undeclared: BUSY, filler: Some(0xFFFE), ..Access::default() });
    check(
        &mut stream,
        &[
            ("03 0009 0003", "03 06 0109 FFFE FFFE"),
            ("04 0000 0001", "04 02 FFFE"),
            ("04 0066 0002", "04 04 8000 FFFE"),
            ("01 0008 0004", "01 01 01"),
            ("02 0000 0001", "02 01 00"),
            ("17 0009 0002 0009 0001 02 1111", "17 04 1111 FFFE"),
            ("17 0009 0002 000A 0001 02 1111", "97 06"),
            ("06 000A 0000", "86 06"),
            ("03 0000 007E", "83 03"),
            // Past the last address there is nothing to fill.
            ("03 FFFF 0002", "83 02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_override_answers_whatever_the_memory_holds() {
    let fixed = |function, start, count, says| Override { function, start, count, says };
    let overrides = vec![
        fixed(3, Some(0x1000), Some(2), Says::Words([0xCAFE, 0xBABE].into())),
        fixed(3, Some(0x1000), None, Says::Words([0xCAFE].into())),
        fixed(3, Some(0), None, Says::Exception(BUSY)),
        fixed(6, Some(1), None, Says::Exception(ExceptionCode::ServerDeviceFailure)),
        fixed(1, Some(7), Some(3), Says::Bits([true, false, true].into())),
        fixed(0x41, Some(0x0102), None, Says::Data(Bytes::from_static(&[9, 8]))),
        fixed(17, None, None, Says::Data(Bytes::from_static(&[1, 0xAA]))),
        // An answer with one register less than was asked for.
        fixed(4, Some(100), Some(2), Says::Data(Bytes::from_static(&[2, 0, 1]))),
    ];
    let (_line, mut stream) = with(Access { overrides, ..Access::default() });
    check(
        &mut stream,
        &[
            ("03 1000 0002", "03 04 CAFE BABE"),
            ("03 1000 0001", "03 02 CAFE"),
            ("03 1000 0003", "83 02"),
            ("03 1000 0000", "83 03"),
            ("03 1001 0001", "83 02"),
            ("03 0000 0002", "83 06"),
            ("03 0001 0001", "03 02 0101"),
            ("06 0001 1111", "86 04"),
            ("10 0001 0001 02 1111", "10 0001 0001"),
            ("03 0001 0001", "03 02 1111"),
            ("01 0007 0003", "01 01 05"),
            ("01 0007 0002", "01 01 02"),
            ("41 0102 03", "41 09 08"),
            ("41 0103 03", "C1 01"),
            ("11", "11 01 AA"),
            ("04 0064 0002", "04 02 0001"),
            ("04 0064 0001", "04 02 0A0B"),
        ],
    )
    .await;
}

/// Faults act on what an override says, as on any other answer.
#[tokio::test]
async fn faults_act_on_overrides() {
    let says = Says::Words([0xCAFE].into());
    let overrides = vec![Override { function: 3, start: Some(0), count: None, says }];
    let kind = RequestFault::Exception { code: BUSY }.into();
    let trigger = Trigger { first: Some(1), ..Trigger::default() };
    let fault = Fault { kind, scope: Scope::default(), trigger };
    let device = Device::new(image()).with_access(Access { overrides, ..Access::default() });
    let device = device.with_faults([fault], Seed::of_device(1, "d"));
    let (_line, mut stream) = connected(device);
    check(&mut stream, &[("03 0000 0001", "83 06"), ("03 0000 0001", "03 02 CAFE")]).await;
}

/// Units 1 and 2, and whoever else they answer for.
fn units(one: UnitIds, two: UnitIds) -> Endpoint {
    let mut other = image();
    other.set_words(Table::Holding, 0, &[2]).unwrap();
    let one = Device::new(image()).with_unit_ids(one);
    let two = Device::new(other).with_unit_ids(two);
    Endpoint::new(BTreeMap::from([(1, one), (2, two)]), Instant::now())
}

/// What unit ids answer a read of register 0 with, over Modbus TCP.
async fn answers(endpoint: &Endpoint, ids: &[u8]) -> Vec<Vec<u8>> {
    let mut stream = endpoint.connect();
    let mut answers = Vec::new();
    for id in ids {
        stream.write_all(&frame(7, *id, &hex("03 0000 0001"))).await.unwrap();
        let (_, unit_id, pdu) = receive(&mut stream).await.unwrap();
        assert_eq!(unit_id, *id);
        answers.push(pdu);
    }
    answers
}

#[tokio::test]
async fn a_device_answers_for_unit_ids_that_nobody_has() {
    let (one, two, nobody) = (&hex("03 02 0100"), &hex("03 02 0002"), &hex("83 0B"));
    let ids = [0, 1, 2, 3, 255];
    let endpoint = units(UnitIds::Own, UnitIds::Own);
    assert_eq!(
        answers(&endpoint, &ids).await.iter().collect::<Vec<_>>(),
        [nobody, one, two, nobody, nobody]
    );
    let endpoint = units(UnitIds::Also([0, 2, 255].into()), UnitIds::Own);
    assert_eq!(
        answers(&endpoint, &ids).await.iter().collect::<Vec<_>>(),
        [one, one, two, nobody, one]
    );
    let endpoint = units(UnitIds::Any, UnitIds::Own);
    assert_eq!(
        answers(&endpoint, &ids).await.iter().collect::<Vec<_>>(),
        [one, one, two, one, one]
    );
    // Who is named comes before who takes any, whatever their order.
    let endpoint = units(UnitIds::Any, UnitIds::Also([3].into()));
    assert_eq!(
        answers(&endpoint, &ids).await.iter().collect::<Vec<_>>(),
        [one, one, two, two, one]
    );
    let endpoint = units(UnitIds::Also([3].into()), UnitIds::Any);
    assert_eq!(
        answers(&endpoint, &ids).await.iter().collect::<Vec<_>>(),
        [two, one, two, one, two]
    );
}

#[tokio::test(start_paused = true)]
async fn on_a_serial_line_it_answers_with_the_unit_id_that_was_asked() {
    let endpoint = units(UnitIds::Any, UnitIds::Own);
    let mut stream = endpoint.try_connect_by(Wire::instant(Framing::Rtu)).unwrap();
    let mut request = Vec::new();
    Mode::Rtu.encode(9, &hex("03 0000 0001"), &mut request).unwrap();
    stream.write_all(&request).await.unwrap();
    let mut expected = Vec::new();
    Mode::Rtu.encode(9, &hex("03 02 0100"), &mut expected).unwrap();
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, expected);
}
