//! A thousand devices in one process, and ten thousand connections that nobody uses.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{BUS, Bench, read};

const DEVICES: usize = 1000;

/// Each on a link of its own: register 0 holds 7.
fn thousand() -> Bench {
    let device = |index: usize| {
        let (high, low) = (index / 250, index % 250);
        format!(
            "  d{index}: {{ link: 'tcp://10.0.{high}.{low}', profile: meter.yaml, unit_id: 1, simulate: {{ values: {{ level: 7 }} }} }}\n"
        )
    };
    let devices: String = (0..DEVICES).map(device).collect();
    let tests = "tests: [{ test: level, steps: [{ read: d0.level, equals: 7 }] }]\n";
    let bench = Bench::new(&format!("spec: many\ndevices:\n{devices}{tests}"));
    let profile = "profile: meter\npoints: { level: { holding: 0 } }\n";
    fs::write(bench.path("meter.yaml"), profile).unwrap();
    bench
}

/// Kilobytes of a process in memory.
fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    // As many as this process may have, some for the others beside.
    let most = limit.maximum.map_or(10_000, |most| usize::try_from(most).unwrap() - 500);
    let count = most.min(10_000);
    let bench = thousand();
    let simulator = bench.serve(&["tcp://127.0.0.1:0"], DEVICES);
    let before = resident(simulator.process.id());
    let mut idle = Vec::with_capacity(count);
    for url in simulator.urls.iter().cycle().take(count) {
        let mut client = TcpStream::connect(url.strip_prefix("tcp://").unwrap()).unwrap();
        client.write_all(&[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]).unwrap();
        let mut answer = [0; 11];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7]);
        idle.push(client);
    }
    let each = (resident(simulator.process.id()) - before) * 1024 / count;
    assert!(each < 4096, "{each} bytes for each idle connection");
    assert_eq!(read(&simulator.urls[0], 1), "7");
    // The first is as good as ever.
    idle[0].write_all(&[0, 2, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]).unwrap();
    let mut answer = [0; 11];
    idle[0].read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0, 2, 0, 0, 0, 5, 1, 3, 2, 0, 7]);
}

#[test]
fn who_may_not_open_so_many_files_is_told_what_to_do() {
    let bench = thousand();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 200 && exec \"$0\" simulate \"$1\""])
        .args([env!("CARGO_BIN_EXE_passline"), &bench.path("spec.yaml")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("as many files open as it may") && said.contains("ulimit -n"), "{said}");
}

#[test]
fn a_name_that_is_taken_is_left_alone() {
    let bench = Bench::new(BUS);
    let (file, folder, link) = (bench.path("file"), bench.path("folder"), bench.path("link"));
    fs::write(&file, "mine").unwrap();
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for name in [&file, &folder, &link] {
        let (code, said) = bench.refused(&[&format!("rtu+pty://{name}")]);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(name.as_str()) && said.contains("that name is taken"), "{said}");
    }
    assert_eq!(fs::read_to_string(&link).unwrap(), "mine");
}
