//! The README is true, and so is the page of the command line: their commands print what they quote, its excerpts are in the files that it
//! names, and every page that links to a file finds it. Run ids and times are not compared.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod markdown;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use markdown::blocks;
use regex::Regex;

const README: &str = include_str!("../README.md");
const COMMAND_LINE: &str = include_str!("../docs/command-line.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The place that the README's simulator listens at. The test takes a free port instead.
const LISTENS: &str = "127.0.0.1:5020";

/// A simulator that ends with the test.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A text without what differs from run to run.
fn masked(text: &str) -> String {
    let id = Regex::new("[^ ]*/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let time = Regex::new(r"in [0-9]+\.[0-9]{3} s").unwrap();
    let text = id.replace_all(text, "reports/ID");
    time.replace_all(&text, "in TIME s").trim_end().to_owned()
}

/// A shell of the few things that the README types.
struct Shell {
    out: tempfile::TempDir,
    simulator: Option<(Simulator, String)>,
}

impl Shell {
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
        command.current_dir(ROOT).env("PASSLINE_OUT", self.out.path());
        command
    }

    /// What a line prints. `None`: it is none of ours.
    fn print(&mut self, line: &str) -> Option<String> {
        if let Some(folder) = line.strip_prefix("ls ") {
            let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            return Some(names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("\n"));
        }
        let (line, tells_code) = match line.split_once("; ") {
            Some((line, r#"echo "exit code $?""#)) => (line, true),
            Some(_) => return None,
            None => (line, false),
        };
        let line = line.strip_prefix("passline ")?;
        if line.starts_with("simulate ") {
            return Some(self.simulate(line));
        }
        let line = match &self.simulator {
            Some((_, place)) => line.replace(LISTENS, place),
            None => line.to_owned(),
        };
        let output = self.command().args(line.split(' ')).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let code = output.status.code().unwrap();
        Some(if tells_code { format!("{text}exit code {code}") } else { text })
    }

    fn simulate(&mut self, line: &str) -> String {
        let line = line.replace(LISTENS, "127.0.0.1:0");
        let mut child =
            self.command().args(line.split(' ')).stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut printed).unwrap();
        let place = printed.split(' ').nth(2).unwrap().strip_prefix("tcp://").unwrap().to_owned();
        let printed = printed.replace(&place, LISTENS);
        self.simulator = Some((Simulator(child), place));
        printed
    }
}

#[test]
fn every_command_prints_what_the_readme_says() {
    let compared = compare(README, masked);
    assert!(compared >= 5, "{compared} commands");
}

#[test]
fn every_command_prints_what_the_page_of_the_command_line_says() {
    // Slots run at the same time: which ends first is not said.
    let in_any_order = |text: &str| {
        let masked = masked(text);
        let mut lines: Vec<&str> = masked.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert!(compare(COMMAND_LINE, in_any_order) >= 1);
}

/// How many commands of a page print what stands behind them, seen in this way.
fn compare(page: &'static str, seen: impl Fn(&str) -> String) -> usize {
    let mut shell = Shell { out: tempfile::tempdir().unwrap(), simulator: None };
    let mut compared = 0;
    for pair in blocks(page).windows(2) {
        let [typed, printed] = pair else { continue };
        if (typed.info, printed.info) != ("sh", "text") {
            continue;
        }
        let Some(found) = shell.print(typed.body) else { panic!("not tried: {}", typed.body) };
        assert_eq!(seen(&found), seen(printed.body), "line {}", typed.line);
        compared += 1;
    }
    compared
}

#[test]
fn what_the_readme_quotes_is_in_the_files() {
    let quoted = [
        ("xml", "reports/example/TEST-passline.xml"),
        ("toml", "Cargo.toml"),
        ("rust", "tests/specs.rs"),
    ];
    for (info, file) in quoted {
        let text = std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
        let quotes: Vec<_> =
            blocks(README).into_iter().filter(|block| block.info == info).collect();
        assert!(!quotes.is_empty(), "{info}");
        for quote in quotes {
            assert!(text.contains(quote.body), "line {}: not in {file}", quote.line);
        }
    }
}

#[test]
fn the_first_command_is_the_one_that_is_shown() {
    let first = blocks(README).first().unwrap().body;
    let command = first.lines().next().unwrap().strip_prefix("cargo run --release -- ").unwrap();
    let shown = format!("passline {command}; ");
    assert!(blocks(README).iter().any(|block| block.body.starts_with(&shown)), "{shown}");
}

/// The pages of the repository.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/decisions"].map(|folder| Path::new(ROOT).join(folder));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#: ]+)(#[^)]*)?\)").unwrap();
    let mut links = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let target = page.parent().unwrap().join(&found[1]);
            assert!(target.exists(), "{}: {}", page.display(), &found[1]);
            links += 1;
        }
    }
    assert!(links > 10, "{links} links");
}
