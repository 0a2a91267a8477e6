//! A terminal with the command in it, and what it shows.

#![allow(
    dead_code,
    clippy::expect_used,
    reason = "no test needs all of it, and one that cannot go on has failed"
)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Much longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A terminal with the command in it, and what it shows.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    /// The near end, to change its size.
    near: File,
    pieces: Receiver<String>,
    pub(crate) shown: String,
}

impl Terminal {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, false)
    }

    /// With the terminal for its standard input as well.
    pub(crate) fn to_type_at(arguments: &[&str]) -> Self {
        Self::with(arguments, true)
    }

    fn with(arguments: &[&str], input: bool) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&near).expect("rights");
        unlockpt(&near).expect("an unlocked one");
        let path = ptsname(&near, Vec::new()).expect("a path").into_string().expect("text");
        let far = OpenOptions::new().read(true).write(true).open(path).expect("the far end");
        let child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .args(arguments)
            .env("TERM", "xterm")
            .stdin(if input { far.try_clone().expect("the far end").into() } else { Stdio::null() })
            .stderr(far.try_clone().expect("the far end"))
            .stdout(far)
            .spawn()
            .expect("the binary");
        let (sender, pieces) = channel();
        let near = File::from(near);
        let mut reader = near.try_clone().expect("the near end");
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut piece) {
                if sender.send(String::from_utf8_lossy(&piece[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, near, pieces, shown: String::new() }
    }

    /// Waits until this has been shown.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let piece = self.pieces.recv_timeout(PATIENCE);
            assert!(piece.is_ok(), "no {text:?} in {:?}", self.shown);
            self.shown.push_str(&piece.unwrap_or_default());
        }
    }
}

impl Terminal {
    /// Gives it this size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.near, size).expect("another size");
    }

    /// Types this at it.
    pub(crate) fn types(&mut self, text: &str) {
        self.near.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until the command has ended: its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let code = self.child.wait().expect("its end").code();
        while let Ok(piece) = self.pieces.recv_timeout(PATIENCE) {
            self.shown.push_str(&piece);
        }
        code
    }

    /// Sends a signal to the command, and waits until it has ended: its exit code.
    pub(crate) fn end(&mut self, signal: &str) -> Option<i32> {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill").success());
        self.ended()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
