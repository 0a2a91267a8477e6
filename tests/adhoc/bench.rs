//! A simulated line to ask things of.

use tempfile::TempDir;

use crate::binary::Simulator;

/// A line with the devices of [`SPEC`] on it; ends with the test.
pub(crate) struct Bench {
    pub(crate) url: String,
    _simulator: Simulator,
    _folder: TempDir,
}

/// An SDM630 (volkszaehler/mbmd) and a device of all sorts of registers.
const SPEC: &str = r#"
spec: bench
links: { line: "tcp://192.0.2.1:502" }
devices:
  meter:
    link: line
    unit_id: 1
    points: { voltage: { input: 0, type: f32 }, frequency: { input: 70, type: f32 } }
    simulate: { values: { voltage: 230.4, frequency: 49.98 } }
  sorts:
    link: line
    unit_id: 7
    points:
      status: { holding: 0 }
      limit: { holding: 1, type: i16 }
      name: { holding: 10, type: string, length: 4 }
      raw: { holding: 14, type: bytes, length: 2 }
      counter: { holding: 20, type: u64 }
      level: { holding: 30, type: f32, order: CDAB }
      relays: { coil: 0 }
      relay_1: { coil: 1 }
      relay_2: { coil: 2 }
    simulate:
      image:
        - { holding: 0, words: [0x00A5, 0xFFFB] }
        - { holding: 10, words: [0x5061, 0x0773, 0x6C00, 0x0000, 0xCAFE, 0x00FF] }
        - { holding: 20, words: [0x0020, 0, 0, 1] }
        - { coil: 0, bits: [1, 0, 1] }
tests:
  - test: any
    steps: [{ read: meter.voltage, record: true }]
"#;

impl Bench {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let spec = folder.path().join("bench.yaml");
        std::fs::write(&spec, SPEC).expect("a spec");
        let (simulator, lines) = Simulator::start(1, &[spec.to_str().expect("a path")]);
        let url = lines[0].split(' ').nth(2).expect("a URL").to_owned();
        Self { url, _simulator: simulator, _folder: folder }
    }
}
