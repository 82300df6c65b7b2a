//! Everything that the runs say, in one value: what `analysis.json` holds.

mod method_result;
mod options;
mod prediction;

pub use method_result::{FittedMethod, MethodResult, ParameterIntervals};
pub use options::Options;
pub(crate) use prediction::is_far;
pub use prediction::{Bounds, FAR, Prediction, Quantity};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Cloud, Scheme};
use crate::conventions::ConventionFit;
use crate::cost::Detour;
use crate::design::Advice;
use crate::holdout::Holdout;
use crate::influence::Influence;
use crate::isoflop::{BudgetFit, Noise};
use crate::method::Method;
use crate::quality::{Flag, LeftOut};
use crate::selection::Recommendation;

/// Version of the schema of an [`Analysis`]; it rises when a field changes its
/// meaning, is no longer there, or must be. 1 had one list of `IsoFLOP` estimates, 2 one
/// set of weights; up to 3 its file had no checksum.
pub const SCHEMA: u32 = 4;

/// Everything that the runs say.
///
/// Runs are named by their position in the list that was analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was asked for: the same runs and options give the same analysis.
    pub options: Options,
    /// Runs that were given.
    pub runs: usize,
    /// Runs that no fit uses, and why.
    pub left_out: Vec<LeftOut>,
    /// What is kept and doubtful.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Spread of a run around its budget's curve.
    pub noise: Option<Noise>,
    /// One entry a budget, smallest first, with every curve fitted to it.
    pub budgets: Vec<BudgetFit>,
    /// Every method by name: its law, or why it has none.
    pub methods: BTreeMap<Method, MethodResult>,
    /// How well each method foretold the largest budgets from the smaller ones;
    /// absent with fewer than three budgets.
    pub holdout: Option<Holdout>,
    /// What to follow and why; absent where no method has a law.
    pub recommended: Option<Recommendation>,
    /// The recommendation at the target budgets, in their order.
    pub predictions: Vec<Prediction>,
    /// The recommendation on an even grid of ln C, from below the smallest budget to
    /// two decades beyond the largest or the farthest target: for plots.
    pub frontier: Vec<Prediction>,
    /// How far the methods are apart; absent with fewer than two laws.
    pub disagreement: Option<Disagreement>,
    /// Extra compute where another law holds than the one whose size is trained, at the
    /// farthest target within two decades of the budgets.
    #[serde(default)]
    pub detours: Vec<Detour>,
    /// What the answer there hangs on.
    #[serde(default)]
    pub influence: Vec<Influence>,
    /// The answer there under each convention of N and C that the runs carry; empty
    /// where there is one.
    #[serde(default)]
    pub conventions: Vec<ConventionFit>,
    /// Which run to train next for it, any size allowed, and whether to; absent without
    /// a surface or intervals.
    #[serde(default)]
    pub advice: Option<Advice>,
    /// The refits behind the intervals.
    pub bootstrap: BootstrapReport,
}

impl Analysis {
    /// The law of one method, where it has one.
    pub fn fitted(&self, method: Method) -> Option<&FittedMethod> {
        self.methods.get(&method)?.fitted()
    }

    /// The methods that have a law, in the order of reports.
    pub fn laws(&self) -> impl Iterator<Item = (Method, &FittedMethod)> {
        self.methods
            .iter()
            .filter_map(|(&method, result)| Some((method, result.fitted()?)))
    }

    /// Smallest and largest budget in FLOPs as used; `None` without budgets.
    pub fn measured(&self) -> Option<(f64, f64)> {
        Some((self.budgets.first()?.c, self.budgets.last()?.c))
    }
}

/// How far the methods' N* are apart at one compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// FLOPs: the farthest target within two decades of the budgets.
    pub c: f64,
    /// The method with the smallest N*, and that N*.
    pub lowest: (Method, f64),
    /// The method with the largest N*, and that N*.
    pub highest: (Method, f64),
    /// The recommendation's interval of N* before the methods' disagreement widened
    /// it; absent where it has none.
    pub interval: Option<[f64; 2]>,
    /// Whether some method lies outside that interval.
    pub exceeds: bool,
}

/// The refits behind the intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BootstrapReport {
    /// How the runs of a draw come about.
    pub scheme: Scheme,
    /// Draws for each method.
    pub draws: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Some draws of every method at one compute; absent without laws.
    pub cloud: Option<Cloud>,
}
