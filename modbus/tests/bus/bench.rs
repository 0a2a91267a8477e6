//! A bus on a workbench: the test is every device on it, and reads what the observer was told.

use std::io;

use passline_modbus::{
    link::{Bus, Call, Completed, Discipline, Link, Options, Pace},
    pdu::Request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    task::JoinHandle,
    time::sleep,
};

use super::workbench::Log;
pub(crate) use super::workbench::{SECOND, hex, holds, ms, read, write};

/// A slow serial line: a character takes 1 ms, 4 ms of silence part frames, 50 ms end one.
pub(crate) fn slow() -> Bus {
    Bus::rtu(Some(Pace { character: ms(1), silence: ms(4) }))
}

pub(crate) fn rtu(bus: Bus) -> Options {
    Options { discipline: Discipline::Rtu(bus), ..Options::default() }
}

/// The bus and its other end.
pub(crate) struct Bench {
    pub(crate) link: Link,
    devices: mpsc::UnboundedReceiver<DuplexStream>,
    line: Option<DuplexStream>,
    log: Log,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        let (connected, devices) = mpsc::unbounded_channel();
        let log = Log::new();
        let connect = move || {
            let (near, far) = tokio::io::duplex(65_536);
            let gone = connected.send(far).is_err();
            async move { if gone { Err(io::ErrorKind::NotFound.into()) } else { io::Result::Ok(near) } }
        };
        let link = Link::spawn(connect, options, log.observer());
        Self { link, devices, line: None, log }
    }

    /// The other end of the line, of the last connection.
    pub(crate) async fn line(&mut self) -> &mut DuplexStream {
        if self.line.is_none() {
            self.line = Some(self.devices.recv().await.unwrap());
        }
        self.line.as_mut().unwrap()
    }

    /// Pulls the cable.
    pub(crate) fn unplug(&mut self) {
        self.line = None;
    }

    /// Starts a call to unit 1 with a second to answer.
    pub(crate) fn start(&self, id: u64, request: Request<'static>) -> JoinHandle<Completed> {
        self.start_to(1, id, request)
    }

    pub(crate) fn start_to(
        &self,
        unit: u8,
        id: u64,
        request: Request<'static>,
    ) -> JoinHandle<Completed> {
        let link = self.link.clone();
        let call = Call { id, unit, request, timeout: SECOND };
        tokio::spawn(async move { link.call(call).await })
    }

    /// The next `count` bytes of requests.
    pub(crate) async fn hear(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.line().await.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    /// Puts bytes on the line after a while.
    pub(crate) async fn say(&mut self, after: u64, bytes: &[u8]) {
        sleep(ms(after)).await;
        self.line().await.write_all(bytes).await.unwrap();
    }

    /// See [`Log::take`].
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.take()
    }

    /// See [`Log::now`].
    pub(crate) fn now(&self) -> u128 {
        self.log.now()
    }
}

/// An RTU frame, its CRC by the book and not by the code under test.
pub(crate) fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut sum = 0xFFFF_u16;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 };
        }
    }
    [bytes, &sum.to_le_bytes()].concat()
}

/// The answer of unit 1 to [`read`].
pub(crate) fn answer(value: u16) -> Vec<u8> {
    let [high, low] = value.to_be_bytes();
    frame(&[1, 3, 2, high, low])
}

/// An ASCII frame, its LRC by the book.
pub(crate) fn ascii_frame(bytes: &[u8]) -> Vec<u8> {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let text = hex(bytes).to_uppercase();
    format!(":{text}{:02X}\r\n", sum.wrapping_neg()).into_bytes()
}
