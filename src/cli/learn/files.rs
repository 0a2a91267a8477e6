//! The files of `passline learn`: `NAME.yaml`, `devices/NAME.yaml` and `devices/NAME.capture.json`.

use std::path::{Path, PathBuf};

use crate::language::source::Sources;
use crate::learn::{Capture, texts};
use crate::report::file;
use crate::spec::{self, Given};

/// Where things are written.
pub(super) struct Files {
    pub(super) profile: PathBuf,
    pub(super) spec: PathBuf,
    pub(super) capture: PathBuf,
}

impl Files {
    pub(super) fn of(folder: &Path, name: &str) -> Self {
        let devices = folder.join("devices");
        Self {
            profile: devices.join(format!("{name}.yaml")),
            spec: folder.join(format!("{name}.yaml")),
            capture: devices.join(format!("{name}.capture.json")),
        }
    }

    /// # Errors
    /// What is in the way.
    pub(super) fn check_free(&self) -> Result<(), String> {
        match [&self.profile, &self.spec].into_iter().find(|path| path.exists()) {
            Some(path) => Err(format!("{} is there already", path.display())),
            None => file::probe(&self.capture).map_err(|error| error.to_string()),
        }
    }

    /// A capture that was begun.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn begun(&self) -> Result<Option<Capture>, String> {
        if self.capture.exists() { read(&self.capture).map(Some) } else { Ok(None) }
    }

    /// Keeps what is known so far.
    ///
    /// # Errors
    /// Why it cannot be kept.
    pub(super) fn keep(&self, capture: &Capture) -> Result<(), String> {
        let text = capture.to_json();
        file::replace(&self.capture, |out| out.write_all(text.as_bytes()))
            .map_err(|error| error.to_string())
    }

    /// Writes the profile and the spec, and makes sure that they are valid.
    ///
    /// # Errors
    /// Why they are not there, or not valid.
    pub(super) fn write(&self, capture: &Capture, name: &str) -> Result<(), String> {
        let texts = texts(capture, name, &format!("devices/{name}.yaml"));
        for (path, text) in [(&self.profile, &texts.profile), (&self.spec, &texts.spec)] {
            file::create(path, |out| out.write_all(text.as_bytes()))
                .map_err(|error| error.to_string())?;
        }
        let loaded = spec::load([self.spec.as_path()], &Given::new());
        if loaded.diagnostics.has_errors() {
            let style = crate::language::diagnostic::Style::Plain;
            return Err(loaded.diagnostics.render(&loaded.sources, style));
        }
        Ok(())
    }
}

/// A capture, from its own file.
///
/// # Errors
/// The file, and what is wrong with it.
pub(super) fn read(path: &Path) -> Result<Capture, String> {
    let mut sources = Sources::new();
    let source = sources.read(path).map_err(|error| error.to_string())?;
    let text = sources.get(source).map(|source| source.text()).unwrap_or_default();
    Capture::from_json(text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What to compare with: a capture, or the one beside the profile that was made of it.
///
/// # Errors
/// The file, and what is wrong with it.
pub(super) fn earlier(path: &Path) -> Result<Capture, String> {
    let is_profile = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let path = if is_profile { path.with_extension("capture.json") } else { path.to_owned() };
    let capture = read(&path)?;
    if !capture.complete {
        return Err(format!("{}: this capture is not complete", path.display()));
    }
    Ok(capture)
}
