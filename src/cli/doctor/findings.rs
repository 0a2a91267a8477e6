//! What is wrong with a machine, and what to do about it. A pure function of the facts.

use serde::Serialize;

use super::facts::{Facts, Group, Port, Sight, Usb};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) weight: Weight,
    /// What it is about: a port, a program.
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) remedy: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Weight {
    /// Something cannot work as it is.
    Problem,
    /// It works, and could work better, or stop to.
    Hint,
}

impl Weight {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Hint => "hint",
        }
    }
}

fn finding(weight: Weight, subject: &str, text: String, remedy: String) -> Finding {
    Finding { weight, subject: subject.to_owned(), text, remedy }
}

/// Everything there is to do, problems first.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for port in &facts.ports {
        found.extend([access(port), held(port), latency(port)].into_iter().flatten());
    }
    found.extend(facts.missing_files.iter().map(|path| missing(path)));
    found.extend(facts.without_port.iter().map(|usb| without_port(usb, facts)));
    found.extend(programs(facts));
    found.extend(ptys(facts));
    found.sort_by_key(|finding| finding.weight);
    found
}

fn access(port: &Port) -> Option<Finding> {
    if port.may_open != Some(false) {
        return None;
    }
    let text = "you may not open it".to_owned();
    let remedy = match &port.group {
        Some(Group { name, has_user: true }) => {
            format!("you are in the group {name} since your last login: log out and in again")
        }
        Some(Group { name, has_user: false }) if name != "root" => {
            format!(
                "join the group {name}: sudo usermod -aG {name} $USER, then log out and in again"
            )
        }
        _ => "nobody but root may: give it to a group with a udev rule".to_owned(),
    };
    Some(finding(Weight::Problem, &port.path, text, remedy))
}

fn held(port: &Port) -> Option<Finding> {
    let holders: Vec<String> = port
        .holders
        .iter()
        .map(|holder| format!("{} (pid {})", holder.program, holder.pid))
        .collect();
    if holders.is_empty() {
        return None;
    }
    let text = format!("held by {}", holders.join(", "));
    let remedy = "close it there: two programs on one port take each other's answers";
    Some(finding(Weight::Problem, &port.path, text, remedy.to_owned()))
}

fn latency(port: &Port) -> Option<Finding> {
    let latency = port.latency_ms.filter(|latency| *latency > 1)?;
    let text = format!("the adapter keeps bytes back for up to {latency} ms, at each answer");
    let name = port.path.rsplit('/').next().unwrap_or_default();
    let file = format!("/sys/bus/usb-serial/devices/{name}/latency_timer");
    Some(finding(Weight::Hint, &port.path, text, format!("echo 1 | sudo tee {file}")))
}

fn missing(path: &str) -> Finding {
    let text = "the system has this port, but there is no such file".to_owned();
    let remedy = "in a container: pass it in, such as with --device; else see that udev runs";
    finding(Weight::Problem, path, text, remedy.to_owned())
}

fn without_port(usb: &Usb, facts: &Facts) -> Finding {
    let text = "plugged in, but the system has made no port of it".to_owned();
    let remedy = if facts.programs.iter().any(|program| program == BRLTTY) {
        "brltty takes such adapters for braille displays: remove it, or its udev rule"
    } else {
        "see dmesg: the driver may be missing (modules ftdi_sio, cp210x, ch341, pl2303)"
    };
    finding(Weight::Problem, &usb.to_string(), text, remedy.to_owned())
}

/// Programs that open every new port on their own account.
pub(super) const BRLTTY: &str = "brltty";
pub(super) const MODEM_MANAGER: &str = "ModemManager";

fn programs(facts: &Facts) -> Vec<Finding> {
    let usb = facts.ports.iter().any(|port| port.usb.is_some());
    let found = facts.programs.iter().filter(|_| usb).map(|program| {
        let text = "opens new ports by itself and writes to them for some seconds".to_owned();
        let remedy = match program.as_str() {
            MODEM_MANAGER => {
                "a udev rule with ENV{ID_MM_DEVICE_IGNORE}=\"1\" for the adapter keeps it away, or \
                 sudo systemctl disable --now ModemManager"
            }
            _ => "remove it if there is no braille display",
        };
        finding(Weight::Hint, program, text, remedy.to_owned())
    });
    found.collect()
}

fn ptys(facts: &Facts) -> Option<Finding> {
    let text = "no pseudo-terminals: nothing can be simulated on a serial line".to_owned();
    let remedy = "mount devpts: sudo mount -t devpts devpts /dev/pts".to_owned();
    (facts.ptys == Some(false)).then(|| finding(Weight::Problem, "/dev/ptmx", text, remedy))
}

/// What could not be looked at, so that its absence above means nothing.
pub(super) fn unseen(facts: &Facts) -> Option<&'static str> {
    match facts.sight {
        _ if facts.ports.is_empty() => None,
        Sight::All => None,
        Sight::Own => {
            Some("only your own processes could be looked at for who holds a port: as root all can")
        }
        Sight::None => Some("who holds a port cannot be seen on this system"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::facts::Holder;

    /// Ports as they should be.
    fn sound() -> Facts {
        let usb = Usb { vendor: 0x0403, product: 0x6001, ..Usb::default() };
        let port = Port {
            path: "/dev/ttyUSB0".to_owned(),
            usb: Some(usb),
            may_open: Some(true),
            group: Some(Group { name: "dialout".to_owned(), has_user: true }),
            latency_ms: Some(1),
            ..Port::default()
        };
        Facts { ports: vec![port], sight: Sight::All, ptys: Some(true), ..Facts::default() }
    }

    fn found(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
        let mut facts = sound();
        change(&mut facts);
        findings(&facts)
    }

    /// The only finding.
    fn only(change: impl FnOnce(&mut Facts)) -> (Weight, String, String, String) {
        let mut found = found(change);
        assert_eq!(found.len(), 1, "{found:?}");
        let Finding { weight, subject, text, remedy } = found.remove(0);
        (weight, subject, text, remedy)
    }

    #[test]
    fn nothing_is_said_of_what_is_sound_or_not_known() {
        assert_eq!(findings(&sound()), []);
        assert_eq!(findings(&Facts::default()), []);
        assert_eq!(found(|facts| facts.ports[0].may_open = None), []);
        assert_eq!(unseen(&sound()), None);
        assert!(unseen(&Facts { sight: Sight::None, ..sound() }).is_some());
        assert!(unseen(&Facts { sight: Sight::Own, ..sound() }).is_some());
    }

    #[test]
    fn the_missing_group_is_named() {
        let refused = |group: Option<(&str, bool)>| {
            only(|facts| {
                facts.ports[0].may_open = Some(false);
                facts.ports[0].group =
                    group.map(|(name, has_user)| Group { name: name.to_owned(), has_user });
            })
        };
        let (weight, subject, _, remedy) = refused(Some(("dialout", false)));
        assert_eq!((weight, subject.as_str()), (Weight::Problem, "/dev/ttyUSB0"));
        assert!(remedy.contains("sudo usermod -aG dialout $USER"), "{remedy}");
        assert!(refused(Some(("dialout", true))).3.contains("log out and in again"));
        assert!(refused(Some(("root", false))).3.contains("udev rule"));
        assert!(refused(None).3.contains("udev rule"));
    }

    #[test]
    fn whoever_holds_a_port_is_named() {
        let holder = |pid, program: &str| Holder { pid, program: program.to_owned() };
        let (weight, _, text, _) = only(|facts| {
            facts.ports[0].holders = vec![holder(7, "minicom"), holder(9, "python3")];
        });
        assert_eq!(weight, Weight::Problem);
        assert_eq!(text, "held by minicom (pid 7), python3 (pid 9)");
    }

    #[test]
    fn what_slows_or_disturbs_is_a_hint() {
        let (weight, _, text, remedy) = only(|facts| facts.ports[0].latency_ms = Some(16));
        assert_eq!(weight, Weight::Hint);
        assert!(text.contains("16 ms") && remedy.contains("ttyUSB0/latency_timer"), "{remedy}");
        let manager = |facts: &mut Facts| facts.programs = vec![MODEM_MANAGER.to_owned()];
        let (weight, _, _, remedy) = only(manager);
        assert_eq!(weight, Weight::Hint);
        assert!(remedy.contains("ID_MM_DEVICE_IGNORE"));
        // Without an adapter it disturbs nobody.
        let none = found(|facts| {
            manager(facts);
            facts.ports[0].usb = None;
        });
        assert_eq!(none, []);
    }

    #[test]
    fn what_is_plugged_in_and_cannot_be_opened_is_a_problem() {
        let (weight, subject, ..) = only(|facts| facts.missing_files = vec!["/dev/ttyACM0".into()]);
        assert_eq!((weight, subject.as_str()), (Weight::Problem, "/dev/ttyACM0"));
        let ch340 = Usb { vendor: 0x1A86, product: 0x7523, ..Usb::default() };
        let (weight, subject, _, remedy) = only(|facts| facts.without_port = vec![ch340.clone()]);
        assert_eq!((weight, subject.as_str()), (Weight::Problem, "USB 1a86:7523"));
        assert!(remedy.contains("ch341"));
        let taken = found(|facts| {
            facts.without_port = vec![ch340];
            facts.programs = vec![BRLTTY.to_owned()];
        });
        assert!(taken[0].remedy.contains("brltty"), "{taken:?}");
        assert_eq!(only(|facts| facts.ptys = Some(false)).0, Weight::Problem);
    }

    #[test]
    fn problems_come_first() {
        let found = found(|facts| {
            facts.ports[0].latency_ms = Some(16);
            facts.ptys = Some(false);
        });
        let weights: Vec<Weight> = found.iter().map(|finding| finding.weight).collect();
        assert_eq!(weights, [Weight::Problem, Weight::Hint]);
    }
}
