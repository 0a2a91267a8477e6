//! `learn` on 33 real register maps: what is learned answers like the original on every declared
//! register, holes stay holes, and interruption changes nothing. In memory, and through the binary.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "binary/mod.rs"]
mod binary;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use passline::learn::{Capture, Round, Sample, Search, Told, texts};
use passline::spec::{Given, Spec, load};
use passline_modbus::planner;
use passline_modbus::point::{DataType, Span, Table};
use passline_simulator::device::Device;
use passline_simulator::image::Image;

use binary::{Simulator, passline, succeeded, text};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/maps");
const MAPS: usize = 33;

fn maps() -> Vec<PathBuf> {
    let files = passline::spec::files(Path::new(FOLDER)).expect("the maps");
    assert_eq!(files.len(), MAPS);
    files
}

fn spec(file: &Path) -> Spec {
    let mut loaded = load([file], &Given::new());
    let problems =
        loaded.diagnostics.render(&loaded.sources, passline::language::diagnostic::Style::Plain);
    assert_eq!(loaded.specs.len(), 1, "{problems}");
    loaded.specs.remove(0)
}

/// Every address of the tables, one search each.
fn searches() -> Vec<Search> {
    let windows = Table::ALL.map(|table| format!("{table}:0-65535").parse().expect("a window"));
    windows.into_iter().map(|window| Search::new(window, 1)).collect()
}

/// Captures a device; gives how many requests that took.
fn capture(device: &mut Device) -> (Capture, u32) {
    let mut requests = 0;
    let mut capture = Capture::new("tcp://192.0.2.1:502".to_owned(), 1, searches());
    for search in &mut capture.searches {
        while let Some(span) = search.next() {
            requests += 1;
            let answer = device.handle(&planner::request(span));
            let told = if answer.is_ok() { Told::Readable } else { Told::Refused };
            assert!(search.told(span, told));
        }
    }
    let mut round = Round::new(&capture.searches);
    while let Some(span) = round.next() {
        requests += 1;
        assert!(round.told(device.handle(&planner::request(span)).ok().as_ref()));
    }
    capture.samples.push(Sample { at_ms: 0, memory: round.memory() });
    capture.complete = true;
    (capture, requests)
}

/// Where two images differ, of all addresses there are.
fn deviations(original: &Image, learned: &Image) -> Vec<Span> {
    let all = Table::ALL
        .into_iter()
        .flat_map(|table| (0..=u16::MAX).filter_map(move |address| Span::new(table, address, 1)));
    all.filter(|span| {
        original.words(*span) != learned.words(*span) || original.bits(*span) != learned.bits(*span)
    })
    .collect()
}

#[test]
fn every_learned_device_answers_like_its_original() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut declared = 0;
    for file in maps() {
        let original = spec(&file);
        let device = &original.devices[0];
        let mut simulated = device.simulated(1, Timestamp::UNIX_EPOCH);
        let (capture, _) = capture(&mut simulated);
        // What is kept in between is all there is to know.
        let capture = Capture::from_json(&capture.to_json()).expect("a capture");
        let id = file.file_stem().expect("a name").to_string_lossy().replace('-', "_");
        let texts = texts(&capture, &id, &format!("{id}.profile"));
        let path = folder.path().join(format!("{id}.yaml"));
        std::fs::write(&path, &texts.spec).expect("a spec");
        std::fs::write(folder.path().join(format!("{id}.profile")), &texts.profile)
            .expect("a profile");
        let learned = spec(&path);
        let learned = learned.devices[0].simulated(1, Timestamp::UNIX_EPOCH);
        let deviations = deviations(simulated.image(), learned.image());
        assert_eq!(deviations, [], "{}", file.display());
        for point in device.map.points.values() {
            let raw = learned.image().raw(point.location());
            assert!(raw.is_some(), "{}: {}", file.display(), point.name());
            assert_eq!(simulated.image().raw(point.location()), raw);
            declared += 1;
        }
    }
    assert!(declared >= 1542, "{declared}");
}

/// A register that was not there, a word that was otherwise: the comparison sees it.
#[test]
fn the_comparison_of_images_can_fail() {
    let original = spec(&maps()[0]).devices[0].simulated(1, Timestamp::UNIX_EPOCH);
    let mut other = original.image().clone();
    other.set_words(Table::Holding, 7, &[1]).expect("a register");
    other.set_words(Table::Holding, 20, &[2301]).expect("a register");
    let found: Vec<String> =
        deviations(original.image(), &other).iter().map(Span::to_string).collect();
    assert_eq!(found, ["holding:7", "holding:20"]);
}

#[test]
fn types_and_orders_are_guessed_with_reasons() {
    let file = Path::new(FOLDER).join("eastron-sdm630.yaml");
    let original = spec(&file);
    let (capture, _) = capture(&mut original.devices[0].simulated(1, Timestamp::UNIX_EPOCH));
    let profile = texts(&capture, "meter", "meter.yaml").profile;
    assert!(profile.contains("input_0: { input: 0, type: f32, description: \"as a float it has"));
    let floats = profile.lines().filter(|line| line.contains("type: f32")).count();
    assert_eq!(floats, original.devices[0].map.points.len(), "{profile}");
}

/// How many of the floats of all maps, other than 0, are found as such, in their order; and how
/// many of what is declared otherwise are taken for floats.
#[test]
fn most_floats_are_found_and_little_else_is_taken_for_one() {
    let (mut floats, mut found, mut others, mut mistaken) = (0, 0, 0, 0);
    for file in maps() {
        let original = spec(&file);
        let device = &original.devices[0];
        let (capture, _) = capture(&mut device.simulated(1, Timestamp::UNIX_EPOCH));
        let profile = texts(&capture, "learned", "x").profile;
        for point in device.map.points.values() {
            let Some(span) = point.span().filter(|span| !span.table().is_bits()) else { continue };
            let start = format!(": {{ {}: {}, type: f32", span.table(), span.address());
            let line = profile.lines().find(|line| line.contains(&start));
            if point.data_type() != DataType::F32 {
                others += 1;
                mistaken += usize::from(line.is_some());
                continue;
            }
            let words = device.simulation.image.words(span).expect("its words");
            if words.iter().any(|word| *word != 0) {
                floats += 1;
                let swapped = point.order().to_string() == "CDAB";
                let right = |line: &str| line.contains("order: CDAB") == swapped;
                found += usize::from(line.is_some_and(right));
            }
        }
    }
    assert!(floats > 300 && others > 900, "{floats} {others}");
    assert!(found * 100 >= floats * 95, "{found} of {floats}");
    assert!(mistaken * 100 <= others * 2, "{mistaken} of {others}");
}

#[test]
fn the_binary_learns_a_device_that_it_then_simulates_and_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let (_simulator, lines) =
        Simulator::start(1, &["tests/maps/xy-md02.yaml", "--listen", "tcp://127.0.0.1:0"]);
    let url = lines[0].split(' ').nth(2).expect("a URL");
    let ranges = "--ranges=input:0-199,holding:0-19";
    let learn = |more: &[&str]| {
        let all = [
            "learn",
            url,
            "--unit-id",
            "1",
            "--out",
            out,
            ranges,
            "--for",
            "20ms",
            "--every",
            "10ms",
        ];
        passline(&[&all[..], more].concat())
    };
    let shown = succeeded(&learn(&[]));
    assert!(shown.starts_with("readable: input:1-2\n"), "{shown}");
    let written = folder.path().join("learned.yaml");
    let written = written.to_str().expect("a path");
    succeeded(&passline(&["check", written]));
    succeeded(&passline(&["run", written, "--simulate", "--out", out]));
    let (_again, lines) = Simulator::start(1, &[written, "--listen", "tcp://127.0.0.1:0"]);
    let again = lines[0].split(' ').nth(2).expect("a URL");
    let values = passline(&["read", again, "--unit-id", "1", "input:1", "input:2"]);
    assert_eq!(succeeded(&values), "250\n420\n");
    let hole = passline(&["read", again, "--unit-id", "1", "input:3"]);
    assert_eq!(hole.status.code(), Some(3), "{}", text(&hole.stderr));
    // Nothing is overwritten.
    let twice = learn(&[]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(text(&twice.stderr).contains("learned.yaml is there already"));
    // The same device again: no difference.
    let profile = folder.path().join("devices/learned.yaml");
    let profile = profile.to_str().expect("a path");
    let same = succeeded(&learn(&["--name", "v2", "--compare", profile]));
    assert!(same.ends_with("no difference\n"), "{same}");
    // Another one: exit code 1.
    let other = passline(&[
        "learn",
        again,
        "--unit-id",
        "1",
        "--out",
        out,
        "--ranges=input:0-1",
        "--for",
        "0s",
        "--name",
        "v3",
        "--compare",
        profile,
    ]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other.stderr));
    assert!(text(&other.stdout).ends_with("input:2 is gone\n"), "{}", text(&other.stdout));
    // Limits from both.
    let units = ["learned", "v2"].map(|name| {
        folder.path().join(format!("devices/{name}.capture.json")).display().to_string()
    });
    let limits = succeeded(&passline(&["learn", "--sigma", "3", "--limits", &units[0], &units[1]]));
    assert!(limits.contains("- { read: device.input_1, equals: 250 } # n = 2"), "{limits}");
    let one = passline(&["learn", "--limits", &units[0]]);
    assert_eq!(one.status.code(), Some(2));
    assert!(text(&one.stderr).contains("at least 2 units"));
}

#[test]
fn a_capture_that_was_cut_short_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let map = "tests/maps/xy-md02.yaml";
    let (simulator, lines) = Simulator::start(1, &[map, "--listen", "tcp://127.0.0.1:0"]);
    let url = lines[0].split(' ').nth(2).expect("a URL").to_owned();
    let learn = || {
        passline(&[
            "learn",
            &url,
            "--unit-id",
            "1",
            "--out",
            out,
            "--ranges=input:0-9,holding:0-9",
            "--for",
            "0s",
            "--timeout",
            "100ms",
        ])
    };
    drop(simulator);
    let cut = learn();
    assert_eq!(cut.status.code(), Some(3), "{}", text(&cut.stdout));
    assert!(text(&cut.stderr).contains("run the same command again"), "{}", text(&cut.stderr));
    assert!(!folder.path().join("learned.yaml").exists());
    let (_simulator, _) = Simulator::start(1, &[map, "--listen", &url]);
    let done = learn();
    assert!(succeeded(&done).starts_with("readable: input:1-2\n"));
    assert!(text(&done.stderr).starts_with("going on with "));
}
