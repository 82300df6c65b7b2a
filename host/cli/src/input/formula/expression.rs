//! The right-hand side of a formula, and its value.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    /// A name and its position in the text, in characters from 1.
    Name(String, usize),
    Call(Function, Box<Self>),
    Negative(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Ln,
    Exp,
    Sqrt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Expression {
    pub(super) fn collect<'a>(&'a self, names: &mut Vec<(&'a str, usize)>) {
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

    pub(super) fn evaluate(&self, value: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
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
