//! From an address to bytes. Knows sockets, ports and certificates; nothing of frames.

mod error;
pub mod serial;
pub mod tcp;
mod tls;
mod udp;

use std::time::Duration;

pub use self::{error::ConnectError, tls::TlsError};
use super::{Bus, Discipline, Event, Link, Options, Pace, Tolerance};
use crate::{
    address::{Address, Place},
    framing::Framing,
    serial::Settings,
};

impl Link {
    /// A link to the line of an address; the first call opens it, or [`Link::connect`]. `options`
    /// are most often [`Options::of`] the address.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O enabled.
    pub fn open<O>(address: &Address, options: Options, observer: O) -> Self
    where
        O: FnMut(Event<'_>) + Send + 'static,
    {
        let own = address.overrides();
        match address.place().clone() {
            Place::Tcp { host, port } => {
                Self::spawn(move || tcp::connect(host.clone(), port), options, observer)
            }
            Place::Udp { host, port } => {
                Self::spawn(move || udp::connect(host.clone(), port), options, observer)
            }
            Place::Tls { host, port } => {
                let own = own.clone();
                let connect = move || tls::connect(host.clone(), port, own.clone());
                Self::spawn(connect, options, observer)
            }
            Place::Serial { path } => {
                let (settings, rs485) = (address.settings().unwrap_or_default(), own.rs485);
                let open = move || std::future::ready(serial::open(&path, settings, rs485));
                Self::spawn(open, options, observer)
            }
        }
    }
}

impl Options {
    /// What an address says, and the defaults where it says nothing.
    pub fn of(address: &Address) -> Self {
        let (own, defaults) = (address.overrides(), Self::default());
        Self {
            discipline: discipline(address),
            in_flight: own.in_flight.unwrap_or(defaults.in_flight),
            pause: own.pause.unwrap_or(defaults.pause),
            pause_after_connect: own.pause_after_connect.unwrap_or(defaults.pause_after_connect),
            idle_close: own.idle_close,
            tolerance: Tolerance {
                oddities: own.tolerate.unwrap_or_default(),
                answer_unit_id: own.answer_unit_id,
            },
            connect_timeout: own.connect_timeout.unwrap_or(defaults.connect_timeout),
            ..defaults
        }
    }
}

fn discipline(address: &Address) -> Discipline {
    let own = address.overrides();
    let pace = |standard: fn(Settings) -> Duration| {
        address.settings().map(|settings| Pace {
            character: settings.character(),
            silence: own.silence.unwrap_or(standard(settings)),
        })
    };
    let treated = |bus: Bus| Bus {
        gap: own.gap.unwrap_or(bus.gap),
        settle: own.settle.or(bus.settle),
        turnaround: own.turnaround.unwrap_or(bus.turnaround),
        echo: own.echo.unwrap_or(bus.echo),
        ..bus
    };
    match address.framing() {
        Framing::Mbap if matches!(address.place(), Place::Udp { .. }) => Discipline::Datagrams,
        Framing::Mbap => Discipline::Mbap,
        Framing::Rtu => Discipline::Rtu(treated(Bus::rtu(pace(Settings::silence)))),
        // Frames have an end of their own: no silence is needed between them (clause 2.5.2.1).
        Framing::Ascii => Discipline::Ascii(treated(Bus::ascii(pace(|_| Duration::ZERO)))),
    }
}
