//! Diagnostics as people read them.

use passline::language::diagnostic::{Diagnostic, Diagnostics, Style, did_you_mean};
use passline::language::source::{Sources, Span};

use super::Parsed;

#[test]
fn a_key_that_is_given_twice_points_at_both_places() {
    assert_eq!(
        Parsed::of("a: 1\nb: 2\na: 3\n").said(),
        "\
error: `a` is given twice
 --> spec.yaml:3:1
  |
3 | a: 3
  | ^
  |
 ::: spec.yaml:1:1
  |
1 | a: 1
  | - first given here
  |
  = help: remove one of the two

1 error
"
    );
}

#[test]
fn files_are_shown_in_the_order_they_were_read_and_lines_from_the_top() {
    let mut sources = Sources::new();
    let first = sources.add("first.yaml", "one\ntwo\n");
    let second = sources.add("second.yaml", "three\n");
    let diagnostics = Diagnostics::new();
    let at = |source, start, end| Span { source, start, end };
    diagnostics.push(Diagnostic::error(at(second, 0, 5), "d"));
    diagnostics.push(Diagnostic::warning(at(first, 4, 7), "c").label("this").remedy("do it"));
    diagnostics.push(Diagnostic::error(at(first, 0, 3), "b"));
    diagnostics.push(Diagnostic::error(None, "a"));
    diagnostics.push(Diagnostic::error(at(first, 0, 3), "b"));
    assert_eq!(
        (diagnostics.errors(), diagnostics.warnings()),
        (3, 1),
        "the same thing counts once"
    );
    assert_eq!(
        diagnostics.render(&sources, Style::Plain),
        "\
error: a

error: b
 --> first.yaml:1:1
  |
1 | one
  | ^^^

warning: c
 --> first.yaml:2:1
  |
2 | two
  | ^^^ this
  |
  = help: do it

error: d
 --> second.yaml:1:1
  |
1 | three
  | ^^^^^

3 errors, 1 warning
"
    );
    let coloured = diagnostics.render(&sources, Style::Coloured);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    assert!(!diagnostics.render(&sources, Style::Plain).contains('\u{1b}'));
}

#[test]
fn nothing_found_is_nothing_said() {
    let diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::warning(None, "w"));
    assert!(!diagnostics.has_errors());
    assert_eq!(Diagnostics::new().render(&Sources::new(), Style::Plain), "");
}

#[test]
fn a_very_long_line_is_shown_around_the_caret_only() {
    let parsed =
        Parsed::of(format!("a: [{}, !x 1, {}]\n", "é".repeat(1_000_000), "y".repeat(1_000_000)));
    let said = parsed.said();
    assert!(said.len() < 1000, "{} bytes", said.len());
    assert!(said.contains("spec.yaml:1:1000007\n"), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let source = lines.iter().position(|line| line.starts_with("1 | ")).unwrap();
    let caret = lines[source + 1].find('^').unwrap();
    let marked: String = lines[source].chars().skip(caret).take(2).collect();
    assert_eq!(marked, "!x", "{said}");
}

#[test]
fn many_diagnostics_end_with_a_count() {
    let parsed = Parsed::of("- !x 1\n".repeat(5000));
    assert_eq!(parsed.diagnostics.errors(), 5000);
    let said = parsed.said();
    assert_eq!(said.matches("error: ").count(), 50);
    assert!(said.ends_with("... and 4950 more\n\n5000 errors\n"), "{said}");
}

#[test]
fn a_spec_cannot_drive_the_terminal() {
    let mut sources = Sources::new();
    let id = sources.add("evil\u{1b}[2J.yaml", "a\u{1b}[31mb\u{202e}\r\n");
    let diagnostics = Diagnostics::new();
    let span = Span { source: id, start: 1, end: 2 };
    diagnostics.push(Diagnostic::error(span, "m\u{1b}[0m").label("l\u{1b}").remedy("r\u{1b}\u{7}"));
    let said = diagnostics.render(&sources, Style::Plain);
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{said:?}");
}

#[test]
fn a_span_of_another_load_or_beyond_the_end_does_no_harm() {
    let mut other = Sources::new();
    other.add("x", "x");
    let far = other.add("y", "y");
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", "é");
    let diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::error(Span { source: far, start: 0, end: 1 }, "no such file"));
    diagnostics
        .push(Diagnostic::error(Span { source: id, start: 1, end: 900 }, "inside a character"));
    diagnostics.push(Diagnostic::error(Span { source: id, start: 900, end: 3 }, "beyond"));
    let said = diagnostics.render(&sources, Style::Plain);
    assert!(
        said.contains("a.yaml:1:1") && said.contains("a.yaml:1:2") && said.contains("no such file"),
        "{said}"
    );
}

#[test]
fn suggestions_are_near_or_absent() {
    let keys = ["holding", "input", "tolerance", "min", "max", "unit", "unit_id"];
    for (word, meant) in [
        ("tolerence", Some("tolerance")),
        ("tolernace", Some("tolerance")),
        ("hodling", Some("holding")),
        ("Holding", Some("holding")),
        ("holding_register", Some("holding")),
        ("unitid", Some("unit_id")),
        ("mim", Some("min")),
        ("x", None),
        ("zzzzz", None),
        ("", None),
    ] {
        assert_eq!(did_you_mean(word, keys), meant, "{word}");
    }
    assert_eq!(did_you_mean(&"a".repeat(1_000_000), keys), None);
}
