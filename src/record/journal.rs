//! `events.jsonl`: every event is on the disk before it is shown.
//!
//! One thread takes events as they come, writes all that are waiting, syncs once, and only then
//! passes them on to the display and to the fold. A disk that fails loses no measurement: the run
//! becomes an error and goes on in memory.

use std::{
    fs::{self, File},
    io::{self, BufRead, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, mpsc},
    thread::{self, JoinHandle},
};

use thiserror::Error;
use uuid::Uuid;

use super::{Event, Fold, FoldError, Line, Outcome, RunDocument};

/// The name of the journal in the folder of its run.
pub const EVENTS: &str = "events.jsonl";

/// Bytes that are written and synced at once, at most.
const GROUP: usize = 1 << 20;

/// Evidence that could not be written.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// Another run's evidence is there.
    #[error("`{}` exists already: evidence of another run is never overwritten", .0.display())]
    Exists(PathBuf),
    /// Only a regular file can be replaced.
    #[error("`{}` is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The events contradict each other: a defect of Passline.
    #[error("the run's events do not make a record: {0}")]
    Events(#[from] FoldError),
    /// Something cannot be serialised: a defect of Passline.
    #[error("the run cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The thread that keeps the journal is gone: a defect of Passline.
    #[error("the journal stopped before the run")]
    Stopped,
}

impl EvidenceError {
    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Exists(_) => "choose another --out or another --seed",
            Self::NotAFile(_) => "name a file, or a new name in an existing folder",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "choose a place that you may write to, for example with --out"
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "make room, or choose another disk with --out"
                }
                _ => "check the path and the disk, or choose another place with --out",
            },
            Self::Events(_) | Self::Json(_) | Self::Stopped => {
                "this is a defect of Passline: please report it"
            }
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Makes the folder of the run `run_id` in `out`, which is made too if need be.
///
/// # Errors
///
/// When it exists, or cannot be made.
pub fn create_run_folder(out: &Path, run_id: Uuid) -> Result<PathBuf, EvidenceError> {
    fs::create_dir_all(out).map_err(EvidenceError::io("make the folder", out))?;
    let folder = out.join(run_id.to_string());
    match fs::create_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(EvidenceError::Exists(folder));
        }
        made => made.map_err(EvidenceError::io("make the folder", &folder))?,
    }
    sync_folder(out)?;
    Ok(folder)
}

/// Makes the names in `folder` last. Windows cannot open a folder, and does so by itself.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), EvidenceError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(EvidenceError::io("sync the folder", folder))?;
    }
    Ok(())
}

/// The journal of a run that is under way.
#[derive(Debug)]
pub struct Journal {
    events: mpsc::Sender<Event>,
    keeper: JoinHandle<Fold>,
    lost: Arc<OnceLock<EvidenceError>>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Evidence {
    /// The account of the run. Its outcome is an error, at least, if something was lost.
    pub document: RunDocument,
    /// What of it could not be written.
    pub lost: Option<EvidenceError>,
}

impl Journal {
    /// Begins `events.jsonl` in `folder`. Each event is passed to `shown` as soon as it is safe,
    /// on the journal's own thread.
    ///
    /// # Errors
    ///
    /// When the file exists, or cannot be made.
    pub fn open(
        folder: &Path,
        shown: impl FnMut(&Line) + Send + 'static,
    ) -> Result<Self, EvidenceError> {
        let path = folder.join(EVENTS);
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(EvidenceError::Exists(path));
            }
            made => made.map_err(EvidenceError::io("make the file", &path))?,
        };
        sync_folder(folder)?;
        Self::over(file, path, shown)
    }

    fn over(
        file: File,
        path: PathBuf,
        shown: impl FnMut(&Line) + Send + 'static,
    ) -> Result<Self, EvidenceError> {
        let (events, waiting) = mpsc::channel();
        let lost = Arc::new(OnceLock::new());
        let spawn = EvidenceError::io("start the writer of", &path);
        let keeper =
            Keeper { file, path, whole: true, shown, lost: Arc::clone(&lost), fold: Fold::new() };
        let keeper = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || keeper.keep(&waiting))
            .map_err(spawn)?;
        Ok(Self { events, keeper, lost })
    }

    /// Hands over the next event. Never waits.
    pub fn emit(&self, event: Event) {
        if self.events.send(event).is_err() {
            let _ = self.lost.set(EvidenceError::Stopped);
        }
    }

    /// The first thing that could not be written, as soon as it is known.
    pub fn lost(&self) -> Option<&EvidenceError> {
        self.lost.get()
    }

    /// Waits until everything handed over is written, and gives the account of the run.
    ///
    /// # Errors
    ///
    /// When the events make no record at all.
    pub fn finish(self) -> Result<Evidence, EvidenceError> {
        drop(self.events);
        let fold = self.keeper.join().map_err(|_| EvidenceError::Stopped)?;
        let mut document = fold.finish()?;
        let lost = Arc::into_inner(self.lost).and_then(OnceLock::into_inner);
        if lost.is_some() {
            document.worsen(Outcome::Error)?;
        }
        Ok(Evidence { document, lost })
    }
}

struct Keeper<S> {
    file: File,
    path: PathBuf,
    /// Nothing is missing in the file so far.
    whole: bool,
    shown: S,
    lost: Arc<OnceLock<EvidenceError>>,
    fold: Fold,
}

impl<S: FnMut(&Line)> Keeper<S> {
    fn keep(mut self, waiting: &mpsc::Receiver<Event>) -> Fold {
        let mut seq = 0;
        let mut bytes = Vec::new();
        let mut group = Vec::new();
        while let Ok(first) = waiting.recv() {
            let mut next = Some(first);
            while let Some(event) = next {
                seq += 1;
                group.push(self.append(Line { seq, event }, &mut bytes));
                next = if bytes.len() < GROUP { waiting.try_recv().ok() } else { None };
            }
            self.write(&bytes);
            bytes.clear();
            group.drain(..).for_each(|line| self.pass_on(line));
        }
        self.fold
    }

    fn append(&mut self, line: Line, bytes: &mut Vec<u8>) -> Line {
        let before = bytes.len();
        match serde_json::to_writer(&mut *bytes, &line) {
            Ok(()) => bytes.push(b'\n'),
            Err(error) => {
                bytes.truncate(before);
                self.whole = false;
                self.lose(error.into());
            }
        }
        line
    }

    fn write(&mut self, bytes: &[u8]) {
        // What follows a gap would not be a prefix.
        if !self.whole {
            return;
        }
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.whole = false;
            self.lose(EvidenceError::io("write", &self.path)(source));
        }
    }

    fn pass_on(&mut self, line: Line) {
        (self.shown)(&line);
        if let Err(error) = self.fold.apply(line.event) {
            self.lose(error.into());
        }
    }

    /// Keeps the first error: the later ones are mostly its consequences.
    fn lose(&self, error: EvidenceError) {
        let _ = self.lost.set(error);
    }
}

/// A journal that cannot be read.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The system refused.
    #[error("cannot read the events: {0}")]
    Io(#[from] io::Error),
    /// A line is no event.
    #[error("line {line} is no event: {source}")]
    Line {
        /// From 1.
        line: u64,
        /// Why.
        source: serde_json::Error,
    },
    /// Events are missing or were put in.
    #[error("line {line} has the number {seq}")]
    Gap {
        /// From 1.
        line: u64,
        /// The number of its event.
        seq: u64,
    },
    /// An event cannot follow the ones before it.
    #[error("line {line}: {source}")]
    Event {
        /// From 1.
        line: u64,
        /// Why.
        source: FoldError,
    },
    /// The events make no record.
    #[error(transparent)]
    Record(#[from] FoldError),
}

/// Reads `events.jsonl` and makes the account of the run, which is aborted if the run did not
/// come to its end. A last line without its line break was being written when the run was killed:
/// it was never shown, and is left out.
///
/// # Errors
///
/// Lines that no run writes.
pub fn replay(mut events: impl BufRead) -> Result<RunDocument, ReplayError> {
    let mut fold = Fold::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        events.read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            break;
        }
        let Line { seq, event } =
            serde_json::from_slice(&bytes).map_err(|source| ReplayError::Line { line, source })?;
        if seq != line {
            return Err(ReplayError::Gap { line, seq });
        }
        fold.apply(event).map_err(|source| ReplayError::Event { line, source })?;
    }
    Ok(fold.finish()?)
}

#[cfg(test)]
mod tests;
