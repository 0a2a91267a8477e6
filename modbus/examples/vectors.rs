//! Judges frames: one JSON object per line of standard input, one line of standard output for each.
//!
//! ```text
//! {"transport":"tcp","direction":"response","hex":"00010000000411010103","request":"…"}
//! ```
//!
//! - `transport`: `tcp` (a Modbus TCP frame), `rtu`, `ascii` or `pdu`.
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
//!
//! A serial line is still before and after the bytes. `rtu` and `ascii` frames may have noise around
//! them: it has words of its own in a stream, and is passed over elsewhere. Of an *unknown*
//! direction only the frame is judged: its checksum tells more than its PDU.
//!
//! A line that is not such an object gives `malformed: ` and the reason.

use std::io::{self, BufRead, Write};

use passline_modbus::framing::mbap;
use passline_modbus::framing::serial::{self, Mode, Part};
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
        let request = self.request()?;
        let found = self.split(&bytes("hex", &self.hex)?, self.decoder(request.as_ref()), piece);
        if self.direction == Direction::Stream {
            return Ok(found.iter().map(Found::word).collect::<Vec<_>>().join(" "));
        }
        let pdu = match single(self.transport, &found) {
            Ok((_, pdu)) => pdu,
            Err(label) => return Ok(label.to_owned()),
        };
        let verdict = match self.direction {
            Direction::Request => pdu::decode_request(pdu).map(drop),
            Direction::Response => match &request {
                Some((_, request)) => pdu::decode_answer(pdu, request).map(drop),
                None => pdu::decode_response(pdu).map(drop),
            },
            Direction::Unknown | Direction::Stream => self.either(pdu),
        };
        Ok(label(verdict).to_owned())
    }

    /// The request that a response answers, and its unit id.
    fn request(&self) -> Result<Option<(u8, Request<'static>)>, String> {
        let Some(hex) = &self.request else { return Ok(None) };
        let decoder = self.mode().map(Mode::requests);
        let found = self.split(&bytes("request", hex)?, decoder, usize::MAX);
        let frame = single(self.transport, &found).ok();
        let request = frame.and_then(|(unit, pdu)| {
            let (code, data) = pdu.split_first()?;
            Some((*unit, Request::Custom(*code, data.to_vec().into())))
        });
        request.map(Some).ok_or_else(|| "`request` is not one frame".to_owned())
    }

    fn mode(&self) -> Option<Mode> {
        match self.transport {
            Transport::Pdu | Transport::Tcp => None,
            Transport::Rtu => Some(Mode::Rtu),
            Transport::Ascii => Some(Mode::Ascii),
        }
    }

    /// The decoder of its side, on a serial line.
    fn decoder(&self, request: Option<&(u8, Request<'_>)>) -> Option<serial::Decoder> {
        let mode = self.mode()?;
        let mut decoder = match self.direction {
            Direction::Request => mode.requests(),
            Direction::Response | Direction::Stream | Direction::Unknown => mode.answers(),
        };
        if let Some((unit, request)) = request {
            decoder.expect(*unit, request);
        }
        Some(decoder)
    }

    /// Takes bytes apart as their transport has it; `decoder` is for those of a serial line.
    fn split(&self, bytes: &[u8], decoder: Option<serial::Decoder>, piece: usize) -> Vec<Found> {
        match (self.transport, decoder) {
            (_, Some(decoder)) => split_serial(decoder, bytes, piece),
            (Transport::Tcp, None) => split_tcp(bytes, piece),
            (_, None) => vec![Found::Frame((0, bytes.to_vec()))],
        }
    }

    fn either(&self, pdu: &[u8]) -> Result<(), Defect> {
        match (self.transport, either(pdu)) {
            (Transport::Rtu | Transport::Ascii, _)
            | (Transport::Tcp, Err([Defect::Short { .. }, Defect::Short { .. }])) => Ok(()),
            (_, verdict) => verdict.map_err(|[request, _]| request),
        }
    }
}

/// A piece of what came: a frame's unit id and PDU, or what is wrong with bytes that are none.
enum Found {
    Frame((u8, Vec<u8>)),
    Damaged(serial::Defect),
    Noise(serial::Defect),
    /// What ends a stream for good.
    End(&'static str),
}

impl Found {
    fn frame(&self) -> Option<&(u8, Vec<u8>)> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Damaged(_) | Self::Noise(_) | Self::End(_) => None,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Frame((_, pdu)) => label(either(pdu).map_err(|[request, _]| request)),
            Self::Damaged(defect) | Self::Noise(defect) => defect.label(),
            Self::End(label) => label,
        }
    }

    /// How likely it is what should have been a frame.
    fn weight(&self) -> u8 {
        match self {
            Self::Noise(serial::Defect::Outside) => 0,
            Self::Noise(_) => 1,
            Self::Frame(_) | Self::Damaged(_) | Self::End(_) => 2,
        }
    }
}

/// What must be one frame and nothing else; on a serial line, noise apart.
fn single(transport: Transport, found: &[Found]) -> Result<&(u8, Vec<u8>), &'static str> {
    let serial = matches!(transport, Transport::Rtu | Transport::Ascii);
    let mut frames = found.iter().filter_map(Found::frame);
    match (frames.next(), frames.next()) {
        (Some(frame), None) if serial || found.len() == 1 => Ok(frame),
        (Some(_), _) => Err("extra-bytes-after-adu"),
        (None, _) => {
            let likely = found.iter().rev().max_by_key(|found| found.weight());
            Err(likely.map_or(SHORT_FRAME, Found::word))
        }
    }
}

fn split_tcp(bytes: &[u8], piece: usize) -> Vec<Found> {
    let mut decoder = mbap::Decoder::new();
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame() {
            match frame {
                Ok(frame) => found.push(Found::Frame((frame.unit, frame.pdu.to_vec()))),
                Err(defect) => {
                    found.push(Found::End(defect.label()));
                    return found;
                }
            }
        }
    }
    if !decoder.rest().is_empty() {
        found.push(Found::End(SHORT_FRAME));
    }
    found
}

fn split_serial(mut decoder: serial::Decoder, bytes: &[u8], piece: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let mut take = |decoder: &mut serial::Decoder| {
        while let Some(part) = decoder.next_part() {
            found.push(match part {
                Part::Frame(frame) => Found::Frame((frame.unit, frame.pdu.to_vec())),
                Part::Damaged { defect, .. } => Found::Damaged(defect),
                Part::Noise { defect, .. } => Found::Noise(defect),
            });
        }
    };
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        take(&mut decoder);
    }
    decoder.silence();
    take(&mut decoder);
    found
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

/// The bytes that the digits of `key` stand for.
pub(crate) fn bytes(key: &str, hex: &str) -> Result<Vec<u8>, String> {
    let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return Err(format!("`{key}` has an odd number of digits"));
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    let bytes = pairs.iter().map(byte).collect::<Option<_>>();
    bytes.ok_or_else(|| format!("`{key}` is not hexadecimal"))
}
