//! The options of addresses: a table for each group of schemes, and what they set.

use std::{path::PathBuf, time::Duration};

use super::place::{parse_host, parse_number};
use crate::{
    duration::{parse_duration, write_duration},
    link::{InFlight, Oddities, Oddity},
    serial::{Baud, DataBits, Parity, StopBits},
};

/// What an address says on how to treat its line; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `in_flight`: how many requests may be open at once.
    pub in_flight: Option<InFlight>,
    /// `pause`: silence before each request.
    pub pause: Option<Duration>,
    /// `pause_after_connect`: silence after connecting, or after opening the port.
    pub pause_after_connect: Option<Duration>,
    /// `response_timeout`: how long to wait for an answer. Not zero.
    pub response_timeout: Option<Duration>,
    /// `connect_timeout`: how long opening a connection may take. Not zero.
    pub connect_timeout: Option<Duration>,
    /// `exclusive`: whether one program at a time on a machine is to use the line.
    pub exclusive: Option<bool>,
    /// `idle_close`: after how long the far end closes an idle connection.
    pub idle_close: Option<Duration>,
    /// `tolerate`: what to put up with in answers.
    pub tolerate: Option<Oddities>,
    /// `answer_unit_id`: the unit id in answers, where that is not the one asked.
    pub answer_unit_id: Option<u8>,
    /// `silence`: how long the line is silent between frames, in place of 3.5 characters.
    pub silence: Option<Duration>,
    /// `gap`: the longest silence inside a frame. Not zero.
    pub gap: Option<Duration>,
    /// `settle`: how long the line is listened to after a timeout.
    pub settle: Option<Duration>,
    /// `turnaround`: how long devices are given after a broadcast.
    pub turnaround: Option<Duration>,
    /// `echo`: whether the line gives back what is sent.
    pub echo: Option<bool>,
    /// `baud`: bits per second.
    pub baud: Option<Baud>,
    /// `data`: data bits of a character.
    pub data: Option<DataBits>,
    /// `parity`: its parity bit.
    pub parity: Option<Parity>,
    /// `stop`: its stop bits.
    pub stop: Option<StopBits>,
    /// `rs485`: what the driver does with the RTS line.
    pub rs485: Option<Rs485>,
    /// `ca`: the file with the certificates of the authorities that sign the other side's.
    pub ca: Option<PathBuf>,
    /// `cert`: the file with this side's certificate, and those up to its authority.
    pub cert: Option<PathBuf>,
    /// `key`: the file with the key of this side's certificate.
    pub key: Option<PathBuf>,
    /// `name`: whom the server's certificate must name, in place of the host.
    pub name: Option<String>,
    /// `role`: the role that the other side's certificate must give it.
    pub role: Option<String>,
}

/// What the driver of a serial port does with its RTS line (Linux: `TIOCSRS485`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rs485 {
    /// Nothing; the mode is not touched.
    Off,
    /// RTS is on while sending, and off otherwise.
    Rts,
    /// RTS is off while sending, and on otherwise.
    RtsInverted,
}

impl Rs485 {
    /// All, as they are written in addresses.
    pub const ALL: [(&str, Self); 3] =
        [("off", Self::Off), ("rts", Self::Rts), ("rts_inverted", Self::RtsInverted)];
}

/// One option: its name, what it takes, and how it is read and written.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    /// `None` if the text is no value of it.
    pub(super) set: fn(&mut Overrides, &str) -> Option<()>,
    pub(super) get: fn(&Overrides) -> Option<String>,
}

const SPAN: &str = "a duration such as 500ms, 1.5s, 2m or 1h";
const LIMIT: &str = "a duration above zero, such as 500ms, 1.5s, 2m or 1h";
const FILE: &str = "the path of a file";

/// For lines where answers tell which request they are to.
pub(super) const WINDOW: &[Setting] = &[Setting {
    name: "in_flight",
    expected: "a number from 1 to 16",
    set: |o, text| put(&mut o.in_flight, parse_number(text).and_then(InFlight::new)),
    get: |o| o.in_flight.map(|count| count.get().to_string()),
}];

/// For every line.
pub(super) const PACE: &[Setting] = &[
    Setting {
        name: "pause",
        expected: SPAN,
        set: |o, text| put(&mut o.pause, span(text)),
        get: |o| o.pause.map(write_duration),
    },
    Setting {
        name: "response_timeout",
        expected: LIMIT,
        set: |o, text| put(&mut o.response_timeout, limit(text)),
        get: |o| o.response_timeout.map(write_duration),
    },
];

/// For lines that several programs can use at once.
pub(super) const SHARED: &[Setting] = &[Setting {
    name: "exclusive",
    expected: "on or off",
    set: |o, text| put(&mut o.exclusive, word(&SWITCH, text)),
    get: |o| o.exclusive.and_then(|value| written(&SWITCH, value)),
}];

/// For lines that are opened before they are used.
pub(super) const OPENED: &[Setting] = &[Setting {
    name: "pause_after_connect",
    expected: SPAN,
    set: |o, text| put(&mut o.pause_after_connect, span(text)),
    get: |o| o.pause_after_connect.map(write_duration),
}];

/// For lines to a far end that has to agree.
pub(super) const CONNECTED: &[Setting] = &[Setting {
    name: "connect_timeout",
    expected: LIMIT,
    set: |o, text| put(&mut o.connect_timeout, limit(text)),
    get: |o| o.connect_timeout.map(write_duration),
}];

/// For lines whose far end may end them while they are idle.
pub(super) const STREAM: &[Setting] = &[Setting {
    name: "idle_close",
    expected: SPAN,
    set: |o, text| put(&mut o.idle_close, span(text)),
    get: |o| o.idle_close.map(write_duration),
}];

/// For lines of MBAP frames.
pub(super) const HEADER: &[Setting] = &[
    Setting {
        name: "tolerate",
        expected: "transaction_id, unit_id, length or trailing, or several with commas between",
        set: |o, text| put(&mut o.tolerate, text.split(',').map(oddity).collect()),
        get: |o| {
            o.tolerate
                .map(|tolerate| tolerate.iter().map(Oddity::name).collect::<Vec<_>>().join(","))
        },
    },
    Setting {
        name: "answer_unit_id",
        expected: "a number from 0 to 255",
        set: |o, text| put(&mut o.answer_unit_id, parse_number(text)),
        get: |o| o.answer_unit_id.map(|unit| unit.to_string()),
    },
];

/// For lines of serial frames.
pub(super) const BUS: &[Setting] = &[
    Setting {
        name: "gap",
        expected: LIMIT,
        set: |o, text| put(&mut o.gap, limit(text)),
        get: |o| o.gap.map(write_duration),
    },
    Setting {
        name: "settle",
        expected: SPAN,
        set: |o, text| put(&mut o.settle, span(text)),
        get: |o| o.settle.map(write_duration),
    },
    Setting {
        name: "turnaround",
        expected: SPAN,
        set: |o, text| put(&mut o.turnaround, span(text)),
        get: |o| o.turnaround.map(write_duration),
    },
    Setting {
        name: "echo",
        expected: "on or off",
        set: |o, text| put(&mut o.echo, word(&SWITCH, text)),
        get: |o| o.echo.and_then(|value| written(&SWITCH, value)),
    },
];

/// For serial ports.
pub(super) const SERIAL: &[Setting] = &[
    Setting {
        name: "baud",
        expected: "a number from 50 to 20000000",
        set: |o, text| put(&mut o.baud, parse_number(text).and_then(Baud::new)),
        get: |o| o.baud.map(|baud| baud.get().to_string()),
    },
    Setting {
        name: "data",
        expected: "7 or 8",
        set: |o, text| put(&mut o.data, word(&DataBits::ALL, text)),
        get: |o| o.data.and_then(|value| written(&DataBits::ALL, value)),
    },
    Setting {
        name: "parity",
        expected: "none, even or odd",
        set: |o, text| put(&mut o.parity, word(&Parity::ALL, text)),
        get: |o| o.parity.and_then(|value| written(&Parity::ALL, value)),
    },
    Setting {
        name: "stop",
        expected: "1 or 2",
        set: |o, text| put(&mut o.stop, word(&StopBits::ALL, text)),
        get: |o| o.stop.and_then(|value| written(&StopBits::ALL, value)),
    },
    Setting {
        name: "silence",
        expected: SPAN,
        set: |o, text| put(&mut o.silence, span(text)),
        get: |o| o.silence.map(write_duration),
    },
    Setting {
        name: "rs485",
        expected: "off, rts or rts_inverted",
        set: |o, text| put(&mut o.rs485, word(&Rs485::ALL, text)),
        get: |o| o.rs485.and_then(|value| written(&Rs485::ALL, value)),
    },
];

/// For TLS.
pub(super) const TLS: &[Setting] = &[
    Setting {
        name: "ca",
        expected: FILE,
        set: |o, text| put(&mut o.ca, file(text)),
        get: |o| o.ca.as_ref().map(|file| file.display().to_string()),
    },
    Setting {
        name: "cert",
        expected: FILE,
        set: |o, text| put(&mut o.cert, file(text)),
        get: |o| o.cert.as_ref().map(|file| file.display().to_string()),
    },
    Setting {
        name: "key",
        expected: FILE,
        set: |o, text| put(&mut o.key, file(text)),
        get: |o| o.key.as_ref().map(|file| file.display().to_string()),
    },
    Setting {
        name: "name",
        expected: "a host name, IPv4 address, or IPv6 address in brackets",
        set: |o, text| put(&mut o.name, parse_host(text)),
        get: |o| {
            o.name
                .as_ref()
                .map(|name| if name.contains(':') { format!("[{name}]") } else { name.clone() })
        },
    },
    Setting {
        name: "role",
        expected: "the name of a role",
        set: |o, text| put(&mut o.role, Some(text.to_owned()).filter(|role| !role.is_empty())),
        get: |o| o.role.clone(),
    },
];

static SWITCH: [(&str, bool); 2] = [("on", true), ("off", false)];

fn put<T>(slot: &mut Option<T>, value: Option<T>) -> Option<()> {
    *slot = Some(value?);
    Some(())
}

fn span(text: &str) -> Option<Duration> {
    parse_duration(text).ok()
}

fn limit(text: &str) -> Option<Duration> {
    span(text).filter(|duration| !duration.is_zero())
}

fn file(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text)).filter(|file| !file.as_os_str().is_empty())
}

fn oddity(text: &str) -> Option<Oddity> {
    Oddity::ALL.into_iter().find(|oddity| oddity.name() == text)
}

fn word<T: Copy>(words: &[(&str, T)], text: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

fn written<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> Option<String> {
    words.iter().find(|(_, other)| *other == value).map(|(word, _)| (*word).to_owned())
}
