//! A folder with specs, and the binary that runs them there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own for one test; gone with it.
pub(crate) struct Bench {
    folder: TempDir,
}

/// A command that came to its end.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// With `spec.yaml`.
    pub(crate) fn with(spec: &str) -> Self {
        let bench = Self::new();
        bench.file("spec.yaml", spec);
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// `passline` in the folder, without the environment's say.
    pub(crate) fn passline(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
        let own = std::env::vars_os().map(|(name, _)| name);
        for name in own.filter(|name| name.to_string_lossy().starts_with("PASSLINE_")) {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// What becomes of `passline` with these arguments.
    pub(crate) fn ends(&self, arguments: &[&str]) -> Ended {
        let began = Instant::now();
        Ended::new(self.passline(arguments).output().unwrap(), began)
    }

    /// What becomes of a run of `spec.yaml` with its evidence in `out`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut all = vec!["run", "spec.yaml", "--out", "out"];
        all.extend(arguments);
        self.ends(&all)
    }

    /// The folder of the only run.
    pub(crate) fn run_folder(&self) -> PathBuf {
        let mut runs = fs::read_dir(self.path("out")).unwrap();
        let run = runs.next().unwrap().unwrap().path();
        assert!(runs.next().is_none(), "more than one run");
        run
    }

    /// `run.json` of the only run.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_slice(&fs::read(self.run_folder().join("run.json")).unwrap()).unwrap()
    }

    /// Whether no evidence was begun.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.path("out").exists()
    }
}

impl Ended {
    pub(crate) fn new(output: Output, began: Instant) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
            took: began.elapsed(),
        }
    }
}
