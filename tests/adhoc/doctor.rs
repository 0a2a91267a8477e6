use serde_json::Value;

use crate::binary::{passline, text};

#[test]
fn the_exit_code_says_whether_anything_is_wrong_with_this_machine() {
    let shown = passline(&["doctor"]);
    let output = passline(&["doctor", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["format"], "passline-doctor/1");
    let findings = document["findings"].as_array().expect("findings");
    let sick = findings.iter().any(|finding| finding["weight"] == "problem");
    let code = Some(i32::from(sick));
    assert_eq!((output.status.code(), shown.status.code()), (code, code));
    let shown = text(&shown.stdout);
    for port in document["ports"].as_array().expect("ports") {
        assert!(shown.contains(port["path"].as_str().expect("a path")), "{shown}");
    }
    for finding in findings {
        assert!(shown.contains(finding["remedy"].as_str().expect("a remedy")), "{shown}");
    }
    assert_eq!(shown.contains("no problems found"), !sick, "{shown}");
}
