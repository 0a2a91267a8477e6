//! tokio-modbus on the far end: its client, and a device on its server.

use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::server::{Service, tcp::Server};
use tokio_modbus::slave::SlaveContext as _;
use tokio_modbus::{ExceptionCode, Request, Response, Slave, SlaveRequest};
use tokio_serial::SerialStream;

use crate::ANSWER;
use crate::image::{request, text};
use crate::tables::Tables;

/// What the client answers to the queries.
pub(crate) async fn ask(mut client: Context, queries: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for query in queries {
        let (unit, request) = request(query);
        client.set_slave(Slave(unit));
        let answer = timeout(ANSWER, client.call(request.clone())).await;
        let mut answer = answer.unwrap_or_else(|_| panic!("{query}: no answer")).unwrap();
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

/// The client of Modbus TCP.
pub(crate) async fn over_tcp(url: &str) -> Context {
    tcp::attach(TcpStream::connect(url.trim_start_matches("tcp://")).await.unwrap())
}

/// The client of an RTU bus.
#[cfg(unix)]
pub(crate) fn over_rtu(path: &str) -> Context {
    rtu::attach(SerialStream::open(&tokio_serial::new(path, 115_200)).unwrap())
}

/// Serves the common image on a free port for as long as the runtime lives.
pub(crate) async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let line = Arc::new(Line::new());
    tokio::spawn(async move {
        let accept = |stream, _| ready(io::Result::Ok(Some((Arc::clone(&line), stream))));
        Server::new(listener).serve(&accept, |error| panic!("{error}")).await
    });
    url
}

/// Serves the common image on a serial port for as long as the runtime lives.
#[cfg(unix)]
pub(crate) fn serve_rtu(path: &str) {
    let port = SerialStream::open(&tokio_serial::new(path, 115_200)).unwrap();
    let server = tokio_modbus::server::rtu::Server::new(port);
    tokio::spawn(async move { server.serve_forever(Line::new()).await.unwrap() });
}

/// A device of tokio-modbus.
struct Line(Mutex<Tables>);

impl Line {
    fn new() -> Self {
        Self(Mutex::new(Tables::new()))
    }
}

impl Service for Line {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        ready(self.0.lock().unwrap().answer(asked.slave, asked.request))
    }
}
