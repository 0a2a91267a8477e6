//! What several specs of one run must agree on.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::path::Path;

use passline::language::diagnostic::Style;
use passline::spec::{Given, Loaded, load};

fn loaded(options: [&str; 2]) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = |name: &str, options: &str| {
        let path = folder.path().join(format!("{name}.yaml"));
        let text = format!(
            "spec: {name}\ndevices:\n  {name}:\n    link: tcp://192.0.2.1:502{options}\n    unit_id: 1\n    \
             points: {{ level: {{ holding: 0 }} }}\ntests:\n  - test: level\n    \
             steps: [{{ read: {name}.level, max: 3 }}]\n"
        );
        std::fs::write(&path, text).expect("a spec");
        path
    };
    let specs = [spec("first", options[0]), spec("second", options[1])];
    load(specs.iter().map(AsRef::<Path>::as_ref), &Given::new())
}

#[test]
fn a_line_is_treated_in_one_way_by_all_specs_of_a_run() {
    assert_eq!(loaded(["", ""]).specs.len(), 2);
    assert_eq!(loaded(["?in_flight=4", "?in_flight=4"]).specs.len(), 2);
    let refused = loaded(["?in_flight=16&pause=0ms", "?in_flight=1&pause=50ms"]);
    assert!(refused.specs.is_empty());
    let text = refused.diagnostics.render(&refused.sources, Style::Plain);
    assert!(text.contains("`first` and `second` are on the same line"), "{text}");
    assert!(text.contains("second.yaml:4:5"), "{text}");
}
