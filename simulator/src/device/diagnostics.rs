//! What a device counts of its line and of itself: functions 08, 0B and 0C (V1.1b3, clauses 6.8 to
//! 6.10). Kept by devices on which a counter is declared; the others have only the loopback of 08.

use std::collections::VecDeque;

use passline_modbus::pdu::counter::Counter;
use passline_modbus::pdu::diagnostics::{Diagnostic, EventCounter, EventLog};
use passline_modbus::pdu::{Answer, ExceptionCode, Request};

/// Events of the log: a request came in, an answer went out, and what became of the port.
const RECEIVED: u8 = 0x80;
const SENT: u8 = 0x40;
const LISTENING: u8 = 0x20;
const ENTERED_LISTENING: u8 = 0x04;
const RESTARTED: u8 = 0x00;
const CORRUPT: u8 = 0x02;

/// The data of a restart that clears the log, too.
const CLEAR_LOG: u16 = 0xFF00;

/// The counters of a device, its diagnostic register and its log of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    counts: [u16; Counter::ALL.len()],
    /// Requests carried out.
    events: u16,
    /// The latest first.
    log: VecDeque<u8>,
    /// Nothing is done and nothing answered until a restart.
    listen_only: bool,
    /// The answer to what is being done is not sent.
    is_mute: bool,
}

impl Diagnostics {
    /// A counter, or the diagnostic register.
    pub fn get(&self, counter: Counter) -> u16 {
        self.counts.get(counter as usize).copied().unwrap_or_default()
    }

    /// Sets a counter, or the diagnostic register.
    pub(crate) fn set(&mut self, counter: Counter, count: u16) {
        if let Some(own) = self.counts.get_mut(counter as usize) {
            *own = count;
        }
    }

    fn count(&mut self, counter: Counter) {
        self.set(counter, self.get(counter).wrapping_add(1));
    }

    /// Counts a message that was on the line: to this device or to another, or a corrupt one.
    pub(crate) fn overheard(&mut self, corrupt: bool) {
        self.count(Counter::BusMessages);
        if corrupt {
            self.count(Counter::BusErrors);
            self.note(RECEIVED | CORRUPT);
        }
    }

    /// Counts a request to this device in. `false`: the device only listens, and does nothing.
    pub(super) fn received(&mut self, pdu: &[u8]) -> bool {
        self.count(Counter::BusMessages);
        self.count(Counter::Messages);
        self.note(RECEIVED);
        let is_done = !self.listen_only || is_restart(pdu);
        if !is_done {
            self.unanswered();
        }
        is_done
    }

    /// Counts a request that gets no answer.
    pub(super) fn unanswered(&mut self) {
        self.is_mute = false;
        self.count(Counter::NoResponse);
    }

    /// Counts what was done about a request of this function. `false`: the answer is not sent.
    pub(super) fn answered(&mut self, function: u8, answer: &Answer) -> bool {
        if self.is_mute {
            self.unanswered();
            return false;
        }
        match answer {
            Ok(_) if function == EventCounter::FUNCTION => {}
            Ok(_) => self.events = self.events.wrapping_add(1),
            Err(code) => {
                self.count(Counter::Exceptions);
                match u8::from(*code) {
                    6 => self.count(Counter::Busy),
                    7 => self.count(Counter::Nak),
                    _ => {}
                }
            }
        }
        self.note(SENT | sent(answer));
        true
    }

    fn note(&mut self, event: u8) {
        let listening =
            if self.listen_only && event & (RECEIVED | SENT) != 0 { LISTENING } else { 0 };
        self.log.push_front(event | listening);
        self.log.truncate(EventLog::MAX_EVENTS);
    }

    /// Functions 08, 0B and 0C.
    pub(super) fn handle(&mut self, request: &Request<'_>) -> Answer {
        match request {
            Request::Custom(EventCounter::FUNCTION, _) => {
                Ok(EventCounter { status: 0, events: self.events }.response())
            }
            Request::Custom(EventLog::FUNCTION, _) => {
                let log = EventLog {
                    status: 0,
                    events: self.events,
                    messages: self.get(Counter::BusMessages),
                    log: self.log.iter().copied().collect(),
                };
                log.response().map_err(|_| ExceptionCode::ServerDeviceFailure)
            }
            request => {
                let asked = Diagnostic::try_from(request).map_err(|defect| defect.exception())?;
                self.diagnose(asked)
            }
        }
    }

    /// Function 08: first its sub-function (exception 1), then its data (exception 3).
    fn diagnose(&mut self, mut asked: Diagnostic) -> Answer {
        let counter = Counter::of_sub_function(asked.sub_function);
        let allowed: &[u16] = match asked.sub_function {
            Diagnostic::RETURN_QUERY_DATA => return Ok(asked.response()),
            Diagnostic::RESTART_COMMUNICATIONS => &[0, CLEAR_LOG],
            Diagnostic::FORCE_LISTEN_ONLY
            | Diagnostic::CLEAR_COUNTERS
            | Diagnostic::CLEAR_OVERRUN => &[0],
            _ if counter.is_some() => &[0],
            _ => return Err(ExceptionCode::IllegalFunction),
        };
        let data = match asked.data[..] {
            [data] if allowed.contains(&data) => data,
            _ => return Err(ExceptionCode::IllegalDataValue),
        };
        match asked.sub_function {
            Diagnostic::RESTART_COMMUNICATIONS => self.restart(data == CLEAR_LOG),
            Diagnostic::FORCE_LISTEN_ONLY => {
                self.listen_only = true;
                self.is_mute = true;
                self.note(ENTERED_LISTENING);
            }
            Diagnostic::CLEAR_OVERRUN => self.set(Counter::Overrun, 0),
            Diagnostic::CLEAR_COUNTERS => {
                self.clear();
                self.set(Counter::Register, 0);
            }
            _ => asked.data = counter.map(|counter| self.get(counter)).into_iter().collect(),
        }
        Ok(asked.response())
    }

    fn restart(&mut self, clears_log: bool) {
        self.is_mute = std::mem::take(&mut self.listen_only);
        self.clear();
        if clears_log {
            self.log.clear();
        }
        self.note(RESTARTED);
    }

    /// Clears all counters, but not the diagnostic register.
    fn clear(&mut self) {
        let register = self.get(Counter::Register);
        self.counts = [0; Counter::ALL.len()];
        self.set(Counter::Register, register);
        self.events = 0;
    }
}

/// Whether a request restarts the communication: the only one that a listening device carries out.
fn is_restart(pdu: &[u8]) -> bool {
    matches!(pdu, [Diagnostic::FUNCTION, 0, 1, ..])
}

/// What the log says of an answer beside that it was sent.
fn sent(answer: &Answer) -> u8 {
    match answer.as_ref().map_err(|code| u8::from(*code)) {
        Err(1..=3) => 0x01,
        Err(4) => 0x02,
        Err(5 | 6) => 0x04,
        Err(7) => 0x08,
        _ => 0,
    }
}
