//! tokio-modbus on the far end: its client, and a device on its server.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::client::{Client as _, tcp};
use tokio_modbus::server::{Service, tcp::Server};
use tokio_modbus::slave::SlaveContext as _;
use tokio_modbus::{ExceptionCode, Request, Response, Slave, SlaveRequest};

use crate::image::{ADDRESSES, TABLES, UNITS, request, text, value};

/// What the client answers to the queries.
pub(crate) async fn ask(port: u16, queries: &[String]) -> Vec<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut client = tcp::attach(stream);
    let mut answers = Vec::new();
    for query in queries {
        let (unit, request) = request(query);
        client.set_slave(Slave(unit));
        let mut answer = client.call(request.clone()).await.unwrap();
        // It gives all bits of the last byte.
        if let (
            Request::ReadCoils(_, count) | Request::ReadDiscreteInputs(_, count),
            Ok(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)),
        ) = (request, &mut answer)
        {
            bits.truncate(count.into());
        }
        answers.push(text(answer));
    }
    answers
}

/// Serves the common image on a free port for as long as the runtime lives.
pub(crate) async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = Arc::new(Line::new());
    tokio::spawn(async move {
        let accept = |stream, _| ready(io::Result::Ok(Some((Arc::clone(&line), stream))));
        Server::new(listener).serve(&accept, |error| panic!("{error}")).await
    });
    port
}

/// Units and their tables.
struct Line(Mutex<BTreeMap<(u8, &'static str), Vec<u16>>>);

impl Line {
    fn new() -> Self {
        let keys = UNITS.into_iter().flat_map(|unit| TABLES.map(|table| (unit, table)));
        let table = |(unit, table)| (0..ADDRESSES).map(|at| value(table, unit, at)).collect();
        Self(Mutex::new(keys.map(|key| (key, table(key))).collect()))
    }

    fn read(&self, unit: u8, table: &'static str, at: u16, count: u16) -> Words {
        let tables = self.0.lock().unwrap();
        let values = tables.get(&(unit, table)).ok_or(ExceptionCode::GatewayTargetDevice)?;
        let span = usize::from(at)..usize::from(at) + usize::from(count);
        values.get(span).map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
    }

    fn write(&self, unit: u8, table: &'static str, at: u16, words: &[u16]) -> Words {
        let mut tables = self.0.lock().unwrap();
        let values = tables.get_mut(&(unit, table)).ok_or(ExceptionCode::GatewayTargetDevice)?;
        let span = usize::from(at)..usize::from(at) + words.len();
        let place = values.get_mut(span).ok_or(ExceptionCode::IllegalDataAddress)?;
        place.copy_from_slice(words);
        Ok(words.to_vec())
    }

    fn answer(&self, unit: u8, request: Request<'_>) -> Result<Response, ExceptionCode> {
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

type Words = Result<Vec<u16>, ExceptionCode>;

impl Service for Line {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        ready(self.answer(asked.slave, asked.request))
    }
}
