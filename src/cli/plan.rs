//! `passline plan`: what a run would do, and how long it would take, without touching a device.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::arguments::PlanArguments;
use super::check::load;
use super::exit::Exit;
use super::terminal::{self, printable};
use crate::plan::{self, Act, Line, Plan, PlannedTest, Scan, Sent, Stage, Work};
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
    let mut sum = Sum { plan, round_trip, links: BTreeMap::new(), waits: Duration::ZERO };
    for test in plan.tests.iter().filter(|test| !test.left_out) {
        terminal::line(&format!(
            "  {} ({})",
            test.test.name,
            terminal::count(test.lines.len(), "check")
        ));
        for stage in test.stages() {
            sum.stage(test, stage);
        }
    }
    sum.show();
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

/// What all tests have to do.
struct Sum<'p> {
    plan: &'p Plan<'p>,
    round_trip: Duration,
    links: BTreeMap<String, Load>,
    waits: Duration,
}

impl Sum<'_> {
    fn stage(&mut self, test: &PlannedTest<'_>, stage: &Stage<'_>) {
        for scan in stage.scans() {
            self.scan(test, scan);
        }
        let devices = &self.plan.spec.devices;
        match &stage.work {
            Work::Wait(wait) => {
                self.waits += wait.time;
                terminal::line(&format!("    wait {:?}", wait.time));
            }
            Work::Reconnect(reconnect) => {
                if let Some(device) = devices.get(reconnect.device) {
                    terminal::line(&format!("    {} reconnects", link(device)));
                }
            }
            Work::Write(writing) => {
                for outgoing in &writing.requests {
                    let sent = outgoing.transactions(devices, writing.write);
                    self.sent(sent, &names(test, &outgoing.lines));
                }
            }
            Work::Restore(restoring) => {
                self.sent(restoring.transactions(devices), &names(test, &stage.lines));
            }
            Work::Act(act, _) => terminal::line(&format!("    {}", printable(&acts(*act)))),
            Work::Read(_) | Work::Poll(..) | Work::LetGo(_) => {}
        }
    }

    fn sent(&mut self, (device, sent): (usize, Vec<Sent>), names: &str) {
        let Some(device) = self.plan.spec.devices.get(device) else { return };
        for sent in sent {
            let (link, unit) = (link(device), device.unit_id);
            let to = match sent {
                Sent::Broadcast(_) => link.to_owned(),
                _ => format!("{link} unit {unit}"),
            };
            terminal::line(&format!("    {to}: {sent} for {names}"));
            // One waits for the other.
            self.add(device, 1);
        }
    }

    fn scan(&mut self, test: &PlannedTest<'_>, scan: &Scan) {
        for batch in &scan.batches {
            let Some(device) = self.plan.spec.devices.get(batch.device) else { continue };
            for (location, members) in &batch.reads {
                let checks = scan.checks.iter();
                let asking = checks.filter(|check| {
                    check.sources.iter().any(|source| members.contains(&source.input))
                });
                let names: Vec<String> =
                    asking.filter_map(|check| Some(test.lines.get(check.line)?.name())).collect();
                let what = match location.span() {
                    Some(span) => {
                        format!("{} {} from {}", span.table(), span.count(), span.address())
                    }
                    None => location.to_string(),
                };
                let (link, unit, names) = (link(device), device.unit_id, names.join(", "));
                terminal::line(&format!("    {link} unit {unit}: {what} for {names}"));
            }
            self.add(device, batch.reads.len());
        }
    }

    fn add(&mut self, device: &Device, transactions: usize) {
        let load = self.links.entry(link(device).to_owned()).or_default();
        load.transactions += transactions;
        load.time += duration(device, transactions, self.round_trip);
    }

    fn show(&self) {
        let round_trip = self.round_trip;
        terminal::line(&format!("  predicted, at {round_trip:?} for a request and its answer:"));
        for (name, load) in &self.links {
            let Load { transactions, time } = load;
            let transactions = terminal::count(*transactions, "transaction");
            terminal::line(&format!("    {name}: {transactions}, {time:.3?}"));
        }
        if self.waits > Duration::ZERO {
            terminal::line(&format!("    waits: {:?}", self.waits));
        }
        let transactions: usize = self.links.values().map(|load| load.transactions).sum();
        terminal::line(&format!("  {} in all", terminal::count(transactions, "transaction")));
        for device in &self.plan.spec.devices {
            let Some(keep) = &device.keep_alive else { continue };
            let (requests, every) = (keep.write.requests.len(), keep.every);
            let requests = terminal::count(requests, "write");
            let (link, name) = (link(device), &device.name);
            terminal::line(&format!(
                "  besides, {requests} every {every:?} keep {name} alive on {link}"
            ));
        }
    }
}

/// What the record calls the line of a device.
fn link(device: &Device) -> &str {
    device.line.as_ref().map_or("no link", |line| line.name.as_str())
}

fn names(test: &PlannedTest<'_>, lines: &Range<usize>) -> String {
    let lines = test.lines.get(lines.clone()).unwrap_or_default();
    lines.iter().map(Line::name).collect::<Vec<_>>().join(", ")
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
