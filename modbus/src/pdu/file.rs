//! File records: functions 14 and 15 (V1.1b3, clauses 6.14, 6.15).
//!
//! A file is up to 10000 records of one register each. A request has one or more sub-requests, each
//! for a run of records. Whether a file or record exists is the device's business.

use std::ops::RangeInclusive;

use tokio_modbus::{Request, Response};

use super::fields::{Fields, within, words};
use super::{Defect, Function, echo, encode, require_quantity};

/// Function code of Read File Record.
pub const READ: u8 = 0x14;
/// Function code of Write File Record.
pub const WRITE: u8 = 0x15;

/// The only reference type that there is.
const REFERENCE: u8 = 6;
/// Bytes of a sub-request without its values: reference type, file, first record, length.
const HEAD: usize = 7;
/// The byte counts that a read may have.
const READ_BYTES: RangeInclusive<usize> = 0x07..=0xF5;
/// The byte counts that a write may have.
const WRITE_BYTES: RangeInclusive<usize> = 0x09..=0xFB;

pub(super) static READ_FILE_RECORD: Function = Function {
    request: |f| Sections::parse(f).map(|_| f.raw_request()),
    answer: |f| Contents::parse(f).map(|_| f.raw_answer()),
    pair: |request, response| {
        let (sections, contents) = (Sections::try_from(request)?, Contents::try_from(&*response)?);
        require_quantity(sections.0.len(), contents.0.len())?;
        let mut pairs = sections.0.iter().zip(&contents.0);
        pairs.try_for_each(|(asked, got)| require_quantity(asked.length.into(), got.len()))
    },
};

pub(super) static WRITE_FILE_RECORD: Function = Function {
    request: |f| Records::parse_request(f).map(|_| f.raw_request()),
    answer: |f| Records::parse_answer(f).map(|_| f.raw_answer()),
    pair: |request, response| {
        let (sent, got) = (Records::try_from(request)?, Records::try_from(&*response)?);
        require_quantity(sent.0.len(), got.0.len())?;
        sent.0.iter().zip(&got.0).try_for_each(|(sent, got)| sent.echoed_by(got))
    },
};

/// A run of records to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Section {
    /// The file, from 1.
    pub file: u16,
    /// The first record, 0 to 9999.
    pub first: u16,
    /// How many records (registers).
    pub length: u16,
}

impl Section {
    /// The most records that one answer can carry: its byte count is F5 at most.
    pub const MAX_LENGTH: u16 = 121;

    /// The greatest record number.
    pub const LAST_RECORD: u16 = 9999;

    /// Whether it has a record in common with `other`.
    pub fn overlaps(self, other: Section) -> bool {
        let end = |section: Section| u32::from(section.first) + u32::from(section.length);
        self.file == other.file
            && u32::from(self.first) < end(other)
            && u32::from(other.first) < end(self)
    }

    /// The request that reads it alone.
    pub fn request(self) -> Request<'static> {
        let mut data = vec![7];
        self.put(&mut data);
        Request::Custom(READ, data.into())
    }

    fn put(self, data: &mut Vec<u8>) {
        data.push(REFERENCE);
        encode::words(data, &[self.file, self.first, self.length]);
    }
}

/// The runs of records that one request reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections(pub Vec<Section>);

impl Sections {
    /// The request that reads them.
    ///
    /// # Errors
    ///
    /// [`Defect::Quantity`] with none, or more than one request can hold (35).
    pub fn request(&self) -> Result<Request<'static>, Defect> {
        let bytes = self.0.len() * HEAD;
        within(bytes, READ_BYTES)?;
        let mut data = vec![encode::count(bytes)?];
        for section in &self.0 {
            section.put(&mut data);
        }
        Ok(Request::Custom(READ, data.into()))
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let declared = f.u8()?;
        within(declared.into(), READ_BYTES)?;
        let mut bytes = f.written(declared, declared.into())?;
        let mut sections = Vec::with_capacity(bytes.len() / HEAD);
        while !bytes.is_empty() {
            let (section, rest) = section(bytes)?;
            sections.push(section);
            bytes = rest;
        }
        Ok(Self(sections))
    }
}

impl TryFrom<&Request<'_>> for Sections {
    type Error = Defect;

    fn try_from(request: &Request<'_>) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_request(request, READ)?)
    }
}

/// The values that a read gave, one list for each [`Section`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents(pub Vec<Vec<u16>>);

impl Contents {
    /// The response that carries them.
    ///
    /// # Errors
    ///
    /// [`Defect::TooLong`] if they do not fit in one.
    pub fn response(&self) -> Result<Response, Defect> {
        let mut records = Vec::new();
        for values in &self.0 {
            records.extend([encode::count(1 + values.len() * 2)?, REFERENCE]);
            encode::words(&mut records, values);
        }
        Ok(Response::Custom(READ, counted(&records)?.into()))
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let declared = usize::from(f.u8()?);
        let mut bytes = f.counted(declared)?;
        let mut contents = Vec::new();
        while let Some((&length, rest)) = bytes.split_first() {
            let (record, rest) = split(rest, length.into())?;
            let (&reference, values) = record
                .split_first()
                .ok_or(Defect::RecordLength { declared: length.into(), got: rest.len() })?;
            require_reference(reference)?;
            contents.push(words(values)?);
            bytes = rest;
        }
        Ok(Self(contents))
    }
}

impl TryFrom<&Response> for Contents {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, READ)?)
    }
}

/// A run of records to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The file, from 1.
    pub file: u16,
    /// The first record, 0 to 9999.
    pub first: u16,
    /// The values, one for each record.
    pub values: Vec<u16>,
}

impl Record {
    fn echoed_by(&self, answer: &Self) -> Result<(), Defect> {
        echo("file", self.file, answer.file)?;
        echo("record", self.first, answer.first)?;
        require_quantity(self.values.len(), answer.values.len())?;
        let mut values = self.values.iter().zip(&answer.values);
        values.try_for_each(|(sent, got)| echo("value", *sent, *got))
    }
}

/// The runs of records that one request writes; its answer repeats them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records(pub Vec<Record>);

impl Records {
    /// The request that writes them.
    ///
    /// # Errors
    ///
    /// [`Defect::Quantity`] with none, [`Defect::TooLong`] if they do not fit in one.
    pub fn request(&self) -> Result<Request<'static>, Defect> {
        Ok(Request::Custom(WRITE, self.bytes()?.into()))
    }

    /// The response that says that they are written.
    ///
    /// # Errors
    ///
    /// As [`Records::request`].
    pub fn response(&self) -> Result<Response, Defect> {
        Ok(Response::Custom(WRITE, self.bytes()?.into()))
    }

    fn bytes(&self) -> Result<Vec<u8>, Defect> {
        let mut records = Vec::new();
        for record in &self.0 {
            records.push(REFERENCE);
            let length = encode::count(record.values.len())?;
            encode::words(&mut records, &[record.file, record.first, length]);
            encode::words(&mut records, &record.values);
        }
        within(records.len(), WRITE_BYTES)?;
        counted(&records)
    }

    fn parse_request(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let declared = f.u8()?;
        Self::parse(f.written(declared, declared.into())?)
    }

    fn parse_answer(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let declared = usize::from(f.u8()?);
        Self::parse(f.counted(declared)?)
    }

    fn parse(mut bytes: &[u8]) -> Result<Self, Defect> {
        within(bytes.len(), WRITE_BYTES)?;
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let (Section { file, first, length }, rest) = section(bytes)?;
            let (values, rest) = split(rest, usize::from(length) * 2)?;
            records.push(Record { file, first, values: words(values)? });
            bytes = rest;
        }
        Ok(Self(records))
    }
}

impl TryFrom<&Request<'_>> for Records {
    type Error = Defect;

    fn try_from(request: &Request<'_>) -> Result<Self, Defect> {
        Self::parse_request(&mut Fields::of_request(request, WRITE)?)
    }
}

impl TryFrom<&Response> for Records {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse_answer(&mut Fields::of_response(response, WRITE)?)
    }
}

/// The head of a sub-request, and what follows it.
fn section(bytes: &[u8]) -> Result<(Section, &[u8]), Defect> {
    let head = bytes.split_first_chunk::<HEAD>();
    let short = Defect::RecordLength { declared: HEAD, got: bytes.len() };
    let (&[reference, file0, file1, first0, first1, len0, len1], rest) = head.ok_or(short)?;
    require_reference(reference)?;
    let section = Section {
        file: u16::from_be_bytes([file0, file1]),
        first: u16::from_be_bytes([first0, first1]),
        length: u16::from_be_bytes([len0, len1]),
    };
    Ok((section, rest))
}

fn require_reference(got: u8) -> Result<(), Defect> {
    if got == REFERENCE { Ok(()) } else { Err(Defect::ReferenceType { got }) }
}

/// The next `declared` bytes of a record, and what follows them.
fn split(bytes: &[u8], declared: usize) -> Result<(&[u8], &[u8]), Defect> {
    let short = Defect::RecordLength { declared, got: bytes.len() };
    bytes.split_at_checked(declared).ok_or(short)
}

/// A byte count and what it counts.
fn counted(bytes: &[u8]) -> Result<Vec<u8>, Defect> {
    let mut data = vec![encode::count(bytes.len())?];
    data.extend_from_slice(bytes);
    Ok(data)
}
