//! What is written: parts, and the requests that carry them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use passline_modbus::change::{Change, ChangeError, Manner, Part, Way, WriteBits, WriteFunction};
use passline_modbus::pdu::{Request, encode_request};
use passline_modbus::point::{
    DataType, Declaration, EncodeError, Field, Invalid, Point, Raw, Reading, Table,
};
use passline_modbus::value::{Decimal, Value};
use proptest::prelude::*;

fn point(table: Table, address: u32, change: impl FnOnce(&mut Declaration)) -> Arc<Point> {
    let mut declaration = Declaration::new("p", table, address);
    change(&mut declaration);
    Arc::new(Point::new(declaration).unwrap())
}

fn typed(address: u32, name: &str) -> Arc<Point> {
    point(Table::Holding, address, |d| d.data_type = DataType::named(name, None).unwrap())
}

fn bits(address: u32, name: &str, first: u8, last: u8) -> Arc<Point> {
    point(Table::Holding, address, |d| {
        d.data_type = DataType::named(name, None).unwrap();
        d.field = Some(Field::new(first, last).unwrap());
    })
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn part(point: Arc<Point>, value: &Value) -> Part {
    Part::written(point, value, None, false).unwrap()
}

fn hex(request: &Request<'_>) -> String {
    let mut pdu = Vec::new();
    encode_request(request, &mut pdu).unwrap();
    pdu.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

/// The request of a change that needs no read.
fn sent(parts: &[Part], manner: Manner) -> Result<String, ChangeError> {
    Ok(match Change::new(parts, manner)?.way() {
        Way::Request(request) => hex(request),
        Way::Merge(merge) => format!("after a read of {}", merge.span()),
    })
}

fn auto(parts: &[Part]) -> Result<String, ChangeError> {
    sent(parts, Manner::default())
}

#[test]
fn what_is_written_down_has_to_read_back_as_it_stands_there() {
    let inexact = |point: &Arc<Point>, text: &str| match Part::written(
        Arc::clone(point),
        &number(text),
        None,
        false,
    ) {
        Err(EncodeError::Inexact { nearest }) => nearest.to_string(),
        other => panic!("{text}: {other:?}"),
    };
    let rounded = |point: &Arc<Point>, text: &str| {
        let part = Part::written(Arc::clone(point), &number(text), None, true).unwrap();
        part.value().unwrap().to_string()
    };
    let float = typed(0, "f32");
    let tenths = point(Table::Holding, 0, |d| d.scale = "0.1".parse().unwrap());
    assert_eq!(part(Arc::clone(&float), &number("230.4")).value(), Some(&Value::F32(230.4)));
    assert_eq!(part(Arc::clone(&tenths), &number("23.5")).raw(), &Raw::Registers(vec![235].into()));
    for (point, text, nearest) in [
        (&float, "16777217", "16777216"),
        (&float, "3.14159265358979", "3.1415927"),
        (&tenths, "23.55", "23.6"),
    ] {
        assert_eq!(inexact(point, text), nearest);
        assert_eq!(rounded(point, text), nearest);
    }
    let beyond = Part::written(Arc::clone(&tenths), &number("6553.6"), None, true);
    assert!(matches!(beyond, Err(EncodeError::OutOfReach { .. })), "{beyond:?}");
    let nan = part(float, &Value::F64(f64::NAN));
    assert_eq!(nan.raw(), &Raw::Registers(vec![0x7FC0, 0].into()));
    let invalid = point(Table::Holding, 0, |d| {
        d.invalid = Invalid::Raw(vec![0xFFFF]);
    });
    let means_nothing = Part::written(invalid, &number("65535"), None, false);
    assert_eq!(means_nothing, Err(EncodeError::MeansInvalid));
}

#[test]
fn what_was_computed_takes_the_nearest_float_and_is_never_not_a_number() {
    let third = Value::Number(Decimal::one().checked_div(&3.into()).unwrap());
    let computed = |point, value: &Value, round| Part::computed(point, value, None, round);
    let float = computed(typed(0, "f32"), &third, false).unwrap();
    assert_eq!(float.value(), Some(&Value::F32(1.0 / 3.0)));
    let whole = computed(typed(0, "u16"), &third, false);
    assert_eq!(whole, Err(EncodeError::Inexact { nearest: Decimal::zero() }));
    assert_eq!(computed(typed(0, "u16"), &third, true).unwrap().value(), Some(&number("0")));
    for odd in [f64::NAN, f64::INFINITY] {
        let odd = computed(typed(0, "f32"), &Value::F64(odd), true);
        assert_eq!(odd, Err(EncodeError::NotFinite));
    }
}

#[test]
fn scale_factors_decide_what_is_written() {
    let scaled = point(Table::Holding, 0, |d| d.scale_factor = Some("sf".to_owned()));
    let power = |power: &str| {
        Part::written(Arc::clone(&scaled), &number("230.4"), Some(&number(power)), false)
    };
    assert_eq!(power("-1").unwrap().raw(), &Raw::Registers(vec![2304].into()));
    assert_eq!(power("-2").unwrap().raw(), &Raw::Registers(vec![23040].into()));
    assert!(matches!(power("0"), Err(EncodeError::Inexact { .. })));
    assert!(matches!(power("-3"), Err(EncodeError::OutOfReach { .. })));
    assert!(matches!(power("-11"), Err(EncodeError::ScaleFactor(_))));
}

#[test]
fn functions_follow_from_how_much_is_written_and_what_the_device_takes() {
    let (register, coil) = (typed(16, "u16"), point(Table::Coil, 16, |_| {}));
    let register = [part(register, &number("3"))];
    let coil = [part(coil, &Value::Bool(true))];
    let long = [part(typed(16, "u32"), &number("65537"))];
    let with = |parts: &[Part], function| sent(parts, Manner { function, ..Manner::default() });
    assert_eq!(auto(&register).unwrap(), "06 00 10 00 03");
    assert_eq!(auto(&coil).unwrap(), "05 00 10 FF 00");
    assert_eq!(auto(&long).unwrap(), "10 00 10 00 02 04 00 01 00 01");
    assert_eq!(with(&register, WriteFunction::Single).unwrap(), "06 00 10 00 03");
    assert_eq!(with(&register, WriteFunction::Multiple).unwrap(), "10 00 10 00 01 02 00 03");
    assert_eq!(with(&coil, WriteFunction::Multiple).unwrap(), "0F 00 10 00 01 01 01");
    let one = with(&long, WriteFunction::Single).unwrap_err();
    assert_eq!(one.to_string(), "function 06 writes one register, these are 2");
}

#[test]
fn neighbours_go_out_together_in_the_order_of_their_addresses() {
    let parts = [
        part(typed(18, "u32"), &number("65537")),
        part(typed(17, "u16"), &number("2")),
        part(typed(20, "i16"), &number("-1")),
    ];
    assert_eq!(auto(&parts).unwrap(), "10 00 11 00 04 08 00 02 00 01 00 01 FF FF");
    let coils: Vec<Part> = [9, 8, 10]
        .map(|address| part(point(Table::Coil, address, |_| {}), &Value::Bool(address != 9)))
        .to_vec();
    assert_eq!(auto(&coils).unwrap(), "0F 00 08 00 03 01 05");
}

#[test]
fn what_no_request_writes_is_refused_with_the_reason() {
    let register = |address| part(typed(address, "u16"), &number("1"));
    let coil = part(point(Table::Coil, 1, |_| {}), &Value::Bool(true));
    let input = part(point(Table::Input, 1, |_| {}), &number("1"));
    let refused = |parts: &[Part]| auto(parts).unwrap_err().to_string();
    assert_eq!(refused(&[]), "there is no value to write");
    assert_eq!(refused(&[input]), "the table `input` cannot be written");
    assert!(refused(&[register(1), register(3)]).contains("between holding:1 and holding:3"));
    assert!(refused(&[register(1), register(1)]).contains("twice"));
    assert!(refused(&[register(1), part(typed(0, "u32"), &number("1"))]).contains("twice"));
    assert!(refused(&[register(1), coil]).contains("`coil` and `holding`"));
    let many: Vec<Part> = (0..124).map(register).collect();
    assert_eq!(refused(&many), "124 registers: a request writes at most 123");
    assert!(auto(&many[..123]).is_ok());
    let bit = |address| part(point(Table::Coil, address, |_| {}), &Value::Bool(true));
    let many: Vec<Part> = (0..1969).map(bit).collect();
    assert_eq!(refused(&many), "1969 coils: a request writes at most 1968");
    assert!(auto(&many[..1968]).is_ok());
    let far = [register(0), register(65_535)];
    assert!(refused(&far).contains("lies something else"));
}

#[test]
fn bits_are_masked_or_merged() {
    let on = part(bits(16, "u16", 3, 3), &Value::Bool(true));
    let mode = part(bits(16, "u16", 4, 6), &number("5"));
    assert_eq!(auto(std::slice::from_ref(&on)).unwrap(), "16 00 10 FF F7 00 08");
    assert_eq!(auto(&[mode.clone(), on.clone()]).unwrap(), "16 00 10 FF 87 00 58");
    // Of a longer word: the register that the bits are in.
    let high = part(bits(16, "u32", 17, 17), &Value::Bool(true));
    assert_eq!(auto(std::slice::from_ref(&high)).unwrap(), "16 00 10 FF FD 00 02");
    let across = part(bits(16, "u32", 14, 17), &number("15"));
    assert!(
        auto(std::slice::from_ref(&across)).unwrap_err().to_string().contains("these are in 2")
    );
    assert!(auto(&[across.clone(), high]).unwrap_err().to_string().contains("twice"));
    let beside = part(typed(17, "u16"), &number("1"));
    assert!(auto(&[on.clone(), beside.clone()]).is_err());

    let manner = Manner { bits: WriteBits::ReadModifyWrite, ..Manner::default() };
    let merged = |parts: &[Part], manner, present: &[u16]| {
        let change = Change::new(parts, manner).unwrap();
        let Way::Merge(merge) = change.way() else { panic!("{change:?}") };
        assert_eq!(merge.span(), change.span());
        merge.request(present).map(|request| hex(&request))
    };
    let both = [on.clone(), mode];
    assert_eq!(merged(&both, manner, &[0xFFFF]).unwrap(), "06 00 10 FF DF");
    assert_eq!(merged(&both, manner, &[0]).unwrap(), "06 00 10 00 58");
    assert_eq!(merged(&both, manner, &[]), None);
    assert_eq!(merged(&both, manner, &[0, 0]), None);
    let several = Manner { function: WriteFunction::Multiple, ..manner };
    assert_eq!(merged(&both, several, &[0]).unwrap(), "10 00 10 00 01 02 00 58");
    assert_eq!(merged(&[across], manner, &[0, 0]).unwrap(), "10 00 10 00 02 04 00 03 C0 00");
    assert_eq!(merged(&[beside, on], manner, &[1, 9]).unwrap(), "10 00 10 00 02 04 00 09 00 01");
    let single = Manner { function: WriteFunction::Single, ..manner };
    let long = [part(bits(16, "u32", 0, 0), &Value::Bool(true))];
    assert!(Change::new(&long, single).unwrap_err().to_string().contains("function 06"));
}

#[test]
fn what_was_found_goes_back_whatever_it_means() {
    let digits = typed(0, "bcd16");
    let found = Part::found(Arc::clone(&digits), &Raw::Registers(vec![0xABCD].into()), None);
    assert_eq!(found.value(), None);
    assert_eq!(auto(&[found]).unwrap(), "06 00 00 AB CD");
    let field = bits(0, "u16", 4, 6);
    let found = Part::found(field, &Raw::Registers(vec![0xFFAF].into()), None);
    assert_eq!(found.value(), Some(&number("2")));
    assert_eq!(auto(&[found]).unwrap(), "16 00 00 FF 8F 00 20");
}

proptest! {
    /// What is written to some bits changes these bits and no others, in every order of bytes.
    #[test]
    fn bits_change_nothing_else(
        first in 0_u8..32, length in 0_u8..32, value: u64, present: [u16; 2],
        order in prop::sample::select(vec!["ABCD", "CDAB", "BADC", "DCBA"]),
    ) {
        let last = (first + length).min(31);
        let word = |field| point(Table::Holding, 0, |d| {
            d.data_type = DataType::U32;
            d.order = Some(order.parse().unwrap());
            d.field = field;
        });
        let (whole, field) = (word(None), word(Some(Field::new(first, last).unwrap())));
        let value = value & (u64::MAX >> (63 - (last - first)));
        let value = if first == last { Value::Bool(value == 1) } else { Value::Number(value.into()) };
        let part = Part::written(field, &value, None, false).unwrap();
        let manner = Manner { bits: WriteBits::ReadModifyWrite, ..Manner::default() };
        let change = Change::new(std::slice::from_ref(&part), manner).unwrap();
        let request = match change.way() {
            Way::Merge(merge) => merge.request(&present).unwrap(),
            Way::Request(request) => request.clone(),
        };
        let Request::WriteMultipleRegisters(0, written) = request else { panic!("{request:?}") };
        let number = |words: &[u16]| {
            let reading = whole.decode(&Raw::Registers(words.into()), None).unwrap();
            let Reading::Value(Value::Number(number)) = reading else { panic!("{reading:?}") };
            number.to_i128().unwrap()
        };
        let mask = ((1_i128 << (last - first + 1)) - 1) << first;
        prop_assert_eq!(number(&written) & !mask, number(&present) & !mask);
        prop_assert!(part.is_in(&Raw::Registers(written.as_ref().into())));
        prop_assert_eq!(part.point().decode(&Raw::Registers(written), None).unwrap(),
            Reading::Value(value));
    }
}
