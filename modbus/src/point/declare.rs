//! What a profile says of a point, and why it may make no sense.

use super::data_type::Encoding;
use super::{DataType, Order, Point, PointError, Scaling, Sentinel, Span, Table};
use crate::value::{Decimal, Width};

/// A point as a profile declares it, yet unchecked.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: Table,
    /// The protocol address of its first register or bit.
    pub address: u32,
    /// Its type.
    pub data_type: DataType,
    /// The point's own order.
    pub order: Option<Order>,
    /// The order of the whole profile, which does not touch `string` and `bytes`.
    pub profile_order: Order,
    /// What a raw number is multiplied by.
    pub scale: Decimal,
    /// What is added after scaling.
    pub offset: Decimal,
    /// The point that holds a further power of ten.
    pub scale_factor: Option<String>,
    /// The measuring unit.
    pub unit: Option<String>,
    /// Which bits of the word it is, if not all.
    pub field: Option<Field>,
    /// Number and label.
    pub labels: Vec<(i128, String)>,
    /// Which raw contents mean "not available".
    pub invalid: Invalid,
    /// What one may do with it; by default what its table allows.
    pub access: Option<Access>,
    /// The least and the greatest value that may be written.
    pub range: Option<(Decimal, Decimal)>,
    /// Whether it is never merged with other reads.
    pub alone: bool,
    /// Whether reading it changes the device.
    pub clears_on_read: bool,
    /// What it is, for people.
    pub description: Option<String>,
}

impl Declaration {
    /// A declaration with nothing but the default: `bool` in a bit table, `u16` in registers.
    pub fn new(name: impl Into<String>, table: Table, address: u32) -> Declaration {
        Declaration {
            name: name.into(),
            table,
            address,
            data_type: if table.is_bits() { DataType::Bool } else { DataType::U16 },
            order: None,
            profile_order: Order::default(),
            scale: Decimal::one(),
            offset: Decimal::zero(),
            scale_factor: None,
            unit: None,
            field: None,
            labels: Vec::new(),
            invalid: Invalid::None,
            access: None,
            range: None,
            alone: false,
            clears_on_read: false,
            description: None,
        }
    }

    /// The declaration of a bit field of this word, named `word.field`: where the word is and how
    /// it is read, but none of what the whole word means.
    #[must_use]
    pub fn field(&self, name: &str, field: Field) -> Declaration {
        Declaration {
            order: self.order,
            profile_order: self.profile_order,
            data_type: self.data_type,
            field: Some(field),
            invalid: self.invalid.clone(),
            access: self.access,
            alone: self.alone,
            clears_on_read: self.clears_on_read,
            ..Declaration::new(format!("{}.{name}", self.name), self.table, self.address)
        }
    }
}

/// What one may do with a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only read it.
    Read,
    /// Only write it.
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    /// Whether it may be read.
    pub const fn reads(self) -> bool {
        matches!(self, Access::Read | Access::ReadWrite)
    }

    /// Whether it may be written.
    pub const fn writes(self) -> bool {
        matches!(self, Access::Write | Access::ReadWrite)
    }
}

/// Some neighbouring bits of a word; bit 0 is the least significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field {
    first: u8,
    last: u8,
}

impl Field {
    /// The bits `first` to `last`, both included (`4..6` of a profile is three bits).
    ///
    /// # Errors
    /// [`PointError::FieldReversed`].
    pub fn new(first: u8, last: u8) -> Result<Field, PointError> {
        if first > last { Err(PointError::FieldReversed) } else { Ok(Field { first, last }) }
    }

    /// The least significant bit.
    pub fn first(self) -> u8 {
        self.first
    }

    /// The most significant bit.
    pub fn last(self) -> u8 {
        self.last
    }

    /// Whether it is one bit, which reads as a `bool`.
    pub fn is_single(self) -> bool {
        self.first == self.last
    }

    /// The greatest number in it.
    pub(super) fn greatest(self) -> u64 {
        u64::MAX >> (63_u8.saturating_sub(self.last - self.first))
    }
}

/// Which raw contents mean "not available".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// None.
    None,
    /// These: patterns (`0x8000`), or negative numbers of a signed type (`-32768`).
    Raw(Vec<i128>),
    /// What `SunSpec` calls the type's not-implemented value.
    SunSpec,
}

impl Point {
    /// The point of a declaration.
    ///
    /// # Errors
    /// Everything about it that makes no sense, at least one.
    pub fn new(declaration: Declaration) -> Result<Point, Vec<PointError>> {
        let mut errors = Vec::new();
        check_type(&declaration, &mut errors);
        check_scaling(&declaration, &mut errors);
        check_field(&declaration, &mut errors);
        check_labels(&declaration, &mut errors);
        check_writing(&declaration, &mut errors);
        let invalid = sentinel(&declaration).map_err(|error| errors.push(error)).ok();
        let count = declaration.data_type.registers();
        let address = declaration.address;
        let span = u16::try_from(address)
            .ok()
            .and_then(|start| Span::new(declaration.table, start, count))
            .ok_or(PointError::PastEnd { address, count })
            .map_err(|error| errors.push(error))
            .ok();
        match (span, invalid) {
            (Some(span), Some(invalid)) if errors.is_empty() => {
                Ok(Point::checked(declaration, span, invalid))
            }
            _ => Err(errors),
        }
    }

    fn checked(declaration: Declaration, span: Span, invalid: Sentinel) -> Point {
        let order = effective_order(&declaration);
        let access = declaration.access.unwrap_or(default_access(declaration.table));
        let scaling = Scaling {
            scale: declaration.scale,
            offset: declaration.offset,
            factor: declaration.scale_factor.map(Into::into),
        };
        let scales = scaling.scale != Decimal::one()
            || !scaling.offset.is_zero()
            || scaling.factor.is_some();
        let mut labels: Vec<(i128, Box<str>)> =
            declaration.labels.into_iter().map(|(number, label)| (number, label.into())).collect();
        labels.sort_unstable_by_key(|(number, _)| *number);
        Point {
            name: declaration.name.into(),
            span,
            data_type: declaration.data_type,
            order,
            access,
            alone: declaration.alone,
            clears_on_read: declaration.clears_on_read,
            field: declaration.field,
            scaling: scales.then(|| Box::new(scaling)),
            invalid,
            labels: labels.into(),
            range: declaration.range.map(Box::new),
            unit: declaration.unit.map(Into::into),
            description: declaration.description.map(Into::into),
        }
    }
}

/// The point's own order, else the profile's, which leaves text and bytes alone.
fn effective_order(declaration: &Declaration) -> Order {
    let inherited = if declaration.data_type.has_length() || declaration.table.is_bits() {
        Order::default()
    } else {
        declaration.profile_order
    };
    declaration.order.unwrap_or(inherited)
}

fn default_access(table: Table) -> Access {
    if table.is_writable() { Access::ReadWrite } else { Access::Read }
}

fn check_type(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { table, data_type, .. } = *declaration;
    if table.is_bits() && data_type != DataType::Bool {
        errors.push(PointError::RegisterType { table, data_type });
    }
    let order = effective_order(declaration);
    if !order.suits(data_type) {
        errors.push(PointError::OrderWidth { order, data_type });
    }
}

fn check_scaling(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { scale, offset, .. } = declaration;
    let scalable = is_number(declaration.data_type)
        && declaration.labels.is_empty()
        && declaration.field.is_none();
    let used = [
        ("scale", *scale != Decimal::one()),
        ("offset", !offset.is_zero()),
        ("scale_factor", declaration.scale_factor.is_some()),
    ];
    for (key, _) in used.into_iter().filter(|(_, used)| *used && !scalable) {
        errors.push(PointError::NotScalable { key });
    }
    if scale.is_zero() {
        errors.push(PointError::ScaleZero);
    }
    // Keeps every decoded value well within what can be written out and read back.
    for (key, number) in [("scale", scale), ("offset", offset)] {
        if number.plain_digits() > 100 {
            errors.push(PointError::TooLong { key });
        }
    }
}

fn is_number(data_type: DataType) -> bool {
    !matches!(data_type.encoding(), Encoding::Bool | Encoding::Text | Encoding::Bytes)
}

fn check_field(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let (Some(field), data_type) = (declaration.field, declaration.data_type) else { return };
    if data_type.encoding() != Encoding::Unsigned {
        errors.push(PointError::FieldType(data_type));
    } else if u16::from(field.last) >= 16 * data_type.registers() {
        errors.push(PointError::FieldOutside { data_type, bit: field.last });
    }
}

fn check_labels(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { labels, data_type, field, .. } = declaration;
    if labels.is_empty() {
        return;
    }
    let field = field.map(|field| (0, i128::from(field.greatest())));
    let Some((low, high)) = field.or_else(|| data_type.integers()) else {
        errors.push(PointError::LabelType(*data_type));
        return;
    };
    let mut numbers: Vec<i128> = labels.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    let outside = numbers.iter().filter(|number| !(low..=high).contains(number));
    errors.extend(outside.map(|number| PointError::LabelOutside(*number)));
    let twice = numbers.windows(2).filter(|pair| pair.first() == pair.last());
    errors.extend(twice.flatten().step_by(2).map(|number| PointError::LabelTwice(*number)));
}

fn check_writing(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { table, data_type, .. } = *declaration;
    let access = declaration.access.unwrap_or(default_access(table));
    if access.writes() && !table.is_writable() {
        errors.push(PointError::ReadOnlyTable(table));
    }
    let Some((low, high)) = &declaration.range else { return };
    if !access.writes() {
        errors.push(PointError::RangeReadOnly);
    }
    let single = declaration.field.is_some_and(Field::is_single);
    if !is_number(data_type) || !declaration.labels.is_empty() || single {
        errors.push(PointError::RangeType);
    }
    if low > high {
        errors.push(PointError::RangeReversed);
    }
}

fn sentinel(declaration: &Declaration) -> Result<Sentinel, PointError> {
    let data_type = declaration.data_type;
    match &declaration.invalid {
        Invalid::None => Ok(Sentinel::None),
        Invalid::SunSpec => sun_spec(data_type),
        Invalid::Raw(_) if !is_number(data_type) => Err(PointError::InvalidType(data_type)),
        Invalid::Raw(numbers) => {
            let pattern = |number: &i128| {
                let outside = PointError::InvalidOutside { number: *number, data_type };
                data_type.raw_pattern(*number).ok_or(outside)
            };
            let mut patterns: Vec<u64> = numbers.iter().map(pattern).collect::<Result<_, _>>()?;
            patterns.sort_unstable();
            Ok(Sentinel::Patterns(patterns.into()))
        }
    }
}

/// The not-implemented value of a type (`SunSpec` Device Information Model Specification, "Datatypes").
/// Accumulators, where 0 stands for it, are declared with `invalid: 0`.
fn sun_spec(data_type: DataType) -> Result<Sentinel, PointError> {
    let bits = u32::from(data_type.registers()) * 16;
    let pattern = match data_type.encoding() {
        Encoding::Unsigned => u64::MAX >> (64 - bits),
        Encoding::Signed => 1 << (bits - 1),
        Encoding::Float(Width::F32 | Width::F64) => {
            return Ok(Sentinel::NotANumber);
        }
        Encoding::Text => return Ok(Sentinel::Empty),
        _ => return Err(PointError::InvalidSunSpec(data_type)),
    };
    Ok(Sentinel::Patterns(Box::new([pattern])))
}
