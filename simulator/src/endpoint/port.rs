//! A serial port as a wire: it may be unplugged, and come back.

use std::time::Duration;

use passline_modbus::address::Rs485;
use passline_modbus::link::ConnectError;
use passline_modbus::link::serial;
use passline_modbus::serial::Settings;
use tokio::time::sleep;

/// How often a port that is gone is looked for.
const REST: Duration = Duration::from_millis(500);

/// An open serial port.
#[derive(Debug)]
pub struct Port {
    path: String,
    settings: Settings,
    rs485: Option<Rs485>,
    stream: serial::Port,
}

impl Port {
    /// Opens the port of this path.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime that does I/O.
    pub fn open(
        path: &str,
        settings: Settings,
        rs485: Option<Rs485>,
    ) -> Result<Self, ConnectError> {
        let stream = serial::open(path, settings, rs485)?;
        Ok(Self { path: path.to_owned(), settings, rs485, stream })
    }

    pub(super) fn stream(&mut self) -> &mut serial::Port {
        &mut self.stream
    }

    /// Waits until the port can be opened again.
    pub(super) async fn reopen(&mut self) {
        loop {
            sleep(REST).await;
            if let Ok(stream) = serial::open(&self.path, self.settings, self.rs485) {
                self.stream = stream;
                return;
            }
        }
    }
}
