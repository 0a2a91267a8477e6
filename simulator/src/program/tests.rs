use std::sync::Arc;

use passline_modbus::point::{DataType, Declaration, Point, Table};
use passline_modbus::value::Decimal;

use super::*;
use crate::behaviour::{Behaviour, Ramp, Sine};

const MS: Duration = Duration::from_millis(1);

/// Points of a drive: a command and a status word, a speed and its set point.
const COMMAND: usize = 0;
const STATUS: usize = 1;
const SPEED: usize = 2;
const SET_POINT: usize = 3;

fn points() -> Vec<Held> {
    let point = |name: &str, address: u32, scale: &str| {
        let mut declaration = Declaration::new(name, Table::Holding, address);
        declaration.data_type = DataType::I16;
        declaration.scale = scale.parse().unwrap();
        Held { point: Arc::new(Point::new(declaration).unwrap()), factor: None }
    };
    vec![
        point("command", 0, "1"),
        point("status", 1, "1"),
        point("speed", 2, "0.1"),
        point("set_point", 3, "1"),
    ]
}

fn number(number: i64) -> Value {
    Value::Number(Decimal::from(i128::from(number)))
}

/// A program and its memory, looked at and written to as a client would.
struct Bench {
    program: Program,
    image: Image,
}

impl Bench {
    fn new(signals: Vec<(usize, Signal)>, states: usize, rules: Vec<Rule>) -> Self {
        let mut image = Image::new();
        image.set_words(Table::Holding, 0, &[0; 4]).unwrap();
        let script = Script::new(points(), signals, rules).unwrap().with_states(states);
        Self {
            program: Program::new(
                script,
                &image,
                Seed::of_device(1, "drive"),
                Timestamp::UNIX_EPOCH,
            ),
            image,
        }
    }

    fn value(&mut self, at: Duration, point: usize) -> String {
        self.program.advance(at, &mut self.image);
        self.program.show(None, &mut self.image);
        points()[point].read(&self.image).unwrap().to_string()
    }

    fn write(&mut self, at: Duration, point: usize, word: u16) {
        self.program.advance(at, &mut self.image);
        let span = points()[point].point.span().unwrap();
        self.image.words_mut(span).unwrap().fill(word);
        let request = Request::WriteSingleRegister(span.address(), word);
        self.program.asked(&request, &mut self.image);
    }
}

fn rule(when: When, actions: Vec<Action>) -> Rule {
    Rule { when, state: None, after: Duration::ZERO, actions }
}

fn equals(value: i64) -> Test {
    Test { equals: Some(number(value)), ..Test::default() }
}

fn ramp(rate: f64) -> Signal {
    Signal::Behaviour(Behaviour::Ramp(Ramp { from: Some(0.0), rate, to: None, repeats: false }))
}

#[test]
fn a_write_has_its_consequence_when_its_time_has_come() {
    let mut rule = rule(When::Written(COMMAND, equals(1)), vec![Action::Set(STATUS, number(7))]);
    rule.after = 200 * MS;
    let mut bench = Bench::new(vec![], 0, vec![rule]);
    bench.write(100 * MS, COMMAND, 2);
    assert_eq!(bench.value(10_000 * MS, STATUS), "0", "another value was written");
    bench.write(20_000 * MS, COMMAND, 1);
    assert_eq!(bench.value(20_199 * MS, STATUS), "0");
    assert_eq!(bench.value(20_200 * MS, STATUS), "7");
}

#[test]
fn a_moving_value_is_rounded_to_what_its_point_holds_and_ends_with_a_write() {
    let mut bench = Bench::new(vec![(SPEED, ramp(0.5))], 0, vec![]);
    assert_eq!(bench.value(130 * MS, SPEED), "0.1", "0.065 at 0.1 each");
    assert_eq!(bench.value(1_000_000 * MS, SPEED), "500");
    assert_eq!(bench.value(100_000_000 * MS, SPEED), "3276.7", "the most that it holds");
    bench.write(100_000_001 * MS, SPEED, 42);
    assert_eq!(bench.value(100_001_000 * MS, SPEED), "4.2");
}

#[test]
fn a_lag_follows_what_is_written() {
    let lag = Lag { target: SET_POINT, time_constant: 1000 * MS, from: Some(0.0) };
    let mut bench = Bench::new(vec![(SPEED, Signal::Lag(lag))], 0, vec![]);
    assert_eq!(bench.value(5_000 * MS, SPEED), "0");
    bench.write(5_000 * MS, SET_POINT, 1000);
    assert_eq!(bench.value(6_000 * MS, SPEED), "632.1");
    assert_eq!(bench.value(6_500 * MS, SPEED), "776.9");
    assert_eq!(bench.value(30_000 * MS, SPEED), "1000");
    // However often it is looked at.
    for _ in 0..100 {
        bench.value(30_000 * MS, SPEED);
    }
    bench.write(30_000 * MS, SET_POINT, 0);
    assert_eq!(bench.value(31_000 * MS, SPEED), "367.9");
}

#[test]
fn a_point_that_comes_to_a_value_is_seen_also_when_nobody_looks() {
    let above = Test { above: Some("50".parse().unwrap()), ..Test::default() };
    let stamp = Formula {
        inputs: vec![],
        compute: Arc::new(|_, now| Some(number(i64::try_from(now.as_millis()).unwrap()))),
    };
    let rules = vec![rule(When::Becomes(SPEED, above), vec![Action::Compute(STATUS, stamp)])];
    let mut bench = Bench::new(vec![(SPEED, ramp(10.0))], 0, rules);
    assert_eq!(bench.value(4_999 * MS, STATUS), "0");
    assert_eq!(bench.value(20_000 * MS, STATUS), "5010", "50 is not above 50");
    assert_eq!(bench.value(25_000 * MS, STATUS), "5010", "once, not at each look");
}

#[test]
fn states_follow_each_other_and_drop_what_belongs_to_the_last_one() {
    let [off, booting, ready] = [0, 1, 2];
    let shows = |state: usize| {
        rule(When::Enters(state), vec![Action::Set(STATUS, number(i64::try_from(state).unwrap()))])
    };
    let on = Rule {
        state: Some(off),
        ..rule(When::Written(COMMAND, equals(1)), vec![Action::Enter(booting)])
    };
    let boots =
        Rule { after: 3_000 * MS, ..rule(When::Enters(booting), vec![Action::Enter(ready)]) };
    let stops = rule(When::Written(COMMAND, equals(0)), vec![Action::Enter(off)]);
    let rules = vec![shows(off), shows(booting), shows(ready), on, boots, stops];
    let mut bench = Bench::new(vec![], 3, rules);
    bench.write(1_000 * MS, COMMAND, 1);
    assert_eq!(bench.value(3_999 * MS, STATUS), "1");
    assert_eq!(bench.value(4_000 * MS, STATUS), "2");
    bench.write(5_000 * MS, COMMAND, 1);
    assert_eq!(bench.value(9_000 * MS, STATUS), "2", "only when it is off");
    bench.write(10_000 * MS, COMMAND, 0);
    bench.write(11_000 * MS, COMMAND, 1);
    bench.write(12_000 * MS, COMMAND, 0);
    assert_eq!(bench.value(60_000 * MS, STATUS), "0", "it was switched off while it booted");
}

#[test]
fn a_circle_of_states_does_not_hang() {
    let go = |from, to| {
        rule(When::Enters(from), vec![Action::Enter(to), Action::Increment(STATUS, Decimal::one())])
    };
    let mut bench = Bench::new(vec![], 2, vec![go(0, 1), go(1, 0)]);
    let first: usize = bench.value(MS, STATUS).parse().unwrap();
    assert!((1..=MAX_TURNS * 3).contains(&first), "{first}");
    let later: usize = bench.value(100 * MS, STATUS).parse().unwrap();
    assert!((10..=11 * MAX_TURNS * 3).contains(&later), "it goes on tick by tick: {later}");
}

#[test]
fn a_restart_begins_with_the_first_memory_after_its_boot_time() {
    let restart = rule(When::Written(COMMAND, equals(9)), vec![Action::Restart(2_000 * MS)]);
    let every = rule(When::Every(1_000 * MS), vec![Action::Increment(STATUS, Decimal::one())]);
    let mut bench = Bench::new(vec![(SPEED, ramp(1.0))], 0, vec![restart, every]);
    assert_eq!(bench.value(10_500 * MS, STATUS), "10");
    bench.write(10_500 * MS, COMMAND, 9);
    assert!(!bench.program.is_there());
    assert!(bench.program.take_effects().restarted);
    assert_eq!(bench.value(12_499 * MS, STATUS), "0");
    assert!(!bench.program.is_there());
    assert_eq!(bench.value(12_500 * MS, COMMAND), "0");
    assert!(bench.program.is_there());
    assert_eq!(bench.value(13_500 * MS, STATUS), "1");
    assert_eq!(bench.value(13_500 * MS, SPEED), "1");
}

#[test]
fn reading_and_faults_and_time_have_consequences() {
    let rules = vec![
        rule(When::Read(STATUS), vec![Action::Set(STATUS, number(0))]),
        rule(When::At(500 * MS), vec![Action::Set(STATUS, number(5)), Action::Fault(2, true)]),
    ];
    let mut bench = Bench::new(vec![], 0, rules);
    assert_eq!(bench.value(500 * MS, STATUS), "5");
    assert_eq!(bench.program.take_effects().faults, [(2, true)]);
    let request = Request::ReadHoldingRegisters(0, 2);
    bench.program.asked(&request, &mut bench.image);
    assert_eq!(bench.value(501 * MS, STATUS), "0");
}

#[test]
fn a_look_changes_nothing_also_behind_what_moves() {
    let sine = Behaviour::Sine(Sine {
        mean: 0.0,
        amplitude: 3000.0,
        period: 777 * MS,
        phase: Duration::ZERO,
    });
    let lag = Lag { target: SET_POINT, time_constant: 300 * MS, from: None };
    let signals =
        || vec![(SPEED, Signal::Lag(lag.clone())), (SET_POINT, Signal::Behaviour(sine.clone()))];
    let (mut often, mut once) =
        (Bench::new(signals(), 0, vec![]), Bench::new(signals(), 0, vec![]));
    let mut seen = Vec::new();
    for at in (0..5_000).step_by(7) {
        seen.push(often.value(at * MS, SPEED));
    }
    seen.dedup();
    assert!(seen.len() > 200, "it follows: {}", seen.len());
    assert_eq!(often.value(5_001 * MS, SPEED), once.value(5_001 * MS, SPEED));
    assert_eq!(often.image, once.image);
}

#[test]
fn a_request_moves_only_what_it_asks_for_and_what_that_needs() {
    let doubled = |input: usize| {
        Signal::Computed(Formula {
            inputs: vec![input],
            compute: Arc::new(|values, _| Some(Value::F64(2.0 * values[0].to_decimal()?.to_f64()))),
        })
    };
    let signals = vec![(STATUS, doubled(SPEED)), (SPEED, ramp(1.0)), (SET_POINT, ramp(7.0))];
    let mut bench = Bench::new(signals, 0, vec![]);
    bench.program.advance(5_000 * MS, &mut bench.image);
    bench.program.show(Some(&Request::ReadHoldingRegisters(1, 1)), &mut bench.image);
    let words = bench.image.words(passline_modbus::point::Span::new(Table::Holding, 0, 4).unwrap());
    assert_eq!(words.unwrap(), [0, 10, 50, 0], "the set point was not asked for");
}

#[test]
fn what_depends_on_itself_is_refused() {
    let of = |input: usize| {
        Signal::Computed(Formula { inputs: vec![input], compute: Arc::new(|_, _| None) })
    };
    let circle = Script::new(points(), vec![(STATUS, of(SPEED)), (SPEED, of(STATUS))], vec![]);
    assert_eq!(circle.unwrap_err().0.len(), 2);
    let itself = Script::new(points(), vec![(STATUS, of(STATUS))], vec![]);
    assert_eq!(itself.unwrap_err(), Circle(vec![STATUS]));
    // Also one that only a rule closes.
    let start = rule(When::At(MS), vec![Action::Start(SET_POINT, of(STATUS))]);
    let signals = vec![(STATUS, of(SPEED)), (SPEED, of(SET_POINT))];
    let script = Script::new(points(), signals.clone(), vec![start]);
    assert_eq!(script.unwrap_err().0.len(), 3);
    assert!(Script::new(points(), signals, vec![]).is_ok());
}

#[test]
fn a_started_signal_ends_what_moved_the_same_registers() {
    let mut all = points();
    let mut field = Declaration::new("status.low", Table::Holding, 1);
    field.field = Some(passline_modbus::point::Field::new(0, 3).unwrap());
    all.push(Held { point: Arc::new(Point::new(field).unwrap()), factor: None });
    let low = all.len() - 1;
    let start = rule(When::At(1_000 * MS), vec![Action::Start(STATUS, ramp(0.0))]);
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[0; 4]).unwrap();
    let script = Script::new(all.clone(), vec![(low, ramp(10.0))], vec![start]).unwrap();
    let seed = Seed::of_device(1, "drive");
    let mut program = Program::new(script, &image, seed, Timestamp::UNIX_EPOCH);
    for (at, value) in [(500, "5"), (2_000, "0"), (3_000, "0")] {
        program.advance(at * MS, &mut image);
        program.show(None, &mut image);
        assert_eq!(all[STATUS].read(&image).unwrap().to_string(), value, "at {at} ms");
    }
}

#[test]
fn a_week_without_a_request_is_caught_up_with() {
    let above = Test { above: Some("50".parse().unwrap()), ..Test::default() };
    let rules = vec![
        rule(When::Becomes(SPEED, above), vec![Action::Set(STATUS, number(1))]),
        rule(When::Every(3_600_000 * MS), vec![Action::Increment(COMMAND, Decimal::one())]),
    ];
    let mut bench = Bench::new(vec![(SPEED, ramp(0.01))], 0, rules);
    let week = Duration::from_hours(7 * 24);
    assert_eq!((bench.value(week, STATUS), bench.value(week, COMMAND)), ("1".into(), "168".into()));
}

#[test]
fn more_than_can_be_done_is_done_once() {
    let every = When::Every(MS);
    let rule = Rule {
        when: every,
        state: None,
        after: Duration::ZERO,
        actions: vec![Action::Increment(STATUS, Decimal::from(1))],
    };
    let mut bench = Bench::new(Vec::new(), 0, vec![rule]);
    assert_eq!(bench.value(Duration::from_secs(10), STATUS), "10000");
    let began = std::time::Instant::now();
    bench.program.advance(Duration::from_hours(8760), &mut bench.image);
    assert!(began.elapsed() < Duration::from_mins(1), "it does not do all of a year");
    let count = |bench: &Bench| bench.program.timers.len();
    assert_eq!(count(&bench), 1, "and goes on");
}

#[test]
fn what_waits_for_its_time_has_a_bound() {
    let rule = Rule {
        when: When::Read(COMMAND),
        state: None,
        after: Duration::from_hours(1),
        actions: vec![Action::Increment(STATUS, Decimal::from(1))],
    };
    let mut bench = Bench::new(Vec::new(), 0, vec![rule]);
    for _ in 0..2 * MAX_WAITING {
        bench.program.asked(&Request::ReadHoldingRegisters(0, 1), &mut bench.image);
    }
    assert_eq!(bench.program.timers.len(), MAX_WAITING);
}
