//! Programs that steps run: started without a shell in a process group of their own, listened to
//! without end but kept within bounds, and ended, all of the group, when their time is over.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use passline_modbus::value::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::outside::{Done, Told};
use crate::engine::bounds::Bounds;
use crate::engine::check::milliseconds;
use crate::engine::{Running, Simulate};
use crate::record::{ErrorClass, Output};
use crate::spec::model::Run;

/// How much is kept of each of the two streams that a program writes.
const KEPT: usize = 1 << 20;

/// How much of that goes into the record.
const RECORDED: usize = 64 << 10;

/// How long a program that is told to end may take, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long what it left behind may still write after its end.
const LINGER: Duration = Duration::from_millis(500);

/// How a program ended.
enum End {
    Exited(ExitStatus),
    /// It was ended from here; whether it had to be killed.
    Ended {
        killed: bool,
    },
    /// Nobody knows.
    Lost(String),
}

impl Running<'_> {
    /// Runs a program to its end, or to that of its time.
    pub(super) async fn program(&self, run: &Run, bounds: Bounds) -> Done {
        if self.stop.ends(bounds.phase) {
            return Done::new(Told::Stopped);
        }
        let is_simulated = self.options.simulate == Simulate::All;
        if let Some(stdout) = run.simulated.clone().filter(|_| is_simulated) {
            let exit = run.exit.first().copied().unwrap_or_default();
            let output =
                Output { exit: Some(exit), stdout: cut(&stdout, 0), stderr: String::new() };
            return Done { output: Some(output), ..concluded(run, exit, &stdout, "") };
        }
        let begun = Instant::now();
        let mut child = match start(run, self.plan.spec.file.file.parent()) {
            Ok(child) => child,
            Err(error) => {
                let text = format!("`{}` cannot be run: {error}", run.program);
                return Done::nothing(ErrorClass::Io, text);
            }
        };
        let group = Group::of(&child);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut out, mut err) = (Kept::default(), Kept::default());
        let end = {
            let listening = async { tokio::join!(out.read(stdout), err.read(stderr)) };
            let mut listening = pin!(listening);
            let ending = self.end_of(&mut child, group, bounds);
            let mut ending = pin!(ending);
            let mut heard_all = false;
            let end = loop {
                tokio::select! {
                    end = &mut ending => break end,
                    _ = &mut listening, if !heard_all => heard_all = true,
                }
            };
            if !heard_all {
                // What it left behind may hold its output open for ever.
                let _ = timeout(LINGER, listening).await;
            }
            end
        };
        let exit = match &end {
            End::Exited(status) => status.code(),
            End::Ended { .. } | End::Lost(_) => None,
        };
        let done = match end {
            End::Exited(status) => match status.code() {
                Some(exit) => concluded(run, exit, &out.text(), &err.text()),
                None => Done::nothing(ErrorClass::Io, format!("a signal ended it: {status}")),
            },
            End::Ended { .. } if self.stop.ends(bounds.phase) => Done::new(Told::Stopped),
            End::Ended { killed } => {
                let how =
                    if killed { "and was killed: it ignores SIGTERM" } else { "and was ended" };
                let time = Duration::from_millis(milliseconds(begun.elapsed()));
                let text =
                    format!("it was not done within its time ({time:?} with its end), {how}");
                Done::nothing(ErrorClass::Timeout, text)
            }
            End::Lost(error) => Done::nothing(ErrorClass::Io, error),
        };
        let output = Output { exit, stdout: out.recorded(), stderr: err.recorded() };
        Done { output: Some(output), ..done }
    }

    /// Waits for the end of a program, and sees to it when its time is over.
    async fn end_of(&self, child: &mut Child, mut group: Group, bounds: Bounds) -> End {
        let mut ended = None;
        self.unless_over(bounds, async { ended = Some(child.wait().await) }).await;
        let end = match ended {
            Some(Ok(status)) => End::Exited(status),
            Some(Err(error)) => End::Lost(format!("its end was lost: {error}")),
            None => {
                group.ask_to_end();
                let killed = timeout(GRACE, child.wait()).await.is_err();
                // Whoever of its group is left is ended as well.
                group.kill();
                if killed {
                    let _ = child.start_kill();
                    let _ = timeout(GRACE, child.wait()).await;
                }
                End::Ended { killed }
            }
        };
        group.is_done = true;
        end
    }
}

/// Starts a program in the folder of its spec.
fn start(run: &Run, folder: Option<&Path>) -> std::io::Result<Child> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::path::absolute(folder.unwrap_or(Path::new(".")))?;
    let is_path = Path::new(&run.program).components().count() > 1;
    // A path is relative to the spec; a name alone is looked up.
    let program = if is_path { folder.join(&run.program) } else { PathBuf::from(&run.program) };
    let mut command = Command::new(program);
    command.args(&run.arguments).current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// What became of a program that ended by itself.
fn concluded(run: &Run, exit: i32, stdout: &str, stderr: &str) -> Done {
    if !run.exit.contains(&exit) {
        let said =
            stderr.lines().chain(stdout.lines()).map(str::trim).rfind(|line| !line.is_empty());
        let said = said.map(|line| format!(": {line}")).unwrap_or_default();
        let expected: Vec<String> = run.exit.iter().map(ToString::to_string).collect();
        let message = format!("exit status {exit}, not {}{said}", expected.join(" or "));
        let value = run.capture.is_none().then(|| Value::Number(exit.into()));
        Done::new(Told::Refused(message, value))
    } else if let Some(capture) = &run.capture {
        match capture.of(stdout) {
            Ok(value) => Done::value(value),
            Err(why) => Done::nothing(ErrorClass::Decode, why),
        }
    } else {
        Done::value(Value::Number(exit.into()))
    }
}

/// What of a stream is kept.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// How many bytes more there were.
    more: u64,
}

impl Kept {
    /// Reads to the end, whatever it takes: a program that writes on must not be held up.
    async fn read(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut piece = vec![0; 16 << 10];
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            let piece = piece.get(..length).unwrap_or_default();
            let (keep, drop) = piece.split_at(piece.len().min(KEPT - self.bytes.len()));
            self.bytes.extend_from_slice(keep);
            self.more += drop.len() as u64;
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn recorded(&self) -> String {
        cut(&self.text(), self.more)
    }
}

/// A text as far as the record keeps it, and how much more there was.
fn cut(text: &str, more: u64) -> String {
    let at = text.floor_char_boundary(RECORDED);
    let (head, rest) = text.split_at(at);
    match rest.len() as u64 + more {
        0 => head.to_owned(),
        more => format!("{head}\n… and {more} bytes more, which are not kept"),
    }
}

/// The process group of a program. Where nobody waits for its end any more, it is killed.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
    is_done: bool,
}

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { id: id.and_then(rustix::process::Pid::from_raw), is_done: false }
    }

    fn ask_to_end(&self) {
        self.send(rustix::process::Signal::TERM);
    }

    fn kill(&self) {
        self.send(rustix::process::Signal::KILL);
    }

    fn send(&self, signal: rustix::process::Signal) {
        if let Some(id) = self.id {
            // A group that is gone needs no signal.
            let _ = rustix::process::kill_process_group(id, signal);
        }
    }
}

/// Elsewhere only the program itself can be ended; that its handle is dropped does it.
#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self { is_done: false }
    }

    fn ask_to_end(&self) {}

    fn kill(&self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_done {
            self.kill();
        }
    }
}
