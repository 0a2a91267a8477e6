//! Scalars as they are written: their lines, and quotes where they are needed.

use std::fmt::Write;

use granit_parser::ScalarStyle;

/// Words that some reader of YAML takes for something else than text.
const SPECIAL: &[&str] =
    &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// The lines of a scalar that is no block scalar. Space around the breaks between them means nothing.
pub(super) fn lines(written: &str, text: &str, style: ScalarStyle) -> Vec<String> {
    if style != ScalarStyle::Plain && !written.contains('\n') && needs_no_quotes(text) {
        return vec![text.to_owned()];
    }
    // A backslash before the last space of a line keeps that space.
    let escapes = style == ScalarStyle::DoubleQuoted;
    let mut lines = written.split('\n').peekable();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        let line = if kept.is_empty() { line } else { line.trim_start_matches([' ', '\t']) };
        let last = lines.peek().is_none();
        let line = if escapes || last { line } else { line.trim_end_matches([' ', '\t']) };
        kept.push(line.to_owned());
    }
    kept
}

/// Whether every reader of YAML takes the bare text for that text.
fn needs_no_quotes(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && !SPECIAL.contains(&text.to_ascii_lowercase().as_str())
        && text.chars().all(|c| c.is_alphanumeric() || " _./-+()°".contains(c))
}

/// A text on one line whatever is in it.
pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
