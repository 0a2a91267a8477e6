//! Why a text is no address.

/// Why a text is no address, or not one that can be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `://`.
    #[error("no scheme: write it as tcp://host:port or rtu:///dev/ttyUSB0")]
    NoScheme,
    /// Not a scheme of Passline.
    #[error("unknown scheme `{scheme}`, known: {}", known.join(", "))]
    UnknownScheme {
        /// What stands before `://`.
        scheme: String,
        /// What may stand there.
        known: Vec<&'static str>,
    },
    /// Not a host.
    #[error("`{host}` is no host name, IPv4 address, or IPv6 address in brackets")]
    Host {
        /// What stands in its place.
        host: String,
    },
    /// Not a port.
    #[error("`{port}` is no port from 0 to 65535")]
    Port {
        /// What stands in its place.
        port: String,
    },
    /// Not a serial port.
    #[error(
        "`{path}` is no serial port: write its whole path, as in {scheme}:///dev/ttyUSB0, or {scheme}://COM3"
    )]
    SerialPort {
        /// The scheme.
        scheme: &'static str,
        /// What stands in its place.
        path: String,
    },
    /// Not an option of this scheme.
    #[error("unknown option `{option}`, known: {}", known.join(", "))]
    UnknownOption {
        /// What stands before `=`.
        option: String,
        /// What may stand there.
        known: Vec<&'static str>,
    },
    /// An option is given twice.
    #[error("`{option}` is given twice")]
    Repeated {
        /// Which.
        option: &'static str,
    },
    /// Not a value of this option.
    #[error("`{option}` takes {expected}, not `{value}`")]
    Value {
        /// Which option.
        option: &'static str,
        /// What stands after `=`.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// One of two options that belong together.
    #[error("`{given}` needs `{missing}` beside it")]
    Alone {
        /// What is there.
        given: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// RTU needs bytes whole.
    #[error("`data` is 8 with rtu, whose bytes have eight bits; 7 is for ascii")]
    SevenBits,
    /// Frames would not be told apart.
    #[error("`silence` cannot be shorter than the 3.5 characters that end a frame: {least} here")]
    Silence {
        /// How long they take, as text.
        least: String,
    },
    /// Nothing says whom to trust.
    #[error(
        "no `ca`: name the file with the certificate of the authority that signed the device's, as in ?ca=plant-ca.pem"
    )]
    NoAuthority,
}
