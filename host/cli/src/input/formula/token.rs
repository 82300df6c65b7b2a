//! Numbers, names and symbols of a formula.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
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

/// The text's tokens with their positions; the last is the end.
pub(super) fn tokens(text: &str) -> Vec<(Token, usize)> {
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
