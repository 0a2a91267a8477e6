//! One scan: all devices at once, each device's reads in order, as many at a time as its line
//! allows; retried, split where refused, given up where nobody answers.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use passline_modbus::link::Call;
use passline_modbus::pdu::Response;
use passline_modbus::planner;
use passline_modbus::point::Span;
use tokio::time::{Instant, sleep};

use super::Running;
use super::bench::Seat;
use super::frames::CallId;
use super::tries::{Brought, Data, Tries, Trouble, Try};
use crate::plan::{Batch, Manner, Scan};
use crate::record::{ErrorClass, Phase, Transaction};
use crate::spec::model::Device;
use crate::spec::retry::{Cause, Retry, Spent};

/// Decides whether what a probe brought is what its check wants: then it is not repeated.
pub(super) type Satisfied<'a> = &'a dyn Fn(&Brought) -> bool;

/// How the reads of a scan are repeated.
#[derive(Clone, Copy)]
pub(super) struct Manners<'a> {
    /// The retry of the scan's only check; without it each device's own.
    pub(super) retry: Option<&'a Retry>,
    /// Of the test: a stop ends it or not.
    pub(super) phase: Phase,
    /// Attempts that were made before.
    pub(super) earlier: Earlier,
    pub(super) satisfied: Satisfied<'a>,
}

/// Attempts that were made before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier {
    pub(super) spent: Spent,
    /// When the first of them began.
    pub(super) begun: Option<Instant>,
}

impl Running<'_> {
    /// Makes the reads of a scan. `done` is told the inputs and what they brought, device by
    /// device as they end.
    pub(super) async fn read(
        &self,
        scan: &Scan,
        manners: Manners<'_>,
        mut done: impl FnMut(Vec<(usize, Tries)>),
    ) {
        let batches = scan.batches.iter().map(|batch| self.read_device(scan, batch, manners));
        let mut batches: FuturesUnordered<_> = batches.collect();
        while let Some(brought) = batches.next().await {
            done(brought);
        }
    }

    /// The reads of one device. Once nobody answered one, those not yet sent are not sent.
    async fn read_device(
        &self,
        scan: &Scan,
        batch: &Batch,
        manners: Manners<'_>,
    ) -> Vec<(usize, Tries)> {
        let Some(device) = self.plan.spec.devices.get(batch.device) else { return Vec::new() };
        let Some(seat) = self.bench.seat(self.record, batch.device) else { return Vec::new() };
        let one = Reader { running: self, device, seat, manners, dead: Cell::new(None) };
        let mut waiting: VecDeque<_> = batch.reads.iter().collect();
        let mut under_way = FuturesUnordered::new();
        let mut brought = Vec::new();
        loop {
            while under_way.len() < usize::from(seat.in_flight.get()) {
                let Some((span, members)) = waiting.pop_front() else { break };
                under_way.push(one.read(scan, *span, members));
            }
            match under_way.next().await {
                Some(done) => brought.extend(done),
                None => return brought,
            }
        }
    }
}

/// Reads of one device in one scan.
struct Reader<'r> {
    running: &'r Running<'r>,
    device: &'r Device,
    seat: &'r Seat,
    manners: Manners<'r>,
    /// Why nothing more is asked, once nobody answered.
    dead: Cell<Option<ErrorClass>>,
}

impl Reader<'_> {
    /// One planned read, for each of its inputs.
    async fn read(&self, scan: &Scan, span: Span, members: &[usize]) -> Vec<(usize, Tries)> {
        let tries = self.tries(span).await;
        let input = |index: usize| scan.inputs.get(index).copied();
        let parts: Vec<(usize, Span)> =
            members.iter().filter_map(|index| Some((*index, input(*index)?.span))).collect();
        // A block that is read whole cannot be split: a part of it means something else, or nothing.
        let is_whole = self.device.map.rules.whole_around(span).is_some();
        let merged = !is_whole && parts.iter().any(|(_, part)| *part != span);
        if !(merged && refused(tries.last())) {
            let member = |(index, part)| (index, tries.of_member(span, part));
            return parts.into_iter().map(member).collect();
        }
        let mut singly: Vec<(usize, Tries)> = Vec::with_capacity(parts.len());
        for (index, part) in parts {
            let alone = self.tries(part).await;
            singly.push((index, tries.clone().split_into(alone)));
        }
        singly
    }

    /// Tries a read until it brought something, or for as often as its retry allows.
    async fn tries(&self, span: Span) -> Tries {
        let retry = self.manners.retry.unwrap_or(&self.device.retry);
        let Earlier { mut spent, begun } = self.manners.earlier;
        let begun = begun.unwrap_or_else(Instant::now);
        let mut tries: Option<Tries> = None;
        loop {
            let next = self.once(span).await;
            let unsent = next.transactions.is_empty();
            let brought = next.brought.clone();
            match &mut tries {
                // A retry that was never sent adds nothing to what was tried.
                Some(_) if unsent => {}
                Some(tries) => tries.push(next),
                none => *none = Some(Tries::new(next)),
            }
            let again = cause(&brought)
                .filter(|_| !unsent && !(self.manners.satisfied)(&brought))
                .and_then(|cause| retry.again(&mut spent, cause, begun.elapsed()));
            let Some(pause) = again else {
                let silent = brought.silent().map(|trouble| trouble.class);
                if !unsent && !(self.manners.satisfied)(&brought) && silent.is_some() {
                    self.dead.set(silent);
                }
                let now = Instant::now();
                return tries.unwrap_or_else(|| Tries::unsent(now, Brought::Stopped));
            };
            self.running.stop.unless_ended(self.manners.phase, sleep(pause)).await;
        }
    }

    /// One request, and what became of it.
    async fn once(&self, span: Span) -> Try {
        let started = Instant::now();
        let unsent = |brought| Try { started, ended: started, transactions: Vec::new(), brought };
        if self.running.stop.ends(self.manners.phase) {
            return unsent(Brought::Stopped);
        }
        if let Some(class) = self.dead.get() {
            let text = "not asked: the device did not answer".to_owned();
            return unsent(Brought::Trouble(Trouble { class, text }));
        }
        let transaction = self.running.next_transaction();
        let id = CallId { record: self.running.record, transaction }.pack();
        let transaction_of = Transaction {
            id: transaction,
            device: self.running.device_name(&self.device.name),
            link: Arc::clone(&self.seat.name),
            unit_id: self.seat.unit_id,
            frames: Vec::new(),
        };
        self.seat.frames.open(id, transaction_of);
        let (request, timeout) = (planner::request(span), self.device.response_timeout);
        let call = Call { id, unit: self.seat.unit_id, request, timeout };
        let completed = self.seat.link.call(call).await;
        let ended = Instant::now();
        self.seat.frames.close(id);
        let brought = match completed.result {
            Ok(Ok(response)) => data(response),
            Ok(Err(exception)) => Brought::Exception(exception),
            Err(error) => Brought::Trouble(Trouble::from(error)),
        };
        Try { started, ended, transactions: vec![transaction], brought }
    }
}

/// Whether a merged read was refused so that its parts may be asked for one by one (V1.1b3,
/// chapter 7: exceptions 2 and 3).
fn refused(last: &Try) -> bool {
    matches!(&last.brought, Brought::Exception(code) if matches!(u8::from(*code), 2 | 3))
}

/// What a try would be repeated for.
fn cause(brought: &Brought) -> Option<Cause> {
    match brought {
        Brought::Data(_) | Brought::Stopped => None,
        Brought::Exception(code) => Some(Cause::Class(ErrorClass::of_exception((*code).into()))),
        Brought::Trouble(trouble) => Some(Cause::Class(trouble.class)),
    }
}

fn data(response: Response) -> Brought {
    match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            Brought::Data(Data::Bits(bits))
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => {
            Brought::Data(Data::Words(words))
        }
        // The codec gives only answers of the request's own function.
        _ => Brought::Trouble(Trouble {
            class: ErrorClass::Internal,
            text: "the answer is of another function".to_owned(),
        }),
    }
}

/// Whether a span is read by itself to see what kind of answer comes.
pub(super) fn is_probe(scan: &Scan, input: usize) -> bool {
    scan.inputs.get(input).is_some_and(|input| input.manner == Manner::Probe)
}
