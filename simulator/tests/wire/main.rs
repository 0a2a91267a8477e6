//! The simulator as its clients see it: bytes in, bytes out, written by hand. Only the headers of
//! frames are shared between the tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod access;
mod beyond;
mod composed;
mod connections;
mod faults;
mod functions;
mod interop;
mod kinds;
mod properties;
mod serving;
mod support;
mod taught;
