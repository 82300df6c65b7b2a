//! What compute costs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const SECONDS_PER_HOUR: f64 = 3600.0;

/// What compute costs: an amount of money for a number of FLOPs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Money for `flops`; finite and > 0.
    pub amount: f64,
    /// Unit of the money, such as `USD`.
    pub currency: String,
    /// FLOPs that the amount pays for; finite and > 0.
    pub flops: f64,
}

impl Price {
    /// Money for `flops` FLOPs, in `currency`.
    pub fn of(&self, flops: f64) -> f64 {
        self.amount * (flops / self.flops)
    }
}

/// As [`Price::from_str`] reads it.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            amount,
            currency,
            flops,
        } = self;
        write!(f, "{amount} {currency} per {flops:e}")
    }
}

/// A text that is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no price: expected {}", Self::EXPECTED)]
pub struct PriceError {
    /// What was given.
    pub found: String,
}

impl PriceError {
    /// What is accepted.
    pub const EXPECTED: &str = "an amount and a currency for FLOPs, `2.5 USD per 1e18`, or for hours at a rate in FLOP/s that training really reaches, `2 USD per hour at 4e14`";
}

/// `2.5 USD per 1e18`: money for FLOPs; or `2 USD per hour at 4e14`: money for an hour in
/// which so many FLOPs are done each second.
impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let price = match words.as_slice() {
            [amount, currency, "per", flops] => priced(amount, currency, positive(flops)),
            [amount, currency, "per", "hour", "at", rate] => {
                let flops = positive(rate).map(|rate| SECONDS_PER_HOUR * rate);
                priced(amount, currency, flops)
            }
            _ => None,
        };
        price.ok_or_else(|| PriceError {
            found: text.to_owned(),
        })
    }
}

fn priced(amount: &str, currency: &str, flops: Option<f64>) -> Option<Price> {
    Some(Price {
        amount: positive(amount)?,
        currency: currency.to_owned(),
        flops: flops.filter(|flops| flops.is_finite())?,
    })
}

fn positive(word: &str) -> Option<f64> {
    let number: f64 = word.parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn money_for_flops_and_for_hours() {
        for (text, flops, money) in [
            ("0.5 USD per 2e17", 4e18, 10.0),
            // Half an hour at 4e14 FLOP/s.
            ("2 EUR per hour at 4e14", 7.2e17, 1.0),
        ] {
            let price: Price = text.parse().unwrap();
            assert!((price.of(flops) / money - 1.0).abs() < 1e-12, "{price}");
            assert_eq!(price.to_string().parse(), Ok(price));
        }
    }

    #[test]
    fn other_texts_are_none() {
        for wrong in [
            "",
            "2 USD",
            "2 per 1e18",
            "2 USD per 0",
            "-1 USD per 1e18",
            "x USD per 1e18",
            "2 USD per hour",
            "2 USD per hour at 1e308",
            "2 USD per day at 4e14",
        ] {
            let error = Price::from_str(wrong).unwrap_err().to_string();
            let expected = format!("`{wrong}` is no price: expected an amount");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
