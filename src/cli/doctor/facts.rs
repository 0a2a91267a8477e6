//! What there is to know of the serial ports of a machine. Data alone.

use std::fmt;

use serde::Serialize;

/// The state of a machine, as far as it can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Facts {
    /// Who runs this, if known.
    pub(super) user: Option<String>,
    pub(super) ports: Vec<Port>,
    /// Ports that the system has and that no device file stands for.
    pub(super) missing_files: Vec<String>,
    /// USB adapters that are plugged in and have no port.
    pub(super) without_port: Vec<Usb>,
    /// Running programs that open serial ports by themselves.
    pub(super) programs: Vec<String>,
    /// Whose processes could be looked at for open ports.
    pub(super) sight: Sight,
    /// Whether pseudo-terminals can be made; `None`: not of this system.
    pub(super) ptys: Option<bool>,
}

/// Whose open files can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sight {
    /// Everyone's.
    All,
    /// Only those of this user's processes.
    Own,
    /// Nobody's.
    #[default]
    None,
}

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Port {
    /// What a link names: `/dev/ttyUSB0`, `COM3`.
    pub(super) path: String,
    /// A name that stays the same whatever is plugged in first.
    pub(super) by_id: Option<String>,
    pub(super) usb: Option<Usb>,
    /// Whether this user may open it; `None`: not known without trying.
    pub(super) may_open: Option<bool>,
    /// The group that may.
    pub(super) group: Option<Group>,
    pub(super) holders: Vec<Holder>,
    /// How long an FTDI adapter collects bytes before it hands them over.
    pub(super) latency_ms: Option<u32>,
}

/// The identity of a USB device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Usb {
    pub(super) vendor: u16,
    pub(super) product: u16,
    pub(super) manufacturer: Option<String>,
    pub(super) name: Option<String>,
    pub(super) serial_number: Option<String>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    /// Whether it is given to the user, at the next login at the latest.
    pub(super) has_user: bool,
}

/// A process that has a port open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) program: String,
}

impl fmt::Display for Usb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "USB {:04x}:{:04x}", self.vendor, self.product)?;
        if let Some(name) = &self.name {
            write!(formatter, " \"{name}\"")?;
        }
        if let Some(manufacturer) = &self.manufacturer {
            write!(formatter, " by {manufacturer}")?;
        }
        if let Some(number) = &self.serial_number {
            write!(formatter, ", serial number {number}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)?;
        match &self.usb {
            Some(usb) => write!(formatter, ": {usb}")?,
            None => formatter.write_str(": no USB device")?,
        }
        match &self.by_id {
            Some(name) => write!(formatter, "; also {name}"),
            None => Ok(()),
        }
    }
}
