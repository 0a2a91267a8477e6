//! A fixed name for what has a new path each time.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A symbolic link that is removed with this.
#[derive(Debug)]
pub struct Symlink {
    name: PathBuf,
    target: PathBuf,
}

impl Symlink {
    /// Makes `name` lead to the device file `target`. A link that was left behind by a process
    /// that was killed is replaced: one that leads to a file beside the target which is gone, or
    /// which is the target.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] if anything else has that name, and what the system says.
    pub fn new(name: &Path, target: &Path) -> io::Result<Self> {
        if is_left_behind(name, target) {
            fs::remove_file(name)?;
        }
        symlink(target, name)?;
        Ok(Self { name: name.to_owned(), target: target.to_owned() })
    }
}

fn is_left_behind(name: &Path, target: &Path) -> bool {
    let Ok(old) = fs::read_link(name) else { return false };
    let is_gone = || matches!(old.metadata(), Err(error) if error.kind() == ErrorKind::NotFound);
    old.parent() == target.parent() && (old == target || is_gone())
}

impl Drop for Symlink {
    fn drop(&mut self) {
        // It may lead elsewhere by now; then it is not ours.
        if fs::read_link(&self.name).is_ok_and(|target| target == self.target) {
            let _ = fs::remove_file(&self.name);
        }
    }
}
