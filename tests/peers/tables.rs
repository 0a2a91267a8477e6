//! The image as writes change it: behind tokio-modbus's server, and in step with ten thousand
//! transactions.

use std::collections::BTreeMap;

use tokio_modbus::{ExceptionCode, Request, Response};

use crate::image::{ADDRESSES, TABLES, UNITS, value};

/// Units and their tables.
pub(crate) struct Tables(BTreeMap<(u8, &'static str), Vec<u16>>);

type Words = Result<Vec<u16>, ExceptionCode>;

impl Tables {
    pub(crate) fn new() -> Self {
        let keys = UNITS.into_iter().flat_map(|unit| TABLES.map(|table| (unit, table)));
        let table = |(unit, table)| (0..ADDRESSES).map(|at| value(table, unit, at)).collect();
        Self(keys.map(|key| (key, table(key))).collect())
    }

    fn read(&self, unit: u8, table: &'static str, at: u16, count: u16) -> Words {
        let values = self.0.get(&(unit, table)).ok_or(ExceptionCode::GatewayTargetDevice)?;
        let span = usize::from(at)..usize::from(at) + usize::from(count);
        values.get(span).map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
    }

    fn write(&mut self, unit: u8, table: &'static str, at: u16, words: &[u16]) -> Words {
        let values = self.0.get_mut(&(unit, table)).ok_or(ExceptionCode::GatewayTargetDevice)?;
        let span = usize::from(at)..usize::from(at) + words.len();
        let place = values.get_mut(span).ok_or(ExceptionCode::IllegalDataAddress)?;
        place.copy_from_slice(words);
        Ok(words.to_vec())
    }

    pub(crate) fn answer(
        &mut self,
        unit: u8,
        request: Request<'_>,
    ) -> Result<Response, ExceptionCode> {
        let bits = |words: Vec<u16>| words.into_iter().map(|word| word == 1).collect();
        let words = |bits: &[bool]| bits.iter().map(|&bit| bit.into()).collect::<Vec<u16>>();
        let count = |words: Vec<u16>| u16::try_from(words.len()).unwrap();
        match request {
            Request::ReadCoils(at, n) => {
                self.read(unit, "coil", at, n).map(bits).map(Response::ReadCoils)
            }
            Request::ReadDiscreteInputs(at, n) => {
                self.read(unit, "discrete", at, n).map(bits).map(Response::ReadDiscreteInputs)
            }
            Request::ReadInputRegisters(at, n) => {
                self.read(unit, "input", at, n).map(Response::ReadInputRegisters)
            }
            Request::ReadHoldingRegisters(at, n) => {
                self.read(unit, "holding", at, n).map(Response::ReadHoldingRegisters)
            }
            Request::WriteSingleCoil(at, bit) => self
                .write(unit, "coil", at, &words(&[bit]))
                .map(|_| Response::WriteSingleCoil(at, bit)),
            Request::WriteMultipleCoils(at, bits) => self
                .write(unit, "coil", at, &words(&bits))
                .map(|written| Response::WriteMultipleCoils(at, count(written))),
            Request::WriteSingleRegister(at, word) => self
                .write(unit, "holding", at, &[word])
                .map(|_| Response::WriteSingleRegister(at, word)),
            Request::WriteMultipleRegisters(at, words) => self
                .write(unit, "holding", at, &words)
                .map(|written| Response::WriteMultipleRegisters(at, count(written))),
            Request::MaskWriteRegister(at, and, or) => {
                let word = self.read(unit, "holding", at, 1)?[0];
                self.write(unit, "holding", at, &[word & and | or & !and])
                    .map(|_| Response::MaskWriteRegister(at, and, or))
            }
            Request::ReadWriteMultipleRegisters(at, n, first, words) => {
                self.write(unit, "holding", first, &words)?;
                self.read(unit, "holding", at, n).map(Response::ReadWriteMultipleRegisters)
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}
