//! Why a connection could not be opened, as data, with a sentence that says what to do.

use std::{fmt, io, time::Duration};

use super::tls::TlsError;

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there, or the device takes no more clients.
    #[error("refused")]
    Refused,
    /// No route to the host, or its network is down.
    #[error("unreachable")]
    Unreachable,
    /// No reply to the attempt.
    #[error("no reply within {after:?}")]
    TimedOut {
        /// The connect timeout, or how long the system tried if that was shorter.
        after: Duration,
    },
    /// The name does not exist.
    #[error("not found: {text}")]
    NotFound {
        /// What the system says.
        text: String,
    },
    /// There is no serial port at this path.
    #[error("there is no serial port {path}: {}", Known(known))]
    NoSuchPort {
        /// The path.
        path: String,
        /// The serial ports that there are.
        known: Vec<String>,
    },
    /// What is at this path is no serial port.
    #[error("{path} is no serial port: {}", Known(known))]
    NotAPort {
        /// The path.
        path: String,
        /// The serial ports that there are.
        known: Vec<String>,
    },
    /// Another program has the serial port, or another line of this one.
    #[error("the serial port {path} is in use: close the program that has it open")]
    PortBusy {
        /// The path.
        path: String,
    },
    /// This user may not open the serial port.
    #[error("no permission to open the serial port {path}: {}", Permitted(group.as_deref()))]
    PermissionDenied {
        /// The path.
        path: String,
        /// The group whose members may; `None` if only its owner may.
        group: Option<String>,
    },
    /// The serial port does not take the settings.
    #[error(
        "the serial port {path} cannot be set like this ({text}): try another `baud`, `data`, `parity` or `stop`"
    )]
    BadSettings {
        /// The path.
        path: String,
        /// What the system says.
        text: String,
    },
    /// The driver of the serial port has no RS-485 mode.
    #[error(
        "the driver of {path} has no RS-485 mode ({text}): leave out `rs485`; most adapters switch by themselves"
    )]
    NoRs485 {
        /// The path.
        path: String,
        /// What the system says.
        text: String,
    },
    /// TCP stands, TLS does not.
    #[error("{0}")]
    Tls(#[source] TlsError),
    /// Anything else.
    #[error("{text}")]
    Other {
        /// The kind of error.
        kind: io::ErrorKind,
        /// What the system says.
        text: String,
    },
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Self::Unreachable,
            io::ErrorKind::NotFound => Self::NotFound { text: error.to_string() },
            kind => Self::Other { kind, text: error.to_string() },
        }
    }
}

impl ConnectError {
    /// The same; what the system gave up is told like what we gave up, `after` this time.
    pub(in crate::link) fn timed(self, after: Duration) -> Self {
        match self {
            Self::Other { kind: io::ErrorKind::TimedOut, .. } => Self::TimedOut { after },
            other => other,
        }
    }
}

/// What to open instead of a port that is none.
struct Known<'k>(&'k [String]);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("this machine shows none; is the adapter plugged in?"),
            known => write!(f, "this machine has {}", known.join(", ")),
        }
    }
}

/// How to get the permission.
struct Permitted<'g>(Option<&'g str>);

impl fmt::Display for Permitted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(group) => write!(
                f,
                "it takes the group {group}. Run `sudo usermod -aG {group} $USER`, then log in again"
            ),
            None => f.write_str(
                "only its owner has it. A udev rule can give it to a group, such as dialout",
            ),
        }
    }
}
