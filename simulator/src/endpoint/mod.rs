//! One simulated line: the units on it, served to any number of clients at once over in-memory
//! streams and over TCP.

mod answer;
mod connection;
mod outbox;
mod units;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::device::Device;
use crate::fault::End;
use units::Units;

/// Bytes that an in-memory stream holds in either direction.
const STREAM: usize = 16 * 1024;

/// How long a listener rests after it could not accept: what it lacks, most often file
/// descriptors, comes back only when connections end.
const ACCEPT_REST: Duration = Duration::from_millis(20);

/// The units of one line. Dropping it ends all that it serves.
///
/// An answer goes out when it is due, whatever was asked before it on the same connection; answers
/// due together go out in the order of their requests. While 64 KiB of answers wait or are not
/// read, no more requests are taken from that connection. It ends when the client ends its side,
/// or when what comes in is not Modbus TCP; answers that are not due by then are dropped.
#[derive(Debug)]
pub struct Endpoint {
    units: Arc<Units>,
    /// Held by nobody but the endpoint: what it serves ends when this is gone.
    alive: watch::Sender<()>,
}

impl Endpoint {
    /// These devices by unit id. Their faults count time from `started`, which all endpoints of
    /// one simulation share.
    pub fn new(devices: BTreeMap<u8, Device>, started: Instant) -> Self {
        Self { units: Arc::new(Units::new(devices, started)), alive: watch::Sender::new(()) }
    }

    /// Looks at or changes the device of a unit id, between two requests; `None` if there is none.
    /// The device answers nobody meanwhile.
    pub fn with_device<R>(&self, unit_id: u8, look: impl FnOnce(&mut Device) -> R) -> Option<R> {
        self.units.with(unit_id, look)
    }

    /// A connection to the line that exists in memory only: its client's end. In paused tokio
    /// time nothing but the delays of the devices passes.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (client, mut server) = duplex(STREAM);
        let units = Arc::clone(&self.units);
        let mut alive = self.alive.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                _ = connection::serve(&mut server, &units) => {}
                _ = alive.changed() => {}
            }
        });
        client
    }

    /// Serves the line on `listener`, until `stop` resolves or the endpoint is dropped; the
    /// connections then end, too.
    pub fn serve<F>(&self, listener: TcpListener, stop: F) -> impl Future<Output = ()> + use<F>
    where
        F: Future<Output = ()>,
    {
        let units = Arc::clone(&self.units);
        let mut alive = self.alive.subscribe();
        async move {
            tokio::select! {
                () = accept(listener, units) => {}
                () = stop => {}
                _ = alive.changed() => {}
            }
        }
    }
}

/// Accepts for ever. The connections are its own: they end when it is dropped.
async fn accept(listener: TcpListener, units: Arc<Units>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((mut stream, _)) => {
                    // Answers would be late without it, but not wrong.
                    let _ = stream.set_nodelay(true);
                    let units = Arc::clone(&units);
                    connections.spawn(async move {
                        if connection::serve(&mut stream, &units).await == End::Reset {
                            // Without it, it is closed in order.
                            let _ = stream.set_zero_linger();
                        }
                    });
                }
                Err(_) => sleep(ACCEPT_REST).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
