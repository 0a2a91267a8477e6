//! What it means that TLS failed.

use std::{io, sync::Arc};

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

use super::{Ours, TlsError};
use crate::link::ConnectError;

/// What a server says that does not say why.
const HUNG_UP: &str = "it hung up";

/// What is known of a connection when it fails.
#[derive(Debug)]
pub(super) struct Diagnosis {
    pub(super) ours: Arc<Ours>,
    /// Whom the server's certificate must name.
    pub(super) name: String,
}

impl Diagnosis {
    /// The handshake failed.
    pub(super) fn of_handshake(&self, error: &io::Error) -> ConnectError {
        match (of_rustls(error), error.kind()) {
            (Some(error), _) => ConnectError::Tls(self.of(error)),
            (
                None,
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => ConnectError::Tls(if self.ours.was_asked() {
                self.of_client(HUNG_UP)
            } else {
                TlsError::HungUp
            }),
            (None, kind) => ConnectError::Other { kind, text: error.to_string() },
        }
    }

    /// The connection failed before anything came over it. In TLS 1.3 a server looks at its
    /// client's certificate only when the client has done its part, so this may be how it refuses
    /// it: with an alert, or if that was lost on the way, without a word.
    pub(super) fn of_beginning(&self, error: &io::Error) -> Option<ConnectError> {
        let tls = match of_rustls(error) {
            Some(Error::AlertReceived(alert)) => self.of_alert(*alert),
            None if self.ours.was_asked() => self.of_client(HUNG_UP),
            _ => return None,
        };
        Some(ConnectError::Tls(tls))
    }

    fn of(&self, error: &Error) -> TlsError {
        match error {
            Error::InvalidMessage(_) => TlsError::NotTls,
            Error::PeerIncompatible(missing) => {
                TlsError::Incompatible { text: format!("{missing:?}") }
            }
            Error::InvalidCertificate(error) => self.of_certificate(error),
            Error::AlertReceived(alert) => self.of_alert(*alert),
            other => TlsError::Other { text: other.to_string() },
        }
    }

    fn of_certificate(&self, error: &CertificateError) -> TlsError {
        use CertificateError as E;
        let name = |presented: &[String]| TlsError::WrongName {
            expected: self.name.clone(),
            presented: presented.iter().map(|name| bare(name)).collect(),
        };
        match error {
            // An authority of the same name as ours, with another key.
            E::UnknownIssuer | E::BadSignature => TlsError::UnknownAuthority,
            E::Expired | E::ExpiredContext { .. } => TlsError::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => TlsError::NotYetValid,
            E::NotValidForName => name(&[]),
            E::NotValidForNameContext { presented, .. } => name(presented),
            E::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                TlsError::AuthorityAsDevice
            }
            other => TlsError::Certificate { text: other.to_string() },
        }
    }

    fn of_alert(&self, alert: AlertDescription) -> TlsError {
        use AlertDescription as A;
        match alert {
            A::CertificateRequired | A::NoCertificate => self.of_client("none was shown"),
            A::BadCertificate => self.of_client("malformed, or not proven"),
            A::UnsupportedCertificate => self.of_client("of an unsupported kind"),
            A::CertificateRevoked => self.of_client("revoked"),
            A::CertificateExpired => self.of_client("expired"),
            A::CertificateUnknown => self.of_client("not acceptable"),
            A::UnknownCA => self.of_client("of an unknown authority"),
            A::DecryptError => self.of_client("its signature is wrong"),
            A::AccessDenied => self.of_client("access denied"),
            // TLS 1.2 says no more when there is no certificate.
            A::HandshakeFailure if self.ours.was_asked() => self.of_client("handshake failure"),
            A::HandshakeFailure | A::InsufficientSecurity | A::ProtocolVersion => {
                TlsError::Incompatible { text: format!("alert {alert:?}") }
            }
            A::UnrecognisedName => {
                TlsError::WrongName { expected: self.name.clone(), presented: Vec::new() }
            }
            other => TlsError::Other { text: format!("the device sent the alert {other:?}") },
        }
    }

    /// The server does not like what this side showed, or did not.
    fn of_client(&self, text: &str) -> TlsError {
        match self.ours.certified {
            Some(_) => TlsError::CertificateRefused { text: text.to_owned() },
            None => TlsError::CertificateDemanded,
        }
    }
}

/// A name of a certificate without its kind: rustls writes `DnsName("meter.plant")`.
fn bare(name: &str) -> String {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside);
    inside.trim_matches(['"', ')']).to_owned()
}

fn of_rustls(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
