//! With which functions a device is written.

use std::borrow::Cow;

use super::ChangeError;
use crate::pdu::Request;

/// How a device is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Whole registers and coils.
    pub function: WriteFunction,
    /// Some bits of a register.
    pub bits: WriteBits,
}

/// With which functions whole registers and coils are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteFunction {
    /// 05 and 06 for one coil or register, 0F and 10 for several.
    #[default]
    Auto,
    /// Only 05 and 06.
    Single,
    /// Only 0F and 10.
    Multiple,
}

/// How some bits of a register are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteBits {
    /// With function 16: the device itself keeps the other bits.
    #[default]
    Mask,
    /// By reading the register, and writing it back with the bits changed. What someone else
    /// changes in between is lost.
    ReadModifyWrite,
}

impl WriteFunction {
    /// Their names, in the order of the variants.
    pub const NAMES: &'static [&'static str] = &["auto", "single", "multiple"];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "single" => Some(Self::Single),
            "multiple" => Some(Self::Multiple),
            _ => None,
        }
    }

    /// The functions that the device refuses.
    pub fn refused(self) -> &'static [u8] {
        match self {
            Self::Auto => &[],
            Self::Single => &[0x0F, 0x10],
            Self::Multiple => &[0x05, 0x06],
        }
    }

    pub(super) fn coils(
        self,
        address: u16,
        bits: Vec<bool>,
    ) -> Result<Request<'static>, ChangeError> {
        match (self, &bits[..]) {
            (Self::Auto | Self::Single, [bit]) => Ok(Request::WriteSingleCoil(address, *bit)),
            (Self::Single, several) => {
                Err(ChangeError::One { function: 0x05, of: "coil", count: several.len() })
            }
            _ => Ok(Request::WriteMultipleCoils(address, Cow::Owned(bits))),
        }
    }

    pub(super) fn registers(
        self,
        address: u16,
        words: Vec<u16>,
    ) -> Result<Request<'static>, ChangeError> {
        match (self, &words[..]) {
            (Self::Auto | Self::Single, [word]) => Ok(Request::WriteSingleRegister(address, *word)),
            (Self::Single, several) => {
                Err(ChangeError::One { function: 0x06, of: "register", count: several.len() })
            }
            _ => Ok(Request::WriteMultipleRegisters(address, Cow::Owned(words))),
        }
    }
}

impl WriteBits {
    /// Their names, in the order of the variants.
    pub const NAMES: &'static [&'static str] = &["mask", "read_modify_write"];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mask" => Some(Self::Mask),
            "read_modify_write" => Some(Self::ReadModifyWrite),
            _ => None,
        }
    }

    /// The functions that the device refuses.
    pub fn refused(self) -> &'static [u8] {
        match self {
            Self::Mask => &[],
            Self::ReadModifyWrite => &[0x16],
        }
    }
}
