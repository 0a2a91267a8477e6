//! Whatever the file holds: no panic, and no text that changes on the way.

use proptest::prelude::*;

use super::Parsed;
use super::fields::STEP;

/// Texts that break programs, in the spirit of the Big List of Naughty Strings.
const NAUGHTY: &[&str] = &[
    "",
    " ",
    "\t",
    "null",
    "~",
    "true",
    "no",
    "010",
    "1e3",
    "1_000",
    ".nan",
    "-.inf",
    "0x10",
    "= 1",
    "$(x",
    "$$(x)",
    "- a",
    "a: b",
    "? x",
    "# no comment",
    "a #b",
    "&a",
    "*a",
    "!tag",
    "!!str",
    "%d",
    "@x",
    "`x`",
    "|",
    ">",
    "[",
    "]",
    "{}",
    "<<",
    "---",
    "...",
    "'",
    "''",
    "\"",
    "\\",
    "\\\\",
    "\\n",
    "a\nb",
    "a\r\nb",
    "\n",
    " a ",
    "a\n\n\nb\n",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{200b}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffe}",
    "\u{202e}abc",
    "e\u{301}",
    "Ω≈ç√∫˜µ≤≥÷",
    "田中さん",
    "👾🙇💁",
    "👨‍👩‍👦",
    "الكل",
    "Z̮̞̠͙",
    "'; DROP TABLE--",
    "<script>",
    "${HOME}",
    "%n%s",
    "../../etc/passwd",
    "COM1",
    "1/0",
    "NaN",
    "\u{1b}[31m",
];

fn double_quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c if c.is_alphanumeric() => c.to_string(),
        c => format!("\\U{:08X}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn read_back(written: &str) -> Option<String> {
    let parsed = Parsed::of(format!("- {written}\n"));
    assert_eq!(parsed.said(), "", "{written:?}");
    let item = parsed.root().items()?.next()?;
    let scalar = item.scalar()?;
    (!scalar.plain).then(|| scalar.text.to_owned())
}

#[test]
fn naughty_strings_survive_quoting() {
    for text in NAUGHTY {
        assert_eq!(read_back(&double_quoted(text)).as_deref(), Some(*text));
        if !text
            .contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{feff}' | '\u{fffe}'))
        {
            assert_eq!(
                read_back(&format!("'{}'", text.replace('\'', "''"))).as_deref(),
                Some(*text)
            );
        }
    }
}

#[test]
fn naughty_strings_as_plain_text_do_no_harm() {
    for text in NAUGHTY {
        exercise(text);
        exercise(&format!("read: {text}\nunit_id: {text}\n"));
    }
}

/// Everything this layer can do with a text.
fn exercise(text: &str) {
    let parsed = Parsed::of(text);
    if parsed.tree.is_none() {
        assert!(parsed.diagnostics.has_errors(), "refused without a word: {text:?}");
    } else {
        let _ = parsed.shown();
        parsed.decode(|context, root| {
            if let Some(fields) = context.fields(root, &STEP) {
                let _ =
                    (fields.text("read"), fields.integer::<u8>("unit_id"), fields.number("min"));
                let _ = (fields.number("max"), fields.scalar("equals"));
                let _ = (fields.duration("within"), fields.choice("order"), fields.name("name"));
                let _ = (fields.list("tags"), fields.map("values"), fields.expression("compute"));
            }
            let mut nodes = vec![root];
            while let Some(node) = nodes.pop() {
                let _ = (
                    context.scalar(node),
                    context.number(node),
                    context.text(node),
                    context.name(node),
                );
                let _ = (context.expression(node), context.duration(node), context.variable(node));
                nodes.extend(node.items().into_iter().flatten());
                nodes.extend(
                    node.pairs().into_iter().flatten().flat_map(|(key, value)| [key, value]),
                );
            }
        });
    }
    let _ = parsed.said();
}

/// Text that is nearly YAML.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("read: "),
        Just("unit_id: "),
        Just("min: "),
        Just("within: "),
        Just("tags: "),
        Just("values: "),
        Just("equals: "),
        Just("- "),
        Just("? "),
        Just(": "),
        Just("\n"),
        Just("\n  "),
        Just("\r\n"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(", "),
        Just("&a "),
        Just("*a"),
        Just("*a : "),
        Just("<<: "),
        Just("<<: *a"),
        Just("!t "),
        Just("---\n"),
        Just("...\n"),
        Just("# c\n"),
        Just("\t"),
        Just("1"),
        Just("-0.5"),
        Just("010"),
        Just("'q'"),
        Just("\"e\\n\""),
        Just("|\n"),
        Just(">-\n"),
        Just("~"),
        Just("true"),
        Just("é"),
        Just("\u{feff}"),
        Just("$(x)"),
        Just("$("),
        Just("= 1"),
        Just("5%"),
        Just("5s"),
        Just("%YAML 1.1\n"),
        Just("a"),
        Just("\u{0}"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn text_that_is_nearly_yaml_never_panics(text in yaml_like()) {
        exercise(&text);
    }

    #[test]
    fn every_text_survives_quoting(text in any::<String>()) {
        prop_assert_eq!(read_back(&double_quoted(&text)), Some(text));
    }

    #[test]
    fn exact_numbers_stay_exact(whole in "(0|[1-9][0-9]{0,30})", fraction in "[0-9]{0,30}", negative: bool) {
        let written = format!("{}{whole}.{fraction}", if negative { "-" } else { "" });
        let parsed = Parsed::of(written.clone());
        let value = parsed.decode(|context, root| context.number(root)).map(|number| number.value);
        prop_assert_eq!(value, written.parse().ok());
        prop_assert_eq!(parsed.said(), "");
    }
}
