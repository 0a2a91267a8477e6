//! TLS over real sockets, with certificates made here: what works, and what each mistake is told
//! like. The server is rustls alone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use passline_modbus::{
    address::Address,
    link::{Call, ConnectError, Link, LinkError, Options, TlsError},
    pdu::{Answer, Request, Response},
};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, SupportedProtocolVersion,
        crypto::ring,
        server::WebPkiClientVerifier,
        version::{TLS12, TLS13},
    },
};

const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// A plant: an authority, and the files it hands out.
struct Plant {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
}

/// What is in a certificate.
#[derive(Clone, Copy)]
struct Paper<'p> {
    name: &'p str,
    role: Option<&'p str>,
    /// Years.
    valid: (i32, i32),
    is_authority: bool,
}

const METER: Paper<'static> =
    Paper { name: "localhost", role: None, valid: (2020, 4000), is_authority: false };

impl Plant {
    fn new() -> Self {
        Self::of("plant")
    }

    /// With an authority of this name.
    fn of(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { folder, authority: Issuer::new(params, key) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `FILE.pem` and `FILE.key`.
    fn issue(&self, file: &str, paper: Paper<'_>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![paper.name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(paper.valid.0, 1, 1);
        params.not_after = date_time_ymd(paper.valid.1, 1, 1);
        if paper.is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if let Some(role) = paper.role {
            let der = [&[0x0c, u8::try_from(role.len()).unwrap()], role.as_bytes()].concat();
            let oid = [1, 3, 6, 1, 4, 1, 50316, 802, 1];
            params.custom_extensions.push(CustomExtension::from_oid_content(&oid, der));
        }
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        fs::write(self.file(&format!("{file}.pem")), certificate.pem()).unwrap();
        fs::write(self.file(&format!("{file}.key")), key.serialize_pem()).unwrap();
    }

    /// A device that shows the certificate of `file`, and asks its clients for one of `clients`.
    async fn device(
        &self,
        file: &str,
        clients: Option<&Plant>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> SocketAddr {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap();
        let chain = passline_modbus::tls::certificates(&self.file(&format!("{file}.pem"))).unwrap();
        let key = passline_modbus::tls::private_key(&self.file(&format!("{file}.key"))).unwrap();
        let verifier = clients.map_or_else(WebPkiClientVerifier::no_client_auth, |plant| {
            let mut roots = RootCertStore::empty();
            let trusted = passline_modbus::tls::certificates(&plant.file("ca.pem")).unwrap();
            roots.add_parsable_certificates(trusted);
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap()
        });
        let config = config.with_client_cert_verifier(verifier).with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                tokio::spawn(async move {
                    let mut request = [0; 12];
                    while stream.read_exact(&mut request).await.is_ok() {
                        let answer = [request[0], request[1], 0, 0, 0, 5, 1, 3, 2, 0, 7];
                        stream.write_all(&answer).await.unwrap();
                    }
                });
            }
        });
        address
    }

    /// A link to a device, by these options; files are those of this plant.
    fn link(&self, device: SocketAddr, options: &str) -> Link {
        let text = format!("tls://localhost:{}?{options}", device.port());
        let address = text.parse::<Address>().unwrap().relative_to(self.folder.path());
        Link::open(&address, Options::of(&address), |_| {})
    }

    async fn read(&self, device: SocketAddr, options: &str) -> Result<Answer, LinkError> {
        read(&self.link(device, options)).await
    }

    /// Why nothing can be read.
    async fn refusal(&self, device: SocketAddr, options: &str) -> TlsError {
        let error = self.read(device, options).await.unwrap_err();
        assert_eq!(error.class(), "connect", "{error}");
        match error {
            LinkError::Connect(ConnectError::Tls(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

async fn read(link: &Link) -> Result<Answer, LinkError> {
    let request = Request::ReadHoldingRegisters(0, 1);
    link.call(Call { id: 1, unit: 1, request, timeout: Duration::from_secs(5) }).await.result
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
fn seven() -> Result<Answer, LinkError> {
    Ok(Ok(Response::ReadHoldingRegisters(vec![7])))
}

#[tokio::test]
async fn a_device_that_is_what_it_says_is_read() {
    let plant = Plant::new();
    plant.issue("meter", METER);
    plant.issue("named", Paper { name: "meter.plant", ..METER });
    for versions in [BOTH, &[&TLS12], &[&TLS13]] {
        let device = plant.device("meter", None, versions).await;
        assert_eq!(plant.read(device, "ca=ca.pem").await, seven());
        let named = plant.device("named", None, versions).await;
        assert_eq!(plant.read(named, "ca=ca.pem&name=meter.plant").await, seven());
    }
}

/// A device that is its own authority: `ca` names its certificate.
#[tokio::test]
async fn a_device_that_signed_its_certificate_itself_is_read_if_that_is_trusted() {
    let (plant, other) = (Plant::new(), Plant::new());
    for plant in [&plant, &other] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        fs::write(plant.file("own.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(plant.file("own.key"), key.serialize_pem()).unwrap();
    }
    let device = plant.device("own", None, BOTH).await;
    assert_eq!(plant.read(device, "ca=own.pem").await, seven());
    assert_eq!(other.refusal(device, "ca=own.pem").await, TlsError::UnknownAuthority);
}

#[tokio::test]
async fn both_sides_show_who_they_are_and_the_device_has_the_role() {
    let plant = Plant::new();
    plant.issue("meter", Paper { role: Some("Meter"), ..METER });
    plant.issue("station", Paper { name: "station", role: Some("Operator"), ..METER });
    for versions in [BOTH, &[&TLS12]] {
        let device = plant.device("meter", Some(&plant), versions).await;
        let options = "ca=ca.pem&cert=station.pem&key=station.key&role=Meter";
        let link = plant.link(device, options);
        for _ in 0..3 {
            assert_eq!(read(&link).await, seven());
        }
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_is_named() {
    let plant = Plant::new();
    let papers = [
        ("expired", Paper { valid: (2020, 2021), ..METER }, TlsError::Expired),
        ("early", Paper { valid: (3000, 3001), ..METER }, TlsError::NotYetValid),
        ("authority", Paper { is_authority: true, ..METER }, TlsError::AuthorityAsDevice),
        (
            "elsewhere",
            Paper { name: "pump.plant", ..METER },
            TlsError::WrongName {
                expected: "localhost".to_owned(),
                presented: vec!["pump.plant".to_owned()],
            },
        ),
    ];
    for (file, paper, error) in papers {
        plant.issue(file, paper);
        let device = plant.device(file, None, BOTH).await;
        assert_eq!(plant.refusal(device, "ca=ca.pem").await, error, "{file}");
    }
    // Of another name, and of the same.
    for other in [Plant::of("elsewhere"), Plant::of("plant")] {
        other.issue("meter", METER);
        let device = other.device("meter", None, BOTH).await;
        assert_eq!(plant.refusal(device, "ca=ca.pem").await, TlsError::UnknownAuthority);
    }
}

#[tokio::test]
async fn a_role_that_is_missing_or_another_is_named() {
    let plant = Plant::new();
    plant.issue("none", METER);
    plant.issue("pump", Paper { role: Some("Pump"), ..METER });
    let demanded = "Meter".to_owned();
    for (file, found) in [("none", None), ("pump", Some("Pump".to_owned()))] {
        let device = plant.device(file, None, BOTH).await;
        let error = TlsError::WrongRole { demanded: demanded.clone(), found };
        assert_eq!(plant.refusal(device, "ca=ca.pem&role=Meter").await, error);
    }
}

/// In TLS 1.3 the client has long sent its first request when the device looks at its certificate.
#[tokio::test]
async fn a_device_that_demands_a_certificate_says_so() {
    let (plant, other) = (Plant::new(), Plant::new());
    plant.issue("meter", METER);
    other.issue("station", METER);
    let foreign = other.file("station");
    let foreign = format!("ca=ca.pem&cert={0}.pem&key={0}.key", foreign.display());
    for versions in [&[&TLS12], &[&TLS13]] {
        let device = plant.device("meter", Some(&plant), versions).await;
        // Often, because what of the refusal arrives is a matter of chance.
        for _ in 0..20 {
            let error = plant.refusal(device, "ca=ca.pem").await;
            assert_eq!(error, TlsError::CertificateDemanded);
            let error = plant.refusal(device, &foreign).await;
            assert!(matches!(error, TlsError::CertificateRefused { .. }), "{error:?}");
        }
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let plant = Plant::new();
    plant.issue("meter", METER);
    plant.issue("other", METER);
    let device = plant.device("meter", None, BOTH).await;
    let says = async |options: &str, part: &str| {
        let error = plant.refusal(device, options).await;
        assert!(matches!(error, TlsError::File { .. } | TlsError::NoAuthority), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    };
    says("ca=nowhere.pem", "cannot read").await;
    says("ca=meter.key", "holds no certificate in PEM form").await;
    says("ca=ca.pem&cert=meter.pem&key=meter.pem", "holds no private key").await;
    says("ca=ca.pem&cert=meter.pem&key=other.key", "is not the key of the certificate").await;
    says("name=localhost", "no `ca`").await;
}

/// Answers whatever comes with these bytes, or hangs up at once, or says nothing for ever.
async fn stranger(answer: Option<&'static [u8]>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            match answer {
                None => silent.push(stream),
                Some(answer) => {
                    let mut hello = [0; 1024];
                    let _ = stream.read(&mut hello).await.unwrap();
                    stream.write_all(answer).await.unwrap();
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_peer_that_is_not_tls_is_told_as_such() {
    let plant = Plant::new();
    let modbus = stranger(Some(&[0x16, 0x03, 0, 0, 0, 3, 1, 0x83, 1])).await;
    let error = plant.refusal(modbus, "ca=ca.pem").await;
    assert_eq!(error, TlsError::NotTls);
    assert!(error.to_string().contains("tcp://"), "{error}");
    let web = stranger(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    assert_eq!(plant.refusal(web, "ca=ca.pem").await, TlsError::NotTls);
    let hangs_up = stranger(Some(&[])).await;
    assert_eq!(plant.refusal(hangs_up, "ca=ca.pem").await, TlsError::HungUp);
}

#[tokio::test]
async fn a_peer_that_never_speaks_holds_nobody_up() {
    let plant = Plant::new();
    let silent = stranger(None).await;
    let error = plant.read(silent, "ca=ca.pem&connect_timeout=100ms").await.unwrap_err();
    let after = Duration::from_millis(100);
    assert_eq!(error, LinkError::Connect(ConnectError::TimedOut { after }));
}

#[tokio::test]
async fn the_same_link_works_once_the_cause_is_gone() {
    let (plant, other) = (Plant::new(), Plant::new());
    other.issue("meter", METER);
    let device = other.device("meter", None, BOTH).await;
    let link = plant.link(device, "ca=ca.pem");
    assert!(read(&link).await.is_err());
    fs::copy(other.file("ca.pem"), plant.file("ca.pem")).unwrap();
    assert_eq!(read(&link).await, seven());
}
