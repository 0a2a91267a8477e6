//! Opens what links are served on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use passline_modbus::address::{Address, Place};
use passline_modbus::link::ConnectError;
use passline_simulator::endpoint::{Identity, Listener, Port, Tls, TlsError, Wire};
#[cfg(unix)]
use passline_simulator::endpoint::{Pty, Symlink};
use tokio::net::{TcpListener, UdpSocket};

use super::listen::{Listen, at};

/// Where there are no pseudo-terminals, nobody names one.
#[cfg(not(unix))]
pub(crate) enum Symlink {}

/// What a link is served on.
pub(crate) struct Bound {
    pub(crate) listener: Listener,
    /// What a client connects to.
    pub(crate) url: String,
    /// What lives as long as it is served.
    pub(crate) name: Option<Symlink>,
}

/// Why nothing can be served there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// The port is taken, reserved, or not of this machine.
    #[error("cannot listen on {url}: {}", explained(source))]
    Port { url: String, source: io::Error },
    /// The files of a TLS server are of no use.
    #[error("cannot listen on {url}: {source}")]
    Tls { url: String, source: TlsError },
    /// The system makes no pseudo-terminal.
    #[error("cannot make a pseudo-terminal: {}", explained(.0))]
    Pty(io::Error),
    /// The serial port cannot be opened.
    #[error(transparent)]
    Serial(#[from] ConnectError),
    /// It cannot have that name.
    #[error("cannot name a pseudo-terminal {}: {}", name.display(), explained(source))]
    Name { name: PathBuf, source: io::Error },
}

/// What the system says, and what to do about it.
fn explained(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there\n  help: stop it, or take port 0 for any that is free"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address\n  help: 127.0.0.1 is this machine alone, 0.0.0.0 \
             all its networks"
        }
        io::ErrorKind::PermissionDenied => {
            "the system does not allow it\n  help: ports below 1024 need special rights: take a \
             higher one"
        }
        io::ErrorKind::AlreadyExists => {
            "that name is taken\n  help: choose another one, or remove what is there"
        }
        _ if is_out_of_descriptors(error) => {
            "this program has as many files open as it may have\n  help: allow it more: ulimit -n, or \
             LimitNOFILE= of a service"
        }
        _ => return error.to_string(),
    };
    remedy.to_owned()
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error).map(Some).contains(&error.raw_os_error())
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

/// Opens what a link is served on.
pub(crate) async fn bind(listen: &Listen) -> Result<Bound, BindError> {
    let address = listen.address();
    let framing = address.framing();
    let unpaced = || Wire::network(framing);
    let wire = listen.pace().map_or_else(unpaced, |settings| Wire::paced(framing, settings));
    let failed = |source| BindError::Port { url: address.without_options(), source };
    match address.place() {
        Place::Tcp { host, port } => {
            let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
            let url = with_port(address, listener.local_addr().map_err(failed)?);
            Ok(Bound { listener: Listener::Tcp(listener, wire), url, name: None })
        }
        Place::Tls { host, port } => {
            let tls = Tls::new(&identity(address))
                .map_err(|source| BindError::Tls { url: address.without_options(), source })?;
            let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
            let url = with_port(address, listener.local_addr().map_err(failed)?);
            Ok(Bound { listener: Listener::Tls(listener, tls), url, name: None })
        }
        Place::Udp { host, port } => {
            let socket = UdpSocket::bind((host.as_str(), *port)).await.map_err(failed)?;
            let url = with_port(address, socket.local_addr().map_err(failed)?);
            Ok(Bound { listener: Listener::Udp(socket), url, name: None })
        }
        Place::Serial { .. } if listen.is_pty() => pty(listen),
        Place::Serial { path } => port(address, path),
    }
}

/// Opens a serial port. What comes there is for the other end of the cable.
fn port(address: &Address, path: &str) -> Result<Bound, BindError> {
    let settings = address.settings().unwrap_or_default();
    let port = Port::open(path, settings, address.overrides().rs485)?;
    let wire = Wire::port(address.framing(), settings);
    Ok(Bound { listener: Listener::Port(port, wire), url: address.to_string(), name: None })
}

/// Makes a pseudo-terminal, and gives it its name.
#[cfg(unix)]
fn pty(listen: &Listen) -> Result<Bound, BindError> {
    let address = listen.address();
    let pty = Pty::new().map_err(BindError::Pty)?;
    let name = listen.name().map(|name| {
        Symlink::new(name, pty.path())
            .map_err(|source| BindError::Name { name: name.to_owned(), source })
    });
    let path = listen.name().unwrap_or(pty.path()).display().to_string();
    // The path of a device file is always one of a serial port.
    let url = at(address, &path).map_or(path, |address| address.to_string());
    let unpaced = || Wire::instant(address.framing());
    let paced = |settings| Wire::paced(address.framing(), settings);
    let wire = listen.pace().map_or_else(unpaced, paced);
    Ok(Bound { listener: Listener::Pty(pty, wire), url, name: name.transpose()? })
}

#[cfg(not(unix))]
fn pty(_: &Listen) -> Result<Bound, BindError> {
    Err(BindError::Pty(io::ErrorKind::Unsupported.into()))
}

/// The scheme of an address, and where it became.
fn with_port(address: &Address, place: SocketAddr) -> String {
    let url = address.without_options();
    let scheme = url.split("://").next().unwrap_or_default();
    format!("{scheme}://{place}")
}

/// Who a TLS server is.
fn identity(address: &Address) -> Identity {
    let own = address.overrides();
    Identity {
        certificate: own.cert.clone().unwrap_or_default(),
        key: own.key.clone().unwrap_or_default(),
        authorities: own.ca.clone(),
        role: own.role.clone(),
    }
}
