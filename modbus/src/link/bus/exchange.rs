//! What is on the wire of a bus: whose each frame is, what it means for the open call, and what is
//! owed after it. No I/O; the time is told.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    debts::{Asker, Debt, Debts, Kind},
    recent::{Recent, Seen},
};
use crate::{
    framing::serial::{Defect, Frame, Mode, Part},
    link::{
        Bus, Call, CloseReason, Event, EventKind, LinkError, Malformed, What, event::Reporter,
        exchange::after, queue::is_read,
    },
    pdu::{Answer, Request, decode_answer, decode_request, decode_response},
};

/// See the module.
pub(in super::super) struct Exchange<O> {
    pub(super) bus: (Bus, Mode),
    pub(super) reporter: Reporter<O>,
    pub(super) debts: Debts,
    pub(super) asked: Option<Asked>,
    pub(super) recent: Recent,
    /// The line was caught bringing an answer twice.
    is_repeating: bool,
    /// The last frame, and the call that it was put to: what repeats it is a duplicate.
    previous: Vec<u8>,
    previous_call: Option<u64>,
}

/// The request that is on the wire.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call: u64,
    pub(super) kind: Kind,
    pub(super) request: Request<'static>,
    /// When its last byte left, and how long to wait from then on.
    pub(super) sent: Instant,
    pub(super) timeout: Duration,
    /// The line was listened to: whatever was owed has come, or never will.
    pub(super) is_listened: bool,
    /// It is among the debts already.
    is_owed: bool,
    /// What counts if nothing better comes.
    doubt: Option<Doubt>,
    /// The functions that other clients asked the same unit for meanwhile: answers to these are
    /// anybody's.
    rivals: Vec<u8>,
    late: u64,
    foreign: u64,
    damaged: u64,
}

/// What fits the request that is on the wire, but could be the answer to another one once more.
#[derive(Debug)]
struct Doubt {
    answer: Answer,
    bytes: Vec<u8>,
    /// When it came last, and how often in a row.
    at: Instant,
    copies: u32,
}

impl Doubt {
    /// Whether it is the answer if nothing better comes. Where the line is known to repeat, one copy
    /// is the other request's.
    fn counts(&self, is_repeating: bool) -> bool {
        self.copies > 1 || !is_repeating
    }
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its answer.
    Answer(Answer),
    /// What fits, but could be owed to an earlier request.
    SetAside(Answer),
    /// No answer.
    Failed(LinkError),
}

impl Asked {
    pub(super) fn new(call: &Call, kind: Kind, is_listened: bool, sent: Instant) -> Self {
        Self {
            call: call.id,
            kind,
            request: call.request.clone(),
            sent,
            timeout: call.timeout,
            is_listened,
            is_owed: false,
            doubt: None,
            rivals: Vec::new(),
            late: 0,
            foreign: 0,
            damaged: 0,
        }
    }

    fn has_rival(&self, kind: Kind) -> bool {
        self.rivals.contains(&kind.function)
    }

    /// What it means that nothing else came within the timeout.
    fn silence(&self) -> LinkError {
        let after = self.timeout;
        match self {
            Self { late: 1.., .. } => LinkError::Late { after, answers: self.late },
            Self { foreign: 1.., .. } => LinkError::Foreign { after, frames: self.foreign },
            Self { damaged: 1.., .. } => LinkError::Crc { bytes: self.damaged },
            _ => LinkError::Timeout { after },
        }
    }
}

/// The request that this is and no answer can be. Some answers repeat the request: those are answers.
fn request(pdu: &[u8]) -> Option<Request<'static>> {
    decode_request(pdu).ok().filter(|_| decode_response(pdu).is_err())
}

impl<O: FnMut(Event<'_>)> Exchange<O> {
    pub(in super::super) fn new(reporter: Reporter<O>, bus: Bus, mode: Mode) -> Self {
        Self {
            bus: (bus, mode),
            reporter,
            debts: Debts::default(),
            asked: None,
            recent: Recent::default(),
            is_repeating: false,
            previous: Vec::new(),
            previous_call: None,
        }
    }

    /// Takes what came. Returns what that means for the request that is on the wire, which is
    /// over then.
    pub(super) fn take(&mut self, part: &Part<'_>, now: Instant) -> Option<Outcome> {
        match part {
            Part::Frame(frame) => self.frame(frame, now),
            Part::Damaged { bytes, defect } => self.damaged(bytes, *defect, now),
            Part::Noise { bytes, .. } => {
                self.noise(bytes, now);
                None
            }
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, now: Instant) -> Option<Outcome> {
        let kind = Kind::new(frame.unit, *frame.pdu.first()?);
        if let Some(request) = request(frame.pdu) {
            self.rival(kind, request, now);
            self.foreign(frame.bytes, now);
            return None;
        }
        match self.asked.take() {
            Some(asked) if asked.kind.unit == frame.unit && !asked.has_rival(kind) => {
                self.answer(asked, kind, frame, now)
            }
            asked => {
                self.asked = asked;
                self.unasked(kind, frame, now);
                None
            }
        }
    }

    /// A frame of the unit that was asked.
    fn answer(
        &mut self,
        asked: Asked,
        kind: Kind,
        frame: &Frame<'_>,
        now: Instant,
    ) -> Option<Outcome> {
        let could_be_owed = self.debts.could_be(kind, frame.pdu);
        let is_repeated = self.is_repeated(frame, &asked, now);
        match decode_answer(frame.pdu, &asked.request) {
            Ok(answer) if could_be_owed && !asked.is_listened => {
                self.came(now, frame.bytes, Some(asked.call), What::SetAside);
                self.set_aside(asked, frame.pdu);
                Some(Outcome::SetAside(answer))
            }
            Ok(answer) if is_repeated && !asked.is_listened => {
                self.came(now, frame.bytes, Some(asked.call), What::Answer);
                self.doubt(asked, answer, frame.bytes, now);
                None
            }
            Ok(answer) => {
                self.is_repeating |= asked.doubt.is_some();
                self.note(frame.bytes.to_vec(), (asked.request.clone(), asked.sent), now);
                if asked.is_listened {
                    self.debts.clear(kind);
                }
                self.came(now, frame.bytes, Some(asked.call), What::Answer);
                Some(Outcome::Answer(answer))
            }
            Err(_) if could_be_owed => {
                self.asked = Some(asked);
                self.unasked(kind, frame, now);
                None
            }
            Err(defect) => {
                self.came(now, frame.bytes, Some(asked.call), What::Answer);
                // The true answer may still come.
                self.owe(&asked);
                Some(Outcome::Failed(LinkError::Frame(Malformed::Pdu(defect))))
            }
        }
    }

    /// A frame that is not the answer to what is on the wire.
    fn unasked(&mut self, kind: Kind, frame: &Frame<'_>, now: Instant) {
        // Once more the same pays nothing: the other answer may still come.
        if self.previous == frame.bytes {
            match self.previous_call {
                Some(call) => {
                    self.is_repeating = true;
                    self.came(now, frame.bytes, Some(call), What::Duplicate);
                }
                None => self.foreign(frame.bytes, now),
            }
            return;
        }
        match self.debts.pay(kind, frame.pdu) {
            Some(Debt { asker: Asker::Call(call), request, sent, .. }) => {
                self.note(frame.bytes.to_vec(), (request, sent), now);
                if let Some(asked) = &mut self.asked {
                    asked.late += 1;
                }
                self.came(now, frame.bytes, Some(call), What::Late);
            }
            Some(Debt { asker: Asker::Another, .. }) | None => self.foreign(frame.bytes, now),
        }
    }

    /// Reports a frame.
    fn came(&mut self, now: Instant, bytes: &[u8], call: Option<u64>, what: What) {
        self.previous.clear();
        self.previous.extend_from_slice(bytes);
        self.previous_call = call;
        self.reporter.came(now, bytes, call, what);
    }

    fn foreign(&mut self, bytes: &[u8], now: Instant) {
        if let Some(asked) = &mut self.asked {
            asked.foreign += 1;
        }
        self.came(now, bytes, None, What::Foreign);
    }

    /// Another client asks: the answer to that is owed like one of ours.
    fn rival(&mut self, kind: Kind, request: Request<'static>, now: Instant) {
        if kind.unit == 0 {
            return;
        }
        if let Some(asked) = self.asked.as_mut().filter(|asked| asked.kind.unit == kind.unit) {
            asked.rivals.push(kind.function);
        }
        let asker = Asker::Another;
        self.debts.owe(kind, Debt { asker, request, sent: now, timeout: Duration::ZERO });
    }

    /// What begins like the answer.
    fn damaged(&mut self, bytes: &[u8], defect: Defect, now: Instant) -> Option<Outcome> {
        let Some(asked) = self.asked.take_if(|asked| asked.rivals.is_empty()) else {
            self.noise(bytes, now);
            return None;
        };
        self.reporter.came(now, bytes, Some(asked.call), What::Damaged);
        let is_short = matches!(defect, Defect::Short { .. } | Defect::Unfinished);
        // All of it was here: that was the answer, unless an earlier one is missing.
        if is_short || self.debts.owes(asked.kind) {
            self.owe(&asked);
        }
        Some(Outcome::Failed(if is_short {
            LinkError::Frame(Malformed::Short { bytes: bytes.len() })
        } else {
            LinkError::Crc { bytes: asked.damaged + bytes.len() as u64 }
        }))
    }

    /// Bytes that are nobody's.
    pub(super) fn noise(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        if let Some(asked) = &mut self.asked {
            asked.damaged += bytes.len() as u64;
        }
        self.reporter.came(now, bytes, None, What::Garbage);
    }

    /// The time of the request on the wire is over. `reason`: why, if that is known better than by
    /// what came.
    pub(super) fn expire(&mut self, reason: Option<LinkError>) -> Option<Outcome> {
        let silence = self.asked.as_ref()?.silence();
        self.fail(reason.unwrap_or(silence))
    }

    /// The request on the wire ends without an answer, which may still come.
    pub(super) fn fail(&mut self, error: LinkError) -> Option<Outcome> {
        let asked = self.asked.take()?;
        self.owe(&asked);
        Some(Outcome::Failed(error))
    }

    /// The line repeated what was sent.
    pub(super) fn echoed(&mut self, bytes: &[u8], now: Instant) {
        let call = self.asked.as_ref().map(|asked| asked.call);
        self.reporter.came(now, bytes, call, What::Echo);
    }

    /// A write of this kind is over. If it `is_answered` then nothing is missing any more.
    pub(super) fn settled(&mut self, kind: Kind, is_answered: bool) {
        if is_answered {
            self.debts.clear(kind);
        }
        self.asked = None;
    }

    pub(super) fn closed(&mut self, reason: &CloseReason, now: Instant) {
        self.reporter.report(now, EventKind::Closed(reason.clone()));
    }

    fn owe(&mut self, asked: &Asked) {
        if !asked.is_owed {
            let Asked { call, sent, timeout, .. } = *asked;
            let (asker, request) = (Asker::Call(call), asked.request.clone());
            self.debts.owe(asked.kind, Debt { asker, request, sent, timeout });
        }
    }

    /// Whether these bytes answered another request a short while ago: then they may have come
    /// twice.
    fn is_repeated(&mut self, frame: &Frame<'_>, asked: &Asked, now: Instant) -> bool {
        self.recent.forget(now.checked_sub(asked.timeout).unwrap_or(now));
        let is_refusal = frame.pdu.first().is_some_and(|function| *function >= 0x80);
        if is_refusal && self.bus.0.trusts_refusals && !self.is_repeating {
            return false;
        }
        self.recent.has_other(frame.bytes, &asked.request)
    }

    /// Keeps what could be another request's answer once more.
    fn doubt(&mut self, asked: Asked, answer: Answer, bytes: &[u8], at: Instant) {
        self.is_repeating |= asked.doubt.is_some();
        let same = asked.doubt.as_ref().filter(|doubt| doubt.bytes == bytes);
        let copies = 1 + same.map_or(0, |doubt| doubt.copies);
        let doubt = Some(Doubt { answer, bytes: bytes.to_vec(), at, copies });
        self.asked = Some(Asked { doubt, ..asked });
    }

    /// How long to listen for the answer that is due by `deadline`: shorter, or longer, where
    /// something came that counts if nothing better does.
    pub(super) fn listens_until(&self, deadline: Instant) -> Instant {
        let doubt = self.asked.as_ref().and_then(|asked| asked.doubt.as_ref());
        match doubt.filter(|doubt| doubt.counts(self.is_repeating)) {
            Some(doubt) => after(doubt.at, self.recent.patience()),
            None => deadline,
        }
    }

    /// Nothing better came than what was in doubt, if anything was: that is the answer.
    pub(super) fn believe(&mut self) -> Option<Answer> {
        let is_repeating = self.is_repeating;
        let asked = self.asked.as_mut()?;
        let doubt = asked.doubt.take_if(|doubt| doubt.counts(is_repeating))?;
        let Asked { request, sent, .. } = self.asked.take()?;
        self.note(doubt.bytes, (request, sent), doubt.at);
        Some(doubt.answer)
    }

    fn note(&mut self, bytes: Vec<u8>, (request, sent): (Request<'static>, Instant), at: Instant) {
        let took = at.saturating_duration_since(sent);
        self.recent.note(Seen { request, bytes, at, took });
    }

    /// One answer came, one more request is out: whichever it belongs to, as many are missing.
    fn set_aside(&mut self, mut asked: Asked, pdu: &[u8]) {
        self.owe(&asked);
        asked.is_owed = true;
        self.debts.pay(asked.kind, pdu);
        // What else comes for a write is looked at in the same way.
        if !is_read(&asked.request) {
            self.asked = Some(asked);
        }
    }
}
