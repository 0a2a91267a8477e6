//! On serial lines: pseudo-terminals with devices on them.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::OwnedFd;

use passline_modbus::framing::{Framing, rtu};
use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Listener, Pty, Wire};
use passline_simulator::image::Image;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ioctl_tiocnxcl, tcgetattr};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::binary::{passline, succeeded, text};

/// A bus with units 1 and 5, each with holding registers 0 to 3; ends with the test.
struct Line {
    url: String,
    _runtime: Runtime,
    _endpoint: Endpoint,
}

impl Line {
    fn start(framing: Framing) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let guard = runtime.enter();
        let device = |first| {
            let mut image = Image::new();
            image.set_words(Table::Holding, 0, &[first, 2, 0x4366, 0x6666]).expect("registers");
            Device::new(image)
        };
        let units = BTreeMap::from([(1, device(11)), (5, device(55))]);
        let endpoint = Endpoint::new(units, Instant::now());
        let pty = Pty::new().expect("a pseudo-terminal");
        let scheme = if framing == Framing::Ascii { "ascii" } else { "rtu" };
        let url = format!("{scheme}://{}", pty.path().display());
        let listener = Listener::Pty(pty, Wire::instant(framing));
        runtime.spawn(endpoint.serve(listener, std::future::pending()));
        drop(guard);
        Self { url, _runtime: runtime, _endpoint: endpoint }
    }

    fn read(&self, unit: &str, places: &[&str]) -> String {
        succeeded(&passline(&[&["read", &self.url, "--unit-id", unit], places].concat()))
    }
}

#[test]
fn serial_lines_are_read_and_written_like_all_others() {
    for framing in [Framing::Rtu, Framing::Ascii] {
        let line = Line::start(framing);
        assert_eq!(line.read("5", &["holding:0", "holding:1"]), "55\n2\n");
        assert_eq!(line.read("1", &["holding:2", "--type", "f32"]), "230.4\n");
        let write = ["write", &line.url, "--unit-id", "5", "holding:0=7,8", "--verify"];
        assert_eq!(succeeded(&passline(&write)), "");
        assert_eq!(line.read("5", &["holding:0", "holding:1"]), "7\n8\n");
        assert_eq!(line.read("1", &["holding:0"]), "11\n");
    }
}

#[test]
fn a_broadcast_reaches_every_unit() {
    let line = Line::start(Framing::Rtu);
    assert_eq!(succeeded(&passline(&["write", &line.url, "--broadcast", "holding:1=9"])), "");
    for unit in ["1", "5"] {
        assert_eq!(line.read(unit, &["holding:1"]), "9\n", "unit {unit}");
    }
}

#[test]
fn the_units_of_a_bus_are_found() {
    let line = Line::start(Framing::Rtu);
    let scan = ["scan", &line.url, "--units", "1-6", "--timeout", "50ms", "--json"];
    let document: Value = serde_json::from_str(&succeeded(&passline(&scan))).expect("JSON");
    let units = document["units"].as_array().expect("units").iter();
    let units: Vec<&Value> = units.map(|unit| &unit["unit_id"]).collect();
    assert_eq!(units, [1, 5]);
}

#[test]
fn a_port_that_is_not_there_is_an_error_at_once_with_a_way_on() {
    for command in [
        vec!["read", "rtu:///dev/no-such-port", "--unit-id", "1", "holding:0"],
        vec!["scan", "rtu:///dev/no-such-port"],
        vec!["scan", "rtu:///dev/no-such-port", "--baud", "auto"],
    ] {
        let output = passline(&command);
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        assert!(text(&output.stderr).contains("passline doctor"), "{}", text(&output.stderr));
    }
}

/// A device that understands 9600 baud only: at any other speed a request is noise to it, and it
/// makes noise.
fn at_9600_baud() -> String {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&near).expect("rights");
    unlockpt(&near).expect("an unlocked one");
    let path = ptsname(&near, Vec::new()).expect("a path").into_string().expect("text");
    // Held open, so that reading from the near end does not fail while nobody is there.
    let far = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("the far end");
    std::thread::spawn(move || listen(near, &far));
    format!("rtu://{path}")
}

fn listen(near: OwnedFd, far: &std::fs::File) {
    let mut stream = std::fs::File::from(near);
    let mut request = [0; 256];
    while let Ok(length) = stream.read(&mut request) {
        // The next client may come before the last one's end is known.
        ioctl_tiocnxcl(far).expect("a port for all");
        let speed = tcgetattr(far).expect("settings").output_speed();
        let answer: &[u8] = match (speed, &request[..length]) {
            (9600, [1, 3, ..]) => &[3, 2, 0, 42],
            (9600, [1, function, ..]) => &[function | 0x80, 1],
            (9600, _) => continue,
            _ => &[],
        };
        let mut bytes = vec![0xFF, 0x00, 0xFF];
        if !answer.is_empty() {
            bytes.clear();
            rtu::encode(1, answer, &mut bytes).expect("a frame");
        }
        std::io::Write::write_all(&mut stream, &bytes).expect("a client");
    }
}

#[test]
fn the_settings_of_a_line_are_found_and_scanned_with() {
    let url = at_9600_baud();
    let scan = |more: &[&str]| {
        let scan = ["scan", &url, "--units", "1-3", "--timeout", "50ms"];
        let output = passline(&[&scan[..], more].concat());
        let shown = succeeded(&output);
        shown.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let lines = scan(&["--baud", "auto"]);
    assert_eq!(lines.len(), 6, "{lines:#?}");
    for (line, format) in lines.iter().zip(["8E1", "8N1", "8N2", "8O1"]) {
        assert!(
            line.starts_with(&format!("19200 {format}: no answer; sound frames: 0, ")),
            "{lines:#?}"
        );
        assert!(!line.ends_with("damaged: 0, noise: 0"), "{lines:#?}");
    }
    assert!(lines[4].starts_with("9600 8E1: unit 1 answers; sound frames: 1, "), "{lines:#?}");
    let link = lines[4].rsplit(' ').next().expect("a link");
    assert!(link.contains("baud=9600"), "{link}");
    assert_eq!(lines[5], "unit 1: answers");
    let read = ["read", link, "--unit-id", "1", "holding:0"];
    assert_eq!(succeeded(&passline(&read)), "42\n");
    let all = scan(&["--baud", "4800,9600", "--all"]);
    let answered = all.iter().filter(|line| line.contains("unit 1 answers")).count();
    // With each lot of units again: the first one, and the other two, who are silent.
    assert_eq!(answered, 4, "{all:#?}");
}
