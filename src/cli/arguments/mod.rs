//! The command line as clap sees it. Every option also reads `PASSLINE_*`.

mod adhoc;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use passline_modbus::duration::parse_duration;

pub(crate) use adhoc::{
    DoctorArguments, ImportArguments, LearnArguments, ReadArguments, ScanArguments, ValueArguments,
    WriteArguments,
};

use super::simulate::Log;
use crate::lock;
use crate::plan::{Selection, Shard};
use crate::simulation::Listen;

/// Test automation for Modbus devices.
///
/// Exit codes: 0 pass, 1 a check failed, 2 bad usage or spec (nothing ran), 3 error (no usable
/// answer, or evidence could not be written), 4 nothing selected, 130 aborted.
#[derive(Debug, Parser)]
#[command(name = "passline", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run specs against devices, or against their simulation
    Run(Box<RunArguments>),
    /// Report every mistake in specs, without touching a device
    Check(CheckArguments),
    /// Lay specs and profiles out in their canonical form, comments kept
    Fmt(FmtArguments),
    /// Say what changed between two specs, or two profiles, whatever way they are written
    Diff(DiffArguments),
    /// Show tests, transactions and predicted time per link, without touching a device
    Plan(PlanArguments),
    /// Show that every check of specs can fail: simulated values are moved across every limit
    Prove(ProveArguments),
    /// Serve the devices of specs, of simulator files, or of profiles, until interrupted
    Simulate(SimulateArguments),
    /// Read values from a device and print them bare
    Read(ReadArguments),
    /// Write values to a device
    Write(WriteArguments),
    /// Find out which units answer on a line, and with which line settings
    Scan(ScanArguments),
    /// Find out what a device is like: a profile, and a simulation that answers as it does
    Learn(Box<LearnArguments>),
    /// Make a profile of a register map that another program has
    Import(Box<ImportArguments>),
    /// Show the serial ports of this machine, and what is wrong with them
    Doctor(DoctorArguments),
    /// Write a starter spec and a profile to begin with
    Init(InitArguments),
    /// Print the JSON Schema of the spec language, for editors
    Schema(SchemaArguments),
    /// Print the completion script of a shell
    Completions(CompletionsArguments),
}

/// All devices, where devices are named. It cannot be the name of one.
pub(crate) const ALL: &str = "*";

/// What every command that reads specs takes.
#[derive(Debug, Args)]
pub(crate) struct SpecArguments {
    /// Spec files, or folders whose *.yaml files are specs
    #[arg(required = true, value_name = "SPEC")]
    pub(crate) specs: Vec<PathBuf>,
    /// Give a variable of the specs another value, typed like its declared default
    #[arg(long = "var", value_name = "NAME=VALUE", env = "PASSLINE_VAR")]
    pub(crate) variables: Vec<String>,
    #[command(flatten)]
    pub(crate) units: UnitArguments,
}

/// Which units are under test, and where.
#[derive(Debug, Args)]
pub(crate) struct UnitArguments {
    /// The station file: slots, links, instruments, and what its runs are filed as
    #[arg(long, value_name = "FILE", env = "PASSLINE_STATION")]
    pub(crate) station: Option<PathBuf>,
    /// A slot of the station, and the serial number of the unit in it (repeat for several at once)
    #[arg(long = "slot", value_name = "SLOT[=SN]", env = "PASSLINE_SLOT")]
    pub(crate) slots: Vec<String>,
    /// Serial number of the unit under test
    #[arg(long, value_name = "SN", env = "PASSLINE_SERIAL")]
    pub(crate) serial: Option<String>,
    /// Serial number of a sub-unit of it; with several slots `SLOT.NAME=SN`
    #[arg(long = "sub-unit", value_name = "NAME=SN", env = "PASSLINE_SUB_UNIT")]
    pub(crate) sub_units: Vec<String>,
    /// The lot that the unit under test was made in
    #[arg(long, value_name = "B", env = "PASSLINE_BATCH")]
    pub(crate) batch: Option<String>,
}

/// Which tests of the specs are meant.
#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT", env = "PASSLINE_FILTER")]
    pub(crate) filter: Option<String>,
    /// Only tests with this tag (repeat for several: any of them)
    #[arg(long = "tag", value_name = "TAG", env = "PASSLINE_TAG", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// Only the M-th of N equal shares of the tests
    #[arg(long, value_name = "M/N", env = "PASSLINE_SHARD")]
    pub(crate) shard: Option<Shard>,
}

impl SelectionArguments {
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            filter: self.filter.clone(),
            tags: self.tags.clone(),
            shard: self.shard,
            exactly: None,
        }
    }
}

/// Where other runs are kept off lines.
#[derive(Debug, Args)]
pub(crate) struct LockFolder {
    /// The folder of the locks of this machine, the same for all who use it
    #[arg(long, value_name = "DIR", env = "PASSLINE_LOCK_DIR",
          default_value_os_t = lock::folder())]
    pub(crate) lock_dir: PathBuf,
}

/// How to wait for lines that other runs have.
#[derive(Debug, Args)]
pub(crate) struct LockArguments {
    /// How long to wait for a serial port, or an exclusive link, that another Passline has; 0s:
    /// not at all
    #[arg(long, value_name = "TIME", env = "PASSLINE_LOCK_TIMEOUT",
          default_value = "30s", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
    #[command(flatten)]
    pub(crate) folder: LockFolder,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) specs: SpecArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Simulate every device (also `*`), or only those named
    #[arg(long, value_name = "DEVICE,…", num_args = 0..=1, require_equals = true,
          value_delimiter = ',', default_missing_value = ALL, env = "PASSLINE_SIMULATE")]
    pub(crate) simulate: Option<Vec<String>>,
    /// Write JUnit XML here as well
    #[arg(long, value_name = "FILE", env = "PASSLINE_JUNIT")]
    pub(crate) junit: Option<PathBuf>,
    /// Write the run as JSON here as well
    #[arg(long, value_name = "FILE", env = "PASSLINE_JSON")]
    pub(crate) json: Option<PathBuf>,
    /// The folder that gets a folder for each run
    #[arg(long, value_name = "DIR", env = "PASSLINE_OUT", default_value = "reports")]
    pub(crate) out: PathBuf,
    /// Who runs it, for the record
    #[arg(long, value_name = "NAME", env = "PASSLINE_OPERATOR")]
    pub(crate) operator: Option<String>,
    /// Answer what steps ask from this file, by the names of the prompts, instead of at the terminal
    #[arg(long, value_name = "FILE", env = "PASSLINE_ANSWERS")]
    pub(crate) answers: Option<PathBuf>,
    /// Start no further test once one has not passed
    #[arg(long, env = "PASSLINE_FAIL_FAST", value_parser = BoolishValueParser::new())]
    pub(crate) fail_fast: bool,
    /// How long teardown may go on after the run was stopped
    #[arg(long, value_name = "TIME", env = "PASSLINE_TEARDOWN_TIMEOUT",
          default_value = "30s", value_parser = duration)]
    pub(crate) teardown_timeout: Duration,
    /// Run every spec this many times, one record each
    #[arg(long, value_name = "N", env = "PASSLINE_REPEAT", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) repeat: u32,
    /// Seed of everything left to chance; drawn and recorded where not given
    #[arg(long, value_name = "N", env = "PASSLINE_SEED")]
    pub(crate) seed: Option<u64>,
    /// Stream events as JSON lines to this file; `-` is standard output
    #[arg(long, value_name = "FILE", env = "PASSLINE_EVENTS")]
    pub(crate) events: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) specs: SpecArguments,
    /// Show what every address became
    #[arg(long, short, env = "PASSLINE_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArguments {
    /// Files, or folders whose *.yaml files are meant; `-` is standard input, to standard output
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write nothing: exit 1 if a file is not in its canonical form
    #[arg(long, env = "PASSLINE_CHECK", value_parser = BoolishValueParser::new())]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The spec or profile as it was
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The spec or profile as it is
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// How the changes are written
    #[arg(long, value_enum, default_value_t = Format::Text, env = "PASSLINE_FORMAT")]
    pub(crate) format: Format,
}

/// For whom something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Text,
    /// One document for programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) specs: SpecArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// How long one request and its answer are assumed to take
    #[arg(long, value_name = "TIME", env = "PASSLINE_ROUND_TRIP", default_value = "5ms", value_parser = duration)]
    pub(crate) round_trip: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    #[command(flatten)]
    pub(crate) specs: SpecArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Write JUnit XML here: a test case for each check
    #[arg(long, value_name = "FILE", env = "PASSLINE_JUNIT")]
    pub(crate) junit: Option<PathBuf>,
    /// Write what was found as JSON here
    #[arg(long, value_name = "FILE", env = "PASSLINE_JSON")]
    pub(crate) json: Option<PathBuf>,
    /// What cannot be shown in the simulation does not count as found
    #[arg(long, env = "PASSLINE_ALLOW_UNPROVEN", value_parser = BoolishValueParser::new())]
    pub(crate) allow_unproven: bool,
    /// Seed of everything left to chance in the simulation
    #[arg(long, value_name = "N", env = "PASSLINE_SEED", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    #[command(flatten)]
    pub(crate) specs: SpecArguments,
    /// Where to serve the links: a URL with a port serves them there, on the next port, and so on;
    /// `rtu+pty:///tmp/bus0?baud=9600` on a pseudo-terminal of that name; one with a serial port on
    /// that. Again for each link, in file order. Default: each on its own kind of line
    #[arg(long, value_name = "URL", env = "PASSLINE_LISTEN", value_delimiter = ',')]
    pub(crate) listen: Vec<Listen>,
    /// Seed of faults that are left to chance; drawn where not given
    #[arg(long, value_name = "N", env = "PASSLINE_SEED")]
    pub(crate) seed: Option<u64>,
    /// Log what happens: FILE.jsonl has a line for each transaction, FILE.pcapng is a capture for
    /// Wireshark. Again for another file; one that is there is replaced
    #[arg(long, value_name = "FILE", env = "PASSLINE_LOG", value_delimiter = ',')]
    pub(crate) log: Vec<Log>,
    /// Answer HTTP here, to look at devices and to change them: `127.0.0.1:0` is any free port of
    /// this machine. What can be asked is described at /openapi.json
    #[arg(long, value_name = "ADDRESS", env = "PASSLINE_CONTROL")]
    pub(crate) control: Option<SocketAddr>,
    /// The time of the simulation runs this many times faster. What passes on the wire takes as
    /// long as ever
    #[arg(long, value_name = "N", env = "PASSLINE_TIME_SCALE", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) time_scale: u32,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
    /// Show no live view, also on a terminal
    #[arg(long, short, env = "PASSLINE_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The folder to write to
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Of which kind of file
    #[arg(value_enum, default_value_t = SchemaOf::Spec)]
    pub(crate) of: SchemaOf,
}

/// The kinds of files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Specs
    Spec,
    /// Profiles
    Profile,
    /// Simulator files
    Simulator,
    /// Station files
    Station,
    /// Files of shared steps
    SharedSteps,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .map_err(|error| format!("{error}: write a number and `ms`, `s`, `m` or `h`"))
}

/// A time above zero.
fn timeout(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() { Err("no device answers in no time".to_owned()) } else { Ok(time) }
}
