//! Where a line is: `tcp://host:port?in_flight=4`. Text to address and back; opens nothing.
//!
//! ```text
//! tcp://host[:port][?option=value[&option=value]...]
//! ```
//!
//! The host is a name, an IPv4 address, or an IPv6 address in brackets; the port is 502 if not
//! given. Options say how to treat the line, not where it is: two addresses are of the same line
//! if their [`Place`]s are equal.
//!
//! A new scheme is a variant of [`Place`] and a `Scheme`; a new option is a field of [`Overrides`] and a
//! line of the schemes that have it.

use std::{fmt, net::Ipv6Addr, str::FromStr, time::Duration};

use crate::{
    duration::{parse_duration, write_duration},
    link::InFlight,
};

/// The port of Modbus TCP (registered with IANA).
pub const TCP_PORT: u16 = 502;

/// A place, and how to treat the line there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Where the line is.
    pub place: Place,
    /// How to treat it, as far as the address says.
    pub overrides: Overrides,
}

/// Where a line is. Equal places are the same line, as far as can be told from their text: names
/// are compared in lower case, IPv6 addresses by value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Modbus TCP.
    Tcp {
        /// A name or an IP address; IPv6 without its brackets.
        host: String,
        /// 0 is of use to listeners only: any free port.
        port: u16,
    },
}

/// What an address says on how to treat its line; `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `in_flight`: how many requests may be open at once.
    pub in_flight: Option<InFlight>,
    /// `pause`: silence before each request.
    pub pause: Option<Duration>,
    /// `pause_after_connect`: silence after connecting.
    pub pause_after_connect: Option<Duration>,
    /// `response_timeout`: how long to wait for an answer. Not zero.
    pub response_timeout: Option<Duration>,
    /// `connect_timeout`: how long opening a connection may take. Not zero.
    pub connect_timeout: Option<Duration>,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `://`.
    #[error("no scheme: write it as tcp://host:port")]
    NoScheme,
    /// Not a scheme of Passline.
    #[error("unknown scheme `{scheme}`, known: {}", known.join(", "))]
    UnknownScheme {
        /// What stands before `://`.
        scheme: String,
        /// What may stand there.
        known: Vec<&'static str>,
    },
    /// Not a host.
    #[error("`{host}` is no host name, IPv4 address, or IPv6 address in brackets")]
    Host {
        /// What stands in its place.
        host: String,
    },
    /// Not a port.
    #[error("`{port}` is no port from 0 to 65535")]
    Port {
        /// What stands in its place.
        port: String,
    },
    /// Not an option of this scheme.
    #[error("unknown option `{option}`, known: {}", known.join(", "))]
    UnknownOption {
        /// What stands before `=`.
        option: String,
        /// What may stand there.
        known: Vec<&'static str>,
    },
    /// An option is given twice.
    #[error("`{option}` is given twice")]
    Repeated {
        /// Which.
        option: &'static str,
    },
    /// Not a value of this option.
    #[error("`{option}` takes {expected}, not `{value}`")]
    Value {
        /// Which option.
        option: &'static str,
        /// What stands after `=`.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
}

/// One kind of line.
struct Scheme {
    name: &'static str,
    place: fn(&str) -> Result<Place, AddressError>,
    options: &'static [Setting],
}

static SCHEMES: [&Scheme; 1] = [&TCP];

static TCP: Scheme = Scheme {
    name: "tcp",
    place: tcp,
    options: &[
        Setting { name: "in_flight", field: Field::InFlight(|o| &mut o.in_flight) },
        Setting { name: "pause", field: Field::Pause(|o| &mut o.pause) },
        Setting {
            name: "pause_after_connect",
            field: Field::Pause(|o| &mut o.pause_after_connect),
        },
        Setting { name: "response_timeout", field: Field::Timeout(|o| &mut o.response_timeout) },
        Setting { name: "connect_timeout", field: Field::Timeout(|o| &mut o.connect_timeout) },
    ],
};

/// One option: its name, and what it sets.
struct Setting {
    name: &'static str,
    field: Field,
}

enum Field {
    InFlight(fn(&mut Overrides) -> &mut Option<InFlight>),
    Pause(fn(&mut Overrides) -> &mut Option<Duration>),
    Timeout(fn(&mut Overrides) -> &mut Option<Duration>),
}

impl Setting {
    fn expected(&self) -> &'static str {
        match self.field {
            Field::InFlight(_) => "a number from 1 to 16",
            Field::Pause(_) => "a duration such as 500ms, 1.5s, 2m or 1h",
            Field::Timeout(_) => "a duration above zero, such as 500ms, 1.5s, 2m or 1h",
        }
    }

    /// `None` if `text` is no value of this option.
    fn set(&self, overrides: &mut Overrides, text: &str) -> Option<()> {
        match self.field {
            Field::InFlight(field) => {
                *field(overrides) = Some(InFlight::new(parse_number(text)?)?);
            }
            Field::Pause(field) => *field(overrides) = Some(parse_duration(text).ok()?),
            Field::Timeout(field) => {
                let timeout = parse_duration(text).ok().filter(|timeout| !timeout.is_zero());
                *field(overrides) = Some(timeout?);
            }
        }
        Some(())
    }

    fn get(&self, mut overrides: Overrides) -> Option<String> {
        match self.field {
            Field::InFlight(field) => field(&mut overrides).map(|count| count.get().to_string()),
            Field::Pause(field) | Field::Timeout(field) => {
                field(&mut overrides).map(write_duration)
            }
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (name, rest) = text.split_once("://").ok_or(AddressError::NoScheme)?;
        let scheme = SCHEMES.iter().find(|scheme| scheme.name == name).ok_or_else(|| {
            let known = SCHEMES.iter().map(|scheme| scheme.name).collect();
            AddressError::UnknownScheme { scheme: name.to_owned(), known }
        })?;
        let (place, options) = match rest.split_once('?') {
            Some((place, options)) => (place, Some(options)),
            None => (rest, None),
        };
        let place = (scheme.place)(place)?;
        let mut overrides = Overrides::default();
        for option in options.into_iter().flat_map(|options| options.split('&')) {
            set(scheme.options, &mut overrides, option)?;
        }
        Ok(Self { place, overrides })
    }
}

fn set(
    settings: &'static [Setting],
    overrides: &mut Overrides,
    option: &str,
) -> Result<(), AddressError> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let setting = settings.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let known = settings.iter().map(|setting| setting.name).collect();
        AddressError::UnknownOption { option: name.to_owned(), known }
    })?;
    if setting.get(*overrides).is_some() {
        return Err(AddressError::Repeated { option: setting.name });
    }
    setting.set(overrides, value).ok_or_else(|| AddressError::Value {
        option: setting.name,
        value: value.to_owned(),
        expected: setting.expected(),
    })
}

fn tcp(text: &str) -> Result<Place, AddressError> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host = parse_host(host).ok_or_else(|| AddressError::Host { host: host.to_owned() })?;
    let port = port.map_or(Ok(TCP_PORT), |port| {
        parse_number(port).ok_or_else(|| AddressError::Port { port: port.to_owned() })
    })?;
    Ok(Place::Tcp { host, port })
}

/// Digits only, as opposed to [`str::parse`], which takes a sign.
fn parse_number<N: FromStr>(text: &str) -> Option<N> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

fn parse_host(text: &str) -> Option<String> {
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

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        let scheme = match self.place {
            Place::Tcp { .. } => &TCP,
        };
        let mut separator = '?';
        for setting in scheme.options {
            if let Some(value) = setting.get(self.overrides) {
                write!(f, "{separator}{}={value}", setting.name)?;
                separator = '&';
            }
        }
        Ok(())
    }
}
