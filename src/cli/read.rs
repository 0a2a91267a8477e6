//! `passline read`: values of one device, bare, for people and scripts.

use passline_modbus::link::{Call, Link, Options};
use passline_modbus::pdu::Response;
use passline_modbus::planner;
use passline_modbus::point::{DataType, Declaration, Point, Raw, Reading, Table};

use super::arguments::ReadArguments;
use super::exit::Exit;
use super::terminal;
use crate::judge::exception;

/// Runs the command.
pub(super) fn read(arguments: &ReadArguments) -> Exit {
    if arguments.timeout.is_zero() {
        return failed("--timeout 0: no device answers in no time", Exit::Usage);
    }
    let mut points = Vec::new();
    for (table, address) in &arguments.places {
        match points_at(arguments, *table, *address) {
            Ok(found) => points.extend(found),
            Err(text) => return failed(&text, Exit::Usage),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string(), Exit::Error),
    };
    runtime.block_on(async {
        let link = Link::open(&arguments.link, Options::of(&arguments.link), |_| {});
        let mut exit = Exit::Pass;
        for (id, point) in (1..).zip(&points) {
            match value(&link, arguments, id, point).await {
                Ok(value) => terminal::line(&value),
                Err(text) => exit = failed(&format!("{}: {text}", point.span()), Exit::Error),
            }
        }
        link.close().await;
        exit
    })
}

fn failed(text: &str, exit: Exit) -> Exit {
    terminal::aside(&format!("error: {text}"));
    exit
}

/// `count` values one after the other.
fn points_at(arguments: &ReadArguments, table: Table, address: u16) -> Result<Vec<Point>, String> {
    let data_type = match &arguments.data_type {
        Some(name) => DataType::named(name, arguments.length).map_err(|error| error.to_string())?,
        None if table.is_bits() => DataType::Bool,
        None => DataType::U16,
    };
    let step = u32::from(data_type.registers());
    let point = |index: u32| {
        let mut declaration =
            Declaration::new("value", table, u32::from(address).saturating_add(index * step));
        declaration.data_type = data_type;
        declaration.order = arguments.order;
        if let Some(scale) = &arguments.scale {
            declaration.scale = scale.clone();
        }
        if let Some(offset) = &arguments.offset {
            declaration.offset = offset.clone();
        }
        Point::new(declaration).map_err(|errors| {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            texts.join("; ")
        })
    };
    (0..u32::from(arguments.count)).map(point).collect()
}

/// The value as it is shown, or why there is none.
async fn value(
    link: &Link,
    arguments: &ReadArguments,
    id: u64,
    point: &Point,
) -> Result<String, String> {
    let request = planner::request(point.span());
    let call = Call { id, unit: arguments.unit_id, request, timeout: arguments.timeout };
    let answer = link.call(call).await.result.map_err(|error| error.to_string())?;
    let response =
        answer.map_err(|code| format!("the device answered with {}", exception::named(code)))?;
    let raw = match &response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            Raw::Bit(bits.first().copied().unwrap_or_default())
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => {
            Raw::Registers(words.as_slice().into())
        }
        _ => return Err("the answer is of another function".to_owned()),
    };
    match point.decode(&raw, None).map_err(|error| error.to_string())? {
        Reading::Value(value) => Ok(value.to_string()),
        Reading::Invalid => Err("the device says that it has no value".to_owned()),
    }
}
