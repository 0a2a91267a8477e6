//! Files that are there whole or not at all: a temporary file in the same folder, synced, and
//! given its name at the end.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::record::{EvidenceError, sync_folder};

/// Writes a new file.
///
/// # Errors
///
/// When `path` exists, or cannot be written. There is then no file that was not there before.
pub fn create(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EvidenceError> {
    match written(path, write)?.persist_noclobber(path) {
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(EvidenceError::Exists(path.to_owned()))
        }
        Err(failed) => Err(EvidenceError::io("name the file", path)(failed.error)),
        Ok(_) => sync_folder(folder_of(path)),
    }
}

/// Writes the file that the user named, in place of one that may be there.
///
/// # Errors
///
/// When `path` is something other than a file, or cannot be written. What was there is then
/// untouched.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EvidenceError> {
    let path = &replaceable(path)?;
    let named = written(path, write)?.persist(path);
    named.map_err(|failed| EvidenceError::io("replace", path)(failed.error))?;
    sync_folder(folder_of(path))
}

/// Writes a file that is there anew, with the permissions that it has.
///
/// # Errors
///
/// Those of [`replace`], and when the file may not be written to.
pub fn rewrite(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EvidenceError> {
    let path = &replaceable(path)?;
    let permissions = fs::metadata(path).map_err(EvidenceError::io("write", path))?.permissions();
    if permissions.readonly() {
        // A new name over it would not ask.
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        return Err(EvidenceError::io("write", path)(error));
    }
    let file = written(path, write)?;
    let kept = file.as_file().set_permissions(permissions);
    kept.map_err(EvidenceError::io("set the permissions of", path))?;
    file.persist(path).map_err(|failed| EvidenceError::io("replace", path)(failed.error))?;
    sync_folder(folder_of(path))
}

/// Finds out before a long run whether [`replace`] will be able to write `path`.
///
/// # Errors
///
/// Those of [`replace`].
pub fn probe(path: &Path) -> Result<(), EvidenceError> {
    temporary(&replaceable(path)?).map(drop)
}

/// The path to rename over. A link stays a link to what is replaced; a folder, a pipe or a device
/// stays what it is.
fn replaceable(path: &Path) -> Result<PathBuf, EvidenceError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            fs::canonicalize(path).map_err(EvidenceError::io("resolve", path))
        }
        Ok(_) => Err(EvidenceError::NotAFile(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !names_a_file(path) => {
            Err(EvidenceError::NotAFile(path.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder_of(path);
            fs::create_dir_all(folder).map_err(EvidenceError::io("make the folder", folder))?;
            Ok(path.to_owned())
        }
        Err(error) => Err(EvidenceError::io("write", path)(error)),
    }
}

/// `reports/` and an empty path name no file.
fn names_a_file(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    last.is_some_and(|&byte| !std::path::is_separator(char::from(byte)))
}

fn written(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<NamedTempFile, EvidenceError> {
    let mut out = BufWriter::with_capacity(1 << 16, temporary(path)?);
    write(&mut out).map_err(EvidenceError::io("write", path))?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error);
    let file = file.map_err(EvidenceError::io("write", path))?;
    file.as_file().sync_all().map_err(EvidenceError::io("sync", path))?;
    Ok(file)
}

fn temporary(path: &Path) -> Result<NamedTempFile, EvidenceError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".passline-");
    // Temporary files are for their owner alone; reports are for whom the umask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(path)).map_err(EvidenceError::io("write", path))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        create(&path, |out| out.write_all(b"first")).unwrap();
        let again = create(&path, |out| out.write_all(b"second")).unwrap_err();
        assert!(matches!(again, EvidenceError::Exists(_)));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["run.json"]);
    }

    #[test]
    fn what_breaks_in_the_middle_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        replace(&path, |out| out.write_all(b"first")).unwrap();
        let broken = replace(&path, |out| {
            out.write_all(&vec![b'x'; 100_000])?;
            Err(io::Error::other("the disk went away"))
        });
        let error = broken.unwrap_err().to_string();
        assert!(error.contains("report.xml") && error.contains("the disk went away"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, |out| out.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["report.xml"]);
    }

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/");
        for path in [folder.path(), &missing, Path::new("/"), Path::new("")] {
            let refused = replace(path, |out| out.write_all(b"x")).is_err();
            assert!(refused, "{path:?}");
            assert!(probe(path).is_err(), "{path:?}");
        }
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn missing_folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/report.xml");
        probe(&path).unwrap();
        assert!(names(&folder.path().join("a/b")).is_empty());
        replace(&path, |out| out.write_all(b"x")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_left_alone_and_links_stay_links() {
        assert!(matches!(probe(Path::new("/dev/null")), Err(EvidenceError::NotAFile(_))));
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "first").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace(&link, |out| out.write_all(b"second")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"second");
    }

    #[cfg(unix)]
    #[test]
    fn reports_are_for_whom_the_umask_says() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours"));
        fs::write(&plain, "").unwrap();
        create(&ours, |_| Ok(())).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&plain), mode(&ours));
    }
}
