use proptest::prelude::*;

use super::{
    super::{Digest, Json, Outcome, RunDocument, Verdict, samples::*},
    Measurement, ReadError,
};

fn document() -> RunDocument {
    let mut script = script_of(&[]);
    script[0][0].checks.push(result(Verdict::Error, vec![3]));
    fold(in_plan_order(&script))
}

#[test]
fn keys_are_in_the_order_of_the_contract() {
    let sealed = concat!(
        r#"{"format":"passline-record/1","record_id":"019df0ef-802f-7a91-b04a-635b0d54c623","#,
        r#""run_id":"019df0ef-802f-7699-a4b2-32ce8859d87e","outcome":"error","mode":"production","#,
        r#""scope":"full","selection":[],"spec":{"name":"meter","version":"1.2","#,
        r#""file":"meter.yaml","#,
        r#""sha256":"5eff322a1bd4164e1db317c7f60b1b6529b05d692d739317f36720ffd1fc5abe"},"#,
        r#""inputs":[],"variables":{"nominal":230},"seed":7,"#,
        r#""tool":{"name":"passline","version":"0"},"station":null,"slot":null,"#,
        r#""operator":null,"instruments":[],"environment":null,"#,
        r#""uut":{"serial":"00001234","part_number":null,"revision":null,"batch":null},"#,
        r#""started":"2026-05-04T03:02:01.007Z","ended":"2026-05-04T03:02:01.097Z","#,
        r#""retest_of":null,"tests":[{"name":"test 0","phase":"main","verdict":"error","#,
        r#""tags":[],"verifies":[],"started":"2026-05-04T03:02:01.008Z","duration_ms":12,"#,
        r#""checks":[{"name":"check 0","kind":"read","verdict":"error","flaky":false,"#,
        r#""marginal":false,"conformity":null,"message":"because error","measurement":null,"#,
        r#""decode":{"type":"f32","order":"ABCD"},"limit":{"min":207,"max":253},"#,
        r#""attempts":[{"n":1,"verdict":"error","measurement":null,"#,
        r#""error":{"class":"timeout","text":"no answer within 1 s"},"#,
        r#""started":"2026-05-04T03:02:01.008Z","duration_ms":3,"transactions":[3]}]}]}],"#,
        r#""transactions":[{"id":3,"device":"meter","link":"tcp://192.0.2.10:502","unit_id":1,"#,
        r#""frames":[{"at_us":3000,"dir":"tx","hex":"000100000006010400000002"}]}],"#,
        r#""counts":{"pass":0,"fail":0,"error":1,"skipped":0,"recorded":0,"flaky":0,"#,
        r#""marginal":0},"previous_sha256":null"#,
    );
    let digest = Digest::of(format!("{sealed}}}").as_bytes());
    let expected = concat!(
        r#"{"format":"passline-run/1","run_id":"019df0ef-802f-7699-a4b2-32ce8859d87e","#,
        r#""outcome":"error","started":"2026-05-04T03:02:01.007Z","#,
        r#""ended":"2026-05-04T03:02:01.106Z","records":["#,
    );
    let expected = format!(r#"{expected}{sealed},"sha256":"{digest}"}}]}}"#);
    assert_eq!(serde_json::to_string(&document()).unwrap(), expected);
}

#[test]
fn nothing_but_the_canonical_form_is_read() {
    let bytes = serde_json::to_vec(&document()).unwrap();
    assert_eq!(RunDocument::read(&bytes).unwrap(), document());
    let text = String::from_utf8(bytes).unwrap();
    let refused = |text: String| RunDocument::read(text.as_bytes()).unwrap_err();
    let at = |error| match error {
        ReadError::NotCanonical { at } => at,
        ReadError::Shape(error) => panic!("{error}"),
    };
    assert_eq!(at(refused(format!("{text}\n"))), text.len());
    assert_eq!(at(refused(text.replacen(r#""outcome":"#, r#""outcome": "#, 1))), 85);
    at(refused(text.replacen("01.007Z", "01.0070Z", 1)));
    at(refused(text.replacen(r#""min":207"#, r#""min": 207"#, 1)));
    at(refused(text.replacen(r#""station":null,"#, "", 1)));
    at(refused(text.replacen("019df0ef-802f", "019DF0EF-802F", 1)));
    for shape in [
        text.replacen("passline-run/1", "passline-run/2", 1),
        text.replacen("passline-record/1", "passline-record/2", 1),
        text.replacen(r#""seed":7"#, r#""seed":7,"more":1"#, 1),
        text.replacen(r#""seed":7"#, r#""seed":7,"seed":7"#, 1),
        text.replacen(r#""seed":7,"#, "", 1),
        text.replacen(r#""class":"timeout""#, r#""class":"time""#, 1),
        text[..text.len() - 1].to_owned(),
    ] {
        assert!(matches!(refused(shape), ReadError::Shape(_)));
    }
}

#[test]
fn a_changed_record_is_not_intact() {
    let mut document = document();
    let record = &mut document.records[0];
    assert!(record.is_intact());
    record.tests[0].checks[0].verdict = Verdict::Pass;
    assert!(!record.is_intact());
    record.tests[0].checks[0].verdict = Verdict::Error;
    assert!(record.is_intact());
    record.sha256 = None;
    assert!(!record.is_intact());
}

#[test]
fn a_worse_outcome_is_sealed_and_a_better_one_ignored() {
    let mut document = fold(in_plan_order(&script_of(&[Verdict::Fail])));
    document.worsen(Outcome::Pass).unwrap();
    assert_eq!(document.outcome, Outcome::Fail);
    document.worsen(Outcome::Error).unwrap();
    assert_eq!((document.outcome, document.records[0].outcome), (Outcome::Error, Outcome::Error));
    assert!(document.records[0].is_intact());
}

#[test]
fn exit_codes_are_those_of_the_command_line() {
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Error, Outcome::Aborted];
    assert_eq!(outcomes.map(Outcome::exit_code), [0, 1, 3, 130]);
    assert!(outcomes.is_sorted());
}

proptest! {
    #[test]
    fn texts_and_numbers_read_back_exactly(text: String, number: u64, raw: Vec<u16>, seed: u64) {
        let mut document = document();
        let record = &mut document.records[0];
        record.seed = seed;
        record.uut.serial = Some(text.clone());
        let check = &mut record.tests[0].checks[0];
        check.name.clone_from(&text);
        check.measurement = Some(Measurement {
            value: Some(Json::of(&number).unwrap()),
            unit: Some(text.as_str().into()),
            raw: raw.into(),
        beside: [].into(),
        saved: std::collections::BTreeMap::default(),
        });
        check.limit = Some(text.as_str().into());
        record.seal().unwrap();
        let bytes = serde_json::to_vec(&document).unwrap();
        let read = RunDocument::read(&bytes).unwrap();
        prop_assert!(read.records[0].is_intact());
        prop_assert_eq!(read, document);
    }
}
