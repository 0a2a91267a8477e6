//! How a kind of fault is read: by its row, which has its keys, the lines on which it means something,
//! and how they become a kind.

use std::time::Duration;

use passline_modbus::address::{Address, Place as At};
use passline_modbus::framing::Framing;
use passline_modbus::point::Span as Place;
use passline_modbus::value::Value;
use passline_simulator::fault::{Kind, Noise, Scope, Sent, TransactionId};
use passline_simulator::image::Image;

use super::fault::Faulty;
use super::image::{CELLS, cells, held, put};
use super::rows::ROWS;
use crate::judge::exception;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Shape, one_of};
use crate::language::source::{Span, Spanned};
use crate::language::variables::Scalar;

/// The keys of kinds. A key means the same wherever it stands.
pub(super) const PARAMETERS: &[Field] = &[
    Field::optional("code", exception::SHAPE, "The name or the number of an exception."),
    Field::optional("by", Shape::Duration, "How long."),
    Field::optional("at", Shape::U16, "Behind so many bytes of the answer."),
    Field::optional("count", Shape::Integer { min: 1, max: 1024 }, "How many."),
    Field::optional("bytes", Shape::Text, "Which bytes: `FF 00`."),
    Field::optional(
        "add",
        Shape::Integer { min: -32_768, max: 32_767 },
        "How many more than there should be; fewer if below zero.",
    ),
    Field::optional("set", Shape::U16, "What it is instead of what it should be."),
    Field::optional(
        "id",
        Shape::AnyOf(&[Shape::U16, Shape::Choice(TRANSACTION_IDS)]),
        "Which id instead of the right one.",
    ),
    Field::optional("value", Shape::Scalar, "What the scope's point says."),
    Field::optional("bit", Shape::Integer { min: 0, max: 15 }, "Which bit; 0 is the least."),
    Field::optional(
        "sent",
        Shape::AnyOf(&[Shape::U16, Shape::Choice(&["all"])]),
        "How many bytes of the answer are sent before. Default 0.",
    ),
    Field::optional(
        "beyond",
        Shape::Choice(&["refuse", "mute"]),
        "What becomes of one more. Default `refuse`.",
    ),
];

const TRANSACTION_IDS: &[&str] = &["next", "swapped", "counted"];

/// The words of the kinds.
pub(super) const WORDS: &[&str] = &words();

const fn words() -> [&'static str; ROWS.len()] {
    let mut words = [""; ROWS.len()];
    let mut index = 0;
    while index < ROWS.len() {
        words[index] = ROWS[index].word;
        index += 1;
    }
    words
}

/// How a kind of fault is written.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) lines: Lines,
    /// The keys that it needs: one of each.
    pub(super) needs: &'static [&'static [&'static str]],
    /// The keys that it may have beside them.
    pub(super) may: &'static [&'static str],
    pub(super) read: Read,
}

/// How the keys of a kind become one. `None`: reported.
pub(super) type Read = fn(&Reader<'_, '_, '_>) -> Option<Kind>;

/// On which lines a kind means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// On every line.
    All,
    /// Where frames are those of Modbus TCP: TLS and UDP among them.
    Mbap,
    /// Where frames are RTU or ASCII, over TCP too.
    Serial,
    /// Where bytes follow each other: not in datagrams.
    Streams,
    /// Where connections are made.
    Connections,
}

impl Lines {
    /// Whether the line of this address is among them. Without one, it is Modbus TCP.
    fn include(self, address: Option<&Address>) -> bool {
        let is_mbap = address.is_none_or(|address| address.framing() == Framing::Mbap);
        let place = address.map(Address::place);
        match self {
            Self::All => true,
            Self::Mbap => is_mbap,
            Self::Serial => !is_mbap,
            Self::Streams => !matches!(place, Some(At::Udp { .. })),
            Self::Connections => !matches!(place, Some(At::Udp { .. } | At::Serial { .. })),
        }
    }

    /// The lines in words.
    fn named(self) -> &'static str {
        match self {
            Self::All => "any line",
            Self::Mbap => "a line of Modbus TCP frames (`tcp`, `tls`, `udp`)",
            Self::Serial => "a line of serial frames (`rtu`, `ascii`, `rtu+tcp`, `ascii+tcp`)",
            Self::Streams => "a line that carries bytes, not datagrams",
            Self::Connections => "a line with connections (`tcp`, `tls`, `rtu+tcp`, `ascii+tcp`)",
        }
    }
}

/// What a kind is read from.
pub(super) struct Reader<'a, 't, 'c> {
    pub(super) faulty: &'a Faulty<'a>,
    pub(super) fields: &'a Fields<'t, 'c>,
    scope: Option<&'a Scope>,
}

/// Reads the kind of a fault. `None`: reported.
pub(super) fn kind(
    faulty: &Faulty<'_>,
    fields: &Fields<'_, '_>,
    scope: Option<&Scope>,
) -> Option<Kind> {
    let word = fields.choice("fault")?;
    let row = ROWS.iter().find(|row| row.word == word.value)?;
    let reader = Reader { faulty, fields, scope };
    let has_its_keys = reader.has_keys(row, word.span);
    if !row.lines.include(faulty.address) {
        let message = format!("`fault: {}` means nothing on this device's line", row.word);
        let error = Diagnostic::error(word.span, message);
        let remedy = format!("remove it: it needs {}", row.lines.named());
        faulty.context.report(error.remedy(remedy));
        return None;
    }
    if has_its_keys { (row.read)(&reader) } else { None }
}

impl Reader<'_, '_, '_> {
    /// Whether the keys are those of the kind; if not, that is reported.
    fn has_keys(&self, row: &Row, at: Span) -> bool {
        let own: Vec<&str> = row.needs.iter().copied().flatten().chain(row.may).copied().collect();
        let mut holds = true;
        for key in PARAMETERS.iter().chain(CELLS).map(|field| field.key) {
            if self.fields.has(key) && !own.contains(&key) {
                holds = false;
                let message = format!("`{key}` is no key of `fault: {}`", row.word);
                let remedy = match own[..] {
                    [] => "remove it: this kind has no keys of its own".to_owned(),
                    _ => format!("its keys are {}", one_of(&own)),
                };
                self.refuse(self.fields.key_span(key), &message, &remedy);
            }
        }
        for keys in row.needs {
            let given: Vec<&str> =
                keys.iter().copied().filter(|key| self.fields.has(key)).collect();
            if let [_, second, ..] = given[..] {
                holds = false;
                let message = format!("`fault: {}` has {} at once", row.word, one_of(&given));
                self.refuse(self.fields.key_span(second), &message, "keep the one that is meant");
            } else if given.is_empty() {
                holds = false;
                let message = format!("`fault: {}` needs {}", row.word, one_of(keys));
                let remedy = format!("add `{}:`", keys.first().unwrap_or(&""));
                self.refuse(at, &message, &remedy);
            }
        }
        holds
    }

    fn refuse(&self, at: Span, message: &str, remedy: &str) {
        self.faulty.context.report(Diagnostic::error(at, message).remedy(remedy));
    }

    pub(super) fn by(&self) -> Option<Duration> {
        self.fields.duration("by").map(|by| by.value)
    }

    pub(super) fn integer<T: TryFrom<i128>>(&self, key: &str) -> Option<T> {
        self.fields.integer(key).map(|integer| integer.value)
    }

    /// `add`, which must change something.
    pub(super) fn add<T: TryFrom<i16>>(&self) -> Option<T> {
        let add = self.fields.integer::<i16>("add")?;
        let fits = T::try_from(add.value).ok().filter(|_| add.value != 0);
        if fits.is_none() {
            let message = format!("{} cannot be added here", add.value);
            self.refuse(add.span, &message, "write an integer within -128..=127, not 0");
        }
        fits
    }

    /// `id` as a number within these bounds.
    pub(super) fn id<T: TryFrom<i128>>(&self, bounds: (i128, i128)) -> Option<T> {
        self.faulty.context.integer(self.fields.node("id")?, bounds).map(|id| id.value)
    }

    pub(super) fn transaction_id(&self) -> Option<TransactionId> {
        let node = self.fields.node("id")?;
        let scalar = self.faulty.context.scalar(node)?;
        if !matches!(scalar.value, Scalar::Text(_)) {
            return self.id((0, 65_535)).map(TransactionId::Fixed);
        }
        let word = self.faulty.context.choice(node, TRANSACTION_IDS)?;
        Some(match word.value {
            "next" => TransactionId::Next,
            "swapped" => TransactionId::Swapped,
            _ => TransactionId::Counted,
        })
    }

    pub(super) fn noise(&self) -> Option<Noise> {
        let Some(text) = self.fields.text("bytes") else {
            return self.integer("count").map(Noise::Drawn);
        };
        match Value::bytes(&text.value) {
            Some(Value::Bytes(bytes)) if !bytes.is_empty() => Some(Noise::Given(bytes.into())),
            _ => {
                let message = format!("{} are no bytes", quoted(&text.value));
                self.refuse(text.span, &message, "write pairs of hexadecimal digits: `FF 00`");
                None
            }
        }
    }

    pub(super) fn sent(&self) -> Option<Sent> {
        let Some(node) = self.fields.node("sent") else { return Some(Sent::Bytes(0)) };
        let scalar = self.faulty.context.scalar(node)?;
        if scalar.value == Scalar::Text("all".to_owned()) {
            return Some(Sent::All);
        }
        let count = self.faulty.context.integer(node, (0, 65_535))?;
        Some(Sent::Bytes(count.value))
    }

    /// What the scope's cells say.
    pub(super) fn cells(&self) -> Option<Image> {
        let Some(span) = self.scope?.span else {
            let message = "`fault: value` needs a `scope` with a point or an address";
            self.refuse(self.fields.span(), message, "add `scope: { point: … }`");
            return None;
        };
        if let Some(value) = self.fields.scalar("value") {
            return self.of_point(value);
        }
        let mut image = Image::new();
        let given =
            cells(self.faulty.context, &mut image, self.fields, (span.table(), span.address()))?;
        if given > usize::from(span.count()) {
            let message = format!("{given} cells, and the scope has {}", span.count());
            self.refuse(self.fields.span(), &message, "give the scope as large a `count:`");
            return None;
        }
        Some(image)
    }

    /// The words of the scope's point if it has this value.
    fn of_point(&self, value: Spanned<Scalar>) -> Option<Image> {
        let Faulty { context, map, image, .. } = *self.faulty;
        let name = self.fields.object("scope").and_then(|scope| scope.text("point"));
        let point = name.and_then(|name| map.points.get(name.value.as_str()));
        let Some(point) = point else {
            let message = "`value` is about a point, and the scope names none";
            self.refuse(value.span, message, "write `words:` or `bits:`, or name a point");
            return None;
        };
        let mut whole = image.clone();
        let value = Spanned { value: held(point, value.value), span: value.span };
        put(context, map, &mut whole, point, &value)?;
        Some(part(&whole, point.span()?))
    }
}

/// Only these cells of an image.
fn part(whole: &Image, span: Place) -> Image {
    let mut part = Image::new();
    // What is in one image is not refused by another.
    let _ = match (whole.words(span), whole.bits(span)) {
        (Some(words), _) => part.set_words(span.table(), span.address(), words),
        (None, Some(bits)) => part.set_bits(span.table(), span.address(), bits),
        (None, None) => Ok(()),
    };
    part
}
