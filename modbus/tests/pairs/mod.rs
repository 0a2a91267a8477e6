//! Requests and answers of every function, for properties that hold for all of them.

use passline_modbus::pdu::diagnostics::{Diagnostic, EventCounter, EventLog, ExceptionStatus};
use passline_modbus::pdu::fifo::{Pointer, Queue};
use passline_modbus::pdu::file::{Contents, Record, Records, Section, Sections};
use passline_modbus::pdu::{
    Answer, ConformityLevel, DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse, Request,
    Response, encode_answer, encode_request,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A request and an answer to it.
pub(crate) type Pair = (Request<'static>, Response);

fn bits_pairs() -> impl Strategy<Value = Pair> {
    let read = (any::<u16>(), vec(any::<bool>(), 1..=2000), any::<bool>());
    let read = read.prop_map(|(address, bits, coils)| {
        let quantity = u16::try_from(bits.len()).unwrap();
        if coils {
            (Request::ReadCoils(address, quantity), Response::ReadCoils(bits))
        } else {
            (Request::ReadDiscreteInputs(address, quantity), Response::ReadDiscreteInputs(bits))
        }
    });
    let single = (any::<u16>(), any::<bool>()).prop_map(|(address, on)| {
        (Request::WriteSingleCoil(address, on), Response::WriteSingleCoil(address, on))
    });
    let multiple = (any::<u16>(), vec(any::<bool>(), 1..=1968)).prop_map(|(address, coils)| {
        let quantity = u16::try_from(coils.len()).unwrap();
        let response = Response::WriteMultipleCoils(address, quantity);
        (Request::WriteMultipleCoils(address, coils.into()), response)
    });
    prop_oneof![read, single, multiple]
}

fn register_pairs() -> impl Strategy<Value = Pair> {
    let read = (any::<u16>(), vec(any::<u16>(), 1..=125), any::<bool>());
    let read = read.prop_map(|(address, values, holding)| {
        let count = u16::try_from(values.len()).unwrap();
        if holding {
            (Request::ReadHoldingRegisters(address, count), Response::ReadHoldingRegisters(values))
        } else {
            (Request::ReadInputRegisters(address, count), Response::ReadInputRegisters(values))
        }
    });
    let single = any::<(u16, u16)>().prop_map(|(address, value)| {
        (
            Request::WriteSingleRegister(address, value),
            Response::WriteSingleRegister(address, value),
        )
    });
    let multiple = (any::<u16>(), vec(any::<u16>(), 1..=123)).prop_map(|(address, values)| {
        let response =
            Response::WriteMultipleRegisters(address, u16::try_from(values.len()).unwrap());
        (Request::WriteMultipleRegisters(address, values.into()), response)
    });
    let mask = any::<(u16, u16, u16)>().prop_map(|(address, and, or)| {
        (
            Request::MaskWriteRegister(address, and, or),
            Response::MaskWriteRegister(address, and, or),
        )
    });
    let both = (any::<(u16, u16)>(), vec(any::<u16>(), 1..=125), vec(any::<u16>(), 1..=121));
    let both = both.prop_map(|((read, write), values, written)| {
        let count = u16::try_from(values.len()).unwrap();
        let request = Request::ReadWriteMultipleRegisters(read, count, write, written.into());
        (request, Response::ReadWriteMultipleRegisters(values))
    });
    prop_oneof![read, single, multiple, mask, both]
}

fn diagnostic_pairs() -> impl Strategy<Value = Pair> {
    let status = any::<u8>()
        .prop_map(|status| (ExceptionStatus::request(), ExceptionStatus(status).response()));
    let query = (any::<u16>(), vec(any::<u16>(), 0..=125)).prop_map(|(sub_function, data)| {
        let diagnostic = Diagnostic { sub_function, data };
        (diagnostic.request(), diagnostic.response())
    });
    let counter = any::<(u16, u16)>().prop_map(|(status, events)| {
        (EventCounter::request(), EventCounter { status, events }.response())
    });
    let log = (any::<(u16, u16, u16)>(), vec(any::<u8>(), 0..=64));
    let log = log.prop_map(|((status, events, messages), log)| {
        let log = EventLog { status, events, messages, log };
        (EventLog::request(), log.response().unwrap())
    });
    prop_oneof![status, query, counter, log]
}

fn file_and_fifo_pairs() -> impl Strategy<Value = Pair> {
    let read = vec((any::<(u16, u16)>(), vec(any::<u16>(), 0..=5)), 1..=20);
    let read = read.prop_map(|parts| {
        let section = |((file, first), values): &((u16, u16), Vec<u16>)| Section {
            file: *file,
            first: *first,
            length: u16::try_from(values.len()).unwrap(),
        };
        let sections = Sections(parts.iter().map(section).collect());
        let contents = Contents(parts.into_iter().map(|(_, values)| values).collect());
        (sections.request().unwrap(), contents.response().unwrap())
    });
    let write = vec((any::<(u16, u16)>(), vec(any::<u16>(), 1..=5)), 1..=14);
    let write = write.prop_map(|parts| {
        let record = |((file, first), values)| Record { file, first, values };
        let records = Records(parts.into_iter().map(record).collect());
        (records.request().unwrap(), records.response().unwrap())
    });
    let queue = (any::<u16>(), vec(any::<u16>(), 0..=31)).prop_map(|(pointer, values)| {
        (Pointer(pointer).request(), Queue(values).response().unwrap())
    });
    prop_oneof![read, write, queue]
}

fn identity_pairs() -> impl Strategy<Value = Pair> {
    let server = (any::<u8>(), any::<bool>(), vec(any::<u8>(), 0..=249));
    let server = server.prop_map(|(id, running, more)| {
        (Request::ReportServerId, Response::ReportServerId(id, running, more))
    });
    let objects = vec((any::<u8>(), vec(any::<u8>(), 0..=20)), 0..=11);
    let levels = select(vec![0x01, 0x02, 0x03, 0x81, 0x82, 0x83]);
    let stream = (1..=3u8, levels.clone(), any::<Option<u8>>(), any::<u8>(), objects);
    let stream = stream.prop_map(|(code, level, next, object, objects)| {
        let object_of = |(id, value): (u8, Vec<u8>)| DeviceIdObject { id, value: value.into() };
        identification(code, level, next, object, objects.into_iter().map(object_of).collect())
    });
    let one = (levels, any::<u8>(), vec(any::<u8>(), 0..=244)).prop_map(|(level, id, value)| {
        identification(4, level, None, id, vec![DeviceIdObject { id, value: value.into() }])
    });
    let canopen = (vec(any::<u8>(), 0..=251), vec(any::<u8>(), 0..=251)).prop_map(|(sent, got)| {
        let with_mei = |data: Vec<u8>| [vec![0x0D], data].concat();
        (Request::Custom(0x2B, with_mei(sent).into()), Response::Custom(0x2B, with_mei(got).into()))
    });
    let codes = prop_oneof![Just(9), Just(10), Just(13), 25..=42u8, 44..=127u8];
    let raw = (codes, vec(any::<u8>(), 0..=252), vec(any::<u8>(), 0..=252));
    let raw = raw.prop_map(|(code, sent, got)| {
        (Request::Custom(code, sent.into()), Response::Custom(code, got.into()))
    });
    prop_oneof![server, stream, one, canopen, raw]
}

/// A request for an identification, and these objects in answer to it.
pub(crate) fn identification(
    code: u8,
    level: u8,
    next: Option<u8>,
    object: u8,
    objects: Vec<DeviceIdObject>,
) -> Pair {
    let read_code = ReadCode::try_from_value(code).unwrap();
    let answer = ReadDeviceIdentificationResponse {
        read_code,
        conformity_level: ConformityLevel::try_from_value(level).unwrap(),
        more_follows: next.is_some(),
        next_object_id: next.unwrap_or(0),
        device_id_objects: objects,
    };
    let request = Request::ReadDeviceIdentification(read_code, object);
    (request, Response::ReadDeviceIdentification(answer))
}

/// Of every function, a request and an answer to it.
pub(crate) fn pairs() -> impl Strategy<Value = Pair> {
    prop_oneof![
        bits_pairs(),
        register_pairs(),
        diagnostic_pairs(),
        file_and_fifo_pairs(),
        identity_pairs()
    ]
}

/// The PDU of a request.
pub(crate) fn sent(request: &Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_request(request, &mut out).unwrap();
    out
}

/// The PDU of an answer.
pub(crate) fn written(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    let function = answer.as_ref().map_or(0x2A, |response| response.function_code().value());
    encode_answer(function, answer, &mut out).unwrap();
    out
}
