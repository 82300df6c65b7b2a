//! What to analyse and how.

use serde::{Deserialize, Serialize};

use crate::bootstrap::Bootstrap;
use crate::cost::Price;
use crate::design::Wish;
use crate::method::Method;
use crate::quality::{Checks, MAX_REPEATS};

/// What to analyse and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Runs that saw their data more often are left out; `None` keeps all.
    pub max_repeats: Option<f64>,
    /// Whether doubtful runs are left out, each with its reason; without checks
    /// every row is fitted as given, repeats included.
    pub quality_checks: bool,
    /// How many of the highest losses are left out before anything else, with or
    /// without checks.
    pub drop_worst: usize,
    /// The method to follow, whatever hold-out says.
    pub method: Option<Method>,
    /// Budgets to predict, in FLOPs; empty for half decades from the smallest
    /// measured budget to two decades beyond the largest.
    pub targets: Vec<f64>,
    /// The refits behind every interval; with 0 draws there are no intervals.
    pub bootstrap: Bootstrap,
    /// What compute costs, so that the cost of other sizes is told in money too.
    pub price: Option<Price>,
    /// When the farthest prediction within two decades is narrow enough.
    pub wish: Wish,
}

impl Options {
    /// The checks of the runs.
    pub(crate) fn checks(&self) -> Checks {
        Checks {
            enabled: self.quality_checks,
            max_repeats: self.max_repeats,
            drop_worst: self.drop_worst,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_repeats: Some(MAX_REPEATS),
            quality_checks: true,
            drop_worst: 0,
            method: None,
            targets: Vec::new(),
            bootstrap: Bootstrap::default(),
            price: None,
            wish: Wish::default(),
        }
    }
}
