//! `passline run`: specs on a bench, evidence in a folder.

use std::fs::File;
use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::engine::{self, Emit, Options, Question, Simulate, Stopper, stopper};
use crate::plan::{self, Plan};
use crate::record::{
    Evidence, EvidenceError, Journal, Line, Outcome, Phase, Record, RunDocument, Stamp, Test, Tool,
    Verdict, create_run_folder, draw_seed, run_id,
};
use crate::report::{self, file, json, junit};
use crate::spec::Loaded;
use crate::spec::model::label;

use super::arguments::{ALL, RunArguments};
use super::ask::{self, Answers};
use super::check::load;
use super::exit::Exit;
use super::hold;
use super::progress::Progress;
use super::signals::Signals;
use super::terminal;

/// Runs the command.
pub(super) fn run(arguments: &RunArguments) -> Exit {
    match attempt(arguments) {
        Ok(exit) => exit,
        Err(Problem { exit, text }) => {
            terminal::aside(&format!("error: {text}"));
            exit
        }
    }
}

/// Why a run did not take place, or its evidence is not whole.
struct Problem {
    exit: Exit,
    text: String,
}

impl Problem {
    fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, text: text.into() }
    }
}

impl From<EvidenceError> for Problem {
    fn from(error: EvidenceError) -> Self {
        Self { exit: Exit::Error, text: format!("{error}\n  help: {}", error.remedy()) }
    }
}

fn attempt(arguments: &RunArguments) -> Result<Exit, Problem> {
    let started = Stamp::new(jiff::Timestamp::now());
    let Some(loaded) = load(&arguments.specs) else { return Ok(Exit::Usage) };
    let simulate = simulate(arguments, &loaded)?;
    let bench = loaded.check_bench(|device| simulate.includes(device), started.day());
    terminal::problems(&bench, &loaded.sources);
    if bench.has_errors() {
        return Ok(Exit::Usage);
    }
    check_serials(&loaded)?;
    let selection = arguments.selection.selection();
    let repeat = usize::try_from(arguments.repeat).unwrap_or(usize::MAX);
    let plans: Vec<Plan<'_>> =
        (0..repeat).flat_map(|_| plan::plan(&loaded.specs, &selection)).collect();
    if plans.is_empty() {
        return Err(Problem {
            exit: Exit::Nothing,
            text: format!("no test is selected by {}", selection.arguments().join(" ")),
        });
    }
    for spec in &loaded.specs {
        if !plans.iter().any(|plan| std::ptr::eq(plan.spec, spec)) {
            terminal::aside(&format!("not run: {}: none of its tests is selected", spec.label()));
        }
    }
    let answers =
        Answers::of(arguments.answers.as_deref(), &plans, &simulate).map_err(Problem::usage)?;
    let (runtime, mut signals) = listening()?;
    let lines = hold::of_run(&plans, &simulate, &arguments.lock, &mut signals);
    let _lines = match runtime.block_on(lines) {
        Ok(lines) => lines,
        Err(exit) => return Ok(exit),
    };
    for path in arguments.junit.iter().chain(&arguments.json) {
        file::probe(path)?;
    }
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => draw_seed().map_err(|error| Problem {
            exit: Exit::Error,
            text: format!("no random numbers for a seed: {error}\n  help: give one with --seed"),
        })?,
    };
    let (questions, asked) = mpsc::unbounded_channel();
    let options = Options {
        tool: Tool::this(),
        started,
        seed,
        simulate,
        fail_fast: arguments.fail_fast,
        arguments: std::env::args().skip(1).collect(),
        selection: selection.arguments(),
        operator: arguments.operator.clone(),
        questions: Some(questions),
    };
    let folder = create_run_folder(&arguments.out, run_id(options.started, options.seed))?;
    let answering = (answers, asked);
    let evidence = execute(arguments, &plans, &options, answering, (&folder, runtime, signals))?;
    conclude(arguments, evidence, &folder)
}

/// An event loop, and the signals from now on: none is lost between here and the end of the run.
fn listening() -> Result<(Runtime, Signals), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let listening = runtime.and_then(|runtime| {
        let signals = runtime.block_on(async { Signals::new() })?;
        Ok((runtime, signals))
    });
    listening.map_err(|error| Problem {
        exit: Exit::Error,
        text: format!("the system gives no event loop: {error}"),
    })
}

/// Runs the plans on this thread, with the journal on another.
fn execute(
    arguments: &RunArguments,
    plans: &[Plan<'_>],
    options: &Options,
    (answers, asked): (Answers, mpsc::UnboundedReceiver<Question>),
    (folder, runtime, signals): (&Path, Runtime, Signals),
) -> Result<Evidence, Problem> {
    let mut stream = events(arguments)?;
    let data_out = arguments.events.as_deref() == Some(Path::new("-"));
    let mut progress = Progress::new(data_out);
    let bar = progress.bar();
    let broken: Arc<OnceLock<io::Error>> = Arc::default();
    let told = Arc::clone(&broken);
    let shown = move |line: &Line| {
        progress.show(&line.event);
        if let Some(Err(error)) = stream.as_mut().map(|stream| terminal::event(stream, line)) {
            let _ = told.set(error);
            stream = None;
        }
    };
    let journal = Arc::new(Journal::open(folder, shown)?);
    let emit: Emit = {
        let journal = Arc::clone(&journal);
        Arc::new(move |event| journal.emit(event))
    };
    let (stopper, signal) = stopper(arguments.teardown_timeout);
    // Were there a fault that the engine does not contain, the record would still be written.
    let ran = runtime.block_on(async {
        let interrupts = tokio::spawn(interrupts(stopper, signals));
        let answering = tokio::spawn(ask::answer(answers, asked, bar));
        let ran = AssertUnwindSafe(engine::run(plans, options, emit, signal)).catch_unwind().await;
        interrupts.abort();
        answering.abort();
        ran
    });
    // A name that is still being looked up keeps nobody waiting.
    runtime.shutdown_background();
    let journal = Arc::into_inner(journal).ok_or(EvidenceError::Stopped)?;
    let mut evidence = journal.finish()?;
    if ran.is_err() {
        terminal::aside("error: a fault in passline itself ended the run; please report it");
    }
    // Whoever reads standard output may stop reading it; a file that was asked for is evidence.
    let broken = Arc::into_inner(broken).and_then(OnceLock::into_inner).filter(|_| !data_out);
    if let (Some(error), Some(path)) = (broken, &arguments.events) {
        evidence.document.worsen(Outcome::Error).map_err(EvidenceError::from)?;
        evidence.lost = evidence.lost.or(Some(EvidenceError::io("write", path)(error)));
    }
    Ok(evidence)
}

/// Where `--events` go.
fn events(arguments: &RunArguments) -> Result<Option<Box<dyn Write + Send>>, Problem> {
    match &arguments.events {
        None => Ok(None),
        Some(path) if path.as_os_str() == "-" => Ok(Some(Box::new(io::stdout()))),
        Some(path) => {
            let file = File::create(path).map_err(EvidenceError::io("make the file", path))?;
            Ok(Some(Box::new(file)))
        }
    }
}

/// Stops the run at the first signal; at once at the second.
async fn interrupts(stopper: Stopper, mut signals: Signals) {
    let said = [STOPPING, STOPPING_AT_ONCE];
    for what in said.into_iter().map(Some).chain(std::iter::repeat(None)) {
        if signals.next().await.is_none() {
            return;
        }
        stopper.stop();
        what.into_iter().for_each(terminal::aside);
    }
}

const STOPPING: &str =
    "stopping after what is under way, and after teardown; once more stops at once";

const STOPPING_AT_ONCE: &str =
    "stopping at once: what teardown has not written yet stays as it is; make it safe by hand";

/// Writes what others read, shows the summary, and decides the exit code.
fn conclude(arguments: &RunArguments, evidence: Evidence, folder: &Path) -> Result<Exit, Problem> {
    let Evidence { mut document, lost } = evidence;
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let first = lost.or(write(arguments, &mut document, folder, &host));
    let data_out = arguments.events.as_deref() == Some(Path::new("-"));
    let say = if data_out { terminal::aside } else { terminal::line };
    say(&summary(&document, folder));
    let exit = Exit::from(document.outcome);
    match first {
        None => Ok(exit),
        Some(problem) => {
            let exit = if exit == Exit::Aborted { exit } else { Exit::Error };
            Err(Problem { exit, ..Problem::from(problem) })
        }
    }
}

/// Writes `--junit` and `--json`, then the run's own folder, so that the folder knows of anything
/// that went wrong; if anything did, what was asked for is written again, to know of it as well.
/// Gives the first problem; the document's outcome is then an error, at least.
fn write(
    arguments: &RunArguments,
    document: &mut RunDocument,
    folder: &Path,
    host: &str,
) -> Option<EvidenceError> {
    let asked = asked_for(arguments, document, host);
    let sealed = match asked {
        Some(_) => document.worsen(Outcome::Error).err().map(EvidenceError::from),
        None => None,
    };
    let own = report::write_run(folder, document, host).err();
    let first = asked.or(sealed).or(own);
    if first.is_some() {
        // What fails again is what failed before, or comes after the first problem.
        let _ = asked_for(arguments, document, host);
    }
    first
}

/// `--junit` and `--json`.
fn asked_for(
    arguments: &RunArguments,
    document: &RunDocument,
    host: &str,
) -> Option<EvidenceError> {
    let junit = arguments.junit.as_ref();
    let junit =
        junit.and_then(|path| file::replace(path, |out| junit::write(document, host, out)).err());
    let json = arguments.json.as_ref();
    let json = json.and_then(|path| file::replace(path, |out| json::write(document, out)).err());
    junit.or(json)
}

/// One line for each record, and where the evidence is.
fn summary(document: &RunDocument, folder: &Path) -> String {
    let mut lines = Vec::new();
    for record in &document.records {
        let counts = record.counts;
        let mut parts = vec![format!("{} passed", counts.pass)];
        for (count, word) in [
            (counts.flaky, "of them flaky"),
            (counts.marginal, "of them marginal"),
            (counts.fail, "failed"),
            (counts.error, "without a usable answer"),
            (counts.skipped, "not run"),
            (counts.recorded, "recorded"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        let judges = |test: &Test| {
            test.phase == Phase::Main
                && !matches!(test.verdict, Verdict::Skipped | Verdict::Recorded)
        };
        if record.outcome == Outcome::Error && !record.tests.iter().any(judges) {
            parts.push("nothing was judged".to_owned());
        }
        let time = record.ended.milliseconds_since(record.started);
        lines.push(format!(
            "{}: {} in {}.{:03} s, {}: {}",
            label(&record.spec.name, record.slot.as_deref()),
            record.outcome.word().to_uppercase(),
            time / 1000,
            time % 1000,
            record.mode.word(),
            parts.join(", ")
        ));
        lines.extend(unit(record));
    }
    lines.push(format!("evidence: {}", folder.display()));
    lines.join("\n")
}

/// Which unit a record is of, as far as serial numbers say.
fn unit(record: &Record) -> Option<String> {
    let own = record.uut.serial.as_ref().map(|serial| format!("unit {serial}"));
    let parts = record.uut.sub_units.iter();
    let parts = parts.filter_map(|part| Some(format!("{} {}", part.name, part.serial.as_ref()?)));
    let known: Vec<String> = own.into_iter().chain(parts).collect();
    (!known.is_empty()).then(|| format!("  {}", terminal::printable(&known.join(", "))))
}

/// Which devices `--simulate` means; every name must be one.
fn simulate(arguments: &RunArguments, loaded: &Loaded) -> Result<Simulate, Problem> {
    let Some(names) = &arguments.simulate else { return Ok(Simulate::None) };
    if *names == [ALL] {
        return Ok(Simulate::All);
    }
    let known: Vec<&str> = loaded
        .specs
        .iter()
        .flat_map(|spec| &spec.devices)
        .map(|device| device.name.as_str())
        .collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            let hint = crate::language::diagnostic::did_you_mean(name, known.iter().copied());
            let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
            return Err(Problem::usage(format!(
                "--simulate={name}: the specs have no such device{hint}\n  help: `{ALL}` is all devices"
            )));
        }
    }
    Ok(Simulate::Only(names.iter().cloned().collect()))
}

/// A spec that says what serial numbers look like needs some that do.
fn check_serials(loaded: &Loaded) -> Result<(), Problem> {
    for spec in &loaded.specs {
        let place = label(&spec.file.file.display().to_string(), spec.slot.as_deref());
        let refused = |text| Problem::usage(format!("{place}: {text}"));
        spec.uut.admits().map_err(refused)?;
    }
    Ok(())
}
