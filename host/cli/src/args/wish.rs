//! `--wish`: when an interval is narrow enough.

use std::str::FromStr;

use flops_fit_scaling::design::Wish;

/// One bound of a wish.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WishFlag {
    /// N* known within this factor either way.
    N(f64),
    /// L* known within this either way.
    Loss(f64),
}

/// A text that is no wish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected n=FACTOR with a factor above 1, such as n=1.2, or loss=LOSS with a number above 0, such as loss=0.01"
)]
pub struct WishError;

impl FromStr for WishFlag {
    type Err = WishError;

    fn from_str(text: &str) -> Result<Self, WishError> {
        let (name, number) = text.split_once('=').ok_or(WishError)?;
        let number: f64 = number.trim().parse().map_err(|_| WishError)?;
        match name.trim() {
            "n" if number.is_finite() && number > 1.0 => Ok(Self::N(number)),
            "loss" if number.is_finite() && number > 0.0 => Ok(Self::Loss(number)),
            _ => Err(WishError),
        }
    }
}

impl WishFlag {
    /// Lays it over `wish`.
    pub fn apply(self, wish: &mut Wish) {
        match self {
            Self::N(factor) => wish.n = Some(factor),
            Self::Loss(loss) => wish.loss = Some(loss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_what_is_none() {
        let mut wish = Wish::default();
        for text in ["n=2", "n = 1.2", "loss=1e-2"] {
            let flag: WishFlag = text.parse().expect("a wish");
            flag.apply(&mut wish);
        }
        let expected = Wish {
            n: Some(1.2),
            loss: Some(0.01),
        };
        assert_eq!(wish, expected);
        for wrong in ["1.2", "n=1", "n=inf", "loss=0", "loss=x", "d=2", ""] {
            assert_eq!(wrong.parse::<WishFlag>(), Err(WishError), "{wrong}");
        }
    }
}
