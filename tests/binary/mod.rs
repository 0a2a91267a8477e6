//! The real binary, for tests of what it prints and how it exits.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn passline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A simulator that ends with the test.
pub(crate) struct Simulator(Child);

impl Simulator {
    /// Waits until it says that it listens, on so many links.
    pub(crate) fn start(links: usize, arguments: &[&str]) -> (Self, Vec<String>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .arg("simulate")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary");
        let out = child.stdout.take().expect("its output");
        let lines = BufReader::new(out).lines().take(links).map(|line| line.expect("a line"));
        let lines = lines.collect();
        (Self(child), lines)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
