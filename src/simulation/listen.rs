//! `--listen`: the address of a link, or a pseudo-terminal. Text to what is meant; opens nothing.

use std::path::Path;
use std::str::FromStr;

use passline_modbus::address::{Address, AddressError, Overrides, Place};
use passline_modbus::serial::Settings;

/// What the scheme of a pseudo-terminal has more than that of a serial port.
const PTY: &str = "+pty://";

/// Stands for the path of a pseudo-terminal that nobody has named.
const NAMELESS: &str = "/dev/pts";

/// The options that say how fast a serial line is.
const SERIAL: [&str; 4] = ["baud=", "data=", "parity=", "stop="];

/// Where a link is to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The same for a client, except for the path of a pseudo-terminal.
    address: Address,
    /// Whether it is a pseudo-terminal, to be made.
    pty: bool,
    /// What bytes take where nothing else makes them.
    pace: Option<Settings>,
}

/// Why a text does not say where to listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// Not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No pseudo-terminal speaks this.
    #[error("unknown scheme `{0}+pty`, known: rtu+pty, ascii+pty")]
    Pty(String),
    /// Options that only clients have.
    #[error(
        "a listener has the options baud, data, parity, stop, rs485, cert, key, ca and role; the \
         others are for clients"
    )]
    ClientOnly,
    /// A TLS server has to show who it is.
    #[error(
        "a server shows a certificate: --listen 'tls://127.0.0.1:0?cert=FILE&key=FILE', and \
         `ca=FILE` to ask clients for theirs"
    )]
    NoCertificate,
}

impl Listen {
    /// Where a link is served if nobody says otherwise: on its own kind of line, on this machine,
    /// and on whatever port is free.
    pub(crate) fn like(link: &Address) -> Result<Self, ListenError> {
        let address = match link.place() {
            Place::Tls { .. } => return Err(ListenError::NoCertificate),
            Place::Serial { .. } => link.clone(),
            Place::Tcp { .. } | Place::Udp { .. } => {
                let text = link.without_options();
                let (scheme, _) = text.split_once("://").unwrap_or_default();
                format!("{scheme}://127.0.0.1:0").parse()?
            }
        };
        let pty = address.settings().is_some();
        let pace = address.settings().filter(|_| address.overrides().baud.is_some());
        let address = if pty { at(&address, NAMELESS)? } else { address };
        Ok(Self { address, pty, pace })
    }

    /// Where it is, as a client says it.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it is a pseudo-terminal, to be made.
    pub(crate) fn is_pty(&self) -> bool {
        self.pty
    }

    /// How fast bytes pass where nothing else sees to it.
    pub(crate) fn pace(&self) -> Option<Settings> {
        self.pace
    }

    /// The name that a pseudo-terminal is to have beside its own.
    pub(crate) fn name(&self) -> Option<&Path> {
        match self.address.place() {
            Place::Serial { path } if self.pty && path != NAMELESS => Some(Path::new(path)),
            _ => None,
        }
    }

    /// Where the link behind `index` others is served: at as many ports behind the given one; 0 is
    /// any free one.
    pub(crate) fn nth(&self, index: usize) -> Result<Self, String> {
        let Some((host, port @ 1..)) = self.address.place().host_and_port() else {
            return Ok(self.clone());
        };
        let port = u16::try_from(index).ok().and_then(|index| port.checked_add(index));
        let port = port.ok_or("there are more links than ports above the given one")?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let address = at(&self.address, &format!("{host}:{port}"));
        Ok(Self { address: address.map_err(|error| error.to_string())?, ..self.clone() })
    }

    /// Whether several links can be served there: at several ports, or on a terminal each.
    pub(crate) fn has_room_for_several(&self) -> bool {
        match self.address.place() {
            Place::Serial { .. } => self.pty && self.name().is_none(),
            _ => true,
        }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let listen = match text.split_once(PTY) {
            Some((scheme, rest)) => parse_pty(scheme, rest)?,
            None => parse(text)?,
        };
        let own = listen.address.overrides();
        let of_clients = Overrides {
            baud: None,
            data: None,
            parity: None,
            stop: None,
            rs485: None,
            cert: None,
            key: None,
            ca: None,
            role: None,
            ..own.clone()
        };
        if of_clients != Overrides::default() {
            return Err(ListenError::ClientOnly);
        }
        match listen.address.place() {
            Place::Tls { .. } if own.cert.is_none() => Err(ListenError::NoCertificate),
            _ => Ok(listen),
        }
    }
}

fn parse_pty(scheme: &str, rest: &str) -> Result<Listen, ListenError> {
    if !["rtu", "ascii"].contains(&scheme) {
        return Err(ListenError::Pty(scheme.to_owned()));
    }
    let named = !rest.is_empty() && !rest.starts_with('?');
    let path = if named { "" } else { NAMELESS };
    let address: Address = format!("{scheme}://{path}{rest}").parse()?;
    let pace = address.settings().filter(|_| address.overrides().baud.is_some());
    Ok(Listen { address, pty: true, pace })
}

/// Serial frames over a network have no time of their own: what makes them take some is said by
/// the options of a serial line.
fn parse(text: &str) -> Result<Listen, ListenError> {
    let framing =
        ["rtu", "ascii"].into_iter().find(|framing| text.starts_with(&format!("{framing}+tcp://")));
    let (Some(framing), Some((place, options))) = (framing, text.split_once('?')) else {
        return Ok(Listen { address: text.parse()?, pty: false, pace: None });
    };
    let is_serial = |option: &&str| SERIAL.iter().any(|name| option.starts_with(name));
    let (serial, others): (Vec<&str>, Vec<&str>) = options.split('&').partition(is_serial);
    let pace = match serial.as_slice() {
        [] => None,
        options => {
            format!("{framing}://{NAMELESS}?{}", options.join("&")).parse::<Address>()?.settings()
        }
    };
    let separator = if others.is_empty() { "" } else { "?" };
    let address = format!("{place}{separator}{}", others.join("&")).parse()?;
    Ok(Listen { address, pty: false, pace })
}

/// The same address at another place, written without its scheme.
pub(crate) fn at(address: &Address, place: &str) -> Result<Address, AddressError> {
    let text = address.to_string();
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let options = rest.split_once('?').map(|(_, options)| format!("?{options}"));
    format!("{scheme}://{place}{}", options.unwrap_or_default()).parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Listen {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_terminal_may_have_a_name_and_a_speed() {
        let plain = listen("rtu+pty://");
        assert!(plain.is_pty() && plain.has_room_for_several());
        assert_eq!((plain.name(), plain.pace()), (None, None));
        let named = listen("ascii+pty:///tmp/bus0?baud=9600&parity=none");
        assert_eq!(named.name(), Some(Path::new("/tmp/bus0")));
        assert!(!named.has_room_for_several());
        let settings = named.pace().expect("it is paced");
        assert_eq!((settings.baud.get(), settings.bits()), (9600, 10));
        let client = at(named.address(), "/dev/pts/7").expect("an address");
        assert_eq!(client.to_string(), "ascii:///dev/pts/7?baud=9600&parity=none");
        assert_eq!(listen("rtu+pty://?baud=300").name(), None);
    }

    #[test]
    fn serial_frames_over_a_network_may_be_paced() {
        let paced = listen("rtu+tcp://127.0.0.1:0?baud=9600&stop=1&parity=none");
        assert_eq!(paced.address().to_string(), "rtu+tcp://127.0.0.1:0");
        assert_eq!(paced.pace().map(Settings::bits), Some(10));
        assert_eq!(listen("rtu+tcp://127.0.0.1:0").pace(), None);
        assert!("tcp://127.0.0.1:0?baud=9600".parse::<Listen>().is_err());
    }

    #[test]
    fn what_only_a_client_does_is_refused() {
        for text in [
            "tcp://127.0.0.1:0?in_flight=4",
            "rtu+pty:///tmp/bus0?response_timeout=1s",
            "rtu+tcp://127.0.0.1:0?baud=9600&gap=1s",
            "tls://127.0.0.1:0",
            "tls://127.0.0.1:0?cert=a.pem",
            "tcp+pty:///tmp/bus0",
            "rtu+pty://bus0",
            "/tmp/bus0",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_is_served_on_its_own_kind() {
        let like = |link: &str| Listen::like(&link.parse().expect("a link")).expect("a place");
        for (link, expected) in [
            ("tcp://192.0.2.1:502?in_flight=4", "tcp://127.0.0.1:0"),
            ("udp://192.0.2.1", "udp://127.0.0.1:0"),
            ("ascii+tcp://192.0.2.1", "ascii+tcp://127.0.0.1:0"),
        ] {
            assert_eq!(like(link).address().to_string(), expected);
        }
        let bus = like("rtu:///dev/ttyUSB0?baud=9600&parity=none&response_timeout=2s");
        assert!(bus.is_pty() && bus.name().is_none() && bus.pace().is_some());
        let client = at(bus.address(), "/dev/pts/7").expect("an address");
        assert!(client.to_string().starts_with("rtu:///dev/pts/7?"), "{client}");
        assert_eq!(client.overrides().response_timeout.map(|time| time.as_secs()), Some(2));
        assert_eq!(like("rtu:///dev/ttyUSB0").pace(), None);
        let secure = "tls://192.0.2.1?ca=ca.pem".parse().expect("a link");
        assert!(matches!(Listen::like(&secure), Err(ListenError::NoCertificate)));
    }
}
