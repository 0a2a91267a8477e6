//! `passline diff`: what changed between two specs, or two profiles, in words or as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::arguments::{DiffArguments, Format};
use super::exchange::failed;
use super::exit::Exit;
use super::terminal;
use crate::diff::{Side, diff};
use crate::language::diagnostic::Diagnostics;
use crate::language::yaml::{self, Tree};
use crate::spec::{self, Given, Loaded, Spec};

/// Runs the command.
pub(super) fn run(arguments: &DiffArguments) -> Exit {
    let (Some(old), Some(new)) = (Version::load(&arguments.old), Version::load(&arguments.new))
    else {
        return Exit::Usage;
    };
    let (Some(before), Some(after)) = (old.side(), new.side()) else { return Exit::Usage };
    if old.is_profile != new.is_profile {
        let text = "one of the two is a spec, and the other a profile";
        return failed(text, Some("name two specs, or two profiles"), Exit::Usage);
    }
    let changes = diff(before, after);
    match arguments.format {
        Format::Text => {
            for change in &changes {
                terminal::line(&terminal::printable(&change.to_string()));
            }
        }
        Format::Json => terminal::line(&format!("{:#}", json!({ "changes": changes }))),
    }
    if changes.is_empty() { Exit::Pass } else { Exit::Fail }
}

/// One of the two, and all that it was made from.
struct Version {
    loaded: Loaded,
    trees: BTreeMap<String, Tree>,
    others: BTreeMap<String, String>,
    is_profile: bool,
}

impl Version {
    /// `None`: what is wrong has been said.
    fn load(path: &Path) -> Option<Self> {
        let loaded = spec::simulated([path], &Given::new());
        if loaded.diagnostics.has_errors() {
            terminal::diagnostics(&loaded);
            return None;
        }
        let [spec] = loaded.specs.as_slice() else {
            let text = format!("{}: this is not one spec or profile", path.display());
            failed(&text, Some("name one file on each side"), Exit::Usage);
            return None;
        };
        let is_profile = spec.file.file != path;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (mut trees, mut others) = (BTreeMap::new(), BTreeMap::new());
        let is_input = |file: &Path| spec.inputs.iter().any(|input| input.file == file);
        let sources = &loaded.sources;
        for source in sources.iter().filter(|source| is_input(source.path())) {
            if is_profile && source.path() == spec.file.file {
                continue;
            }
            let name = source.path().strip_prefix(folder).unwrap_or(source.path());
            let own = source.path() == path;
            let name = if own { String::new() } else { name.display().to_string() };
            let is_yaml = source.path().extension().is_none_or(|end| end == "yaml" || end == "yml");
            let file = sources.get(source.id()).filter(|_| own || is_yaml);
            match file.and_then(|file| yaml::parse(file, &Diagnostics::default())) {
                Some(tree) => {
                    trees.insert(name, tree);
                }
                None => {
                    others.insert(name, source.text().to_owned());
                }
            }
        }
        Some(Self { loaded, trees, others, is_profile })
    }

    fn spec(&self) -> Option<&Spec> {
        self.loaded.specs.first()
    }

    fn side(&self) -> Option<Side<'_>> {
        let spec = self.spec()?;
        Some(Side { spec, trees: &self.trees, others: &self.others })
    }
}
