//! The map in `docs/architecture.md` holds: each part of `src` uses only what stands above it there.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};

use regex::Regex;

const PAGE: &str = include_str!("../docs/architecture.md");

/// The parts of `src`, in the order of the map.
fn parts() -> Vec<String> {
    let row = Regex::new(r"(?m)^\| `src/([a-z]+)(/|\.rs)` ").unwrap();
    row.captures_iter(PAGE).map(|found| found[1].to_owned()).collect()
}

/// All source files of a folder, or the file.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap();
    let inside = entries.flat_map(|entry| files(&entry.unwrap().path()));
    inside.filter(|file| file.extension().is_some_and(|end| end == "rs")).collect()
}

#[test]
fn the_map_names_every_part() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<String> = std::fs::read_dir(sources)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    let mut named = parts();
    found.sort();
    named.sort();
    assert_eq!(named, found);
}

#[test]
fn each_part_uses_only_what_stands_above_it() {
    let parts = parts();
    let used = Regex::new(r"\bcrate::([a-z]+)\b").unwrap();
    let mut uses = 0;
    for (place, part) in parts.iter().enumerate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(part);
        let file = folder.with_extension("rs");
        for path in files(if file.is_file() { &file } else { &folder }) {
            let text = std::fs::read_to_string(&path).unwrap();
            for found in used.captures_iter(&text) {
                let Some(other) = parts.iter().position(|other| *other == found[1]) else {
                    continue;
                };
                assert!(other <= place, "{} uses {}", path.display(), &found[1]);
                uses += 1;
            }
        }
    }
    assert!(uses > 100, "{uses} uses");
}
