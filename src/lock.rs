//! Lines that one Passline at a time may use on a machine: serial ports, and links that are marked
//! `exclusive`. A lock is the system's, on a file of its own for each place: it ends with the process
//! that holds it, however that ends. No such file is ever removed: who waits for one would then wait
//! for another than who comes later. Knows no specs, and never prints.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::address::{Address, Place};
use passline_modbus::serial;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::record::Stamp;

/// How long a line is waited for where nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// How often who waits tries again.
const AGAIN: Duration = Duration::from_millis(50);

const SUFFIX: &str = "lock";

/// The lines that this process keeps to itself. They are free once this is dropped.
#[derive(Debug, Default)]
pub struct Locks {
    _held: Vec<Lock>,
}

#[derive(Debug)]
struct Lock(File);

/// Who has a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which one.
    pub place: String,
    /// Its process.
    pub pid: u32,
    /// What was typed to start it.
    pub command: String,
    /// Since when.
    pub since: Stamp,
}

/// A line that somebody else has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// Which one.
    pub place: String,
    /// Who; `None` if that cannot be told.
    pub holder: Option<Holder>,
}

/// Why a line is not this process's.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else had it all the time.
    #[error("{0}")]
    Busy(Busy),
    /// Nobody can be kept off it: that is no reason to go on without.
    #[error("others cannot be kept off {place}: {}: {source}", path.display())]
    Unusable {
        /// Which one.
        place: String,
        /// What is wrong.
        path: PathBuf,
        /// With it.
        source: io::Error,
    },
}

impl LockError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Busy(_) => {
                "wait until it has ended, or end it; a longer --lock-timeout waits longer"
            }
            Self::Unusable { .. } => {
                "every user of the machine must be able to write to that folder (chmod 1777); \
                 --lock-dir names another one, the same for all"
            }
        }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => write!(formatter, "{} is in use by {holder}", self.place),
            None => write!(formatter, "{} is in use by another Passline", self.place),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, pid, since, .. } = self;
        // Anybody may have written that: nothing of it moves a cursor.
        let command: String = command.chars().filter(|c| !c.is_control()).take(200).collect();
        write!(formatter, "`{command}` (process {pid}, since {since})")
    }
}

/// The folder of the locks of this machine, the same for all its users; so it is none that a variable
/// of each user's names.
pub fn folder() -> PathBuf {
    if cfg!(unix) {
        return "/tmp/passline-locks".into();
    }
    let shared = std::env::var_os("ProgramData").map(PathBuf::from);
    shared.unwrap_or_else(std::env::temp_dir).join("passline-locks")
}

/// What has to be locked before the line of an address is used; `None`: others may use it as well.
pub fn place(address: &Address) -> Option<Place> {
    let is_serial = matches!(address.place(), Place::Serial { .. });
    let is_exclusive = is_serial || address.overrides().exclusive == Some(true);
    is_exclusive.then(|| serial::resolve(address.place()))
}

impl Locks {
    /// Takes all of these places, each as soon as it is free, and calls `waits` for each that is not.
    /// Everybody takes them in the same order, so that no two wait for each other.
    ///
    /// # Errors
    ///
    /// [`LockError`]: not all of them were free within `limit`, or nothing can be locked.
    pub async fn take(
        folder: &Path,
        places: &BTreeSet<Place>,
        limit: Duration,
        mut waits: impl FnMut(&Busy),
    ) -> Result<Self, LockError> {
        let begin = Instant::now();
        let mut held = Vec::new();
        for place in places {
            let (name, path) = (place.to_string(), folder.join(file_name(place)));
            let unusable =
                |(path, source)| LockError::Unusable { place: name.clone(), path, source };
            make(folder).map_err(|source| unusable((folder.to_owned(), source)))?;
            let mut tries = 0;
            let lock = loop {
                match Lock::attempt(&path).map_err(|source| unusable((path.clone(), source)))? {
                    Some(lock) => break lock,
                    // Who looks at a lock, or is about to let it go, is in the way for a moment only.
                    None if tries == 0 => {}
                    None => {
                        let busy = Busy { place: name.clone(), holder: holder(&path) };
                        if begin.elapsed() >= limit {
                            return Err(LockError::Busy(busy));
                        }
                        if tries == 1 {
                            waits(&busy);
                        }
                    }
                }
                tries += 1;
                sleep(AGAIN).await;
            };
            held.push(lock.sign(&name).map_err(|source| unusable((path, source)))?);
        }
        Ok(Self { _held: held })
    }
}

impl Lock {
    /// `None`: somebody else has it.
    fn attempt(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return Ok(Some(Self(file))),
                // Whoever cleaned the folder up removed it meanwhile.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Says whose it is, for those who wait.
    fn sign(mut self, place: &str) -> io::Result<Self> {
        let holder = Holder {
            place: place.to_owned(),
            pid: std::process::id(),
            command: command(),
            since: Timestamp::now().into(),
        };
        self.0.set_len(0)?;
        self.0.write_all(serde_json::to_string(&holder)?.as_bytes())?;
        Ok(self)
    }
}

impl Drop for Lock {
    /// What is not said any longer is not read by who comes next. Closing the file frees it.
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

/// Who holds what at this moment.
///
/// # Errors
///
/// The folder cannot be looked at. That there is none means that nobody holds anything.
pub fn holders(folder: &Path) -> io::Result<Vec<Holder>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_lock = path.extension().is_some_and(|suffix| suffix == SUFFIX);
        let Some(file) = is_lock.then(|| existing(&path).ok()).flatten() else { continue };
        if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            found.extend(holder(&path));
        }
    }
    found.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(found)
}

/// `None`: nobody, or that cannot be told. Windows lets nobody read what is locked.
fn holder(path: &Path) -> Option<Holder> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// This process as it was started, without the path of the program.
fn command() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program =
        Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

/// One name for each place, and one that people recognise.
fn file_name(place: &Place) -> String {
    let text = place.to_string();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let readable: String = words.collect::<Vec<_>>().join("-").chars().take(60).collect();
    let sum = Sha256::digest(text.as_bytes());
    let sum = sum.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{readable}-{sum:016x}.{SUFFIX}")
}

/// The file, made if need be. Not made and opened in one go: in a folder that all may write to, the
/// system refuses that for the files of other users.
fn open(path: &Path) -> io::Result<File> {
    loop {
        match existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => return file,
        }
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => everyones(&file, 0o666)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    not_followed(&mut options);
    options.open(path)
}

/// The folder, made if need be: all may add to it, and none may remove what is another's.
fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir_all(folder.parent().unwrap_or(folder))
        .and_then(|()| fs::create_dir(folder))
    {
        Ok(()) => everyones(&File::open(folder)?, 0o1777),
        Err(_) if fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a file that was just made these rights, whatever new files get by default.
#[cfg(unix)]
fn everyones(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
fn everyones(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// A link that somebody put there would lead to any file of this user's.
#[cfg(unix)]
fn not_followed(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
}

#[cfg(not(unix))]
fn not_followed(_: &mut OpenOptions) {}

/// Whether a file still is the one at its path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let (own, there) = (file.metadata().map(identity), fs::symlink_metadata(path).map(identity));
    matches!((own, there), (Ok(own), Ok(there)) if own == there)
}

/// Nobody removes an open file there.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
