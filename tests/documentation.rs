//! `docs/spec-language.md` is run: every example does what the text says of it, every message it
//! quotes is the message given, and every key and word of the language's tables is in it, and no
//! other.
//!
//! What a fenced block is, is said behind its ```` ```yaml ````:
//!
//! | words | |
//! | --- | --- |
//! | none | a whole spec: it is run in simulation and passes |
//! | `file=NAME` | a file that other examples name: a profile, a recording |
//! | `bench` | a spec without tests: `steps` and `tests` are put behind it |
//! | `steps`, `tests` | a part of the bench's spec |
//! | `points`, `devices` | a part of a small spec of its own |
//! | `fail`, `error` | instead of passing |
//! | `simulator` | a simulator file: it is checked |
//! | `station` | a station file: a spec with the bench's device is run on its slots A and B, simulated |
//! | `refused` | it is refused; the ```` ```text ```` behind it holds the messages, one in a line |
//!
//! A ```` ```text ```` behind a block that runs holds lines of its output. In a table behind
//! `<!-- refused: PART -->` each row is a part and its message; a table behind `<!-- keys: OBJECT -->`
//! has the keys of that object in its first column.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod markdown;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jiff::civil::Date;
use markdown::blocks;
use passline::expression::Expression;
use passline::language::shape::{Object, Shape};
use passline::language::{source, yaml};
use passline::spec::{self, Given, PROFILE, SHARED_STEPS, SIMULATOR, SPEC, STATION};
use passline_modbus::address::{Address, AddressError};

const DOCUMENT: &str = include_str!("../docs/spec-language.md");

/// What must become of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Pass,
    Fail,
    Error,
    Refused,
    /// There is nothing to run.
    Checked,
}

/// An example that is run or refused.
#[derive(Debug)]
struct Example {
    line: usize,
    spec: String,
    /// A station file beside it.
    station: Option<String>,
    expected: Expected,
    /// Messages of a refusal, else lines of the output.
    quoted: Vec<String>,
}

fn indented(text: &str, by: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{:by$}{line}", "")).collect();
    lines.join("\n") + "\n"
}

/// A whole spec around a part.
fn around(part: &str, text: &str, bench: &str) -> String {
    const ANSWERS: &str = "tests:\n  - test: it is there\n    steps:\n";
    match part {
        "spec" | "simulator" => text.to_owned(),
        "tests" => format!("{bench}\ntests:\n{}", indented(text, 2)),
        "steps" => {
            format!("{bench}\ntests:\n  - test: example\n    steps:\n{}", indented(text, 6))
        }
        "points" => format!(
            "spec: example\ndevices:\n  meter:\n    points:\n{}{ANSWERS}      \
             - read: {{ device: meter, holding: 0 }}\n        answers: true\n",
            indented(text, 6)
        ),
        "devices" => {
            let names = text.lines().filter(|line| !line.starts_with([' ', '#']));
            let names = names.filter_map(|line| line.split_once(':'));
            let reads = names.map(|(name, _)| {
                format!("      - read: {{ device: {name}, holding: 0 }}\n        answers: true\n")
            });
            let reads: String = reads.collect();
            format!("spec: example\ndevices:\n{}{ANSWERS}{reads}", indented(text, 2))
        }
        other => panic!("`{other}` is no part of a spec"),
    }
}

/// A whole spec around a part; around a station file, one that runs there.
fn with_station(part: &str, text: &str, bench: &str) -> (String, Option<String>) {
    if part == "station" {
        let spec = around("steps", "- { read: meter.voltage, min: 207 }", bench);
        return (spec, Some(text.to_owned()));
    }
    (around(part, text, bench), None)
}

/// The examples of the document, its tables of refusals among them.
fn examples() -> Vec<Example> {
    let blocks = blocks(DOCUMENT);
    let bench = blocks.iter().find(|block| block.info == "yaml bench").unwrap().body;
    let mut examples = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let mut words = block.info.split(' ');
        if words.next() != Some("yaml") || block.info.contains('=') || block.info == "yaml bench" {
            continue;
        }
        let (mut part, mut expected) = ("spec", Expected::Pass);
        for word in words {
            match word {
                "fail" => expected = Expected::Fail,
                "error" => expected = Expected::Error,
                "refused" => expected = Expected::Refused,
                "simulator" => (part, expected) = (word, Expected::Checked),
                other => part = other,
            }
        }
        let quoted = blocks.get(index + 1).filter(|next| next.info == "text");
        let quoted: Vec<String> =
            quoted.map(|next| next.body.lines().map(str::to_owned).collect()).unwrap_or_default();
        assert!(expected != Expected::Refused || !quoted.is_empty(), "line {}", block.line);
        let (spec, station) = with_station(part, block.body, bench);
        examples.push(Example { line: block.line, spec, station, expected, quoted });
    }
    examples.extend(refusals(bench));
    examples
}

/// A row of a table: its line, and its cells.
type Row = (usize, Vec<&'static str>);

/// The rows of the table behind each `<!-- WHAT: NAME -->`, with the name.
fn tables(what: &str) -> Vec<(&'static str, Vec<Row>)> {
    let opening = format!("<!-- {what}: ");
    let mut tables = Vec::new();
    let lines: Vec<&str> = DOCUMENT.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix(opening.as_str()) else { continue };
        let name = name.strip_suffix(" -->").unwrap();
        let rows = lines[index + 1..].iter().skip_while(|line| line.is_empty());
        let rows = rows.take_while(|line| line.starts_with('|')).enumerate().skip(2);
        let cells = |line: &'static str| -> Vec<&'static str> {
            line.trim_matches('|').split(" | ").map(str::trim).collect()
        };
        let rows = rows.map(|(row, line)| (index + row + 3, cells(line))).collect();
        tables.push((name, rows));
    }
    tables
}

fn refusals(bench: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    for (part, rows) in tables("refused") {
        for (line, cells) in rows {
            let [text, message] = cells[..] else { panic!("line {line}: not two columns") };
            let text = text.trim_matches('`');
            let text = if matches!(part, "steps" | "tests") {
                format!("- {text}")
            } else {
                text.to_owned()
            };
            let (spec, station) = with_station(part, &text, bench);
            examples.push(Example {
                line,
                spec,
                station,
                expected: Expected::Refused,
                quoted: vec![message.to_owned()],
            });
        }
    }
    examples
}

/// Writes the files that examples name.
fn write_files(folder: &Path) {
    for block in blocks(DOCUMENT) {
        let Some((_, name)) = block.info.split_once(" file=") else { continue };
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, block.body).unwrap();
    }
}

/// What an example does otherwise than the text says.
fn deviation(folder: &Path, example: &Example) -> Option<String> {
    let Example { line, spec, station, expected, quoted } = example;
    let path = folder.join(format!("line-{line}.yaml"));
    std::fs::write(&path, spec).unwrap();
    let station = station.as_ref().map(|text| {
        let file = folder.join(format!("station-{line}.yaml"));
        std::fs::write(&file, text).unwrap();
        file
    });
    let code = match expected {
        Expected::Pass | Expected::Checked => 0,
        Expected::Fail => 1,
        Expected::Error => 3,
        Expected::Refused => {
            let given = Given { station, ..Given::new() };
            let loaded = match given.station {
                Some(_) => spec::check([path.as_path()], &given),
                None => spec::load([path.as_path()], &given),
            };
            let bench = given.station.map(|_| loaded.check_bench(|_| false, Date::ZERO).sorted());
            let found = loaded.diagnostics.sorted().into_iter().chain(bench.unwrap_or_default());
            let found: Vec<String> = found.map(|diagnostic| diagnostic.message).collect();
            return (found != *quoted).then(|| format!("line {line}: {found:#?}\n{spec}"));
        }
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    if *expected == Expected::Checked {
        command.arg("check").arg(path);
    } else {
        command.arg("run").arg(path).args(["--simulate", "--seed=1"]);
        match station {
            Some(file) => command.arg("--station").arg(file).args(["--slot=A=1", "--slot=B=2"]),
            None => command.arg("--serial=20260001"),
        };
        command.arg("--out").arg(folder.join("reports")).env("RECIPE", "A7");
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let says_so = quoted.iter().all(|line| text.contains(line.as_str()));
    let ended_so = output.status.code() == Some(code);
    (!says_so || !ended_so).then(|| format!("line {line}: {}\n{text}\n{spec}", output.status))
}

#[test]
fn every_example_does_what_the_text_says() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let examples = examples();
    for expected in
        [Expected::Pass, Expected::Fail, Expected::Error, Expected::Refused, Expected::Checked]
    {
        assert!(examples.iter().any(|example| example.expected == expected), "{expected:?}");
    }
    let deviations = examples.iter().filter_map(|example| deviation(folder.path(), example));
    let deviations: Vec<String> = deviations.collect();
    assert!(deviations.is_empty(), "{}", deviations.join("\n---\n"));
}

/// `docs/links.md` has every scheme, and for every scheme its options, and no other.
#[test]
fn every_scheme_and_option_of_links_is_described() {
    let pages = [include_str!("../docs/links.md"), DOCUMENT];
    let rows = |page: &'static str| page.lines().filter_map(|line| line.strip_prefix("| `"));
    let known = |text: &str| match text.parse::<Address>() {
        Err(
            AddressError::UnknownScheme { known, .. } | AddressError::UnknownOption { known, .. },
        ) => known,
        other => panic!("{other:?}"),
    };
    let schemes = known("x://");
    let missing: Vec<&&str> = schemes
        .iter()
        .filter(|scheme| !rows(pages[0]).any(|row| row.starts_with(&format!("{scheme}://"))))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let place = |scheme: &str| if matches!(scheme, "rtu" | "ascii") { "/dev/a" } else { "h" };
    let options: BTreeSet<&str> = schemes
        .iter()
        .flat_map(|scheme| known(&format!("{scheme}://{}?x=1", place(scheme))))
        .collect();
    let is_described = |option: &str| {
        pages.iter().any(|page| rows(page).any(|row| row.starts_with(&format!("{option}` |"))))
    };
    let missing: Vec<&&str> = options.iter().filter(|option| !is_described(option)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let described = rows(pages[0]).filter_map(|row| row.split_once("` | ").map(|(name, _)| name));
    let is_option = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
    };
    let unknown: Vec<&str> = described
        .filter(is_option)
        .filter(|name| !options.contains(name) && *name != "refused")
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A shape and all shapes inside of it, those of objects excepted.
fn shapes(shape: &'static Shape) -> Vec<&'static Shape> {
    let inside = match shape {
        Shape::List(inner) | Shape::OneOrMany(inner) | Shape::Map(inner) => vec![*inner],
        Shape::AnyOf(all) => all.iter().collect(),
        _ => Vec::new(),
    };
    [shape].into_iter().chain(inside.into_iter().flat_map(shapes)).collect()
}

/// Every object that the tables reach, by its name.
fn objects() -> BTreeMap<&'static str, &'static Object> {
    let mut objects = BTreeMap::new();
    let mut waiting = vec![&SPEC, &PROFILE, &SIMULATOR, &STATION, &SHARED_STEPS];
    while let Some(object) = waiting.pop() {
        if objects.insert(object.name, object).is_none() {
            let inside = object.fields().flat_map(|field| shapes(&field.shape));
            waiting.extend(inside.filter_map(|shape| match shape {
                Shape::Object(object) => Some(*object),
                _ => None,
            }));
        }
    }
    objects
}

/// What stands in backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_key_of_every_table_is_documented_and_no_other() {
    let mut documented: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (object, rows) in tables("keys") {
        let keys = documented.entry(object).or_default();
        keys.extend(rows.iter().flat_map(|(_, cells)| code(cells.first().unwrap())));
    }
    let objects = objects();
    assert!(objects.len() > 20, "{:?}", objects.keys());
    let keys = |object: &'static Object| object.fields().map(|field| field.key).collect();
    let known: BTreeMap<&str, BTreeSet<&str>> =
        objects.into_iter().map(|(name, object)| (name, keys(object))).collect();
    assert_eq!(documented, known);
}

#[test]
fn every_word_that_can_be_chosen_is_documented() {
    let documented: BTreeSet<&str> = DOCUMENT.lines().flat_map(code).collect();
    let fields = objects().into_values().flat_map(Object::fields);
    let choices = fields.flat_map(|field| shapes(&field.shape)).flat_map(|shape| match shape {
        Shape::Choice(words) => *words,
        _ => &[],
    });
    let choices: BTreeSet<&str> = choices.copied().collect();
    assert!(choices.contains("bcd16") && choices.contains("silent"), "{choices:?}");
    let missing: Vec<&&str> = choices.difference(&documented).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every fault kind, behaviour, event and action of a rule is used by an example that runs.
#[test]
fn whatever_a_simulation_can_do_is_done_by_an_example() {
    let runs = |block: &&markdown::Block| {
        block.info.starts_with("yaml") && !block.info.contains("refused")
    };
    let all = blocks(DOCUMENT);
    let code: String = all.iter().filter(runs).map(|block| block.body).collect();
    let objects = objects();
    let kinds = objects["fault"].fields().find(|field| field.key == "fault").unwrap();
    let kinds = shapes(&kinds.shape).into_iter().flat_map(|shape| match shape {
        Shape::Choice(words) => *words,
        _ => &[],
    });
    let kinds: Vec<String> = kinds.map(|kind| format!("fault: {kind}")).collect();
    assert_eq!(kinds.len(), 41);
    let keys =
        ["behaviour", "simulation rule", "event", "access", "lock", "override", "simulation"];
    let keys = keys.into_iter().flat_map(|name| objects[name].fields());
    let keys = keys.map(|field| format!("{}:", field.key));
    let is_used = |text: &String| {
        code.match_indices(text.as_str()).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            let behind = code[at + text.len()..].chars().next();
            let begins = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
            begins && behind.is_none_or(|c| !c.is_alphanumeric() && c != '_')
        })
    };
    let missing: Vec<String> =
        kinds.into_iter().chain(keys).filter(|text| !is_used(text)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_link_inside_the_document_has_its_heading() {
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let headings =
        DOCUMENT.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let anchors: BTreeSet<String> = headings.map(anchor).collect();
    let links: Vec<&str> =
        DOCUMENT.split("](#").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(anchors.contains(link), "#{link}");
    }
}

#[test]
fn every_bound_and_every_function_is_the_one_in_force() {
    let text = DOCUMENT.replace('\n', " ");
    for bound in [
        format!("of 1 byte to {} MiB", source::MAX_FILE_BYTES / (1024 * 1024)),
        format!("nested {} levels deep at most", yaml::MAX_DEPTH),
        format!("stand for {} 000 000 nodes at most", yaml::MAX_ALIASED_NODES / 1_000_000),
        format!("at most {} bytes long", Expression::MAX_LENGTH),
        format!("and {} levels deep", Expression::MAX_DEPTH),
    ] {
        assert!(text.contains(&bound), "{bound}");
    }
    for function in Expression::FUNCTIONS {
        assert!(text.contains(&format!("`{function}(x")), "{function}");
    }
}
