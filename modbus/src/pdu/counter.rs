//! What function 08 reads without changing anything: a device's counters and its diagnostic
//! register (V1.1b3, clause 6.8.1).

use std::fmt;

use tokio_modbus::Request;

use super::diagnostics::Diagnostic;

/// A counter of the line or of the device, or the diagnostic register: 16 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// The diagnostic register, whose bits are the device's own.
    Register,
    /// Messages seen on the line since the last restart.
    BusMessages,
    /// Messages seen whose check value was wrong.
    BusErrors,
    /// Exceptions that the device answered with.
    Exceptions,
    /// Messages that were for the device.
    Messages,
    /// Messages that the device did not answer.
    NoResponse,
    /// Exceptions 07 that the device answered with.
    Nak,
    /// Exceptions 06 that the device answered with.
    Busy,
    /// Messages lost because their characters came too fast.
    Overrun,
}

impl Counter {
    /// Every one, by sub-function.
    pub const ALL: [Self; 9] = [
        Self::Register,
        Self::BusMessages,
        Self::BusErrors,
        Self::Exceptions,
        Self::Messages,
        Self::NoResponse,
        Self::Nak,
        Self::Busy,
        Self::Overrun,
    ];

    /// Their names, in the order of [`Counter::ALL`].
    pub const NAMES: &'static [&'static str] = &[
        "diagnostic_register",
        "bus_message_count",
        "bus_communication_error_count",
        "bus_exception_error_count",
        "server_message_count",
        "server_no_response_count",
        "server_nak_count",
        "server_busy_count",
        "bus_character_overrun_count",
    ];

    /// The sub-function that reads it: 2, or 11 to 18.
    pub const fn sub_function(self) -> u16 {
        match self {
            Self::Register => 2,
            counter => 10 + counter as u16,
        }
    }

    /// The one that this sub-function reads, if it reads one.
    pub fn of_sub_function(sub_function: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|counter| counter.sub_function() == sub_function)
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        Self::ALL.get(place).copied()
    }

    /// Asks for it.
    pub fn request(self) -> Request<'static> {
        Diagnostic { sub_function: self.sub_function(), data: vec![0] }.request()
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(Self::NAMES.get(*self as usize).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_functions_are_those_of_the_standard() {
        let numbers = Counter::ALL.map(Counter::sub_function);
        assert_eq!(numbers, [2, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12]);
        for (counter, name) in Counter::ALL.into_iter().zip(Counter::NAMES) {
            assert_eq!(Counter::named(name), Some(counter));
            assert_eq!(counter.to_string(), *name);
            assert_eq!(Counter::of_sub_function(counter.sub_function()), Some(counter));
        }
        // Those that change the device are none.
        assert!([0, 1, 3, 4, 10, 19, 20].iter().all(|n| Counter::of_sub_function(*n).is_none()));
    }
}
