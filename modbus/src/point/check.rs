//! From a declaration to a point, or why it makes no sense.

use super::data_type::Encoding;
use super::declare::{Access, Declaration, Field, Invalid};
use super::location::{Location, Medium, Site};
use super::{DataType, Order, Point, PointError, Scaling, Sentinel, Span};
use crate::pdu::file::Section;
use crate::value::{Decimal, Width};

impl Point {
    /// The point of a declaration.
    ///
    /// # Errors
    /// Everything about it that makes no sense, at least one.
    pub fn new(declaration: Declaration) -> Result<Point, Vec<PointError>> {
        let mut errors = Vec::new();
        check_type(&declaration, &mut errors);
        check_part(&declaration, &mut errors);
        check_order(&declaration, &mut errors);
        check_scaling(&declaration, &mut errors);
        check_field(&declaration, &mut errors);
        check_labels(&declaration, &mut errors);
        check_writing(&declaration, &mut errors);
        let invalid = sentinel(&declaration).map_err(|error| errors.push(error)).ok();
        let location = location(&declaration).map_err(|error| errors.push(error)).ok();
        match (location, invalid) {
            (Some(location), Some(invalid)) if errors.is_empty() => {
                Ok(Point::checked(declaration, location, invalid))
            }
            _ => Err(errors),
        }
    }

    fn checked(declaration: Declaration, location: Location, invalid: Sentinel) -> Point {
        let medium = declaration.medium();
        let order = effective_order(&declaration);
        let access = declaration.access.unwrap_or(default_access(declaration.site));
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
            location,
            medium,
            at: declaration.at,
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

/// The place of a declaration, with the length that its type gives it.
fn location(declaration: &Declaration) -> Result<Location, PointError> {
    let count = declaration.data_type.registers();
    let past_end = |address| PointError::PastEnd { address, count };
    Ok(match declaration.site {
        Site::Table(table, address) => {
            let start = u16::try_from(address).map_err(|_| past_end(address))?;
            // A length that is missing is reported as such.
            let span = Span::new(table, start, count.max(1)).ok_or(past_end(address))?;
            Location::Table(span)
        }
        Site::DeviceId(object) => Location::DeviceId(object),
        Site::ServerId => Location::ServerId,
        Site::Diagnostic(counter) => Location::Diagnostic(counter),
        Site::ExceptionStatus => Location::ExceptionStatus,
        Site::File(file, first) => {
            if count > Section::MAX_LENGTH {
                return Err(PointError::FileLength(count));
            }
            let last = u32::from(first) + u32::from(count.max(1)) - 1;
            if file == 0 || last > Section::LAST_RECORD.into() {
                return Err(PointError::PastFile { file, record: first, count });
            }
            Location::File(Section { file, first, length: count })
        }
        Site::Fifo(address) => {
            Location::Fifo(u16::try_from(address).map_err(|_| past_end(address))?)
        }
    })
}

/// The point's own order, else the profile's, which leaves text and bytes alone.
fn effective_order(declaration: &Declaration) -> Order {
    let inherits = !declaration.data_type.has_length() && declaration.site.has_profile_order();
    let inherited = if inherits { declaration.profile_order } else { Order::default() };
    declaration.order.unwrap_or(inherited)
}

fn default_access(site: Site) -> Access {
    if site.is_writable() { Access::ReadWrite } else { Access::Read }
}

fn check_type(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { site, data_type, .. } = *declaration;
    match (declaration.medium(), site) {
        (Medium::Bit, Site::Table(table, _)) if data_type != DataType::Bool => {
            errors.push(PointError::RegisterType { table, data_type });
        }
        (Medium::Number(_), Site::Fifo(_)) if data_type != DataType::U16 => {
            errors.push(PointError::QueueType(data_type));
        }
        (Medium::Number(_), _) if data_type != DataType::U16 => {
            errors.push(PointError::NumberType(data_type));
        }
        (Medium::Registers, _) if data_type.has_length() && data_type.registers() == 0 => {
            errors.push(PointError::LengthMissing(data_type));
        }
        _ => {}
    }
}

/// Where the point is in what is there.
fn check_part(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { site, at, data_type, .. } = *declaration;
    if at.is_some() && !site.has_parts() {
        errors.push(PointError::PartNeedless);
    }
    let (size, most) = match declaration.medium() {
        Medium::Queue(most) => (data_type.registers(), most),
        Medium::Bytes(most) => (data_type.bytes(), most),
        _ => return,
    };
    let at = at.unwrap_or(0);
    if at.saturating_add(size.max(1)) > most {
        errors.push(PointError::PartOutside { at, size, most });
    }
}

fn check_order(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let data_type = declaration.data_type;
    let order = effective_order(declaration);
    let ordered = match declaration.medium() {
        Medium::Number(_) => false,
        Medium::Bytes(_) => is_number(data_type),
        Medium::Bit | Medium::Registers | Medium::Queue(_) => true,
    };
    if declaration.order.is_some() && !ordered {
        errors.push(PointError::OrderNeedless);
    } else if !order.suits(data_type) {
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
    } else if u16::from(field.last()) >= 16 * data_type.registers() {
        errors.push(PointError::FieldOutside { data_type, bit: field.last() });
    } else if let Medium::Number(greatest) = declaration.medium()
        && u32::from(greatest) >> field.last() == 0
    {
        errors.push(PointError::FieldBeyond { greatest, bit: field.last() });
    }
}

fn check_labels(declaration: &Declaration, errors: &mut Vec<PointError>) {
    let Declaration { labels, data_type, field, .. } = declaration;
    if labels.is_empty() {
        return;
    }
    let field = field.map(|field| (0, i128::from(field.greatest())));
    let number = match declaration.medium() {
        Medium::Number(greatest) => Some((0, greatest.into())),
        _ => None,
    };
    let Some((low, high)) = field.or(number).or_else(|| data_type.integers()) else {
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
    let Declaration { site, data_type, .. } = *declaration;
    let access = declaration.access.unwrap_or(default_access(site));
    match site {
        _ if !access.writes() || site.is_writable() => {}
        Site::Table(table, _) => errors.push(PointError::ReadOnlyTable(table)),
        _ => errors.push(PointError::ReadOnly),
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
