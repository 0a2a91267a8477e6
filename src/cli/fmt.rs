//! `passline fmt`: files in their canonical form, comments kept. A file that is no YAML, and one whose
//! form would not mean the same, stays as it is.

use std::io::{self, Read, Write};
use std::path::Path;

use super::arguments::FmtArguments;
use super::exchange::failed;
use super::exit::Exit;
use super::terminal;
use crate::language::diagnostic::Diagnostics;
use crate::language::format::{Refused, format};
use crate::language::source::{MAX_FILE_BYTES, SourceId, Sources};
use crate::report::file;
use crate::spec;

/// Runs the command.
pub(super) fn fmt(arguments: &FmtArguments) -> Exit {
    let mut worst = Exit::Pass;
    for path in &arguments.files {
        if path.as_os_str() == "-" {
            worst = worse(worst, input(arguments.check));
            continue;
        }
        match spec::files(path) {
            Ok(files) => {
                for file in files {
                    worst = worse(worst, one(&file, arguments.check));
                }
            }
            Err(problem) => worst = worse(worst, failed(&problem, None, Exit::Usage)),
        }
    }
    worst
}

/// Errors are worse than bad files, and these worse than a file that would change.
fn worse(one: Exit, other: Exit) -> Exit {
    let order = [Exit::Pass, Exit::Fail, Exit::Usage];
    let badness = |exit| order.iter().position(|known| *known == exit).unwrap_or(order.len());
    if badness(other) > badness(one) { other } else { one }
}

fn one(path: &Path, check: bool) -> Exit {
    let mut sources = Sources::new();
    let id = match sources.read(path) {
        Ok(id) => id,
        Err(error) => return failed(&error.to_string(), None, Exit::Usage),
    };
    let formed = match formed(&sources, id) {
        Ok(formed) => formed,
        Err(exit) => return exit,
    };
    if sources.get(id).is_some_and(|source| source.text() == formed) {
        return Exit::Pass;
    }
    if check {
        terminal::line(&format!("{} is not in its canonical form", path.display()));
        return Exit::Fail;
    }
    match file::rewrite(path, |out| out.write_all(formed.as_bytes())) {
        Ok(()) => {
            terminal::line(&format!("formatted {}", path.display()));
            Exit::Pass
        }
        Err(error) => failed(&error.to_string(), None, Exit::Error),
    }
}

/// Standard input to standard output.
fn input(check: bool) -> Exit {
    let mut text = String::new();
    if let Err(error) = io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_string(&mut text) {
        return failed(&format!("standard input: {error}"), None, Exit::Usage);
    }
    if text.len() as u64 > MAX_FILE_BYTES {
        return failed("standard input is larger than 64 MiB", None, Exit::Usage);
    }
    let mut sources = Sources::new();
    let id = sources.add(Path::new("standard input"), text.as_str());
    let formed = match formed(&sources, id) {
        Ok(formed) => formed,
        Err(exit) => return exit,
    };
    if check {
        return if formed == text { Exit::Pass } else { Exit::Fail };
    }
    match io::stdout().lock().write_all(formed.as_bytes()) {
        Ok(()) => Exit::Pass,
        Err(error) => failed(&format!("standard output: {error}"), None, Exit::Error),
    }
}

fn formed(sources: &Sources, id: SourceId) -> Result<String, Exit> {
    let Some(source) = sources.get(id) else { return Err(Exit::Error) };
    let diagnostics = Diagnostics::default();
    format(source, &diagnostics).map_err(|refused| match refused {
        Refused::Faulty => {
            terminal::problems(&diagnostics, sources);
            Exit::Usage
        }
        Refused::Internal => {
            let text = format!("internal: {}: {refused}", source.path().display());
            let remedy = "the file stays as it is: please report this with the file";
            failed(&text, Some(remedy), Exit::Error)
        }
    })
}
