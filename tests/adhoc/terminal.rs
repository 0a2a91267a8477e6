//! What a terminal shows.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::bench::Bench;
use crate::binary::{passline, succeeded};

/// Much longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A terminal with the command in it, and what it shows.
struct Terminal {
    child: Child,
    pieces: Receiver<String>,
    shown: String,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&near).expect("rights");
        unlockpt(&near).expect("an unlocked one");
        let path = ptsname(&near, Vec::new()).expect("a path").into_string().expect("text");
        let far = OpenOptions::new().read(true).write(true).open(path).expect("the far end");
        let child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .args(arguments)
            .env("TERM", "xterm")
            .stdout(far)
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut near = File::from(near);
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = near.read(&mut piece) {
                if sender.send(String::from_utf8_lossy(&piece[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, pieces, shown: String::new() }
    }

    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let piece = self.pieces.recv_timeout(PATIENCE);
            assert!(piece.is_ok(), "no {text:?} in {:?}", self.shown);
            self.shown.push_str(&piece.unwrap_or_default());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn watched_values_stay_in_place_and_changes_are_marked() {
    let bench = Bench::start();
    let unit = ["--unit-id", "7", "--watch=20ms"];
    let read = [&["read", &bench.url, "holding:0", "holding:1"], &unit[..]].concat();
    let mut terminal = Terminal::start(&read);
    terminal.wait_for("  holding:0  165");
    terminal.wait_for("  holding:1  65531");
    assert!(!terminal.shown.contains('*'), "{:?}", terminal.shown);
    let write = ["write", &bench.url, "--unit-id", "7", "holding:0=166"];
    succeeded(&passline(&write));
    terminal.wait_for("* holding:0  166");
    // The same lines are written over, not new ones.
    assert!(terminal.shown.contains("\u{1b}["), "{:?}", terminal.shown);
    let kill = Command::new("kill").args(["-INT", &terminal.child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    assert_eq!(terminal.child.wait().expect("its end").code(), Some(0));
}
