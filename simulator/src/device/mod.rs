//! One simulated unit: its image, and what it answers. No clock, no I/O: the time is told to it,
//! and what it says is for others to send.

mod memory;

use bytes::Bytes;
use passline_modbus::pdu::{self, Answer, ExceptionCode, Request, Response};
use passline_modbus::point::Table;

use crate::fault::{
    Arrival, Asked, Course, Exchange, Fault, Faults, Reaction, Received, Seed, Shown, Transmission,
};
use crate::image::Image;

/// Function code of Diagnostics, which has no variant of its own in [`Request`].
const DIAGNOSTICS: u8 = 0x08;

/// One simulated unit.
#[derive(Debug, Default)]
pub struct Device {
    image: Image,
    faults: Faults,
    statistics: Statistics,
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

impl Device {
    /// A device with this memory and no faults.
    pub fn new(image: Image) -> Self {
        Self { image, ..Self::default() }
    }

    /// Gives it these faults, which act in this order, in place of those it has.
    #[must_use]
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = Fault>, seed: Seed) -> Self {
        self.faults = Faults::new(faults, seed);
        self
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

    /// Takes out the faults of connections, which are the line's.
    pub(crate) fn split_off_connection_faults(&mut self) -> Faults {
        self.faults.split_off_connections()
    }

    /// What it does about one request, faults included.
    ///
    /// Bytes that are no request get an exception: 1 if the function is none of its functions,
    /// else the one that goes with the defect.
    pub fn react(&mut self, received: &Received<'_>, arrival: Arrival) -> Reaction {
        let request = parse(received.pdu);
        self.statistics.requests += 1;
        if self.faults.is_empty() {
            let answer = request.and_then(|request| self.handle(&request));
            self.count(answer.is_err());
            return Reaction::Answer(answer);
        }
        let asked = match &request {
            Ok(request) => Asked::request(received.unit_id, request),
            Err(_) => Asked::unclear(received.unit_id, received.function()),
        };
        let shown = self.faults.shown(&asked, arrival.elapsed, &self.image);
        self.statistics.faults += shown.count();
        self.misbehave(received, arrival, request.as_ref(), shown)
    }

    fn misbehave(
        &mut self,
        received: &Received<'_>,
        arrival: Arrival,
        request: Result<&Request<'_>, &ExceptionCode>,
        mut shown: Shown,
    ) -> Reaction {
        let replaced = request.ok().and_then(|request| memory::held(&self.image, request));
        let answer = match (self.faults.course(&shown, arrival), request) {
            (Course::Ignore, _) => return Reaction::Wire(Transmission::default()),
            (Course::Refuse(code), _) | (_, Err(&code)) => Err(code),
            (Course::Do, Ok(request)) => self.handle(request),
            (Course::Pretend, Ok(request)) => self.pretend(request),
        };
        let mut sound = Vec::new();
        encode_answer(received.function(), &answer, &mut sound);
        let exchange = Exchange { received, request: request.ok(), replaced };
        let sent = self.faults.transmission(&mut shown, &exchange, sound);
        self.faults.rest(arrival.elapsed, sent.delay);
        if !sent.is_empty() {
            self.count(answer.is_err());
        }
        Reaction::Wire(sent)
    }

    fn count(&mut self, is_exception: bool) {
        self.statistics.answers += 1;
        self.statistics.exceptions += u64::from(is_exception);
    }

    /// Says what it would say if it did what is asked.
    fn pretend(&mut self, request: &Request<'_>) -> Answer {
        let kept = self.image.clone();
        let answer = self.handle(request);
        self.image = kept;
        match *request {
            // It reads behind what it would have written.
            Request::ReadWriteMultipleRegisters(read, quantity, ..) if answer.is_ok() => {
                memory::read_words(&self.image, Table::Holding, read, quantity)
                    .map(Response::ReadWriteMultipleRegisters)
            }
            _ => answer,
        }
    }

    /// Does what is asked, faults aside. Checked in the order of the specification (V1.1b3,
    /// clause 7): the function, the quantity, the addresses.
    ///
    /// # Errors
    ///
    /// The exception that a device answers: 1, 2 or 3.
    pub fn handle(&mut self, request: &Request<'_>) -> Answer {
        let image = &mut self.image;
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
            Request::Custom(DIAGNOSTICS, ref data) => diagnostics(data),
            Request::ReportServerId
            | Request::ReadDeviceIdentification(..)
            | Request::Custom(..) => Err(ExceptionCode::IllegalFunction),
        }
    }
}

/// Whether [`Device::handle`] does anything for this function code.
fn has(function: u8) -> bool {
    matches!(function, 1..=6 | DIAGNOSTICS | 15 | 16 | 22 | 23)
}

/// The request in `pdu`, or the exception that goes with its first defect.
fn parse(pdu: &[u8]) -> Result<Request<'static>, ExceptionCode> {
    match pdu.first() {
        Some(&function) if has(function) => {
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

/// Function 8 (V1.1b3, clause 6.8): sub-function 0, Return Query Data, echoes; it has no other.
fn diagnostics(data: &[u8]) -> Answer {
    if data.starts_with(&[0, 0]) {
        Ok(Response::Custom(DIAGNOSTICS, Bytes::copy_from_slice(data)))
    } else {
        Err(ExceptionCode::IllegalFunction)
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
