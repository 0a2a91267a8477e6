//! What a plain scalar is: the core schema of YAML 1.2.2 (chapter 10.3), except that a number with
//! a leading zero is refused, because half of the world reads it as octal.

use passline_modbus::value::Decimal;

use super::Written;

/// A plain scalar's type and value.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain<'t> {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Decimal, `0x`, `0o`, or with a fraction: exact.
    Number(Decimal),
    /// `.inf`, `-.inf` or `.nan`.
    NotFinite(f64),
    /// Everything else, `yes`, `no` and `on` among it.
    Text(&'t str),
}

/// A plain scalar that looks like a number and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTyped {
    /// `010`: decimal to some, octal to others. Holds the number without its leading zeros.
    #[error("a number with a leading zero is ambiguous")]
    LeadingZero(String),
    /// More digits or a larger exponent than [`Decimal`] holds.
    #[error("the number has too many digits or too large an exponent")]
    TooLarge,
}

impl<'t> Written<'t> {
    /// Whether it is a missing value.
    pub fn is_null(self) -> bool {
        self.plain && matches!(self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether it is text and nothing else.
    pub fn is_text(self) -> bool {
        matches!(self.typed(), Ok(Plain::Text(_)))
    }

    /// Its type and value. Quoted scalars are always text.
    ///
    /// # Errors
    /// [`NotTyped`] for a number that is ambiguous or out of bounds.
    pub fn typed(self) -> Result<Plain<'t>, NotTyped> {
        if !self.plain {
            return Ok(Plain::Text(self.text));
        }
        Ok(match self.text {
            "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
            "true" | "True" | "TRUE" => Plain::Bool(true),
            "false" | "False" | "FALSE" => Plain::Bool(false),
            ".nan" | ".NaN" | ".NAN" => Plain::NotFinite(f64::NAN),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
                Plain::NotFinite(f64::INFINITY)
            }
            "-.inf" | "-.Inf" | "-.INF" => Plain::NotFinite(f64::NEG_INFINITY),
            text => match number(text)? {
                Some(number) => Plain::Number(number),
                None => Plain::Text(text),
            },
        })
    }
}

fn number(text: &str) -> Result<Option<Decimal>, NotTyped> {
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8);
    }
    if !is_decimal(text) {
        return Ok(None);
    }
    let unsigned = text.trim_start_matches(['-', '+']);
    let stripped = unsigned.trim_start_matches('0');
    let leading_zeros = unsigned.len() - stripped.len();
    let needed = usize::from(!stripped.starts_with(|c: char| c.is_ascii_digit()));
    if leading_zeros > needed {
        let sign = if text.starts_with('-') { "-" } else { "" };
        return Err(NotTyped::LeadingZero(format!("{sign}{}{stripped}", "0".repeat(needed))));
    }
    exact(text).map(Some).ok_or(NotTyped::TooLarge)
}

fn exact(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// Hexadecimal and octal numbers, up to 128 bits.
fn based(digits: &str, radix: u32) -> Result<Option<Decimal>, NotTyped> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    let number = u128::from_str_radix(digits, radix).map_err(|_| NotTyped::TooLarge)?;
    exact(&number.to_string()).map(Some).ok_or(NotTyped::TooLarge)
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}
