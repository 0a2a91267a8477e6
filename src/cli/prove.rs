//! `passline prove`: shows that every check can fail.

use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::arguments::ProveArguments;
use super::check::load;
use super::exchange::failed;
use super::exit::Exit;
use super::terminal;
use crate::prove::{self, Document, FORMAT, Finding, Kind, Report};
use crate::record::EvidenceError;
use crate::report::file;

/// Runs the command.
pub(super) fn prove(arguments: &ProveArguments) -> Exit {
    let Some(loaded) = load(&arguments.specs) else { return Exit::Usage };
    for path in arguments.junit.iter().chain(&arguments.json) {
        if let Err(error) = file::probe(path) {
            return unwritten(&error);
        }
    }
    let selection = arguments.selection.selection();
    let mut reports = Vec::new();
    for spec in &loaded.specs {
        let (begun, bar) = (Instant::now(), bar(&spec.name));
        let progress = |done: usize, all: usize| {
            if let Some(bar) = &bar {
                bar.set_length(all as u64);
                bar.set_position(done as u64);
            }
        };
        let report = prove::prove(spec, &selection, arguments.seed, &progress);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        match report {
            Some(report) => {
                show(&report, arguments, begun);
                reports.push(report);
            }
            None => terminal::aside(&format!(
                "not proven: {}: none of its tests is selected",
                spec.name
            )),
        }
    }
    if reports.is_empty() {
        let selection = selection.arguments().join(" ");
        return failed(&format!("no test is selected by {selection}"), None, Exit::Nothing);
    }
    if let Err(error) = write(arguments, &reports) {
        return unwritten(&error);
    }
    let counts = |finding: &Finding| counts(finding, arguments);
    let found = reports.iter().flat_map(|report| &report.findings).any(counts);
    if found { Exit::Fail } else { Exit::Pass }
}

/// Whether a finding makes the exit code.
fn counts(finding: &Finding, arguments: &ProveArguments) -> bool {
    finding.kind != Kind::Unproven || !arguments.allow_unproven
}

fn unwritten(error: &EvidenceError) -> Exit {
    failed(&error.to_string(), Some(error.remedy()), Exit::Error)
}

fn write(arguments: &ProveArguments, reports: &[Report]) -> Result<(), EvidenceError> {
    if let Some(path) = &arguments.junit {
        file::replace(path, |out| prove::write_junit(reports, out))?;
    }
    if let Some(path) = &arguments.json {
        let document = Document { format: FORMAT, seed: arguments.seed, specs: reports };
        file::replace(path, |out| {
            serde_json::to_writer_pretty(&mut *out, &document)?;
            out.write_all(b"\n")
        })?;
    }
    Ok(())
}

fn show(report: &Report, arguments: &ProveArguments, begun: Instant) {
    for finding in &report.findings {
        let place = match (&finding.check, &finding.point) {
            (Some(name), _) => format!("{}: {}", name.test, name.check),
            (None, Some(point)) => point.clone(),
            (None, None) => String::new(),
        };
        let allowed = if counts(finding, arguments) { "" } else { " (allowed)" };
        let (kind, message) = (finding.kind.word(), &finding.message);
        let line = format!("{}: {place}: {kind}{allowed}: {message}", report.spec);
        terminal::line(&terminal::printable(&line));
        terminal::line(&format!("  help: {}", finding.remedy));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let found = match report.findings.len() {
        0 => "nothing found".to_owned(),
        number => format!("{} found", terminal::count(number, "defect")),
    };
    terminal::line(&format!(
        "{}: {}, {} in {seconds:.2} s: {found}",
        report.spec,
        terminal::count(report.checks.len(), "check"),
        terminal::count(report.mutants(), "mutant"),
    ));
}

fn bar(name: &str) -> Option<ProgressBar> {
    io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} mutants {elapsed} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name.to_owned());
        bar
    })
}
