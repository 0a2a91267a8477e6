//! Simulated Modbus devices.
//!
//! A [`device::Device`] is an image of the four tables and the faults it shows; `server` puts
//! devices on an in-memory stream or on TCP. Uses the same codec and framing as the client, and
//! knows nothing of tests.

pub mod device;
