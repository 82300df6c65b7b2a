//! From tokens to an expression.

use super::FormulaError;
use super::expression::{Expression, Function, Operator};
use super::token::{Token, tokens};

/// Functions by name.
const FUNCTIONS: [(&str, Function); 3] = [
    ("ln", Function::Ln),
    ("exp", Function::Exp),
    ("sqrt", Function::Sqrt),
];

/// Deepest nesting of brackets, signs and powers: far above what anyone writes,
/// far below what a stack holds.
const DEEPEST: usize = 64;

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
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
    pub(super) fn take(&mut self) -> (Token, usize) {
        let token = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn wrong(
        &self,
        found: &Token,
        position: usize,
        expected: &'static str,
    ) -> FormulaError {
        FormulaError {
            text: self.text.trim().to_owned(),
            position,
            found: found.to_string(),
            expected,
        }
    }

    pub(super) fn sum(&mut self, depth: usize) -> Result<Expression, FormulaError> {
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
