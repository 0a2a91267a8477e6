//! Serial lines and TLS through the real binary, on pseudo-terminals and sockets that the simulator
//! serves.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::future::pending;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use passline_modbus::framing::Framing;
use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Identity, Listener, Pty, Tls, Wire};
use passline_simulator::image::Image;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::Instant;

/// Units 1 and 2; register 0 of a unit holds its id.
fn line() -> Endpoint {
    let device = |unit: u8| {
        let mut image = Image::new();
        image.set_words(Table::Holding, 0, &[u16::from(unit)]).unwrap();
        (unit, Device::new(image))
    };
    Endpoint::new(BTreeMap::from([1, 2].map(device)), Instant::now())
}

/// [`line`] on a pseudo-terminal.
struct Bus {
    _endpoint: Endpoint,
    port: PathBuf,
    folder: TempDir,
}

impl Bus {
    fn start() -> Self {
        let endpoint = line();
        let pty = Pty::new().unwrap();
        let port = pty.path().to_owned();
        tokio::spawn(endpoint.serve(Listener::Pty(pty, Wire::instant(Framing::Rtu)), pending()));
        Self { _endpoint: endpoint, port, folder: tempfile::tempdir().unwrap() }
    }

    /// Another name of the port.
    fn alias(&self) -> PathBuf {
        let alias = self.folder.path().join("usb-adapter");
        symlink(&self.port, &alias).unwrap();
        alias
    }

    /// Runs a spec with unit 1 at the first URL, and unit 2 at the second.
    async fn run(&self, urls: [&str; 2]) -> Output {
        run(self.folder.path(), urls).await
    }
}

/// Runs a spec in this folder with unit 1 at the first URL, and unit 2 at the second.
async fn run(folder: &Path, [first, second]: [&str; 2]) -> Output {
    let spec = folder.join("both.yaml");
    let text = format!(
        "spec: both\ndevices:\n  \
         a: {{ link: '{first}', unit_id: 1, points: {{ id: {{ holding: 0 }} }} }}\n  \
         b: {{ link: '{second}', unit_id: 2, points: {{ id: {{ holding: 0 }} }} }}\n\
         tests:\n  - test: both\n    steps:\n      \
         - {{ read: a.id, equals: 1 }}\n      - {{ read: b.id, equals: 2 }}\n"
    );
    std::fs::write(&spec, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.arg("run").arg(&spec).arg("--out").arg(folder.join("out"));
    command.output().await.unwrap()
}

fn url(port: &Path, options: &str) -> String {
    format!("rtu://{}{options}", port.display())
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// If these were two lines, the second could not open the port.
#[tokio::test]
async fn two_spellings_of_a_port_are_one_line() {
    let bus = Bus::start();
    let (plain, doubled) = (bus.port.clone(), bus.port.display().to_string().replace('/', "//"));
    for other in [bus.alias(), doubled.into()] {
        let output = bus.run([&url(&plain, "?baud=9600"), &url(&other, "?baud=9600")]).await;
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    }
}

#[tokio::test]
async fn two_spellings_of_a_port_are_treated_in_one_way_and_speak_one_language() {
    let bus = Bus::start();
    let (plain, alias) = (url(&bus.port, "?baud=9600"), bus.alias());
    let output = bus.run([&plain, &url(&alias, "?baud=19200")]).await;
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("with different options"), "{}", shown(&output));
    let ascii = format!("ascii://{}?baud=9600", alias.display());
    let output = bus.run([&plain, &ascii]).await;
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("with different schemes"), "{}", shown(&output));
}

/// The files are found from the spec, and not from where the command runs.
#[tokio::test]
async fn tls_trusts_the_authority_that_the_spec_names() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    std::fs::create_dir(&pki).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(pki.join("meter.pem"), certificate.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(pki.join("meter.key"), key.serialize_pem()).unwrap();
    let identity = Identity {
        certificate: pki.join("meter.pem"),
        key: pki.join("meter.key"),
        authorities: None,
        role: None,
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = line();
    let tls = Tls::new(&identity).unwrap();
    tokio::spawn(endpoint.serve(Listener::Tls(listener, tls), pending()));
    let url = format!("tls://localhost:{port}?ca=pki/meter.pem");
    let output = run(folder.path(), [&url, &url]).await;
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let url = format!("{url}&name=pump.plant");
    let output = run(folder.path(), [&url, &url]).await;
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    let says = "the device's certificate is for localhost, not for pump.plant";
    assert!(shown(&output).contains(says), "{}", shown(&output));
}

/// A group of this machine that is not root's.
fn group() -> (String, u32) {
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        Some(((*fields.first()?).to_owned(), fields.get(2)?.parse().ok()?))
    };
    groups.lines().filter_map(parse).rfind(|(_, id)| *id != 0).unwrap()
}

/// As the user nobody if this runs as root, which may do everything.
#[tokio::test]
async fn a_port_that_one_may_not_open_names_the_group_that_may() {
    let bus = Bus::start();
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let (mode, remedy) = if is_root {
        let (name, id) = group();
        chown(&bus.port, None, Some(id)).unwrap();
        (0o660, format!("Run `sudo usermod -aG {name} $USER`, then log in again"))
    } else {
        (0, "A udev rule can give it to a group".to_owned())
    };
    std::fs::set_permissions(&bus.port, std::fs::Permissions::from_mode(mode)).unwrap();
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        // The binary may lie where nobody else may look.
        let copy = bus.folder.path().join("passline");
        std::fs::copy(env!("CARGO_BIN_EXE_passline"), &copy).unwrap();
        std::fs::set_permissions(bus.folder.path(), std::fs::Permissions::from_mode(0o755))
            .unwrap();
        command.arg(copy);
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_passline"))
    };
    command.arg("read").arg(url(&bus.port, "")).args(["--unit-id", "1", "holding:0"]);
    let output = command.output().await.unwrap();
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("no permission to open the serial port"), "{text}");
    assert!(text.contains(&remedy), "{text}");
    assert!(text.contains("[connect]"), "{text}");
}
