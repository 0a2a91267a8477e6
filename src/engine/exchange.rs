//! One transaction: told to the record with its frames, and sent. What nobody answers until the time
//! of teardown is over is waited for no longer.

use std::sync::Arc;

use passline_modbus::link::{Call, CloseReason, Completed, LinkError, Oddities};
use passline_modbus::pdu::Request;
use tokio::time::Instant;

use super::Running;
use super::bench::Seat;
use super::frames::CallId;
use super::stop::Stop;
use crate::record::Transaction;
use crate::spec::model::Device;

/// The unit id that is everyone on a serial line.
const EVERYONE: u8 = 0;

impl Running<'_> {
    /// One request to a device and its answer, and the id of the transaction.
    pub(super) async fn exchange(
        &self,
        (device, seat): (&Device, &Seat),
        request: Request<'static>,
    ) -> (u64, Completed) {
        let (transaction, id) = self.open(device, seat, seat.unit_id);
        let timeout = device.response_timeout;
        let begun = Instant::now();
        let completed = tokio::select! {
            biased;
            completed = seat.link.call(Call { id, unit: seat.unit_id, request, timeout }) => completed,
            () = self.stop.reached(Stop::Over) => given_up(begun),
        };
        seat.frames.close(id);
        if !completed.tolerated.is_empty() {
            self.tolerated.borrow_mut().insert(transaction, completed.tolerated);
        }
        (transaction, completed)
    }

    /// One write to every unit of the line of a device, and the id of the transaction. Nobody
    /// answers.
    pub(super) async fn tell_all(
        &self,
        (device, seat): (&Device, &Seat),
        request: Request<'static>,
    ) -> (u64, Result<Instant, LinkError>) {
        let (transaction, id) = self.open(device, seat, EVERYONE);
        let timeout = device.response_timeout;
        let begun = Instant::now();
        let sent = tokio::select! {
            biased;
            sent = seat.link.broadcast(Call { id, unit: EVERYONE, request, timeout }) => sent,
            () = self.stop.reached(Stop::Over) => given_up(begun).result.map(|_| begun),
        };
        seat.frames.close(id);
        (transaction, sent)
    }

    /// Begins a transaction: its id, and that of its call.
    fn open(&self, device: &Device, seat: &Seat, unit_id: u8) -> (u64, u64) {
        let transaction = self.next_transaction();
        let id = CallId { record: self.record, transaction }.pack();
        let of = Transaction {
            id: transaction,
            device: self.device_name(&device.name),
            link: Arc::clone(&seat.name),
            unit_id,
            frames: Vec::new(),
        };
        seat.frames.open(id, of);
        (transaction, id)
    }
}

/// What is known of a call that is waited for no longer: it may have been sent. That nothing came
/// until then is no silence of the device.
fn given_up(begun: Instant) -> Completed {
    let result = Err(LinkError::Closed(CloseReason::Link));
    Completed { sent: Some(begun), ended: Instant::now(), result, tolerated: Oddities::NONE }
}
