//! The measuring itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::pending;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use passline_modbus::address::Address;
use passline_modbus::framing::Framing;
use passline_modbus::link::{Call, Link, Options};
use passline_modbus::pdu::{Request, Response};
use passline_modbus::point::Table;
use passline_modbus::serial::Settings;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Listener, Pty, Wire};
use passline_simulator::image::Image;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Characters of a read of ten registers and of its answer.
const CHARACTERS: usize = 8 + 25;

pub(crate) fn run() -> Outcome<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let time = Duration::from_secs(seconds);
    println!("baud    units  buses    reads/s      limit  ratio of each bus");
    for baud in [9600, 19200, 115_200] {
        measure(baud, 1, 1, time)?;
    }
    for baud in [9600, 115_200] {
        measure(baud, 31, 1, time)?;
        measure(baud, 1, 8, time)?;
    }
    Ok(())
}

fn measure(baud: u32, units: u8, buses: usize, time: Duration) -> Outcome<()> {
    let options = format!("baud={baud}&parity=none&stop=1");
    let settings = format!("rtu:///dev/pts?{options}").parse::<Address>()?.settings();
    let settings = settings.ok_or("no serial line")?;
    let paths = simulate(settings, units, buses)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let rates = runtime.block_on(async {
        let mut readers = JoinSet::new();
        for path in paths {
            let address: Address = format!("rtu://{path}?{options}").parse()?;
            readers.spawn(async move { rate(&address, units, time).await });
        }
        readers.join_all().await.into_iter().collect::<Outcome<Vec<f64>>>()
    })?;
    let cycle = settings.wire_time(CHARACTERS) + 2 * settings.silence();
    let limit = 1.0 / cycle.as_secs_f64();
    let ratios: Vec<String> = rates.iter().map(|rate| format!("{:.3}", rate / limit)).collect();
    let sum: f64 = rates.iter().sum();
    let limits = limit * f64::from(u32::try_from(buses)?);
    println!("{baud:<6}  {units:>5}  {buses:>5}  {sum:>9.2}  {limits:>9.2}  {}", ratios.join(" "));
    Ok(())
}

/// The lines, served by a thread of their own until the program ends: the path of each.
fn simulate(settings: Settings, units: u8, buses: usize) -> Outcome<Vec<String>> {
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[7; 10])?;
    let (tell, paths) = mpsc::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            let mut lines = Vec::new();
            for _ in 0..buses {
                let devices = (1..=units).map(|unit| (unit, Device::new(image.clone())));
                let line =
                    Endpoint::new(devices.collect::<BTreeMap<_, _>>(), tokio::time::Instant::now());
                let pty = Pty::new()?;
                let path = pty.path().display().to_string();
                let wire = Wire::paced(Framing::Rtu, settings);
                tokio::spawn(line.serve(Listener::Pty(pty, wire), pending()));
                lines.push(line);
                tell.send(path)?;
            }
            drop(tell);
            pending::<Outcome<()>>().await
        })
    });
    Ok(paths.iter().collect())
}

/// Reads per second, one unit after the other.
async fn rate(address: &Address, units: u8, time: Duration) -> Outcome<f64> {
    let link = Link::open(address, Options::of(address), |_| {});
    read(&link, 1).await?;
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < time {
        for unit in 1..=units {
            read(&link, unit).await?;
            count += 1;
        }
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

async fn read(link: &Link, unit: u8) -> Outcome<()> {
    let request = Request::ReadHoldingRegisters(0, 10);
    let call = Call { id: 0, unit, request, timeout: Duration::from_secs(1) };
    match link.call(call).await.result? {
        Ok(Response::ReadHoldingRegisters(words)) if words == [7; 10] => Ok(()),
        other => Err(format!("unit {unit} holds {other:?}").into()),
    }
}
