//! What Linux says of serial ports beyond their names, in its files. Opens no port: that would move
//! its control lines, and disturb whoever uses it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::facts::{Facts, Group, Holder, Port, Sight, Usb};
use super::findings::{BRLTTY, MODEM_MANAGER};

/// Chips that are nothing but serial adapters, of FTDI, Silicon Labs, WCH and Prolific.
const ADAPTERS: [(u16, u16); 9] = [
    (0x0403, 0x6001),
    (0x0403, 0x6010),
    (0x0403, 0x6011),
    (0x0403, 0x6014),
    (0x0403, 0x6015),
    (0x10C4, 0xEA60),
    (0x1A86, 0x7523),
    (0x1A86, 0x55D3),
    (0x067B, 0x2303),
];

/// Where the system's files are: `/`, but for tests.
pub(super) struct Root(pub(super) PathBuf);

impl Root {
    /// Adds what can be seen to ports that are known by name.
    pub(super) fn complete(&self, facts: &mut Facts) {
        let by_id = self.by_id();
        let (mut holders, sight) = self.holders();
        facts.sight = sight;
        for port in &mut facts.ports {
            port.by_id = by_id.get(Path::new(&port.path)).cloned();
            port.holders = holders.remove(Path::new(&port.path)).unwrap_or_default();
            port.group = self.group(Path::new(&port.path), facts.user.as_deref());
            port.latency_ms = self.latency(port);
        }
        facts.missing_files = self.missing_files();
        facts.without_port = self.without_port();
        facts.programs = self.programs();
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The names in a folder; none if there is no such folder.
    fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn text(&self, file: impl AsRef<Path>) -> Option<String> {
        Some(fs::read_to_string(self.at(file)).ok()?.trim().to_owned())
    }

    /// The lasting name of each port.
    fn by_id(&self) -> BTreeMap<PathBuf, String> {
        let folder = Path::new("/dev/serial/by-id");
        let name = |name: String| {
            let link = folder.join(name);
            let target = fs::read_link(self.at(&link)).ok()?;
            let port = Path::new("/dev").join(target.file_name()?);
            Some((port, link.to_string_lossy().into_owned()))
        };
        self.names(folder).into_iter().filter_map(name).collect()
    }

    /// Who has what open under `/dev/tty…`, and whose processes could be looked at.
    fn holders(&self) -> (BTreeMap<PathBuf, Vec<Holder>>, Sight) {
        let mut holders: BTreeMap<PathBuf, Vec<Holder>> = BTreeMap::new();
        let mut sight = Sight::All;
        for pid in self.names("/proc").iter().filter_map(|name| name.parse::<u32>().ok()) {
            if pid == std::process::id() {
                continue;
            }
            let folder = self.at(format!("/proc/{pid}/fd"));
            let files = match fs::read_dir(folder) {
                Ok(files) => files,
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    sight = Sight::Own;
                    continue;
                }
                // It has ended meanwhile.
                Err(_) => continue,
            };
            let open = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
            let mut ports: Vec<PathBuf> = open.filter(|path| path.starts_with("/dev")).collect();
            ports.sort();
            ports.dedup();
            let program = self.text(format!("/proc/{pid}/comm")).unwrap_or_default();
            for port in ports {
                let holder = Holder { pid, program: program.clone() };
                holders.entry(port).or_default().push(holder);
            }
        }
        (holders, sight)
    }

    fn group(&self, port: &Path, user: Option<&str>) -> Option<Group> {
        let gid = fs::metadata(self.at(port)).ok()?.gid().to_string();
        let groups = self.text("/etc/group")?;
        groups.lines().find_map(|line| {
            let [name, _, id, members] = line.split(':').collect::<Vec<_>>()[..] else {
                return None;
            };
            let has_user = user.is_some_and(|user| members.split(',').any(|name| name == user));
            (id == gid).then(|| Group { name: name.to_owned(), has_user })
        })
    }

    fn latency(&self, port: &Port) -> Option<u32> {
        let name = Path::new(&port.path).file_name()?.to_str()?;
        self.text(format!("/sys/bus/usb-serial/devices/{name}/latency_timer"))?.parse().ok()
    }

    /// USB ports of the kernel without a device file.
    fn missing_files(&self) -> Vec<String> {
        let names = self.names("/sys/class/tty").into_iter();
        let usb = names.filter(|name| name.starts_with("ttyUSB") || name.starts_with("ttyACM"));
        let paths = usb.map(|name| format!("/dev/{name}"));
        paths.filter(|path| !self.at(path).exists()).collect()
    }

    /// Serial adapters of which no interface has a port.
    fn without_port(&self) -> Vec<Usb> {
        let folder = Path::new("/sys/bus/usb/devices");
        let names = self.names(folder);
        let has_port = |device: &str| {
            let interfaces = names.iter().filter(|name| name.starts_with(&format!("{device}:")));
            let inside = interfaces.flat_map(|name| self.names(folder.join(name)));
            inside.into_iter().any(|name| name.starts_with("tty"))
        };
        let adapters = names.iter().filter_map(|device| {
            let text = |file: &str| self.text(folder.join(device).join(file));
            let number = |file| u16::from_str_radix(&text(file)?, 16).ok();
            let (vendor, product) = (number("idVendor")?, number("idProduct")?);
            let adapter = ADAPTERS.contains(&(vendor, product)) && !has_port(device);
            adapter.then(|| Usb {
                vendor,
                product,
                manufacturer: text("manufacturer"),
                name: text("product"),
                serial_number: text("serial"),
            })
        });
        adapters.collect()
    }

    fn programs(&self) -> Vec<String> {
        let pids = self.names("/proc");
        let running: Vec<String> =
            pids.iter().filter_map(|pid| self.text(format!("/proc/{pid}/comm"))).collect();
        let known = [MODEM_MANAGER, BRLTTY].into_iter();
        known.filter(|known| running.iter().any(|name| name == known)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A machine in a folder: files with their texts.
    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root(folder.path().to_owned());
        for (path, text) in files {
            let path = root.at(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        (folder, root)
    }

    fn facts(root: &Root) -> Facts {
        let port = Port { path: "/dev/ttyUSB0".to_owned(), ..Port::default() };
        let mut facts = Facts { ports: vec![port], user: Some("ada".into()), ..Facts::default() };
        root.complete(&mut facts);
        facts
    }

    #[test]
    fn an_empty_machine_says_nothing_and_breaks_nothing() {
        let (_folder, root) = machine(&[]);
        let facts = facts(&root);
        assert_eq!((facts.missing_files.len(), facts.programs.len()), (0, 0));
        assert_eq!(facts.ports[0].group, None);
    }

    #[test]
    fn a_port_is_completed_from_the_files_of_the_system() {
        let (_folder, root) = machine(&[
            ("/dev/ttyUSB0", ""),
            ("/sys/bus/usb-serial/devices/ttyUSB0/latency_timer", "16\n"),
            ("/proc/4000001/comm", "minicom\n"),
            ("/proc/4000001/fd/.keep", ""),
            ("/proc/4000002/comm", "ModemManager\n"),
            ("/proc/self/comm", "passline\n"),
        ]);
        let gid = fs::metadata(root.at("/dev/ttyUSB0")).expect("a file").gid();
        fs::create_dir_all(root.at("/etc")).expect("a folder");
        let groups = format!("other:x:{}:\ndialout:x:{gid}:bob,ada\n", gid + 1);
        fs::write(root.at("/etc/group"), groups).expect("a file");
        fs::create_dir_all(root.at("/dev/serial/by-id")).expect("a folder");
        symlink("../../ttyUSB0", root.at("/dev/serial/by-id/usb-FTDI-A1")).expect("a link");
        symlink("/dev/ttyUSB0", root.at("/proc/4000001/fd/3")).expect("a link");
        symlink("/dev/ttyUSB0", root.at("/proc/4000001/fd/4")).expect("a link");
        let facts = facts(&root);
        let port = &facts.ports[0];
        assert_eq!(port.latency_ms, Some(16));
        assert_eq!(port.by_id.as_deref(), Some("/dev/serial/by-id/usb-FTDI-A1"));
        assert_eq!(port.group, Some(Group { name: "dialout".into(), has_user: true }));
        assert_eq!(port.holders, [Holder { pid: 4_000_001, program: "minicom".into() }]);
        assert_eq!(facts.programs, [MODEM_MANAGER]);
        assert_eq!(facts.sight, Sight::All);
    }

    #[test]
    fn adapters_without_ports_and_ports_without_files_are_seen() {
        let (_folder, root) = machine(&[
            ("/sys/class/tty/ttyACM0/dev", "166:0"),
            ("/sys/class/tty/ttyS0/dev", "4:64"),
            ("/sys/bus/usb/devices/1-1/idVendor", "1a86\n"),
            ("/sys/bus/usb/devices/1-1/idProduct", "7523\n"),
            ("/sys/bus/usb/devices/1-1/product", "USB Serial\n"),
            ("/sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "ff"),
            ("/sys/bus/usb/devices/1-2/idVendor", "0403"),
            ("/sys/bus/usb/devices/1-2/idProduct", "6001"),
            ("/sys/bus/usb/devices/1-2:1.0/ttyUSB0/port_number", "0"),
            ("/sys/bus/usb/devices/1-3/idVendor", "046d"),
            ("/sys/bus/usb/devices/1-3/idProduct", "c077"),
        ]);
        let facts = facts(&root);
        assert_eq!(facts.missing_files, ["/dev/ttyACM0"]);
        let shown: Vec<String> = facts.without_port.iter().map(Usb::to_string).collect();
        assert_eq!(shown, ["USB 1a86:7523 \"USB Serial\""]);
    }
}
