//! Exact decimals, and floats compared with them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::float_cmp, reason = "the very float is meant")]

use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use passline_modbus::value::{Decimal, DecimalError, Value, Width};
use proptest::prelude::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn hash(value: &Decimal) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn reads_the_decimal_numbers_of_yaml_and_writes_them_canonically() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("+7", "7"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-12.50", "-12.5"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("120e-1", "12"),
        ("18446744073709551615", "18446744073709551615"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("1e100", &format!("1{}", "0".repeat(100))),
        ("1.5e102", "15e101"),
        ("-1e-101", "-1e-101"),
        ("1e400", "1e400"),
    ] {
        assert_eq!(decimal(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn refuses_what_is_no_decimal_number_or_too_long() {
    let long = "1".repeat(401);
    for (text, error) in [
        ("", DecimalError::Syntax),
        (".", DecimalError::Syntax),
        ("-", DecimalError::Syntax),
        ("--1", DecimalError::Syntax),
        ("1.2.3", DecimalError::Syntax),
        ("1e", DecimalError::Syntax),
        ("1e+", DecimalError::Syntax),
        ("1e1.5", DecimalError::Syntax),
        ("e5", DecimalError::Syntax),
        (" 1", DecimalError::Syntax),
        ("1_000", DecimalError::Syntax),
        ("0x10", DecimalError::Syntax),
        ("٣", DecimalError::Syntax),
        ("NaN", DecimalError::Syntax),
        ("inf", DecimalError::Syntax),
        (long.as_str(), DecimalError::TextDigits),
        ("1e401", DecimalError::TextExponent),
        ("1e-401", DecimalError::TextExponent),
        ("1e99999999999999999999", DecimalError::TextExponent),
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(error), "{text}");
    }
    assert!("1".repeat(400).parse::<Decimal>().is_ok());
}

#[test]
fn nothing_grows_without_bound() {
    let mut value = decimal("1e400");
    let error = loop {
        match value.checked_mul(&value) {
            Ok(product) => value = product,
            Err(error) => break error,
        }
    };
    assert_eq!(error, DecimalError::Size);
    let tiny = decimal("1e-400").times_power_of_ten(-1600).unwrap();
    assert_eq!(tiny.times_power_of_ten(-1), Err(DecimalError::Size));
    assert_eq!(value.checked_add(&tiny), Err(DecimalError::Size));
}

#[test]
fn divides_to_34_digits_halves_to_even() {
    let third = "0.3333333333333333333333333333333333";
    let sum = "1.0000000000000000000000000000000005"; // 35 digits: a half
    let odd = "1.0000000000000000000000000000000015";
    for (left, right, quotient) in [
        ("1", "3", third),
        ("-1", "3", &format!("-{third}")),
        ("2", "3", "0.6666666666666666666666666666666667"),
        ("-2", "3", "-0.6666666666666666666666666666666667"),
        ("1", "8", "0.125"),
        ("0", "-7", "0"),
        ("0.3", "0.1", "3"),
        (sum, "1", "1"),
        (odd, "1", "1.000000000000000000000000000000002"),
        ("1.00000000000000000000000000000000050000001", "1", "1.000000000000000000000000000000001"),
        ("9.9999999999999999999999999999999999", "1", "10"),
    ] {
        assert_eq!(
            decimal(left).checked_div(&decimal(right)).unwrap().to_string(),
            quotient,
            "{left}/{right}"
        );
    }
    assert_eq!(Decimal::one().checked_div(&Decimal::zero()), Err(DecimalError::DivisionByZero));
    assert_eq!(Decimal::one().checked_rem(&Decimal::zero()), Err(DecimalError::DivisionByZero));
}

#[test]
fn takes_roots() {
    for (square, root) in [
        ("0", "0"),
        ("4", "2"),
        ("0.09", "0.3"),
        ("1e-4", "0.01"),
        ("1e3", "31.62277660168379331998893544432719"),
        ("2", "1.414213562373095048801688724209698"),
        ("152399025", "12345"),
    ] {
        assert_eq!(decimal(square).checked_sqrt().unwrap().to_string(), root, "{square}");
    }
    assert_eq!(decimal("-1").checked_sqrt(), Err(DecimalError::NegativeRoot));
}

#[test]
fn rounds_halves_away_from_zero() {
    for (value, places, rounded) in [
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("2.4999", 0, "2"),
        ("1.005", 2, "1.01"),
        ("1.005", 5, "1.005"),
        ("149", -2, "100"),
        ("150", -2, "200"),
        ("5", -3, "0"),
        ("-0.4", 0, "0"),
    ] {
        assert_eq!(decimal(value).rounded(places).to_string(), rounded, "{value} to {places}");
    }
}

#[test]
fn integers_come_and_go_whole() {
    for number in [i128::MIN, -1, 0, 10, i128::from(u64::MAX), i128::MAX] {
        assert_eq!(Decimal::from(number).to_i128(), Some(number));
        assert_eq!(Decimal::from(number).to_string(), number.to_string());
    }
    assert_eq!(Decimal::from(u128::MAX).to_string(), u128::MAX.to_string());
    assert_eq!(Decimal::from(u128::MAX).to_i128(), None);
    assert_eq!(decimal("1e39").to_i128(), None);
    assert_eq!(decimal("1e400").to_i128(), None);
    assert_eq!(decimal("0.5").to_i128(), None);
}

/// Every half between neighbouring f16 and a hair to either side of it.
#[test]
fn f16_is_rounded_once() {
    let hair = decimal("1e-60");
    for bits in 0..0x7BFF_u16 {
        let low = half::f16::from_bits(bits);
        let high = half::f16::from_bits(bits + 1);
        let exact = |float: half::f16| Decimal::try_from(f64::from(float)).unwrap();
        let sum = exact(low).checked_add(&exact(high)).unwrap();
        let middle = sum.checked_mul(&decimal("0.5")).unwrap();
        let even = if bits & 1 == 0 { low } else { high };
        for (value, nearest) in [
            (exact(low), low),
            (middle.clone(), even),
            (middle.checked_sub(&hair).unwrap(), low),
            (middle.checked_add(&hair).unwrap(), high),
        ] {
            assert_eq!(Width::F16.nearest(&value), f64::from(nearest), "{value}");
            assert_eq!(Width::F16.nearest(&value.negated()), -f64::from(nearest), "-{value}");
        }
    }
    assert_eq!(Width::F16.nearest(&decimal("65519.9999")), 65504.0);
    assert_eq!(Width::F16.nearest(&decimal("65520")), f64::INFINITY);
    assert_eq!(Width::F16.round(&decimal("65520")), Err(DecimalError::NotFinite));
    assert_eq!(Width::F16.round(&decimal("0.1")), Ok(decimal("0.0999755859375")));
}

#[test]
fn a_limit_is_rounded_to_the_float_it_meets() {
    let compare = |value: Value, limit: &str| value.compare(&decimal(limit));
    assert_eq!(compare(Value::F32(230.4), "230.4"), Some(Ordering::Equal));
    assert_eq!(compare(Value::F64(230.4), "230.4"), Some(Ordering::Equal));
    assert_eq!(compare(Value::F64(f64::from(230.4_f32)), "230.4"), Some(Ordering::Less));
    assert_eq!(compare(Value::F32(230.4_f32.next_up()), "230.4"), Some(Ordering::Greater));
    assert_eq!(compare(Value::F32(-0.0), "0"), Some(Ordering::Equal));
    assert_eq!(compare(Value::F32(f32::NAN), "0"), None);
    assert_eq!(compare(Value::F64(f64::NAN), "0"), None);
    // A limit beyond the width is not the infinity that it would be rounded to.
    assert_eq!(compare(Value::F32(f32::INFINITY), "1e39"), Some(Ordering::Greater));
    assert_eq!(compare(Value::F32(f32::NEG_INFINITY), "-1e39"), Some(Ordering::Less));
    assert_eq!(compare(Value::F32(f32::MAX), "1e39"), Some(Ordering::Less));
    let number = Value::Number(decimal("0.3"));
    assert_eq!(number.compare(&decimal("0.30")), Some(Ordering::Equal));
    assert_eq!(number.compare(&decimal("0.30000000000000000001")), Some(Ordering::Less));
    for other in [Value::Bool(true), Value::Text("1".into()), Value::Bytes(vec![1])] {
        assert_eq!(other.compare(&Decimal::one()), None);
        assert_eq!(other.to_decimal(), None);
    }
}

#[test]
fn values_for_people() {
    for (value, text) in [
        (Value::Bool(true), "true"),
        (Value::Number(decimal("0.30")), "0.3"),
        (Value::F32(230.4), "230.4"),
        (Value::F32(230.0), "230"),
        (Value::F32(1e-7), "1e-7"),
        (Value::F32(f32::MAX), "3.4028235e38"),
        (Value::F64(0.1), "0.1"),
        (Value::F64(f64::from(0.1_f32)), "0.10000000149011612"),
        (Value::F32(f32::NAN), "NaN"),
        (Value::F64(f64::NEG_INFINITY), "-Infinity"),
        (Value::Text("idle".into()), "idle"),
        (Value::Bytes(vec![0, 0xAB]), "00 AB"),
    ] {
        assert_eq!(value.to_string(), text);
    }
}

/// Decimals of one to nineteen digits around the point.
fn decimals() -> impl Strategy<Value = (i64, u32)> {
    (any::<i64>(), 0..12_u32)
}

fn build((digits, places): (i64, u32)) -> Decimal {
    Decimal::from(digits).times_power_of_ten(-places.cast_signed()).unwrap()
}

/// The digits at twelve places: a second opinion by integers.
fn widen((digits, places): (i64, u32)) -> i128 {
    i128::from(digits) * 10_i128.pow(12 - places)
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in decimals()) {
        let value = build(value);
        prop_assert_eq!(value.to_string().parse::<Decimal>().unwrap(), value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-+.eE0-9 ]{0,12}|.{0,12}") {
        if let Ok(value) = text.parse::<Decimal>() {
            prop_assert_eq!(value.to_f64(), text.parse::<f64>().unwrap());
        }
    }

    #[test]
    fn equal_values_hash_alike((digits, places) in decimals(), zeros in 0..6_u32) {
        let one = build((digits, places));
        let padded = format!("{digits}{}e-{}", "0".repeat(zeros as usize), places + zeros);
        let other = decimal(&padded);
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(hash(&one), hash(&other));
        prop_assert_eq!(one.to_string(), other.to_string());
    }

    #[test]
    fn sums_products_and_order_agree_with_integers(one in decimals(), other in decimals()) {
        let (left, right) = (build(one), build(other));
        let at = |integer: i128, places: i32| {
            Decimal::from(integer).times_power_of_ten(-places).unwrap()
        };
        prop_assert_eq!(left.checked_add(&right).unwrap(), at(widen(one) + widen(other), 12));
        prop_assert_eq!(left.checked_sub(&right).unwrap(), at(widen(one) - widen(other), 12));
        prop_assert_eq!(left.cmp(&right), widen(one).cmp(&widen(other)));
        let product = i128::from(one.0) * i128::from(other.0);
        let places = (one.1 + other.1).cast_signed();
        prop_assert_eq!(left.checked_mul(&right).unwrap(), at(product, places));
        if other.0 != 0 {
            let remainder = at(widen(one) % widen(other), 12);
            prop_assert_eq!(left.checked_rem(&right).unwrap(), remainder);
        }
    }

    /// |quotient × divisor − dividend| is at most half a unit of the last digit.
    #[test]
    fn quotients_are_the_nearest(one in decimals(), other in decimals()) {
        let (left, right) = (build(one), build(other));
        prop_assume!(!right.is_zero() && !left.is_zero());
        let quotient = left.checked_div(&right).unwrap();
        let error = quotient.checked_mul(&right).unwrap().checked_sub(&left).unwrap().abs();
        let bound = half_unit(&quotient).checked_mul(&right.abs()).unwrap();
        prop_assert!(error <= bound, "{} / {} = {}", left, right, quotient);
    }

    #[test]
    fn roots_are_the_nearest(value in decimals()) {
        let value = build(value).abs();
        prop_assume!(!value.is_zero());
        let root = value.checked_sqrt().unwrap();
        let half = half_unit(&root);
        let square = |root: Decimal| root.checked_mul(&root).unwrap();
        prop_assert!(square(root.checked_sub(&half).unwrap()) <= value);
        prop_assert!(square(root.checked_add(&half).unwrap()) >= value);
    }

    #[test]
    fn every_float_is_an_exact_decimal(bits in any::<u64>()) {
        let float = f64::from_bits(bits);
        match Decimal::try_from(float) {
            Ok(exact) => prop_assert_eq!(exact.to_f64(), float),
            Err(error) => {
                prop_assert_eq!(error, DecimalError::NotFinite);
                prop_assert!(!float.is_finite());
            }
        }
    }

    /// Between two neighbouring f32 the half goes to the even one, a hair off it to the nearer.
    #[test]
    fn f32_is_rounded_once(bits in 0..0x7F7F_FFFF_u32) {
        let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
        let sum = Decimal::try_from(low).unwrap().checked_add(&Decimal::try_from(high).unwrap());
        let middle = sum.unwrap().checked_mul(&decimal("0.5")).unwrap();
        let hair = decimal("1e-300");
        let even = if bits & 1 == 0 { low } else { high };
        prop_assert_eq!(middle.to_f32(), even);
        prop_assert_eq!(middle.checked_sub(&hair).unwrap().to_f32(), low);
        prop_assert_eq!(middle.checked_add(&hair).unwrap().to_f32(), high);
    }

    #[test]
    fn displayed_floats_read_back(bits in any::<u32>(), wide in any::<u64>()) {
        let (float, wide) = (f32::from_bits(bits), f64::from_bits(wide));
        if float.is_finite() {
            prop_assert_eq!(Value::F32(float).to_string().parse::<f32>().unwrap(), float);
        }
        if wide.is_finite() {
            prop_assert_eq!(Value::F64(wide).to_string().parse::<f64>().unwrap(), wide);
        }
    }
}

#[test]
fn bytes_read_back_from_how_they_are_shown() {
    for (text, bytes) in
        [("", &[][..]), ("0A FF", &[0x0A, 0xFF]), ("0aff", &[0x0A, 0xFF]), ("00", &[0])]
    {
        assert_eq!(Value::bytes(text), Some(Value::Bytes(bytes.to_vec())), "{text}");
    }
    for text in ["0", "0A F", "0x0A", "+1", "gg", "0A-FF", "é"] {
        assert_eq!(Value::bytes(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_read_back_and_any_text_is_read_or_refused(bytes: Vec<u8>, text in ".{0,8}") {
        let value = Value::Bytes(bytes);
        prop_assert_eq!(Value::bytes(&value.to_string()), Some(value));
        Value::bytes(&text);
    }
}

/// Half a unit of the 34th digit.
fn half_unit(value: &Decimal) -> Decimal {
    let magnitude = value.abs().to_string();
    let whole = magnitude.split('.').next().unwrap_or_default().trim_start_matches('0').len();
    let leading = if whole > 0 {
        i32::try_from(whole).unwrap()
    } else {
        let fraction = magnitude.split('.').nth(1).unwrap_or_default();
        let zeros = fraction.len() - fraction.trim_start_matches('0').len();
        -i32::try_from(zeros).unwrap()
    };
    decimal("0.5").times_power_of_ten(leading - 34).unwrap()
}
