//! Why TLS did not come about, as data, with a sentence that says what to do.

/// Why TLS did not come about over a TCP connection that stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file with a certificate or a key cannot be used.
    #[error("{text}")]
    File {
        /// Which, and why.
        text: String,
    },
    /// Nothing says whom to trust.
    #[error(
        "no `ca`: name the file with the certificate of the authority that signed the device's"
    )]
    NoAuthority,
    /// The host is of a form that no certificate can name.
    #[error(
        "no certificate can name {host}: add `name=` with the name in the device's certificate"
    )]
    NoName {
        /// The host, or the `name` of the address.
        host: String,
    },
    /// What came back is not TLS.
    #[error(
        "what answers there does not speak TLS: is it plain Modbus TCP? That is tcp://, most often at port 502"
    )]
    NotTls,
    /// The connection ended in the middle of the handshake.
    #[error(
        "the other side hung up in the middle of the TLS handshake: is this its port for TLS, and does it speak TLS 1.2 or 1.3?"
    )]
    HungUp,
    /// No version or cipher in common.
    #[error(
        "the other side has no TLS 1.2 or 1.3 with a cipher that is safe today ({text}): update it"
    )]
    Incompatible {
        /// What is missing.
        text: String,
    },
    /// The server's certificate leads to no trusted authority.
    #[error(
        "the device's certificate is not signed by the authority in `ca`: name the file of the one that signed it"
    )]
    UnknownAuthority,
    /// The server's certificate is no longer valid.
    #[error(
        "the device's certificate has expired: renew it, or set this machine's clock if that is wrong"
    )]
    Expired,
    /// The server's certificate is not valid yet.
    #[error(
        "the device's certificate is not valid yet: set the clock of this machine, or of who made it"
    )]
    NotYetValid,
    /// The server's certificate names somebody else.
    #[error(
        "the device's certificate is for {}, not for {expected}: use that in the address, or add `name=`",
        Named(presented)
    )]
    WrongName {
        /// Whom the address names.
        expected: String,
        /// Whom the certificate names.
        presented: Vec<String>,
    },
    /// The server shows the certificate of an authority as its own.
    #[error(
        "the device shows the certificate of an authority as its own: give it one that is not an authority's"
    )]
    AuthorityAsDevice,
    /// The server's certificate is wrong in another way.
    #[error("the device's certificate cannot be trusted: {text}")]
    Certificate {
        /// How.
        text: String,
    },
    /// The server demands a certificate, and the address names none.
    #[error(
        "the device demands a certificate of its clients: name one that it trusts with `cert=` and `key=`"
    )]
    CertificateDemanded,
    /// The server does not accept the certificate of this side.
    #[error(
        "the device does not accept this client's certificate ({text}): is it signed by an authority that the device trusts, valid today, and of a role that the device admits?"
    )]
    CertificateRefused {
        /// What the device says.
        text: String,
    },
    /// The server's certificate gives it another role than the address demands.
    #[error(
        "the device's certificate gives it {}, not the role {demanded} that `role` demands",
        Role(found.as_deref())
    )]
    WrongRole {
        /// What the address demands.
        demanded: String,
        /// What the certificate says.
        found: Option<String>,
    },
    /// Anything else.
    #[error("TLS failed: {text}")]
    Other {
        /// What.
        text: String,
    },
}

struct Named<'n>(&'n [String]);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [] => f.write_str("nobody by name"),
            names => f.write_str(&names.join(", ")),
        }
    }
}

struct Role<'r>(Option<&'r str>);

impl std::fmt::Display for Role<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(role) => write!(f, "the role {role}"),
            None => f.write_str("no role"),
        }
    }
}
