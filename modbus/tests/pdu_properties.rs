//! What holds for every PDU: what is written is read back, what is accepted is written back to the
//! same bytes, nothing panics, and tokio-modbus reads the same where it can read at all.

#![expect(clippy::unwrap_used, reason = "a failing property must fail the test")]

mod pairs;

use pairs::{identification, pairs, sent, written};
use passline_modbus::pdu::diagnostics::ExceptionStatus;
use passline_modbus::pdu::fifo::{Pointer, Queue};
use passline_modbus::pdu::file::{Records, Sections};
use passline_modbus::pdu::{
    Defect, DeviceIdObject, ExceptionCode, MAX_PDU, Request, Response, decode_answer,
    decode_request, decode_response, encode_answer, encode_request,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes that often get past the first checks: a valid PDU, perhaps cut, extended or with a byte
/// changed; or a function code and whatever.
fn nearly_pdus() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0..6u8, any::<bool>());
    let damaged = (pairs(), damage).prop_map(|((request, response), (at, byte, how, back))| {
        let mut pdu = if back { written(&Ok(response)) } else { sent(&request) };
        let at = at.index(pdu.len());
        match how {
            0 => pdu.truncate(at),
            1 => pdu.push(byte),
            2 => pdu.insert(at, byte),
            3 => drop(pdu.remove(at)),
            4 => pdu[at] = byte,
            _ => {}
        }
        pdu
    });
    prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..300)]
}

/// The coils of a multiple write end within a byte: what is behind them is not kept.
fn without_padding(pdu: &[u8]) -> Vec<u8> {
    let mut pdu = pdu.to_vec();
    if let [0x0F, _, _, high, low, _, .., last] = pdu.as_mut_slice() {
        let used = u16::from_be_bytes([*high, *low]) % 8;
        if used != 0 {
            *last &= (1 << used) - 1;
        }
    }
    pdu
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_request_is_read_back((request, _) in pairs()) {
        let pdu = sent(&request);
        prop_assert!(pdu.len() <= MAX_PDU);
        prop_assert_eq!(decode_request(&pdu), Ok(request));
    }

    #[test]
    fn an_answer_is_read_back_by_its_request((request, response) in pairs()) {
        let answer = Ok(response);
        let pdu = written(&answer);
        prop_assert!(pdu.len() <= MAX_PDU);
        prop_assert_eq!(written(&decode_response(&pdu).unwrap()), pdu.clone());
        prop_assert_eq!(decode_answer(&pdu, &request), Ok(answer));
    }

    #[test]
    fn an_exception_answers_any_request((request, _) in pairs(), code: u8) {
        let function = request.function_code().value();
        let mut pdu = Vec::new();
        let answer = Err(ExceptionCode::new(code));
        encode_answer(function, &answer, &mut pdu).unwrap();
        prop_assert_eq!(pdu.as_slice(), &[function + 0x80, code]);
        prop_assert_eq!(decode_answer(&pdu, &request), Ok(answer.clone()));
        prop_assert_eq!(decode_response(&pdu), Ok(answer));
    }

    #[test]
    fn what_is_accepted_is_written_back(pdu in nearly_pdus()) {
        if let Ok(request) = decode_request(&pdu) {
            prop_assert_eq!(sent(&request), without_padding(&pdu));
        }
        if let Ok(answer) = decode_response(&pdu) {
            let function = pdu[0] & 0x7F;
            let mut out = Vec::new();
            encode_answer(function, &answer, &mut out).unwrap();
            prop_assert_eq!(out, pdu);
        }
    }

    #[test]
    fn no_bytes_panic_and_no_answer_is_read_more_loosely_with_its_request(
        pdu in nearly_pdus(), (request, _) in pairs(), raw in nearly_pdus(),
    ) {
        let alone = decode_response(&pdu);
        let mut requests = vec![request];
        requests.extend(raw.split_first().map(|(code, data)| Request::Custom(*code, data.to_vec().into())));
        for request in requests {
            if decode_answer(&pdu, &request).is_ok() {
                prop_assert!(alone.is_ok());
                let function = request.function_code().value();
                prop_assert_eq!(pdu[0] & 0x7F, function & 0x7F);
            }
        }
    }

    #[test]
    fn an_answer_of_another_size_is_refused(
        (request, _) in pairs(), (_, response) in pairs(), address: u16, extra in 1u16..100,
    ) {
        let (ask, got) = (extra, extra + 1);
        let values = vec![0; usize::from(got)];
        let other = written(&Ok(Response::ReadHoldingRegisters(values)));
        let refused = decode_answer(&other, &Request::ReadHoldingRegisters(address, ask));
        prop_assert_eq!(refused.unwrap_err().label(), "quantity-mismatch");
        if request.function_code().value() != response.function_code().value() {
            let refused = decode_answer(&written(&Ok(response)), &request);
            prop_assert_eq!(refused.unwrap_err().label(), "function-mismatch");
        }
    }

    /// The second opinion. It has the codes without a variant as `Custom` too, and reads coils in
    /// whole bytes.
    #[test]
    fn tokio_modbus_reads_the_same((request, response) in pairs()) {
        let opaque = |code: u8, data: &[u8]| code == 0x2B && data.first() != Some(&0x0E);
        let pdu = sent(&request);
        if !matches!(&request, Request::Custom(code, data) if opaque(*code, data)) {
            prop_assert_eq!(Request::try_from(bytes::Bytes::from(pdu)).unwrap(), request);
        }
        if !matches!(&response, Response::Custom(code, data) if opaque(*code, data)) {
            let pdu = written(&Ok(response));
            let theirs = Response::try_from(bytes::Bytes::from(pdu.clone())).unwrap();
            prop_assert_eq!(decode_response(&pdu), Ok(Ok(theirs)));
        }
    }
}

#[test]
fn what_a_negative_test_sends_goes_out_as_it_is() {
    let cases: [(Request<'_>, &[u8]); 6] = [
        (Request::ReadHoldingRegisters(0, 0), &[3, 0, 0, 0, 0]),
        (Request::ReadHoldingRegisters(1, 126), &[3, 0, 1, 0, 126]),
        (Request::ReadCoils(0, 0xFFFF), &[1, 0, 0, 0xFF, 0xFF]),
        (Request::WriteMultipleRegisters(2, vec![].into()), &[0x10, 0, 2, 0, 0, 0]),
        (
            Request::ReadWriteMultipleRegisters(0, 0, 0, vec![].into()),
            &[0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        (Request::Custom(0x03, vec![9].into()), &[3, 9]),
    ];
    for (request, bytes) in cases {
        assert_eq!(sent(&request), bytes);
    }
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let requests = [
        Request::WriteMultipleRegisters(0, vec![0; 124].into()),
        Request::WriteMultipleRegisters(0, vec![0; 70_000].into()),
        Request::WriteMultipleCoils(0, vec![true; 1977].into()),
        Request::WriteMultipleCoils(0, vec![true; 600_000].into()),
        Request::ReadWriteMultipleRegisters(0, 1, 0, vec![0; 122].into()),
        Request::Custom(0x41, vec![0; 253].into()),
    ];
    for request in requests {
        let mut out = vec![7];
        let refused = encode_request(&request, &mut out).unwrap_err();
        assert_eq!((refused.label(), out.as_slice()), ("pdu-too-long", [7].as_slice()));
    }
    let object = DeviceIdObject { id: 0, value: vec![0; 245].into() };
    let responses = [
        Response::ReadHoldingRegisters(vec![0; 126]),
        Response::ReadCoils(vec![true; 2009]),
        Response::ReportServerId(1, true, vec![0; 250]),
        Response::ReportServerId(1, true, vec![0; 254]),
        identification(1, 1, None, 0, vec![object; 300]).1,
    ];
    for response in responses {
        let mut out = vec![7];
        let function = response.function_code().value();
        let refused = encode_answer(function, &Ok(response), &mut out).unwrap_err();
        assert_eq!((refused.label(), out.as_slice()), ("pdu-too-long", [7].as_slice()));
    }
    assert_eq!(Queue(vec![0; 32]).response().unwrap_err().label(), "quantity-out-of-range");
    assert_eq!(Sections(vec![]).request().unwrap_err().label(), "quantity-out-of-range");
    assert_eq!(Records(vec![]).response().unwrap_err().label(), "quantity-out-of-range");
}

#[test]
fn a_response_of_another_function_is_not_written() {
    let mut out = Vec::new();
    let refused = encode_answer(4, &Ok(Response::ReadHoldingRegisters(vec![1])), &mut out);
    assert_eq!(refused, Err(Defect::Function { expected: 4, got: 3 }));
    assert!(out.is_empty());
}

#[test]
fn a_server_knows_which_exception_a_defect_deserves() {
    let exception = |pdu: &[u8]| decode_request(pdu).unwrap_err().exception();
    assert_eq!(exception(&[0x80]), ExceptionCode::IllegalFunction);
    assert_eq!(exception(&[0x2B, 0x0C]), ExceptionCode::IllegalFunction);
    assert_eq!(exception(&[0x03, 0, 0, 0, 0]), ExceptionCode::IllegalDataValue);
    assert_eq!(exception(&[0x03, 0, 0]), ExceptionCode::IllegalDataValue);
    assert_eq!(exception(&[0x05, 0, 0, 0, 1]), ExceptionCode::IllegalDataValue);
    assert_eq!(exception(&[0x2B, 0x0E, 9, 0]), ExceptionCode::IllegalDataValue);
}

#[test]
fn typed_helpers_refuse_what_is_not_theirs() {
    let status = Response::Custom(0x07, vec![1, 2].into());
    assert_eq!(ExceptionStatus::try_from(&status), Err(Defect::Trailing { extra: 1 }));
    let other = Request::ReportServerId;
    assert_eq!(Pointer::try_from(&other), Err(Defect::Function { expected: 0x18, got: 0x11 }));
    let queue = Queue(vec![1, 2, 3]);
    assert_eq!(Queue::try_from(&queue.response().unwrap()), Ok(queue));
}
