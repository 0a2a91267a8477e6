//! A bus of pseudo-terminals, for programs that know nothing but paths: what one says all the others
//! hear, as on RS-485. libmodbus waits for what other servers answer.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// It lasts until this is dropped and the programs have left.
pub(crate) struct Bus {
    /// The path of the client's end.
    pub(crate) client: String,
    /// The path of each server's end.
    pub(crate) servers: Vec<String>,
    /// The ends that programs open, held open: the other side of an end that nobody has open is no
    /// longer to be read from.
    _ends: Vec<File>,
}

impl Bus {
    pub(crate) fn new(servers: usize) -> Self {
        let (mut wires, mut ends, mut paths) = (Vec::new(), Vec::new(), Vec::new());
        for (wire, end, path) in (0..=servers).map(|_| terminal()) {
            wires.push(wire);
            ends.push(end);
            paths.push(path);
        }
        let all = Arc::new(Mutex::new(wires));
        for at in 0..=servers {
            carry(at, Arc::clone(&all));
        }
        let servers = paths.split_off(1);
        Self { client: paths.remove(0), servers, _ends: ends }
    }
}

/// A pseudo-terminal in raw mode: the side of the wire, the side of a program, and its path.
fn terminal() -> (File, File, String) {
    let near: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&near).unwrap();
    unlockpt(&near).unwrap();
    let path = OsString::from_vec(ptsname(&near, Vec::new()).unwrap().into_bytes());
    let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let far = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path).unwrap();
    let mut attributes = tcgetattr(&far).unwrap();
    attributes.make_raw();
    tcsetattr(&far, OptionalActions::Now, &attributes).unwrap();
    (near.into(), far, path.into_string().unwrap())
}

/// Carries what one says to all others, until its end is closed. All have heard it before an answer
/// to it is carried.
fn carry(at: usize, wires: Arc<Mutex<Vec<File>>>) {
    let mut wire = wires.lock().unwrap()[at].try_clone().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = wire.read(&mut bytes) {
            for (other, wire) in wires.lock().unwrap().iter_mut().enumerate() {
                if other != at {
                    let _ = wire.write_all(&bytes[..count]);
                }
            }
        }
    });
}
