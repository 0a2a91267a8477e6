//! Simulated Modbus devices, for tests of whatever talks to devices.
//!
//! | module | what it is for | what it must not know |
//! | --- | --- | --- |
//! | [`image`] | the memory of a device: four tables, sparse | what its words mean |
//! | [`device`] | one unit: a request in, an answer out | clocks, streams |
//! | [`access`] | what a device lets be read and written, and how it refuses the rest | clocks, streams |
//! | [`behaviour`] | what a value does over time | points, registers, requests |
//! | [`fault`] | how a device deviates: what, at which requests, when | clocks, streams |
//! | [`program`] | what a device does on its own: signals, rules, states | clocks, streams, requests |
//! | [`endpoint`] | a line with its units, served on whatever a line hangs on | what the answers are |
//! | [`simulator`] | all of it for a test, with one call | – |
//!
//! The codec and the framing are those of the client, from `passline-modbus`. Nothing here knows
//! of tests, limits or verdicts, and no request makes it panic.
//!
//! # A device in a test
//!
//! Of the codec's crate only the words are needed: points, tables, requests.
//!
//! ```
//! use std::time::Duration;
//!
//! use passline_modbus::pdu::Request;
//! use passline_modbus::point::{DataType, Declaration, Point, Table};
//! use passline_simulator::Simulator;
//! use passline_simulator::fault::{Fault, RequestFault, Scope, Trigger};
//! use passline_simulator::simulator::Unit;
//! use passline_modbus::pdu::ExceptionCode;
//! # use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut voltage = Declaration::new("voltage", Table::Input, 0);
//! voltage.data_type = DataType::F32;
//! let setpoint = Declaration::new("setpoint", Table::Holding, 4);
//! let meter = Unit::new([Point::new(voltage).unwrap(), Point::new(setpoint).unwrap()])?;
//!
//! let simulator = Simulator::start([(1, meter)])?;
//! simulator.unit(1)?.set("voltage", 230.4)?;
//!
//! // Whatever is under test is told `simulator.address()`. Here a client that knows nothing but bytes:
//! // transaction 7, protocol 0, 6 bytes: unit 1, function 4, 2 registers from address 0 on.
//! let mut client = std::net::TcpStream::connect(simulator.address())?;
//! client.write_all(&[0, 7, 0, 0, 0, 6, 1, 4, 0, 0, 0, 2])?;
//! let mut answer = [0; 13];
//! client.read_exact(&mut answer)?;
//! assert_eq!(answer, [0, 7, 0, 0, 0, 7, 1, 4, 4, 0x43, 0x66, 0x66, 0x66]);
//! assert_eq!(simulator.requests()[0].request, Some(Request::ReadInputRegisters(0, 2)));
//!
//! // The next request finds it busy.
//! simulator.unit(1)?.add_fault(Fault {
//!     kind: RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy }.into(),
//!     scope: Scope::default(),
//!     trigger: Trigger { first: Some(1), ..Trigger::default() },
//! });
//! client.write_all(&[0, 8, 0, 0, 0, 6, 1, 6, 0, 4, 0, 9])?;
//! let wanted = Request::WriteSingleRegister(4, 9);
//! let asked = simulator
//!     .wait_for(Duration::from_secs(5), |asked| asked.request.as_ref() == Some(&wanted))?;
//! assert_eq!(asked.answer, Some(Err(ExceptionCode::ServerDeviceBusy)));
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod behaviour;
pub mod device;
pub mod endpoint;
pub mod fault;
pub mod image;
pub mod program;
pub mod simulator;

pub use simulator::Simulator;
