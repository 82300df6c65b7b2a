//! `d = c / (6 * n)`: one quantity from others of the same run.
//!
//! A formula is what makes a derivation visible: nothing in a table is computed
//! unless somebody wrote down how.
//!
//! ```text
//! formula = name "=" sum
//! sum     = product { ("+" | "-") product }
//! product = sign { ("*" | "/") sign }
//! sign    = "-" sign | power
//! power   = atom [ "^" sign ]                      right to left: 2^3^2 = 2^9
//! atom    = number | name | function "(" sum ")" | "(" sum ")"
//! ```
//!
//! What it keeps true: parsing ends on every text, deep nesting included, and a
//! formula that was parsed can be evaluated on any values without a failure (the
//! result may be infinite or no number).

use std::{fmt, str::FromStr};

/// Functions by name.
const FUNCTIONS: [(&str, Function); 3] = [
    ("ln", Function::Ln),
    ("exp", Function::Exp),
    ("sqrt", Function::Sqrt),
];

/// Deepest nesting of brackets, signs and powers: far above what anyone writes,
/// far below what a stack holds.
const DEEPEST: usize = 64;

/// `name = expression`.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What it gives.
    pub name: String,
    expression: Expression,
    /// As it was written.
    text: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Number(f64),
    /// A name and its position in the text, in characters from 1.
    Name(String, usize),
    Call(Function, Box<Self>),
    Negative(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Ln,
    Exp,
    Sqrt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// A text that is no formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`, character {position}: found {found}, expected {expected}")]
pub struct FormulaError {
    /// The text.
    pub text: String,
    /// Where it goes wrong, in characters from 1.
    pub position: usize,
    /// What stands there.
    pub found: String,
    /// What is accepted there.
    pub expected: &'static str,
}

impl FromStr for Formula {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, FormulaError> {
        let mut parser = Parser::new(text);
        let (name, _) = match parser.take() {
            (Token::Name(name), at) => (name, at),
            (found, at) => return Err(parser.wrong(&found, at, "a name, as in `d = c / (6 * n)`")),
        };
        match parser.take() {
            (Token::Symbol('='), _) => {}
            (found, at) => return Err(parser.wrong(&found, at, "`=`")),
        }
        let expression = parser.sum(0)?;
        match parser.take() {
            (Token::End, _) => Ok(Self {
                name,
                expression,
                text: text.trim().to_owned(),
            }),
            (found, at) => Err(parser.wrong(&found, at, "an operator (+ - * / ^) or the end")),
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Formula {
    /// Every name on the right-hand side with its position, in characters from 1.
    pub fn names(&self) -> Vec<(&str, usize)> {
        let mut names = Vec::new();
        self.expression.collect(&mut names);
        names
    }

    /// The value, with names looked up by `value`; `None` where one of them has
    /// none.
    pub fn evaluate(&self, value: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        self.expression.evaluate(&value)
    }
}

impl Expression {
    fn collect<'a>(&'a self, names: &mut Vec<(&'a str, usize)>) {
        match self {
            Self::Number(_) => {}
            Self::Name(name, at) => names.push((name, *at)),
            Self::Call(_, inner) | Self::Negative(inner) => inner.collect(names),
            Self::Binary(_, left, right) => {
                left.collect(names);
                right.collect(names);
            }
        }
    }

    fn evaluate(&self, value: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
        Some(match self {
            Self::Number(number) => *number,
            Self::Name(name, _) => value(name)?,
            Self::Call(function, inner) => {
                let inner = inner.evaluate(value)?;
                match function {
                    Function::Ln => inner.ln(),
                    Function::Exp => inner.exp(),
                    Function::Sqrt => inner.sqrt(),
                }
            }
            Self::Negative(inner) => -inner.evaluate(value)?,
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.evaluate(value)?, right.evaluate(value)?);
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Power => left.powf(right),
                }
            }
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Symbol(char),
    /// Digits and dots that are no number.
    Malformed(String),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "`{number}`"),
            Self::Name(text) | Self::Malformed(text) => write!(f, "`{text}`"),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            tokens: tokens(text),
            next: 0,
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    /// The next token; the end stays where it is.
    fn take(&mut self) -> (Token, usize) {
        let token = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn wrong(&self, found: &Token, position: usize, expected: &'static str) -> FormulaError {
        FormulaError {
            text: self.text.trim().to_owned(),
            position,
            found: found.to_string(),
            expected,
        }
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        let operators = [('+', Operator::Add), ('-', Operator::Subtract)];
        self.chain(&operators, depth, Self::product)
    }

    fn product(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        let operators = [('*', Operator::Multiply), ('/', Operator::Divide)];
        self.chain(&operators, depth, Self::sign)
    }

    /// Operands joined from left to right.
    fn chain(
        &mut self,
        operators: &[(char, Operator)],
        depth: usize,
        operand: fn(&mut Self, usize) -> Result<Expression, FormulaError>,
    ) -> Result<Expression, FormulaError> {
        let mut left = operand(self, depth)?;
        let mut length = 0;
        while let Some(operator) = operators
            .iter()
            .find(|(symbol, _)| *self.peek() == Token::Symbol(*symbol))
            .map(|(_, operator)| *operator)
        {
            let (found, at) = self.take();
            length += 1;
            if length > DEEPEST {
                return Err(self.wrong(&found, at, "a shorter formula"));
            }
            let right = operand(self, depth)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn sign(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        if *self.peek() != Token::Symbol('-') {
            return self.power(depth);
        }
        self.take();
        let depth = self.deeper(depth)?;
        Ok(Expression::Negative(Box::new(self.sign(depth)?)))
    }

    fn power(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        let base = self.atom(depth)?;
        if *self.peek() != Token::Symbol('^') {
            return Ok(base);
        }
        self.take();
        let depth = self.deeper(depth)?;
        let exponent = self.sign(depth)?;
        Ok(Expression::Binary(
            Operator::Power,
            Box::new(base),
            Box::new(exponent),
        ))
    }

    fn atom(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        const OPERAND: &str = "a number, a name, or `(`";
        match self.take() {
            (Token::Number(number), _) => Ok(Expression::Number(number)),
            (Token::Name(name), at) => {
                let function = FUNCTIONS.iter().find(|(known, _)| *known == name);
                match (function, self.peek()) {
                    (Some((_, function)), Token::Symbol('(')) => {
                        self.take();
                        let inner = self.bracketed(depth)?;
                        Ok(Expression::Call(*function, Box::new(inner)))
                    }
                    (None, Token::Symbol('(')) => {
                        Err(self.wrong(&Token::Name(name), at, "ln, exp or sqrt before `(`"))
                    }
                    _ => Ok(Expression::Name(name, at)),
                }
            }
            (Token::Symbol('('), _) => self.bracketed(depth),
            (found, at) => Err(self.wrong(&found, at, OPERAND)),
        }
    }

    /// What follows an opened bracket, up to the closing one.
    fn bracketed(&mut self, depth: usize) -> Result<Expression, FormulaError> {
        let depth = self.deeper(depth)?;
        let inner = self.sum(depth)?;
        match self.take() {
            (Token::Symbol(')'), _) => Ok(inner),
            (found, at) => Err(self.wrong(&found, at, "an operator or `)`")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, FormulaError> {
        if depth < DEEPEST {
            return Ok(depth + 1);
        }
        let (found, at) = &self.tokens[self.next];
        Err(self.wrong(found, *at, "fewer nested brackets"))
    }
}

/// The text's tokens with their positions; the last is the end.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let start = at;
        let token = match characters[at] {
            space if space.is_whitespace() => {
                at += 1;
                continue;
            }
            digit if digit.is_ascii_digit() || digit == '.' => number(&characters, &mut at),
            letter if letter.is_alphabetic() || letter == '_' => {
                while at < characters.len()
                    && (characters[at].is_alphanumeric() || characters[at] == '_')
                {
                    at += 1;
                }
                Token::Name(characters[start..at].iter().collect())
            }
            symbol => {
                at += 1;
                Token::Symbol(symbol)
            }
        };
        tokens.push((token, start + 1));
    }
    tokens.push((Token::End, characters.len() + 1));
    tokens
}

/// A number such as `6`, `.5`, `6e3` or `1.5E-4`.
fn number(characters: &[char], at: &mut usize) -> Token {
    let start = *at;
    let digits = |at: &mut usize| {
        while *at < characters.len() && (characters[*at].is_ascii_digit() || characters[*at] == '.')
        {
            *at += 1;
        }
    };
    digits(at);
    if matches!(characters.get(*at), Some('e' | 'E')) {
        let mut exponent = *at + 1;
        if matches!(characters.get(exponent), Some('+' | '-')) {
            exponent += 1;
        }
        if characters.get(exponent).is_some_and(char::is_ascii_digit) {
            *at = exponent;
            digits(at);
        }
    }
    let text: String = characters[start..*at].iter().collect();
    match text.parse() {
        Ok(number) => Token::Number(number),
        Err(_) => Token::Malformed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<f64> {
        match name {
            "n" => Some(2e9),
            "c" => Some(1.2e21),
            "two" => Some(2.0),
            _ => None,
        }
    }

    fn check(text: &str, expected: f64) {
        let formula: Formula = format!("x = {text}").parse().expect(text);
        let found = formula.evaluate(value).expect(text);
        assert!(
            (found / expected - 1.0).abs() < 1e-14,
            "{text}: {found}, not {expected}"
        );
    }

    #[test]
    fn values() {
        check("c / (6 * n)", 1e11);
        check("6e3", 6000.0);
        check("1.5E-3 + .5", 0.5015);
        check("2 + 3 * 4 - 10 / 5", 12.0);
        check("8 / 2 / 2", 2.0);
        check("8 - 2 - 2", 4.0);
        check("-two ^ 2", -4.0);
        check("2 ^ 3 ^ 2", 512.0);
        check("2 ^ -two", 0.25);
        check("ln(exp(3)) * sqrt(16)", 12.0);
        check("--3", 3.0);
    }

    #[test]
    fn a_missing_value_gives_none() {
        let formula: Formula = "d = c / q".parse().expect("a formula");
        assert_eq!(formula.evaluate(value), None);
        assert_eq!(formula.names(), [("c", 5), ("q", 9)]);
    }

    #[test]
    fn mistakes_are_placed() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Formula>().expect_err(text).to_string();
            assert_eq!(error, expected);
        };
        check(
            "d = c / (6 * n",
            "`d = c / (6 * n`, character 15: found the end, expected an operator or `)`",
        );
        check(
            "d = c / * n",
            "`d = c / * n`, character 9: found `*`, expected a number, a name, or `(`",
        );
        check(
            "c / (6 * n)",
            "`c / (6 * n)`, character 3: found `/`, expected `=`",
        );
        check(
            "d = Model Size",
            "`d = Model Size`, character 11: found `Size`, expected an operator (+ - * / ^) or the end",
        );
        check(
            "d = log(c)",
            "`d = log(c)`, character 5: found `log`, expected ln, exp or sqrt before `(`",
        );
        check(
            "d = 1.2.3",
            "`d = 1.2.3`, character 5: found `1.2.3`, expected a number, a name, or `(`",
        );
        check(
            "",
            "``, character 1: found the end, expected a name, as in `d = c / (6 * n)`",
        );
        check(
            "d = 6 × n",
            "`d = 6 × n`, character 7: found `×`, expected an operator (+ - * / ^) or the end",
        );
    }

    #[test]
    fn deep_nesting_is_refused() {
        for text in ["(", "-", "2^", "ln("] {
            let text = format!("d = {}", text.repeat(100_000));
            assert!(text.parse::<Formula>().is_err());
        }
        let long = format!("d = n{}", " + n".repeat(100_000));
        assert!(long.parse::<Formula>().is_err());
    }
}
