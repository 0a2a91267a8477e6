//! Where a simulator serves its line.

use std::fmt;
use std::io;

use passline_modbus::framing::Framing;
use tokio::net::{TcpListener, UdpSocket};

#[cfg(unix)]
use crate::endpoint::Pty;
use crate::endpoint::{Listener, Wire};

/// A kind of line on this machine, at any place that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A TCP port, with this framing.
    Tcp(Framing),
    /// Modbus TCP in datagrams.
    Udp,
    /// A new pseudo-terminal, with serial frames that take no time.
    #[cfg(unix)]
    Pty(Framing),
}

impl Default for Place {
    /// Modbus TCP.
    fn default() -> Self {
        Self::Tcp(Framing::Mbap)
    }
}

/// What a line is served on, and how clients call it.
pub struct Opened {
    /// What it is served on.
    pub listener: Listener,
    /// What a client connects to.
    pub url: String,
    /// What is kept as long as it is served: the name of a terminal.
    pub name: Option<Box<dyn Send>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Opened").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Place {
    pub(super) async fn open(self) -> io::Result<Opened> {
        let (listener, url) = match self {
            Self::Tcp(framing) => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let url = format!("{}tcp://{}", prefix(framing), listener.local_addr()?);
                (Listener::Tcp(listener, Wire::network(framing)), url)
            }
            Self::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").await?;
                let url = format!("udp://{}", socket.local_addr()?);
                (Listener::Udp(socket), url)
            }
            #[cfg(unix)]
            Self::Pty(framing) => {
                let pty = Pty::new()?;
                let scheme = prefix(framing).trim_end_matches('+').to_owned();
                if scheme.is_empty() {
                    let text = "a terminal has serial frames: RTU or ASCII";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
                }
                let url = format!("{scheme}://{}", pty.path().display());
                (Listener::Pty(pty, Wire::instant(framing)), url)
            }
        };
        Ok(Opened { listener, url, name: None })
    }
}

/// What the scheme of a line of serial frames begins with.
fn prefix(framing: Framing) -> &'static str {
    match framing {
        Framing::Mbap => "",
        Framing::Rtu => "rtu+",
        Framing::Ascii => "ascii+",
    }
}
