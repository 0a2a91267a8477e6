//! What the tests of all kinds of lines have in common: an account of what the observer was told, and
//! the usual requests.

pub(crate) mod chance;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use passline_modbus::{
    link::{Direction, Event, EventKind, LinkError},
    pdu::{Answer, Request, Response},
};
use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What the observer of a link was told, with the milliseconds since the test began.
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    begin: Instant,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { lines: Arc::default(), begin: Instant::now() }
    }

    pub(crate) fn observer(&self) -> impl FnMut(Event<'_>) + Send + use<> {
        let (lines, begin) = (Arc::clone(&self.lines), self.begin);
        move |event| lines.lock().unwrap().push(line(begin, &event))
    }

    /// What was told since the last time: `<ms> connected`, `<ms> closed: <why>`,
    /// `<ms> > <what> <call> <hex>` to the device, `<` from it.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }

    /// Milliseconds since the test began.
    pub(crate) fn now(&self) -> u128 {
        self.begin.elapsed().as_millis()
    }
}

fn line(begin: Instant, event: &Event<'_>) -> String {
    let at = (event.at - begin).as_millis();
    match &event.kind {
        EventKind::Connected => format!("{at} connected"),
        EventKind::Closed(reason) => format!("{at} closed: {reason}"),
        EventKind::Frame { direction, bytes, transaction, what } => {
            let arrow = if *direction == Direction::Out { '>' } else { '<' };
            let call = transaction.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let what = format!("{what:?}").to_lowercase();
            format!("{at} {arrow} {what} {call} {}", hex(bytes))
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn read(address: u16) -> Request<'static> {
    Request::ReadHoldingRegisters(address, 1)
}

pub(crate) fn write(address: u16, value: u16) -> Request<'static> {
    Request::WriteSingleRegister(address, value)
}

/// What a call that reads one register and finds `value` ends with.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
pub(crate) fn holds(value: u16) -> Result<Answer, LinkError> {
    Ok(Ok(Response::ReadHoldingRegisters(vec![value])))
}
