//! Reading files: every file that is none, or too large, or no text, is named with a remedy.

use std::fs::{self, File};
use std::path::Path;

use passline::language::diagnostic::{Diagnostics, Style};
use passline::language::source::Sources;
use tempfile::TempDir;

/// What is said when a file is read that cannot be.
fn refused(path: &Path) -> String {
    let mut sources = Sources::new();
    let error = sources.read(path).unwrap_err();
    let diagnostics = Diagnostics::new();
    diagnostics.push(error.diagnostic(None));
    let folder = path.parent().unwrap().display().to_string();
    diagnostics.render(&sources, Style::Plain).replace(&folder, "DIR")
}

#[test]
fn files_that_cannot_be_used_are_named_with_a_remedy() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spec.yaml");

    fs::write(&path, "").unwrap();
    let empty = "\
error: DIR/spec.yaml: the file is empty
 |
 = help: `passline init` writes a spec to start from

1 error
";
    assert_eq!(refused(&path), empty);
    fs::write(&path, "\u{feff} \r\n").unwrap();
    assert_eq!(refused(&path), empty);

    fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
    assert_eq!(
        refused(&path),
        "\
error: DIR/spec.yaml: the file is not UTF-8 text: byte 8 (line 2) does not belong to a character
 |
 = help: save it with the encoding UTF-8

1 error
"
    );
    fs::write(&path, b"a: \xe2\x82").unwrap();
    assert!(refused(&path).contains("byte 3 (line 1)"), "a character that is cut off");

    assert_eq!(
        refused(&dir.path().join("spce.yaml")),
        "\
error: DIR/spce.yaml: there is no such file
 |
 = help: did you mean `DIR/spec.yaml`?

1 error
"
    );
    assert!(refused(&dir.path().join("other")).contains("check the path"));
    assert!(refused(&path.join("x")).contains("help: check the path"));

    fs::create_dir(dir.path().join("folder")).unwrap();
    assert_eq!(
        refused(&dir.path().join("folder")),
        "\
error: DIR/folder: this is a folder, not a file
 |
 = help: name a file inside it

1 error
"
    );
}

#[test]
fn a_file_above_the_limit_is_refused_without_reading_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("big.yaml");
    File::create(&path).unwrap().set_len(100 * 1024 * 1024 * 1024).unwrap();
    assert_eq!(
        refused(&path),
        "\
error: DIR/big.yaml: the file is larger than 64 MiB (107374182400 bytes)
 |
 = help: split it into several files of at most 64 MiB

1 error
"
    );
    fs::write(&path, vec![b'#'; 64 * 1024 * 1024]).unwrap();
    Sources::new().read(&path).unwrap();
    fs::write(&path, vec![b'#'; 64 * 1024 * 1024 + 1]).unwrap();
    assert!(refused(&path).contains("(67108865 bytes)"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_does_not_know_its_size_is_not_read_for_ever() {
    assert!(refused(Path::new("/dev/zero")).contains("larger than 64 MiB\n"));
    assert!(refused(Path::new("/dev/null")).contains("the file is empty"));
}

#[test]
fn a_file_is_read_once_however_it_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spec.yaml");
    fs::write(&path, "a: 1\n").unwrap();
    let mut sources = Sources::new();
    let id = sources.read(&path).unwrap();
    fs::write(&path, "a: 2\n").unwrap();
    fs::create_dir(dir.path().join("x")).unwrap();
    assert_eq!(sources.read(&dir.path().join("x/../spec.yaml")).unwrap(), id);
    assert_eq!(sources.read(&dir.path().join("./spec.yaml")).unwrap(), id);
    assert_eq!(sources.get(id).unwrap().text(), "a: 1\n");
    assert_eq!(sources.get(id).unwrap().path(), path);
    assert_eq!(sources.iter().count(), 1);
}

#[test]
fn texts_can_stand_for_files() {
    let mut sources = Sources::new();
    let spec = sources.add("specs/a.yaml", "a: 1");
    let profile = sources.add("specs/devices/b.yaml", "b: 1");
    assert_eq!(sources.read(Path::new("specs/./devices/../devices/b.yaml")).unwrap(), profile);
    assert_eq!(sources.read(Path::new("specs/a.yaml")).unwrap(), spec);
}
