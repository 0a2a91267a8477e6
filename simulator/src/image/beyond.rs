//! What a device holds beyond its four tables. Each part exists once it is set.

use std::collections::BTreeMap;

use passline_modbus::pdu::counter::Counter;
use passline_modbus::pdu::fifo;
use passline_modbus::pdu::file::Section;
use passline_modbus::point::{Location, Raw};

use super::runs::Runs;
use super::{Image, ImageError};
use crate::device::Diagnostics;

/// What a device holds beyond its four tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// The objects of the device identification by id.
    pub(crate) objects: BTreeMap<u8, Box<[u8]>>,
    pub(crate) server_id: Option<Box<[u8]>>,
    pub(crate) exception_status: Option<u8>,
    pub(crate) diagnostics: Option<Diagnostics>,
    files: BTreeMap<u16, Runs<u16>>,
    queues: BTreeMap<u16, Box<[u16]>>,
}

impl Beyond {
    pub(crate) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    pub(crate) fn has_queues(&self) -> bool {
        !self.queues.is_empty()
    }
}

impl Image {
    /// Makes an object of the device identification exist and hold `value`.
    ///
    /// # Errors
    ///
    /// [`ImageError::TooLong`] if it would not fit in one answer.
    pub fn set_object(&mut self, id: u8, value: &[u8]) -> Result<(), ImageError> {
        within(value.len(), MAX_OBJECT)?;
        self.beyond_mut().objects.insert(id, value.into());
        Ok(())
    }

    /// Makes the server id exist: all bytes of it.
    ///
    /// # Errors
    ///
    /// [`ImageError::TooLong`] if it would not fit in one answer.
    pub fn set_server_id(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        within(bytes.len(), MAX_SERVER_ID)?;
        self.beyond_mut().server_id = Some(bytes.into());
        Ok(())
    }

    /// Makes the exception status exist: eight outputs, the lowest in bit 0.
    pub fn set_exception_status(&mut self, status: u8) {
        self.beyond_mut().exception_status = Some(status);
    }

    /// Makes the device keep diagnostics, and sets one of its counters, which counts on from there.
    pub fn set_counter(&mut self, counter: Counter, count: u16) {
        self.beyond_mut().diagnostics.get_or_insert_default().set(counter, count);
    }

    /// Makes the records of a file from `first` on exist and hold `words`; later entries win.
    ///
    /// # Errors
    ///
    /// [`ImageError`] if there are none, or the last is past record 9999.
    pub fn set_records(&mut self, file: u16, first: u16, words: &[u16]) -> Result<(), ImageError> {
        if words.is_empty() {
            return Err(ImageError::Empty);
        }
        if usize::from(first) + words.len() > usize::from(Section::LAST_RECORD) + 1 {
            return Err(ImageError::PastFile { file, first, count: words.len() });
        }
        self.beyond_mut().files.entry(file).or_default().set(first, words);
        Ok(())
    }

    /// Makes the queue at `address` exist and hold these values, the oldest first.
    ///
    /// # Errors
    ///
    /// [`ImageError::TooLong`] with more than 31.
    pub fn set_queue(&mut self, address: u16, values: &[u16]) -> Result<(), ImageError> {
        within(values.len(), fifo::MAX_VALUES)?;
        self.beyond_mut().queues.insert(address, values.into());
        Ok(())
    }

    /// What is at a location, as a point decodes it; `None` if it does not exist.
    pub fn raw(&self, location: Location) -> Option<Raw<'_>> {
        match location {
            Location::Table(span) if span.table().is_bits() => match self.bits(span)? {
                [bit] => Some(Raw::Bit(*bit)),
                _ => None,
            },
            Location::Table(span) => Some(Raw::Registers(self.words(span)?.into())),
            Location::DeviceId(id) => {
                Some(Raw::Bytes((&**self.beyond()?.objects.get(&id)?).into()))
            }
            Location::ServerId => Some(Raw::Bytes(self.beyond()?.server_id.as_deref()?.into())),
            Location::Diagnostic(counter) => {
                let count = self.beyond()?.diagnostics.as_ref()?.get(counter);
                Some(Raw::Registers(vec![count].into()))
            }
            Location::ExceptionStatus => {
                let status = self.beyond()?.exception_status?;
                Some(Raw::Registers(vec![status.into()].into()))
            }
            Location::File(section) => Some(Raw::Registers(self.records(section)?.into())),
            Location::Fifo(address) => Some(Raw::Registers(self.queue(address)?.into())),
        }
    }

    /// The records of a section; `None` if one of them is a hole.
    pub(crate) fn records(&self, section: Section) -> Option<&[u16]> {
        self.beyond()?.files.get(&section.file)?.get(section.first, section.length.into())
    }

    /// As [`Self::records`], to write to.
    pub(crate) fn records_mut(&mut self, section: Section) -> Option<&mut [u16]> {
        let files = &mut self.beyond.as_mut()?.files;
        files.get_mut(&section.file)?.get_mut(section.first, section.length.into())
    }

    /// The values of a queue, the oldest first.
    pub(crate) fn queue(&self, address: u16) -> Option<&[u16]> {
        self.beyond()?.queues.get(&address).map(|values| &**values)
    }

    pub(crate) fn beyond(&self) -> Option<&Beyond> {
        self.beyond.as_deref()
    }

    /// Its diagnostics, if it keeps any.
    pub(crate) fn diagnostics_mut(&mut self) -> Option<&mut Diagnostics> {
        self.beyond.as_mut()?.diagnostics.as_mut()
    }

    fn beyond_mut(&mut self) -> &mut Beyond {
        self.beyond.get_or_insert_default()
    }
}

/// What fits beside the seven bytes of an identification's head and the two of the object's.
const MAX_OBJECT: usize = passline_modbus::pdu::MAX_PDU - 9;
/// What fits beside function code and byte count.
const MAX_SERVER_ID: usize = passline_modbus::pdu::MAX_PDU - 2;

fn within(length: usize, most: usize) -> Result<(), ImageError> {
    if length <= most { Ok(()) } else { Err(ImageError::TooLong { length, most }) }
}
