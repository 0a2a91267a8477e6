//! Variables: inserted, typed, layered, and given from outside.

use std::collections::BTreeMap;

use passline::language::decode::Context;
use passline::language::diagnostic::Diagnostics;
use passline::language::variables::{Inserted, NotInserted, Scalar, Variable, Variables};

use super::Parsed;

const VARS: &str = "vars: { nominal: 230, fw: 1.10, phase: l1, wide: true, pause: 500ms }";

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Declares [`VARS`] and decodes the key `x` of `text` after it.
fn with_vars<T>(
    text: &str,
    decode: impl FnOnce(Context<'_>, passline::language::yaml::Node<'_>) -> T,
) -> (T, Vec<String>) {
    let parsed = Parsed::of(format!("{VARS}\n{text}\n"));
    let variables = Variables::new(given(&[("HOST", "10.0.0.1")])).declare(
        Some(parsed.value("vars")),
        &BTreeMap::new(),
        &parsed.diagnostics,
    );
    let decoded = decode(Context::new(&parsed.diagnostics, &variables), parsed.value("x"));
    (decoded, parsed.messages())
}

#[test]
fn a_variable_alone_keeps_its_type_and_in_a_text_is_text() {
    let number = with_vars("x: $(nominal)", |c, x| c.number(x).unwrap().value.to_string());
    assert_eq!(number, ("230".to_owned(), vec![]));
    assert_eq!(with_vars("x: \"$(nominal)\"", |c, x| c.number(x).is_some()), (true, vec![]));
    assert_eq!(with_vars("x: $(wide)", |c, x| c.boolean(x).unwrap().value), (true, vec![]));
    assert_eq!(
        with_vars("x: $(pause)", |c, x| c.duration(x).unwrap().value.as_millis()),
        (500, vec![])
    );
    let text = |source: &str| with_vars(source, |c, x| c.text(x).map(|text| text.value));
    assert_eq!(text("x: meter.voltage_$(phase)"), (Some("meter.voltage_l1".to_owned()), vec![]));
    assert_eq!(text("x: $(nominal)"), (Some("230".to_owned()), vec![]));
    assert_eq!(
        text("x: v$(fw)-$(fw)"),
        (Some("v1.10-1.10".to_owned()), vec![]),
        "as it was written"
    );
    assert_eq!(text("x: $(fw)"), (Some("1.10".to_owned()), vec![]));
    assert_eq!(text("x: tcp://$(env.HOST):502"), (Some("tcp://10.0.0.1:502".to_owned()), vec![]));
    let expression = with_vars("x: = meter.v_$(phase) * 2", |c, x| c.expression(x).unwrap().value);
    assert_eq!(expression, ("meter.v_l1 * 2".to_owned(), vec![]));
}

#[test]
fn a_dollar_before_a_parenthesis_is_written_twice() {
    let text = |source: &str| with_vars(&format!("x: '{source}'"), |c, x| c.text(x).unwrap().value);
    for (source, inserted) in [
        ("$$(phase)", "$(phase)"),
        ("$$$(phase)", "$l1"),
        ("$$$$(phase)", "$$(phase)"),
        ("a $ b $$ c ( $x", "a $ b $$ c ( $x"),
        ("^a$|b$", "^a$|b$"),
        ("$(phase)$(phase)", "l1l1"),
        ("$$($(phase))", "$(l1)"),
        ("$(phase) $$(x", "l1 $(x"),
    ] {
        assert_eq!(text(source), (inserted.to_owned(), vec![]), "{source}");
    }
}

#[test]
fn variables_that_cannot_be_inserted_are_reported_at_their_place() {
    let said = |source: &str| with_vars(source, |c, x| assert_eq!(c.text(x), None)).1;
    assert_eq!(said("x: ab$(phaes)"), ["2:6 there is no variable `phaes`"]);
    assert_eq!(said("x: 'ab$(nope'"), ["2:7 this `$(` has no `)`"]);
    assert_eq!(said("x: $()"), ["2:4 `` is no name of a variable"]);
    assert_eq!(said("x: $(a b)"), ["2:4 `a b` is no name of a variable"]);
    assert_eq!(said("x: $($(phase))"), ["2:4 `$(phase` is no name of a variable"]);
    assert_eq!(said("x: $(env.NOPE)"), ["2:4 the environment has no variable `NOPE`"]);
    assert_eq!(
        said("x: $(HOST)"),
        ["2:4 there is no variable `HOST`"],
        "the environment only by env."
    );
    let none = Variables::new(BTreeMap::new());
    let unknown =
        none.within(BTreeMap::from([("phase".to_owned(), Variable::from(Scalar::Bool(true)))]));
    let (error, bytes) = unknown.insert("$(phaes)").unwrap_err();
    assert_eq!((error.remedy(), bytes), ("did you mean `phase`?".to_owned(), 0..8));
}

#[test]
fn a_variable_of_the_wrong_type_is_refused() {
    let said = |source: &str| with_vars(source, |c, x| assert_eq!(c.number(x), None)).1;
    assert_eq!(said("x: $(phase)"), ["2:4 a number is needed here, and this is the text `l1`"]);
    assert_eq!(said("x: $(wide)"), ["2:4 a number is needed here, and this is `true`"]);
    assert_eq!(
        said("x: -$(nominal)"),
        ["2:4 a number is needed here, and this is the text `-230`"]
    );
    let said = with_vars("x: $(nominal)", |c, x| assert_eq!(c.boolean(x), None)).1;
    assert_eq!(said, ["2:4 `true` or `false` is needed here, and this is the number `230`"]);
}

#[test]
fn keys_take_variables_too() {
    let keys = with_vars("x: { relay_$(phase): 1 }", |c, x| c.map(x).remove(0).key.value);
    assert_eq!(keys, ("relay_l1".to_owned(), vec![]));
    let (entries, said) = with_vars("x: { l1: 1, $(phase): 2 }", |c, x| c.map(x).len());
    assert_eq!(
        (entries, said),
        (1, vec!["2:13 `l1` is given twice".to_owned()]),
        "only now are they the same"
    );
}

#[test]
fn an_inner_layer_hides_an_outer_one() {
    let layer = |pairs: &[(&str, &str)]| -> BTreeMap<String, Variable> {
        given(pairs)
            .into_iter()
            .map(|(name, value)| (name, Variable::from(Scalar::Text(value))))
            .collect()
    };
    let environment = Variables::new(given(&[("X", "env")]));
    let outer = environment.within(layer(&[("a", "1"), ("b", "2")]));
    let inner = outer.within(layer(&[("b", "3")]));
    assert_eq!(inner.insert("$(a)$(b)$(env.X)"), Ok(Inserted::Text("13env".to_owned())));
    assert_eq!(outer.insert("$(a)$(b)"), Ok(Inserted::Text("12".to_owned())));
    assert_eq!(inner.all().keys().copied().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn defaults_use_what_stands_above_them_and_are_replaced_by_what_is_given() {
    let declare = |vars: &str, pairs: &[(&str, &str)]| {
        let parsed = Parsed::of(vars);
        let variables = Variables::new(BTreeMap::new()).declare(
            Some(parsed.root()),
            &given(pairs),
            &parsed.diagnostics,
        );
        let all: Vec<String> = variables
            .all()
            .into_iter()
            .map(|(name, variable)| format!("{name}={}", variable.text))
            .collect();
        (all.join(" "), parsed.messages())
    };
    let vars = "a: 1\nb: x$(a)\nc: $(a)\nt: text\nf: false\n";
    assert_eq!(declare(vars, &[]), ("a=1 b=x1 c=1 f=false t=text".to_owned(), vec![]));
    assert_eq!(
        declare(vars, &[("a", "2.50"), ("f", "true"), ("t", "010")]),
        ("a=2.50 b=x2.50 c=2.50 f=true t=010".to_owned(), vec![])
    );
    assert_eq!(declare("b: $(a)\na: 1\n", &[]).1, ["1:4 there is no variable `a`"]);
    for (name, text, said) in [
        ("a", "abc", "--var a=abc: a number is needed, as its default 1 is"),
        ("a", "010", "--var a=010: a number is needed, as its default 1 is"),
        ("a", "'5'", "--var a='5': a number is needed, as its default 1 is"),
        ("a", "", "--var a=: a number is needed, as its default 1 is"),
        ("f", "yes", "--var f=yes: a truth value is needed, as its default false is"),
        ("nope", "1", "--var nope: the spec has no such variable"),
    ] {
        assert_eq!(declare(vars, &[(name, text)]).1, [said]);
    }
    assert_eq!(declare("a-b: 1\nc: [1]\nd:\n", &[]).1.len(), 3);
    let diagnostics = Diagnostics::new();
    let _ = Variables::new(BTreeMap::new()).declare(None, &given(&[("x", "1")]), &diagnostics);
    assert!(diagnostics.has_errors(), "a variable that nobody declares");
}

#[test]
fn values_that_are_not_finite_are_values() {
    let diagnostics = Diagnostics::new();
    let variables = Variables::new(BTreeMap::new());
    let context = Context::new(&diagnostics, &variables);
    for (text, shown) in [(".nan", ".nan"), (".inf", ".inf"), ("-.inf", "-.inf")] {
        let parsed = Parsed::of(text);
        let value = context.scalar(parsed.root()).unwrap().value;
        assert_eq!(value.to_string(), shown);
        assert!(matches!(value, Scalar::NotFinite(_)));
    }
    assert_eq!(NotInserted::Unclosed.to_string(), "this `$(` has no `)`");
}
