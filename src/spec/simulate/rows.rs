//! Every kind of fault as it is written: one row each.

use std::sync::Arc;

use passline_simulator::fault::{
    AnswerFault, Beyond, ConnectionFault, FrameFault, HeaderFault, Length, RequestFault,
};

use super::kind::{Lines, Read, Row};
use crate::judge::exception;

const BY: &[&[&str]] = &[&["by"]];
const NOISE: &[&[&str]] = &[&["count", "bytes"]];

/// Every kind, in the order of the stages at which they act.
pub(super) const ROWS: &[Row] = &[
    // Whether the device does what it is asked.
    row("exception", Lines::All, &[&["code"]], &[], |at| {
        let code = exception::read(at.faulty.context, at.fields.node("code")?)?;
        Some(RequestFault::Exception { code }.into())
    }),
    row("not_stored", Lines::All, &[], &[], |_| Some(RequestFault::NotStored.into())),
    row("pause", Lines::All, BY, &[], |at| Some(RequestFault::Pause { by: at.by()? }.into())),
    row("pause_after_connect", Lines::Connections, BY, &[], |at| {
        Some(RequestFault::PauseAfterConnect { by: at.by()? }.into())
    }),
    row("one_in_flight", Lines::Mbap, &[], &[], |_| Some(RequestFault::OneInFlight.into())),
    // What it says.
    row("silent", Lines::All, &[], &[], |_| Some(AnswerFault::Silent.into())),
    row("function", Lines::All, &[], &[], |_| Some(AnswerFault::Function.into())),
    row("byte_count", Lines::All, &[&["add"]], &[], |at| {
        Some(AnswerFault::ByteCount { add: at.add()? }.into())
    }),
    row("registers", Lines::All, &[&["add"]], &[], |at| {
        Some(AnswerFault::Registers { add: at.add()? }.into())
    }),
    row("stale", Lines::All, &[], &[], |_| Some(AnswerFault::Stale.into())),
    row("frozen", Lines::All, &[], &[], |_| Some(AnswerFault::Frozen.into())),
    row("value", Lines::All, &[&["value", "words", "bits"]], &[], |at| {
        Some(AnswerFault::Value { cells: Arc::new(at.cells()?) }.into())
    }),
    row("bit_flip", Lines::All, &[], &["bit"], |at| {
        Some(AnswerFault::BitFlip { bit: at.integer("bit") }.into())
    }),
    row("old_echo", Lines::All, &[], &[], |_| Some(AnswerFault::OldEcho.into())),
    // The header around that.
    row("transaction_id", Lines::Mbap, &[&["id"]], &[], |at| {
        Some(HeaderFault::TransactionId(at.transaction_id()?).into())
    }),
    row("unit_id", Lines::All, &[&["id"]], &[], |at| {
        Some(HeaderFault::UnitId { id: at.id((0, 255))? }.into())
    }),
    row("protocol_id", Lines::Mbap, &[&["id"]], &[], |at| {
        Some(HeaderFault::ProtocolId { id: at.id((1, 65_535))? }.into())
    }),
    row("length", Lines::Mbap, &[&["add", "set"]], &[], |at| {
        let length = match at.integer("set") {
            Some(length) => Length::Fixed(length),
            None => Length::Add(at.add()?),
        };
        Some(HeaderFault::Length(length).into())
    }),
    row("checksum", Lines::Serial, &[], &[], |_| Some(HeaderFault::Checksum.into())),
    // What becomes of the frame on its way.
    row("delay", Lines::All, BY, &[], |at| Some(FrameFault::Delay { by: at.by()? }.into())),
    row("jitter", Lines::All, BY, &[], |at| Some(FrameFault::Jitter { by: at.by()? }.into())),
    row("gap", Lines::Streams, BY, &["at"], |at| {
        Some(FrameFault::Gap { at: at.integer("at"), by: at.by()? }.into())
    }),
    row("trickle", Lines::Streams, BY, &[], |at| Some(FrameFault::Trickle { by: at.by()? }.into())),
    row("no_silence", Lines::Serial, &[], &[], |_| Some(FrameFault::NoSilence.into())),
    row("truncate", Lines::All, &[&["count"]], &[], |at| {
        Some(FrameFault::Truncate { count: at.integer("count")? }.into())
    }),
    row("trailing", Lines::All, NOISE, &[], |at| Some(FrameFault::Trailing(at.noise()?).into())),
    row("noise", Lines::All, NOISE, &[], |at| Some(FrameFault::Noise(at.noise()?).into())),
    row("collision", Lines::Serial, &[], &[], |_| Some(FrameFault::Collision.into())),
    row("echo", Lines::Serial, &[], &[], |_| Some(FrameFault::Echo.into())),
    row("foreign", Lines::Serial, &[], &["id"], |at| {
        let unit_id = if at.fields.has("id") { Some(at.id((0, 255))?) } else { None };
        Some(FrameFault::Foreign { unit_id }.into())
    }),
    row("unsolicited", Lines::Mbap, &[], &[], |_| Some(FrameFault::Unsolicited.into())),
    row("duplicate", Lines::All, &[], &[], |_| Some(FrameFault::Duplicate.into())),
    row("together", Lines::Mbap, &[], &[], |_| Some(FrameFault::Together.into())),
    row("reorder", Lines::Mbap, &[], &[], |_| Some(FrameFault::Reorder.into())),
    row("close", Lines::Connections, &[], &["sent"], |at| {
        Some(FrameFault::Close { sent: at.sent()? }.into())
    }),
    row("reset", Lines::Connections, &[], &["sent"], |at| {
        Some(FrameFault::Reset { sent: at.sent()? }.into())
    }),
    // How the line treats connections.
    row("refuse", Lines::Connections, &[], &[], |_| Some(ConnectionFault::Refuse.into())),
    row("mute", Lines::Connections, &[], &[], |_| Some(ConnectionFault::Mute.into())),
    row("noise_at_open", Lines::Streams, NOISE, &[], |at| {
        Some(ConnectionFault::NoiseAtOpen(at.noise()?).into())
    }),
    row("idle_close", Lines::Connections, BY, &[], |at| {
        Some(ConnectionFault::IdleClose { by: at.by()? }.into())
    }),
    row("max_clients", Lines::Connections, &[&["count"]], &["beyond"], |at| {
        let beyond = match at.fields.choice("beyond").map(|beyond| beyond.value) {
            Some("mute") => Beyond::Mute,
            _ => Beyond::Refuse,
        };
        Some(ConnectionFault::MaxClients { count: at.integer("count")?, beyond }.into())
    }),
];

const fn row(
    word: &'static str,
    lines: Lines,
    needs: &'static [&'static [&'static str]],
    may: &'static [&'static str],
    read: Read,
) -> Row {
    Row { word, lines, needs, may, read }
}
