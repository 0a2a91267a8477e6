//! Lines opened by their addresses: real sockets and pseudo-terminals, the device written out in
//! bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod gateway;
mod options;
#[cfg(unix)]
mod serial;
mod udp;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use passline_modbus::{
    address::Address,
    link::{Call, EventKind, Link, LinkError, Options, What},
    pdu::{Answer, Request, Response},
};

/// Reads register 0 of unit 1, which is 7.
const REQUEST: [u8; 8] = [1, 3, 0, 0, 0, 1, 0x84, 0x0a];
const ANSWER: [u8; 7] = [1, 3, 2, 0, 7, 0xf9, 0x86];

/// What was told of frames, and of what is none.
type Seen = Arc<Mutex<Vec<(What, Vec<u8>)>>>;

fn open(address: &str) -> Link {
    watched(address).0
}

fn watched(address: &str) -> (Link, Seen) {
    let address: Address = address.parse().unwrap();
    let log = Seen::default();
    let told = Arc::clone(&log);
    let link = Link::open(&address, Options::of(&address), move |event| {
        if let EventKind::Frame { bytes, what, .. } = event.kind {
            told.lock().unwrap().push((what, bytes.to_vec()));
        }
    });
    (link, log)
}

async fn read(link: &Link, register: u16, timeout: Duration) -> Result<Answer, LinkError> {
    let request = Request::ReadHoldingRegisters(register, 1);
    link.call(Call { id: 1, unit: 1, request, timeout }).await.result
}

const PATIENCE: Duration = Duration::from_secs(10);

#[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
fn holds(value: u16) -> Result<Answer, LinkError> {
    Ok(Ok(Response::ReadHoldingRegisters(vec![value])))
}
