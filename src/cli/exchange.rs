//! One link for a command without a spec: open it, ask one thing at a time, say what went wrong
//! and what to do about it. Nothing is asked twice.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use passline_modbus::address::Address;
use passline_modbus::framing::Framing;
use passline_modbus::link::{Call, ConnectError, Event, Link, LinkError, Options};
use passline_modbus::pdu::{ExceptionCode, Request, Response};

use super::exit::Exit;
use super::signals::Signals;
use super::terminal;
use crate::judge::exception;

/// How long to wait for an answer where nobody says.
const TIMEOUT: Duration = Duration::from_secs(1);

/// An open line, and how long its devices may take.
pub(super) struct Exchange {
    link: Link,
    timeout: Duration,
    calls: Cell<u64>,
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The device refuses.
    Exception(ExceptionCode),
    /// The wire misbehaved.
    Link(LinkError),
}

impl Exchange {
    /// The line at `address`; the first request connects. `timeout` is stronger than what the
    /// address says.
    pub(super) fn open(
        address: &Address,
        timeout: Option<Duration>,
        observer: impl FnMut(Event<'_>) + Send + 'static,
    ) -> Self {
        Self::treated(address, Options::of(address), timeout, observer)
    }

    /// The same for who asks for address after address, and is refused most of them.
    pub(super) fn searching(
        address: &Address,
        timeout: Option<Duration>,
        observer: impl FnMut(Event<'_>) + Send + 'static,
    ) -> Self {
        let options = Options::of(address);
        let discipline = options.discipline.searching();
        Self::treated(address, Options { discipline, ..options }, timeout, observer)
    }

    fn treated(
        address: &Address,
        options: Options,
        timeout: Option<Duration>,
        observer: impl FnMut(Event<'_>) + Send + 'static,
    ) -> Self {
        let link = Link::open(address, options, observer);
        let timeout = timeout.or(address.overrides().response_timeout).unwrap_or(TIMEOUT);
        Self { link, timeout, calls: Cell::new(0) }
    }

    /// Sends one request to a unit, once.
    pub(super) async fn ask(
        &self,
        unit: u8,
        request: Request<'static>,
    ) -> Result<Response, Failure> {
        let completed = self.link.call(self.call(unit, request)).await;
        completed.result.map_err(Failure::Link)?.map_err(Failure::Exception)
    }

    /// Sends one write to all units of a serial line, once. Nobody answers.
    pub(super) async fn tell_all(&self, request: Request<'static>) -> Result<(), Failure> {
        self.link.broadcast(self.call(0, request)).await.map(drop).map_err(Failure::Link)
    }

    fn call(&self, unit: u8, request: Request<'static>) -> Call {
        let id = self.calls.get() + 1;
        self.calls.set(id);
        Call { id, unit, request, timeout: self.timeout }
    }

    /// Closes the line cleanly.
    pub(super) async fn close(&self) {
        self.link.close().await;
    }
}

impl Failure {
    /// What to do about it, where there is something to do.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Exception(code) => match u8::from(*code) {
                0x01 => Some("the device has no such function: try another table or --function"),
                0x02 => Some(
                    "addresses count from 0: 40001 of a manual mostly is holding:0, 30001 input:0",
                ),
                0x03 => Some("the device takes no such value, or not so many at once"),
                0x05 | 0x06 => Some("the device is busy: ask again later"),
                0x0A | 0x0B => Some("the gateway reaches no such unit: see `passline scan`"),
                _ => None,
            },
            Self::Link(LinkError::Timeout { .. }) => Some(
                "is the device on, is its unit id right, are the line settings? see `passline scan`",
            ),
            Self::Link(LinkError::Late { .. }) => {
                Some("the device is slow: a longer --timeout helps")
            }
            Self::Link(LinkError::Connect(ConnectError::Refused)) => {
                Some("nobody listens there, or the device takes no more clients")
            }
            Self::Link(LinkError::Connect(
                ConnectError::PortBusy { .. }
                | ConnectError::PermissionDenied { .. }
                | ConnectError::NoSuchPort { .. },
            )) => {
                Some("`passline doctor` says what ports there are, who may open and who holds them")
            }
            Self::Link(_) => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception(code) => {
                write!(formatter, "the device answered with {}", exception::named(*code))
            }
            Self::Link(error) => write!(formatter, "{error} [{}]", error.class()),
        }
    }
}

/// Whether a unit id can be that of one device on the line.
///
/// # Errors
/// Why not.
pub(super) fn check_unit(address: &Address, unit: u8) -> Result<(), String> {
    if address.framing() == Framing::Mbap || (1..=247).contains(&unit) {
        return Ok(());
    }
    let why = if unit == 0 { "0 is all devices at once" } else { "248 to 255 are reserved" };
    Err(format!("--unit-id {unit}: devices on a serial line have 1 to 247; {why}"))
}

/// Says that a command failed, and gives its exit code.
pub(super) fn failed(text: &str, remedy: Option<&str>, exit: Exit) -> Exit {
    terminal::aside(&format!("error: {text}"));
    if let Some(remedy) = remedy {
        terminal::aside(&format!("  help: {remedy}"));
    }
    exit
}

/// What asks this command to end.
///
/// # Errors
/// Nothing can; that has been said.
pub(super) fn signals() -> Result<Signals, Exit> {
    Signals::new().map_err(|error| failed(&error.to_string(), None, Exit::Error))
}

/// A command that ends at once when it is interrupted.
pub(super) async fn interruptible(command: impl Future<Output = Exit>) -> Exit {
    let mut signals = match signals() {
        Ok(signals) => signals,
        Err(exit) => return exit,
    };
    tokio::select! {
        exit = command => exit,
        _ = signals.next() => failed("interrupted", None, Exit::Aborted),
    }
}

/// Runs a command that waits.
pub(super) fn block_on(command: impl Future<Output = Exit>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(command);
            // A name that is still being looked up keeps nobody waiting.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            failed(&format!("the system gives no event loop: {error}"), None, Exit::Error)
        }
    }
}
