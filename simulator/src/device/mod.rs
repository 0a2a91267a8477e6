//! One simulated unit: its image, and what it answers. No clock, no I/O: the time is told to it,
//! and what it says is for others to send.

mod beyond;
mod diagnostics;
mod hosted;
mod memory;
#[cfg(feature = "service")]
mod service;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use passline_modbus::pdu::diagnostics::{EventCounter, EventLog, ExceptionStatus};
use passline_modbus::pdu::{self, Answer, ExceptionCode, Request, Response, fifo, file};
use passline_modbus::point::Table;

use crate::access::{Access, Admission, Gate, Touched, UnitIds};
use crate::fault::{
    Arrival, Asked, Course, Exchange, Fault, Faults, Kind, Manners, Reaction, Received, Seed,
    Shown, Transmission,
};
use crate::image::{Beyond, Image};
use crate::program::{Program, Script};
pub use diagnostics::Diagnostics;
use hosted::Hosted;
pub(crate) use hosted::{Pending, Question, Saying, Turn};
#[cfg(feature = "service")]
pub use service::ServiceRequest;

/// Function code of Diagnostics, which has no variant of its own in [`Request`].
const DIAGNOSTICS: u8 = 0x08;

/// Function code of Report Server ID.
const SERVER_ID: u8 = 0x11;

/// Function code of Encapsulated Interface Transport, whose type 0E is the device identification.
const IDENTIFICATION: u8 = 0x2B;

/// One simulated unit.
#[derive(Debug, Default)]
pub struct Device {
    image: Image,
    /// Its deviations at requests.
    faults: Faults,
    /// Its deviations at connections, if it has any.
    connections: Option<Box<Faults>>,
    statistics: Statistics,
    /// What it does on its own, if it does anything.
    program: Option<Box<Program>>,
    /// What it refuses of what its memory could do, if it refuses anything.
    gate: Option<Box<Gate>>,
    unit_ids: UnitIds,
    /// Whether it began anew, and its connections are to be lost.
    restarted: bool,
    /// Who answers in place of its memory.
    hosted: Option<Hosted>,
}

/// What a device has been asked and has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Requests received, understood or not.
    pub requests: u64,
    /// Answers given, exceptions among them.
    pub answers: u64,
    /// Answers that were exceptions.
    pub exceptions: u64,
    /// Faults shown; one request can show several.
    pub faults: u64,
}

/// What becomes of an answer, faults aside.
enum Said {
    /// It goes out.
    Out,
    /// The device only listens, and says nothing.
    Mute,
}

impl Device {
    /// A device with this memory and no faults.
    pub fn new(image: Image) -> Self {
        Self { image, ..Self::default() }
    }

    /// Gives it these faults, which act in this order, in place of those it has.
    #[must_use]
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = Fault>, seed: Seed) -> Self {
        let mut faults = Faults::new(faults, seed);
        let connections = faults.split_off_connections();
        self.connections = (!connections.is_empty()).then(|| Box::new(connections));
        self.faults = faults;
        self
    }

    /// Teaches it what it does on its own, from its present memory on; chance comes from `seed`, and
    /// clocks begin with `host`. Its faults have to be there already.
    #[must_use]
    pub fn with_script(mut self, script: Script, seed: Seed, host: Timestamp) -> Self {
        self.program = Some(Box::new(Program::new(script, &self.image, seed, host)));
        self.apply_effects();
        self
    }

    /// Lets only so much of its memory be read and written.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.gate = (access != Access::default()).then(|| Box::new(Gate::new(access)));
        self
    }

    /// Has it answer for more unit ids than the one that it has on a line.
    #[must_use]
    pub fn with_unit_ids(self, unit_ids: UnitIds) -> Self {
        Self { unit_ids, ..self }
    }

    /// The unit ids that it answers for beside its own.
    pub fn unit_ids(&self) -> &UnitIds {
        &self.unit_ids
    }

    /// Its faults, in the order in which they act; those of connections behind the others.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        let connections = self.connections.iter().flat_map(|faults| faults.iter());
        self.faults.iter().chain(connections)
    }

    /// Gives it one more fault, which acts after the others of its stage and counts from now on.
    pub fn add_fault(&mut self, fault: Fault, seed: Seed) {
        match fault.kind {
            Kind::Connection(_) => self.connections.get_or_insert_default().add(fault, seed),
            _ => self.faults.add(fault, seed),
        }
    }

    /// Takes all of its faults away. What they did to connections that there are stays.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
        self.connections = None;
    }

    /// Has its memory show what a client would be shown that read all of it now.
    pub fn show(&mut self, elapsed: Duration) {
        self.advance(elapsed);
        if let Some(program) = &mut self.program {
            program.show(None, &mut self.image);
        }
    }

    /// Its memory.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Its memory, to change under its clients.
    pub fn image_mut(&mut self) -> &mut Image {
        &mut self.image
    }

    /// What it has been asked and has answered so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Counts a connection in while `others` are open, and changes how it is treated.
    pub(crate) fn admit(&mut self, others: usize, elapsed: Duration, manners: &mut Manners) {
        self.advance(elapsed);
        if let Some(faults) = &mut self.connections {
            faults.admit(others, elapsed, manners);
        }
    }

    /// Lets it do what it does on its own up to this time of the simulation. Until then it does
    /// nothing: it has no clock.
    pub fn advance(&mut self, elapsed: Duration) {
        if let Some(program) = &mut self.program {
            program.advance(elapsed, &mut self.image);
            self.apply_effects();
        }
    }

    /// Whether it does things by the clock that pile up while nobody asks.
    pub(crate) fn has_rules(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.has_rules())
    }

    /// Whether it began anew since this was asked last, and its connections are lost.
    pub(crate) fn take_restarted(&mut self) -> bool {
        std::mem::take(&mut self.restarted)
    }

    /// What it does about one request, faults included.
    ///
    /// Bytes that are no request get an exception: 1 if the function is none of its functions,
    /// else the one that goes with the defect.
    pub fn react(&mut self, received: &Received<'_>, arrival: Arrival) -> Reaction {
        if let Some(gate) = &mut self.gate {
            gate.advance(arrival.elapsed);
        }
        if self.program.is_none() {
            return self.respond(received, arrival);
        }
        self.advance(arrival.elapsed);
        if !self.is_there() {
            return Reaction::Wire(Transmission::default());
        }
        let reaction = self.respond(received, arrival);
        self.apply_effects();
        if self.is_there() { reaction } else { Reaction::Wire(Transmission::default()) }
    }

    fn is_there(&self) -> bool {
        self.program.as_ref().is_none_or(|program| program.is_there())
    }

    /// Does what its rules want of its faults.
    fn apply_effects(&mut self) {
        let Some(program) = &mut self.program else { return };
        let effects = program.take_effects();
        let mut all = [Some(&mut self.faults), self.connections.as_deref_mut()];
        let mut change = |how: &dyn Fn(&mut Faults)| {
            all.iter_mut().flatten().for_each(|faults| how(faults));
        };
        if effects.restarted {
            self.restarted = true;
            change(&|faults| faults.begin());
            if let Some(gate) = &mut self.gate {
                gate.begin();
            }
        }
        for (fault, shows) in effects.faults {
            change(&|faults| faults.wake(fault, shows));
        }
    }

    /// Does what is asked, if it may be, and what follows from it.
    fn obey(&mut self, request: &Request<'_>) -> Answer {
        let (answer, is_done) = self.carry_out(request);
        if let (Some(program), Ok(_), true) = (&mut self.program, &answer, is_done) {
            program.asked(request, &mut self.image);
        }
        answer
    }

    /// Does what is asked, if it may be; and whether it was done rather than said to be.
    fn carry_out(&mut self, request: &Request<'_>) -> (Answer, bool) {
        let (touched, admission) = match self.check(request) {
            Ok(admitted) => admitted,
            Err(code) => return (Err(code), false),
        };
        if admission.ignored {
            return (self.say(request, touched, admission), false);
        }
        let mut answer = self.perform(request, admission);
        if let (Some(gate), Ok(_)) = (&mut self.gate, &answer) {
            gate.hide(touched, &mut answer);
            gate.done(touched, &self.image);
        }
        (answer, true)
    }

    /// Whether what is asked may be done, and what it touches.
    fn check(&mut self, request: &Request<'_>) -> Result<(Touched, Admission), ExceptionCode> {
        let Some(gate) = &mut self.gate else { return Ok(Default::default()) };
        let touched = memory::touched(request)?;
        Ok((touched, gate.admit(request, touched, &self.image)?))
    }

    fn respond(&mut self, received: &Received<'_>, arrival: Arrival) -> Reaction {
        let request = parse(&self.image, received.pdu);
        if let Some(program) = &mut self.program {
            // Some faults look at all of the memory.
            let asked = request.as_ref().ok().filter(|_| self.faults.is_empty());
            program.show(asked, &mut self.image);
        }
        self.statistics.requests += 1;
        let diagnostics = self.image.diagnostics_mut();
        if diagnostics.is_some_and(|diagnostics| !diagnostics.received(received.pdu)) {
            return Reaction::Wire(Transmission::default());
        }
        let fixed = self.gate.as_ref().and_then(|gate| gate.fixed(received.pdu));
        if self.faults.is_empty() {
            let answer = fixed.unwrap_or_else(|| request.and_then(|request| self.obey(&request)));
            return match self.account(received, &answer, true) {
                Said::Mute => Reaction::Wire(Transmission::default()),
                Said::Out => Reaction::Answer(answer),
            };
        }
        let asked = match &request {
            Ok(request) => Asked::request(received.unit_id, request),
            Err(_) => Asked::unclear(received.unit_id, received.function()),
        };
        let shown = self.faults.shown(&asked, arrival.elapsed, &self.image);
        self.statistics.faults += shown.count();
        self.misbehave(received, arrival, (request.as_ref(), fixed), shown)
    }

    fn misbehave(
        &mut self,
        received: &Received<'_>,
        arrival: Arrival,
        (request, fixed): (Result<&Request<'_>, &ExceptionCode>, Option<Answer>),
        mut shown: Shown,
    ) -> Reaction {
        let replaced = request.ok().and_then(|request| memory::held(&self.image, request));
        let answer = match (self.faults.course(&shown, arrival), request) {
            (Course::Do | Course::Pretend, _) if let Some(fixed) = fixed => fixed,
            (Course::Ignore, _) => {
                if let Some(diagnostics) = self.image.diagnostics_mut() {
                    diagnostics.unanswered();
                }
                return Reaction::Wire(Transmission::none(shown.kinds()));
            }
            (Course::Refuse(code), _) | (_, Err(&code)) => Err(code),
            (Course::Do, Ok(request)) => self.obey(request),
            (Course::Pretend, Ok(request)) => self.pretend(request),
        };
        let mut sound = Vec::new();
        encode_answer(received.function(), &answer, &mut sound);
        let exchange = Exchange { received, request: request.ok(), replaced };
        let sent = self.faults.transmission(&mut shown, &exchange, sound);
        self.faults.rest(arrival.passed, sent.delay);
        // An end and an echo are no answers: who says nothing can still hang up.
        Reaction::Wire(match self.account(received, &answer, !sent.is_empty()) {
            Said::Mute => Transmission::none(sent.faults),
            Said::Out => sent,
        })
    }

    /// Counts an answer, which the faults let out or not.
    fn account(&mut self, received: &Received<'_>, answer: &Answer, is_sent: bool) -> Said {
        let is_sent = is_sent && !received.is_broadcast();
        if let Some(diagnostics) = self.image.diagnostics_mut() {
            if !is_sent {
                diagnostics.unanswered();
            } else if !diagnostics.answered(received.function(), answer) {
                return Said::Mute;
            }
        }
        if is_sent {
            self.statistics.answers += 1;
            self.statistics.exceptions += u64::from(answer.is_err());
        }
        Said::Out
    }

    /// Takes note of a message on the line that was for another device, or corrupt.
    pub(crate) fn overheard(&mut self, corrupt: bool) {
        if let Some(diagnostics) = self.image.diagnostics_mut() {
            diagnostics.overheard(corrupt);
        }
    }

    /// Says what it would say if it did what is asked, if it may be.
    fn pretend(&mut self, request: &Request<'_>) -> Answer {
        let (touched, admission) = self.check(request)?;
        self.say(request, touched, admission)
    }

    /// Says what it would say if it did what is asked.
    fn say(&mut self, request: &Request<'_>, touched: Touched, admission: Admission) -> Answer {
        let kept = self.image.clone();
        let mut answer = self.perform(request, admission);
        self.image = kept;
        if let (Request::ReadWriteMultipleRegisters(start, count, ..), Ok(_)) = (request, &answer) {
            // It reads behind what it would have written.
            let read = Request::ReadHoldingRegisters(*start, *count);
            answer = self.perform(&read, admission).map(|response| match response {
                Response::ReadHoldingRegisters(words) => {
                    Response::ReadWriteMultipleRegisters(words)
                }
                other => other,
            });
        }
        if let Some(gate) = &self.gate {
            gate.hide(touched, &mut answer);
        }
        answer
    }

    /// Does what is asked, faults and overrides aside. Checked in the order of the specification
    /// (V1.1b3, clause 7): the function, the quantity, the addresses, the values.
    ///
    /// # Errors
    ///
    /// The exception that a device answers: 1, 2 or 3, or another that its [`Access`] names.
    pub fn handle(&mut self, request: &Request<'_>) -> Answer {
        self.carry_out(request).0
    }

    fn perform(&mut self, request: &Request<'_>, admission: Admission) -> Answer {
        let image = &mut self.image;
        if let Some(filler) = admission.filler {
            return memory::fill(image, request, filler);
        }
        match *request {
            Request::ReadCoils(start, quantity) => {
                memory::read_bits(image, Table::Coil, start, quantity).map(Response::ReadCoils)
            }
            Request::ReadDiscreteInputs(start, quantity) => {
                memory::read_bits(image, Table::Discrete, start, quantity)
                    .map(Response::ReadDiscreteInputs)
            }
            Request::ReadHoldingRegisters(start, quantity) => {
                memory::read_words(image, Table::Holding, start, quantity)
                    .map(Response::ReadHoldingRegisters)
            }
            Request::ReadInputRegisters(start, quantity) => {
                memory::read_words(image, Table::Input, start, quantity)
                    .map(Response::ReadInputRegisters)
            }
            Request::WriteSingleCoil(address, bit) => memory::write_coil(image, address, bit),
            Request::WriteSingleRegister(address, word) => {
                memory::write_register(image, address, word)
            }
            Request::WriteMultipleCoils(start, ref bits) => memory::write_coils(image, start, bits),
            Request::WriteMultipleRegisters(start, ref words) => {
                memory::write_registers(image, start, words)
            }
            Request::MaskWriteRegister(address, and, or) => {
                memory::mask_write(image, address, and, or)
            }
            Request::ReadWriteMultipleRegisters(read, quantity, write, ref words) => {
                memory::read_write(image, (read, quantity), (write, words))
            }
            Request::ReportServerId => beyond::server_id(image),
            Request::ReadDeviceIdentification(code, object) => {
                beyond::identification(image, code, object)
            }
            Request::Custom(ExceptionStatus::FUNCTION, _) => beyond::exception_status(image),
            Request::Custom(file::READ, _) => beyond::read_records(image, request),
            Request::Custom(file::WRITE, _) => beyond::write_records(image, request),
            Request::Custom(fifo::READ, _) => beyond::queue(image, request),
            Request::Custom(
                DIAGNOSTICS | EventCounter::FUNCTION | EventLog::FUNCTION,
                ref data,
            ) => match image.diagnostics_mut() {
                Some(diagnostics) => diagnostics.handle(request),
                None => loopback(request, data),
            },
            Request::Custom(..) => Err(ExceptionCode::IllegalFunction),
        }
    }
}

/// Whether [`Device::handle`] does anything for this function code, on a device with this memory.
fn has(image: &Image, function: u8) -> bool {
    let holds = |part: fn(&Beyond) -> bool| image.beyond().is_some_and(part);
    match function {
        1..=6 | DIAGNOSTICS | 15 | 16 | 22 | 23 => true,
        ExceptionStatus::FUNCTION => holds(|beyond| beyond.exception_status.is_some()),
        EventCounter::FUNCTION | EventLog::FUNCTION => holds(|beyond| beyond.diagnostics.is_some()),
        SERVER_ID => holds(|beyond| beyond.server_id.is_some()),
        file::READ | file::WRITE => holds(Beyond::has_files),
        fifo::READ => holds(Beyond::has_queues),
        IDENTIFICATION => holds(|beyond| !beyond.objects.is_empty()),
        _ => false,
    }
}

/// The request in `pdu`, or the exception that goes with its first defect.
fn parse(image: &Image, pdu: &[u8]) -> Result<Request<'static>, ExceptionCode> {
    match pdu.first() {
        Some(&function) if has(image, function) => {
            pdu::decode_request(pdu).map_err(|defect| defect.exception())
        }
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

/// Appends the PDU of an answer to a request of this function to `out`. An answer that has none
/// says something about the device: it has failed (exception 4).
pub(crate) fn encode_answer(function: u8, answer: &Answer, out: &mut Vec<u8>) {
    if pdu::encode_answer(function, answer, out).is_err() {
        let _ = pdu::encode_answer(function, &Err(ExceptionCode::ServerDeviceFailure), out);
    }
}

/// Function 8 (V1.1b3, clause 6.8) of a device that keeps no diagnostics: sub-function 0, Return
/// Query Data, echoes; it has no other.
fn loopback(request: &Request<'_>, data: &[u8]) -> Answer {
    match request {
        Request::Custom(DIAGNOSTICS, _) if data.starts_with(&[0, 0]) => {
            Ok(Response::Custom(DIAGNOSTICS, Bytes::copy_from_slice(data)))
        }
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of quantities from 0 to beyond `max`: what a device without any address answers.
    fn check<'a>(max: u16, request: impl Fn(u16) -> Request<'a>) {
        let address = ExceptionCode::IllegalDataAddress;
        let value = ExceptionCode::IllegalDataValue;
        for (quantity, code) in [(0, value), (1, address), (max, address), (max + 1, value)] {
            let answer = Device::default().handle(&request(quantity));
            assert_eq!(answer, Err(code), "{:?}", request(quantity));
        }
    }

    #[test]
    fn quantities_are_checked_before_addresses_also_where_nothing_was_decoded() {
        let bits = |count| vec![false; usize::from(count)].into();
        let words = |count| vec![0; usize::from(count)].into();
        check(2000, |count| Request::ReadCoils(0, count));
        check(2000, |count| Request::ReadDiscreteInputs(0, count));
        check(125, |count| Request::ReadHoldingRegisters(0, count));
        check(125, |count| Request::ReadInputRegisters(0, count));
        check(1968, |count| Request::WriteMultipleCoils(0, bits(count)));
        check(123, |count| Request::WriteMultipleRegisters(0, words(count)));
        check(125, |count| Request::ReadWriteMultipleRegisters(0, count, 0, words(1)));
        check(121, |count| Request::ReadWriteMultipleRegisters(0, 1, 0, words(count)));
    }
}
