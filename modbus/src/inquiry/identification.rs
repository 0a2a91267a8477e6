//! Objects of the device identification (V1.1b3, clause 6.21): one by itself, or as a stream.
//!
//! Half of the devices in the field have only the stream, and refuse access to a single object.

use crate::pdu::{ExceptionCode, ReadCode, ReadDeviceIdentificationResponse, Request, Response};

use super::{Data, Finding, Unusable};

/// Asks for one object.
pub(super) fn request(object: u8) -> Request<'static> {
    Request::ReadDeviceIdentification(ReadCode::Specific, object)
}

/// The value of an object, if the answer holds it.
pub(super) fn value(object: u8, answer: &ReadDeviceIdentificationResponse) -> Option<Vec<u8>> {
    let mut objects = answer.device_id_objects.iter();
    objects.find(|found| found.id == object).map(|found| found.value.to_vec())
}

/// A category of objects that is read until the wanted one comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    object: u8,
    /// The object that the next answer begins with.
    next: u8,
}

impl Stream {
    /// Whether a stream may be there where a single object was refused: the device does not know
    /// that way to ask (exceptions 1 and 3). Exception 2 says that there is no such object.
    pub(super) fn may_serve(refusal: ExceptionCode) -> bool {
        matches!(refusal, ExceptionCode::IllegalFunction | ExceptionCode::IllegalDataValue)
    }

    pub(super) fn new(object: u8) -> Self {
        Self { object, next: 0 }
    }

    /// Asks for the category of the object: basic, regular or extended.
    pub(super) fn request(&self) -> Request<'static> {
        let category = match self.object {
            0x00..=0x02 => ReadCode::Basic,
            0x03..=0x7F => ReadCode::Regular,
            0x80..=0xFF => ReadCode::Extended,
        };
        Request::ReadDeviceIdentification(category, self.next)
    }

    /// `None`: more follows. What follows has a greater id each time, so that every stream ends.
    pub(super) fn answered(&mut self, response: Response) -> Option<Finding> {
        let Response::ReadDeviceIdentification(answer) = response else {
            return Some(Finding::Nothing(Unusable::Function));
        };
        if let Some(value) = value(self.object, &answer) {
            return Some(Finding::Data(Data::Bytes(value)));
        }
        if !answer.more_follows {
            return Some(Finding::Nothing(Unusable::NoObject(self.object)));
        }
        let (after, next) = (self.next, answer.next_object_id);
        if next <= after {
            return Some(Finding::Nothing(Unusable::Circle { after, next }));
        }
        self.next = next;
        None
    }
}
