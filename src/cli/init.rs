//! `passline init`: a starter spec and its profile, which run as they are.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::arguments::InitArguments;
use super::exit::Exit;
use super::terminal;

const SPEC: &str = include_str!("init/spec.yaml");
const PROFILE: &str = include_str!("init/profile.yaml");

/// Runs the command.
pub(super) fn init(arguments: &InitArguments) -> Exit {
    let folder = &arguments.folder;
    let files = [("spec.yaml", SPEC), ("devices/meter.yaml", PROFILE)];
    for (name, text) in files {
        let path = folder.join(name);
        if let Err(error) = create(&path, text) {
            terminal::aside(&format!("error: {}: {error}", path.display()));
            if error.kind() == io::ErrorKind::AlreadyExists {
                terminal::aside("  help: nothing is ever overwritten: name another folder");
            }
            return Exit::Usage;
        }
        terminal::line(&format!("wrote {}", path.display()));
    }
    let spec = folder.join("spec.yaml");
    terminal::line(&format!("now: passline run {} --simulate", spec.display()));
    Exit::Pass
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
