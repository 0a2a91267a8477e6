//! `passline simulate` through the real binary: every kind of line that it serves, asked by the
//! real client.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

#[path = "simulate/access.rs"]
mod access;
#[path = "simulate/control.rs"]
mod control;
#[cfg(unix)]
#[path = "simulate/live.rs"]
mod live;
#[path = "simulate/log.rs"]
mod log;
#[cfg(target_os = "linux")]
#[path = "simulate/many.rs"]
mod many;
mod pki;
#[cfg(unix)]
mod pty;

/// Four lines; unit `u` of the n-th holds `10 * n + u` in its register 0.
const SPEC: &str = "
spec: lines
links:
  bus: rtu:///dev/ttyUSB7?baud=115200&parity=none
  text: ascii+tcp://192.0.2.1:4001
  datagrams: udp://192.0.2.2
  plain: tcp://192.0.2.3
devices:
  one:   { link: bus,       unit_id: 1, points: { level: { holding: 0 } }, simulate: { values: { level: 11 } } }
  two:   { link: bus,       unit_id: 2, points: { level: { holding: 0 } }, simulate: { values: { level: 12 } } }
  three: { link: text,      unit_id: 3, points: { level: { holding: 0 } }, simulate: { values: { level: 23 } } }
  four:  { link: datagrams, unit_id: 4, points: { level: { holding: 0 } }, simulate: { values: { level: 34 } } }
  five:  { link: plain,     unit_id: 5, points: { level: { holding: 0 } }, simulate: { values: { level: 45 } } }
tests:
  - test: levels
    steps: [{ read: one.level, equals: 11 }, { read: two.level, equals: 12 }]
";

/// One bus with two units.
const BUS: &str = "
spec: bus
vars: { bus: 'rtu:///dev/ttyUSB7' }
devices:
  one: { link: $(bus), unit_id: 1, points: { level: { holding: 0 } }, simulate: { values: { level: 11 } } }
  two: { link: $(bus), unit_id: 2, points: { level: { holding: 0 } }, simulate: { values: { level: 12 } } }
tests:
  - test: levels
    steps: [{ read: one.level, equals: 11 }, { read: two.level, equals: 12 }]
";

fn passline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A folder with a spec in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(spec: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec.yaml"), spec).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn arguments<'a>(spec: &'a str, listens: &[&'a str]) -> Vec<&'a str> {
        let listens = listens.iter().flat_map(|listen| ["--listen", *listen]);
        ["simulate", spec].into_iter().chain(listens).collect()
    }

    /// Starts the simulator, until this many links are served.
    fn serve(&self, listens: &[&str], links: usize) -> Simulator {
        self.serve_with(&[], listens, links)
    }

    /// As [`Self::serve`], with these options beside.
    fn serve_with(&self, options: &[&str], listens: &[&str], links: usize) -> Simulator {
        let spec = self.path("spec.yaml");
        let mut command = passline(&Self::arguments(&spec, listens));
        command.args(options);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let urls = (0..links).map(|_| {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let url = line.strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
            url.unwrap_or_else(|| panic!("{line:?}")).to_owned()
        });
        let urls = urls.collect();
        Simulator { process, urls, out }
    }

    /// What the simulator says where it cannot serve, and its exit code.
    fn refused(&self, listens: &[&str]) -> (Option<i32>, String) {
        let spec = self.path("spec.yaml");
        let output = passline(&Self::arguments(&spec, listens)).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// Ends with the test.
struct Simulator {
    process: Child,
    /// Where its links are.
    urls: Vec<String>,
    out: BufReader<ChildStdout>,
}

impl Simulator {
    #[cfg(unix)]
    fn terminate(&mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ask(url: &str, unit: u8) -> Output {
    let unit = unit.to_string();
    passline(&["read", url, "--unit-id", &unit, "holding:0", "--timeout", "5s"]).output().unwrap()
}

/// What the real client reads.
#[track_caller]
fn read(url: &str, unit: u8) -> String {
    let output = ask(url, unit);
    assert!(output.status.success(), "{url}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[cfg(unix)]
#[test]
fn each_link_is_served_on_its_own_kind_of_line() {
    let simulator = Bench::new(SPEC).serve(&[], 4);
    let [bus, text, datagrams, plain] = &simulator.urls[..] else { panic!("four links") };
    assert!(bus.starts_with("rtu:///dev/") && bus.ends_with("?baud=115200&parity=none"), "{bus}");
    assert!(text.starts_with("ascii+tcp://127.0.0.1:"), "{text}");
    assert!(datagrams.starts_with("udp://127.0.0.1:"), "{datagrams}");
    assert!(plain.starts_with("tcp://127.0.0.1:"), "{plain}");
    assert_eq!([read(bus, 1), read(bus, 2), read(bus, 1)], ["11", "12", "11"]);
    assert_eq!(read(text, 3), "23");
    assert_eq!(read(datagrams, 4), "34");
    assert_eq!(read(plain, 5), "45");
}

#[test]
fn every_link_can_be_said_where_to_be() {
    let listens = [
        "rtu+tcp://127.0.0.1:0",
        "ascii+tcp://127.0.0.1:0?baud=9600",
        "tcp://127.0.0.1:0",
        "udp://127.0.0.1:0",
    ];
    let simulator = Bench::new(SPEC).serve(&listens, 4);
    for ((url, listen), (unit, level)) in
        simulator.urls.iter().zip(listens).zip([(2, "12"), (3, "23"), (4, "34"), (5, "45")])
    {
        assert_eq!(url.split(':').next(), listen.split(':').next());
        assert!(!url.contains('?'), "{url}");
        assert_eq!(read(url, unit), level);
    }
}

#[cfg(unix)]
#[test]
fn a_spec_runs_against_a_terminal_with_a_name_and_the_name_goes_with_the_simulator() {
    let bench = Bench::new(BUS);
    let name = bench.path("bus0");
    let listen = format!("rtu+pty://{name}?baud=115200&parity=none&stop=1");
    let mut simulator = bench.serve(&[&listen], 1);
    let url = simulator.urls[0].clone();
    assert_eq!(url, format!("rtu://{name}?baud=115200&parity=none&stop=1"));
    let (spec, out, bus) = (bench.path("spec.yaml"), bench.path("out"), format!("bus={url}"));
    let run = passline(&["run", &spec, "--var", &bus, "--out", &out]).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    // Another one cannot have that name meanwhile.
    let (exit, said) = bench.refused(&[&listen]);
    assert_eq!(exit, Some(3), "{said}");
    assert!(said.contains("that name is taken") && said.contains("help:"), "{said}");
    assert!(Path::new(&name).symlink_metadata().is_ok());
    assert_eq!(simulator.terminate(), Some(0));
    assert!(Path::new(&name).symlink_metadata().is_err(), "the name is left behind");
}

#[test]
fn tls_is_served_with_the_certificate_given() {
    let bench = Bench::new(BUS);
    pki::write(bench.folder.path());
    let (ca, cert, key) =
        (bench.path("ca.pem"), bench.path("server.pem"), bench.path("server.key"));
    let open = format!("tls://127.0.0.1:0?cert={cert}&key={key}");
    let simulator = bench.serve(&[&open], 1);
    let url = &simulator.urls[0];
    assert!(url.starts_with("tls://127.0.0.1:"), "{url}");
    assert_eq!(read(&format!("{url}?ca={ca}"), 1), "11");
    let demanding = bench.serve(&[&format!("{open}&ca={ca}")], 1);
    let url = &demanding.urls[0];
    assert_eq!(read(&format!("{url}?ca={ca}&cert={cert}&key={key}"), 2), "12");
    assert_eq!(ask(&format!("{url}?ca={ca}"), 1).status.code(), Some(3));
}

#[test]
fn where_nothing_can_be_served_the_command_says_what_to_do() {
    let bench = Bench::new(SPEC);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (listens, exit, words) in [
        (vec![format!("tcp://{address}")], 3, "another program listens there"),
        (vec!["tcp://192.0.2.77:0".to_owned()], 3, "no such address"),
        (vec!["udp://127.0.0.1:0".to_owned(); 3], 2, "given 3 times"),
        (vec!["rtu+pty:///tmp/passline-bus".to_owned()], 2, "once for each link"),
        (vec!["rtu:///dev/passline-no-such-port".to_owned()], 2, "once for each link"),
        (vec!["tls://127.0.0.1:0".to_owned()], 2, "cert=FILE&key=FILE"),
        (vec!["tls://127.0.0.1:0?cert=/no/cert.pem&key=/no/key.pem".to_owned()], 3, "/no/cert.pem"),
        (vec!["tcp://127.0.0.1:0?in_flight=4".to_owned()], 2, "for clients"),
        (vec!["tcp://127.0.0.1:65534".to_owned()], 2, "more links than ports"),
    ] {
        let listens: Vec<&str> = listens.iter().map(String::as_str).collect();
        let (code, said) = bench.refused(&listens);
        assert_eq!(code, Some(exit), "{listens:?}: {said}");
        assert!(said.contains(words), "{listens:?}: {said}");
    }
    let bench = Bench::new(&BUS.replace("rtu:///dev/ttyUSB7", "tls://192.0.2.1?ca=ca.pem"));
    let (code, said) = bench.refused(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cert=FILE&key=FILE"), "{said}");
    let (code, said) = bench.refused(&["rtu:///dev/passline-no-such-port"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("/dev/passline-no-such-port"), "{said}");
}

#[test]
fn a_profile_is_a_device_by_itself() {
    let bench = Bench::new("profile: pump\naddresses: from_1\npoints: { level: { holding: 1 } }\n");
    let simulator = bench.serve(&["tcp://127.0.0.1:0"], 1);
    let url = &simulator.urls[0];
    assert_eq!(read(url, 1), "0");
    let written = passline(&["write", url, "--unit-id", "1", "holding:0=7"]).output().unwrap();
    assert!(written.status.success(), "{written:?}");
    assert_eq!(read(url, 1), "7");
    // What is wrong with one is told where it is.
    let bench = Bench::new("profile: pump\npoints: { level: { holding: 70000 } }\n");
    let (code, said) = bench.refused(&[]);
    assert!(code == Some(2) && said.contains("spec.yaml:2"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_simulator_file_is_served_and_has_nothing_to_run() {
    let without_tests =
        SPEC.split("tests:").next().unwrap().replace("spec: lines", "simulator: lines");
    let bench = Bench::new(&without_tests);
    let simulator = bench.serve(&[], 4);
    assert_eq!([read(&simulator.urls[0], 2), read(&simulator.urls[3], 5)], ["12", "45"]);
    let spec = bench.path("spec.yaml");
    let checked = passline(&["check", &spec]).output().unwrap();
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.starts_with("1 simulator file, 0 specs, 0 tests"), "{said}");
    let run = passline(&["run", &spec, "--simulate"]).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.code() == Some(2) && said.contains("spec.yaml:2:1"), "{said}");
    assert!(said.contains("no tests to run") && said.contains("passline simulate"), "{said}");
    // It is a spec or none.
    let (code, said) = Bench::new(&format!("{without_tests}tests: []\n")).refused(&[]);
    assert!(
        code == Some(2) && said.contains("`tests`") && said.contains("its keys are `simulator`"),
        "{said}"
    );
}
