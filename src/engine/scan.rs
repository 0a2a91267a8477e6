//! One scan: all devices at once, each device's reads in order, as many at a time as its line
//! allows; retried, split where refused, given up where nobody answers.

use std::cell::Cell;
use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use passline_modbus::inquiry::Inquiry;
use passline_modbus::point::Location;
use tokio::time::{Instant, sleep};

use super::Running;
use super::bench::Seat;
use super::bounds::Bounds;
use super::tries::{Brought, Tries, Trouble, Try};
use crate::plan::{Batch, Manner, Scan};
use crate::record::ErrorClass;
use crate::spec::model::Device;
use crate::spec::retry::{Cause, Retry, Spent};

/// Decides whether what a probe brought is what its check wants: then it is not repeated.
pub(super) type Satisfied<'a> = &'a dyn Fn(&Brought) -> bool;

/// How the reads of a scan are repeated.
#[derive(Clone, Copy)]
pub(super) struct Manners<'a> {
    /// The retry of the scan's only check; without it each device's own.
    pub(super) retry: Option<&'a Retry>,
    /// How long they may go on.
    pub(super) bounds: Bounds,
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

    /// Reads one place of a device by itself, as often as the device's retry allows.
    pub(super) async fn read_place(
        &self,
        index: usize,
        location: Location,
        bounds: Bounds,
    ) -> Option<Tries> {
        let device = self.plan.spec.devices.get(index)?;
        let seat = self.bench.seat(self.record, index)?;
        let (earlier, satisfied) = (Earlier::default(), |_: &Brought| false);
        let manners = Manners { retry: None, bounds, earlier, satisfied: &satisfied };
        let one = Reader { running: self, device, seat, manners, dead: Cell::new(None) };
        Some(one.tries(&Inquiry::new(location)).await)
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
                let Some((location, members)) = waiting.pop_front() else { break };
                under_way.push(one.read(scan, *location, members));
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
    async fn read(
        &self,
        scan: &Scan,
        location: Location,
        members: &[usize],
    ) -> Vec<(usize, Tries)> {
        let probe = members.iter().any(|member| is_probe(scan, *member));
        let inquiry = if probe { Inquiry::probe(location) } else { Inquiry::new(location) };
        let tries = self.tries(&inquiry).await;
        let input = |index: usize| scan.inputs.get(index).copied();
        let parts: Vec<(usize, Location)> =
            members.iter().filter_map(|index| Some((*index, input(*index)?.location))).collect();
        // A block that is read whole cannot be split: a part of it means something else, or nothing.
        let whole = |span| self.device.map.rules.whole_around(span);
        let is_whole = location.span().and_then(whole).is_some();
        let merged = !is_whole && parts.iter().any(|(_, part)| *part != location);
        if !(merged && refused(tries.last())) {
            let member = |(index, part)| (index, tries.of_member(location, part));
            return parts.into_iter().map(member).collect();
        }
        let mut singly: Vec<(usize, Tries)> = Vec::with_capacity(parts.len());
        for (index, part) in parts {
            let alone = self.tries(&Inquiry::new(part)).await;
            singly.push((index, tries.clone().split_into(alone)));
        }
        singly
    }

    /// Tries a read until it brought something, or for as often as its retry allows.
    async fn tries(&self, inquiry: &Inquiry) -> Tries {
        let retry = self.manners.retry.unwrap_or(&self.device.retry);
        let Earlier { mut spent, begun } = self.manners.earlier;
        let begun = begun.unwrap_or_else(Instant::now);
        let mut tries: Option<Tries> = None;
        loop {
            let next = self.once(inquiry.clone()).await;
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
            self.running.unless_over(self.manners.bounds, sleep(pause)).await;
        }
    }

    /// An inquiry from its first request to its last, and what became of it.
    async fn once(&self, mut inquiry: Inquiry) -> Try {
        let started = Instant::now();
        let mut transactions = Vec::new();
        let brought = loop {
            if self.running.stop.ends(self.manners.bounds.phase) {
                break Brought::Stopped;
            }
            if self.manners.bounds.passed() {
                let text = "not asked: the time for this step was over".to_owned();
                break Brought::Trouble(Trouble { class: ErrorClass::Timeout, text });
            }
            if let Some(class) = self.dead.get() {
                let text = "not asked: the device did not answer".to_owned();
                break Brought::Trouble(Trouble { class, text });
            }
            let whose = (self.device, self.seat);
            let (transaction, completed) = self.running.exchange(whose, inquiry.request()).await;
            transactions.push(transaction);
            match completed.result {
                Ok(answer) => {
                    if let Some(finding) = inquiry.answered(answer) {
                        break finding.into();
                    }
                }
                Err(error) => break Brought::Trouble(Trouble::from(error)),
            }
        };
        // What was never sent took no time.
        let ended = if transactions.is_empty() { started } else { Instant::now() };
        Try { started, ended, transactions, brought }
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

/// Whether a place is read by itself to see what kind of answer comes.
pub(super) fn is_probe(scan: &Scan, input: usize) -> bool {
    scan.inputs.get(input).is_some_and(|input| input.manner == Manner::Probe)
}
