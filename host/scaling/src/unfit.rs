//! Why a method has no law for a sample.

use serde::{Deserialize, Serialize};

use crate::method::Method;

/// Why a method has no law for the runs it was given, and what would change that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Unfit {
    /// Fewer than two budgets have a minimum.
    #[error(
        "{found} of {budgets} budgets have a minimum, {needed} are needed; see their diagnoses"
    )]
    TooFewMinima {
        /// Budgets with a minimum.
        found: usize,
        /// Budgets measured.
        budgets: usize,
        /// Fewest that make a law.
        needed: usize,
    },
    /// No budget has sizes enough for this method's curve, so it would repeat
    /// another method.
    #[error("no budget carries a curve of its own; the fit would be that of {same_as}")]
    SameAs {
        /// The method that gives the same.
        same_as: Method,
    },
    /// Fewer runs than the law has parameters to determine.
    #[error("{found} distinct configuration{} (N, D), {needed} are needed", if *found == 1 { "" } else { "s" })]
    TooFewConfigurations {
        /// Distinct (N, D).
        found: usize,
        /// Fewest that are fitted.
        needed: usize,
    },
    /// N or D takes too few values for its exponent.
    #[error("{found} distinct values of {quantity}, {needed} are needed; vary it")]
    TooFewValues {
        /// `N` or `D`.
        quantity: char,
        /// Distinct values.
        found: usize,
        /// Fewest that are fitted.
        needed: usize,
    },
    /// The loss does not fall with N or with D.
    #[error("the loss does not depend on {quantity} in these runs, so no budget has an optimum")]
    Flat {
        /// `N` or `D`.
        quantity: char,
    },
    /// No intermediate loss is known to be honest.
    #[error(
        "no training curve whose intermediate losses stand for finished runs; \
         the schedule has to be constant, each point with a cool-down of its own"
    )]
    NoHonestCurves,
    /// No run repeats its data.
    #[error("no run saw its data more than once; the law would be the plain surface")]
    NothingRepeats,
    /// The optimiser found no finite optimum.
    #[error("the objective has no finite optimum on these runs")]
    NoOptimum,
}
