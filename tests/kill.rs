//! Signals at any moment of a procedure against devices that live on without it: what they are left
//! in, and what the record is worth.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod binary;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use binary::{Simulator, passline, succeeded};
use passline::record::{Outcome, RunDocument};

/// What a run that has nothing more to say within this time hangs in.
const HANGS: Duration = Duration::from_mins(1);

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The devices of the procedure, served by a process of their own.
struct Bench {
    folder: tempfile::TempDir,
    _simulator: Simulator,
    /// Of the drive, and of the supply.
    urls: [String; 2],
}

impl Bench {
    fn new() -> Self {
        let any = "tcp://127.0.0.1:0";
        let spec = "specs/end_of_line.yaml";
        let options = ["--control", "127.0.0.1:0", "--listen", any, "--listen", any, spec];
        let (simulator, lines) = Simulator::start(2, &options);
        let url = |line: &String| {
            let from = line.find("tcp://127.0.0.1:").expect("where it listens");
            line[from..].split_whitespace().next().expect("a link").to_owned()
        };
        let urls: Vec<String> = lines.iter().map(url).collect();
        let urls: [String; 2] = urls.try_into().expect("two links");
        let folder = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string(Path::new(ROOT).join(spec)).expect("the spec");
        let text = text.replace("profile: devices/", &format!("profile: {ROOT}/specs/devices/"));
        let text = text.replace("tcp://192.0.2.60:502", &urls[0]);
        let text = text.replace("tcp://192.0.2.61:502", &urls[1]);
        std::fs::write(folder.path().join("spec.yaml"), text).expect("the spec");
        Self { folder, _simulator: simulator, urls }
    }

    /// A run, and the lines of its events.
    fn run(&self) -> (Child, Receiver<String>) {
        let path = self.folder.path();
        let mut child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .args(["run", "--events", "-", "--json"])
            .arg(path.join("run.json"))
            .arg("--out")
            .arg(path.join("reports"))
            .arg(path.join("spec.yaml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, events) = channel();
        thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        (child, events)
    }

    /// Stops a run by these signals, each after so many more events; whether it was still running.
    fn stop(&self, signals: &[(&str, usize)]) -> bool {
        let (mut child, events) = self.run();
        let mut sent = true;
        for (signal, after) in signals {
            sent &= (0..*after).all(|_| next(&mut child, &events).is_some());
            if sent {
                let kill = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
                assert!(kill.expect("kill").success());
            }
        }
        while next(&mut child, &events).is_some() {}
        let exit = child.wait().expect("its end").code();
        let document = std::fs::read(self.folder.path().join("run.json")).expect("the run");
        let document = RunDocument::read(&document).expect("a run in canonical form");
        let aborted = document.outcome == Outcome::Aborted;
        assert_eq!(exit, Some(if aborted { 130 } else { 0 }), "{:?}", document.outcome);
        aborted
    }

    /// What a place of the drive (0) or the supply (1) holds.
    fn holds(&self, device: usize, place: &str) -> String {
        let output = passline(&["read", &self.urls[device], "--unit-id", "1", place]);
        let shown = succeeded(&output);
        shown.split_whitespace().last().expect("a value").to_owned()
    }

    fn is_safe(&self) -> bool {
        // Off, and no volts.
        self.holds(0, "input:0") == "0" && self.holds(1, "holding:0") == "0"
    }
}

fn next(child: &mut Child, events: &Receiver<String>) -> Option<String> {
    match events.recv_timeout(HANGS) {
        Ok(line) => Some(line),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
            child.kill().expect("its end");
            unreachable!("the run hangs")
        }
    }
}

/// Numbers that look like chance, and are the same each time.
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).expect("31 bits") % below
}

fn stops(times: usize) {
    let mut bench = Bench::new();
    let (mut child, events) = bench.run();
    let mut whole = 0;
    while next(&mut child, &events).is_some() {
        whole += 1;
    }
    assert_eq!(child.wait().expect("its end").code(), Some(0), "undisturbed it passes");
    let (mut seed, mut aborted) = (7, 0);
    for time in 0..times {
        let at = 1 + draw(&mut seed, whole);
        let first = ["-INT", "-TERM", "-HUP"][time % 3];
        if time % 4 == 3 {
            let more = draw(&mut seed, 8);
            bench.stop(&[(first, at), ("-INT", more)]);
            // It may have been left in any state.
            bench = Bench::new();
        } else {
            aborted += usize::from(bench.stop(&[(first, at)]));
            assert!(bench.is_safe(), "{first} after {at} of {whole} events");
        }
    }
    assert!(aborted * 2 > times, "most stops came before the end: {aborted} of {times}");
}

#[test]
fn a_stop_at_any_moment_leaves_the_bench_safe_and_the_record_whole() {
    stops(20);
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_stops_leave_the_bench_safe_and_the_record_whole() {
    stops(200);
}
