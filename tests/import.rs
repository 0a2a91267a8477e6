//! Register maps of other programs, through the binary: what comes out passes `check`, is what
//! went in, and what could not be carried over is said.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "binary/mod.rs"]
#[expect(dead_code, reason = "nothing is simulated here")]
mod binary;

use std::path::PathBuf;
use std::process::Output;

use binary::{passline, succeeded, text};
use tempfile::TempDir;

/// A file to import.
struct Map {
    folder: TempDir,
    path: PathBuf,
}

impl Map {
    fn new(name: &str, contents: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, contents).expect("a file");
        Self { folder, path }
    }

    fn import(&self, format: &str, more: &[&str]) -> Output {
        let path = self.path.to_str().expect("a path");
        passline(&[&["import", format, path], more].concat())
    }

    /// The profile, which passes `check`, and the notes.
    fn profile(&self, format: &str, more: &[&str]) -> (String, String) {
        let out = self.folder.path().join("profile.yaml");
        let out = out.to_str().expect("a path");
        let output = self.import(format, &[&["--out", out], more].concat());
        succeeded(&output);
        let checked = succeeded(&passline(&["check", out]));
        assert!(checked.starts_with("1 profile, 0 specs"), "{checked}");
        (std::fs::read_to_string(out).expect("the profile"), text(&output.stderr))
    }

    fn refused(&self, format: &str, more: &[&str]) -> String {
        let output = self.import(format, more);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        assert!(said.contains("help: "), "{said}");
        said
    }
}

/// In the form of gavinying/modpoll's examples (MIT).
const MODPOLL: &str = "device,meter,1,,,\n\
    poll,holding_register,32784,4,BE_BE,\n\
    ref,(current) total import,32784,float32,r,kWh\n\
    ref,set point,32786,int16,rw,°C,0.1\n\
    ref,odd,32787,float128,r,\n\
    poll,input_register,0,2,BE_LE,\n\
    ref,power,0,float32,r,W\n\
    poll,coil,0,8,BE_BE,\n\
    ref,relay,0,bool8,rw,\n\
    device,other,2\n\
    poll,input_register,0,2,BE_BE\n\
    ref,else,0,float32,r,W\n";

#[test]
fn modpoll_is_taken_as_it_is() {
    let map = Map::new("Meter 7.csv", MODPOLL);
    let (profile, notes) = map.profile("modpoll", &[]);
    for line in [
        "profile: meter_7\n",
        "  current_total_import: { holding: 32784, type: f32, unit: \"kWh\", access: read, \
         description: \"(current) total import\" }\n",
        "  set_point: { holding: 32786, type: i16, scale: 0.1, unit: \"°C\", description: \"set point\" }\n",
        "  power: { input: 0, type: f32, order: CDAB, unit: \"W\", description: \"power\" }\n",
        "  relay: { coil: 0, description: \"relay\" }\n",
    ] {
        assert!(profile.contains(line), "{line}{profile}");
    }
    for note in
        ["line 5: `odd` is left out: its type is `float128`", "`other` is left out", "bool8"]
    {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    assert!(map.profile_of("other").contains("else:"));
}

impl Map {
    fn profile_of(&self, device: &str) -> String {
        succeeded(&self.import("modpoll", &["--device", device]))
    }
}

#[test]
fn any_csv_is_read_by_its_columns() {
    let map = Map::new(
        "map.csv",
        "\u{FEFF}Register;Bezeichnung;Typ;Faktor;Einheit;Notiz\n\
         40001;\"Spannung; L1\";FLOAT;;V;x\n40003;Zähler;uint32;0.01;kWh;\n40005;$(x);;;;\n",
    );
    let columns = "address=Register,name=Bezeichnung,type=Typ,scale=Faktor,unit=Einheit".to_owned();
    let options = ["--delimiter", ";", "--first", "1", "--column", &columns];
    let (profile, notes) = map.profile("csv", &options);
    assert!(profile.contains("spannung_l1: { holding: 40000, type: f32, unit: \"V\""), "{profile}");
    assert!(profile.contains("z_hler: { holding: 40002, type: u32, scale: 0.01"), "{profile}");
    assert!(
        profile.contains("x: { holding: 40004, type: u16, description: \"$$(x)\" }"),
        "{profile}"
    );
    assert!(notes.contains("the column `Notiz` is left out"), "{notes}");
}

/// In the form of pymodbus's setup.json (BSD-3-Clause).
const PYMODBUS: &str = r#"{"server_list": {}, "device_list": {"device": {
    "setup": {"co size": 100, "shared blocks": true}, "invalid": [1], "write": [3],
    "bits": [{"addr": 2, "value": 7}], "uint16": [{"addr": 3, "value": 17001}, 2100, 1],
    "uint32": [[3037, 3040]], "float32": [{"addr": [6, 7], "action": "increment"}],
    "float64": [[4201, 4204]], "string": [5047, {"addr": [16, 20], "value": "A_B"}],
    "repeat": []}, "device_try": {"setup": {}}}}"#;

#[test]
fn a_simulator_of_pymodbus_becomes_a_profile() {
    let (profile, notes) = Map::new("setup.json", PYMODBUS).profile("pymodbus", &[]);
    for line in [
        "  uint16_3: { holding: 3, type: u16 }\n",
        "  uint16_2100: { holding: 2100, type: u16, access: read }\n",
        "  uint32_3039: { holding: 3039, type: u32, access: read }\n",
        "  string_16: { holding: 16, type: string, length: 5, access: read }\n",
    ] {
        assert!(profile.contains(line), "{line}{profile}");
    }
    for note in ["start values", "`increment`", "`server_list`", "uint16 at 1", "`device_try`"] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
}

/// In the form of sunspec/models (Apache-2.0).
const SUNSPEC: &str = r#"{"id": 160, "group": {"name": "mppt", "label": "MPPT", "type": "group",
    "points": [
        {"name": "ID", "type": "uint16", "size": 1, "value": 160},
        {"name": "DCA_SF", "type": "sunssf", "size": 1},
        {"name": "Evt", "type": "bitfield32", "size": 2,
         "symbols": [{"name": "GROUND_FAULT", "value": 0}, {"name": "TEST_FAILED", "value": 20}]},
        {"name": "N", "type": "count", "size": 1}],
    "groups": [{"name": "module", "count": "N", "points": [
        {"name": "IDStr", "type": "string", "size": 8, "label": "Input ID String"},
        {"name": "DCA", "type": "uint16", "sf": "DCA_SF", "units": "A", "access": "RW"},
        {"name": "DCSt", "type": "enum16", "symbols": [{"name": "OFF", "value": 1}]},
        {"name": "MAC", "type": "eui48"}, {"name": "IP", "type": "ipaddr"}]}]}}"#;

#[test]
fn a_model_of_sunspec_becomes_a_profile() {
    let map = Map::new("model_160.json", SUNSPEC);
    let (profile, notes) = map.profile("sunspec", &["--base", "40070"]);
    for line in [
        "model: \"MPPT\"\n",
        "  evt: { holding: 40072, type: u32, bits: { ground_fault: 0, test_failed: 20 }, \
         invalid: sunspec, access: read }\n",
        "  module_dca: { holding: 40083, type: u16, unit: \"A\", scale_factor: dca_sf, invalid: sunspec }\n",
        "values: { 1: \"OFF\" }",
    ] {
        assert!(profile.contains(line), "{line}{profile}");
    }
    assert!(notes.contains("how often `module` occurs"), "{notes}");
}

#[test]
fn what_is_no_map_is_refused_with_its_place_and_a_remedy() {
    let nothing = Map::new("map.json", "{");
    assert!(
        nothing.refused("sunspec", &[]).contains("map.json: line 1, column 1: this is no JSON")
    );
    let nan = Map::new("map.json", r#"{"group": {"points": [{"name": "a", "size": NaN}]}}"#);
    assert!(nan.refused("sunspec", &[]).contains("line 1"));
    let deep = Map::new("map.json", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(deep.refused("pymodbus", &[]).contains("recursion limit"));
    let csv = Map::new("map.csv", "name,address\nvoltage,1\ncurrent,-2\n");
    assert!(csv.refused("csv", &[]).contains("map.csv: line 3: `-2` is no address"));
    let header = Map::new("map.csv", "a,b\n1,2\n");
    assert!(header.refused("csv", &[]).contains("the header has no `address`"));
    assert!(header.refused("csv", &["--column", "address=c"]).contains("the header has no `c`"));
    assert!(header.refused("csv", &["--column", "adress=a"]).contains("no column `adress`"));
    let text = Map::new("map.csv", b"name,address\n\xFF,1\n");
    let output = text.import("csv", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(binary::text(&output.stderr).contains("not UTF-8 text: byte 13 (line 2)"));
    // Overlong, and past the end.
    let past = Map::new("map.csv", "address,type\n65535,u32\n");
    let said = past.refused("csv", &[]);
    assert!(said.contains("passes address 65535"), "{said}");
    let unknown = Map::new("map.csv", "x").import("excel", &[]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(binary::text(&unknown.stderr).contains("pymodbus: the JSON of pymodbus's simulator"));
}

#[test]
fn nothing_is_overwritten() {
    let map = Map::new("map.csv", "address\n1\n");
    map.profile("csv", &[]);
    let out = map.folder.path().join("profile.yaml");
    let again = map.import("csv", &["--out", out.to_str().expect("a path")]);
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stderr).contains("exists already"));
}
