//! Two Passlines and one line: real processes, real ports.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod binary;

use std::io::{BufRead, BufReader, Lines, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use binary::{Simulator, passline, succeeded, text};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;

/// A folder for the locks, and two buses in it with unit 1 on each: `one` and `two`.
struct Bench {
    folder: TempDir,
    /// The buses as the system calls them.
    ports: [String; 2],
    _simulator: Simulator,
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let devices = "
  d1: { link: one, unit_id: 1, points: { a: { holding: 0 } }, simulate: { values: { a: 7 } } }
  d2: { link: two, unit_id: 1, points: { a: { holding: 0 } }, simulate: { values: { a: 8 } } }";
        let tests = "
tests: [{ test: t, steps: [{ read: d1.a, equals: 7 }, { read: d2.a, equals: 8 }] }]";
        let spec = |name: &str, links: [&str; 2], rest: &str| {
            let [one, two] = links.map(|link| format!("rtu://{}", at(link)));
            let text = format!(
                "spec: {name}\nlinks: {{ one: \"{one}\", two: \"{two}\" }}\ndevices:{devices}{tests}{rest}\n"
            );
            std::fs::write(folder.path().join(format!("{name}.yaml")), text).expect("a spec");
        };
        spec("served", ["one", "two"], "");
        spec("again", ["two", "one"], "");
        let listen = |name| format!("rtu+pty://{}", at(name));
        let listen = ["--listen", &listen("one"), "--listen", &listen("two")];
        let (simulator, _) =
            Simulator::start(2, &[&[at("served.yaml").as_str()], &listen[..]].concat());
        // Values are those of the served devices: `again` names the buses the other way round.
        let text = std::fs::read_to_string(at("again.yaml")).expect("a spec");
        let text = text.replace("equals: 7", "equals: 80").replace("equals: 8 ", "equals: 7 ");
        std::fs::write(at("again.yaml"), text.replace("equals: 80", "equals: 8")).expect("a spec");
        let port = |name: &str| {
            let path = std::fs::canonicalize(at(name)).expect("a port");
            path.display().to_string()
        };
        Self { ports: [port("one"), port("two")], folder, _simulator: simulator }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts a command that keeps its locks in the bench's folder.
    fn start_command(&self, arguments: &[&str]) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .args(arguments)
            .env("PASSLINE_LOCK_DIR", self.at("locks"))
            .env("PASSLINE_OUT", self.at("reports"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Running::new(child.expect("the binary"))
    }

    /// Somebody who reads a bus until stopped, and has it when this returns.
    fn holder(&self, bus: &str) -> Running {
        let url = format!("rtu://{}", self.at(bus));
        let mut holder =
            self.start_command(&["read", &url, "holding:0", "--unit-id", "1", "--watch=1h"]);
        holder.line();
        holder
    }

    /// A read of the first bus by the name that the system has for it.
    fn reader(&self, options: &[&str]) -> Running {
        let url = format!("rtu://{}", self.ports[0]);
        let read = ["read", &url, "holding:0", "--unit-id", "1"];
        self.start_command(&[&read[..], options].concat())
    }

    /// Who holds what, as `doctor` says.
    fn held(&self) -> Vec<Value> {
        let output = passline(&["doctor", "--json", "--lock-dir", &self.at("locks")]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        document["locks"].as_array().expect("a list").clone()
    }
}

/// A command under way; ends with the test.
struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    aside: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let out = BufReader::new(child.stdout.take().expect("its output")).lines();
        let aside = BufReader::new(child.stderr.take().expect("its other output")).lines();
        Self { child, out, aside }
    }

    /// The next line of its output.
    fn line(&mut self) -> String {
        self.out.next().expect("a line").expect("text")
    }

    /// The next line beside its output.
    fn aside(&mut self) -> String {
        self.aside.next().expect("a line").expect("text")
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    /// How it ends, and what else it says: output, then beside it.
    fn end(mut self) -> (Option<i32>, String, String) {
        let all = |lines: &mut dyn Iterator<Item = std::io::Result<String>>| {
            lines.map(|line| line.expect("text") + "\n").collect::<String>()
        };
        let (out, aside) = (all(&mut self.out), all(&mut self.aside));
        (self.child.wait().expect("an end").code(), out, aside)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_second_waits_and_says_for_whom_and_has_the_line_once_the_first_is_killed() {
    let bench = Bench::start();
    let holder = bench.holder("one");
    let pid = holder.child.id();
    // By another name of the same port.
    let mut second = bench.reader(&[]);
    let said = second.aside();
    let expected = format!("waiting: {} is in use by `passline read rtu://", bench.ports[0]);
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains(&format!("--watch=1h` (process {pid}, since 20")), "{said}");
    assert!(said.ends_with("; for up to 30s, see --lock-timeout"), "{said}");
    // The other bus is free.
    let url = format!("rtu://{}", bench.ports[1]);
    let other = bench.start_command(&["read", &url, "holding:0", "--unit-id", "1"]);
    assert_eq!(other.end(), (Some(0), "8\n".to_owned(), String::new()));
    holder.signal("KILL");
    assert_eq!(second.end(), (Some(0), "7\n".to_owned(), String::new()));
}

#[test]
fn who_does_not_want_to_wait_is_told_at_once() {
    let bench = Bench::start();
    let holder = bench.holder("one");
    for options in [&["--lock-timeout", "0s"], &["--lock-timeout", "200ms"]] {
        let (code, out, aside) = bench.reader(options).end();
        assert_eq!((code, out.as_str()), (Some(3), ""), "{aside}");
        assert_eq!(aside.contains("waiting: "), options[1] != "0s", "{aside}");
        let error = format!("error: {} is in use by `passline read", bench.ports[0]);
        assert!(aside.contains(&error) && aside.contains("\n  help: wait"), "{aside}");
    }
    drop(holder);
    assert_eq!(bench.reader(&["--lock-timeout", "0s"]).end().0, Some(0));
}

#[test]
fn a_run_waits_before_it_begins_and_leaves_nothing_if_it_may_not() {
    let bench = Bench::start();
    let holder = bench.holder("two");
    let spec = bench.at("served.yaml");
    let (code, _, aside) = bench.start_command(&["run", &spec, "--lock-timeout", "0s"]).end();
    assert_eq!(code, Some(3), "{aside}");
    for signal in ["INT", "TERM"] {
        let mut waiting = bench.start_command(&["run", &spec]);
        waiting.aside();
        waiting.signal(signal);
        let (code, _, aside) = waiting.end();
        assert_eq!((code, aside.as_str()), (Some(130), "error: interrupted: nothing was done\n"));
    }
    assert!(!Path::new(&bench.at("reports")).exists(), "nothing ran");
    // Simulated devices need no port.
    let simulated = bench.start_command(&["run", &spec, "--simulate", "--lock-timeout", "0s"]);
    assert_eq!(simulated.end().0, Some(0));
    let mut waiting = bench.start_command(&["run", &spec]);
    waiting.aside();
    drop(holder);
    assert_eq!(waiting.end().0, Some(0));
}

#[test]
fn a_run_that_had_to_wait_can_still_be_stopped() {
    let bench = Bench::start();
    let text = std::fs::read_to_string(bench.at("served.yaml")).expect("a spec");
    let text = text.replace("steps: [", "steps: [{ wait: 1h }, ")
        + "teardown: [{ read: d1.a, equals: 7 }]";
    std::fs::write(bench.at("long.yaml"), text).expect("a spec");
    let holder = bench.holder("one");
    let mut run = bench.start_command(&["run", &bench.at("long.yaml"), "--events", "-"]);
    run.aside();
    drop(holder);
    while !run.line().contains("\"test_started\"") {}
    run.signal("INT");
    let (code, out, aside) = run.end();
    assert_eq!(code, Some(130), "{aside}");
    // What passed is teardown.
    assert!(
        out.contains("\"outcome\":\"aborted\"") && out.contains("\"verdict\":\"pass\""),
        "{out}"
    );
}

#[test]
fn one_process_shares_its_lines_and_all_take_them_in_one_order() {
    let bench = Bench::start();
    let specs = [bench.at("served.yaml"), bench.at("again.yaml")];
    let both = ["run", &specs[0], &specs[1], "--lock-timeout", "0s"];
    let (code, out, aside) = bench.start_command(&both).end();
    assert_eq!(code, Some(0), "{out}{aside}");
    // Whoever waits for the later of the two has the earlier one, however the spec names them.
    let mut ports = [("one", &bench.ports[0]), ("two", &bench.ports[1])];
    ports.sort_by_key(|(_, port)| *port);
    let holder = bench.holder(ports[1].0);
    for spec in &specs {
        let mut waiting = bench.start_command(&["run", spec]);
        waiting.aside();
        let held = bench.held();
        let of = |pid: u32| held.iter().filter(move |lock| lock["pid"] == pid);
        let places: Vec<&Value> = of(waiting.child.id()).map(|lock| &lock["place"]).collect();
        assert_eq!(places, [ports[0].1], "{held:?}");
        assert_eq!(of(holder.child.id()).count(), 1, "{held:?}");
        waiting.signal("INT");
        assert_eq!(waiting.end().0, Some(130));
    }
}

#[test]
fn a_network_link_is_kept_from_others_where_it_says_so() {
    let bench = Bench::start();
    let (_simulator, lines) =
        Simulator::start(2, &[&bench.at("served.yaml"), "--listen", "tcp://127.0.0.1:0"]);
    let url = lines[0].split(' ').nth(2).expect("a URL");
    let read = |options: &str, more: &[&str]| {
        let url = format!("{url}{options}");
        bench.start_command(&[&["read", &url, "holding:0", "--unit-id", "1"], more].concat())
    };
    let mut holder = read("?exclusive=on", &["--watch=1h"]);
    holder.line();
    let (code, _, aside) = read("?exclusive=on&pause=1ms", &["--lock-timeout", "0s"]).end();
    assert_eq!(code, Some(3), "{aside}");
    assert!(aside.contains(&format!("error: {url} is in use by `passline read")), "{aside}");
    for free in ["", "?exclusive=off"] {
        let (code, _, aside) = read(free, &["--lock-timeout", "0s"]).end();
        assert_eq!(code, Some(0), "{aside}");
    }
}

#[test]
fn a_simulated_device_on_a_real_port_has_it_for_itself() {
    let bench = Bench::start();
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&near).expect("rights");
    unlockpt(&near).expect("an unlocked one");
    let port = ptsname(&near, Vec::new()).expect("a path").into_string().expect("text");
    let one = std::fs::read_to_string(bench.at("served.yaml")).expect("a spec");
    let one: Vec<&str> = one.lines().filter(|line| !line.contains("d2: ")).collect();
    let one = one.join("\n").replace(", { read: d2.a, equals: 8 }", "");
    std::fs::write(bench.at("single.yaml"), one).expect("a spec");
    let url = format!("rtu://{port}");
    let mut simulator =
        bench.start_command(&["simulate", &bench.at("single.yaml"), "--listen", &url]);
    simulator.line();
    assert_eq!(bench.held()[0]["place"], port);
    let read = ["read", &url, "holding:0", "--unit-id", "1", "--lock-timeout", "0s"];
    let (code, _, aside) = bench.start_command(&read).end();
    assert_eq!(code, Some(3));
    assert!(aside.contains("`passline simulate "), "{aside}");
}

#[test]
fn without_a_place_for_locks_no_port_is_used() {
    let bench = Bench::start();
    let file = bench.at("file");
    std::fs::write(&file, "").expect("a file");
    for folder in [file.clone(), format!("{file}/locks")] {
        let (code, out, aside) = bench.reader(&["--lock-dir", &folder]).end();
        assert_eq!((code, out.as_str()), (Some(3), ""), "{aside}");
        assert!(aside.contains("error: others cannot be kept off /dev/"), "{aside}");
        assert!(aside.contains("--lock-dir names another one"), "{aside}");
    }
    // A link in place of a lock would lead to any file of the user's.
    assert_eq!(bench.reader(&[]).end().0, Some(0));
    let mut locks = std::fs::read_dir(bench.at("locks")).expect("a folder");
    let lock = locks.next().expect("a lock").expect("a lock").path();
    let precious = bench.at("precious");
    std::fs::write(&precious, "precious").expect("a file");
    std::fs::remove_file(&lock).expect("a lock");
    symlink(&precious, &lock).expect("a link");
    assert_eq!(bench.reader(&[]).end().0, Some(3));
    assert_eq!(std::fs::read_to_string(&precious).expect("a file"), "precious");
}

#[test]
fn all_users_share_the_folder_and_doctor_says_who_has_what() {
    let bench = Bench::start();
    assert_eq!(bench.held(), [] as [Value; 0]);
    let holder = bench.holder("one");
    let mode = |path: &Path| std::fs::metadata(path).expect("it").permissions().mode() & 0o7777;
    let locks = bench.at("locks");
    assert_eq!(mode(Path::new(&locks)), 0o1777);
    for lock in std::fs::read_dir(&locks).expect("a folder") {
        assert_eq!(mode(&lock.expect("a lock").path()), 0o666);
    }
    let output = passline(&["doctor", "--lock-dir", &locks]);
    let said = text(&output.stdout);
    let expected = format!("in use: {}: by `passline read rtu://", bench.ports[0]);
    assert!(said.contains(&expected), "{said}");
    // What a killed process left behind is no lock.
    holder.signal("KILL");
    drop(holder);
    assert_eq!(bench.held(), [] as [Value; 0]);
    let mut left = String::new();
    for lock in std::fs::read_dir(&locks).expect("a folder") {
        let file = std::fs::File::open(lock.expect("a lock").path());
        file.expect("a lock").read_to_string(&mut left).expect("text");
    }
    assert!(left.contains("--watch=1h"), "{left}");
    assert_eq!(succeeded(&passline(&["doctor", "--help"])).matches("--lock-dir").count(), 1);
}
