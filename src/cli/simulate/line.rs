//! A link as whoever watches it knows it: what its units are called, and what their registers mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::{self, Answer, ExceptionCode, Request, Response};
use passline_modbus::point::{Point, Raw, Reading, Span, Table};
use passline_simulator::endpoint::Transaction;

use crate::record::Json;
use crate::spec::model::Device;

/// A link that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// What the spec calls it.
    pub(super) name: String,
    /// What a client connects to.
    pub(super) url: String,
    pub(super) framing: Framing,
    /// Whether it takes datagrams.
    pub(super) datagrams: bool,
    /// Its units by unit id.
    pub(super) units: BTreeMap<u8, Unit>,
    /// Further unit ids, and the one of who answers for them.
    pub(super) strangers: BTreeMap<u8, u8>,
}

impl Watched {
    /// The unit that answers for a unit id.
    pub(super) fn unit(&self, unit_id: u8) -> Option<&Unit> {
        self.units.get(self.strangers.get(&unit_id).unwrap_or(&unit_id))
    }
}

/// A unit of a link.
#[derive(Debug)]
pub(super) struct Unit {
    /// What its spec calls it.
    pub(super) name: String,
    /// The points of its tables that need no other to be understood, by where they are.
    points: Vec<(Span, Arc<Point>)>,
}

impl Unit {
    pub(super) fn of(device: &Device) -> Self {
        let points = device.map.points.values().filter(|point| point.scale_factor().is_none());
        let mut points: Vec<_> =
            points.filter_map(|point| Some((point.span()?, Arc::clone(point)))).collect();
        points.sort_by_key(|(span, point)| (*span, point.name().to_owned()));
        Self { name: device.name.clone(), points }
    }

    /// The values of all points that were read or written whole.
    pub(super) fn values(&self, told: &Answered) -> Vec<(String, Json)> {
        let Some((table, start, cells)) = told.cells() else { return Vec::new() };
        let begin = self
            .points
            .partition_point(|(span, _)| (span.table(), span.address()) < (table, start));
        let within = self.points.get(begin..).unwrap_or_default().iter();
        let within = within.take_while(|(span, _)| {
            span.table() == table && usize::from(span.address() - start) < cells.len()
        });
        let value = |(span, point): &(Span, Arc<Point>)| {
            let raw = cells.part(usize::from(span.address() - start), span.count().into())?;
            match point.decode(&raw, None) {
                Ok(Reading::Value(value)) => Some((point.name().to_owned(), Json::from(&value))),
                _ => None,
            }
        };
        within.filter_map(value).collect()
    }
}

/// A request that was understood, and the answer to it if that is sound.
#[derive(Debug)]
pub(super) struct Answered(Option<(Request<'static>, Option<Answer>)>);

/// What passed over the wire of a table.
enum Cells {
    Words(Vec<u16>),
    Bits(Vec<bool>),
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Bits(bits) => bits.len(),
        }
    }

    fn part(&self, at: usize, count: usize) -> Option<Raw<'_>> {
        match self {
            Self::Words(words) => Some(Raw::Registers(words.get(at..at + count)?.into())),
            Self::Bits(bits) => bits.get(at).copied().map(Raw::Bit),
        }
    }
}

impl Answered {
    pub(super) fn new(transaction: &Transaction<'_>) -> Self {
        let asked = pdu::decode_request(transaction.request.pdu).ok();
        Self(asked.map(|asked| (asked, transaction.answer())))
    }

    /// What was asked.
    pub(super) fn request(&self) -> Option<&Request<'static>> {
        self.0.as_ref().map(|(request, _)| request)
    }

    /// The exception that was answered.
    pub(super) fn exception(&self) -> Option<ExceptionCode> {
        match &self.0 {
            Some((_, Some(Err(code)))) => Some(*code),
            _ => None,
        }
    }

    /// What was read or written of one table.
    fn cells(&self) -> Option<(Table, u16, Cells)> {
        let (request, Some(Ok(response))) = self.0.as_ref()? else { return None };
        let words = |words: &[u16]| Cells::Words(words.to_vec());
        let bits = |bits: &[bool]| Cells::Bits(bits.to_vec());
        Some(match (request, response) {
            (Request::ReadCoils(start, count), Response::ReadCoils(read)) => {
                (Table::Coil, *start, bits(read.get(..usize::from(*count))?))
            }
            (Request::ReadDiscreteInputs(start, count), Response::ReadDiscreteInputs(read)) => {
                (Table::Discrete, *start, bits(read.get(..usize::from(*count))?))
            }
            (Request::ReadHoldingRegisters(start, _), Response::ReadHoldingRegisters(read)) => {
                (Table::Holding, *start, words(read))
            }
            (Request::ReadInputRegisters(start, _), Response::ReadInputRegisters(read)) => {
                (Table::Input, *start, words(read))
            }
            (Request::WriteSingleCoil(start, bit), _) => (Table::Coil, *start, bits(&[*bit])),
            (Request::WriteMultipleCoils(start, written), _) => {
                (Table::Coil, *start, bits(written))
            }
            (Request::WriteSingleRegister(start, word), _) => {
                (Table::Holding, *start, words(&[*word]))
            }
            (Request::WriteMultipleRegisters(start, written), _) => {
                (Table::Holding, *start, words(written))
            }
            _ => return None,
        })
    }
}
