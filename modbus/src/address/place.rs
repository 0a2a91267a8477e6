//! Where a line is: hosts, ports and paths, read and written. Asks no file system and no network.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use super::AddressError;

/// Where a line is. Equal places are the same line, as far as can be told from their text: names
/// are compared in lower case, IPv6 addresses by value, paths without doubled slashes.
/// [`serial::resolve`](crate::serial::resolve) tells more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A TCP port.
    Tcp {
        /// A name or an IP address; IPv6 without its brackets.
        host: String,
        /// 0 is of use to listeners only: any free port.
        port: u16,
    },
    /// A TCP port that speaks TLS.
    Tls {
        /// As in [`Place::Tcp`].
        host: String,
        /// As in [`Place::Tcp`].
        port: u16,
    },
    /// A UDP port.
    Udp {
        /// As in [`Place::Tcp`].
        host: String,
        /// As in [`Place::Tcp`].
        port: u16,
    },
    /// A serial port of this machine.
    Serial {
        /// A whole path, or `COM` and a number.
        path: String,
    },
}

impl Place {
    /// The host and port of a network place.
    pub fn host_and_port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } | Self::Udp { host, port } => {
                Some((host, *port))
            }
            Self::Serial { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    /// `tcp://host:port`, `tls://host:port`, `udp://host:port`, or the path of a serial port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::Tcp { .. } => "tcp://",
            Self::Tls { .. } => "tls://",
            Self::Udp { .. } => "udp://",
            Self::Serial { .. } => "",
        };
        write!(f, "{scheme}{}", Bare(self))
    }
}

/// A place without its scheme.
pub(super) struct Bare<'p>(pub(super) &'p Place);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Tcp { host, port } | Place::Tls { host, port } | Place::Udp { host, port } => {
                if host.contains(':') {
                    write!(f, "[{host}]:{port}")
                } else {
                    write!(f, "{host}:{port}")
                }
            }
            Place::Serial { path } => f.write_str(path),
        }
    }
}

/// `host[:port]`.
pub(super) fn parse_network(text: &str, default: u16) -> Result<(String, u16), AddressError> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host = parse_host(host).ok_or_else(|| AddressError::Host { host: host.to_owned() })?;
    let port = port.map_or(Ok(default), |port| {
        parse_number(port).ok_or_else(|| AddressError::Port { port: port.to_owned() })
    })?;
    Ok((host, port))
}

/// A whole path, its doubled slashes and `.` left out; or `COM` and a number.
pub(super) fn parse_serial(text: &str) -> Option<String> {
    if let Some(path) = text.strip_prefix('/') {
        let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
        let path: String = parts.flat_map(|part| ["/", part]).collect();
        return Some(path).filter(|path| !path.is_empty() && !path.contains(char::is_control));
    }
    let name = text.to_ascii_uppercase();
    let number: u16 = parse_number(name.strip_prefix("COM")?)?;
    (number > 0).then(|| format!("COM{number}"))
}

/// Digits only, as opposed to [`str::parse`], which takes a sign.
pub(super) fn parse_number<N: FromStr>(text: &str) -> Option<N> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// A name, an IPv4 address, or an IPv6 address in brackets, which are taken off.
pub(super) fn parse_host(text: &str) -> Option<String> {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => parse_ipv6(address),
        None => Some(text.to_ascii_lowercase()).filter(|host| is_name(host)),
    }
}

/// In its one canonical form, the interface of a link-local address (`fe80::1%eth0`) kept.
fn parse_ipv6(text: &str) -> Option<String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    match zone {
        Some(zone) if !is_name(zone) => None,
        Some(zone) => Some(format!("{address}%{zone}")),
        None => Some(address.to_string()),
    }
}

/// Letters, digits, dots, hyphens and underscores, which some networks use; other scripts as
/// punycode. IPv4 addresses are of this form too.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}
