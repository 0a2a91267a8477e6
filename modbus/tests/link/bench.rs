//! A link on a workbench: the test is the device, and reads what the observer was told.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use passline_modbus::{
    link::{Call, Completed, Link, Options},
    pdu::Request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    task::JoinHandle,
};

use super::workbench::Log;
pub(crate) use super::workbench::{SECOND, hex, holds, ms, read, write};

pub(crate) struct Bench {
    pub(crate) link: Link,
    devices: mpsc::UnboundedReceiver<DuplexStream>,
    refusals: Arc<Mutex<VecDeque<io::ErrorKind>>>,
    log: Log,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self::with_buffer(options, 65_536)
    }

    /// A line that takes `buffer` bytes in each direction before the other side must read.
    pub(crate) fn with_buffer(options: Options, buffer: usize) -> Self {
        let (connected, devices) = mpsc::unbounded_channel();
        let refusals = Arc::new(Mutex::new(VecDeque::new()));
        let log = Log::new();
        let refuse = Arc::clone(&refusals);
        let connect = move || {
            let refusal: Option<io::ErrorKind> = refuse.lock().unwrap().pop_front();
            let (near, far) = tokio::io::duplex(buffer);
            let _ = connected.send(far);
            async move {
                match refusal {
                    Some(io::ErrorKind::WouldBlock) => std::future::pending().await,
                    Some(kind) => Err(io::Error::from(kind)),
                    None => Ok(near),
                }
            }
        };
        Self { link: Link::spawn(connect, options, log.observer()), devices, refusals, log }
    }

    /// The next attempt to connect fails with this; [`io::ErrorKind::WouldBlock`]: never ends.
    pub(crate) fn refuse(&self, kind: io::ErrorKind) {
        self.refusals.lock().unwrap().push_back(kind);
    }

    /// The device's end of the next connection, or of the next attempt.
    pub(crate) async fn accept(&mut self) -> DuplexStream {
        self.devices.recv().await.unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.devices.len()
    }

    /// Starts a call, whose end is awaited with the handle.
    pub(crate) fn start(&self, id: u64, request: Request<'static>) -> JoinHandle<Completed> {
        let link = self.link.clone();
        tokio::spawn(async move { link.call(call(id, request)).await })
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

/// To unit 1, with a second to answer.
pub(crate) fn call(id: u64, request: Request<'static>) -> Call {
    Call { id, unit: 1, request, timeout: SECOND }
}

/// A frame, written out without the codec under test.
pub(crate) fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u8::try_from(pdu.len() + 1).unwrap();
    let [high, low] = transaction.to_be_bytes();
    [&[high, low, 0, 0, 0, length, unit], pdu].concat()
}

/// The answer of unit 1 to [`read`].
pub(crate) fn answer(transaction: u16, value: u16) -> Vec<u8> {
    let [high, low] = value.to_be_bytes();
    frame(transaction, 1, &[3, 2, high, low])
}

/// Reads one request of twelve bytes; its transaction id and its address.
pub(crate) async fn request(device: &mut DuplexStream) -> (u16, u16) {
    let mut bytes = [0; 12];
    device.read_exact(&mut bytes).await.unwrap();
    let [t1, t2, .., a1, a2, _, _] = bytes;
    (u16::from_be_bytes([t1, t2]), u16::from_be_bytes([a1, a2]))
}

/// Answers the next read with ten times its address.
pub(crate) async fn serve_one(device: &mut DuplexStream) {
    let (transaction, address) = request(device).await;
    device.write_all(&answer(transaction, address * 10)).await.unwrap();
}
