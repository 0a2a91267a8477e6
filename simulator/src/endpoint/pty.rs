//! A pseudo-terminal as a wire: clients open its far end by path, come and go, and find nothing of
//! what others have left there. Knows nothing of frames.
//!
//! While nobody has the far end open, it is held open here: reading from the near end would fail
//! otherwise. As soon as a client speaks it is let go, because only then the system says when the
//! last client has left. What was not read by then is thrown away, as it is on a serial port that
//! nobody has open: else the next client would take it for an answer of its own.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::OFlags;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr,
};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The near end of a pseudo-terminal, as a stream that never ends.
///
/// Writing never waits: what nobody is there to read, or what a client does not read in time, is
/// lost, as on a wire.
#[derive(Debug)]
pub struct Pty {
    near: AsyncFd<OwnedFd>,
    /// The far end, while no client is known to have it open.
    far: Option<File>,
    path: PathBuf,
}

impl Pty {
    /// A new pseudo-terminal, in raw mode.
    ///
    /// # Errors
    ///
    /// What the system says; there may be none left.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime that does I/O.
    pub fn new() -> io::Result<Self> {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&near)?;
        unlockpt(&near)?;
        ioctl_fionbio(&near, true)?;
        let path = ptsname(&near, Vec::new())?;
        let path = PathBuf::from(OsString::from_vec(path.into_bytes()));
        let far = Some(hold(&path)?);
        Ok(Self { near: register(near)?, far, path })
    }

    /// The path of the far end, for clients to open.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All clients have left: the far end is as it was at first.
    fn abandoned(&mut self) -> io::Result<()> {
        self.far = Some(hold(&self.path)?);
        // That a client has left stays true for tokio until the file is registered anew.
        self.near = register(self.near.get_ref().try_clone()?)?;
        Ok(())
    }
}

#[expect(deprecated, reason = "its successor is unsafe, for files that others may close: not this")]
fn register(near: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(near)
}

/// Opens the far end, empty and raw.
fn hold(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap_or_default();
    let far = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    let mut attributes = tcgetattr(&far)?;
    attributes.make_raw();
    tcsetattr(&far, OptionalActions::Now, &attributes)?;
    tcflush(&far, QueueSelector::IFlush)?;
    Ok(far)
}

impl AsyncRead for Pty {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.near.poll_read_ready(context))?;
            let read = guard
                .try_io(|near| Ok(rustix::io::read(near.get_ref(), buffer.initialize_unfilled())?));
            match read {
                Ok(Ok(count @ 1..)) => {
                    buffer.advance(count);
                    if let Some(far) = self.far.take() {
                        // A client that locked the terminal and is killed would leave it locked.
                        let _ = ioctl_tiocnxcl(&far);
                    }
                    return Poll::Ready(Ok(()));
                }
                Ok(Ok(0)) => self.abandoned()?,
                Ok(Err(error)) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    self.abandoned()?;
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                // Not ready after all.
                Err(_) => {}
            }
        }
    }
}

impl AsyncWrite for Pty {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.far.is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Poll::Ready(match rustix::io::write(self.near.get_ref(), bytes) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::IO) => Ok(bytes.len()),
            Err(error) => Err(error.into()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
