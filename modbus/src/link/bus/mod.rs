//! Half-duplex lines: RTU and ASCII, on a serial port or through a gateway. One call at a time, and
//! silence between frames. Nothing in an answer says which request it belongs to but its unit and
//! its function, so what is owed has to be known.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `connection` | who may speak when: one connection from its beginning to its end |
//! | `wire` | bytes to parts, the echo, and when the line was last in use |
//! | `exchange` | whose each part is, and what that means for the open call. No I/O |
//! | `parked` | reads that wait for their second turn. Pure |
//! | `debts` | which answers are missing. Pure |
//! | `recent` | which answers came lately: some lines bring one twice. Pure |
//! | `echo` | whether the line repeats what is sent. Pure |
//!
//! # No answer is taken for another one
//!
//! A request without an answer in time leaves a debt: its answer may still come. First the line is
//! listened to for a response timeout (`settle`). If the debt is still open when the next request of
//! this unit and function is due, then
//!
//! - a read is sent, and what answers it is set aside: it could be what is owed;
//! - the line is listened to for as long as the answer had been missing when the read was sent, and
//!   a response timeout more. A device that is late by the same amount each time, however large,
//!   delivers the other answers within that. Other units are served meanwhile;
//! - the same read is sent again, and only what answers that is used.
//!
//! A write is sent once; its answer counts after the same listening. This relies on two things:
//! devices answer in the order in which they are asked, and what is late stays about as late until
//! it has come. What is missing for a minute, and for ten timeouts, counts as lost.
//!
//! An answer may also come twice, the second time when something else is asked. What brings the very
//! bytes that answered another request within the last response timeout is in doubt: the line is
//! listened to for twice as long as answers took lately, and what then comes counts instead. If
//! nothing comes the bytes count, for two places often hold the same, and exceptions are alike by
//! nature (who searches may believe them at once, [`Bus::trusts_refusals`](super::Bus)); but where the line is known to repeat answers they have to come twice. Where the same is
//! asked again, a repeated answer cannot be told from a new one: it is the value of the request before.

mod connection;
mod debts;
mod echo;
mod exchange;
mod parked;
mod recent;
mod wire;

pub(super) use self::exchange::Exchange;
