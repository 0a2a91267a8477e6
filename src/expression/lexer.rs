//! Text to tokens.

use std::ops::Range;

use passline_modbus::value::{Decimal, DecimalError};

use super::syntax::{Comparison, Literal, Logical, Operator};
use super::{SyntaxError, SyntaxErrorKind};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(Literal),
    Name(String),
    Not,
    Logical(Logical),
    Operator(Operator),
    Comparison(Comparison),
    Open,
    Close,
    Comma,
    End,
}

/// All tokens of a text, `End` last.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut start = 0;
    loop {
        let rest = text.get(start..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        start += blanks;
        let rest = rest.trim_start();
        if rest.is_empty() {
            tokens.push((Token::End, start..start));
            return Ok(tokens);
        }
        let (token, length) = token(rest)
            .map_err(|(kind, length)| SyntaxError { kind, span: start..start + length })?;
        tokens.push((token, start..start + length));
        start += length;
    }
}

/// A kind of token or what is wrong, and its length in bytes.
type Lexed = Result<(Token, usize), (SyntaxErrorKind, usize)>;

/// The first token of a text that begins with no blank.
fn token(text: &str) -> Lexed {
    if let Some(found) = symbol(text) {
        return Ok(found);
    }
    match text.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(text, quote),
        Some(first) if first.is_ascii_digit() || first == '.' => number_or_name(text),
        Some(first) if is_word(first) => word(text),
        Some(other) => Err((SyntaxErrorKind::Character(other), other.len_utf8())),
        None => Ok((Token::End, 0)),
    }
}

fn symbol(text: &str) -> Option<(Token, usize)> {
    const SYMBOLS: [(&str, Token); 14] = [
        ("==", Token::Comparison(Comparison::Equal)),
        ("!=", Token::Comparison(Comparison::NotEqual)),
        ("<=", Token::Comparison(Comparison::LessOrEqual)),
        (">=", Token::Comparison(Comparison::GreaterOrEqual)),
        ("<", Token::Comparison(Comparison::Less)),
        (">", Token::Comparison(Comparison::Greater)),
        ("+", Token::Operator(Operator::Add)),
        ("-", Token::Operator(Operator::Subtract)),
        ("*", Token::Operator(Operator::Multiply)),
        ("/", Token::Operator(Operator::Divide)),
        ("%", Token::Operator(Operator::Remainder)),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    let found = SYMBOLS.into_iter().find(|(symbol, _)| text.starts_with(symbol));
    found.map(|(symbol, token)| (token, symbol.len()))
}

fn quoted(text: &str, quote: char) -> Lexed {
    let inner = text.get(1..).unwrap_or_default();
    let Some((inner, _)) = inner.split_once(quote) else {
        return Err((SyntaxErrorKind::OpenText, text.len()));
    };
    Ok((Token::Literal(Literal::Text(inner.to_owned())), inner.len() + 2))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The length of what a name, or a number without a sign in it, would take.
fn run(text: &str) -> usize {
    text.find(|character| !is_word(character) && character != '.').unwrap_or(text.len())
}

/// A word that begins with a digit is a number if all of it is one; else it is the name of
/// something that begins with a digit (`3phase.voltage`).
fn number_or_name(text: &str) -> Lexed {
    let plain = text.get(..run(text)).unwrap_or_default();
    if let Some(digits) = plain.strip_prefix("0x") {
        let number = u128::from_str_radix(digits, 16);
        let number = number.map_err(|_| (SyntaxErrorKind::Hexadecimal, plain.len()))?;
        return Ok((Token::Literal(Literal::Number(number.into())), plain.len()));
    }
    let number = with_exponent_sign(text, plain);
    match number.parse::<Decimal>() {
        Ok(value) => Ok((Token::Literal(Literal::Number(value)), number.len())),
        Err(DecimalError::Syntax) if plain.contains(|it: char| it.is_alphabetic() || it == '_') => {
            word(text)
        }
        Err(error) => Err((SyntaxErrorKind::Number(error), number.len())),
    }
}

/// `1e` goes on with `-3` if digits follow.
fn with_exponent_sign<'a>(text: &'a str, plain: &'a str) -> &'a str {
    let mantissa = plain.strip_suffix(['e', 'E']).unwrap_or(plain);
    let behind = text.get(plain.len()..).unwrap_or_default();
    let digits = behind.strip_prefix(['-', '+']).map_or(0, run);
    if mantissa.len() < plain.len() && mantissa.parse::<Decimal>().is_ok() && digits > 0 {
        return text.get(..plain.len() + 1 + digits).unwrap_or(plain);
    }
    plain
}

/// A keyword or a name.
fn word(text: &str) -> Lexed {
    let text = text.get(..run(text)).unwrap_or_default();
    let token = match text {
        "and" => Token::Logical(Logical::And),
        "or" => Token::Logical(Logical::Or),
        "not" => Token::Not,
        "true" => Token::Literal(Literal::Bool(true)),
        "false" => Token::Literal(Literal::Bool(false)),
        name if name.split('.').any(str::is_empty) => {
            return Err((SyntaxErrorKind::Name, name.len()));
        }
        name => Token::Name(name.to_owned()),
    };
    Ok((token, text.len()))
}
