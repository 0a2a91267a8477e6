//! A device in a program of its own: `cargo run -p passline-simulator --example meter`, then ask it with
//! whatever client there is. It ends when its standard input does.

use std::error::Error;
use std::io::{Write as _, stdin, stdout};
use std::num::NonZeroU64;
use std::time::Duration;

use passline_modbus::point::{DataType, Declaration, Point, Table};
use passline_simulator::Simulator;
use passline_simulator::fault::{Fault, FrameFault, Scope, Trigger};
use passline_simulator::simulator::Unit;

fn main() -> Result<(), Box<dyn Error>> {
    let mut voltage = Declaration::new("voltage", Table::Input, 0);
    voltage.data_type = DataType::F32;
    let point = Point::new(voltage).map_err(|errors| format!("{errors:?}"))?;
    let simulator = Simulator::start([(1, Unit::new([point])?)])?;
    let meter = simulator.unit(1)?;
    meter.set("voltage", 230.4)?;
    // Every tenth answer is late.
    meter.add_fault(Fault {
        kind: FrameFault::Delay { by: Duration::from_millis(300) }.into(),
        scope: Scope::default(),
        trigger: Trigger { every: NonZeroU64::new(10), ..Trigger::default() },
    });
    let mut out = stdout().lock();
    writeln!(out, "passline read {} --unit-id 1 input:0 --type f32", simulator.url())?;
    stdin().read_line(&mut String::new())?;
    for asked in simulator.requests() {
        writeln!(out, "{:?} -> {:?}", asked.request, asked.answer)?;
    }
    Ok(())
}
