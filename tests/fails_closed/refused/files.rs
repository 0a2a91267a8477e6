//! Files that are no specs: refused soon, with little memory, and never by a crash.

use std::fmt::Write as _;
use std::fs::File;
use std::time::Duration;

use crate::bench::{Bench, Ended};

/// Longer than refusing any of these takes, also where everything is slow.
const SOON: Duration = Duration::from_secs(20);

/// Whether `spec.yaml` is refused soon, with these words, before anything is begun.
fn refused(bench: &Bench, says: &str) {
    let Ended { code, err, took, .. } = bench.run(&["--simulate"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.starts_with("error: ") && err.contains(says), "{says}: {err}");
    assert!(err.contains("= help: ") || err.contains(" is needed here"), "{err}");
    assert!(took < SOON, "{took:?}");
    assert!(err.len() < 100_000, "{} bytes of complaints", err.len());
    assert!(bench.is_untouched());
}

fn content(content: impl AsRef<[u8]>, says: &str) {
    let bench = Bench::new();
    bench.file("spec.yaml", content);
    refused(&bench, says);
}

#[test]
fn text_that_is_not_yaml() {
    content("spec: 'never closed\ndevices: {}\n", "this is not YAML");
    content("spec: [1, 2\ndevices: }\n", "this is not YAML");
    content("spec: s\n\tdevices: {}\n", "tabs");
    content("{ spec: s } trailing: words\n", "cannot be a key");
    content("%PDF-1.7\n%\n1 0 obj\n<< /Type /Catalog >>\n", "this is not YAML");
    content("spec: s\nspec: t\n", "twice");
    content("spec: *nobody\n", "nobody");
    content("just words", "a mapping");
    content("- a\n- list\n", "a mapping");
    content("---\nspec: one\n---\nspec: two\n", "");
}

#[test]
fn text_that_is_not_text() {
    content(b"spec: caf\xe9\n", "not UTF-8 text: byte 9 (line 1)");
    content(b"\xff\xfes\0p\0e\0c\0", "not UTF-8 text");
    content([0u8; 4096], "U+0000");
    content("spec: \u{7}\n", "U+0007");
}

#[test]
fn no_text() {
    content("", "the file is empty");
    content(" \n\n", "the file is empty");
    content("\u{feff}", "the file is empty");
    content("# only a comment\n", "");
    content("---\n", "");
    content("~\n", "");
}

#[test]
fn aliases_that_stand_for_billions() {
    let mut laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..40 {
        let below = format!("*a{}", level - 1);
        let items = vec![below; 10].join(", ");
        let _ = writeln!(laughs, "a{level}: &a{level} [{items}]");
    }
    content(format!("{laughs}spec: *a39\n"), "");
    // The same where mappings are merged, and one alias of itself.
    let mut merged = "m0: &m0 { k0: 1 }\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        let _ =
            writeln!(merged, "m{level}: &m{level} {{ <<: [*m{below}, *m{below}], a: *m{below} }}");
    }
    content(format!("{merged}spec: *m39\n"), "");
    content("spec: &s [*s]\n", "");
}

#[test]
fn nesting_deeper_than_any_stack() {
    const LEVELS: usize = 10_000;
    let deep = "nested deeper than";
    content(format!("spec: {}", "[".repeat(LEVELS)), deep);
    content(format!("spec: {}{}", "[".repeat(LEVELS), "]".repeat(LEVELS)), deep);
    content(format!("spec: {}", "{a: ".repeat(LEVELS)), deep);
    content(format!("{}x", "- ".repeat(LEVELS)), deep);
    content(format!("spec:\n  {}x", "- ".repeat(LEVELS)), deep);
    let mut block = String::new();
    for level in 0..LEVELS {
        block.push_str(&" ".repeat(level));
        block.push_str("a:\n");
    }
    content(block, deep);
    content(format!("spec: {}", "? ".repeat(LEVELS)), "");
    content(format!("spec: {}1", "!a ".repeat(LEVELS)), "");
}

#[test]
fn an_expression_nested_deeper_than_any_stack() {
    let steps = |compute: String| {
        format!(
            "spec: s\ndevices: {{ d: {{ points: {{ p: {{ holding: 0 }} }} }} }}\n\
             tests: [{{ test: t, steps: [{{ compute: '{compute}', equals: 1 }}] }}]\n"
        )
    };
    content(steps(format!("{}d.p{}", "(".repeat(1000), ")".repeat(1000))), "");
    content(steps("-".repeat(4000) + "d.p"), "");
    content(steps("(".repeat(100_000)), "");
}

#[test]
fn files_larger_than_any_spec() {
    let bench = Bench::new();
    // Sparse: nothing of it is on the disk.
    File::create(bench.path("spec.yaml")).unwrap().set_len(100 << 20).unwrap();
    refused(&bench, "larger than 64 MiB (104857600 bytes)");
}

#[test]
fn many_mistakes_are_counted_but_not_all_printed() {
    let wrong = "  - { test: t, steps: 1 }\n".repeat(20_000);
    content(format!("spec: s\ndevices: {{}}\ntests:\n{wrong}"), "more");
}

#[test]
fn files_that_are_not_there() {
    let bench = Bench::new();
    refused(&bench, "there is no such file");
    bench.file("spec.yml", "spec: s");
    refused(&bench, "did you mean `spec.yml`?");
}

#[test]
fn folders() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("spec.yaml")).unwrap();
    refused(&bench, "no specs");
    bench.file("spec.yaml/notes.txt", "no spec");
    refused(&bench, "no specs");
    // One good spec does not hide a bad one beside it.
    let good = "spec: s\ndevices: { d: { points: { p: { holding: 0 } } } }\n\
                tests: [{ test: t, steps: [{ read: d.p, equals: 0 }] }]\n";
    bench.file("spec.yaml/good.yaml", good);
    bench.file("spec.yaml/bad.yaml", "spec: [\n");
    refused(&bench, "this is not YAML");
    bench.file("spec.yaml/bad.yaml", good);
    assert_eq!(bench.run(&["--simulate"]).code, 0);
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_read() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let bench = Bench::new();
    symlink("spec.yaml", bench.path("spec.yaml")).unwrap();
    refused(&bench, "the file cannot be read");
    std::fs::remove_file(bench.path("spec.yaml")).unwrap();

    bench.file("spec.yaml", "spec: s\n");
    let nobody = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(bench.path("spec.yaml"), nobody).unwrap();
    // Whoever may read everything is not refused for this.
    if File::open(bench.path("spec.yaml")).is_err() {
        refused(&bench, "the file cannot be read");
    }
}

#[cfg(unix)]
#[test]
fn files_without_an_end() {
    let bench = Bench::new();
    std::os::unix::fs::symlink("/dev/zero", bench.path("spec.yaml")).unwrap();
    refused(&bench, "larger than 64 MiB");
}

/// A spec whose only test has this around its steps, in a bench of these other files.
fn beside(files: &[(&str, &str)], test: &str, says: &str) {
    let bench = Bench::new();
    for (name, content) in files {
        bench.file(name, content);
    }
    let spec = format!(
        "spec: s\ndevices: {{ m: {{ points: {{ v: {{ holding: 0 }} }} }} }}\ntests:\n  - test: t\n    {test}\n"
    );
    bench.file("spec.yaml", spec);
    refused(&bench, says);
}

#[test]
fn shared_steps_that_include_themselves() {
    let one = "shared_steps: one\nsteps: [{ include: two.yaml }]\n";
    let two = "shared_steps: two\nsteps: [{ include: one.yaml }]\n";
    let files = [("one.yaml", one), ("two.yaml", two)];
    beside(&files, "steps: [{ include: one.yaml }]", "`one.yaml` includes itself");
}

#[test]
fn shared_steps_that_are_none() {
    beside(&[], "steps: [{ include: gone.yaml }]", "gone.yaml");
    beside(
        &[("a.yaml", "steps: []\n")],
        "steps: [{ include: a.yaml }]",
        "`shared_steps` is missing",
    );
    let empty = "shared_steps: nothing\nsteps: []\n";
    beside(&[("a.yaml", empty)], "steps: [{ include: a.yaml }]", "there is no step here");
}

#[test]
fn tables_that_tests_cannot_go_through() {
    const STEPS: &str = "for_each: a.csv\n    steps: [{ read: m.v, max: 5 }]";
    let table = |content: &str, says: &str| beside(&[("a.csv", content)], STEPS, says);
    beside(&[], STEPS, "a.csv");
    table("a,b\n", "has no row");
    table("a,b\n1,\n", "the column `b` is empty here");
    table("a,b\n1\n", "this row has 1 cells, and the header has 2");
    table("a,b c\n1,2\n", "`b c` is no name of a variable");
    table("a,a\n1,2\n", "there twice");
}
