//! The canonical form: what is in a file stays in it, and the form of a form is the form. The files of
//! this project, the examples of its documentation, and files that nobody would write.
#![expect(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "not every test serves a simulation")]
mod binary;
#[allow(dead_code, reason = "not every test names lines")]
mod markdown;

use std::io::Write;
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use passline::language::diagnostic::{Diagnostics, Style};
use passline::language::format::{Refused, format};
use passline::language::source::Sources;
use proptest::prelude::*;

use binary::{passline, succeeded, text};

fn formed(written: &str) -> Result<String, (Refused, String)> {
    let mut sources = Sources::new();
    let id = sources.add("file.yaml", written);
    let diagnostics = Diagnostics::default();
    let source = sources.get(id).expect("the file");
    let problems = || diagnostics.render(&sources, Style::Plain);
    format(source, &diagnostics).map_err(|refused| (refused, problems()))
}

fn form(written: &str) -> String {
    formed(written).unwrap_or_else(|(refused, problems)| panic!("{refused}\n{problems}\n{written}"))
}

/// Everything from a `#` that begins a comment, line by line, of files without `#` elsewhere.
fn comments(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        text.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end())).collect();
    found.sort_unstable();
    found
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

#[test]
fn the_files_of_this_project_are_in_their_canonical_form() {
    for folder in
        ["specs", "specs/devices", "specs/fails_on_purpose", "specs/stations", "src/cli/init"]
    {
        for file in files(folder) {
            let written = std::fs::read_to_string(&file).expect("a file");
            let formed = form(&written);
            assert!(formed == written, "{}: `passline fmt` it\n{formed}", file.display());
        }
    }
}

#[test]
fn maps_and_examples_keep_what_they_mean_and_have_one_form() {
    let mut texts: Vec<String> = Vec::new();
    for file in files("tests/maps") {
        texts.push(std::fs::read_to_string(file).expect("a file"));
    }
    let document = include_str!("../docs/spec-language.md");
    let examples = markdown::blocks(document);
    texts.extend(
        examples
            .iter()
            .filter(|block| block.info.starts_with("yaml"))
            .map(|block| block.body.to_owned()),
    );
    assert!(texts.len() > 60, "{}", texts.len());
    for written in texts {
        match formed(&written) {
            Ok(formed) => assert_eq!(form(&formed), formed),
            Err((refused, problems)) => {
                assert_eq!(refused, Refused::Faulty, "{problems}\n{written}");
            }
        }
    }
}

/// What is written, and its form.
const FORMS: &[(&str, &str)] = &[
    // Indentation, lists below keys, items on the line of their dash.
    ("a:\n- 1\n-\n    b:   2\n    c: 3\n", "a:\n  - 1\n  - b: 2\n    c: 3\n"),
    ("a: {b: 1,c:  [1,2 , 3]}\n", "a: { b: 1, c: [1, 2, 3] }\n"),
    ("- - a\n  - b\n-\n", "- - a\n  - b\n-\n"),
    ("? a\n: b\n", "a: b\n"),
    ("a: [x: 1, {}, [ ]]\n", "a: [{ x: 1 }, {}, []]\n"),
    // Comments, wherever they stand.
    (
        "#first\n\n\n\na: #open\n   # above b\n   b: 1 # behind b\n   # below b\n# above c\nc: 2\n\n# last\n",
        "#first\n\na: #open\n  # above b\n  b: 1 # behind b\n  # below b\n# above c\nc: 2\n\n# last\n",
    ),
    (
        "a: [ # open\n  1, # one\n  # above\n  2 ] # end\n",
        "a: # open\n  - 1 # one\n  # above\n  - 2\n  # end\n",
    ),
    ("a: [ # nothing\n ]\n", "a: # nothing\n  []\n"),
    ("- # item\n  a: 1\n", "- # item\n  a: 1\n"),
    ("a: &x # anchored\n  b: 1\nc: *x # again\n", "a: &x # anchored\n  b: 1\nc: *x # again\n"),
    ("a:\n  # alone\n  text\n", "a:\n  # alone\n  text\n"),
    // Comments below each other stay so, others stand one space behind.
    ("a: [1,\n\n 2,\n\n# c\n ]\n\n\nb: 1\n\n\n", "a:\n  - 1\n\n  - 2\n\n  # c\n\nb: 1\n"),
    ("a: 1   # x\nlong: 2 # y\n", "a: 1    # x\nlong: 2 # y\n"),
    ("a: 1 # x\nlong: 2 # y\n", "a: 1 # x\nlong: 2 # y\n"),
    // Columns stay columns.
    (
        "p:  { at: 1,  unit: V }\nlong: { at: 20, unit: A }\n",
        "p:    { at: 1,  unit: V }\nlong: { at: 20, unit: A }\n",
    ),
    ("a:  1\n\nlong:   2\nb: 3\n", "a: 1\n\nlong: 2\nb:    3\n"),
    // Quotes stay where some reader would take the bare text for something else.
    (
        "a: \"plain text\"\nb: 'on'\nc: \"1.10\"\nd: 'no'\n",
        "a: plain text\nb: 'on'\nc: \"1.10\"\nd: 'no'\n",
    ),
    ("a: 'x: y'\nb: \"# no\"\nc: ''\n", "a: 'x: y'\nb: \"# no\"\nc: ''\n"),
    // Numbers are written as they are.
    ("a: 0x10\nb: 1e3\nc: 230.0\nd: +.5\n", "a: 0x10\nb: 1e3\nc: 230.0\nd: +.5\n"),
    // Texts of several lines.
    (
        "a: |\n     x # no comment\n\n       y  \nb: >-\n z\n",
        "a: |\n  x # no comment\n\n    y  \nb: >-\n  z\n",
    ),
    ("a: |+\n x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
    ("- |4\n      x\n", "- |2\n    x\n"),
    ("a: one\n   two\n\n   three # end\n", "a: one\n  two\n\n  three # end\n"),
    ("a: &m { b: 1 }\nc:\n  <<: *m\n  d: 2\n", "a: &m { b: 1 }\nc:\n  <<: *m\n  d: 2\n"),
    ("%YAML 1.2\n---   # doc\na: 1\n...\n", "%YAML 1.2\n---\n# doc\na: 1\n"),
    ("\u{feff}a:   1", "a: 1\n"),
    ("a:   1\r\nb: |\r\n   x\r\n", "a: 1\r\nb: |\r\n  x\r\n"),
];

#[test]
fn each_thing_has_its_form() {
    for (written, wanted) in FORMS {
        assert_eq!(form(written), *wanted, "{written}");
        assert_eq!(form(wanted), *wanted, "{written}");
    }
}

#[test]
fn brackets_that_are_too_long_for_a_line_get_a_line_for_each_entry() {
    let names: Vec<String> = (0..20).map(|at| format!("meter.voltage_{at}")).collect();
    let wanted = format!("    - {}\n", names.join("\n    - "));
    let written = format!("- {{ read: [{}], max: 5 }}\n", names.join(","));
    assert_eq!(form(&written), format!("- read:\n{wanted}  max: 5\n"));
    let numbers: Vec<String> = (1000..1100).map(|number| number.to_string()).collect();
    let formed = form(&format!("a: [{}]\n", numbers.join(",")));
    assert_eq!(formed.lines().count(), 7, "{formed}");
    assert!(formed.lines().all(|line| line.len() <= 120), "{formed}");
    assert_eq!(form(&formed), formed);
}

#[test]
fn what_is_no_yaml_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spec.yaml");
    for written in ["a: [1\n", "a: 1\na: 2\n", "a: *b\n", "# nothing\n", "a: !x 1\n"] {
        std::fs::write(&path, written).expect("a file");
        let output = passline(&["fmt", path.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(2), "{written}");
        assert!(text(&output.stderr).contains("spec.yaml"), "{}", text(&output.stderr));
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), written);
    }
}

#[test]
fn files_are_written_only_if_they_change_and_keep_their_permissions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spec.yaml");
    let name = path.to_str().expect("a path");
    std::fs::write(&path, "a:   1\n").expect("a file");
    let check = passline(&["fmt", "--check", name]);
    assert_eq!(check.status.code(), Some(1));
    assert_eq!(text(&check.stdout), format!("{name} is not in its canonical form\n"));
    assert_eq!(std::fs::read(&path).expect("the file"), b"a:   1\n");
    #[cfg(unix)]
    let mode = {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("permissions");
        |path: &Path| {
            let data = std::fs::metadata(path).expect("data");
            (data.mode() & 0o777, data.ino())
        }
    };
    assert_eq!(succeeded(&passline(&["fmt", name])), format!("formatted {name}\n"));
    assert_eq!(std::fs::read(&path).expect("the file"), b"a: 1\n");
    #[cfg(unix)]
    let (permissions, file) = mode(&path);
    assert_eq!(succeeded(&passline(&["fmt", folder.path().to_str().expect("a path")])), "");
    assert_eq!(succeeded(&passline(&["fmt", "--check", name])), "");
    #[cfg(unix)]
    {
        assert_eq!((permissions, mode(&path)), (0o640, (0o640, file)));
        std::fs::write(&path, "a:   1\n").expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o440)).expect("permissions");
        assert_eq!(passline(&["fmt", name]).status.code(), Some(3));
        assert_eq!(std::fs::read(&path).expect("the file"), b"a:   1\n");
    }
}

#[test]
fn a_dash_is_standard_input_to_standard_output() {
    let run = |arguments: &[&str], written: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .arg("fmt")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut input = child.stdin.take().expect("its input");
        input.write_all(written.as_bytes()).expect("written");
        drop(input);
        child.wait_with_output().expect("its end")
    };
    assert_eq!(succeeded(&run(&["-"], "a:   1 # x\n")), "a: 1 # x\n");
    assert_eq!(run(&["--check", "-"], "a:   1\n").status.code(), Some(1));
    assert_eq!(run(&["--check", "-"], "a: 1\n").status.code(), Some(0));
    let faulty = run(&["-"], "a: [\n");
    assert_eq!((faulty.status.code(), text(&faulty.stdout)), (Some(2), String::new()));
}

/// What a file is made of. Its keys are numbered when it is written, so that none is there twice.
#[derive(Debug, Clone)]
enum Part {
    Scalar(usize),
    Flow(bool, Vec<(usize, Part)>),
    Block(bool, Vec<(usize, Part)>),
}

const SCALARS: &[&str] = &[
    "1",
    "1.0",
    "0x10",
    "abc",
    "a b  c",
    "\"1.10\"",
    "'it''s'",
    "~",
    "'no'",
    "\"plain text\"",
    "\"say \\\"hi\\\"\"",
    "\"\\u00e9\"",
    "= a + b",
    "$(x)",
    "-1e3",
    "\"a: b\"",
    "on",
    "'[0-9]{8}'",
];

/// What may stand between things: blank lines, comments of their own, at any indentation.
const BETWEEN: &[&str] = &["", "", "", "\n", "# c\n", "\n\n     # d\n", "  #e\n\n"];
const BEHIND: &[&str] = &["", "", "", " # f", "    # g", "  "];
const INSIDE: &[&str] = &["", " ", "  ", "\n        ", " # h\n        ", "\n\n        "];

fn part() -> impl Strategy<Value = Part> {
    let leaf = (0..1000_usize).prop_map(Part::Scalar);
    leaf.prop_recursive(4, 40, 5, |inner| {
        let parts = prop::collection::vec((0..1000_usize, inner), 1..5);
        (any::<bool>(), any::<bool>(), parts).prop_map(|(flow, mapping, parts)| {
            if flow { Part::Flow(mapping, parts) } else { Part::Block(mapping, parts) }
        })
    })
}

fn pick<'a>(from: &[&'a str], chance: usize) -> &'a str {
    from[chance % from.len()]
}

struct Scribe {
    text: String,
    keys: usize,
}

impl Scribe {
    fn key(&mut self) {
        self.keys += 1;
        self.text += "key";
        self.text += &self.keys.to_string();
        self.text.push(':');
    }

    fn flow(&mut self, part: &Part) {
        match part {
            Part::Scalar(chance) => self.text.push_str(pick(SCALARS, *chance)),
            Part::Flow(mapping, parts) | Part::Block(mapping, parts) => {
                self.text.push(if *mapping { '{' } else { '[' });
                for (chance, part) in parts {
                    self.text.push_str(pick(INSIDE, *chance));
                    if *mapping {
                        self.key();
                        self.text.push(' ');
                    }
                    self.flow(part);
                    self.text.push_str(pick(INSIDE, chance / 7));
                    self.text.push(',');
                }
                self.text.push(if *mapping { '}' } else { ']' });
            }
        }
    }

    fn block(&mut self, mapping: bool, parts: &[(usize, Part)], indent: usize) {
        for (chance, part) in parts {
            self.text.push_str(pick(BETWEEN, *chance));
            self.text.push_str(&" ".repeat(indent));
            if mapping {
                self.key();
            } else {
                self.text.push('-');
            }
            match part {
                Part::Block(mapping, parts) => {
                    self.text.push_str(pick(BEHIND, chance / 11));
                    self.text.push('\n');
                    self.block(*mapping, parts, indent + 1 + chance % 4);
                }
                other => {
                    self.text.push_str(pick(&[" ", "   "], chance / 5));
                    self.flow(other);
                    self.text.push_str(pick(BEHIND, chance / 13));
                    self.text.push('\n');
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_the_form_of_a_form_is_the_form(
        parts in prop::collection::vec((0..1000_usize, part()), 1..5),
    ) {
        let mut scribe = Scribe { text: String::new(), keys: 0 };
        scribe.block(true, &parts, 0);
        let written = scribe.text;
        let formed = form(&written);
        prop_assert_eq!(comments(&written), comments(&formed));
        prop_assert_eq!(form(&formed), formed.clone(), "{}\n->\n{}", written, formed);
    }
}
