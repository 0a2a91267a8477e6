//! Which port does a path lead to?

use std::fs;

use crate::address::Place;

/// The place that all spellings of it share: of a serial port, the device file at the end of its
/// links, so that `/dev/serial/by-id/…` and `/dev/ttyUSB0` are one. What is not there, and what is
/// no serial port, stays as it is.
///
/// The answer holds until somebody plugs: it is for telling lines apart, and not for opening them.
#[must_use]
pub fn resolve(place: &Place) -> Place {
    let Place::Serial { path } = place else { return place.clone() };
    let resolved =
        fs::canonicalize(path).ok().and_then(|path| path.into_os_string().into_string().ok());
    match resolved {
        // Windows answers with a device's name of its own making.
        Some(path) if cfg!(unix) => Place::Serial { path },
        _ => place.clone(),
    }
}
