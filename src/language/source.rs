//! The files of one load: read once, whole, as text. The only place of `spec` that touches the
//! file system; knows nothing of YAML.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::{Diagnostic, did_you_mean};

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// How many entries of a folder are looked at to suggest a name for a file that is not there.
const MAX_SUGGESTED_FROM: usize = 1000;

/// Which file of a load. Ordered as the files were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// Where something stands: a range of bytes of one file. Ordered by file, then by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

/// One file: its path as it was asked for, and its text, byte for byte.
#[derive(Debug)]
pub struct Source {
    id: SourceId,
    path: PathBuf,
    text: String,
}

impl Source {
    /// Which file of its load this is.
    pub fn id(&self) -> SourceId {
        self.id
    }

    /// The path as it was asked for; what diagnostics and records show.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text, including a byte order mark: its bytes are the file's.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span of this file. Empty if the span is not inside it.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Line and column (in characters) of a byte, both from 1.
    pub fn line_and_column(&self, byte: u32) -> (usize, usize) {
        let mut at = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = self.text.get(..at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let in_line = before.get(line_start..).unwrap_or_default();
        (line, in_line.trim_start_matches(BYTE_ORDER_MARK).chars().count() + 1)
    }
}

pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// All files of one load, each read once however often it is named.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Arc<Source>>,
    by_path: BTreeMap<PathBuf, SourceId>,
}

impl Sources {
    /// No file yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file, or finds it among those already read or [added](Self::add).
    ///
    /// # Errors
    /// [`ReadError`] if there is no such text file of 1 byte to 64 MiB; it is never read further
    /// than that.
    pub fn read(&mut self, path: &Path) -> Result<SourceId, ReadError> {
        if let Some(id) = self.by_path.get(&lexical(path)) {
            return Ok(*id);
        }
        // A pipe has no canonical path, and can be read once all the same.
        let canonical = fs::canonicalize(path).unwrap_or_else(|_| lexical(path));
        if let Some(id) = self.by_path.get(&canonical) {
            return Ok(*id);
        }
        let text = read_text(path).map_err(|fault| ReadError { path: path.to_owned(), fault })?;
        Ok(self.keep(canonical, path, text))
    }

    /// Takes a text as if it had been read from `path`; later reads of that path find it.
    pub fn add(&mut self, path: impl AsRef<Path>, text: impl Into<String>) -> SourceId {
        self.keep(lexical(path.as_ref()), path.as_ref(), text.into())
    }

    /// The file of an id. `None` only for an id of another load.
    pub fn get(&self, id: SourceId) -> Option<&Arc<Source>> {
        self.files.get(id.0 as usize)
    }

    /// All files in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(AsRef::as_ref)
    }

    fn keep(&mut self, key: PathBuf, path: &Path, text: String) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::new(Source { id, path: path.to_owned(), text }));
        self.by_path.insert(key, id);
        id
    }
}

/// A file that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct ReadError {
    /// The file as it was asked for.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: FileFault,
}

/// What can be wrong with a file before its text is looked at.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// No such file; the name of one that is nearly called so.
    #[error("there is no such file")]
    Missing(Option<String>),
    /// A folder.
    #[error("this is a folder, not a file")]
    Folder,
    /// Larger than [`MAX_FILE_BYTES`]; the size, where it is known.
    #[error("the file is larger than 64 MiB{}", .0.map(|bytes| format!(" ({bytes} bytes)")).unwrap_or_default())]
    TooLarge(Option<u64>),
    /// No text at all.
    #[error("the file is empty")]
    Empty,
    /// Not UTF-8: the first wrong byte and its line, from 1.
    #[error(
        "the file is not UTF-8 text: byte {offset} (line {line}) does not belong to a character"
    )]
    NotUtf8 {
        /// Offset of the first wrong byte.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// The system's own words.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
}

impl ReadError {
    /// The diagnostic for the place that names the file, or for the command line (`None`).
    pub fn diagnostic(&self, named_at: Option<Span>) -> Diagnostic {
        let remedy = match &self.fault {
            FileFault::Missing(Some(name)) => format!("did you mean `{name}`?"),
            FileFault::Missing(None) => {
                "check the path: it is relative to the file that names it, or on the command line to the current folder".to_owned()
            }
            FileFault::Folder => "name a file inside it".to_owned(),
            FileFault::TooLarge(_) => "split it into several files of at most 64 MiB".to_owned(),
            FileFault::Empty => "`passline init` writes a spec to start from".to_owned(),
            FileFault::NotUtf8 { .. } => "save it with the encoding UTF-8".to_owned(),
            FileFault::Unreadable(_) => "check the path and its permissions".to_owned(),
        };
        Diagnostic::error(named_at, self.to_string()).remedy(remedy)
    }
}

fn fault_of(path: &Path, error: &io::Error) -> FileFault {
    match error.kind() {
        io::ErrorKind::NotFound => FileFault::Missing(similar_name(path)),
        io::ErrorKind::IsADirectory => FileFault::Folder,
        _ => FileFault::Unreadable(error.to_string()),
    }
}

fn similar_name(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut names: Vec<String> = entries
        .take(MAX_SUGGESTED_FROM)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let similar = did_you_mean(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(similar).display().to_string())
}

fn read_text(path: &Path) -> Result<String, FileFault> {
    let unreadable = |error: io::Error| fault_of(path, &error);
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(FileFault::Folder);
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(FileFault::TooLarge(Some(metadata.len())));
    }
    // A pipe or a growing file does not know its size: the limit holds for what is read as well.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(FileFault::TooLarge(None));
    }
    text_of(bytes)
}

fn text_of(bytes: Vec<u8>) -> Result<String, FileFault> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(offset);
        FileFault::NotUtf8 { offset, line: before.filter(|byte| **byte == b'\n').count() + 1 }
    })?;
    if text.trim_start_matches(BYTE_ORDER_MARK).trim().is_empty() {
        return Err(FileFault::Empty);
    }
    Ok(text)
}

/// A path without `.` and without `folder/..`, for texts that are in no file system.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
