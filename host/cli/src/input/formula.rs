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

mod expression;
mod parser;
mod token;

use std::{fmt, str::FromStr};

use expression::Expression;
use parser::Parser;
use token::Token;

/// `name = expression`.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What it gives.
    pub name: String,
    expression: Expression,
    /// As it was written.
    text: String,
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

#[cfg(test)]
mod tests;
