//! One simulated line: the units on it, served to any number of clients at once, in memory and on
//! whatever a real line hangs on.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `listener` | what a line can be served on, and how each is |
//! | `port`, `pty`, `symlink`, `tls`, `udp` | one each of that |
//! | `wire` | the framing of a line and the time that it takes |
//! | `connection`, `outbox` | Modbus TCP on a stream: answers overlap |
//! | `bus`, `sending` | serial framings on a stream: one frame at a time |
//! | `answer`, `units` | from a request frame to the bytes of its answer, for all of them |
//! | `later` | requests whose answers take their time |
//! | `clock` | the time of a simulation, which can be faster and stand still |
//! | `event` | what whoever watches the line is told |

mod answer;
mod bus;
mod clients;
mod clock;
mod connection;
mod event;
mod later;
mod listener;
mod outbox;
mod port;
#[cfg(unix)]
mod pty;
mod sending;
#[cfg(unix)]
mod symlink;
mod tls;
mod udp;
mod units;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use passline_modbus::framing::Framing;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::device::Device;
use clients::Client;
pub use clock::Clock;
use event::Observer;
pub use event::{Event, Peer, Transaction, What};
pub use listener::Listener;
pub use port::Port;
#[cfg(unix)]
pub use pty::Pty;
#[cfg(unix)]
pub use symlink::Symlink;
pub use tls::{Identity, Tls, TlsError};
use units::Units;
pub use wire::Wire;

/// Bytes that an in-memory stream holds in either direction.
const STREAM: usize = 16 * 1024;

/// The units of one line. Dropping it ends all that it serves.
///
/// With Modbus TCP an answer goes out when it is due, whatever was asked before it on the same
/// connection; answers due together go out in the order of their requests. While 64 KiB of answers
/// wait or are not read, no more requests are taken from that connection. It ends when the client
/// ends its side, or when what comes in is not Modbus TCP; answers that are not due by then are
/// dropped.
///
/// With serial framings one frame goes out at a time, and an answer waits until the line is silent.
/// Nobody answers for a unit id that is not there, and unit id 0 is a broadcast: all units do what
/// is written, and none answers. Over TCP that is the same: it is how a gateway that passes frames
/// through looks from outside.
#[derive(Debug)]
pub struct Endpoint {
    units: Arc<Units>,
    /// Held by nobody but the endpoint: what it serves ends when this is gone.
    alive: watch::Sender<()>,
}

impl Endpoint {
    /// These devices by unit id. Their faults count time from `started`, which all endpoints of
    /// one simulation share.
    pub fn new(devices: BTreeMap<u8, Device>, started: impl Into<Clock>) -> Self {
        Self::with_units(Units::new(devices, started.into(), None))
    }

    /// As [`Self::new`], and tells `observe` everything that happens on the line, as it happens.
    /// It is called where the line is served: what it does delays answers.
    pub fn observed(
        devices: BTreeMap<u8, Device>,
        started: impl Into<Clock>,
        observe: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self::with_units(Units::new(devices, started.into(), Some(Observer::new(observe))))
    }

    fn with_units(units: Units) -> Self {
        Self { units: Arc::new(units), alive: watch::Sender::new(()) }
    }

    /// Looks at or changes the device of a unit id, between two requests; `None` if there is none.
    /// The device answers nobody meanwhile.
    pub fn with_device<R>(&self, unit_id: u8, look: impl FnOnce(&mut Device) -> R) -> Option<R> {
        self.units.with(unit_id, look)
    }

    /// A connection to the line that exists in memory only, with Modbus TCP: its client's end. In
    /// paused tokio time nothing but the delays of the devices passes. If the line refuses it, it
    /// has ended already.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        self.connect_by(Wire::instant(Framing::Mbap))
    }

    /// As [`Self::connect`], by any wire.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn connect_by(&self, wire: Wire) -> DuplexStream {
        self.try_connect_by(wire).unwrap_or_else(|_| duplex(1).0)
    }

    /// As [`Self::connect_by`], and tells if the line refuses it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ConnectionRefused`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn try_connect_by(&self, wire: Wire) -> io::Result<DuplexStream> {
        let client = Client::admit(&self.units, None, Instant::now())
            .ok_or(io::ErrorKind::ConnectionRefused)?;
        let (far, mut near) = duplex(STREAM);
        let mut alive = self.alive.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = listener::in_memory(&mut near, &client, wire) => {}
                _ = alive.changed() => {}
            }
        });
        Ok(far)
    }

    /// Serves the line on `listener`, until `stop` resolves or the endpoint is dropped; the
    /// connections then end, too.
    pub fn serve<L, F>(&self, listener: L, stop: F) -> impl Future<Output = ()> + use<L, F>
    where
        L: Into<Listener>,
        F: Future<Output = ()>,
    {
        let served = listener.into().serve(Arc::clone(&self.units));
        let kept_up = Arc::clone(&self.units).keep_up();
        let mut alive = self.alive.subscribe();
        async move {
            tokio::select! {
                () = served => {}
                () = kept_up => {}
                () = stop => {}
                _ = alive.changed() => {}
            }
        }
    }
}
