//! Fits that were found, and whose numbers deserve a second look.

use std::fmt;

use flops_fit_scaling::fit::Parameters;
use flops_fit_scaling::surface::Bound;
use flops_fit_scaling::{Analysis, Method};
use serde::{Deserialize, Serialize};

/// What the search for a method's law ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strained {
    /// The method.
    pub method: Method,
    /// Parameters that ended at the edge of what is searched.
    pub bounds: Vec<Bound>,
    /// Whether the search ended because no step promised a gain.
    pub converged: bool,
    /// Starts.
    pub seeds: usize,
    /// Those that ended at the optimum.
    pub seeds_at_optimum: usize,
}

impl Strained {
    /// The laws of an analysis that are at a bound, or that one start alone found, or
    /// none to the end.
    pub(super) fn all(fits: &Analysis) -> Vec<Self> {
        let found = fits.laws().filter_map(|(method, fitted)| {
            let (bounds, converged, seeds, seeds_at_optimum) = match &fitted.parameters {
                Parameters::Surface(law) => {
                    (&law.bounds, law.converged, law.seeds, law.seeds_at_optimum)
                }
                Parameters::DataConstrained(law) => {
                    (&law.bounds, law.converged, law.seeds, law.seeds_at_optimum)
                }
                Parameters::Isoflop(_) | Parameters::Envelope(_) => return None,
            };
            Some(Self {
                method,
                bounds: bounds.clone(),
                converged,
                seeds,
                seeds_at_optimum,
            })
        });
        found.filter(Self::is_so).collect()
    }

    fn is_lonely(&self) -> bool {
        self.seeds > 1 && self.seeds_at_optimum <= 1
    }

    fn is_so(&self) -> bool {
        !self.bounds.is_empty() || !self.converged || self.is_lonely()
    }
}

impl fmt::Display for Strained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: Vec<String> = self.bounds.iter().map(ToString::to_string).collect();
        if self.is_lonely() {
            told.push(format!(
                "one of {} starts found this optimum, the others worse ones",
                self.seeds
            ));
        }
        if !self.converged {
            told.push("the search ended before it stood still".to_owned());
        }
        write!(f, "{}: {}", self.method.name(), told.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strained(bounds: &[Bound], converged: bool, seeds_at_optimum: usize) -> Strained {
        Strained {
            method: Method::ParametricHuber,
            bounds: bounds.to_vec(),
            converged,
            seeds: 12,
            seeds_at_optimum,
        }
    }

    #[test]
    fn what_is_sound_is_not_told() {
        assert!(!strained(&[], true, 2).is_so());
    }

    #[test]
    fn what_is_strained_is_told_in_full() {
        let found = strained(&[Bound::FloorAtZero], false, 1);
        assert!(found.is_so());
        assert_eq!(
            found.to_string(),
            "parametric_huber: E is 0, the least it may be; one of 12 starts found this optimum, \
             the others worse ones; the search ended before it stood still"
        );
    }
}
