//! One request that writes: sent, judged, repeated only where the device cannot have done it or the
//! spec says so, and read back.

use passline_modbus::change::{Change, Part, Way};
use passline_modbus::inquiry::Data;
use passline_modbus::link::LinkError;
use passline_modbus::pdu::{ExceptionCode, Request};
use passline_modbus::point::{Raw, Reading, Span};
use passline_modbus::value::Value;
use tokio::time::{Instant, sleep};

use crate::engine::Running;
use crate::engine::bench::Seat;
use crate::engine::bounds::Bounds;
use crate::engine::evaluate::LATE;
use crate::engine::tries::{Brought, Trouble};
use crate::judge::{Judgement, Observed};
use crate::record::{ErrorClass, Json, Measurement};
use crate::spec::model::{Device, Reply};
use crate::spec::retry::{Cause, Retry, Spent};

/// What is written, and how.
pub(super) struct Sending<'a> {
    /// Index of the device.
    pub(super) device: usize,
    pub(super) parts: &'a [Part],
    pub(super) change: &'a Change,
    pub(super) reply: &'a Reply,
    pub(super) verify: bool,
    pub(super) repeats: Repeats<'a>,
    pub(super) bounds: Bounds,
}

/// When a request is sent again.
#[derive(Clone, Copy)]
pub(super) enum Repeats<'a> {
    /// As the device's retry says, but only where the device cannot have done it.
    Undone,
    /// As the step's own retry says.
    Own(&'a Retry),
    /// As the device's retry says: twice is the same as once.
    Any,
    /// Never: what follows does as well.
    Never,
}

/// What became of a request: every time it was sent.
pub(super) struct Sent {
    pub(super) tries: Vec<Try>,
    /// Whether the device may have done it.
    pub(super) may_be_done: bool,
}

/// What became of it one time.
pub(super) struct Try {
    pub(super) started: Instant,
    pub(super) ended: Instant,
    pub(super) transactions: Vec<u64>,
    /// One for each part; none if the run was stopped before it was sent.
    pub(super) judged: Vec<JudgedPart>,
}

/// What became of one value.
pub(super) struct JudgedPart {
    pub(super) judgement: Judgement,
    /// What was read back.
    pub(super) measurement: Option<Measurement>,
}

/// What came of a request.
enum Came {
    /// It was not sent: the run was stopped.
    Stopped,
    /// This, and nothing is to be read back.
    Answer(Observed),
    /// It was done, and this is what was read then.
    ReadBack(Data),
    /// It was done, and could not be read back.
    Unread(Trouble),
}

/// The codes after which a device may have done what it was asked for: it failed on the way, is
/// still at it, or a gateway does not know.
const MAYBE: [u8; 3] = [0x04, ACKNOWLEDGE, 0x0B];

/// The device has accepted the request and is still at it (V1.1b3, chapter 7).
const ACKNOWLEDGE: u8 = 0x05;

impl Running<'_> {
    /// Sends a request, and again where it may be.
    pub(super) async fn send(&self, sending: &Sending<'_>) -> Sent {
        let mut sent = Sent { tries: Vec::new(), may_be_done: false };
        let whose = self.plan.spec.devices.get(sending.device);
        let Some(device) = whose else { return sent };
        let Some(seat) = self.bench.seat(self.record, sending.device) else { return sent };
        let (mut spent, begun) = (Spent::default(), Instant::now());
        loop {
            let (started, mut transactions) = (Instant::now(), Vec::new());
            let (came, may_be_done) =
                self.send_once(sending, (device, seat), &mut transactions).await;
            sent.may_be_done |= may_be_done;
            let (stopped, again) = (matches!(came, Came::Stopped), may_repeat(&came));
            let ended = if transactions.is_empty() { started } else { Instant::now() };
            let judged =
                if stopped { Vec::new() } else { sending.judged(&came, may_be_done, ended) };
            let cause = judged.iter().find_map(|part| cause(&part.judgement));
            // A time that was never sent adds nothing to those that were.
            if !stopped || sent.tries.is_empty() {
                sent.tries.push(Try { started, ended, transactions, judged });
            }
            let retry = match sending.repeats {
                Repeats::Own(retry) => Some(retry),
                Repeats::Any => Some(&device.retry),
                Repeats::Never => None,
                Repeats::Undone => Some(&device.retry).filter(|_| !may_be_done),
            };
            let pause = retry.zip(cause).and_then(|(retry, cause)| {
                retry.again(&mut spent, cause, begun.elapsed()).filter(|_| again)
            });
            let Some(pause) = pause.filter(|_| !self.is_over(sending.bounds)) else { return sent };
            self.unless_over(sending.bounds, sleep(pause)).await;
        }
    }

    /// Sends a request once: what came of it, and whether the device may have done it.
    async fn send_once(
        &self,
        sending: &Sending<'_>,
        (device, seat): (&Device, &Seat),
        transactions: &mut Vec<u64>,
    ) -> (Came, bool) {
        let nothing = |class, text| (Came::Answer(Observed::NoAnswer { class, text }), false);
        if self.stop.ends(sending.bounds.phase) {
            return (Came::Stopped, false);
        }
        if sending.bounds.passed() {
            let text = "not written: the time for this step was over".to_owned();
            return nothing(ErrorClass::Timeout, text);
        }
        let request = match self.request(sending, transactions).await {
            Ok(Some(request)) => request,
            Ok(None) => return (Came::Stopped, false),
            Err(Trouble { class, text }) => {
                let text = format!("not written: the other bits could not be read: {text}");
                return nothing(class, text);
            }
        };
        let (observed, may_be_done) = if let Reply::Nothing = sending.reply {
            let (transaction, sent) = self.tell_all((device, seat), request).await;
            transactions.push(transaction);
            match sent {
                Ok(_) => (Observed::Acknowledged, true),
                Err(error) => {
                    let may_be_done = !is_unsent(&error);
                    (no_answer(error), may_be_done)
                }
            }
        } else {
            let (transaction, completed) = self.exchange((device, seat), request).await;
            transactions.push(transaction);
            let was_sent = completed.sent.is_some();
            match completed.result {
                Ok(Ok(_)) => (Observed::Acknowledged, true),
                Ok(Err(code)) => (Observed::Exception(code), MAYBE.contains(&u8::from(code))),
                Err(error) => (no_answer(error), was_sent),
            }
        };
        if !(sending.verify && observed == Observed::Acknowledged) {
            return (Came::Answer(observed), may_be_done);
        }
        let came = match self.data(sending, sending.change.span(), transactions).await {
            Ok(Some(data)) => Came::ReadBack(data),
            Ok(None) => {
                let text = "the run was stopped".to_owned();
                Came::Unread(Trouble { class: ErrorClass::Internal, text })
            }
            Err(trouble) => Came::Unread(trouble),
        };
        (came, true)
    }

    /// The request, from what is there now if some of it is to stay. `None`: stopped.
    async fn request(
        &self,
        sending: &Sending<'_>,
        transactions: &mut Vec<u64>,
    ) -> Result<Option<Request<'static>>, Trouble> {
        let merge = match sending.change.way() {
            Way::Request(request) => return Ok(Some(request.clone())),
            Way::Merge(merge) => merge,
        };
        let Some(data) = self.data(sending, merge.span(), transactions).await? else {
            return Ok(None);
        };
        let merged = match data {
            Data::Words(words) => merge.request(&words),
            Data::Bits(_) | Data::Bytes(_) => None,
        };
        let text = || "the answer holds no such registers".to_owned();
        merged.map(Some).ok_or_else(|| Trouble { class: ErrorClass::Internal, text: text() })
    }

    async fn data(
        &self,
        sending: &Sending<'_>,
        span: Span,
        transactions: &mut Vec<u64>,
    ) -> Result<Option<Data>, Trouble> {
        let (read, data) = self.present(sending.device, span, sending.bounds).await;
        transactions.extend(read);
        data
    }

    /// What is at a place now, and the transactions that it took to know. `None`: stopped.
    pub(super) async fn present(
        &self,
        device: usize,
        span: Span,
        bounds: Bounds,
    ) -> (Vec<u64>, Result<Option<Data>, Trouble>) {
        let Some(tries) = self.read_place(device, span.into(), bounds).await else {
            return (Vec::new(), Ok(None));
        };
        let data = match &tries.last().brought {
            Brought::Data(data) => Ok(Some(data.clone())),
            Brought::Stopped => Ok(None),
            Brought::Trouble(trouble) => Err(trouble.clone()),
            Brought::Exception(code) => Err(refusal(*code)),
        };
        (tries.transactions(), data)
    }
}

fn refusal(code: ExceptionCode) -> Trouble {
    let text = format!("the device answered {}", crate::judge::exception::named(code));
    Trouble { class: ErrorClass::of_exception(code.into()), text }
}

fn no_answer(error: LinkError) -> Observed {
    let Trouble { class, text } = Trouble::from(error);
    Observed::NoAnswer { class, text }
}

/// Whether nothing of the request went out.
fn is_unsent(error: &LinkError) -> bool {
    matches!(error, LinkError::Connect(_) | LinkError::Babble { .. } | LinkError::Request(_))
}

/// Whether it makes sense to send it again: not while the device is still at it.
fn may_repeat(came: &Came) -> bool {
    !matches!(came, Came::Answer(Observed::Exception(code)) if u8::from(*code) == ACKNOWLEDGE)
}

/// What a request would be sent again for.
fn cause(judgement: &Judgement) -> Option<Cause> {
    match judgement {
        Judgement::Pass { .. } | Judgement::Recorded => None,
        Judgement::Fail { .. } => Some(Cause::Limit),
        Judgement::Error { class, .. } => Some(Cause::Class(*class)),
    }
}

impl Sending<'_> {
    /// What came of it for each of its values.
    fn judged(&self, came: &Came, may_be_done: bool, ended: Instant) -> Vec<JudgedPart> {
        let late = self.bounds.has_passed_at(ended);
        let judged = self.parts.iter().map(|part| {
            let (mut judgement, measurement) = self.judgement(part, came, may_be_done);
            if late && judgement.error_class().is_none() {
                let (class, message) = (ErrorClass::Timeout, LATE.to_owned());
                judgement = Judgement::Error { class, message };
            }
            JudgedPart { judgement, measurement }
        });
        judged.collect()
    }

    fn judgement(
        &self,
        part: &Part,
        came: &Came,
        may_be_done: bool,
    ) -> (Judgement, Option<Measurement>) {
        let error = |class, message| (Judgement::Error { class, message }, None);
        match came {
            Came::Answer(observed) => (self.of_answer(observed, may_be_done), None),
            Came::Unread(Trouble { class, text }) => {
                error(*class, format!("written, but not read back: {text}"))
            }
            Came::ReadBack(data) => match own(part, self.change.span(), data) {
                Some(raw) => read_back(part, &raw),
                None => error(
                    ErrorClass::Internal,
                    "written, but not read back: the answer does not cover the point".to_owned(),
                ),
            },
            Came::Stopped => error(ErrorClass::Internal, "the run was stopped".to_owned()),
        }
    }

    fn of_answer(&self, observed: &Observed, may_be_done: bool) -> Judgement {
        let judgement = match self.reply {
            Reply::Judged(criteria) => match criteria.limits(&unread) {
                Ok(limits) => limits.judge(observed, None),
                Err(judgement) => judgement,
            },
            Reply::Acknowledged | Reply::Nothing => observed.as_written(),
        };
        match judgement {
            Judgement::Error { class, message } if may_be_done => {
                let still_at_it = matches!(observed, Observed::Exception(code)
                    if u8::from(*code) == ACKNOWLEDGE);
                let doubt = if still_at_it {
                    "it has accepted the write, and is still at it"
                } else {
                    "the device may have written it or not"
                };
                Judgement::Error { class, message: format!("{message}: {doubt}") }
            }
            other => other,
        }
    }
}

/// What the kind of an answer is judged by names no point.
fn unread(name: &str) -> Result<Value, Judgement> {
    let message = format!("{name} was not read");
    Err(Judgement::Error { class: ErrorClass::Internal, message })
}

/// The registers of a part among those of all.
pub(super) fn own(part: &Part, whole: Span, data: &Data) -> Option<Raw<'static>> {
    let own = data.part(whole, part.point().span()?)?;
    own.raw().map(Raw::into_owned)
}

/// Whether what was read back is what was written.
fn read_back(part: &Part, raw: &Raw<'static>) -> (Judgement, Option<Measurement>) {
    let (value, shown) = match part.decode(raw) {
        Ok(Reading::Value(value)) => (Some(Json::from(&value)), value.to_string()),
        Ok(Reading::Invalid) => (None, "no value".to_owned()),
        Err(_) => (None, words_of(raw)),
    };
    let measurement = Measurement { value, ..measured(part, raw) };
    if part.is_in(raw) {
        return (Judgement::PASS, Some(measurement));
    }
    let wrote = part.value().map_or_else(|| words_of(part.raw()), ToString::to_string);
    let message = format!("wrote {wrote}, reads back {shown}");
    (Judgement::fail(message), Some(measurement))
}

/// What a part writes, for the record.
pub(super) fn written(part: &Part) -> Measurement {
    Measurement { value: part.value().map(Json::from), ..measured(part, part.raw()) }
}

fn measured(part: &Part, raw: &Raw<'_>) -> Measurement {
    Measurement {
        value: None,
        unit: part.point().unit().map(Into::into),
        raw: words(raw).into(),
        beside: [].into(),
        saved: std::collections::BTreeMap::new(),
    }
}

fn words(raw: &Raw<'_>) -> Vec<u16> {
    match raw {
        Raw::Bit(bit) => vec![u16::from(*bit)],
        Raw::Registers(words) => words.to_vec(),
        Raw::Bytes(bytes) => bytes.iter().map(|byte| u16::from(*byte)).collect(),
    }
}

/// Raw registers for people.
pub(super) fn words_of(raw: &Raw<'_>) -> String {
    let words: Vec<String> = words(raw).iter().map(|word| format!("0x{word:04X}")).collect();
    words.join(" ")
}
