//! The table-driven decoder: what it takes, and the words in which it refuses.

use std::time::Duration;

use passline::language::decode::{Context, Evaluator};
use passline::language::fields::Fields;
use passline::language::shape::{Field, Object, Shape};
use passline::language::variables::Scalar;
use passline::language::yaml::Node;

use super::Parsed;

static COMMON: &[Field] = &[
    Field::optional("name", Shape::Name, "Its name."),
    Field::optional("text", Shape::Text, "Any text."),
    Field::optional("verify", Shape::Bool, "Whether it is read back."),
];

pub(crate) static STEP: Object = Object {
    name: "read step",
    doc: "Reads a point.",
    fields: &[
        &[
            Field::required("read", Shape::Text, "The point."),
            Field::required("unit_id", Shape::Integer { min: 0, max: 255 }, "The unit id."),
            Field::optional("address", Shape::U16, "The address."),
            Field::optional("min", Shape::Number, "The least."),
            Field::optional("max", Shape::Number, "The greatest."),
            Field::optional("equals", Shape::Scalar, "The value."),
            Field::optional("tolerance", Shape::Percent, "How far off."),
            Field::optional("within", Shape::Duration, "By when."),
            Field::optional("order", Shape::Choice(&["ABCD", "CDAB", "DCBA"]), "The word order."),
            Field::optional("tags", Shape::List(&Shape::Text), "Its tags."),
            Field::optional("errors", Shape::OneOrMany(&Shape::Name), "Errors."),
            Field::optional("values", Shape::Map(&Shape::Name), "Labels."),
            Field::optional("compute", Shape::Expression, "An expression."),
            Field::optional("inner", Shape::Object(&STEP), "A step inside."),
            Field::optional("seed", Shape::Integer { min: 0, max: u64::MAX as i128 }, "A seed."),
            Field::optional("any", Shape::Any, "Anything."),
        ],
        COMMON,
    ],
};

/// Decodes a step with two good required keys before `entry`.
fn step<T>(entry: &str, decode: impl FnOnce(&Fields<'_, '_>) -> T) -> T {
    let parsed = Parsed::of(format!("read: x\nunit_id: 1\n{entry}\n"));
    let decoded = parsed.decode(|context, root| decode(&context.fields(root, &STEP).unwrap()));
    assert_eq!(parsed.said(), "", "{entry}");
    decoded
}

/// What is said about `entry`, as `column message / remedy`.
fn refused(entry: &str, decode: impl FnOnce(&Fields<'_, '_>)) -> String {
    let parsed = Parsed::of(format!("read: x\nunit_id: 1\n{entry}\n"));
    parsed.decode(|context, root| decode(&context.fields(root, &STEP).unwrap()));
    let all = parsed.diagnostics.sorted();
    assert_eq!(all.len(), 1, "{entry}: {}", parsed.said());
    let found = &all[0];
    let (line, column) = parsed
        .sources
        .get(found.span.unwrap().source)
        .unwrap()
        .line_and_column(found.span.unwrap().start);
    assert_eq!(line, 3, "{entry}");
    format!("{column} {} / {}", found.message, found.remedy.as_deref().unwrap_or_default())
}

#[test]
fn every_mistake_of_a_mapping_is_reported_at_once() {
    let parsed = Parsed::of("raed: x\naddres: 70000\nmin:\nunit_id: ~\nzzz: 1\n");
    parsed.decode(|context, root| {
        let fields = context.fields(root, &STEP).unwrap();
        assert!(!fields.has("unit_id") && fields.number("min").is_none());
    });
    assert_eq!(
        parsed.said(),
        "\
error: `raed` is no key of this read step
 --> spec.yaml:1:1
  |
1 | raed: x
  | ^^^^
  |
  = help: did you mean `read`?

error: `read` is missing in this read step
 --> spec.yaml:1:1
  |
1 | raed: x
  | ^^^^^^^
  |
  = help: add `read:` and a text

error: `addres` is no key of this read step
 --> spec.yaml:2:1
  |
2 | addres: 70000
  | ^^^^^^
  |
  = help: did you mean `address`?

error: `min` has no value
 --> spec.yaml:3:1
  |
3 | min:
  | ^^^
  |
  = help: write a number, or remove the key

error: `unit_id` has no value
 --> spec.yaml:4:1
  |
4 | unit_id: ~
  | ^^^^^^^
  |
  = help: write an integer within 0..=255, or remove the key

error: `zzz` is no key of this read step
 --> spec.yaml:5:1
  |
5 | zzz: 1
  | ^^^
  |
  = help: its keys are `read`, `unit_id`, `address`, `min`, `max`, `equals`, `tolerance`, `within`, `order`, `tags`, `errors`, `values`, `compute`, `inner`, `seed`, `any`, `name`, `text` or `verify`

6 errors
"
    );
}

#[test]
fn what_is_no_mapping_is_said_to_be_what_it_is() {
    for (text, found) in
        [("[1]", "a list"), ("5", "the number `5`"), ("'5'", "the text `5`"), ("true", "`true`")]
    {
        let parsed = Parsed::of(text);
        assert!(parsed.decode(|context, root| context.fields(root, &STEP).is_none()));
        let message = format!("1:1 a mapping (the read step) is needed here, and this is {found}");
        assert_eq!(parsed.messages(), [message]);
    }
    let parsed = Parsed::of("---\n");
    assert!(parsed.decode(|context, root| context.fields(root, &STEP).is_none()));
    assert!(parsed.diagnostics.has_errors());
}

#[test]
fn values_of_the_right_shape_are_taken() {
    assert_eq!(step("min: 0.3", |f| f.number("min").unwrap().value.to_string()), "0.3");
    assert_eq!(step("min: 0x10", |f| f.number("min").unwrap().value.to_string()), "16");
    assert_eq!(step("address: 0xFFFF", |f| f.integer::<u16>("address").unwrap().value), 65535);
    assert_eq!(step("address: 1e3", |f| f.integer::<u16>("address").unwrap().value), 1000);
    assert_eq!(
        step("seed: 18446744073709551615", |f| f.integer::<u64>("seed").unwrap().value),
        u64::MAX
    );
    assert_eq!(step("text: '1.10'", |f| f.text("text").unwrap().value), "1.10");
    assert_eq!(step("text: ''", |f| f.text("text").unwrap().value), "");
    assert_eq!(step("text: no", |f| f.text("text").unwrap().value), "no");
    assert_eq!(step("name: 007", |f| f.name("name").unwrap().value), "007");
    assert!(step("verify: True", |f| f.boolean("verify").unwrap().value));
    assert_eq!(step("order: CDAB", |f| f.choice("order").unwrap().value), "CDAB");
    assert_eq!(step("tags: [a, b]", |f| f.list("tags").len()), 2);
    assert_eq!(step("errors: a", |f| f.one_or_many("errors").len()), 1);
    assert_eq!(step("errors: [a, b]", |f| f.one_or_many("errors").len()), 2);
    assert_eq!(step("tags: []", |f| f.list("tags").len()), 0);
    assert_eq!(
        step("", |f| (f.list("tags").len(), f.map("values").len(), f.has("min"))),
        (0, 0, false)
    );
    let keys = step("values: {0: a, x: b}", |f| {
        f.map("values").into_iter().map(|entry| entry.key.value).collect::<Vec<_>>()
    });
    assert_eq!(keys, ["0", "x"]);
    assert_eq!(
        step("inner: {read: y, unit_id: 2}", |f| f
            .object("inner")
            .unwrap()
            .text("read")
            .unwrap()
            .value),
        "y"
    );
    assert_eq!(step("any: [1]", |f| f.node("any").unwrap().items().unwrap().count()), 1);
    assert_eq!(
        step("min: 1\nname: n", |f| f.keys().collect::<Vec<_>>()),
        ["read", "unit_id", "min", "name"]
    );
}

#[test]
fn durations() {
    let duration =
        |text: &str| step(&format!("within: {text}"), |f| f.duration("within").unwrap().value);
    assert_eq!(duration("500ms"), Duration::from_millis(500));
    assert_eq!(duration("1.5s"), Duration::from_millis(1500));
    assert_eq!(duration("2m"), Duration::from_mins(2));
    assert_eq!(duration("1h"), Duration::from_hours(1));
    assert_eq!(duration("0s"), Duration::ZERO);
    assert_eq!(duration("0.000000001s"), Duration::from_nanos(1));
    assert_eq!(
        duration("0.5000000000000000000000000000000000000000000s"),
        Duration::from_millis(500)
    );
    assert_eq!(duration("8760h"), Duration::from_hours(8760));
    let said = |text: &str| {
        refused(&format!("within: {text}"), |f| assert_eq!(f.duration("within"), None))
    };
    assert_eq!(said("5"), "9 `5` has no unit of time / write `5s` or `5ms`");
    assert!(said("8760.0001h").contains("longer than a year"));
    assert!(said("99999999999999999999999999999999999999999999h").contains("longer than a year"));
    assert!(said("0.0000000001s").contains("finer than a nanosecond"));
    assert!(
        said("0.00000000000000000000000000000000000000000000000001h")
            .contains("finer than a nanosecond")
    );
    for text in
        ["5 s", "5S", "-5s", "1.s", ".5s", "s", "ms", "5sec", "1h30m", "1e3s", "٣s", "5us", "1,5s"]
    {
        assert!(said(text).contains("this is no duration"), "{text}");
    }
    assert!(
        said("true")
            .contains("a duration such as `500ms` or `1.5s` is needed here, and this is `true`")
    );
    assert!(said("[5s]").contains("and this is a list"));
}

#[test]
fn wrong_types_are_refused_with_what_helps() {
    let number =
        |entry: &str| refused(&format!("min: {entry}"), |f| assert_eq!(f.number("min"), None));
    assert_eq!(
        number("'5'"),
        "6 a number is needed here, and this is the text `5` / remove the quotes: 5"
    );
    assert_eq!(
        number("1_000"),
        "6 a number is needed here, and this is the text `1_000` / write 1000"
    );
    assert_eq!(number("1,5"), "6 a number is needed here, and this is the text `1,5` / write 1.5");
    assert_eq!(
        number("5V"),
        "6 a number is needed here, and this is the text `5V` / write the number alone: 5"
    );
    assert_eq!(
        number("=5"),
        "6 a number is needed here, and this is the text `=5` / an expression starts with `= `"
    );
    assert_eq!(number("true"), "6 a number is needed here, and this is `true` / ");
    assert_eq!(number(".nan"), "6 a number is needed here, and this is the number `.nan` / ");
    assert_eq!(
        number("010"),
        "6 a number with a leading zero is ambiguous / write 10, or 0o10 if it is octal, or quotes if it is text"
    );
    assert_eq!(
        number("08"),
        "6 a number with a leading zero is ambiguous / write 8, or quotes if it is text"
    );
    assert_eq!(number("[1]"), "6 a number is needed here, and this is a list / ");
    assert!(
        number("= a + 1").starts_with("8 a number is needed here, and this is an expression / ")
    );
    assert!(number("1e9999").contains("too large an exponent"));

    let integer = |entry: &str| {
        refused(&format!("address: {entry}"), |f| assert_eq!(f.integer::<u16>("address"), None))
    };
    for entry in ["65536", "-1", "1.5", "1e30", "0x10000"] {
        assert!(
            integer(entry).starts_with(
                "10 an integer within 0..=65535 is needed here, and this is the number "
            ),
            "{entry}"
        );
    }
    assert_eq!(
        integer("'5'"),
        "10 an integer within 0..=65535 is needed here, and this is the text `5` / remove the quotes: 5"
    );
}

#[test]
fn texts_and_words_are_refused_with_what_helps() {
    let text =
        |entry: &str| refused(&format!("text: {entry}"), |f| assert_eq!(f.text("text"), None));
    assert_eq!(
        text("1.10"),
        "7 a text is needed here, and `1.10` is a number / write it in quotes: \"1.10\""
    );
    assert_eq!(
        text("010"),
        "7 a text is needed here, and `010` is a number / write it in quotes: \"010\""
    );
    assert_eq!(
        text("true"),
        "7 a text is needed here, and `true` is a truth value / write it in quotes: \"true\""
    );
    assert!(text("'= a'").contains("this is an expression"));

    let boolean = |entry: &str| {
        refused(&format!("verify: {entry}"), |f| assert_eq!(f.boolean("verify"), None))
    };
    assert_eq!(boolean("yes"), "9 `true` or `false` is needed here, and this is the text `yes` / ");
    assert_eq!(
        boolean("'true'"),
        "9 `true` or `false` is needed here, and this is the text `true` / remove the quotes: true"
    );
    assert_eq!(boolean("1"), "9 `true` or `false` is needed here, and this is the number `1` / ");

    let choice =
        |entry: &str| refused(&format!("order: {entry}"), |f| assert_eq!(f.choice("order"), None));
    assert_eq!(choice("abcd"), "8 `abcd` is not possible here / did you mean `ABCD`?");
    assert_eq!(choice("5"), "8 `5` is not possible here / write `ABCD`, `CDAB` or `DCBA`");

    let name =
        |entry: &str| refused(&format!("name: {entry}"), |f| assert_eq!(f.name("name"), None));
    assert_eq!(name("a-b"), "7 `a-b` is no name / a name is letters (A-Z, a-z), digits and `_`");
    assert!(name("''").contains("`` is no name"));
    assert!(name("é").contains("`é` is no name"));

    assert_eq!(
        refused("tags: a", |f| assert!(f.list("tags").is_empty())),
        "7 a list is needed here, and this is the text `a` / "
    );
    assert_eq!(
        refused("values: [a]", |f| assert!(f.map("values").is_empty())),
        "9 a mapping is needed here, and this is a list / "
    );
    let nothing = "there is no value here, and a text is needed / write the value, or remove the entry; an empty text is `\"\"`";
    let parsed = Parsed::of("~");
    assert_eq!(parsed.decode(|context, root| context.text(root)), None);
    assert_eq!(parsed.messages(), ["1:1 there is no value here, and a text is needed"]);
    assert_eq!(
        refused("values: {~: a}", |f| assert!(f.map("values").is_empty())),
        format!("10 {nothing}")
    );
}

#[test]
fn a_value_that_was_reported_is_not_reported_again() {
    let parsed = Parsed::of("read: *x\nunit_id: 1\nmin: *y\n");
    parsed.decode(|context, root| {
        let fields = context.fields(root, &STEP).unwrap();
        assert!(fields.text("read").is_none() && fields.number("min").is_none());
    });
    assert_eq!(
        parsed.messages(),
        ["1:7 there is no anchor `&x` above", "3:6 there is no anchor `&y` above"]
    );
}

#[test]
fn expressions_have_their_exact_place() {
    let expression = |entry: &str| {
        let text = step(&format!("compute: {entry}"), |f| f.expression("compute").unwrap());
        (text.value, text.span.start - 28, text.span.end - 28)
    };
    assert_eq!(expression("a + bad"), ("a + bad".to_owned(), 0, 7));
    assert_eq!(expression("= a + b"), ("a + b".to_owned(), 2, 7), "without the `= `");
    assert_eq!(expression("'= 2 > 1'"), ("2 > 1".to_owned(), 3, 8), "without the quotes");
    let text = step("compute: a + bad", |f| f.expression("compute").unwrap());
    let part = text.part(4..7);
    assert_eq!((part.start, part.end), (32, 35));
    assert_eq!(text.part(4..99), text.span, "a part that is not inside is the whole");
    let escaped = step("compute: \"a\\x20+ b\"", |f| f.expression("compute").unwrap());
    assert_eq!(escaped.part(0..1), escaped.span, "escapes move everything: the whole scalar");
}

#[test]
fn expressions_stand_for_values_where_they_can_be_evaluated() {
    let parsed = Parsed::of("read: x\nunit_id: 1\nmin: = a + 1\nmax: = no\nwithin: = a\n");
    let evaluate = |text: &str| match text {
        "no" => None,
        text => Some(Scalar::Text(format!("<{text}>"))),
    };
    parsed.decode(|context, root| {
        let context = Context { expressions: Some(Evaluator(&evaluate)), ..context };
        let fields = context.fields(root, &STEP).unwrap();
        assert!(fields.number("min").is_none() && fields.number("max").is_none());
        let sum = context.scalar(fields.node("min").unwrap()).unwrap().value;
        assert_eq!(sum, Scalar::Text("<a + 1>".to_owned()));
    });
    assert_eq!(
        parsed.messages(),
        ["3:6 a number is needed here, and this is the text `<a + 1>`"],
        "their value is of a type like others; what has none was reported by whoever evaluates"
    );
}

#[test]
fn the_same_node_is_decoded_again_and_again() {
    fn twice(context: Context<'_>, node: Node<'_>) {
        for _ in 0..2 {
            assert!(context.fields(node, &STEP).unwrap().number("min").is_none());
        }
    }
    let parsed = Parsed::of("read: x\nunit_id: 1\nmin: abc\n");
    parsed.decode(twice);
    assert_eq!(parsed.messages().len(), 1, "the same mistake is told once");
}
