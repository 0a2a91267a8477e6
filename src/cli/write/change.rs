//! Registers to the one request that writes them (V1.1b3, clauses 6.5, 6.6, 6.11, 6.12, 6.16).
//! Pure.

use std::borrow::Cow;
use std::fmt;

use clap::ValueEnum;
use passline_modbus::pdu::{MAX_WRITE_BITS, MAX_WRITE_REGISTERS, Request};
use passline_modbus::point::{Point, Raw, Span};
use passline_modbus::value::Value;

use crate::cli::read::Good;
use crate::cli::terminal;

/// Which function writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Function {
    /// 05 and 06 for one coil or register, 0F and 10 for several
    Auto,
    /// 05 and 06
    Single,
    /// 0F and 10
    Multiple,
}

/// A value that is to be in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    point: Point,
    raw: Raw<'static>,
    text: String,
}

/// One request, and what it is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    request: Request<'static>,
    /// At least one, each right behind the one before.
    values: Vec<Wanted>,
}

impl Wanted {
    /// `value` is what `raw` reads as.
    pub(super) fn new(point: Point, raw: Raw<'static>, value: &Value) -> Self {
        Self { point, raw, text: terminal::printable(&value.to_string()) }
    }

    pub(super) fn point(&self) -> &Point {
        &self.point
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether this is what was read back. The other bits of a word are nobody's business.
    pub(super) fn is(&self, read: &Good) -> bool {
        if self.point.field().is_some() { self.text == read.text } else { self.raw == read.raw }
    }
}

impl Change {
    /// # Errors
    /// Why no request writes this.
    pub(super) fn new(values: Vec<Wanted>, function: Function) -> Result<Self, String> {
        let first = values.first().ok_or("no value")?;
        let span = first.point.span().ok_or("only tables are written")?;
        let request = if !span.table().is_writable() {
            return Err(format!("the table `{}` cannot be written", span.table()));
        } else if first.point.field().is_some() {
            bits_of_register(span.address(), &values, function)?
        } else if span.table().is_bits() {
            coils(span.address(), &values, function)?
        } else {
            registers(span.address(), &values, function)?
        };
        Ok(Self { request, values })
    }

    pub(super) fn request(&self) -> Request<'static> {
        self.request.clone()
    }

    pub(super) fn values(&self) -> &[Wanted] {
        &self.values
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.values.iter().map(|value| value.point.clone()).collect()
    }

    /// Where it writes.
    pub(super) fn place(&self) -> String {
        let spans: Vec<Span> = self.values.iter().filter_map(|value| value.point.span()).collect();
        let whole = spans.first().zip(spans.last()).and_then(|(first, last)| {
            let count = last.end().checked_sub(first.address().into())?;
            Span::new(first.table(), first.address(), u16::try_from(count).ok()?)
        });
        whole.map(|span| span.to_string()).unwrap_or_default()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.values.iter().map(Wanted::text).collect();
        write!(formatter, "{} = {}", self.place(), texts.join(", "))
    }
}

fn coils(address: u16, values: &[Wanted], function: Function) -> Result<Request<'static>, String> {
    let bits = values.iter().map(|value| matches!(value.raw, Raw::Bit(true)));
    let bits: Vec<bool> = bits.collect();
    match (bits.as_slice(), function) {
        ([bit], Function::Auto | Function::Single) => Ok(Request::WriteSingleCoil(address, *bit)),
        (bits, Function::Single) => Err(format!("function 05 writes one coil, not {}", bits.len())),
        (bits, _) if bits.len() > usize::from(MAX_WRITE_BITS) => {
            Err(format!("{} coils: a request writes at most {MAX_WRITE_BITS}", bits.len()))
        }
        _ => Ok(Request::WriteMultipleCoils(address, bits.into())),
    }
}

fn registers(
    address: u16,
    values: &[Wanted],
    function: Function,
) -> Result<Request<'static>, String> {
    let words = |value: &Wanted| match &value.raw {
        Raw::Registers(words) => words.to_vec(),
        Raw::Bit(_) | Raw::Bytes(_) => Vec::new(),
    };
    let words: Vec<u16> = values.iter().flat_map(words).collect();
    match (words.as_slice(), function) {
        ([word], Function::Auto | Function::Single) => {
            Ok(Request::WriteSingleRegister(address, *word))
        }
        (words, Function::Single) => {
            Err(format!("function 06 writes one register, these are {}", words.len()))
        }
        (words, _) if words.len() > usize::from(MAX_WRITE_REGISTERS) => Err(format!(
            "{} registers: a request writes at most {MAX_WRITE_REGISTERS}",
            words.len()
        )),
        _ => Ok(Request::WriteMultipleRegisters(address, Cow::Owned(words))),
    }
}

/// Only the device itself can change some bits of a register without a chance that someone else's
/// change to the others is lost.
fn bits_of_register(
    address: u16,
    values: &[Wanted],
    function: Function,
) -> Result<Request<'static>, String> {
    let [value] = values else {
        return Err("bits of several registers: write them one by one".to_owned());
    };
    let Some(field) = value.point.field() else { return Err("no bits of a register".to_owned()) };
    let one = |raw: &Raw<'_>| match raw {
        Raw::Registers(words) if words.len() == 1 => words.first().copied(),
        _ => None,
    };
    let several = "bits are written to one register: name the one that they are in";
    let set = one(&value.raw).ok_or(several)?;
    if function != Function::Auto {
        return Err("bits of a register are written with function 16 alone".to_owned());
    }
    let width = u32::from(field.last() - field.first()) + 1;
    let all = match width {
        1 => Value::Bool(true),
        _ => Value::Number(((1_u64 << width) - 1).into()),
    };
    let empty = Raw::Registers(vec![0].into());
    let mask = value.point.merge(&all, &empty).map_err(|error| error.to_string())?;
    let mask = one(&mask).ok_or(several)?;
    Ok(Request::MaskWriteRegister(address, !mask, set))
}
