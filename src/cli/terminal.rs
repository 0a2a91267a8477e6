//! What people see: diagnostics, progress, the summary of a run. Writing to a terminal that is gone
//! is nobody's error.

use std::io::{self, IsTerminal, Write};

use crate::language::diagnostic::{Diagnostics, Style};
use crate::language::source::Sources;
use crate::record::Line;
use crate::spec::Loaded;

/// A line of output.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A line beside the output: for people where data goes to standard output, and for what went
/// wrong.
pub(super) fn aside(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A question beside the output, whose answer is typed behind it.
pub(super) fn question(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What a device says, safe to show: control characters, which would move the cursor or end a
/// line, as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// "1 check", "2 checks".
pub(super) fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// What is wrong with specs.
pub(super) fn diagnostics(loaded: &Loaded) {
    problems(&loaded.diagnostics, &loaded.sources);
}

/// What is wrong with files; nothing where nothing is.
pub(super) fn problems(diagnostics: &Diagnostics, sources: &Sources) {
    if diagnostics.has_errors() || diagnostics.warnings() > 0 {
        let style = if io::stderr().is_terminal() { Style::Coloured } else { Style::Plain };
        aside(diagnostics.render(sources, style).trim_end());
    }
}

/// A line of an event stream.
pub(super) fn event(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")?;
    out.flush()
}
