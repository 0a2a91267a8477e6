//! The committed example is what a run leaves behind, byte for byte: start stamp and seed are fixed,
//! time is paused. `UPDATE_GOLDEN=1 cargo test --test golden` writes it anew.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{EVENTS, Journal, Outcome, Tool};
use passline::report::{self, JUNIT, RUN};
use passline::spec::{Given, load};

/// The failing spec: it shows a pass, a fail, an error, a retry.
const SPEC: &str = "specs/fails_on_purpose/three_phase_meter.yaml";
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/example");

#[tokio::test(start_paused = true)]
async fn the_example_is_what_a_run_leaves_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path()).await;
    for name in [EVENTS, RUN, JUNIT] {
        let made = fs::read(folder.path().join(name)).expect("the file just made");
        let kept: PathBuf = [EXAMPLE, name].iter().collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&kept, &made).expect("the example");
        }
        let kept = fs::read(&kept).expect("the committed example");
        assert!(
            made == kept,
            "{name} differs from reports/example: see what changed in it, and why"
        );
    }
}

async fn run(folder: &Path) {
    let loaded = load([Path::new(SPEC)], &Given::new());
    let plans = plan::plan(&loaded.specs, &Selection::default());
    assert_eq!(plans.len(), 1);
    let options = Options {
        // No version: a release must not change the example.
        tool: Tool { version: "0.0.0".to_owned(), ..Tool::this() },
        started: "2026-01-05T08:00:00.000Z".parse().expect("a stamp"),
        seed: 42,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: vec!["run".to_owned(), SPEC.to_owned(), "--simulate".to_owned()],
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let journal = Arc::new(Journal::open(folder, |_| {}).expect("a journal"));
    let keeper = Arc::clone(&journal);
    let emit: engine::Emit = Arc::new(move |event| keeper.emit(event));
    let outcome = engine::run(&plans, &options, emit, StopSignal::never()).await;
    assert_eq!(outcome, Outcome::Error);
    // The links may still hold the closure that fills the journal: they end with their tasks.
    while Arc::strong_count(&journal) > 1 {
        tokio::task::yield_now().await;
    }
    let journal = Arc::into_inner(journal).expect("the only journal");
    let mut evidence = journal.finish().expect("evidence");
    assert!(evidence.lost.is_none());
    report::write_run(folder, &mut evidence.document, "station").expect("reports");
}
