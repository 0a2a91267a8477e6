//! The protocol data unit: function code and data, to bytes and back (V1.1b3, clauses 4 to 7).
//!
//! `tokio_modbus`'s [`Request`], [`Response`] and [`ExceptionCode`] are the vocabulary. The public
//! functions that it has no variant for (07, 08, 0B, 0C, 14, 15, 18, 2B/0D) travel as `Custom`, the
//! data as on the wire, and are checked just as strictly; [`diagnostics`], [`file`](mod@file) and
//! [`fifo`] build and take apart that data. Function codes that the standard leaves to the user
//! are `Custom` too, their data unchecked. Knows nothing of framing, links or time.
//!
//! Decoding is strict: what it accepts is exactly what it would encode again. The one exception is
//! the padding behind the last coil of a byte, which is ignored as the standard has it.
//! Encoding is not: a read of 126 registers, an empty write or a raw `Custom` is what a test of a
//! device's refusals sends, and goes out as long as it fits in [`MAX_PDU`].
//!
//! Whether an address exists is the device's business: `address + quantity` may pass 65536 here.

mod bits;
mod defect;
mod encode;
mod fields;
mod identification;
mod registers;

pub mod counter;
pub mod diagnostics;
pub mod fifo;
pub mod file;

pub use defect::Defect;
pub use tokio_modbus::prelude::{
    ConformityLevel, DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse,
};
pub use tokio_modbus::{ExceptionCode, Request, Response};

use fields::Fields;

/// Largest PDU in bytes (V1.1b3, clause 4.1: 256 - address - CRC).
pub const MAX_PDU: usize = 253;

/// Most coils or discrete inputs of one read (clauses 6.1, 6.2).
pub const MAX_READ_BITS: u16 = 2000;

/// Most coils of one write (clause 6.11).
pub const MAX_WRITE_BITS: u16 = 1968;

/// Most registers of one read, function 23 included (clauses 6.3, 6.4, 6.17).
pub const MAX_READ_REGISTERS: u16 = 125;

/// Most registers of one write (clause 6.12).
pub const MAX_WRITE_REGISTERS: u16 = 123;

/// Most registers that function 23 writes (clause 6.17).
pub const MAX_READ_WRITE_REGISTERS: u16 = 121;

/// Set in the function code of an exception answer (V1.1b3, clause 7).
const EXCEPTION: u8 = 0x80;

/// What a device answered: data, or an exception. Both are answers.
pub type Answer = Result<Response, ExceptionCode>;

/// One function: how its request and its answer are read, and when the two belong together.
struct Function {
    request: fn(&mut Fields<'_>) -> Result<Request<'static>, Defect>,
    answer: fn(&mut Fields<'_>) -> Result<Response, Defect>,
    /// Whether a valid answer answers this request. Both are of this function. Cuts coils to the
    /// quantity asked for.
    pair: fn(&Request<'_>, &mut Response) -> Result<(), Defect>,
}

/// A function code that the standard does not define: its data means nothing here.
static RAW: Function = Function {
    request: |f| Ok(f.raw_request()),
    answer: |f| Ok(f.raw_answer()),
    pair: |_, _| Ok(()),
};

fn function(code: u8) -> &'static Function {
    match code {
        0x01 => &bits::READ_COILS,
        0x02 => &bits::READ_DISCRETE_INPUTS,
        0x03 => &registers::READ_HOLDING_REGISTERS,
        0x04 => &registers::READ_INPUT_REGISTERS,
        0x05 => &bits::WRITE_SINGLE_COIL,
        0x06 => &registers::WRITE_SINGLE_REGISTER,
        0x07 => &diagnostics::READ_EXCEPTION_STATUS,
        0x08 => &diagnostics::DIAGNOSTICS,
        0x0B => &diagnostics::GET_COMM_EVENT_COUNTER,
        0x0C => &diagnostics::GET_COMM_EVENT_LOG,
        0x0F => &bits::WRITE_MULTIPLE_COILS,
        0x10 => &registers::WRITE_MULTIPLE_REGISTERS,
        0x11 => &identification::REPORT_SERVER_ID,
        0x14 => &file::READ_FILE_RECORD,
        0x15 => &file::WRITE_FILE_RECORD,
        0x16 => &registers::MASK_WRITE_REGISTER,
        0x17 => &registers::READ_WRITE_MULTIPLE_REGISTERS,
        0x18 => &fifo::READ_FIFO_QUEUE,
        0x2B => &identification::ENCAPSULATED_INTERFACE,
        _ => &RAW,
    }
}

/// Appends the request's PDU to `out`. Quantities are not checked, see the [module](self).
///
/// # Errors
///
/// [`Defect::TooLong`] if it does not fit in [`MAX_PDU`]; `out` is then as it was.
pub fn encode_request(request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), Defect> {
    encode::bounded(out, |out| encode::request(request, out))
}

/// Appends the answer of function `function` to `out`.
///
/// # Errors
///
/// [`Defect::TooLong`] if it does not fit in [`MAX_PDU`], [`Defect::Function`] if the response is
/// that of another function; `out` is then as it was.
pub fn encode_answer(function: u8, answer: &Answer, out: &mut Vec<u8>) -> Result<(), Defect> {
    match answer {
        Ok(response) => {
            require_function(function, response.function_code().value())?;
            encode::bounded(out, |out| encode::response(response, out))
        }
        Err(code) => {
            out.extend([function | EXCEPTION, u8::from(*code)]);
            Ok(())
        }
    }
}

/// Reads a request, as a server does. Function codes without a variant are `Custom`.
///
/// # Errors
///
/// What is wrong with it; [`Defect::exception`] is what a server answers.
pub fn decode_request(pdu: &[u8]) -> Result<Request<'static>, Defect> {
    let mut fields = Fields::new(pdu)?;
    let code = fields.function();
    if code == 0 || code >= EXCEPTION {
        return Err(Defect::IllegalFunction { function: code });
    }
    (function(code).request)(&mut fields)
}

/// Reads an answer without knowing the request: coils come in whole bytes.
///
/// # Errors
///
/// What is wrong with it.
pub fn decode_response(pdu: &[u8]) -> Result<Answer, Defect> {
    let mut fields = Fields::new(pdu)?;
    let code = fields.function();
    if code < EXCEPTION {
        return (function(code).answer)(&mut fields).map(Ok);
    }
    match pdu {
        [_, exception] => Ok(Err(ExceptionCode::new(*exception))),
        _ => Err(Defect::ExceptionLength { got: pdu.len() }),
    }
}

/// Reads the answer to `request`: function, echoes, byte counts and quantities must be those that
/// the request asked for. Coils are cut to the quantity.
///
/// A `Custom` request of a known function is held to the same rules. If it is not a valid request
/// of that function (a test of the device's refusals), the answer must be valid by itself.
///
/// # Errors
///
/// What is wrong with it, an answer to something else included.
pub fn decode_answer(pdu: &[u8], request: &Request<'_>) -> Result<Answer, Defect> {
    let sent = request.function_code().value();
    let got = Fields::new(pdu)?.function();
    require_function(sent & !EXCEPTION, got & !EXCEPTION)?;
    let mut answer = decode_response(pdu)?;
    if let Ok(response) = &mut answer {
        pair(request, response)?;
    }
    Ok(answer)
}

fn pair(request: &Request<'_>, response: &mut Response) -> Result<(), Defect> {
    let function = function(request.function_code().value());
    let Request::Custom(code, data) = request else {
        return (function.pair)(request, response);
    };
    match (function.request)(&mut Fields::of_data(*code, data)) {
        Ok(request) => (function.pair)(&request, response),
        Err(_) => Ok(()),
    }
}

fn require_function(expected: u8, got: u8) -> Result<(), Defect> {
    if expected == got { Ok(()) } else { Err(Defect::Function { expected, got }) }
}

/// The answer of a [`Function::pair`] whose two sides are not of its own shapes.
fn mismatch(request: &Request<'_>, response: &Response) -> Result<(), Defect> {
    Err(Defect::Function {
        expected: request.function_code().value(),
        got: response.function_code().value(),
    })
}

/// An answer's `field` must repeat what was sent.
fn echo(field: &'static str, sent: u16, got: u16) -> Result<(), Defect> {
    if sent == got { Ok(()) } else { Err(Defect::Echo { field, sent, got }) }
}

/// An answer must hold as many items as were asked for.
fn require_quantity(asked: usize, got: usize) -> Result<(), Defect> {
    if asked == got { Ok(()) } else { Err(Defect::AnswerQuantity { asked, got }) }
}
