//! The kinds of lines: what stands before `://`, and what it means.

use super::{
    AddressError, Place,
    option::{BUS, CONNECTED, HEADER, OPENED, PACE, SERIAL, SHARED, STREAM, Setting, TLS, WINDOW},
    place::{parse_network, parse_serial},
};
use crate::framing::Framing;

/// The port of Modbus TCP (registered with IANA).
pub const TCP_PORT: u16 = 502;

/// The port of Modbus over TLS (registered with IANA).
pub const TLS_PORT: u16 = 802;

/// A kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Tcp,
    RtuOverTcp,
    AsciiOverTcp,
    Tls,
    Udp,
    Rtu,
    Ascii,
}

impl Scheme {
    pub(super) const ALL: [Self; 7] = [
        Self::Tcp,
        Self::Tls,
        Self::Udp,
        Self::Rtu,
        Self::RtuOverTcp,
        Self::Ascii,
        Self::AsciiOverTcp,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::RtuOverTcp => "rtu+tcp",
            Self::AsciiOverTcp => "ascii+tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
            Self::Rtu => "rtu",
            Self::Ascii => "ascii",
        }
    }

    pub(super) const fn framing(self) -> Framing {
        match self {
            Self::Tcp | Self::Tls | Self::Udp => Framing::Mbap,
            Self::RtuOverTcp | Self::Rtu => Framing::Rtu,
            Self::AsciiOverTcp | Self::Ascii => Framing::Ascii,
        }
    }

    pub(super) fn place(self, text: &str) -> Result<Place, AddressError> {
        match self {
            Self::Tcp | Self::RtuOverTcp | Self::AsciiOverTcp => {
                let (host, port) = parse_network(text, TCP_PORT)?;
                Ok(Place::Tcp { host, port })
            }
            Self::Udp => {
                let (host, port) = parse_network(text, TCP_PORT)?;
                Ok(Place::Udp { host, port })
            }
            Self::Tls => {
                let (host, port) = parse_network(text, TLS_PORT)?;
                Ok(Place::Tls { host, port })
            }
            Self::Rtu | Self::Ascii => {
                let path = parse_serial(text).ok_or_else(|| {
                    let (scheme, path) = (self.name(), text.to_owned());
                    AddressError::SerialPort { scheme, path }
                })?;
                Ok(Place::Serial { path })
            }
        }
    }

    /// Its options, in the order in which they are written.
    pub(super) fn settings(self) -> impl Iterator<Item = &'static Setting> {
        let groups: &[&'static [Setting]] = match self {
            Self::Tcp => &[WINDOW, PACE, SHARED, OPENED, CONNECTED, STREAM, HEADER],
            Self::Tls => &[TLS, WINDOW, PACE, SHARED, OPENED, CONNECTED, STREAM, HEADER],
            Self::Udp => &[WINDOW, PACE, SHARED, HEADER],
            Self::RtuOverTcp | Self::AsciiOverTcp => {
                &[PACE, SHARED, OPENED, CONNECTED, STREAM, BUS]
            }
            Self::Rtu | Self::Ascii => &[SERIAL, PACE, OPENED, BUS],
        };
        groups.iter().copied().flatten()
    }
}
