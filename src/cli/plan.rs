//! `passline plan`: what a run would do, and how long it would take, without touching a device.

use std::collections::BTreeMap;
use std::time::Duration;

use super::arguments::PlanArguments;
use super::check::load;
use super::exit::Exit;
use super::terminal::{self, printable};
use crate::plan::{self, Act, Plan, PlannedTest, Scan, Work};
use crate::spec::model::Device;

/// Runs the command.
pub(super) fn plan(arguments: &PlanArguments) -> Exit {
    let Some(loaded) = load(&arguments.specs) else { return Exit::Usage };
    let selection = arguments.selection.selection();
    let plans = plan::plan(&loaded.specs, &selection);
    if plans.is_empty() {
        terminal::aside("error: no test is selected");
        return Exit::Nothing;
    }
    for plan in &plans {
        show(plan, arguments.round_trip);
    }
    Exit::Pass
}

/// What a link has to do.
#[derive(Default)]
struct Load {
    transactions: usize,
    time: Duration,
}

fn show(plan: &Plan<'_>, round_trip: Duration) {
    terminal::line(&plan.spec.label());
    let mut links: BTreeMap<String, Load> = BTreeMap::new();
    let mut waits = Duration::ZERO;
    for test in plan.tests.iter().filter(|test| !test.left_out) {
        terminal::line(&format!(
            "  {} ({})",
            test.test.name,
            terminal::count(test.lines.len(), "check")
        ));
        for stage in test.stages() {
            for scan in stage.scans() {
                transactions(plan, test, scan, &mut links, round_trip);
            }
            if let Work::Wait(wait) = &stage.work {
                waits += wait.time;
                terminal::line(&format!("    wait {:?}", wait.time));
            }
            if let Work::Act(act, _) = &stage.work {
                terminal::line(&format!("    {}", printable(&acts(*act))));
            }
        }
    }
    terminal::line(&format!("  predicted, at {round_trip:?} for a request and its answer:"));
    for (name, load) in &links {
        let Load { transactions, time } = load;
        let transactions = terminal::count(*transactions, "transaction");
        terminal::line(&format!("    {name}: {transactions}, {time:.3?}"));
    }
    if waits > Duration::ZERO {
        terminal::line(&format!("    waits: {waits:?}"));
    }
    let transactions: usize = links.values().map(|load| load.transactions).sum();
    terminal::line(&format!("  {} in all", terminal::count(transactions, "transaction")));
}

/// What is done outside, in words.
fn acts(act: Act<'_>) -> String {
    match act {
        Act::Run(run) => {
            let words: Vec<&str> =
                std::iter::once(&run.program).chain(&run.arguments).map(String::as_str).collect();
            format!("run {}", words.join(" "))
        }
        Act::Prompt(prompt) => format!("ask ({}): {}", prompt.ask.word(), prompt.text),
    }
}

fn transactions(
    plan: &Plan<'_>,
    test: &PlannedTest<'_>,
    scan: &Scan,
    links: &mut BTreeMap<String, Load>,
    round_trip: Duration,
) {
    for batch in &scan.batches {
        let Some(device) = plan.spec.devices.get(batch.device) else { continue };
        let link = device.line.as_ref().map_or("no link", |line| line.name.as_str());
        for (location, members) in &batch.reads {
            let names: Vec<String> = scan
                .checks
                .iter()
                .filter(|check| check.sources.iter().any(|source| members.contains(&source.input)))
                .filter_map(|check| Some(test.lines.get(check.line)?.name()))
                .collect();
            let what = match location.span() {
                Some(span) => {
                    format!("{} {} from {}", span.table(), span.count(), span.address())
                }
                None => location.to_string(),
            };
            let (unit, names) = (device.unit_id, names.join(", "));
            terminal::line(&format!("    {link} unit {unit}: {what} for {names}"));
        }
        let load = links.entry(link.to_owned()).or_default();
        load.transactions += batch.reads.len();
        load.time += duration(device, batch.reads.len(), round_trip);
    }
}

/// As many round trips as it takes with the window of the line, and the pauses between them.
fn duration(device: &Device, reads: usize, round_trip: Duration) -> Duration {
    let own = device.line.as_ref().and_then(|line| line.address.overrides().in_flight);
    let window = own.or(device.in_flight).unwrap_or_default().get();
    let window = if device.tolerance.is_one_at_a_time() { 1 } else { window };
    let reads = u32::try_from(reads).unwrap_or(u32::MAX);
    let own = device.line.as_ref().and_then(|line| line.address.overrides().pause);
    let pause = own.or(device.pause).unwrap_or_default();
    round_trip.saturating_mul(reads.div_ceil(u32::from(window))) + pause.saturating_mul(reads)
}
