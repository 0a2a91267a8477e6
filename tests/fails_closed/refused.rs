//! What is refused before anything runs: each mistake with its place and a remedy, all mistakes of
//! a file at once, and nothing left behind.

use std::fmt::Write as _;

use crate::bench::{Bench, Ended};

mod arguments;
mod files;
mod specs;

/// Files with what must be complained about between `⟦` and `⟧`, and what is said of each, in
/// order. `spec.yaml` is the file that is run.
struct Refused {
    files: Vec<(&'static str, String)>,
    says: Vec<&'static str>,
}

/// A place that must be shown.
struct Place {
    file: &'static str,
    line: usize,
    column: usize,
    /// How many characters the caret marks.
    width: usize,
    source: String,
}

/// The text without marks, and where they were.
fn marked(file: &'static str, text: &str) -> (String, Vec<Place>) {
    let (mut plain, mut places, mut open) = (String::new(), Vec::new(), None);
    for c in text.chars() {
        match c {
            '⟦' => open = Some(plain.len()),
            '⟧' => {
                let start: usize = open.take().unwrap();
                let line_start = plain[..start].rfind('\n').map_or(0, |at| at + 1);
                places.push(Place {
                    file,
                    line: plain[..start].matches('\n').count() + 1,
                    column: plain[line_start..start].chars().count() + 1,
                    width: plain[start..].lines().next().unwrap_or("").chars().count(),
                    source: plain[line_start..].lines().next().unwrap_or("").to_owned(),
                });
            }
            c => plain.push(c),
        }
    }
    // A line is complete only now.
    for place in &mut places {
        plain.lines().nth(place.line - 1).unwrap_or("").clone_into(&mut place.source);
    }
    (plain, places)
}

/// What of a diagnostic is missing, if anything.
fn missing(shown: &str, place: &Place, says: &str) -> Option<String> {
    let title = shown.lines().next()?;
    let at = format!(" --> {}:{}:{}", place.file, place.line, place.column);
    let source = format!("{} | {}", place.line, place.source);
    let caret = |line: &str| {
        let mark = line.trim_start_matches([' ', '|']);
        let width = mark.chars().take_while(|c| *c == '^').count();
        width == place.width.max(1)
    };
    // What is needed may be said first.
    let remedy = |line: &str| line.contains(" is needed here") || line.contains("= help: ");
    let checks = [
        ("what it says", title.starts_with("error: ") && title.contains(says)),
        ("its place", shown.lines().any(|line| line.trim_start() == at.trim_start())),
        ("its source line", shown.contains(source.trim_end())),
        ("a caret", shown.lines().any(caret)),
        ("a remedy", shown.lines().any(remedy)),
    ];
    let missing: Vec<&str> = checks.iter().filter(|(_, ok)| !ok).map(|(what, _)| *what).collect();
    (!missing.is_empty()).then(|| format!("{at} lacks {}:\n{shown}", missing.join(", ")))
}

/// Why the files are not refused as they should be.
fn complaint(refused: &Refused) -> Option<String> {
    let bench = Bench::new();
    let mut places = Vec::new();
    for (file, text) in &refused.files {
        let (plain, marks) = marked(file, text);
        bench.file(file, plain);
        places.extend(marks);
    }
    assert_eq!(places.len(), refused.says.len(), "marks and messages: {:?}", refused.says);
    let Ended { code, err, .. } = bench.run(&["--simulate"]);
    let mut complaint = String::new();
    if code != 2 || !bench.is_untouched() {
        let _ = writeln!(complaint, "exit code {code}, evidence {}", !bench.is_untouched());
    }
    let shown: Vec<&str> = err.split("\n\n").filter(|part| part.starts_with("error")).collect();
    if shown.len() != places.len() {
        let _ = writeln!(complaint, "{} diagnostics, not {}", shown.len(), places.len());
    }
    for (place, says) in places.iter().zip(&refused.says) {
        let reports = shown.iter().map(|shown| missing(shown, place, says));
        // The one that comes closest.
        let least = reports.min_by_key(|missing| missing.as_ref().map_or(0, String::len));
        if let Some(missing) = least.unwrap_or_else(|| Some("nothing was said".to_owned())) {
            let _ = writeln!(complaint, "{missing}");
        }
    }
    (!complaint.is_empty()).then(|| format!("{}\n{complaint}{err}", refused.files[0].1))
}

fn all_are_refused(table: &[Refused]) {
    let complaints: Vec<String> = table.iter().filter_map(complaint).collect();
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n----\n")
    );
}
