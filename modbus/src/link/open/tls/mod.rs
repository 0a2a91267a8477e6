//! Opens TLS 1.2 and 1.3 connections (Modbus/TCP Security): the server is always verified.

mod diagnose;
mod error;
mod stream;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore, SignatureScheme, client::ResolvesClientCert,
        crypto::ring, pki_types::ServerName, sign::CertifiedKey,
    },
};

pub use self::error::TlsError;
use self::{diagnose::Diagnosis, stream::Stream};
use super::{ConnectError, tcp};
use crate::{
    address::Overrides,
    tls::{certificates, private_key, role},
};

/// Opens a TLS connection. The files are read each time, so that a renewed certificate is used by
/// the next connection.
pub(super) async fn connect(
    host: String,
    port: u16,
    options: Overrides,
) -> Result<Stream, ConnectError> {
    let name = options.name.as_deref().unwrap_or(&host).to_owned();
    let ours = Arc::new(Ours::read(&options).map_err(ConnectError::Tls)?);
    let config = config(&options, Arc::clone(&ours)).map_err(ConnectError::Tls)?;
    let server = server_name(&name).map_err(ConnectError::Tls)?;
    let stream = tcp::connect(host, port).await?;
    let diagnosis = Diagnosis { ours: Arc::clone(&ours), name };
    let connected = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
    let stream = connected.map_err(|error| diagnosis.of_handshake(&error))?;
    if let Some(demanded) = options.role {
        let theirs = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let found = theirs.and_then(|certificate| role(certificate));
        if found.as_ref() != Some(&demanded) {
            return Err(ConnectError::Tls(TlsError::WrongRole { demanded, found }));
        }
    }
    Ok(Stream::new(stream, diagnosis))
}

fn config(options: &Overrides, ours: Arc<Ours>) -> Result<ClientConfig, TlsError> {
    let mut authorities = RootCertStore::empty();
    let file = options.ca.as_deref().ok_or(TlsError::NoAuthority)?;
    for certificate in certificates(file).map_err(unusable)? {
        let added = authorities.add(certificate);
        added.map_err(|error| TlsError::File { text: format!("{}: {error}", file.display()) })?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Other { text: error.to_string() })?;
    Ok(config.with_root_certificates(authorities).with_client_cert_resolver(ours))
}

/// Whom the server's certificate must name. The interface of a link-local address is of this
/// machine alone.
fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    let host = name.split('%').next().unwrap_or(name).to_owned();
    ServerName::try_from(host).map_err(|_| TlsError::NoName { host: name.to_owned() })
}

fn unusable(error: impl std::fmt::Display) -> TlsError {
    TlsError::File { text: error.to_string() }
}

/// The certificate of this side, and whether the server asked for it.
#[derive(Debug)]
struct Ours {
    certified: Option<Arc<CertifiedKey>>,
    was_asked: AtomicBool,
}

impl Ours {
    fn read(options: &Overrides) -> Result<Self, TlsError> {
        let certified = match (&options.cert, &options.key) {
            (Some(certificate), Some(key)) => Some(Arc::new(certified(certificate, key)?)),
            _ => None,
        };
        Ok(Self { certified, was_asked: AtomicBool::new(false) })
    }

    fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }
}

fn certified(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(certificate).map_err(unusable)?;
    let secret = private_key(key).map_err(unusable)?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|error| {
        let files = (certificate.display(), key.display());
        TlsError::File {
            text: match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("{} is not the key of the certificate in {}", files.1, files.0)
                }
                error => format!("cannot use {} with {}: {error}", files.0, files.1),
            },
        }
    })
}

impl ResolvesClientCert for Ours {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        self.certified.clone()
    }

    fn has_certs(&self) -> bool {
        self.certified.is_some()
    }
}
