//! Opens serial ports: raw, for this program alone, emptied of what came before.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort as _, SerialStream};

use super::ConnectError;
use crate::{
    address::Rs485,
    serial::{DataBits, Parity, Settings, StopBits},
};

/// An open serial port.
#[derive(Debug)]
pub struct Port {
    stream: SerialStream,
    path: String,
}

/// Opens a serial port by its path, which may be a link: it is followed each time, so that a port
/// that was unplugged is found again wherever it comes back.
///
/// # Errors
///
/// [`ConnectError`]: there is no such port, it may not be opened, or somebody else has it.
///
/// # Panics
///
/// Outside a tokio runtime with I/O enabled.
pub fn open(path: &str, settings: Settings, rs485: Option<Rs485>) -> Result<Port, ConnectError> {
    let path = path.to_owned();
    if is_other(&path) {
        return Err(ConnectError::NotAPort { path, known: known() });
    }
    if let Some(mode @ (Rs485::Rts | Rs485::RtsInverted)) = rs485 {
        set_rs485(&path, mode)?;
    }
    let stream =
        SerialStream::open(&builder(&path, settings)).map_err(|error| refused(&path, &error))?;
    // What came before is of nobody's request.
    stream.clear(ClearBuffer::Input).map_err(|error| refused(&path, &error))?;
    Ok(Port { stream, path })
}

fn builder(path: &str, settings: Settings) -> tokio_serial::SerialPortBuilder {
    let data = match settings.data {
        DataBits::Seven => tokio_serial::DataBits::Seven,
        DataBits::Eight => tokio_serial::DataBits::Eight,
    };
    let parity = match settings.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop = match settings.stop {
        StopBits::One => tokio_serial::StopBits::One,
        StopBits::Two => tokio_serial::StopBits::Two,
    };
    tokio_serial::new(path, settings.baud.get())
        .data_bits(data)
        .parity(parity)
        .stop_bits(stop)
        .flow_control(tokio_serial::FlowControl::None)
}

/// The mode belongs to the port and not to who opens it, so it stays when this handle is closed.
#[cfg(target_os = "linux")]
fn set_rs485(path: &str, mode: Rs485) -> Result<(), ConnectError> {
    let port =
        serial2::SerialPort::open(path, serial2::KeepSettings).map_err(|error| {
            match error.kind() {
                io::ErrorKind::NotFound => no_such_port(path),
                io::ErrorKind::PermissionDenied => permission_denied(path),
                io::ErrorKind::ResourceBusy => ConnectError::PortBusy { path: path.to_owned() },
                _ => ConnectError::NotAPort { path: path.to_owned(), known: known() },
            }
        })?;
    let mut config = serial2::rs4xx::Rs485Config::new();
    config.set_invert_rts(mode == Rs485::RtsInverted);
    port.set_rs4xx_mode(config)
        .map_err(|error| ConnectError::NoRs485 { path: path.to_owned(), text: error.to_string() })
}

#[cfg(not(target_os = "linux"))]
fn set_rs485(path: &str, _mode: Rs485) -> Result<(), ConnectError> {
    let text = "only Linux has one".to_owned();
    Err(ConnectError::NoRs485 { path: path.to_owned(), text })
}

/// What it means that a port could not be opened.
fn refused(path: &str, error: &tokio_serial::Error) -> ConnectError {
    let (path, text) = (path.to_owned(), error.description.clone());
    match error.kind {
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => permission_denied(&path),
        // Somebody holds its lock; on Windows also: it does not exist.
        ErrorKind::NoDevice if exists(&path) => ConnectError::PortBusy { path },
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => no_such_port(&path),
        // ENOTTY, which has no kind of its own.
        ErrorKind::Unknown if text == "Not a typewriter" => {
            ConnectError::NotAPort { path, known: known() }
        }
        ErrorKind::InvalidInput | ErrorKind::Unknown => ConnectError::BadSettings { path, text },
        ErrorKind::Io(kind) => ConnectError::Other { kind, text: format!("{path}: {text}") },
    }
}

fn no_such_port(path: &str) -> ConnectError {
    ConnectError::NoSuchPort { path: path.to_owned(), known: known() }
}

fn permission_denied(path: &str) -> ConnectError {
    ConnectError::PermissionDenied { path: path.to_owned(), group: group(path) }
}

/// Whether there is something at the path that is not even a device of characters.
#[cfg(unix)]
fn is_other(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|file| !file.file_type().is_char_device())
}

#[cfg(not(unix))]
fn is_other(_path: &str) -> bool {
    false
}

#[cfg(unix)]
fn exists(path: &str) -> bool {
    std::fs::exists(path).unwrap_or(false)
}

#[cfg(not(unix))]
fn exists(path: &str) -> bool {
    known().iter().any(|known| known == path)
}

/// The serial ports of this machine.
fn known() -> Vec<String> {
    let ports = tokio_serial::available_ports().unwrap_or_default();
    ports.into_iter().map(|port| port.port_name).collect()
}

/// The group that may read and write the file, unless that is root's.
#[cfg(unix)]
fn group(path: &str) -> Option<String> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let file = std::fs::metadata(path).ok()?;
    let may = file.permissions().mode() & 0o060 == 0o060;
    let id = Some(file.gid()).filter(|id| may && *id != 0)?.to_string();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    // name:password:id:members
    let name = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    Some(name.unwrap_or(id))
}

#[cfg(not(unix))]
fn group(_path: &str) -> Option<String> {
    None
}

impl Port {
    /// The error of a port that does not answer any longer.
    fn gone(&self) -> io::Error {
        let text = format!("the serial port {} is gone: is it unplugged?", self.path);
        io::Error::new(io::ErrorKind::NotConnected, text)
    }

    fn or_gone<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => error,
            // EIO, ENXIO and ENODEV: there is nothing else that can go wrong with an open port.
            _ => self.gone(),
        })
    }
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut this.stream).poll_read(context, buffer));
        Poll::Ready(match this.or_gone(result) {
            // The end of a file means that the line was hung up.
            Ok(()) if buffer.filled().len() == before => Err(this.gone()),
            result => result,
        })
    }
}

impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_write(context, bytes));
        Poll::Ready(this.or_gone(result))
    }

    /// Does nothing: flushing a serial port holds its thread up until the last bit has left. Who
    /// needs to know when that is can tell from the settings.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
