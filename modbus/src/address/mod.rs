//! Where a line is and what is spoken there: `tcp://host:port?in_flight=4`,
//! `rtu:///dev/ttyUSB0?baud=9600`. Text to address and back; opens nothing.
//!
//! ```text
//! tcp://host[:port]        rtu+tcp://host[:port]    rtu:///path      rtu://COM3
//! tls://host[:port]        ascii+tcp://host[:port]  ascii:///path    ascii://COM3
//! udp://host[:port]        ...and for each: [?option=value[&option=value]...]
//! ```
//!
//! The host is a name, an IPv4 address, or an IPv6 address in brackets; the port is 502 if not
//! given, 802 for TLS. A serial port is the whole path of a device file, or `COM` and a number.
//! Nothing is escaped: a path with `?`, or a value with `&`, cannot be written. Options say how to
//! treat the line, not where it is: two addresses are of the same line if their [`Place`]s are
//! equal, whatever is spoken there.
//!
//! A new scheme is a variant of `Scheme`; a new option is a field of [`Overrides`] and a line in
//! the table of the schemes that have it.

mod error;
mod option;
mod place;
mod scheme;

use std::{fmt, path::Path, str::FromStr};

pub use self::{
    error::AddressError,
    option::{Overrides, Rs485},
    place::Place,
    scheme::{TCP_PORT, TLS_PORT},
};
use self::{option::Setting, place::Bare, scheme::Scheme};
use crate::{
    duration::write_duration,
    framing::Framing,
    serial::{DataBits, Settings, StopBits},
};

/// A place, what is spoken there, and how to treat the line. Made from text only, so that its parts
/// always fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    place: Place,
    overrides: Overrides,
}

impl Address {
    /// Where the line is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// How frames are formed there.
    pub fn framing(&self) -> Framing {
        self.scheme.framing()
    }

    /// How to treat it, as far as the address says.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The address without its options: `rtu:///dev/ttyUSB0`.
    pub fn without_options(&self) -> String {
        format!("{}://{}", self.scheme.name(), Bare(&self.place))
    }

    /// How characters are formed, what the address leaves open being as the standard sets it;
    /// `None` if it is of no serial port.
    pub fn settings(&self) -> Option<Settings> {
        let Place::Serial { .. } = self.place else { return None };
        let (own, standard) = (&self.overrides, Settings::of(self.framing()));
        let parity = own.parity.unwrap_or(standard.parity);
        Some(Settings {
            baud: own.baud.unwrap_or(standard.baud),
            data: own.data.unwrap_or(standard.data),
            parity,
            stop: own.stop.unwrap_or(StopBits::beside(parity)),
        })
    }

    /// The same line with its characters formed like this.
    ///
    /// # Errors
    ///
    /// [`AddressError::SevenBits`] with RTU, [`AddressError::Silence`] if its `silence` is too
    /// short then, and [`AddressError::UnknownOption`] if it is of no serial port.
    pub fn with_settings(mut self, settings: Settings) -> Result<Self, AddressError> {
        if self.settings().is_none() {
            return Err(self.scheme.unknown("baud"));
        }
        let Settings { baud, data, parity, stop } = settings;
        self.overrides.baud = Some(baud);
        self.overrides.data = Some(data);
        self.overrides.parity = Some(parity);
        self.overrides.stop = Some(stop);
        self.check()?;
        Ok(self)
    }

    /// The same address, the files that it names looked for in `folder` unless their paths are
    /// whole.
    #[must_use]
    pub fn relative_to(mut self, folder: &Path) -> Self {
        let Overrides { ca, cert, key, .. } = &mut self.overrides;
        for file in [ca, cert, key].into_iter().flatten() {
            *file = folder.join(&*file);
        }
        self
    }

    /// Whether it says all that a client needs to know. A listener needs less.
    ///
    /// # Errors
    ///
    /// [`AddressError::NoAuthority`]: a server is always verified, and nothing says by whom.
    pub fn check_client(&self) -> Result<(), AddressError> {
        match (&self.place, &self.overrides.ca) {
            (Place::Tls { .. }, None) => Err(AddressError::NoAuthority),
            _ => Ok(()),
        }
    }

    /// What must hold between options.
    fn check(&self) -> Result<(), AddressError> {
        let own = &self.overrides;
        match (&own.cert, &own.key) {
            (Some(_), None) => {
                return Err(AddressError::Alone { given: "cert", missing: "key" });
            }
            (None, Some(_)) => {
                return Err(AddressError::Alone { given: "key", missing: "cert" });
            }
            _ => {}
        }
        if self.framing() != Framing::Rtu {
            return Ok(());
        }
        if own.data == Some(DataBits::Seven) {
            return Err(AddressError::SevenBits);
        }
        let least = self.settings().map(Settings::silence);
        match (own.silence, least) {
            (Some(silence), Some(least)) if silence < least => {
                Err(AddressError::Silence { least: write_duration(least) })
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (name, rest) = text.split_once("://").ok_or(AddressError::NoScheme)?;
        let scheme =
            Scheme::ALL.into_iter().find(|scheme| scheme.name() == name).ok_or_else(|| {
                let known = Scheme::ALL.map(Scheme::name).to_vec();
                AddressError::UnknownScheme { scheme: name.to_owned(), known }
            })?;
        let (place, options) = match rest.split_once('?') {
            Some((place, options)) => (place, Some(options)),
            None => (rest, None),
        };
        let place = scheme.place(place)?;
        let mut overrides = Overrides::default();
        for option in options.into_iter().flat_map(|options| options.split('&')) {
            scheme.set(&mut overrides, option)?;
        }
        let address = Self { scheme, place, overrides };
        address.check()?;
        Ok(address)
    }
}

impl Scheme {
    fn set(self, overrides: &mut Overrides, option: &str) -> Result<(), AddressError> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let setting = self.settings().find(|setting| setting.name == name);
        let &Setting { name, expected, set, get } = setting.ok_or_else(|| self.unknown(name))?;
        if get(overrides).is_some() {
            return Err(AddressError::Repeated { option: name });
        }
        let value = value.to_owned();
        set(overrides, &value).ok_or(AddressError::Value { option: name, value, expected })
    }

    fn unknown(self, option: &str) -> AddressError {
        let known = self.settings().map(|setting| setting.name).collect();
        AddressError::UnknownOption { option: option.to_owned(), known }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), Bare(&self.place))?;
        let mut separator = '?';
        for setting in self.scheme.settings() {
            if let Some(value) = (setting.get)(&self.overrides) {
                write!(f, "{separator}{}={value}", setting.name)?;
                separator = '&';
            }
        }
        Ok(())
    }
}
