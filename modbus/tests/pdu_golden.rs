//! The bytes of every public function, field by field, as the examples of V1.1b3 print them: read,
//! written, and held against each other.

#![expect(clippy::unwrap_used, reason = "a wrong byte must fail the test")]

use bytes::Bytes;
use passline_modbus::pdu::diagnostics::{Diagnostic, EventCounter, EventLog, ExceptionStatus};
use passline_modbus::pdu::fifo::{Pointer, Queue};
use passline_modbus::pdu::file::{Contents, Record, Records, Section, Sections};
use passline_modbus::pdu::{
    Answer, ConformityLevel, DeviceIdObject, ExceptionCode, ReadCode,
    ReadDeviceIdentificationResponse, Request, Response, decode_answer, decode_request,
    decode_response, encode_answer, encode_request,
};

/// A PDU as the standard's tables print it: the bytes of one field, then its name.
type Fields = [(&'static [u8], &'static str)];

fn concat(fields: &Fields) -> Vec<u8> {
    fields.iter().flat_map(|(bytes, _)| *bytes).copied().collect()
}

#[track_caller]
fn golden(request: &Request<'_>, sent: &Fields, answer: &Answer, got: &Fields) {
    let (sent, got) = (concat(sent), concat(got));
    let function = request.function_code().value();
    let mut out = vec![0xAA];
    encode_request(request, &mut out).unwrap();
    assert_eq!(out, [&[0xAA], sent.as_slice()].concat(), "request, written behind what is there");
    assert_eq!(&decode_request(&sent).unwrap(), request, "request, read");
    out.truncate(1);
    encode_answer(function, answer, &mut out).unwrap();
    assert_eq!(out, [&[0xAA], got.as_slice()].concat(), "answer, written behind what is there");
    assert_eq!(&decode_answer(&got, request).unwrap(), answer, "answer, read");
    // A raw request of the same bytes is held to the same rules.
    let raw = Request::Custom(function, sent[1..].into());
    assert_eq!(&decode_answer(&got, &raw).unwrap(), answer, "answer to the raw request");
    assert!(decode_response(&got).is_ok(), "answer, read without the request");
}

fn bits(text: &str) -> Vec<bool> {
    text.chars().filter(|c| *c != ' ').map(|c| c == '1').collect()
}

#[test]
fn f01_read_coils() {
    golden(
        &Request::ReadCoils(19, 19),
        &[(&[0x01], "function"), (&[0x00, 0x13], "address"), (&[0x00, 0x13], "quantity")],
        &Ok(Response::ReadCoils(bits("10110011 11010110 101"))),
        &[
            (&[0x01], "function"),
            (&[0x03], "byte count"),
            (&[0xCD], "27 to 20, the first in the lowest bit"),
            (&[0x6B], "35 to 28"),
            (&[0x05], "38 to 36, padded with zeros"),
        ],
    );
}

#[test]
fn f02_read_discrete_inputs() {
    golden(
        &Request::ReadDiscreteInputs(196, 22),
        &[(&[0x02], "function"), (&[0x00, 0xC4], "address"), (&[0x00, 0x16], "quantity")],
        &Ok(Response::ReadDiscreteInputs(bits("00110101 11011011 101011"))),
        &[
            (&[0x02], "function"),
            (&[0x03], "byte count"),
            (&[0xAC, 0xDB, 0x35], "204 to 197, 212 to 205, 218 to 213"),
        ],
    );
}

#[test]
fn f03_read_holding_registers() {
    golden(
        &Request::ReadHoldingRegisters(107, 3),
        &[(&[0x03], "function"), (&[0x00, 0x6B], "address"), (&[0x00, 0x03], "quantity")],
        &Ok(Response::ReadHoldingRegisters(vec![555, 0, 100])),
        &[
            (&[0x03], "function"),
            (&[0x06], "byte count"),
            (&[0x02, 0x2B], "register 108, high byte first"),
            (&[0x00, 0x00], "register 109"),
            (&[0x00, 0x64], "register 110"),
        ],
    );
}

#[test]
fn f04_read_input_registers() {
    golden(
        &Request::ReadInputRegisters(8, 1),
        &[(&[0x04], "function"), (&[0x00, 0x08], "address"), (&[0x00, 0x01], "quantity")],
        &Ok(Response::ReadInputRegisters(vec![10])),
        &[(&[0x04], "function"), (&[0x02], "byte count"), (&[0x00, 0x0A], "register 9")],
    );
}

#[test]
fn f05_write_single_coil() {
    let on: &Fields =
        &[(&[0x05], "function"), (&[0x00, 0xAC], "address"), (&[0xFF, 0x00], "value: on")];
    golden(&Request::WriteSingleCoil(172, true), on, &Ok(Response::WriteSingleCoil(172, true)), on);
    let off: &Fields =
        &[(&[0x05], "function"), (&[0x00, 0xAC], "address"), (&[0x00, 0x00], "value: off")];
    golden(
        &Request::WriteSingleCoil(172, false),
        off,
        &Ok(Response::WriteSingleCoil(172, false)),
        off,
    );
}

#[test]
fn f06_write_single_register() {
    let both: &Fields =
        &[(&[0x06], "function"), (&[0x00, 0x01], "address"), (&[0x00, 0x03], "value")];
    golden(
        &Request::WriteSingleRegister(1, 3),
        both,
        &Ok(Response::WriteSingleRegister(1, 3)),
        both,
    );
}

#[test]
fn f07_read_exception_status() {
    golden(
        &ExceptionStatus::request(),
        &[(&[0x07], "function")],
        &Ok(ExceptionStatus(0x6D).response()),
        &[(&[0x07], "function"), (&[0x6D], "outputs 34 to 27")],
    );
}

#[test]
fn f08_diagnostics() {
    let query = Diagnostic { sub_function: Diagnostic::RETURN_QUERY_DATA, data: vec![0xA537] };
    let both: &Fields = &[
        (&[0x08], "function"),
        (&[0x00, 0x00], "sub-function: return query data"),
        (&[0xA5, 0x37], "data"),
    ];
    golden(&query.request(), both, &Ok(query.response()), both);
}

#[test]
fn f0b_get_comm_event_counter() {
    golden(
        &EventCounter::request(),
        &[(&[0x0B], "function")],
        &Ok(EventCounter { status: 0xFFFF, events: 264 }.response()),
        &[(&[0x0B], "function"), (&[0xFF, 0xFF], "status: busy"), (&[0x01, 0x08], "events")],
    );
}

#[test]
fn f0c_get_comm_event_log() {
    let log = EventLog { status: 0, events: 264, messages: 289, log: vec![0x20, 0x00] };
    golden(
        &EventLog::request(),
        &[(&[0x0C], "function")],
        &log.response().map(Ok).unwrap(),
        &[
            (&[0x0C], "function"),
            (&[0x08], "byte count"),
            (&[0x00, 0x00], "status: ready"),
            (&[0x01, 0x08], "events"),
            (&[0x01, 0x21], "messages"),
            (&[0x20], "event 0: listen only"),
            (&[0x00], "event 1: restart"),
        ],
    );
}

#[test]
fn f0f_write_multiple_coils() {
    golden(
        &Request::WriteMultipleCoils(19, bits("10110011 10").into()),
        &[
            (&[0x0F], "function"),
            (&[0x00, 0x13], "address"),
            (&[0x00, 0x0A], "quantity"),
            (&[0x02], "byte count"),
            (&[0xCD], "27 to 20"),
            (&[0x01], "29 to 28, padded with zeros"),
        ],
        &Ok(Response::WriteMultipleCoils(19, 10)),
        &[(&[0x0F], "function"), (&[0x00, 0x13], "address"), (&[0x00, 0x0A], "quantity")],
    );
}

#[test]
fn f10_write_multiple_registers() {
    golden(
        &Request::WriteMultipleRegisters(1, vec![0x000A, 0x0102].into()),
        &[
            (&[0x10], "function"),
            (&[0x00, 0x01], "address"),
            (&[0x00, 0x02], "quantity"),
            (&[0x04], "byte count"),
            (&[0x00, 0x0A], "register 2"),
            (&[0x01, 0x02], "register 3"),
        ],
        &Ok(Response::WriteMultipleRegisters(1, 2)),
        &[(&[0x10], "function"), (&[0x00, 0x01], "address"), (&[0x00, 0x02], "quantity")],
    );
}

#[test]
fn f11_report_server_id() {
    golden(
        &Request::ReportServerId,
        &[(&[0x11], "function")],
        &Ok(Response::ReportServerId(0x12, true, b"ok".to_vec())),
        &[
            (&[0x11], "function"),
            (&[0x04], "byte count"),
            (&[0x12], "server id"),
            (&[0xFF], "run indicator: on"),
            (b"ok", "additional data"),
        ],
    );
    golden(
        &Request::ReportServerId,
        &[(&[0x11], "function")],
        &Ok(Response::Custom(0x11, Bytes::from_static(&[0x03, 0x12, 0x34, 0xFF]))),
        &[
            (&[0x11], "function"),
            (&[0x03], "byte count"),
            (&[0x12, 0x34], "server id of two bytes: no variant holds it"),
            (&[0xFF], "run indicator: on"),
        ],
    );
}

#[test]
fn f14_read_file_record() {
    let sections = Sections(vec![
        Section { file: 4, first: 1, length: 2 },
        Section { file: 3, first: 9, length: 2 },
    ]);
    let contents = Contents(vec![vec![0x0DFE, 0x0020], vec![0x33CD, 0x0040]]);
    golden(
        &sections.request().unwrap(),
        &[
            (&[0x14], "function"),
            (&[0x0E], "byte count"),
            (&[0x06], "reference type"),
            (&[0x00, 0x04], "file"),
            (&[0x00, 0x01], "record"),
            (&[0x00, 0x02], "record length"),
            (&[0x06], "reference type"),
            (&[0x00, 0x03], "file"),
            (&[0x00, 0x09], "record"),
            (&[0x00, 0x02], "record length"),
        ],
        &contents.response().map(Ok).unwrap(),
        &[
            (&[0x14], "function"),
            (&[0x0C], "byte count"),
            (&[0x05, 0x06], "length, reference type"),
            (&[0x0D, 0xFE, 0x00, 0x20], "records"),
            (&[0x05, 0x06], "length, reference type"),
            (&[0x33, 0xCD, 0x00, 0x40], "records"),
        ],
    );
}

#[test]
fn f15_write_file_record() {
    let values = vec![0x06AF, 0x04BE, 0x100D];
    let records = Records(vec![Record { file: 4, first: 7, values }]);
    let both: &Fields = &[
        (&[0x15], "function"),
        (&[0x0D], "byte count"),
        (&[0x06], "reference type"),
        (&[0x00, 0x04], "file"),
        (&[0x00, 0x07], "record"),
        (&[0x00, 0x03], "record length"),
        (&[0x06, 0xAF, 0x04, 0xBE, 0x10, 0x0D], "records"),
    ];
    golden(&records.request().unwrap(), both, &records.response().map(Ok).unwrap(), both);
}

#[test]
fn f16_mask_write_register() {
    let both: &Fields = &[
        (&[0x16], "function"),
        (&[0x00, 0x04], "address"),
        (&[0x00, 0xF2], "and mask"),
        (&[0x00, 0x25], "or mask"),
    ];
    golden(
        &Request::MaskWriteRegister(4, 0x00F2, 0x0025),
        both,
        &Ok(Response::MaskWriteRegister(4, 0x00F2, 0x0025)),
        both,
    );
}

#[test]
fn f17_read_write_multiple_registers() {
    golden(
        &Request::ReadWriteMultipleRegisters(3, 6, 14, vec![0xFF; 3].into()),
        &[
            (&[0x17], "function"),
            (&[0x00, 0x03], "read address"),
            (&[0x00, 0x06], "read quantity"),
            (&[0x00, 0x0E], "write address"),
            (&[0x00, 0x03], "write quantity"),
            (&[0x06], "byte count"),
            (&[0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF], "registers 15 to 17"),
        ],
        &Ok(Response::ReadWriteMultipleRegisters(vec![0xFE, 0x0ACD, 1, 3, 13, 0xFF])),
        &[
            (&[0x17], "function"),
            (&[0x0C], "byte count"),
            (&[0x00, 0xFE, 0x0A, 0xCD, 0x00, 0x01], "registers 4 to 6"),
            (&[0x00, 0x03, 0x00, 0x0D, 0x00, 0xFF], "registers 7 to 9"),
        ],
    );
}

#[test]
fn f18_read_fifo_queue() {
    golden(
        &Pointer(1246).request(),
        &[(&[0x18], "function"), (&[0x04, 0xDE], "pointer address")],
        &Queue(vec![440, 4740]).response().map(Ok).unwrap(),
        &[
            (&[0x18], "function"),
            (&[0x00, 0x06], "byte count: of two bytes, as nowhere else"),
            (&[0x00, 0x02], "count"),
            (&[0x01, 0xB8], "register 1247"),
            (&[0x12, 0x84], "register 1248"),
        ],
    );
}

#[test]
fn f2b_0e_read_device_identification() {
    let objects = ["Company identification", "Product code XX", "V2.11"];
    let object = |(id, text): (u8, &&'static str)| DeviceIdObject { id, value: (*text).into() };
    golden(
        &Request::ReadDeviceIdentification(ReadCode::Basic, 0),
        &[
            (&[0x2B], "function"),
            (&[0x0E], "MEI type"),
            (&[0x01], "read device id code: basic"),
            (&[0x00], "object id"),
        ],
        &Ok(Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
            read_code: ReadCode::Basic,
            conformity_level: ConformityLevel::BasicIdentificationStreamOnly,
            more_follows: false,
            next_object_id: 0,
            device_id_objects: (0..).zip(&objects).map(object).collect(),
        })),
        &[
            (&[0x2B], "function"),
            (&[0x0E], "MEI type"),
            (&[0x01], "read device id code: basic"),
            (&[0x01], "conformity level: basic, stream only"),
            (&[0x00], "more follows: no"),
            (&[0x00], "next object id"),
            (&[0x03], "number of objects"),
            (&[0x00, 0x16], "object 0, length"),
            (b"Company identification", "vendor name"),
            (&[0x01, 0x0F], "object 1, length (0D in print: a known erratum)"),
            (b"Product code XX", "product code"),
            (&[0x02, 0x05], "object 2, length"),
            (b"V2.11", "revision"),
        ],
    );
}

#[test]
fn f2b_0e_in_two_transactions() {
    golden(
        &Request::ReadDeviceIdentification(ReadCode::Specific, 5),
        &[(&[0x2B, 0x0E], "function, MEI type"), (&[0x04, 0x05], "one object: 5")],
        &Ok(Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
            read_code: ReadCode::Specific,
            conformity_level: ConformityLevel::ExtendedIdentification,
            more_follows: true,
            next_object_id: 6,
            device_id_objects: vec![DeviceIdObject { id: 5, value: Bytes::from_static(b"M") }],
        })),
        &[
            (&[0x2B, 0x0E, 0x04], "function, MEI type, code"),
            (&[0x83], "conformity level: extended, individual access"),
            (&[0xFF, 0x06], "more follows: 6"),
            (&[0x01, 0x05, 0x01], "one object: 5, one byte"),
            (b"M", "model"),
        ],
    );
}

#[test]
fn f2b_0d_canopen() {
    golden(
        &Request::Custom(0x2B, vec![0x0D, 0x01].into()),
        &[(&[0x2B, 0x0D], "function, MEI type"), (&[0x01], "CANopen, opaque")],
        &Ok(Response::Custom(0x2B, Bytes::from_static(&[0x0D, 0x02, 0x03]))),
        &[(&[0x2B, 0x0D], "function, MEI type"), (&[0x02, 0x03], "CANopen, opaque")],
    );
}

#[test]
fn f41_user_defined() {
    golden(
        &Request::Custom(0x41, vec![1, 2].into()),
        &[(&[0x41], "function"), (&[1, 2], "opaque")],
        &Ok(Response::Custom(0x41, Bytes::from_static(&[3]))),
        &[(&[0x41], "function"), (&[3], "opaque")],
    );
}

/// The example of clause 7, and an exception to a function that `tokio_modbus` has no variant for:
/// its client takes that for the answer to another function.
#[test]
fn exceptions() {
    golden(
        &Request::ReadCoils(1185, 1),
        &[(&[0x01], "function"), (&[0x04, 0xA1], "address"), (&[0x00, 0x01], "quantity")],
        &Err(ExceptionCode::IllegalDataAddress),
        &[(&[0x81], "function, highest bit set"), (&[0x02], "illegal data address")],
    );
    golden(
        &ExceptionStatus::request(),
        &[(&[0x07], "function")],
        &Err(ExceptionCode::Custom(0x07)),
        &[(&[0x87], "function, highest bit set"), (&[0x07], "negative acknowledge, of old")],
    );
}
