//! Which texts a pattern can match, by walking its automaton: every text that a point can bring,
//! none of them, or some. Knows nothing of limits.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use passline_modbus::value::Value;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

/// Bounds of the automaton in bytes: a pattern that needs more cannot be proved, and is refused.
const MAX_NFA: usize = 1 << 20;
const MAX_DFA: usize = 2 << 20;

/// The texts that a point can bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextSpace {
    /// Texts of at most so many bytes, without blanks and NULs at their end.
    Trimmed { max_bytes: usize },
    /// So many bytes, as they are shown: `0A FF`.
    Hexadecimal { least: usize, most: usize },
}

impl TextSpace {
    /// The value of a text of this space, as limits compare it.
    pub(super) fn value(self, text: &str) -> Option<Value> {
        match self {
            Self::Trimmed { .. } => Some(Value::Text(text.to_owned())),
            Self::Hexadecimal { .. } if text.is_empty() => Some(Value::Bytes(Vec::new())),
            Self::Hexadecimal { .. } => {
                let bytes = text.split(' ').map(|byte| u8::from_str_radix(byte, 16).ok());
                bytes.collect::<Option<_>>().map(Value::Bytes)
            }
        }
    }

    /// Whether the point can bring this text.
    pub(super) fn has(self, text: &str) -> bool {
        match self {
            Self::Trimmed { max_bytes } => text.len() <= max_bytes && !text.ends_with([' ', '\0']),
            Self::Hexadecimal { least, most } => (least..=most).contains(&text.len().div_ceil(3)),
        }
    }
}

/// For which of a point's texts a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every text of printable ASCII: it cannot fail.
    All,
    /// No text at all: it cannot hold.
    Nothing,
    /// Some texts, and not others.
    Some,
    /// The automaton is too large to tell.
    Unknown,
}

/// What the pattern, which must hold for the whole text, matches among the texts of at most
/// `max_bytes` bytes. Texts end in neither a blank nor a NUL: a point's text is trimmed there.
pub(super) fn reach(pattern: &str, max_bytes: usize) -> Reach {
    let least = syntax::parse(pattern).ok().and_then(|syntax| syntax.properties().minimum_len());
    if least.is_some_and(|least| least > max_bytes) {
        return Reach::Nothing;
    }
    // For ASCII texts the classes of Unicode are those of ASCII, whose automata are far smaller.
    // Only what no ASCII text matches has to be asked again.
    match automaton(pattern, Classes::Ascii).map(|dfa| among(&dfa, max_bytes, 0..=0x7F)) {
        Some(found @ (Reach::All | Reach::Some)) => found,
        _ => automaton(pattern, Classes::Unicode)
            .map_or(Reach::Unknown, |dfa| among(&dfa, max_bytes, 0..=0xFF)),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Classes {
    Ascii,
    Unicode,
}

/// The pattern as an automaton; `None` if it is too large, or needs other classes.
fn automaton(pattern: &str, classes: Classes) -> Option<dense::DFA<Vec<u32>>> {
    let config = dense::Config::new()
        // Every way to match counts: the text is matched whole or not at all.
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        // A Unicode `\b` is decided for ASCII only; other bytes lead to a quit state.
        .unicode_word_boundary(true)
        .accelerate(false)
        .dfa_size_limit(Some(MAX_DFA))
        .determinize_size_limit(Some(MAX_DFA));
    let unicode = classes == Classes::Unicode;
    dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().unicode(unicode).utf8(unicode))
        .thompson(thompson::Config::new().utf8(unicode).nfa_size_limit(Some(MAX_NFA)))
        .build(pattern)
        .ok()
}

fn among(dfa: &impl Automaton, max_bytes: usize, bytes: RangeInclusive<u8>) -> Reach {
    let Ok(start) = dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)) else {
        return Reach::Unknown;
    };
    if !misses(dfa, start, max_bytes) {
        Reach::All
    } else if !holds(dfa, start, (max_bytes, bytes)) {
        Reach::Nothing
    } else {
        Reach::Some
    }
}

/// Whether some text of printable ASCII is not matched.
fn misses(dfa: &impl Automaton, start: StateID, max_bytes: usize) -> bool {
    !ends_in_match(dfa, start)
        || walk(dfa, start, (max_bytes, b' '..=b'~'), |byte, state| {
            byte != b' ' && !ends_in_match(dfa, state)
        })
}

/// Whether some text is matched.
fn holds(
    dfa: &impl Automaton,
    start: StateID,
    (max_bytes, bytes): (usize, RangeInclusive<u8>),
) -> bool {
    ends_in_match(dfa, start)
        || walk(dfa, start, (max_bytes, bytes), |byte, state| {
            // What a quit state hides may be a match: never call such a pattern impossible.
            !matches!(byte, 0 | b' ') && (dfa.is_quit_state(state) || ends_in_match(dfa, state))
        })
}

/// Whether a text that ends in this state is matched.
fn ends_in_match(dfa: &impl Automaton, state: StateID) -> bool {
    !dfa.is_quit_state(state) && dfa.is_match_state(dfa.next_eoi_state(state))
}

/// Whether `found` holds for any last byte of a text of 1 to `max_bytes` bytes and the state after
/// it. Each state is visited once, at its least distance: what is reachable later is so earlier.
fn walk(
    dfa: &impl Automaton,
    start: StateID,
    (max_bytes, bytes): (usize, RangeInclusive<u8>),
    found: impl Fn(u8, StateID) -> bool,
) -> bool {
    let mut distance = BTreeMap::from([(start, 0)]);
    let mut queue = VecDeque::from([start]);
    while let Some(state) = queue.pop_front() {
        let next = distance.get(&state).map_or(usize::MAX, |steps| steps + 1);
        if next > max_bytes {
            return false;
        }
        for byte in bytes.clone() {
            let after = dfa.next_state(state, byte);
            if found(byte, after) {
                return true;
            }
            if !dfa.is_quit_state(after) && !distance.contains_key(&after) {
                distance.insert(after, next);
                queue.push_back(after);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_what_a_pattern_can_match() {
        let check = |pattern: &str, bytes, expected| {
            let whole = format!(r"\A(?:{pattern})\z");
            assert_eq!(reach(&whole, bytes), expected, "{pattern} in {bytes} bytes");
        };
        check(".*", 8, Reach::All);
        check("", 8, Reach::Some);
        check(".+", 8, Reach::Some);
        check("", 0, Reach::All);
        check(".{0,8}", 8, Reach::All);
        check(".{0,7}", 8, Reach::Some);
        check("[ -~]*", 8, Reach::All);
        check("[ -~]*", 80000, Reach::All);
        check("[!-~]*", 8, Reach::Some);
        check("[!-~]?", 1, Reach::All);
        check("[0-9]{8}", 8, Reach::Some);
        check("[0-9]{9}", 8, Reach::Nothing);
        check("a|ab", 2, Reach::Some);
        check("abc ", 8, Reach::Nothing);
        check(r"abc\x00", 8, Reach::Nothing);
        check("é", 1, Reach::Nothing);
        check("é", 2, Reach::Some);
        check(r"a(?-u:\b)b", 8, Reach::Nothing);
        check(r"\bab\b", 8, Reach::Some);
        check(r"é\b.*", 8, Reach::Some);
        check(r"\w{1,20}", 20, Reach::Some);
        check(r"\w{1,250}", 250, Reach::Some);
        check(r"[\x00-\x7f]*", 20, Reach::All);
        check(r"\s*\S*", 20, Reach::Some);
        check(r"(?i)[^é]*", 20, Reach::All);
        check("ſ", 20, Reach::Some);
        check(r"\w{21}", 20, Reach::Nothing);
        check(r"(?s).*|\d", 20, Reach::All);
        check(r"[^\n]*", 2, Reach::All);
        check(r"[a&&b]", 2, Reach::Nothing);
        check(r"(?i)sn-\d{4,}", 20, Reach::Some);
        check(".*a.{20}b", 21, Reach::Nothing);
        check(".*a.{20}b", 80, Reach::Unknown);
    }

    /// Every text of at most two bytes that a point can bring.
    fn short_texts() -> Vec<String> {
        let one = (0..=0x7F_u8).map(char::from);
        let two = one.clone().flat_map(|first| one.clone().map(move |second| [first, second]));
        let wide = ('\u{80}'..='\u{7FF}').map(String::from);
        let texts = one.clone().map(String::from).chain(two.map(String::from_iter)).chain(wide);
        let trimmed = texts.filter(|text| !text.ends_with([' ', '\0']));
        std::iter::once(String::new()).chain(trimmed).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn short_texts_agree_by_brute_force(
            parts in prop::collection::vec((0..16_usize, 0..8_usize), 0..4),
            either in any::<bool>(),
        ) {
            let atoms = [
                "a", "[ab]", "[^a]", ".", r"\d", r"\w", r"\W", r"\s", "[ -~]", " ", "é", "(?s:.)",
                r"\x00", "[!-~]", "(?i:k)", r"(?-u:\b)",
            ];
            let times = ["", "?", "*", "+", "{2}", "{0,1}", "{1,2}", "{3}"];
            let parts = parts.into_iter().map(|(atom, count)| format!("{}{}", atoms[atom], times[count]));
            let joined = parts.collect::<Vec<_>>().join(if either { "|" } else { "" });
            let whole = format!(r"\A(?:{joined})\z");
            let oracle = regex::Regex::new(&whole).unwrap();
            let texts = short_texts();
            let printable = |text: &&String| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let expected = if texts.iter().filter(printable).all(|text| oracle.is_match(text)) {
                Reach::All
            } else if texts.iter().any(|text| oracle.is_match(text)) {
                Reach::Some
            } else {
                Reach::Nothing
            };
            prop_assert_eq!(reach(&whole, 2), expected, "{}", joined);
        }
    }
}
