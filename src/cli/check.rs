//! `passline check`: every mistake in specs, without touching a device.

use std::path::{Path, PathBuf};

use super::arguments::{CheckArguments, SpecArguments};
use super::exit::Exit;
use super::given::given;
use super::terminal;
use crate::record::Stamp;
use crate::spec::model::Test;
use crate::spec::{self, Given, Loaded};

/// Runs the command.
pub(super) fn check(arguments: &CheckArguments) -> Exit {
    let Some(loaded) = loaded(&arguments.specs, |paths, given| spec::check(paths, given)) else {
        return Exit::Fail;
    };
    if loaded.station.is_some() {
        let found = loaded.check_bench(|_| false, Stamp::new(jiff::Timestamp::now()).day());
        terminal::problems(&found, &loaded.sources);
        if found.has_errors() {
            return Exit::Fail;
        }
    }
    let tests: usize = loaded.specs.iter().map(|spec| spec.tests.len()).sum();
    let checks: usize = loaded
        .specs
        .iter()
        .flat_map(|spec| &spec.tests)
        .flat_map(Test::all_steps)
        .map(|step| step.checks().len())
        .sum();
    if arguments.verbose {
        addresses(&loaded);
    }
    let others = |number, word| match number {
        0 => String::new(),
        number => format!("{}, ", terminal::count(number, word)),
    };
    let profiles = others(loaded.profiles, "profile");
    let simulators = others(loaded.simulators, "simulator file");
    terminal::line(&format!(
        "{profiles}{simulators}{}, {}, {}: nothing to complain about",
        terminal::count(loaded.specs.len() - loaded.simulators, "spec"),
        terminal::count(tests, "test"),
        terminal::count(checks, "check")
    ));
    Exit::Pass
}

/// What the addresses of each device became.
fn addresses(loaded: &Loaded) {
    for spec in &loaded.specs {
        for device in &spec.devices {
            terminal::line(&format!("{}: {}", spec.name, device.name));
            let mut points: Vec<_> = device.map.points.iter().collect();
            points.sort_by_key(|(name, point)| (point.location(), (*name).clone()));
            for (name, point) in points {
                terminal::line(&format!(
                    "  {:<14} {name} ({})",
                    point.location().to_string(),
                    point.data_type()
                ));
            }
        }
    }
}

/// Loads specs and shows what is wrong. `None`: something is.
pub(super) fn load(arguments: &SpecArguments) -> Option<Loaded> {
    loaded(arguments, |paths, given| spec::load(paths, given))
}

/// As [`load`], of specs, simulator files and profiles.
pub(super) fn load_simulated(arguments: &SpecArguments) -> Option<Loaded> {
    loaded(arguments, |paths, given| spec::simulated(paths, given))
}

fn loaded(
    arguments: &SpecArguments,
    load: impl FnOnce(Vec<&Path>, &Given) -> Loaded,
) -> Option<Loaded> {
    let mut problems = Vec::new();
    let given = given(arguments, &mut problems);
    let loaded = load(arguments.specs.iter().map(PathBuf::as_path).collect(), &given);
    for problem in problems {
        loaded.diagnostics.push(problem);
    }
    terminal::diagnostics(&loaded);
    (!loaded.diagnostics.has_errors()).then_some(loaded)
}
