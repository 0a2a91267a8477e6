//! The table of refused specs.

use super::{Refused, all_are_refused};

/// A whole spec.
fn whole(spec: &str, says: &[&'static str]) -> Refused {
    Refused { files: vec![("spec.yaml", spec.to_owned())], says: says.to_vec() }
}

/// A spec with one test of these steps, on a device with one point of most types.
fn steps(steps: &str, says: &[&'static str]) -> Refused {
    whole(
        &format!(
            "\
spec: refused
vars: {{ lowest: 5, word: abc }}
devices:
  d:
    link: tcp://127.0.0.1:502
    unit_id: 1
    points:
      u16: {{ holding: 0 }}
      i16: {{ holding: 1, type: i16 }}
      tenth: {{ holding: 2, scale: 0.1, unit: V }}
      f32: {{ input: 0, type: f32 }}
      text: {{ holding: 10, type: string, length: 4 }}
      coil: {{ coil: 0 }}
      mode: {{ holding: 20, values: {{ 0: idle, 1: run }} }}
      status: {{ holding: 21, bits: {{ ready: 3, code: 4..6 }} }}
      order: {{ holding: 22, access: write }}
      maybe: {{ holding: 23, invalid: 0xFFFF }}
tests:
  - test: t
    steps:
      - {steps}
"
        ),
        says,
    )
}

/// A spec whose device has this line among its points.
fn point(line: &str, says: &[&'static str]) -> Refused {
    device(&format!("points:\n      p: {{ holding: 0 }}\n      {line}"), says)
}

/// A spec with this among its device's keys.
fn device(lines: &str, says: &[&'static str]) -> Refused {
    whole(
        &format!(
            "\
spec: refused
devices:
  d:
    {lines}
tests:
  - test: t
    steps:
      - {{ read: d.p, equals: 1 }}
"
        ),
        says,
    )
}

/// A spec whose device has only this profile.
fn profile(text: &str, says: &[&'static str]) -> Refused {
    let spec = "\
spec: refused
devices: { d: { profile: p.yaml } }
tests: [{ test: t, steps: [{ read: d.p, equals: 1 }] }]
";
    let files = vec![("spec.yaml", spec.to_owned()), ("p.yaml", text.to_owned())];
    Refused { files, says: says.to_vec() }
}

/// A spec with this after its device and its test.
fn beside(lines: &str, says: &[&'static str]) -> Refused {
    whole(
        &format!(
            "\
spec: refused
devices: {{ d: {{ points: {{ p: {{ holding: 0 }}, w: {{ holding: 1, access: write }} }} }} }}
tests: [{{ test: t, steps: [{{ read: d.p, equals: 1 }}] }}]
{lines}
"
        ),
        says,
    )
}

#[test]
fn writes_that_cannot_be_made() {
    all_are_refused(&[
        steps("write: ⟦{}⟧", &["this writes nothing"]),
        steps("write: ⟦1⟧", &["a mapping"]),
        steps("write: { ⟦u16⟧: 1 }", &["names no point"]),
        steps("write: { ⟦e⟧.u16: 1 }", &["no device `e`"]),
        steps("write: { d.⟦u17⟧: 1 }", &["no point `u17`"]),
        steps("write: { d.u16⟦:⟧ }", &["no value here"]),
        steps("write: { ⟦d.f32⟧: 1 }", &["it is in the table `input`"]),
        steps("write: { d.u16: ⟦65536⟧ }", &["the type holds 0 to 65535"]),
        steps("write: { d.u16: ⟦1.5⟧ }", &["the nearest is 2"]),
        steps("{ write: { d.u16: ⟦65536.4⟧ }, round: true }", &["holds 0 to 65535"]),
        steps("write: { d.tenth: ⟦0.05⟧ }", &["the nearest is 0.1"]),
        steps("write: { d.u16: ⟦text⟧ }", &["it takes a number"]),
        steps("write: { d.u16: ⟦.nan⟧ }", &["not a finite number"]),
        steps("write: { d.maybe: ⟦0xFFFF⟧ }", &["there is no value"]),
        steps("write: { d.text: ⟦much too long⟧ }", &["do not fit"]),
        steps("write: { d.mode: ⟦1⟧ }", &["it takes a label"]),
        steps("write: { d.status.code: ⟦8⟧ }", &["0 to 7"]),
        steps("write: { d.u16: = ⟦d.coil⟧ }", &["takes a number, and this is true or false"]),
        steps("write: { d.u16: = d.u16 + d.⟦nothing⟧ }", &["no point `nothing`"]),
        steps("write: { d.u16: = d.u16 +⟦⟧ }", &["expected a number"]),
        steps("{ write: { ⟦d.order⟧: 1 }, verify: true }", &["cannot be read, as `verify` would"]),
        steps(
            "{ write: { ⟦d.order⟧: 1 }, restore: true }",
            &["cannot be read, as `restore` would"],
        ),
        steps("{ write: { d.u16: 1, d.tenth: 1 }, ⟦together⟧: true }", &["something else"]),
        steps("{ write: { ⟦d.u16⟧: 1 }, broadcast: true }", &["nobody listens to all"]),
        steps("{ write: { d.u16: 1 }, exception: 2, ⟦verify⟧: true }", &["kind of answer"]),
        steps("{ write: { d.u16: 1 }, ⟦max⟧: 1 }", &["`max` has nothing to do with a `write`"]),
        steps("{ write: { d.u16: 1 }, verify: true, ⟦rond⟧: true }", &["`rond` is no key"]),
        steps("{ write: { d.u16: 1 }, verify: ⟦yes⟧ }", &["`true` or `false`"]),
        steps("{ write: { d.u16: 1 }, ⟦save⟧: it }", &["`save` has nothing to do"]),
        steps("write: ⟦{ device: d, input: 3, value: 1 }⟧", &["cannot be written"]),
        steps("write: ⟦{ device: d, value: 1 }⟧", &["not said where"]),
        steps("write: ⟦{ device: d, holding: 3 }⟧", &["`value`"]),
        steps(
            "{ write: { device: d, holding: 3, value: 1, ⟦vale⟧: 1 }, verify: true }",
            &["`vale` is no key"],
        ),
    ]);
}

#[test]
fn ranges_that_are_left_and_devices_that_cannot_be_kept_alive() {
    let alive = |keep: &str, says: &[&'static str]| {
        device(&format!("points:\n      p: {{ holding: 0 }}\n    keep_alive: {keep}"), says)
    };
    all_are_refused(&[
        whole(
            "\
spec: refused
devices: { d: { points: { p: { holding: 0, range: { min: 5, max: 9 } } } } }
tests:
  - test: t
    steps: [{ read: d.p, equals: 1 }, { write: { d.p: ⟦4⟧ } }]
",
            &["4 is not within what may be written to `d.p`: 5 to 9"],
        ),
        whole(
            "\
spec: refused
devices: { d: { write_function: single, points: { p: { holding: 0, type: u32 } } } }
tests:
  - test: t
    steps: [{ read: d.p, equals: 1 }, { write: { ⟦d.p⟧: 4 } }]
",
            &["function 06 writes one register, these are 2"],
        ),
        whole(
            "\
spec: refused
devices: { d: { points: { p: { holding: 0 } } } }
tests: [{ test: ⟦t⟧, steps: [{ write: { d.p: 4 } }] }]
",
            &["test `t` checks nothing and records nothing"],
        ),
        alive("⟦{ every: 1s }⟧", &["`write`"]),
        alive("⟦{ write: { p: 1 } }⟧", &["`every`"]),
        alive("{ write: { p: 1 }, every: ⟦0s⟧ }", &["all the time"]),
        alive("{ write: ⟦{}⟧, every: 1s }", &["writes nothing"]),
        alive("{ write: { ⟦q⟧: 1 }, every: 1s }", &["no point `q`"]),
        alive("{ write: { p: ⟦-1⟧ }, every: 1s }", &["0 to 65535"]),
        alive("{ write: { p: 1 }, every: 1s, misses: ⟦-1⟧ }", &["0..=1000"]),
        alive("{ write: { p: 1 }, ⟦evry⟧: 1s, every: 1s }", &["`evry` is no key"]),
    ]);
}

#[test]
fn limits_that_decide_nothing() {
    all_are_refused(&[
        steps("⟦read: d.u16⟧", &["this check has no limit, so it cannot fail"]),
        steps("⟦compute: d.u16 + 1⟧", &["this check has no limit, so it cannot fail"]),
        steps("{ read: d.u16, ⟦record⟧: false }", &["`record: false` is no limit"]),
        steps("{ read: d.u16, ⟦min⟧: 0 }", &["cannot fail"]),
        steps("{ read: d.u16, ⟦max⟧: 65535 }", &["cannot fail"]),
        steps("{ read: d.u16, ⟦above⟧: -1 }", &["cannot fail"]),
        steps("{ read: d.u16, ⟦not⟧: 70000 }", &["cannot fail"]),
        steps("{ read: d.i16, ⟦min⟧: -32768, max: 32767 }", &["cannot fail"]),
        steps("{ read: d.tenth, ⟦max⟧: 6553.5 }", &["cannot fail"]),
        steps("{ read: d.f32, ⟦min⟧: -3.5e38, max: 3.5e38 }", &["cannot fail"]),
        steps("{ read: d.text, ⟦matches⟧: '.*' }", &["cannot fail"]),
        steps("{ read: d.mode, ⟦one_of⟧: [idle, run] }", &["cannot fail"]),
        steps("{ read: d.coil, ⟦one_of⟧: [true, false] }", &["cannot fail"]),
        steps("{ read: d.status.code, ⟦max⟧: 7 }", &["cannot fail"]),
        steps("{ read: d.u16, ⟦valid⟧: true }", &["valid"]),
        steps("{ read: d.u16, ⟦min⟧: 70000 }", &["cannot pass"]),
        steps("{ read: d.u16, ⟦below⟧: 0 }", &["cannot pass"]),
        steps("{ read: d.u16, ⟦equals⟧: 0.5 }", &["cannot pass"]),
        steps("{ read: d.tenth, ⟦equals⟧: 0.05 }", &["cannot pass"]),
        steps("{ read: d.u16, ⟦min⟧: 9, max: 3 }", &["no number is within"]),
        steps("{ read: d.u16, ⟦above⟧: 3, below: 4 }", &["cannot pass"]),
        steps("{ read: d.text, ⟦equals⟧: 'much too long' }", &["cannot pass"]),
        steps("{ read: d.u16, ⟦equals⟧: 1, not: 1 }", &["cannot pass"]),
    ]);
}

#[test]
fn limits_of_the_wrong_type_or_form() {
    all_are_refused(&[
        steps("{ read: d.u16, equals: ⟦\"1\"⟧ }", &["number"]),
        steps("{ read: d.u16, min: ⟦\"1\"⟧ }", &["number"]),
        steps("{ read: d.u16, min: ⟦low⟧ }", &["number"]),
        // What is constant beside an expression is looked at, too.
        steps("{ read: d.u16, max: \"= d.u16 + 1\", min: ⟦low⟧ }", &["number"]),
        steps("{ read: d.text, equals: \"= d.text\", matches: '⟦[⟧' }", &["regular expression"]),
        steps("{ read: d.u16, equals: ⟦true⟧ }", &["number"]),
        steps("{ read: d.coil, equals: ⟦1⟧ }", &["`true` or `false`"]),
        steps("{ read: d.coil, equals: ⟦no⟧ }", &["`true` or `false`"]),
        steps("{ read: d.text, ⟦min⟧: 3 }", &["`min` needs a number"]),
        steps("{ read: d.text, equals: ⟦5⟧ }", &["text"]),
        steps("{ read: d.mode, equals: ⟦runs⟧ }", &["no label"]),
        steps("{ read: d.u16, ⟦matches⟧: x }", &["`matches` needs a text"]),
        steps("{ read: d.text, matches: '⟦[⟧' }", &["regular expression"]),
        steps("{ read: d.f32, ⟦equals⟧: 1.5 }", &["tolerance"]),
        steps("{ read: d.u16, ⟦nominal⟧: 5 }", &["tolerance"]),
        steps("{ read: d.u16, ⟦tolerance⟧: 5 }", &["the one value"]),
        steps("{ read: d.u16, nominal: 5, tolerance: ⟦-1⟧ }", &["negative"]),
        steps("{ read: d.u16, nominal: 0, ⟦tolerance⟧: 5% }", &["percentage of zero"]),
        steps("{ read: d.u16, nominal: 5, tolerance: ⟦wide⟧ }", &["tolerance"]),
        steps("{ read: d.u16, ⟦one_of⟧: [] }", &["needs values"]),
        steps("{ read: d.status, bits: { set: [⟦raedy⟧] } }", &["no bit"]),
        steps("{ read: d.status, bits: { set: [⟦77⟧] } }", &["0..=15"]),
        steps("{ read: d.text, at_least: ⟦one.two⟧ }", &["version"]),
        steps("{ read: d.u16, exception: ⟦ilegal_data_address⟧ }", &["no name of an exception"]),
        steps("{ read: d.u16, exception: ⟦0⟧ }", &["1..=255"]),
        steps("{ read: d.u16, ⟦answers⟧: true, min: 3 }", &["contradict"]),
        steps("{ read: d.u16, ⟦exception⟧: 2, max: 3 }", &["contradict"]),
        steps("{ read: d.u16, ⟦record⟧: true, max: 3 }", &["contradict"]),
        steps("{ read: d.u16, equals: ⟦.nan⟧ }", &["number"]),
        steps("{ read: d.u16, max: ⟦.inf⟧ }", &["number"]),
        steps("{ read: d.u16, max: 5, ⟦maxx⟧: 5 }", &["`maxx` is no key"]),
        steps("{ read: d.u16, min: 5, ⟦marginal⟧: { min: 3 } }", &["marginal"]),
        steps(
            "{ read: d.u16, max: 5, ⟦uncertainty⟧: { expanded: 1 } }",
            &["an `uncertainty` needs a `decision`"],
        ),
        steps("{ read: d.u16, max: 5, ⟦decision⟧: guarded }", &["needs an `uncertainty`"]),
        steps("{ read: d.u16, max: 5, decision: ⟦guard⟧ }", &["`guard` is not possible here"]),
        steps("{ read: d.u16, max: 5, ⟦decison⟧: simple }", &["`decison` is no key"]),
        steps(
            "{ read: d.u16, max: 5, uncertainty: { expanded: 1, ⟦kk⟧: 2 }, decision: guarded }",
            &["`kk` is no key of this uncertainty"],
        ),
        steps(
            "{ read: d.u16, max: 5, uncertainty: { expanded: ⟦much⟧ }, decision: guarded }",
            &["number"],
        ),
        steps("{ read: d.u16, equals: 5, ⟦decision⟧: simple }", &["`equals` has no bounds"]),
        steps("{ read: d.u16, max: ⟦1_000⟧ }", &["number"]),
        steps("{ read: d.u16, max: 1,⟦5⟧ }", &["`5` is no key"]),
        steps("{ read: d.u16, max: ⟦010⟧ }", &["zero"]),
    ]);
}

/// A spec with this table, and the file that it names.
fn table(lines: &str, csv: &str, says: &[&'static str]) -> Refused {
    let spec = format!(
        "\
spec: refused
vars: {{ type: A }}
tables:
  t: {lines}
devices: {{ d: {{ points: {{ p: {{ holding: 0 }} }} }} }}
tests:
  - test: t
    steps:
      - {{ read: d.p, max: 5 }}
"
    );
    let files = vec![("spec.yaml", spec), ("t.csv", csv.to_owned())];
    Refused { files, says: says.to_vec() }
}

#[test]
fn tables_that_bring_no_row() {
    const ROW: &str = "{ file: t.csv, where: { type: $(type) } }";
    const GOOD: &str = "type,max\nA,5\n";
    all_are_refused(&[
        table("{ file: ⟦no.csv⟧, where: { type: A } }", GOOD, &["there is no such file"]),
        table("{ file: t.csv, where: { ⟦typ⟧: A } }", GOOD, &["t.csv has no column `typ`"]),
        table("{ file: t.csv, ⟦where⟧: { type: B } }", GOOD, &["no row of t.csv has type `B`"]),
        table("{ file: t.csv, ⟦where⟧: { type: a } }", GOOD, &["no row of t.csv has type `a`"]),
        table("{ file: t.csv, ⟦where⟧: {} }", GOOD, &["`where` names no column"]),
        table("⟦{ file: t.csv }⟧", GOOD, &["`where` is missing"]),
        table("{ ⟦fil⟧: t.csv, file: t.csv, where: { type: A } }", GOOD, &["`fil` is no key"]),
        table("⟦t.csv⟧", GOOD, &["mapping"]),
        table(ROW, "type,max\nA,5\n⟦A⟧,6\n", &["an earlier row has the same"]),
        table(ROW, "type,max\nA,5\nB,1\n⟦B⟧,6\n", &["an earlier row has the same"]),
        table(ROW, "type,max,⟦max⟧\nA,5,6\n", &["the column `max` is there twice"]),
        table(ROW, "type,max\n⟦A⟧\n", &["this row has 1 cells, and the header has 2"]),
        table(ROW, "type,max\nA,⟦\"⟧5\n", &["this quoted cell has no end"]),
    ]);
}

#[test]
fn cells_that_are_no_limit() {
    let table = |csv: &str, limits: &str, says: &[&'static str]| {
        let spec = format!(
            "\
spec: refused
tables: {{ t: {{ file: t.csv, where: {{ type: A }} }} }}
devices: {{ d: {{ points: {{ p: {{ holding: 0 }} }} }} }}
tests: [{{ test: t, steps: [{{ read: d.p, {limits} }}] }}]
"
        );
        let files = vec![("spec.yaml", spec), ("t.csv", csv.to_owned())];
        Refused { files, says: says.to_vec() }
    };
    all_are_refused(&[
        table(
            "type,max\nA,\n",
            "max: ⟦$(t.max)⟧",
            &["`t.max` is empty: there is nothing at t.csv:2:3"],
        ),
        table("type,max\nA,5\n", "max: ⟦$(t.mx)⟧", &["there is no variable `t.mx`"]),
        table("type,max\nA,5\n", "max: ⟦$(u.max)⟧", &["there is no variable `u.max`"]),
        table("type,max\nA,5 V\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,\"5,1\"\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,05\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,nan\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,.nan\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,= d.p\n", "max: ⟦$(t.max)⟧", &["a number is needed here"]),
        table("type,max\nA,70000\n", "⟦max⟧: $(t.max)", &["this check cannot fail"]),
    ]);
}

#[test]
fn names_that_nothing_has() {
    all_are_refused(&[
        steps("{ read: d.⟦u61⟧, equals: 1 }", &["`d` has no point `u61`"]),
        steps("{ read: ⟦e⟧.u16, equals: 1 }", &["there is no device `e`"]),
        steps("{ read: ⟦u16⟧, equals: 1 }", &["names no point"]),
        steps("{ read: d.⟦status.raedy⟧, equals: true }", &["no point"]),
        steps("{ read: ⟦d.order⟧, equals: 1 }", &["cannot be read"]),
        steps("{ read: [d.u16, d.⟦x⟧], equals: 1 }", &["no point"]),
        steps("{ read: ⟦[]⟧, equals: 1 }", &["names no point"]),
        steps("{ compute: d.u16 + ⟦e⟧.p, equals: 1 }", &["no device"]),
        steps("{ compute: d.u16 + d.⟦u61⟧, equals: 1 }", &["no point"]),
        steps("{ compute: d.u16 + ⟦lowst⟧, equals: 1 }", &["there is no variable `lowst`"]),
        steps("{ read: d.u16, min: ⟦$(lowst)⟧ }", &["there is no variable `lowst`"]),
        steps("{ read: d.u16, min: = d.⟦u61⟧ }", &["no point"]),
        steps("{ read: d.u16, min: ⟦$(word)⟧ }", &["number"]),
        steps(
            "{ read: d.u16, equals: 1, retry: { errors: [⟦timeuot⟧] } }",
            &["no error to repeat"],
        ),
        steps(
            "{ read: d.u16, equals: 1, retry: { errors: [⟦internal⟧] } }",
            &["no error to repeat"],
        ),
        steps("{ compute: d.u16 +⟦⟧ , equals: 1 }", &["expected"]),
        steps("{ compute: (d.u16⟦⟧ , equals: 1 }", &["expected"]),
        steps("{ compute: d.u16 ⟦&⟧ 1, equals: 1 }", &["unexpected"]),
        steps("{ compute: ⟦absolute⟧(d.u16), equals: 1 }", &["unknown function"]),
        steps("{ compute: d.u16 + ⟦d.text⟧, equals: 1 }", &["expected a number"]),
        steps("{ compute: d.u16 / ⟦0⟧, equals: 1 }", &["division by zero"]),
        steps("{ compute: ⟦1 + 1⟧, equals: 1 }", &["reads no point"]),
        steps("{ compute: d.u16 + 1, equals: ⟦true⟧ }", &["number"]),
        steps("{ read: { device: ⟦e⟧, holding: 1 }, equals: 1 }", &["no device"]),
        steps("⟦{ name: nothing }⟧", &["does nothing"]),
        steps("⟦{ read: d.u16, wait: 5s, equals: 1 }⟧", &["2 actions"]),
        steps("{ ⟦raed⟧: d.u16, read: d.u16, equals: 1 }", &["`raed` is no key"]),
        steps("{ wait: 5s, ⟦min⟧: 3 }", &["nothing to do with a `wait`"]),
        steps("{ wait: ⟦5⟧ }", &["unit of time"]),
        steps("{ wait: ⟦5 parsecs⟧ }", &["5 parsecs"]),
        steps("{ read: { device: d, holding: ⟦65536⟧ }, equals: 1 }", &["65535"]),
        steps("{ read: ⟦{ device: d, holding: 65535, count: 2 }⟧, exception: 2 }", &["65535"]),
        steps("{ read: { device: d, holding: 5, count: ⟦2⟧ }, equals: 1 }", &["2 are asked for"]),
        steps("{ read: ⟦{ device: d }⟧, equals: 1 }", &["not said where"]),
        steps("{ run: ⟦[]⟧ }", &["no program"]),
        steps("{ run: ⟦sh⟧ }", &["a list"]),
        steps("{ run: [sh], ⟦max⟧: 3 }", &["without `capture`"]),
        steps("{ run: [sh], exit: ⟦256⟧ }", &["0..=255"]),
        steps("{ run: [sh], capture: '⟦(⟧', max: 3 }", &["unclosed group"]),
        steps("⟦{ run: [sh], capture: x }⟧", &["cannot fail"]),
        steps("{ run: [sh], capture: x, ⟦answers⟧: true }", &["not a kind of answer"]),
        steps("{ run: [sh], capture: 'a(b)', max: 3, simulated: ⟦c⟧ }", &["nothing that it wrote"]),
        steps("{ prompt: '⟦ ⟧' }", &["told nothing"]),
        steps("{ prompt: Done, ask: ⟦confim⟧ }", &["is not possible here"]),
        steps("{ prompt: Done, ⟦save⟧: it }", &["judged by nothing"]),
        steps("{ prompt: Good, ask: pass_fail, ⟦pattern⟧: x }", &["for `ask: text`"]),
        steps("{ prompt: Which, ask: text, pattern: '⟦[⟧', record: true }", &["unclosed"]),
        steps("⟦{ prompt: How much, ask: number }⟧", &["cannot fail"]),
        steps("{ prompt: Good, ask: pass_fail, simulated: ⟦maybe⟧ }", &["this is no answer"]),
        steps(
            "{ read: { device: d, holding: 1, type: ⟦u13⟧ }, equals: 1 }",
            &["not possible here"],
        ),
    ]);
}

#[test]
fn points_that_make_no_sense() {
    all_are_refused(&[
        point("q: ⟦{}⟧", &["not said where"]),
        point("q: ⟦{ holding: 1, coil: 1 }⟧", &["more than one table"]),
        point("q: { holding: ⟦65536⟧ }", &["65535"]),
        point("q: { holding: ⟦-1⟧ }", &["`-1`"]),
        point("q: { ⟦holding⟧: 65535, type: u32 }", &["passes address 65535"]),
        point("q: { holding: 1, type: ⟦u13⟧ }", &["not possible here"]),
        point("q: { holding: 1, type: ⟦string⟧ }", &["needs a `length`"]),
        point("q: { holding: 1, length: ⟦3⟧ }", &["has no `length`"]),
        point("q: { holding: 1, type: string, length: ⟦126⟧ }", &["125"]),
        point("q: { holding: 1, type: string, length: ⟦0⟧ }", &["1..=125"]),
        point("q: { holding: 1, type: f32, order: ⟦ACBD⟧ }", &["no order of bytes"]),
        point("q: { holding: 1, type: f32, ⟦order⟧: AB }", &["does not fit"]),
        point("q: { coil: 1, ⟦type⟧: u16 }", &["one bit"]),
        point("q: { holding: 1, ⟦scale⟧: 0 }", &["scale of 0"]),
        point("q: { holding: 1, scale: ⟦\"0.1\"⟧ }", &["number"]),
        point("q: { holding: 1, type: string, length: 2, ⟦scale⟧: 2 }", &["plain number"]),
        point("q: { holding: 1, ⟦scale_factor⟧: sf }", &["no point `sf`"]),
        point("q: { holding: 1, values: { 0: a, ⟦0⟧: b } }", &["twice"]),
        point("q: { holding: 1, ⟦values⟧: { 70000: a } }", &["cannot be"]),
        point("q: { holding: 1, bits: { a: ⟦16⟧ } }", &["no bit 16"]),
        point("q: { holding: 1, bits: { a: ⟦6..4⟧ } }", &["last bit"]),
        point("q: { holding: 1, bits: { a: ⟦x⟧ } }", &["no bit field"]),
        point("q: { holding: 1, ⟦invalid⟧: 70000 }", &["does not fit"]),
        point("q: { input: 1, ⟦access⟧: write }", &["cannot be written"]),
        point("q: { holding: 1, range: ⟦{ min: 5 }⟧ }", &["`max` is missing"]),
        point("q: { holding: 1, ⟦range⟧: { min: 5, max: 3 } }", &["above its high end"]),
        point("⟦q-r⟧: { holding: 1 }", &["no name"]),
        point("⟦p⟧: { holding: 1 }", &["twice"]),
        point("q: { holding: 1, ⟦sacle⟧: 2 }", &["`sacle` is no key"]),
        point("q: { holding: 1, ⟦unit⟧: }", &["`unit` has no value"]),
        point("q: { holding: 1, unit: ⟦!!str⟧ V }", &["tags"]),
        point("q: { holding: 1, unit: ⟦5⟧ }", &["a text is needed"]),
    ]);
}

#[test]
fn devices_and_links_that_make_no_sense() {
    let p = "points: { p: { holding: 0 } }";
    let with = |lines: &str| format!("{p}\n    {lines}");
    all_are_refused(&[
        device("⟦unit_id: 1⟧", &["has no points"]),
        device(&with("unit_id: 1\n    link: ⟦tcp:/x⟧"), &["no link"]),
        device(&with("unit_id: 1\n    link: ⟦serial://x⟧"), &["unknown scheme"]),
        device(&with("unit_id: 1\n    link: ⟦tcp://h:99999⟧"), &["no port"]),
        device(&with("unit_id: 1\n    link: ⟦tcp://h?in_flght=2⟧"), &["unknown option"]),
        device(&with("unit_id: 1\n    link: ⟦tcp://h?in_flight=17⟧"), &["takes"]),
        device(&with("unit_id: 1\n    link: ⟦rtu://ttyUSB0⟧"), &["write its whole path"]),
        device(&with("unit_id: 1\n    link: ⟦rtu:///dev/a?data=7⟧"), &["7 is for ascii"]),
        device(&with("unit_id: 1\n    link: ⟦tls://h⟧"), &["no `ca`"]),
        device(&with("link: rtu:///dev/a\n    unit_id: ⟦0⟧"), &["none of them answers"]),
        device(&with("link: rtu+tcp://h\n    unit_id: ⟦248⟧"), &["reserved"]),
        device(&with("unit_id: 1\n    link: ⟦lnie⟧"), &["no link `lnie`"]),
        device(&with("unit_id: ⟦256⟧"), &["255"]),
        device(&with("unit_id: ⟦\"1\"⟧"), &["the text `1`"]),
        device(&with("⟦unit_id⟧: ~"), &["no value"]),
        device(&with("max_registers: ⟦126⟧"), &["125"]),
        device(&with("response_timeout: ⟦1⟧"), &["unit of time"]),
        device(&with("retry: { backoff: ⟦0.5⟧ }"), &["backoff"]),
        device(&with("retry: { attempts: ⟦0⟧ }"), &["1"]),
        device(&with("⟦ponits⟧: {}"), &["`ponits` is no key"]),
        device(&with("profile: ⟦nowhere.yaml⟧"), &["no such file"]),
        device(&with("simulate: { values: { ⟦q⟧: 1 } }"), &["no point `q`"]),
        device(&with("simulate: { values: { p: ⟦70000⟧ } }"), &["cannot be 70000"]),
        device(&with("simulate: { faults: [{ fault: ⟦silnt⟧ }] }"), &["not possible here"]),
        device(&with("simulate: { faults: [{ fault: silent, probability: ⟦2⟧ }] }"), &["0..=1"]),
        device(
            "max_registers: 3\n    points:\n      p: { holding: 0 }\n      ⟦q⟧: { holding: 1, type: f64 }",
            &["4 registers, and the device lets read 3"],
        ),
        device("base: 65535\n    points: { p: { holding: 0 }, q: { ⟦holding⟧: 1 } }", &["65535"]),
        whole(
            "\
spec: refused
links: { bus: 'tcp://127.0.0.1:502' }
devices:
  a: { link: bus, unit_id: 1, points: { p: { holding: 0 } } }
  b: { link: bus, ⟦unit_id⟧: 1, points: { p: { holding: 0 } } }
  c: { ⟦link⟧: 'tcp://127.0.0.1:502?in_flight=2', unit_id: 2, points: { p: { holding: 0 } } }
  e: ⟦{ link: bus, points: { p: { holding: 0 } } }⟧
tests: [{ test: t, steps: [{ read: a.p, equals: 1 }] }]
",
            &["the same device", "different options", "no `unit_id`"],
        ),
        whole(
            "\
spec: refused
devices:
  a: { link: 'tcp://h', unit_id: 1, points: { p: { holding: 0 } } }
  b: { ⟦link⟧: 'rtu+tcp://h:502', unit_id: 2, points: { p: { holding: 0 } } }
tests: [{ test: t, steps: [{ read: a.p, equals: 1 }] }]
",
            &["different schemes"],
        ),
    ]);
}

#[test]
fn profiles_that_make_no_sense() {
    all_are_refused(&[
        profile("⟦points: { p: { holding: 0 } }⟧", &["`profile` is missing"]),
        profile("profile: p\nextends: ⟦p.yaml⟧\n", &["extends itself"]),
        profile("profile: p\nextends: ⟦nowhere.yaml⟧\n", &["no such file"]),
        profile("profile: p\naddresses: ⟦from_2⟧\npoints: { p: { holding: 0 } }", &["not possible"]),
        profile("profile: p\naddresses: from_1\npoints: { p: { holding: ⟦0⟧ } }", &["within 1..="]),
        profile(
            "profile: p\naddresses: modicon_5\npoints: { p: { input: ⟦40001⟧ } }",
            &["within 30001..="],
        ),
        profile("profile: p\norder: ⟦up⟧\npoints: { p: { holding: 0 } }", &["no order of bytes"]),
        profile(
            "profile: p\nblocks: [{ holding: 65535, count: ⟦2⟧ }]\npoints: { p: { holding: 0 } }",
            &["passes address 65535"],
        ),
        profile(
            "profile: p\nrepeat: [{ count: 2, stride: 2, points: { ⟦q⟧: { holding: 1 } } }]\npoints: { p: { holding: 0 } }",
            &["the same name"],
        ),
        profile(
            "profile: p\nrepeat: [{ count: 2, stride: 65535, points: { q_$(index): { ⟦holding⟧: 1 } } }]\npoints: { p: { holding: 0 } }",
            &["65535"],
        ),
        profile(
            "profile: p\npoints: { p: { holding: 0 }, q_1: { holding: 5 } }\nrepeat: [{ count: 2, stride: 1, points: { ⟦q_$(index)⟧: { holding: 1 } } }]",
            &["q_1"],
        ),
        Refused {
            files: vec![
                (
                    "spec.yaml",
                    "spec: s\ndevices: { d: { profile: a.yaml } }\ntests: [{ test: t, steps: [{ read: d.p, equals: 1 }] }]\n".to_owned(),
                ),
                ("a.yaml", "profile: a\nextends: b.yaml\n".to_owned()),
                ("b.yaml", "profile: b\nextends: ⟦a.yaml⟧\npoints: { p: { holding: 0 } }\n".to_owned()),
            ],
            says: vec!["extends itself"],
        },
    ]);
}

#[test]
fn specs_that_test_nothing_or_the_same_twice() {
    let devices = "spec: s\ndevices: { d: { points: { p: { holding: 0 } } } }\n";
    let rest = |lines: &str| format!("{devices}{lines}\n");
    all_are_refused(&[
        whole(
            "⟦spec: s⟧\ntests: [{ test: t, steps: [{ read: ⟦d⟧.p, equals: 1 }] }]",
            &["`devices` is missing", "no device `d`"],
        ),
        whole(
            "⟦spec: s⟧\ndevices: { d: { points: { p: { holding: 0 } } } }",
            &["`tests` is missing"],
        ),
        whole(&rest("⟦tests⟧: []"), &["no test"]),
        whole(&rest("⟦tests⟧: "), &["no value"]),
        whole(&rest("tests: [{ test: ⟦t⟧, steps: [] }]"), &["checks nothing"]),
        whole(&rest("tests: [{ test: ⟦t⟧, steps: [{ wait: 1s }] }]"), &["checks nothing"]),
        whole(&rest("tests: [⟦{ test: t }⟧]"), &["`steps` is missing"]),
        whole(&rest("tests: [⟦{ steps: [{ read: d.p, equals: 1 }] }⟧]"), &["`test` is missing"]),
        whole(
            &rest(
                "tests:\n  - { test: t, steps: [{ read: d.p, equals: 1 }] }\n  - { test: ⟦t⟧, steps: [{ read: d.p, equals: 2 }] }",
            ),
            &["two tests are named `t`"],
        ),
        whole(
            &rest("tests: [{ test: t, for_each: { n: ⟦[]⟧ }, steps: [{ read: d.p, equals: 1 }] }]"),
            &["no value to go through"],
        ),
        whole(
            &rest(
                "tests: [{ test: ⟦t⟧, for_each: { n: [1, 1] }, steps: [{ read: d.p, equals: $(n) }] }]",
            ),
            &["two tests are named `t [n=1]`"],
        ),
        whole(
            &rest(
                "tests: [{ test: ⟦setup⟧, steps: [{ read: d.p, equals: 1 }] }]\nsetup: [{ read: d.p, equals: 1 }]",
            ),
            &["`setup`"],
        ),
        beside("⟦setup⟧: []", &["setup"]),
        beside("⟦teardown⟧: []", &["teardown"]),
        beside("setup: [⟦{ read: d.p }⟧]", &["no limit"]),
        beside("teardown: [{ read: ⟦d.w⟧, equals: 1 }]", &["cannot be read"]),
        beside("⟦tets⟧: []", &["`tets` is no key"]),
        beside("⟦tests⟧: []", &["`tests` is given twice"]),
        beside("uut: { serial: { pattern: '⟦[⟧' } }", &["regular expression"]),
        beside("vars: { a: ⟦$(b)⟧, b: 1 }", &["no variable `b`"]),
        beside("vars: { ⟦a b⟧: 1 }", &["no name"]),
        beside("title: ⟦$(env.PASSLINE_NO_SUCH_VARIABLE)⟧", &["environment"]),
        beside("version: ⟦1.0⟧", &["a text is needed"]),
    ]);
}

#[test]
fn every_mistake_of_a_spec_and_its_profile_is_told_at_once() {
    all_are_refused(&[Refused {
        files: vec![
            (
                "spec.yaml",
                "\
spec: many
⟦titel⟧: Many mistakes
links: { bus: ⟦tpc://h⟧ }
devices:
  d: { profile: p.yaml, unit_id: ⟦300⟧ }
  e: { points: { p: { holding: 0 } }, ⟦reties⟧: 3 }
setup:
  - ⟦{ read: d.p }⟧
tests:
  - test: one
    steps:
      - { read: d.⟦nothing⟧, equals: 1 }
      - { read: d.p, ⟦min⟧: 0 }
      - { read: ⟦f⟧.p, equals: 1 }
  - test: ⟦two⟧
    steps: [{ wait: 1s }]
  - test: ⟦one⟧
    steps: [{ read: d.p, max: ⟦$(limit)⟧ }]
"
                .to_owned(),
            ),
            (
                "p.yaml",
                "profile: p\npoints:\n  p: { holding: 0, ⟦uint⟧: V }\n  q: { holding: 0, type: ⟦u15⟧ }\n"
                    .to_owned(),
            ),
        ],
        says: vec![
            "`titel` is no key",
            "unknown scheme",
            "255",
            "`reties` is no key",
            "no limit",
            "no point `nothing`",
            "cannot fail",
            "no device `f`",
            "checks nothing",
            "two tests",
            "no variable `limit`",
            "`uint` is no key",
            "not possible here",
        ],
    }]);
}

/// A spec whose device is simulated with this.
fn simulated(lines: &str, says: &[&'static str]) -> Refused {
    let points = "p: { holding: 0 }, q: { holding: 1 }, far: { holding: 9 }, in: { input: 0 }, \
                  ro: { holding: 5, access: read }, id: { device_id: vendor_name }";
    device(&format!("points: {{ {points} }}\n    simulate:\n      {lines}"), says)
}

#[test]
fn access_of_a_simulation_that_makes_no_sense() {
    let lock = |keys: &str, says| simulated(&format!("locks: [{{ {keys} }}]"), says);
    let block = |keys: &str, says| simulated(&format!("together: [{keys}]"), says);
    let fixed = |keys: &str, says| simulated(&format!("overrides: [{keys}]"), says);
    all_are_refused(&[
        simulated("access: { ⟦readonly⟧: 2 }", &["`readonly`"]),
        simulated("access: { read_only: ⟦zeros⟧ }", &["`zeros` is no name of an exception"]),
        simulated("access: { write_only: ⟦ignored⟧ }", &["`ignored` is no name of an exception"]),
        simulated("access: { undeclared: ⟦256⟧ }", &["1..=255"]),
        simulated("access: { filler: ⟦-1⟧ }", &["0..=65535"]),
        simulated("unit_ids: ⟦all⟧", &["not possible here"]),
        simulated("unit_ids: [⟦256⟧]", &["0..=255"]),
        lock("password: ⟦nobody⟧, equals: 1, points: q", &["no point `nobody`"]),
        lock("password: ⟦ro⟧, equals: 1, points: q", &["`ro` cannot be written"]),
        lock("password: ⟦in⟧, equals: 1, points: q", &["`in` cannot be written"]),
        lock("password: p, equals: ⟦70000⟧, points: q", &["cannot be 70000"]),
        lock("⟦password⟧: p, equals: 1, points: [q, p]", &["behind its own lock"]),
        lock("⟦password⟧: p, equals: 1, points: in", &["can be written anyway"]),
        lock("password: p, equals: 1, points: in, ⟦write⟧: ignored", &["can be written anyway"]),
        lock("password: p, equals: 1, points: ⟦id⟧", &["in none of the tables"]),
        lock("password: p, equals: 1, ⟦points⟧: q, holding: 1", &["no table and no count"]),
        block("⟦{ count: 2 }⟧", &["it is not said where this is"]),
        block("⟦{ holding: 65535, count: 2 }⟧", &["pass 65535"]),
        block("⟦{ points: [p, far] }⟧", &["do not follow each other"]),
        block("⟦{ input: 0, count: 2 }⟧", &["`input` cannot be written"]),
        block("⟦{ input: 0, count: 126, read: 2 }⟧", &["more than the 125 of one request"]),
        block("⟦{ holding: 0, count: 124 }⟧", &["more than the 123 of one request"]),
        fixed("⟦{ function: 3 }⟧", &["one answer, not 0"]),
        fixed("⟦{ function: 3, code: 2, words: [1] }⟧", &["one answer, not 2"]),
        fixed("{ function: 17, ⟦start⟧: 0, pdu: '11 00' }", &["have no address"]),
        fixed("{ function: 6, ⟦count⟧: 1, code: 2 }", &["have no count"]),
        fixed("{ function: 6, start: 0, ⟦words⟧: [1] }", &["the functions 3, 4 and 23"]),
        fixed("{ function: 3, start: 0, ⟦bits⟧: [1] }", &["the functions 1 and 2"]),
        fixed("{ function: 3, start: 0, ⟦words⟧: [] }", &["1 to 125"]),
        fixed("{ function: 3, start: 0, count: 2, ⟦words⟧: [1] }", &["fewer than the `count`"]),
        fixed("{ function: 3, start: 0, pdu: '⟦04 02 00 00⟧' }", &["does not begin with 03"]),
        fixed("{ function: 3, start: 0, pdu: '⟦0⟧' }", &["no sequence of bytes"]),
    ]);
}

#[test]
fn unit_ids_that_two_devices_answer_for() {
    let two = |line: &str, one: &str, two: &str, says| {
        whole(
            &format!(
                "\
spec: refused
links: {{ line: '{line}' }}
devices:
  d: {{ link: line, unit_id: 1, points: {{ p: {{ holding: 0 }} }}, simulate: {{ unit_ids: {one} }} }}
  e: {{ link: line, ⟦unit_id⟧: 2, points: {{ p: {{ holding: 0 }} }}, simulate: {{ unit_ids: {two} }} }}
tests: [{{ test: t, steps: [{{ read: d.p, equals: 1 }}] }}]
"
            ),
            says,
        )
    };
    let tcp = "tcp://127.0.0.1:502";
    all_are_refused(&[
        two(tcp, "any", "any", &["both answer for any unit"]),
        two(tcp, "[0, 9]", "[9]", &["both answer for unit 9"]),
        whole(
            "\
spec: refused
devices:
  d:
    link: rtu:///dev/ttyUSB0
    unit_id: 1
    points: { p: { holding: 0 } }
    simulate: { unit_ids: [2, ⟦0⟧] }
tests: [{ test: t, steps: [{ read: d.p, equals: 1 }] }]
",
            &["a serial line has no unit 0"],
        ),
    ]);
}
