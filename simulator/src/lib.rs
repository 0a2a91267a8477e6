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
//!
//! The codec and the framing are those of the client, from `passline-modbus`. Nothing here knows
//! of tests, limits or verdicts, and no request makes it panic.
//!
//! # A device in a test
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//!
//! use passline_modbus::point::Table;
//! use passline_simulator::device::Device;
//! use passline_simulator::endpoint::Endpoint;
//! use passline_simulator::fault::{Fault, FrameFault, Scope, Seed, Trigger};
//! use passline_simulator::image::Image;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut image = Image::new();
//! image.set_words(Table::Input, 0, &[0x4366, 0x6666])?; // 230.4 as an f32
//! let slow_at_first = Fault {
//!     kind: FrameFault::Delay { by: Duration::from_millis(5) }.into(),
//!     scope: Scope { function: Some(4), ..Scope::default() },
//!     trigger: Trigger { first: Some(1), ..Trigger::default() },
//! };
//! let meter = Device::new(image).with_faults([slow_at_first], Seed::of_device(42, "meter"));
//!
//! let line = Endpoint::new(BTreeMap::from([(1, meter)]), tokio::time::Instant::now());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! tokio::spawn(line.serve(listener, std::future::pending()));
//!
//! // Transaction 7, protocol 0, 6 bytes: unit 1, function 4, 2 registers from address 0 on.
//! let mut client = tokio::net::TcpStream::connect(address).await?;
//! client.write_all(&[0, 7, 0, 0, 0, 6, 1, 4, 0, 0, 0, 2]).await?;
//! let mut answer = [0; 13];
//! client.read_exact(&mut answer).await?;
//! assert_eq!(answer, [0, 7, 0, 0, 0, 7, 1, 4, 4, 0x43, 0x66, 0x66, 0x66]);
//! assert_eq!(line.with_device(1, |meter| meter.statistics().faults), Some(1));
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
