//! YAML, its diagnostics and the table-driven decoder, as the spec model uses them.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use passline::spec::diagnostic::{Diagnostics, Style};
use passline::spec::source::Sources;
use passline::spec::yaml;

/// Everything that is said about a text that is only parsed.
fn said(text: &str) -> String {
    let mut sources = Sources::new();
    let id = sources.add("spec.yaml", text);
    let diagnostics = Diagnostics::new();
    yaml::parse(sources.get(id).unwrap(), &diagnostics);
    diagnostics.render(&sources, Style::Plain)
}

#[test]
fn a_key_that_is_given_twice_points_at_both_places() {
    assert_eq!(
        said("a: 1\nb: 2\na: 3\n"),
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
