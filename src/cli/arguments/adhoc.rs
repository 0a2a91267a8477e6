//! The arguments of the commands that need no spec: what they ask, and of whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser};
use passline_modbus::address::{Address, AddressError};
use passline_modbus::change::{WriteBits, WriteFunction};
use passline_modbus::point::{Order, Table};
use passline_modbus::value::Decimal;

use super::{LockArguments, LockFolder, duration, timeout};
use crate::cli::scan::{Bauds, Units};
use crate::cli::target::Target;
use crate::cli::write::Assignment;
use crate::import::{FORMATS, Format};
use crate::language::shape::is_name;
use crate::learn::Window;

/// How registers make a value.
#[derive(Debug, Default, Args)]
pub(crate) struct ValueArguments {
    /// Type of the value; default u16 for registers, bool for bits
    #[arg(long = "type", value_name = "TYPE", env = "PASSLINE_TYPE")]
    pub(crate) data_type: Option<String>,
    /// Registers of a string or bytes
    #[arg(long, value_name = "N", env = "PASSLINE_LENGTH")]
    pub(crate) length: Option<u16>,
    /// Bytes as they travel, by significance: ABCD, CDAB, BADC, DCBA…
    #[arg(long, value_name = "ORDER", env = "PASSLINE_ORDER")]
    pub(crate) order: Option<Order>,
    /// Value = raw × scale + offset
    #[arg(long, value_name = "NUMBER", env = "PASSLINE_SCALE", allow_negative_numbers = true)]
    pub(crate) scale: Option<Decimal>,
    /// Added after scaling
    #[arg(long, value_name = "NUMBER", env = "PASSLINE_OFFSET", allow_negative_numbers = true)]
    pub(crate) offset: Option<Decimal>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    /// Where the device is, such as tcp://host:port
    #[arg(value_name = "LINK", value_parser = link)]
    pub(crate) link: Address,
    /// What to read: a table and an address, such as input:0x34, holding:100, or holding:100.3 for
    /// a bit of a register
    #[arg(value_name = "PLACE", required = true)]
    pub(crate) places: Vec<Target>,
    /// The device's Modbus address on the link
    #[arg(long, value_name = "N", env = "PASSLINE_UNIT_ID")]
    pub(crate) unit_id: u8,
    #[command(flatten)]
    pub(crate) shape: ValueArguments,
    /// How many values, one after the other, from each address on
    #[arg(long, value_name = "N", env = "PASSLINE_COUNT", default_value = "1",
          value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub(crate) count: u16,
    /// How long to wait for an answer; default what the link says, else 1s
    #[arg(long, value_name = "TIME", env = "PASSLINE_TIMEOUT", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Read again and again until interrupted, this long from one read to the next
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, require_equals = true,
          default_missing_value = "1s", env = "PASSLINE_WATCH", value_parser = timeout)]
    pub(crate) watch: Option<Duration>,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct WriteArguments {
    /// Where the device is, such as tcp://host:port
    #[arg(value_name = "LINK", value_parser = link)]
    pub(crate) link: Address,
    /// What to write where: coil:0=on, holding:100=23.5, holding:10=1,2,3 for values one after the
    /// other, holding:100.3=on for a bit of a register
    #[arg(value_name = "PLACE=VALUE", required = true)]
    pub(crate) assignments: Vec<Assignment>,
    /// The device's Modbus address on the link
    #[arg(long, value_name = "N", env = "PASSLINE_UNIT_ID", required_unless_present = "broadcast")]
    pub(crate) unit_id: Option<u8>,
    /// Write to all devices of a serial line at once; nobody answers
    #[arg(long, env = "PASSLINE_BROADCAST", value_parser = BoolishValueParser::new(),
          conflicts_with_all = ["unit_id", "verify", "bits"])]
    pub(crate) broadcast: bool,
    #[command(flatten)]
    pub(crate) shape: ValueArguments,
    /// Which functions write: 05 and 06 for one coil or register and 0F and 10 for several, or only
    /// those for one, or only those for several
    #[arg(long, value_name = "FUNCTION", env = "PASSLINE_FUNCTION", default_value = "auto",
          value_parser = function())]
    pub(crate) function: WriteFunction,
    /// How bits of a register are written: with function 16, or by reading the register and writing
    /// it back with the bits changed, where a change that someone else makes in between is lost
    #[arg(long, value_name = "HOW", env = "PASSLINE_BITS", default_value = "mask",
          value_parser = bits())]
    pub(crate) bits: WriteBits,
    /// Write the nearest value that the registers can hold
    #[arg(long, env = "PASSLINE_ROUND", value_parser = BoolishValueParser::new())]
    pub(crate) round: bool,
    /// Read back what was written, and compare
    #[arg(long, env = "PASSLINE_VERIFY", value_parser = BoolishValueParser::new())]
    pub(crate) verify: bool,
    /// Say what was written
    #[arg(long, short, env = "PASSLINE_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,
    /// How long to wait for an answer; default what the link says, else 1s
    #[arg(long, value_name = "TIME", env = "PASSLINE_TIMEOUT", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    /// Which line to scan, such as tcp://host:port
    #[arg(value_name = "LINK", value_parser = link)]
    pub(crate) link: Address,
    /// Which unit ids to ask; default 1-247, over TCP also 255 and 0
    #[arg(long, value_name = "IDS", env = "PASSLINE_UNITS")]
    pub(crate) units: Option<Units>,
    /// Find the line settings of a serial port first: `auto`, or the bauds to try
    #[arg(long, value_name = "auto|BAUD,…", env = "PASSLINE_BAUD")]
    pub(crate) baud: Option<Bauds>,
    /// Beside --baud go on after the first settings with which someone answers
    #[arg(long, env = "PASSLINE_ALL", value_parser = BoolishValueParser::new(), requires = "baud")]
    pub(crate) all: bool,
    /// Find out which addresses of the units can be read; by default 0 to 999 of each table
    #[arg(long, value_name = "TABLE:FIRST-LAST,…", num_args = 0..=1, require_equals = true,
          value_delimiter = ',', env = "PASSLINE_RANGES",
          default_missing_value = "coil:0-999,discrete:0-999,input:0-999,holding:0-999")]
    pub(crate) ranges: Option<Vec<Window>>,
    /// How long to wait for each answer; default what the link says, else 200ms
    #[arg(long, value_name = "TIME", env = "PASSLINE_TIMEOUT", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Print what was found as one JSON document, or write it to a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = "-", env = "PASSLINE_JSON")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LearnArguments {
    /// Where the device is, such as tcp://host:port
    #[arg(value_name = "LINK", value_parser = link, required_unless_present = "limits")]
    pub(crate) link: Option<Address>,
    /// The device's Modbus address on the link
    #[arg(long, value_name = "N", env = "PASSLINE_UNIT_ID", required_unless_present = "limits")]
    pub(crate) unit_id: Option<u8>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", env = "PASSLINE_OUT", default_value = ".")]
    pub(crate) out: PathBuf,
    /// What the profile, and the files, are called
    #[arg(long, value_name = "NAME", env = "PASSLINE_NAME", default_value = "learned",
          value_parser = profile_name)]
    pub(crate) name: String,
    /// Which addresses to ask; by default all of each table
    #[arg(long, value_name = "TABLE:FIRST-LAST,…", value_delimiter = ',', env = "PASSLINE_RANGES")]
    pub(crate) ranges: Option<Vec<Window>>,
    /// Ask only every N-th address, and all around what answers; default 1, which is every address
    #[arg(long, value_name = "N", env = "PASSLINE_STEP",
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) step: Option<u16>,
    /// How long to watch the values
    #[arg(long = "for", value_name = "TIME", env = "PASSLINE_FOR", default_value = "10s",
          value_parser = duration)]
    pub(crate) watch: Duration,
    /// How long from one read of all values to the next
    #[arg(long, value_name = "TIME", env = "PASSLINE_EVERY", default_value = "1s",
          value_parser = timeout)]
    pub(crate) every: Duration,
    /// Silence behind each answer, so that the device has time for others
    #[arg(long, value_name = "TIME", env = "PASSLINE_PAUSE", default_value = "0ms",
          value_parser = duration)]
    pub(crate) pause: Duration,
    /// How long to wait for each answer; default what the link says, else 1s
    #[arg(long, value_name = "TIME", env = "PASSLINE_TIMEOUT", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Say what is different from an earlier capture: its file, or the profile beside it
    #[arg(long, value_name = "PROFILE", env = "PASSLINE_COMPARE", conflicts_with = "limits")]
    pub(crate) compare: Option<PathBuf>,
    /// Ask no device: propose limits from the captures of several good units
    #[arg(long, value_name = "CAPTURE", num_args = 1.., env = "PASSLINE_LIMITS",
          value_delimiter = ',', conflicts_with_all = ["link", "unit_id"])]
    pub(crate) limits: Vec<PathBuf>,
    /// With the captures of several units: how many standard deviations from the mean
    #[arg(long, value_name = "K", env = "PASSLINE_SIGMA", default_value_t = 3.0)]
    pub(crate) sigma: f64,
    #[command(flatten)]
    pub(crate) lock: LockArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What the file is: csv, modpoll, pymodbus or sunspec
    #[arg(value_name = "FORMAT", value_parser = format)]
    pub(crate) format: &'static Format,
    /// The register map
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Write the profile here; default standard output
    #[arg(long, short, value_name = "FILE", env = "PASSLINE_OUT")]
    pub(crate) out: Option<PathBuf>,
    /// What the profile is called; default the file's name
    #[arg(long, value_name = "NAME", env = "PASSLINE_NAME", value_parser = profile_name)]
    pub(crate) name: Option<String>,
    /// Which device of a file that has several; default the first
    #[arg(long, value_name = "NAME", env = "PASSLINE_DEVICE")]
    pub(crate) device: Option<String>,
    /// Added to every address; with sunspec where the ID of the model is
    #[arg(long, value_name = "N", env = "PASSLINE_BASE", default_value_t = 0)]
    pub(crate) base: u16,
    /// What addresses of csv count from: 0 or 1
    #[arg(long, value_name = "N", env = "PASSLINE_FIRST", default_value_t = 0,
          value_parser = clap::value_parser!(u16).range(0..=1))]
    pub(crate) first: u16,
    /// The table of points that name none
    #[arg(long, value_name = "TABLE", env = "PASSLINE_TABLE", default_value = "holding",
          value_parser = table)]
    pub(crate) table: Table,
    /// Which column of csv is what, as in address=Register; again for more
    #[arg(long = "column", value_name = "OURS=THEIRS", env = "PASSLINE_COLUMN",
          value_delimiter = ',', value_parser = column)]
    pub(crate) columns: Vec<(String, String)>,
    /// What stands between two cells
    #[arg(long, value_name = "CHARACTER", env = "PASSLINE_DELIMITER", default_value_t = ',')]
    pub(crate) delimiter: char,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print what was found as one JSON document, or write it to a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = "-", env = "PASSLINE_JSON")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) locks: LockFolder,
}

fn function() -> impl TypedValueParser<Value = WriteFunction> {
    let names = PossibleValuesParser::new(WriteFunction::NAMES);
    names.map(|name| WriteFunction::named(&name).unwrap_or_default())
}

fn bits() -> impl TypedValueParser<Value = WriteBits> {
    let names = PossibleValuesParser::new(WriteBits::NAMES);
    names.map(|name| WriteBits::named(&name).unwrap_or_default())
}

/// The name of a profile, which is that of its file as well.
fn profile_name(text: &str) -> Result<String, &'static str> {
    if is_name(text) { Ok(text.to_owned()) } else { Err("a name is letters, digits and `_`") }
}

fn format(text: &str) -> Result<&'static Format, String> {
    let found = FORMATS.into_iter().find(|format| format.name == text);
    found.ok_or_else(|| {
        let known: Vec<String> =
            FORMATS.iter().map(|format| format!("{}: {}", format.name, format.doc)).collect();
        format!("known are\n  {}", known.join("\n  "))
    })
}

fn table(text: &str) -> Result<Table, &'static str> {
    let found = Table::ALL.into_iter().find(|table| table.name() == text);
    found.ok_or("write coil, discrete, input or holding")
}

fn column(text: &str) -> Result<(String, String), &'static str> {
    let (ours, theirs) = text.split_once('=').ok_or("write OURS=THEIRS, as in address=Register")?;
    Ok((ours.trim().to_owned(), theirs.trim().to_owned()))
}

/// An address that a client can open.
fn link(text: &str) -> Result<Address, AddressError> {
    let address: Address = text.parse()?;
    address.check_client()?;
    Ok(address)
}
