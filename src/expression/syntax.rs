//! What an expression is made of, and how it is written.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use passline_modbus::value::{Decimal, Value};

/// A part of an expression, with the bytes of the text that it came from.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// Where it came from does not count.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.kind == other.kind
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Literal(Literal),
    Name(Box<str>),
    Negative(Box<Node>),
    Not(Box<Node>),
    /// `a and b and c`, two or more.
    Logical(Logical, Vec<Node>),
    /// Operators of one level, from left to right: `a + b - c`. Flat, so that the depth of a tree
    /// does not grow with the length of a sum.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    Comparison(Comparison, Box<(Node, Node)>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Bool(bool),
    Number(Decimal),
    Text(String),
}

impl Literal {
    pub(super) fn value(&self) -> Value {
        match self {
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Number(value) => Value::Number(value.clone()),
            Literal::Text(value) => Value::Text(value.clone()),
        }
    }
}

/// The levels of binding, the loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Negative,
    Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logical {
    Or,
    And,
}

impl Logical {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Logical::Or => "or",
            Logical::And => "and",
        }
    }

    pub(super) const fn level(self) -> Level {
        match self {
            Logical::Or => Level::Or,
            Logical::And => Level::And,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }

    pub(super) const fn level(self) -> Level {
        match self {
            Operator::Add | Operator::Subtract => Level::Sum,
            Operator::Multiply | Operator::Divide | Operator::Remainder => Level::Product,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for an order, which only numbers have.
    pub(super) const fn orders(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Min,
    Max,
    Round,
    Sqrt,
    Log10,
    Bit,
}

impl Function {
    pub(super) const ALL: [Function; 7] = [
        Function::Abs,
        Function::Min,
        Function::Max,
        Function::Round,
        Function::Sqrt,
        Function::Log10,
        Function::Bit,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Function::Abs => "abs",
            Function::Min => "min",
            Function::Max => "max",
            Function::Round => "round",
            Function::Sqrt => "sqrt",
            Function::Log10 => "log10",
            Function::Bit => "bit",
        }
    }

    /// How many arguments it takes.
    pub(super) const fn arguments(self) -> RangeInclusive<usize> {
        match self {
            Function::Abs | Function::Sqrt | Function::Log10 => 1..=1,
            Function::Min | Function::Max => 1..=usize::MAX,
            Function::Round => 1..=2,
            Function::Bit => 2..=2,
        }
    }
}

impl Node {
    pub(super) fn level(&self) -> Level {
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) | Kind::Call(..) => Level::Operand,
            Kind::Negative(_) => Level::Negative,
            Kind::Not(_) => Level::Not,
            Kind::Logical(logical, _) => logical.level(),
            Kind::Chain(_, rest) => {
                rest.first().map_or(Level::Operand, |(operator, _)| operator.level())
            }
            Kind::Comparison(..) => Level::Comparison,
        }
    }

    /// What is directly below.
    pub(super) fn parts(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) => Vec::new(),
            Kind::Negative(inner) | Kind::Not(inner) => vec![inner],
            Kind::Chain(first, rest) => {
                let rest = rest.iter().map(|(_, part)| part);
                std::iter::once(&**first).chain(rest).collect()
            }
            Kind::Comparison(_, sides) => vec![&sides.0, &sides.1],
            Kind::Logical(_, parts) | Kind::Call(_, parts) => parts.iter().collect(),
        }
    }
}

/// A part in the place of another: in parentheses if it binds less than the place asks for.
struct Within<'a>(&'a Node, Level);

impl fmt::Display for Within<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Within(node, level) = self;
        if node.level() < *level {
            write!(formatter, "({node})")
        } else {
            write!(formatter, "{node}")
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Literal(literal) => write!(formatter, "{literal}"),
            Kind::Name(name) => formatter.write_str(name),
            Kind::Negative(inner) => write!(formatter, "-{}", Within(inner, Level::Negative)),
            Kind::Not(inner) => write!(formatter, "not {}", Within(inner, Level::Not)),
            Kind::Logical(logical, parts) => {
                let between = format!(" {} ", logical.symbol());
                write_all(
                    formatter,
                    &between,
                    parts.iter().map(|part| Within(part, next(self.level()))),
                )
            }
            Kind::Chain(first, rest) => {
                write!(formatter, "{}", Within(first, self.level()))?;
                // What stands to the right must bind more, or it would belong to the left.
                rest.iter().try_for_each(|(operator, part)| {
                    let tighter = next(operator.level());
                    write!(formatter, " {} {}", operator.symbol(), Within(part, tighter))
                })
            }
            Kind::Comparison(comparison, sides) => {
                let (left, right) = (Within(&sides.0, Level::Sum), Within(&sides.1, Level::Sum));
                write!(formatter, "{left} {} {right}", comparison.symbol())
            }
            Kind::Call(function, arguments) => {
                write!(formatter, "{}(", function.name())?;
                write_all(formatter, ", ", arguments.iter())?;
                formatter.write_str(")")
            }
        }
    }
}

fn write_all(
    formatter: &mut fmt::Formatter<'_>,
    between: &str,
    parts: impl Iterator<Item = impl fmt::Display>,
) -> fmt::Result {
    for (index, part) in parts.enumerate() {
        let between = if index == 0 { "" } else { between };
        write!(formatter, "{between}{part}")?;
    }
    Ok(())
}

/// The next tighter level of operators.
pub(super) const fn next(level: Level) -> Level {
    match level {
        Level::Or => Level::And,
        Level::And => Level::Not,
        Level::Not => Level::Comparison,
        Level::Comparison => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product => Level::Negative,
        Level::Negative | Level::Operand => Level::Operand,
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Bool(value) => write!(formatter, "{value}"),
            Literal::Number(value) => write!(formatter, "{value}"),
            // A text never holds both quotes: it came in one kind of them.
            Literal::Text(value) if value.contains('\'') => write!(formatter, "\"{value}\""),
            Literal::Text(value) => write!(formatter, "'{value}'"),
        }
    }
}
