//! Tokens to a tree, by binding level (Pratt).

use std::ops::Range;

use super::lexer::{Token, tokens};
use super::syntax::{Function, Kind, Level, Logical, Node, Operator, next};
use super::{Expression, SyntaxError, SyntaxErrorKind};

pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    if text.len() > Expression::MAX_LENGTH {
        return Err(SyntaxError { kind: SyntaxErrorKind::TooLong, span: 0..text.len() });
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let node = parser.expression(Level::Or, 0)?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.expected("an operator or the end")),
    }
}

struct Parser {
    /// `End` is the last and never taken.
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(0..0, |(_, span)| span.clone())
    }

    /// Takes the next token; its span.
    fn take(&mut self) -> Range<usize> {
        let span = self.span();
        self.next += 1;
        span
    }

    /// Takes the next token if it is that one; where it ends.
    fn take_if(&mut self, token: &Token) -> Option<usize> {
        (self.peek() == token).then(|| self.take().end)
    }

    fn expected(&self, what: &'static str) -> SyntaxError {
        SyntaxError { kind: SyntaxErrorKind::Expected(what), span: self.span() }
    }

    /// The longest expression whose operators bind at least as tightly as `level`.
    fn expression(&mut self, level: Level, depth: usize) -> Result<Node, SyntaxError> {
        if depth >= Expression::MAX_DEPTH {
            return Err(SyntaxError { kind: SyntaxErrorKind::TooDeep, span: self.span() });
        }
        let mut left = self.operand(level, depth)?;
        let mut compared = false;
        loop {
            match *self.peek() {
                Token::Logical(logical) if logical.level() >= level => {
                    self.take();
                    let right = self.expression(next(logical.level()), depth + 1)?;
                    left = join(left, logical, right);
                }
                Token::Operator(operator) if operator.level() >= level => {
                    self.take();
                    let right = self.expression(next(operator.level()), depth + 1)?;
                    left = chain(left, operator, right);
                }
                Token::Comparison(_) if compared => {
                    return Err(SyntaxError {
                        kind: SyntaxErrorKind::ComparisonOfComparison,
                        span: self.span(),
                    });
                }
                Token::Comparison(comparison) if level <= Level::Comparison => {
                    self.take();
                    let right = self.expression(Level::Sum, depth + 1)?;
                    let span = left.span.start..right.span.end;
                    let kind = Kind::Comparison(comparison, Box::new((left, right)));
                    left = Node { kind, span };
                    compared = true;
                }
                _ => return Ok(left),
            }
        }
    }

    fn operand(&mut self, level: Level, depth: usize) -> Result<Node, SyntaxError> {
        match self.peek().clone() {
            Token::Literal(literal) => Ok(Node { kind: Kind::Literal(literal), span: self.take() }),
            Token::Name(name) => self.name_or_call(name, depth),
            Token::Operator(Operator::Subtract) => {
                let start = self.take().start;
                let inner = self.expression(Level::Negative, depth + 1)?;
                let span = start..inner.span.end;
                Ok(Node { kind: Kind::Negative(Box::new(inner)), span })
            }
            // `a + not b` would read as something else than it says.
            Token::Not if level <= Level::Not => {
                let start = self.take().start;
                let inner = self.expression(Level::Not, depth + 1)?;
                let span = start..inner.span.end;
                Ok(Node { kind: Kind::Not(Box::new(inner)), span })
            }
            Token::Open => {
                let start = self.take().start;
                let inner = self.expression(Level::Or, depth + 1)?;
                let end = self.take_if(&Token::Close).ok_or_else(|| self.expected("`)`"))?;
                Ok(Node { span: start..end, ..inner })
            }
            _ => Err(self.expected("a number, a text, a name, a function or `(`")),
        }
    }

    fn name_or_call(&mut self, name: String, depth: usize) -> Result<Node, SyntaxError> {
        let span = self.take();
        if self.take_if(&Token::Open).is_none() {
            return Ok(Node { kind: Kind::Name(name.into()), span });
        }
        let function = Function::ALL.into_iter().find(|function| function.name() == name);
        let function = function.ok_or_else(|| SyntaxError {
            kind: SyntaxErrorKind::UnknownFunction(name),
            span: span.clone(),
        })?;
        let (arguments, end) = self.arguments(depth)?;
        let span = span.start..end;
        if function.arguments().contains(&arguments.len()) {
            return Ok(Node { kind: Kind::Call(function, arguments), span });
        }
        let kind = SyntaxErrorKind::ArgumentCount {
            function: function.name(),
            least: *function.arguments().start(),
            most: *function.arguments().end(),
            found: arguments.len(),
        };
        Err(SyntaxError { kind, span })
    }

    /// The arguments up to the closing parenthesis, and where that ends.
    fn arguments(&mut self, depth: usize) -> Result<(Vec<Node>, usize), SyntaxError> {
        let mut arguments = Vec::new();
        if let Some(end) = self.take_if(&Token::Close) {
            return Ok((arguments, end));
        }
        loop {
            arguments.push(self.expression(Level::Or, depth + 1)?);
            if let Some(end) = self.take_if(&Token::Close) {
                return Ok((arguments, end));
            }
            self.take_if(&Token::Comma).ok_or_else(|| self.expected("`,` or `)`"))?;
        }
    }
}

/// `left and right`, as one more part where `left` is of that kind: in parentheses or not, it is the
/// same.
fn join(left: Node, logical: Logical, right: Node) -> Node {
    let span = left.span.start..right.span.end;
    let mut parts = match left {
        Node { kind: Kind::Logical(own, parts), .. } if own == logical => parts,
        left => vec![left],
    };
    parts.push(right);
    Node { kind: Kind::Logical(logical, parts), span }
}

/// `left operator right`, as one more link where `left` is a chain of that level. (In parentheses
/// or not: from left to right it is the same.)
fn chain(left: Node, operator: Operator, right: Node) -> Node {
    let span = left.span.start..right.span.end;
    let (first, mut rest) = match left {
        Node { kind: Kind::Chain(first, rest), .. }
            if rest.first().is_some_and(|(own, _)| own.level() == operator.level()) =>
        {
            (first, rest)
        }
        left => (Box::new(left), Vec::new()),
    };
    rest.push((operator, right));
    Node { kind: Kind::Chain(first, rest), span }
}
