//! Expressions through the outside: values, errors with their places, and a second opinion.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use passline::expression::{
    EvaluationError, EvaluationErrorKind, Expression, SyntaxErrorKind, Type,
};
use passline_modbus::value::{Decimal, DecimalError, Value};
use proptest::prelude::*;

fn parse(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// The names that the tests know.
fn resolve(name: &str) -> Option<Value> {
    Some(match name {
        "meter.p1" => number("1000.5"),
        "meter.status.mode" => number("5"),
        "3phase.1st" => number("7"),
        "meter.v" => Value::F32(230.4),
        "meter.wide" => Value::F64(0.1),
        "meter.nan" => Value::F32(f32::NAN),
        "meter.infinite" => Value::F64(f64::INFINITY),
        "meter.flags" => number("32769"),
        "relay" => Value::Bool(true),
        "mode" => Value::Text("idle".into()),
        "id" => Value::Bytes(vec![1, 2]),
        "min" => number("3"),
        _ => return None,
    })
}

fn evaluate(text: &str) -> Result<Value, EvaluationError> {
    parse(text).evaluate(resolve)
}

#[test]
fn computes() {
    let truth = Value::Bool;
    for (text, value) in [
        ("1 + 2 * 3", number("7")),
        ("(1 + 2) * 3", number("9")),
        ("10 - 4 - 3", number("3")),
        ("10 - (4 - 3)", number("9")),
        ("2 * 3 % 4", number("2")),
        ("-7 % 4", number("-3")),
        ("- - 2", number("2")),
        ("2 - -2", number("4")),
        ("0.1 + 0.2", number("0.3")),
        ("0x1F + 1", number("32")),
        ("1e-3 * .5", number("0.0005")),
        ("2.e2", number("200")),
        ("1 / 8", number("0.125")),
        ("2 / 3", number("0.6666666666666666666666666666666667")),
        ("18446744073709551615 + 1", number("18446744073709551616")),
        ("meter.p1 * 2", number("2001")),
        ("meter.status.mode", number("5")),
        ("3phase.1st", number("7")),
        ("min + min(2, min)", number("5")),
        ("abs(-1.5) + max(1, 3, 2)", number("4.5")),
        ("round(2.5)", number("3")),
        ("round(-2.345, 2)", number("-2.35")),
        ("round(1250, -2)", number("1300")),
        ("sqrt(0.09)", number("0.3")),
        ("log10(1000)", Value::F64(3.0)),
        ("meter.wide + 0", Value::F64(0.1)),
        ("meter.v * 1", Value::F64(f64::from(230.4_f32))),
        ("round(meter.v, 1)", Value::F64(230.4)),
        ("max(meter.wide, 3)", Value::F64(3.0)),
        ("meter.infinite", Value::F64(f64::INFINITY)),
        ("bit(meter.flags, 15) and bit(meter.flags, 0)", truth(true)),
        ("bit(meter.flags, 1)", truth(false)),
        ("1.0 == 1", truth(true)),
        ("1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2 and 1 != 2", truth(true)),
        ("not true or true", truth(true)),
        ("not (true or true)", truth(false)),
        ("not 1 == 2", truth(true)),
        ("true or false and false", truth(true)),
        ("(1 < 2) == true", truth(true)),
        ("mode == 'idle'", truth(true)),
        ("mode != \"it's\"", truth(true)),
        ("id == id", truth(true)),
        ("relay", truth(true)),
        // Against a float a decimal is rounded as limits are; among floats nothing is.
        ("meter.v == 230.4", truth(true)),
        ("230.4 >= meter.v", truth(true)),
        ("meter.v * 1 == 230.4", truth(false)),
        ("meter.infinite > 1e300", truth(true)),
        // The settled side is not looked at.
        ("0 != 0 and 1 / (meter.p1 - 1000.5) > 1", truth(false)),
        ("relay or nothing", truth(true)),
    ] {
        assert_eq!(evaluate(text), Ok(value), "{text}");
    }
}

#[test]
fn nan_goes_through_arithmetic_but_answers_nothing() {
    for text in [
        "meter.nan + 1",
        "-meter.nan",
        "abs(meter.nan)",
        "min(1, meter.nan)",
        "max(meter.nan, 1)",
        "min(meter.nan, 1, 2)",
        "round(meter.nan, 1)",
        "sqrt(meter.nan)",
        "log10(meter.nan)",
        "meter.infinite - meter.infinite",
    ] {
        let Ok(Value::F64(float)) = evaluate(text) else { panic!("{text}") };
        assert!(float.is_nan(), "{text}");
    }
    for text in
        ["meter.nan == 1", "not (meter.nan > 5)", "1 != meter.nan", "meter.nan == meter.nan"]
    {
        assert_eq!(evaluate(text).unwrap_err().kind, EvaluationErrorKind::NotANumber, "{text}");
    }
}

#[test]
fn what_has_no_value_says_why_and_where() {
    use EvaluationErrorKind as Kind;
    let type_error = |expected, found| Kind::Type { expected, found };
    for (text, place, kind) in [
        ("1 + nothing", "nothing", Kind::NoValue("nothing".into())),
        ("2 + 1 / (min - 3) + 1", "1 / (min - 3)", Kind::DivisionByZero),
        ("meter.p1 * 2 / 0 * 3", "meter.p1 * 2 / 0", Kind::DivisionByZero),
        ("5 % 0", "5 % 0", Kind::DivisionByZero),
        ("meter.v / 0", "meter.v / 0", Kind::DivisionByZero),
        ("1 / (meter.wide - meter.wide)", "1 / (meter.wide - meter.wide)", Kind::DivisionByZero),
        ("meter.nan / 0", "meter.nan / 0", Kind::DivisionByZero),
        ("1 + sqrt(-1)", "sqrt(-1)", Kind::NegativeRoot),
        ("sqrt(-meter.v)", "sqrt(-meter.v)", Kind::NegativeRoot),
        ("log10(0)", "log10(0)", Kind::Logarithm),
        ("log10(-meter.v)", "log10(-meter.v)", Kind::Logarithm),
        ("1 + mode", "mode", type_error(Type::Number, Type::Text)),
        ("-relay", "relay", type_error(Type::Number, Type::Bool)),
        ("not 1", "1", type_error(Type::Bool, Type::Number)),
        ("true and min", "min", type_error(Type::Bool, Type::Number)),
        ("abs(id)", "id", type_error(Type::Number, Type::Bytes)),
        ("1 == '1'", "1 == '1'", Kind::Comparison(Type::Number, Type::Text)),
        ("mode < 'z'", "mode < 'z'", Kind::Comparison(Type::Text, Type::Text)),
        ("true > false", "true > false", Kind::Comparison(Type::Bool, Type::Bool)),
        ("bit(1, 64)", "bit(1, 64)", Kind::BitNumber),
        ("bit(1, -1)", "bit(1, -1)", Kind::BitNumber),
        ("bit(-1, 0)", "bit(-1, 0)", Kind::BitsOf),
        ("bit(0.5, 0)", "bit(0.5, 0)", Kind::BitsOf),
        ("bit(18446744073709551616, 0)", "bit(18446744073709551616, 0)", Kind::BitsOf),
        ("round(1, 0.5)", "round(1, 0.5)", Kind::Places),
        ("round(1, 101)", "round(1, 101)", Kind::Places),
        ("meter.wide * 1e308 * 100", "meter.wide * 1e308 * 100", Kind::Size),
        ("meter.wide + 1e400", "meter.wide + 1e400", Kind::Size),
        ("log10(1e400)", "log10(1e400)", Kind::Size),
        ("1e400*1e400*1e400*1e400*1e400*1e400", "1e400*1e400*1e400*1e400*1e400*1e400", Kind::Size),
    ] {
        let error = evaluate(text).unwrap_err();
        assert_eq!((&text[error.span.clone()], error.kind), (place, kind), "{text}");
    }
}

#[test]
fn what_is_no_expression_says_why_and_where() {
    use SyntaxErrorKind as Kind;
    let operand = Kind::Expected("a number, a text, a name, a function or `(`");
    let end = Kind::Expected("an operator or the end");
    let arguments =
        |function, least, most, found| Kind::ArgumentCount { function, least, most, found };
    for (text, place, kind) in [
        ("", 0..0, operand.clone()),
        ("  ", 2..2, operand.clone()),
        ("1 +", 3..3, operand.clone()),
        ("1 + * 2", 4..5, operand.clone()),
        ("1 + not true", 4..7, operand.clone()),
        ("(1", 2..2, Kind::Expected("`)`")),
        ("1)", 1..2, end.clone()),
        ("1 2", 2..3, end.clone()),
        ("a b", 2..3, end.clone()),
        ("a = b", 2..3, Kind::Character('=')),
        ("a & b", 2..3, Kind::Character('&')),
        ("ä", 0..2, Kind::Character('ä')),
        ("a == 'b", 5..7, Kind::OpenText),
        ("1.2.3", 0..5, Kind::Number(DecimalError::Syntax)),
        ("1e999", 0..5, Kind::Number(DecimalError::TextExponent)),
        (".", 0..1, Kind::Number(DecimalError::Syntax)),
        ("0x", 0..2, Kind::Hexadecimal),
        ("0xG", 0..3, Kind::Hexadecimal),
        ("a..b", 0..4, Kind::Name),
        ("a.", 0..2, Kind::Name),
        ("1 < 2 < 3", 6..7, Kind::ComparisonOfComparison),
        ("avg(1)", 0..3, Kind::UnknownFunction("avg".into())),
        ("abs()", 0..5, arguments("abs", 1, 1, 0)),
        ("1 + bit(1)", 4..10, arguments("bit", 2, 2, 1)),
        ("round(1, 2, 3)", 0..14, arguments("round", 1, 2, 3)),
        ("min(1 2)", 6..7, Kind::Expected("`,` or `)`")),
        ("min(1,)", 6..7, operand),
    ] {
        let error = text.parse::<Expression>().unwrap_err();
        assert_eq!((error.span, error.kind), (place, kind), "{text}");
    }
    let count = |text: &str| text.parse::<Expression>().unwrap_err().to_string();
    assert_eq!(count("round()"), "`round` takes 1 to 2 arguments, not 0");
    assert_eq!(count("max()"), "`max` takes 1 argument or more, not 0");
    assert_eq!(Expression::FUNCTIONS, ["abs", "min", "max", "round", "sqrt", "log10", "bit"]);
}

#[test]
fn length_and_nesting_are_bounded() {
    let nested = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(nested(63).parse::<Expression>().is_ok());
    let deep = nested(64).parse::<Expression>().unwrap_err();
    assert_eq!((deep.kind, deep.span), (SyntaxErrorKind::TooDeep, 64..65));
    for deep in ["-".repeat(4000), "not ".repeat(1000), "abs(".repeat(1000), "1<(1+".repeat(800)] {
        assert_eq!(deep.parse::<Expression>().unwrap_err().kind, SyntaxErrorKind::TooDeep);
    }
    // A long sum is not deep.
    let sum = format!("1{}", "+1".repeat(2047));
    assert_eq!(evaluate(&sum), Ok(number("2048")));
    let long = format!("{sum}+1");
    assert_eq!(long.parse::<Expression>().unwrap_err().kind, SyntaxErrorKind::TooLong);
}

#[test]
fn lists_the_names_it_refers_to() {
    let text = "meter.a + max(b, meter.a.c) * (not d)";
    let expression = parse(text);
    let names = expression.names();
    for (name, span) in &names {
        assert_eq!(&text[span.clone()], *name);
    }
    let names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["meter.a", "b", "meter.a.c", "d"]);
}

fn check(text: &str) -> Result<Type, Vec<(String, EvaluationErrorKind)>> {
    let types = |name: &str| match name {
        "n" => Type::Number,
        "f" => Type::Float,
        "b" => Type::Bool,
        "t" => Type::Text,
        _ => Type::Unknown,
    };
    let place = |error: EvaluationError| (text[error.span].to_owned(), error.kind);
    parse(text).check(types).map_err(|errors| errors.into_iter().map(place).collect())
}

#[test]
fn types_are_known_before_anything_is_read() {
    for (text, found) in [
        ("n + 1", Type::Number),
        ("n > 1 and b", Type::Bool),
        ("t == 'x'", Type::Bool),
        ("t", Type::Text),
        ("u", Type::Unknown),
        ("u + u", Type::Float),
        ("not u", Type::Bool),
        ("u == t", Type::Bool),
        ("bit(n, 3)", Type::Bool),
        ("round(n / 3, 2)", Type::Number),
        ("n / u", Type::Float),
        ("n + f", Type::Float),
        ("f == n and f < n", Type::Bool),
        ("log10(n)", Type::Float),
        ("max(1, n, -2)", Type::Number),
    ] {
        assert_eq!(check(text), Ok(found), "{text}");
    }
}

#[test]
fn everything_that_cannot_have_a_value_is_found_at_once() {
    use EvaluationErrorKind as Kind;
    let type_error = |expected, found| Kind::Type { expected, found };
    let cases: [(&str, Vec<(&str, Kind)>); 9] = [
        (
            "n + t * b",
            vec![
                ("t", type_error(Type::Number, Type::Text)),
                ("b", type_error(Type::Number, Type::Bool)),
            ],
        ),
        (
            "n and not t",
            vec![
                ("n", type_error(Type::Bool, Type::Number)),
                ("t", type_error(Type::Bool, Type::Text)),
            ],
        ),
        ("t < u", vec![("t < u", Kind::Comparison(Type::Text, Type::Unknown))]),
        ("n == t", vec![("n == t", Kind::Comparison(Type::Number, Type::Text))]),
        ("n / (2 - 2)", vec![("(2 - 2)", Kind::DivisionByZero)]),
        ("n % 0 + u / 0.00", vec![("0", Kind::DivisionByZero), ("0.00", Kind::DivisionByZero)]),
        ("n + 1 / 0", vec![("1 / 0", Kind::DivisionByZero)]),
        (
            "u or sqrt(-1) > bit(1, 70)",
            vec![
                ("sqrt(-1)", Kind::NegativeRoot),
                ("bit(1, 70)", Kind::BitNumber),
                ("sqrt(-1) > bit(1, 70)", Kind::Comparison(Type::Number, Type::Bool)),
            ],
        ),
        ("abs(b)", vec![("b", type_error(Type::Number, Type::Bool))]),
    ];
    for (text, errors) in cases {
        let errors: Vec<_> =
            errors.into_iter().map(|(place, kind)| (place.to_owned(), kind)).collect();
        assert_eq!(check(text), Err(errors), "{text}");
    }
}

// ---- in a spec

#[test]
fn a_spec_is_refused_for_what_its_expressions_can_never_be() {
    let spec = "\
spec: expressions
title: expressions that cannot be
vars: { nominal: 230 }
devices:
  d:
    link: tcp://127.0.0.1:1502
    unit_id: 1
    points:
      a: { holding: 0 }
      f: { holding: 1, type: f32 }
      mode: { holding: 4, values: { 0: idle, 1: run } }
tests:
  - test: refused
    steps:
      - { compute: d.a + d.mode, equals: 3 }
      - { compute: d.a / (2 - 2), max: 1 }
      - { compute: d.f * 2, equals: 1 }
      - { compute: d.mode, equals: running }
      - { compute: d.a * 2, valid: true }
      - { compute: arbs(d.a), max: 1 }
      - { compute: nominal + 1, max: 1 }
  - test: accepted
    steps:
      - { compute: d.a + d.f, max: 1, valid: true }
      - { compute: d.mode, equals: run }
      - { compute: d.a > nominal, equals: true }
";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec).unwrap();
    let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_passline"));
    let output = check.arg("check").arg(&file).output().unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for (error, column) in [
        ("expected a number, found a text", "15:26"),
        ("division by zero", "16:26"),
        ("`equals` on a float needs a `tolerance`", "17:29"),
        ("`running` is no label of this point", "18:36"),
        ("`valid` cannot fail", "19:29"),
        ("unknown function `arbs`", "20:20"),
        ("this expression reads no point", "21:20"),
    ] {
        let found = shown.split_once(error);
        let (_, behind) = found.unwrap_or_else(|| panic!("{error} is not in:\n{shown}"));
        let place = behind.split_once("-->").unwrap().1.lines().next().unwrap();
        assert!(place.ends_with(column), "{error} at {place}");
    }
    assert!(shown.contains("did you mean `abs`?"), "{shown}");
    assert!(shown.contains("7 errors") && output.status.code() == Some(1), "{shown}");
}

// ---- a second opinion: trees of whole numbers, written and computed here

#[derive(Debug, Clone)]
enum Tree {
    Number(i64),
    Truth(bool),
    Negative(Box<Tree>),
    Not(Box<Tree>),
    Binary(&'static str, Box<Tree>, Box<Tree>),
}

/// The operators by level, the loosest first.
const LEVELS: [&[&str]; 4] = [&["or"], &["and"], &["==", "!=", "<", "<=", ">", ">="], &["+", "-"]];

impl Tree {
    fn level(&self) -> usize {
        match self {
            Tree::Binary(operator, ..) => {
                let level = LEVELS.iter().position(|level| level.contains(operator));
                // `not` stands between `and` and the comparisons.
                level.map_or(5, |level| if level < 2 { level } else { level + 1 })
            }
            Tree::Not(_) => 2,
            Tree::Negative(_) => 6,
            Tree::Number(_) | Tree::Truth(_) => 7,
        }
    }

    /// As text, with parentheses only where the grammar needs them.
    fn text(&self) -> String {
        let within = |tree: &Tree, level: usize| {
            if tree.level() < level { format!("({})", tree.text()) } else { tree.text() }
        };
        match self {
            Tree::Number(number) => number.to_string(),
            Tree::Truth(truth) => truth.to_string(),
            Tree::Negative(inner) => format!("-{}", within(inner, 6)),
            Tree::Not(inner) => format!("not {}", within(inner, 2)),
            Tree::Binary(operator, left, right) => {
                let level = self.level();
                let comparison = usize::from(level == 3);
                let (left, right) = (within(left, level + comparison), within(right, level + 1));
                format!("{left} {operator} {right}")
            }
        }
    }

    /// A whole number, a truth, or nothing.
    fn value(&self) -> Option<Result<i128, bool>> {
        let of = |tree: &Tree| tree.value();
        Some(match self {
            Tree::Number(number) => Ok(i128::from(*number)),
            Tree::Truth(truth) => Err(*truth),
            Tree::Negative(inner) => Ok(-of(inner)?.ok()?),
            Tree::Not(inner) => Err(!of(inner)?.err()?),
            Tree::Binary("and", left, right) => Err(of(left)?.err()? && of(right)?.err()?),
            Tree::Binary("or", left, right) => Err(of(left)?.err()? || of(right)?.err()?),
            Tree::Binary("==", left, right) => match (of(left)?, of(right)?) {
                (Ok(left), Ok(right)) => Err(left == right),
                (Err(left), Err(right)) => Err(left == right),
                _ => return None,
            },
            Tree::Binary("!=", left, right) => match (of(left)?, of(right)?) {
                (Ok(left), Ok(right)) => Err(left != right),
                (Err(left), Err(right)) => Err(left != right),
                _ => return None,
            },
            Tree::Binary(operator, left, right) => {
                let (left, right) = (of(left)?.ok()?, of(right)?.ok()?);
                match *operator {
                    "<" => Err(left < right),
                    "<=" => Err(left <= right),
                    ">" => Err(left > right),
                    ">=" => Err(left >= right),
                    "+" => Ok(left.checked_add(right)?),
                    "-" => Ok(left.checked_sub(right)?),
                    "*" => Ok(left.checked_mul(right)?),
                    "/" => Ok((right != 0 && left % right == 0).then(|| left / right)?),
                    "%" => Ok(left.checked_rem(right)?),
                    _ => return None,
                }
            }
        })
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => (0..20_i64).prop_map(Tree::Number),
        1 => any::<bool>().prop_map(Tree::Truth),
    ];
    leaf.prop_recursive(6, 40, 2, |inner| {
        let operators = prop::sample::select(vec![
            "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%",
        ]);
        prop_oneof![
            1 => inner.clone().prop_map(|tree| Tree::Negative(Box::new(tree))),
            1 => inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            6 => (operators, inner.clone(), inner).prop_map(|(operator, left, right)| {
                Tree::Binary(operator, Box::new(left), Box::new(right))
            }),
        ]
    })
}

/// Pieces of the language in any order, and plain noise.
fn noise() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "1",
        "0",
        "0.5",
        "1e3",
        "0x1F",
        "'idle'",
        "meter.v",
        "meter.nan",
        "relay",
        "mode",
        "id",
        "min",
        "nothing",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        ",",
        "==",
        "!=",
        "<",
        ">=",
        "and",
        "or",
        "not",
        "true",
        "abs(",
        "min(",
        "round(",
        "sqrt(",
        "log10(",
        "bit(",
        "1e300",
        "ä",
        "'",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.join(" ")), ".{0,30}",]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whole_numbers_agree_with_a_second_opinion(tree in trees()) {
        let text = tree.text();
        let expression = parse(&text);
        if let Some(value) = tree.value() {
            let expected = match value {
                Ok(number) => Value::Number(Decimal::from(number)),
                Err(truth) => Value::Bool(truth),
            };
            prop_assert_eq!(expression.evaluate(|_| None), Ok(expected), "{}", text);
        }
    }

    #[test]
    fn what_is_written_reads_back(tree in trees(), noise in noise()) {
        for text in [tree.text(), noise] {
            if let Ok(expression) = text.parse::<Expression>() {
                let written = expression.to_string();
                prop_assert_eq!(&parse(&written), &expression, "{} as {}", text, written);
                prop_assert_eq!(parse(&written).to_string(), written);
            }
        }
    }

    /// Whatever the text: no panic, places within it, and what is checked has a value of that type.
    #[test]
    fn any_text_is_parsed_checked_and_evaluated(text in noise()) {
        let expression = match text.parse::<Expression>() {
            Ok(expression) => expression,
            Err(error) => {
                prop_assert!(text.get(error.span).is_some());
                return Ok(());
            }
        };
        let value = expression.evaluate(resolve);
        let type_of = |name: &str| resolve(name).map_or(Type::Unknown, |value| Type::of(&value));
        let checked = expression.check(type_of);
        match (&value, &checked) {
            (Ok(value), Ok(found)) => {
                prop_assert!(*found == Type::of(value) || *found == Type::Unknown);
            }
            (Err(error), Ok(_)) => {
                let typed = matches!(error.kind, EvaluationErrorKind::Type { .. });
                prop_assert!(!typed, "{} passed the check: {}", text, error);
                prop_assert!(text.get(error.span.clone()).is_some());
            }
            (_, Err(errors)) => prop_assert!(!errors.is_empty()),
        }
    }
}
