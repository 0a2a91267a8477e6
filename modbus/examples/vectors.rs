//! Judges frames: one JSON object per line of standard input, one line of standard output for each.
//!
//! ```text
//! {"transport":"tcp","direction":"response","hex":"00010000000411010103","request":"…"}
//! ```
//!
//! - `transport`: `tcp` (a Modbus TCP frame) or `pdu`. `rtu` and `ascii` give `unsupported-transport`.
//! - `direction`: `request`, `response`, `stream` (frames back to back, either way) or `unknown`.
//! - `hex`: the bytes.
//! - `request`: of a response, the request that it answers, in the same transport; may be left out.
//!   If that request is itself not valid, only its function code counts.
//!
//! Other keys are ignored. The answer is `valid` or the label of the defect; of a stream, a word for
//! each frame in order and then, if the stream did not end with a whole frame, one more for what
//! ended it: `valid valid trailing-bytes short-frame`. What is of an unknown direction, or in a
//! stream, is valid if it is valid either way; else the label is that of the request. Of an
//! *unknown* direction a sound TCP frame whose PDU is too short to tell either way is valid too.
//! A line that is not such an object gives `malformed: ` and the reason.

use std::io::{self, BufRead, Write};

use passline_modbus::framing::mbap;
use passline_modbus::pdu::{self, Defect, Request};
use serde::Deserialize;

const VALID: &str = "valid";
const SHORT_FRAME: &str = "short-frame";

fn main() -> io::Result<()> {
    judge_lines(io::stdin().lock(), io::stdout().lock())
}

/// Writes one line to `output` for each line of `input`.
pub(crate) fn judge_lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        match judge_line(&line) {
            Ok(words) => writeln!(output, "{words}")?,
            Err(reason) => writeln!(output, "malformed: {reason}")?,
        }
        line.clear();
    }
    output.flush()
}

fn judge_line(line: &[u8]) -> Result<String, String> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err("not a JSON object".to_owned());
    }
    let vector: Vector = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    vector.judge(usize::MAX)
}

/// Some bytes, and what they claim to be.
#[derive(Debug, Deserialize)]
pub(crate) struct Vector {
    /// How they are framed.
    pub(crate) transport: Transport,
    /// Which way they went.
    pub(crate) direction: Direction,
    /// The bytes.
    pub(crate) hex: String,
    /// The request that a response answers.
    pub(crate) request: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Pdu,
    Tcp,
    Rtu,
    Ascii,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Request,
    Response,
    Stream,
    Unknown,
}

impl Vector {
    /// The words for it, fed to the decoder in pieces of `piece` bytes.
    pub(crate) fn judge(&self, piece: usize) -> Result<String, String> {
        let Some(found) = split(self.transport, &bytes("hex", &self.hex)?, piece) else {
            return Ok("unsupported-transport".to_owned());
        };
        if self.direction == Direction::Stream {
            let words =
                found.pdus.iter().map(|pdu| label(either(pdu).map_err(|[request, _]| request)));
            return Ok(words.chain(found.end).collect::<Vec<_>>().join(" "));
        }
        let pdu = match found.single() {
            Ok(pdu) => pdu,
            Err(label) => return Ok(label.to_owned()),
        };
        let framed = self.transport != Transport::Pdu;
        let verdict = match self.direction {
            Direction::Request => pdu::decode_request(pdu).map(drop),
            Direction::Response => self.response(pdu)?,
            Direction::Unknown | Direction::Stream => match either(pdu) {
                Err([Defect::Short { .. }, Defect::Short { .. }]) if framed => Ok(()),
                verdict => verdict.map_err(|[request, _]| request),
            },
        };
        Ok(label(verdict).to_owned())
    }

    fn response(&self, response: &[u8]) -> Result<Result<(), Defect>, String> {
        let Some(request) = &self.request else {
            return Ok(pdu::decode_response(response).map(drop));
        };
        let found = split(self.transport, &bytes("request", request)?, usize::MAX);
        let request = found.as_ref().and_then(|found| found.single().ok());
        let Some((code, data)) = request.and_then(|pdu| pdu.split_first()) else {
            return Err("`request` is not one frame".to_owned());
        };
        Ok(pdu::decode_answer(response, &Request::Custom(*code, data.into())).map(drop))
    }
}

/// What was found in some bytes: the PDUs, and what ended them if not the end of a frame.
struct Found {
    pdus: Vec<Vec<u8>>,
    end: Option<&'static str>,
}

impl Found {
    /// The PDU of what must be one frame and nothing else.
    fn single(&self) -> Result<&[u8], &'static str> {
        match (self.pdus.as_slice(), self.end) {
            ([pdu], None) => Ok(pdu),
            ([], end) => Err(end.unwrap_or(SHORT_FRAME)),
            _ => Err("extra-bytes-after-adu"),
        }
    }
}

/// Takes bytes apart as their transport has it; `None` if it is not supported.
fn split(transport: Transport, bytes: &[u8], piece: usize) -> Option<Found> {
    match transport {
        Transport::Pdu => Some(Found { pdus: vec![bytes.to_vec()], end: None }),
        Transport::Tcp => Some(split_tcp(bytes, piece)),
        Transport::Rtu | Transport::Ascii => None,
    }
}

fn split_tcp(bytes: &[u8], piece: usize) -> Found {
    let mut decoder = mbap::Decoder::new();
    let mut pdus = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            match frame {
                Ok(frame) => pdus.push(frame.pdu.to_vec()),
                Err(defect) => return Found { pdus, end: Some(defect.label()) },
            }
        }
    }
    let end = (!decoder.rest().is_empty()).then_some(SHORT_FRAME);
    Found { pdus, end }
}

/// Valid as a request or as a response; else what is wrong with either.
fn either(pdu: &[u8]) -> Result<(), [Defect; 2]> {
    match (pdu::decode_request(pdu), pdu::decode_response(pdu)) {
        (Err(request), Err(response)) => Err([request, response]),
        _ => Ok(()),
    }
}

fn label(verdict: Result<(), Defect>) -> &'static str {
    verdict.map_or_else(|defect| defect.label(), |()| VALID)
}

fn bytes(key: &str, hex: &str) -> Result<Vec<u8>, String> {
    let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return Err(format!("`{key}` has an odd number of digits"));
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    let bytes = pairs.iter().map(byte).collect::<Option<_>>();
    bytes.ok_or_else(|| format!("`{key}` is not hexadecimal"))
}
