//! TLS in front of a line (Modbus/TCP Security): who the server is, and which clients it admits.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::tls::{FileError, certificates, private_key, role};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::server::TlsStream;

/// How long a client may take to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Who a server is, and which clients it admits: all as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The server's certificate, and those up to its authority.
    pub certificate: PathBuf,
    /// The key of that certificate.
    pub key: PathBuf,
    /// The authorities that sign the certificates of clients. Without it no client is asked for
    /// one.
    pub authorities: Option<PathBuf>,
    /// The role that the certificate of a client must give it (extension
    /// 1.3.6.1.4.1.50316.802.1). Needs `authorities`.
    pub role: Option<String>,
}

/// Why there is no TLS with an [`Identity`].
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file gives no certificate or key.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificate and the key do not belong together, or cannot be used.
    #[error("the certificate and its key cannot be used: {0}")]
    Identity(rustls::Error),
    /// The authorities of the clients cannot be used.
    #[error("the authorities of the clients cannot be used: {0}")]
    Authorities(#[from] VerifierBuilderError),
    /// A role is demanded of clients that are not asked for a certificate.
    #[error("a role is in the certificate of a client: name the authorities that sign those, too")]
    RoleOfNobody,
}

/// The server's side of TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn new(identity: &Identity) -> Result<Self, TlsError> {
        let certificates = certificates(&identity.certificate)?;
        let key = private_key(&identity.key)?;
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier(identity)?)
            .with_single_cert(certificates, key)
            .map_err(TlsError::Identity)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        timeout(HANDSHAKE, self.0.accept(stream)).await?
    }
}

fn verifier(identity: &Identity) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(path) = &identity.authorities else {
        return match identity.role {
            Some(_) => Err(TlsError::RoleOfNobody),
            None => Ok(WebPkiClientVerifier::no_client_auth()),
        };
    };
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(certificates(path)?);
    let signed = WebPkiClientVerifier::builder(Arc::new(authorities)).build()?;
    Ok(match &identity.role {
        Some(role) => Arc::new(WithRole { signed, role: role.clone() }),
        None => signed,
    })
}

/// Admits the clients that another verifier admits and whose certificates give them a role.
#[derive(Debug)]
struct WithRole {
    signed: Arc<dyn ClientCertVerifier>,
    role: String,
}

impl ClientCertVerifier for WithRole {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.signed.verify_client_cert(certificate, intermediates, now)?;
        if role(certificate).as_deref() == Some(self.role.as_str()) {
            return Ok(verified);
        }
        // Tells the client: access denied.
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
