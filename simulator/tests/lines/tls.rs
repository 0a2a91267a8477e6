//! TLS: who is admitted. Certificates are made here, and good for a test only.

use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use passline_simulator::endpoint::{Identity, Listener, Tls, TlsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{PATIENCE, READ, line, mbap, value};

const ROLE: &[u64] = &[1, 3, 6, 1, 4, 1, 50316, 802, 1];

/// One who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate and its key, both as PEM.
    fn sign(&self, role: Option<&str>) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.custom_extensions = role.into_iter().map(extension).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// The role as a `UTF8String`.
fn extension(role: &str) -> CustomExtension {
    let length = u8::try_from(role.len()).unwrap();
    let content = [&[0x0C, length], role.as_bytes()].concat();
    CustomExtension::from_oid_content(ROLE, content)
}

/// A server's files in a folder.
struct Files {
    folder: TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        let files = Self { folder, authority };
        let (certificate, key) = files.authority.sign(None);
        files.write("server.pem", &certificate);
        files.write("server.key", &key);
        files.write("ca.pem", &files.authority.0.pem());
        files
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn identity(&self, authorities: bool, role: Option<&str>) -> Identity {
        Identity {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            authorities: authorities.then(|| self.path("ca.pem")),
            role: role.map(str::to_owned),
        }
    }

    /// A client that trusts this server, with a certificate or without.
    fn client(&self, identity: Option<(String, String)>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.0.der().clone()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let certificate = pem(&certificate);
                let key = PrivatePkcs8KeyDer::from(pem(&key));
                config
                    .with_client_auth_cert(vec![CertificateDer::from(certificate)], key.into())
                    .unwrap()
            }
        };
        TlsConnector::from(Arc::new(config))
    }
}

/// The content of the only section of a PEM text.
fn pem(text: &str) -> Vec<u8> {
    use tokio_rustls::rustls::pki_types::pem::SectionKind;
    let (_, content): (SectionKind, Vec<u8>) =
        tokio_rustls::rustls::pki_types::pem::PemObject::from_pem_slice(text.as_bytes()).unwrap();
    content
}

async fn serve(identity: &Identity) -> (passline_simulator::endpoint::Endpoint, SocketAddr) {
    let line = line(&[1]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Tls::new(identity).unwrap();
    tokio::spawn(line.serve(Listener::Tls(listener, tls), pending()));
    (line, address)
}

async fn connect(
    client: &TlsConnector,
    address: SocketAddr,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    client.connect(name, TcpStream::connect(address).await?).await
}

/// What one exchange brings: the value, or why there is none.
async fn ask(client: &TlsConnector, address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let exchange = async {
        let mut stream = connect(client, address).await?;
        stream.write_all(&mbap(7, 1, &READ)).await?;
        let mut answer = vec![0; 11];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    timeout(PATIENCE, exchange).await.unwrap()
}

#[tokio::test]
async fn without_authorities_everybody_is_served() {
    let files = Files::new();
    let (_line, address) = serve(&files.identity(false, None)).await;
    assert_eq!(ask(&files.client(None), address).await.unwrap(), mbap(7, 1, &value(1)));
}

#[tokio::test]
async fn with_authorities_only_those_they_signed_are() {
    let files = Files::new();
    let (_line, address) = serve(&files.identity(true, None)).await;
    let signed = files.client(Some(files.authority.sign(None)));
    assert_eq!(ask(&signed, address).await.unwrap(), mbap(7, 1, &value(1)));
    let nobody = ask(&files.client(None), address).await.unwrap_err();
    assert!(nobody.to_string().contains("CertificateRequired"), "{nobody}");
    let stranger = files.client(Some(Authority::new().sign(None)));
    let stranger = ask(&stranger, address).await.unwrap_err();
    assert!(stranger.to_string().contains("fatal alert"), "{stranger}");
}

#[tokio::test]
async fn a_role_that_is_demanded_must_be_in_the_certificate() {
    let files = Files::new();
    let (_line, address) = serve(&files.identity(true, Some("Operator"))).await;
    let client = |role| files.client(Some(files.authority.sign(role)));
    assert_eq!(ask(&client(Some("Operator")), address).await.unwrap(), mbap(7, 1, &value(1)));
    for other in [None, Some("operator"), Some("Viewer")] {
        let denied = ask(&client(other), address).await.unwrap_err();
        assert!(denied.to_string().contains("AccessDenied"), "{other:?}: {denied}");
    }
    // The right role of the wrong authority.
    let stranger = files.client(Some(Authority::new().sign(Some("Operator"))));
    assert!(ask(&stranger, address).await.is_err());
}

#[tokio::test]
async fn who_shakes_no_hands_keeps_nobody_waiting() {
    let files = Files::new();
    let (_line, address) = serve(&files.identity(false, None)).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&mbap(1, 1, &READ)).await.unwrap();
    let mut answer = Vec::new();
    // An alert, and the end.
    timeout(PATIENCE, plain.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_ne!(answer, mbap(1, 1, &value(1)));
    assert_eq!(ask(&files.client(None), address).await.unwrap(), mbap(7, 1, &value(1)));
}

#[test]
fn what_cannot_be_served_is_refused_at_once() {
    let files = Files::new();
    let refused = |identity: &Identity| Tls::new(identity).unwrap_err();
    assert!(matches!(refused(&files.identity(false, Some("Operator"))), TlsError::RoleOfNobody));
    let missing = Identity { key: files.path("none.key"), ..files.identity(false, None) };
    assert!(matches!(refused(&missing), TlsError::File(_)));
    let swapped = Identity { key: files.path("server.pem"), ..files.identity(false, None) };
    assert!(matches!(refused(&swapped), TlsError::File(_)));
    let (_, key) = files.authority.sign(None);
    let other = Identity { key: files.write("other.key", &key), ..files.identity(false, None) };
    assert!(matches!(refused(&other), TlsError::Identity(_)));
}
