//! `passline import`: a register map of another program as a profile, and what could not be carried
//! over.

use std::path::Path;

use super::arguments::ImportArguments;
use super::exchange::failed;
use super::exit::Exit;
use super::terminal;
use crate::import::{Import, Options};
use crate::language::diagnostic::Style;
use crate::language::source::Sources;
use crate::report::file;
use crate::spec;

/// Runs the command.
pub(super) fn import(arguments: &ImportArguments) -> Exit {
    let mut sources = Sources::new();
    let source = match sources.read(&arguments.file) {
        Ok(source) => source,
        Err(error) => return failed(&error.to_string(), None, Exit::Usage),
    };
    let text = sources.get(source).map(|source| source.text()).unwrap_or_default();
    let found = match (arguments.format.read)(text, &options(arguments)) {
        Ok(found) => found,
        Err(problem) => {
            let text = format!("{}: {problem}", arguments.file.display());
            return failed(&terminal::printable(&text), Some(problem.remedy), Exit::Usage);
        }
    };
    for note in &found.notes {
        terminal::aside(&format!("note: {}", terminal::printable(note)));
    }
    if found.draft.points.is_empty() {
        return failed("there is no point in it", Some("is it the right file?"), Exit::Usage);
    }
    finish(arguments, found)
}

fn options(arguments: &ImportArguments) -> Options {
    let stem = arguments.file.file_stem().unwrap_or_default().to_string_lossy();
    let own = || crate::draft::name(&stem, &mut std::collections::BTreeSet::new());
    Options {
        name: arguments.name.clone().unwrap_or_else(own),
        device: arguments.device.clone(),
        base: arguments.base,
        table: arguments.table,
        columns: arguments.columns.iter().cloned().collect(),
        delimiter: arguments.delimiter,
        first: arguments.first,
    }
}

/// Writes the profile, if it is a valid one.
fn finish(arguments: &ImportArguments, found: Import) -> Exit {
    let mut draft = found.draft;
    let name = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    draft.remarks.push(format!("Imported from {name} ({}).", arguments.format.name));
    draft.remarks.extend(found.notes.iter().map(|note| format!("Not carried over: {note}")));
    let text = draft.to_yaml();
    if let Err(problems) = valid(&text) {
        terminal::aside(problems.trim_end());
        let remedy = "the map contradicts itself there: correct it, and import it again";
        return failed("this would be no valid profile", Some(remedy), Exit::Usage);
    }
    let Some(out) = &arguments.out else {
        terminal::line(text.trim_end());
        return Exit::Pass;
    };
    match file::create(out, |file| file.write_all(text.as_bytes())) {
        Ok(()) => {
            terminal::line(&format!("wrote {}", out.display()));
            Exit::Pass
        }
        Err(error) => failed(&error.to_string(), None, Exit::Error),
    }
}

/// # Errors
/// What is wrong with the text of a profile.
fn valid(text: &str) -> Result<(), String> {
    let loaded = spec::check_text(Path::new("profile"), text);
    if loaded.diagnostics.has_errors() || loaded.profiles != 1 {
        return Err(loaded.diagnostics.render(&loaded.sources, Style::Plain));
    }
    Ok(())
}
