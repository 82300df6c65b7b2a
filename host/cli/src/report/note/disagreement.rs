//! Methods that are apart by more than the interval of what is followed.

use std::fmt;

use flops_fit_scaling::quantity::{count, flops};
use flops_fit_scaling::{Analysis, Method, Prediction};
use serde::{Deserialize, Serialize};

/// Widening of an interval from which two decimals show it.
const WIDER: f64 = 1.005;

/// How far the methods are apart, and what that makes of the interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// FLOPs: the farthest prediction up to two decades beyond the runs.
    pub c: f64,
    /// The method with the smallest N*.
    pub lowest: Method,
    /// Smallest N*.
    pub low: f64,
    /// The method with the largest N*.
    pub highest: Method,
    /// Largest N*.
    pub high: f64,
    /// How many times as wide they make the interval of ln N*; absent where that is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widening: Option<f64>,
}

impl Disagreement {
    /// `None` where no method lies outside the interval.
    pub(super) fn of(fits: &Analysis) -> Option<Self> {
        let apart = fits.disagreement.as_ref().filter(|apart| apart.exceeds)?;
        let mut predictions = fits.predictions.iter();
        let at = predictions.find(|at| at.c.total_cmp(&apart.c).is_eq());
        Some(Self {
            c: apart.c,
            lowest: apart.lowest.0,
            low: apart.lowest.1,
            highest: apart.highest.0,
            high: apart.highest.1,
            widening: at.and_then(widening),
        })
    }
}

/// How many times as wide the interval of ln N* is as the runs alone make it.
fn widening(at: &Prediction) -> Option<f64> {
    let wide = at.ci95?.n;
    let own = at.unwidened.map_or(wide, |bounds| bounds.n);
    let width = |[low, high]: [f64; 2]| (high / low).ln();
    Some(width(wide) / width(own)).filter(|factor| factor.is_finite())
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at {} FLOPs the methods put N* between {} ({}) and {} ({}), beyond the interval that \
             the runs alone give",
            flops(self.c),
            count(self.low),
            self.lowest,
            count(self.high),
            self.highest
        )?;
        match self.widening {
            None => Ok(()),
            Some(factor) if factor >= WIDER => {
                write!(f, "; for that it is made {factor:.2} × as wide")
            }
            Some(_) => f.write_str(
                "; it is not widened, since in simulated sweeps like this one methods differ as \
                 much, or those that are off err most",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_was_not_widened_is_not_called_so() {
        let end = |widening| {
            let apart = Disagreement {
                c: 1e13,
                lowest: Method::ParametricMse,
                low: 9.09e4,
                highest: Method::IsoflopParabola,
                high: 4.14e5,
                widening,
            };
            let text = apart.to_string();
            let (_, end) = text.split_once("the runs alone give").expect("a clause");
            end.to_owned()
        };
        assert_eq!(end(None), "");
        assert_eq!(end(Some(1.372)), "; for that it is made 1.37 × as wide");
        for none in [1.0, 1.004] {
            assert!(end(Some(none)).starts_with("; it is not widened, since "));
        }
    }
}
