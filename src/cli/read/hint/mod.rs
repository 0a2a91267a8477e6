//! Why a value looks wrong: the words of a number in another order, or a number of another type,
//! are the usual mistakes with a register map. Pure. Silent on every value that could be meant: a
//! hint is for one that could not, where another reading is one that people have.

use passline_modbus::point::{DataType, Declaration, Order, Point, Raw, Reading};
use passline_modbus::value::Value;

use crate::learn::plausible::Number;

/// Another way to read the same registers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hint {
    /// The options that read them so.
    pub(super) options: String,
    /// What they would be.
    pub(super) value: Value,
}

const MANY_DIGITS: usize = 7;
const FEW_DIGITS: usize = 5;
/// Most digits of a float that is suspected in a whole number: of whole numbers that large, one in
/// three thousand is such a float by chance.
const VERY_FEW_DIGITS: usize = 4;

/// The likeliest other order, and the likeliest other type, for registers that cannot be meant as
/// the point reads them; the likelier of the two first. Empty for all others.
pub(super) fn hints(point: &Point, registers: &[u16]) -> Vec<Hint> {
    let Some(now) = number(point, registers).filter(|_| point.field().is_none()) else {
        return Vec::new();
    };
    let likeliest = |others: Vec<Other>| {
        let likely = |other: Other| {
            let number = number(&other.unscaled(point)?, registers)?;
            now.looks_like(number).then(|| (number.length(), other))
        };
        others.into_iter().filter_map(likely).min_by_key(|(length, _)| *length)
    };
    let found = [likeliest(other_orders(point)), likeliest(other_types(point))];
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(length, _)| *length);
    let hints = found.into_iter().filter_map(|(_, other)| other.hint(point, registers));
    let mut hints: Vec<Hint> = hints.collect();
    // A small number is the same in the signed and in the unsigned type.
    hints.dedup_by(|one, other| one.value == other.value);
    hints
}

/// Another type, another order, or both.
#[derive(Debug, Clone, Copy)]
struct Other {
    data_type: Option<DataType>,
    order: Option<Order>,
}

impl Other {
    fn declaration(self, point: &Point) -> Option<Declaration> {
        let span = point.span()?;
        let mut declaration = Declaration::new("value", span.table(), span.address().into());
        declaration.data_type = self.data_type.unwrap_or(point.data_type());
        declaration.order = Some(self.order.unwrap_or(point.order()));
        Some(declaration)
    }

    fn unscaled(self, point: &Point) -> Option<Point> {
        Point::new(self.declaration(point)?).ok()
    }

    fn hint(self, point: &Point, registers: &[u16]) -> Option<Hint> {
        let (scale, offset) = (point.scale(), point.offset());
        let other = Point::new(Declaration { scale, offset, ..self.declaration(point)? }).ok()?;
        let data_type = self.data_type.map(|data_type| format!("--type {data_type}"));
        let order = self.order.map(|order| format!("--order {order}"));
        let options: Vec<String> = data_type.into_iter().chain(order).collect();
        Some(Hint { options: options.join(" "), value: value(&other, registers)? })
    }
}

/// The other orders of four letters, the swapped words first: they are by far the most common.
fn other_orders(point: &Point) -> Vec<Other> {
    let others =
        ["CDAB", "ABCD", "DCBA", "BADC"].into_iter().filter_map(|order| order.parse().ok());
    let others = others.filter(|order| *order != point.order());
    others.map(|order| Other { data_type: None, order: Some(order) }).collect()
}

/// The other types of the same length, in the same order and with the words swapped.
fn other_types(point: &Point) -> Vec<Other> {
    let types: &[DataType] = match point.data_type() {
        DataType::F32 => &[DataType::U32, DataType::I32],
        DataType::F64 => &[DataType::U64, DataType::I64],
        DataType::U32 => &[DataType::F32, DataType::I32],
        DataType::I32 => &[DataType::F32],
        DataType::U64 => &[DataType::F64, DataType::I64],
        DataType::I64 => &[DataType::F64],
        _ => &[],
    };
    let orders =
        std::iter::once(None).chain(other_orders(point).into_iter().map(|o| o.order).take(1));
    orders
        .flat_map(|order| types.iter().map(move |t| Other { data_type: Some(*t), order }))
        .collect()
}

/// The number in the registers of a point of one of the types that words make, unscaled.
fn number(point: &Point, registers: &[u16]) -> Option<Number> {
    let unscaled = Other { data_type: None, order: None }.unscaled(point)?;
    match (point.data_type(), value(&unscaled, registers)?) {
        (DataType::F32, Value::F32(float)) => Some(Number::Single(float)),
        (DataType::F64, Value::F64(float)) => Some(Number::Double(float)),
        (DataType::U32 | DataType::I32 | DataType::U64 | DataType::I64, Value::Number(number)) => {
            Some(Number::Whole(number.to_i128()?, point.data_type().registers()))
        }
        _ => None,
    }
}

fn value(point: &Point, registers: &[u16]) -> Option<Value> {
    match point.decode(&Raw::Registers(registers.into()), None).ok()? {
        Reading::Value(value) => Some(value),
        Reading::Invalid => None,
    }
}

impl Number {
    /// Whether this cannot be meant, while `other`, of the same registers, can.
    fn looks_like(self, other: Number) -> bool {
        let shorter = self.digits() >= MANY_DIGITS && other.digits() <= FEW_DIGITS;
        match (self, other) {
            // The sign bit alone mostly means that there is no value.
            (Self::Whole(now, count), Self::Whole(..)) if now.abs() == 1 << (16 * count - 1) => {
                false
            }
            // A small number has nothing but its sign in the first words: here it is in the last.
            (Self::Whole(now, 4), Self::Whole(other, _)) => {
                now.abs() >= 1 << 48 && is_small(other, 1 << 32)
            }
            (Self::Whole(now, _), Self::Whole(other, _)) => {
                (now.abs() >= 1 << 16 && is_small(other, 1 << 16))
                    || (now.abs() >= 1 << 28 && shorter && is_small(other, 1 << 22))
            }
            (Self::Whole(now, _), float) => {
                now.abs() >= 1 << 24 && float.is_usual() && float.digits() <= VERY_FEW_DIGITS
            }
            (float, Self::Whole(other, _)) => float.is_nonsense() && is_small(other, 1 << 24),
            (float, other) => {
                other.is_usual() && (float.is_nonsense() || (shorter && !float.is_usual()))
            }
        }
    }
}

/// -1 is all ones, which mostly means that there is no value.
fn is_small(number: i128, limit: i128) -> bool {
    number.abs() < limit && !matches!(number, -1 | 0)
}

#[cfg(test)]
mod tests;
