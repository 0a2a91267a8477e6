//! A device that somebody else answers for: a function that may take its time. The faults of the
//! device deform what it says. It is asked in two steps, for a device has no time.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use passline_modbus::pdu::{self, Answer, ExceptionCode, Request, Response, file};

use super::{Device, Said, encode_answer};
use crate::fault::{Arrival, Asked, Course, Exchange, Reaction, Received, Shown, Transmission};

/// What a service says; `None`: nothing.
pub(crate) type Saying = Option<Answer>;

/// A service at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = Saying> + Send>>;

/// A service, whatever its types are.
#[derive(Clone)]
pub(super) struct Hosted(Arc<dyn Fn(u8, Request<'static>) -> Work + Send + Sync>);

impl Hosted {
    fn new<F, W>(answer: F) -> Self
    where
        F: Fn(u8, Request<'static>) -> W + Send + Sync + 'static,
        W: Future<Output = Saying> + Send + 'static,
    {
        let answer = Arc::new(answer);
        Self(Arc::new(move |unit_id, request| {
            let answer = Arc::clone(&answer);
            // What it does before it waits is contained as well.
            contained(Box::pin(async move { answer(unit_id, request).await }))
        }))
    }
}

/// The same, but a panic in it is an answer: the device has failed (exception 4).
fn contained(work: Work) -> Work {
    let mut work = Some(work);
    Box::pin(poll_fn(move |context| {
        let failed = Poll::Ready(Some(Err(ExceptionCode::ServerDeviceFailure)));
        let Some(going) = &mut work else { return failed };
        // What has panicked is not asked again.
        let said = catch_unwind(AssertUnwindSafe(|| going.as_mut().poll(context)));
        said.unwrap_or_else(|_| {
            // Its remains may panic as well.
            let _ = catch_unwind(AssertUnwindSafe(|| work = None));
            failed
        })
    }))
}

impl fmt::Debug for Hosted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hosted")
    }
}

/// What a device does about a request at first.
pub(crate) enum Turn {
    /// All of it.
    Reacts(Reaction),
    /// It has its service do something, and reacts to what that says.
    Asks(Question),
}

/// A request that a service is to answer.
pub(crate) struct Question {
    work: Work,
    pending: Pending,
}

/// What a device keeps of a request while its service works.
pub(crate) struct Pending {
    request: Option<Request<'static>>,
    shown: Shown,
}

impl Question {
    /// What is to be done, and what the device wants to know afterwards.
    pub(crate) fn parts(self) -> (Work, Pending) {
        (self.work, self.pending)
    }
}

impl Device {
    /// A device for which this function answers, given the unit id and the request; `None` is silence.
    /// Faults deform what it says. The device has no memory of its own and does nothing on its own:
    /// asked without an [`Endpoint`](crate::endpoint::Endpoint), it answers as one without any
    /// address.
    ///
    /// What comes over one connection is answered one after the other; over UDP, where there is no
    /// order, as it comes. Others go on meanwhile: other connections, and what other devices on this
    /// one were asked before. What a connection still waits for when it ends is dropped. If it
    /// panics, or what it says is no answer to the request, the device has failed (exception 4).
    ///
    /// Of the faults `not_stored` does not ask for the write at all, and those that need a memory do
    /// nothing: `frozen` and `old_echo`.
    pub fn answering<F, W>(answer: F) -> Self
    where
        F: Fn(u8, Request<'static>) -> W + Send + Sync + 'static,
        W: Future<Output = Option<Answer>> + Send + 'static,
    {
        Self { hosted: Some(Hosted::new(answer)), ..Self::default() }
    }

    /// What it does about one request; it may take until a service has answered.
    pub(crate) fn meet(&mut self, received: &Received<'_>, arrival: Arrival) -> Turn {
        match self.hosted.clone() {
            None => Turn::Reacts(self.react(received, arrival)),
            Some(service) => self.consult(&service, received, arrival),
        }
    }

    fn consult(&mut self, service: &Hosted, received: &Received<'_>, arrival: Arrival) -> Turn {
        self.statistics.requests += 1;
        let request = pdu::decode_request(received.pdu).map_err(|defect| defect.exception());
        let asked = match &request {
            Ok(request) => Asked::request(received.unit_id, request),
            Err(_) => Asked::unclear(received.unit_id, received.function()),
        };
        let shown = self.faults.shown(&asked, arrival.elapsed, &self.image);
        self.statistics.faults += shown.count();
        let next = match (self.faults.course(&shown, arrival), &request) {
            (Course::Ignore, _) => {
                return Turn::Reacts(Reaction::Wire(Transmission::none(shown.kinds())));
            }
            (Course::Refuse(code), _) | (_, &Err(code)) => Err(Err(code)),
            (Course::Do, Ok(request)) => Ok((service.0)(received.unit_id, request.clone())),
            (Course::Pretend, Ok(request)) => {
                pretend(service, received.unit_id, request).map_err(Ok)
            }
        };
        let pending = Pending { request: request.ok(), shown };
        match next {
            Ok(work) => Turn::Asks(Question { work, pending }),
            Err(answer) => {
                Turn::Reacts(self.conclude(pending, received, arrival.passed, Some(answer)))
            }
        }
    }

    /// What it does once its service has said this, at that time of its clients.
    pub(crate) fn conclude(
        &mut self,
        pending: Pending,
        received: &Received<'_>,
        passed: Duration,
        saying: Saying,
    ) -> Reaction {
        let Pending { request, mut shown } = pending;
        let Some(answer) = saying else {
            return Reaction::Wire(Transmission::none(shown.kinds()));
        };
        if shown.count() == 0 && self.faults.is_empty() {
            self.account(received, &answer, true);
            return Reaction::Answer(answer);
        }
        let mut sound = Vec::new();
        encode_answer(received.function(), &answer, &mut sound);
        let exchange = Exchange { received, request: request.as_ref(), replaced: None };
        let sent = self.faults.transmission(&mut shown, &exchange, sound);
        self.faults.rest(passed, sent.delay);
        match self.account(received, &answer, !sent.is_empty()) {
            Said::Mute => Reaction::Wire(Transmission::none(sent.faults)),
            Said::Out => Reaction::Wire(sent),
        }
    }
}

/// Says that something was written, and has the service do no more than read.
///
/// # Errors
/// What is said without asking it.
fn pretend(service: &Hosted, unit_id: u8, request: &Request<'static>) -> Result<Work, Response> {
    Err(match request {
        Request::WriteSingleCoil(address, bit) => Response::WriteSingleCoil(*address, *bit),
        Request::WriteSingleRegister(address, word) => {
            Response::WriteSingleRegister(*address, *word)
        }
        Request::WriteMultipleCoils(start, bits) => {
            Response::WriteMultipleCoils(*start, count(bits))
        }
        Request::WriteMultipleRegisters(start, words) => {
            Response::WriteMultipleRegisters(*start, count(words))
        }
        Request::MaskWriteRegister(address, and, or) => {
            Response::MaskWriteRegister(*address, *and, *or)
        }
        // The answer repeats the request (V1.1b3, clause 6.15).
        Request::Custom(file::WRITE, data) => {
            Response::Custom(file::WRITE, Bytes::copy_from_slice(data))
        }
        Request::ReadWriteMultipleRegisters(read, quantity, ..) => {
            let work = (service.0)(unit_id, Request::ReadHoldingRegisters(*read, *quantity));
            return Ok(Box::pin(async move {
                Some(match work.await? {
                    Ok(Response::ReadHoldingRegisters(words)) => {
                        Ok(Response::ReadWriteMultipleRegisters(words))
                    }
                    other => other,
                })
            }));
        }
        other => return Ok((service.0)(unit_id, other.clone())),
    })
}

/// How many were written; what was decoded has no more.
fn count<T>(cells: &[T]) -> u16 {
    u16::try_from(cells.len()).unwrap_or(u16::MAX)
}
