//! What is there and is not asked: start-up, and memory.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::net::SocketAddr;

use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::load::ANSWER;
use crate::serve::{Outcome, image};

const DEVICES: usize = 1000;
const GATEWAYS: usize = 33;
const UNITS: u8 = 31;

pub(crate) fn fleet() -> Outcome<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (before, begin) = (resident()?, Instant::now());
        let devices = serve(DEVICES, 1).await?;
        let (started, with_devices) = (begin.elapsed(), resident()?);
        let (begin, before_gateways) = (Instant::now(), resident()?);
        let gateways = serve(GATEWAYS, UNITS).await?;
        let (gateways_started, with_gateways) = (begin.elapsed(), resident()?);
        println!("{DEVICES} devices on {DEVICES} ports: {:.3} s", started.as_secs_f64());
        println!("  each of them: {} bytes", (with_devices - before) / DEVICES);
        println!(
            "{UNITS} units on each of {GATEWAYS} gateways: {:.3} s",
            gateways_started.as_secs_f64()
        );
        let units = GATEWAYS * usize::from(UNITS);
        println!("  each of them: {} bytes", (with_gateways - before_gateways) / units);
        let mut clients = Vec::with_capacity(DEVICES);
        for (address, _) in &devices {
            clients.push(asked(*address).await?);
        }
        // The client's end is in this process, too: this is for both of them.
        println!("a connection, both ends: {} bytes", (resident()? - with_gateways) / DEVICES);
        drop((gateways, devices));
        Ok(())
    })
}

/// So many lines with so many units each, served; they listen when this returns.
async fn serve(lines: usize, units: u8) -> Outcome<Vec<(SocketAddr, Endpoint)>> {
    let mut served = Vec::with_capacity(lines);
    for _ in 0..lines {
        let mut devices = BTreeMap::new();
        for unit in 1..=units {
            devices.insert(unit, Device::new(image()?));
        }
        let line = Endpoint::new(devices, Instant::now());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(line.serve(listener, pending()));
        served.push((address, line));
    }
    Ok(served)
}

/// A connection over which one request was answered.
async fn asked(address: SocketAddr) -> Outcome<TcpStream> {
    let mut client = TcpStream::connect(address).await?;
    client.write_all(&[0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10]).await?;
    let mut answer = [0; ANSWER.len()];
    client.read_exact(&mut answer).await?;
    if answer == ANSWER { Ok(client) } else { Err(format!("{answer:02x?}").into()) }
}

/// Bytes of this process in memory.
fn resident() -> Outcome<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kilobytes.parse::<usize>()? * 1024)
}
