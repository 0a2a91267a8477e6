//! `passline doctor`: the serial ports of this machine, and what is wrong with them.

mod facts;
mod findings;
#[cfg(target_os = "linux")]
mod linux;

use serde::Serialize;
use tokio_serial::{SerialPortInfo, SerialPortType, available_ports};

use super::arguments::DoctorArguments;
use super::document::Document;
use super::exchange::failed;
use super::exit::Exit;
use super::terminal::printable;
use crate::lock::{self, Holder};
use facts::{Facts, Port, Usb};
use findings::{Finding, Weight, findings, unseen};

/// What `--json` asks for.
#[derive(Serialize)]
struct Diagnosis<'a> {
    format: &'static str,
    #[serde(flatten)]
    facts: &'a Facts,
    /// The lines that a Passline keeps others off.
    locks: &'a [Holder],
    findings: &'a [Finding],
}

/// Runs the command.
pub(super) fn doctor(arguments: &DoctorArguments) -> Exit {
    let facts = match gather() {
        Ok(facts) => facts,
        Err(error) => {
            return failed(
                &format!("the serial ports cannot be listed: {error}"),
                None,
                Exit::Error,
            );
        }
    };
    let locks = match lock::holders(&arguments.locks.lock_dir) {
        Ok(locks) => locks,
        Err(error) => {
            let path = arguments.locks.lock_dir.display();
            return failed(&format!("{path}: {error}"), None, Exit::Error);
        }
    };
    let findings = findings(&facts);
    let document = Document::of(arguments.json.as_ref());
    for port in &facts.ports {
        document.say(&port.to_string());
    }
    if facts.ports.is_empty() {
        document.say("no serial ports");
    }
    for holder in &locks {
        document.say(&format!("in use: {}: by {holder}", printable(&holder.place)));
    }
    for Finding { weight, subject, text, remedy } in &findings {
        document.say(&format!("{}: {subject}: {text}\n  help: {remedy}", weight.word()));
    }
    if let Some(text) = unseen(&facts) {
        document.say(&format!("note: {text}"));
    }
    let sick = findings.iter().any(|finding| finding.weight == Weight::Problem);
    let exit = if sick { Exit::Fail } else { Exit::Pass };
    if exit == Exit::Pass {
        document.say("no problems found");
    }
    let diagnosis = Diagnosis {
        format: "passline-doctor/1",
        facts: &facts,
        locks: &locks,
        findings: &findings,
    };
    document.write(&diagnosis, exit)
}

fn gather() -> tokio_serial::Result<Facts> {
    // Without it listing would panic, and there are no ports that could be listed.
    let listable =
        cfg!(not(target_os = "linux")) || std::path::Path::new("/sys/class/tty").is_dir();
    let mut ports = if listable { available_ports()? } else { Vec::new() };
    ports.sort_by(|one, other| one.port_name.cmp(&other.port_name));
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "nothing to add elsewhere"))]
    let mut facts = Facts {
        user,
        ports: ports.into_iter().map(port).collect(),
        ptys: ptys(),
        ..Facts::default()
    };
    #[cfg(target_os = "linux")]
    linux::Root("/".into()).complete(&mut facts);
    Ok(facts)
}

fn port(info: SerialPortInfo) -> Port {
    let usb = match info.port_type {
        SerialPortType::UsbPort(usb) => Some(Usb {
            vendor: usb.vid,
            product: usb.pid,
            manufacturer: usb.manufacturer.map(|text| printable(&text)),
            name: usb.product.map(|text| printable(&text)),
            serial_number: usb.serial_number.map(|text| printable(&text)),
        }),
        _ => None,
    };
    let may_open = may_open(&info.port_name);
    Port { path: info.port_name, usb, may_open, ..Port::default() }
}

/// Asks for the rights, and opens nothing: that would move the port's control lines.
#[cfg(unix)]
fn may_open(path: &str) -> Option<bool> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    match access(path, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => Some(true),
        Err(Errno::ACCESS | Errno::PERM) => Some(false),
        Err(_) => None,
    }
}

#[cfg(not(unix))]
fn may_open(_path: &str) -> Option<bool> {
    None
}

fn ptys() -> Option<bool> {
    cfg!(unix).then(|| may_open("/dev/ptmx") == Some(true))
}
