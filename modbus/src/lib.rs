//! Modbus for test tools.
//!
//! # Layout
//!
//! | module | what it is for | what it must not know |
//! | --- | --- | --- |
//! | [`pdu`] | requests and answers to bytes and back, strict, typed defects | framing, links, time |
//! | [`framing`] | bytes to frames: pure state machines | what a PDU means but its length, sockets, time |
//! | [`link`] | one task owns one physical line: queue, deadlines, reconnect | points, values |
//! | [`serial`] | serial lines: how characters are formed, how long they take | frames |
//! | [`address`] | `tcp://host:port?options`: where a line is | how it is opened |
//! | [`duration`] | spans of time as they are written: `500ms`, `1h` | what they are for |
//! | [`tls`] | certificates and keys from files, the role in a certificate | connections |
//! | [`value`] | exact decimals, floats, texts: what a register can mean | where it came from |
//! | [`point`] | a named datum: where it is, type, order, scale | how it is read |
//! | [`inquiry`] | what is asked to read a place, and what comes out of the answers | links, values |
//! | [`change`] | values in their raw form, and the one request that writes them | who may write what, links |
//! | [`planner`] | the fewest reads that cover a set of points | links, values |
//! | [`wait`] | waits that end on time | frames, links |
//!
//! Nothing here knows of tests, limits or verdicts. No decoder panics, whatever the bytes.

pub mod address;
pub mod change;
pub mod duration;
pub mod framing;
pub mod inquiry;
pub mod link;
pub mod pdu;
pub mod planner;
pub mod point;
pub mod serial;
pub mod tls;
pub mod value;
pub mod wait;
