//! Opens TCP connections.

use std::io;

use tokio::net::{TcpStream, lookup_host};

/// Opens a TCP connection without Nagle's delay: the connect closure of a Modbus TCP link is
/// `move || tcp::connect(host.clone(), 502)`.
///
/// # Errors
///
/// [`io::ErrorKind::NotFound`] if the name has no address, else what the system says of the last
/// address tried.
pub async fn connect(host: String, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host.as_str(), port))
        .await
        .map_err(|error| io::Error::new(io::ErrorKind::NotFound, format!("{host}: {error}")))?
        .collect();
    let stream = TcpStream::connect(&addresses[..]).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
