//! The layout of an `IsoFLOP` sweep: which sizes to train at which budget, for
//! how many steps, and what that costs.
//!
//! A grid is a pure function of its specification and of what the model says
//! about its candidate sizes, so planning twice gives the same trials. Integer
//! constraints (multiples of a head size, whole steps) are met by choosing among
//! the candidates and by rounding D to whole steps; the compute that is recorded
//! is the compute that the rounded run will really spend.

mod choose;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;

/// Fewest optimizer steps of a trial that is worth training: below it the
/// warm-up (at least 10 steps) and the cool-down are all there is.
pub const MIN_STEPS: u64 = 40;

/// Fewest sizes that a budget's window is widened to when the candidates are
/// sparse: one more than the parabola's bare minimum of four.
const ENOUGH_SIZES: usize = 5;

/// A size that the model was asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Candidate {
    /// The model can be built at this size.
    Accepted {
        /// Value of the size parameter.
        size: i64,
        /// Parameters N under the convention of the fit; > 0.
        n: f64,
        /// Training FLOPs per unit of data (3 × forward); > 0.
        flops_per_unit: f64,
    },
    /// The model can't be built at this size.
    Refused {
        /// Value of the size parameter.
        size: i64,
        /// The model's own words.
        reason: String,
    },
}

/// What to lay out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridSpec {
    /// Budgets and how sizes are found for them.
    pub layout: Layout,
    /// Units of data (tokens, images) consumed by one optimizer step.
    pub batch: Batch,
    /// Sizes that would train for fewer steps are skipped; [`MIN_STEPS`] by default.
    pub min_steps: u64,
}

/// Budgets, and the sizes to train at each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Sizes spread evenly in ln N around an expected optimum.
    Around {
        /// The budgets.
        budgets: Budgets,
        /// How sizes are spread.
        spread: Spread,
    },
    /// Sizes written out for each budget.
    Listed(Vec<SizeList>),
}

/// The budgets of a sweep, in FLOPs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Budgets {
    /// Each written out.
    List(Vec<f64>),
    /// `count` budgets from `min` to `max`, evenly in the logarithm.
    LogSpaced {
        /// Smallest budget.
        min: f64,
        /// Largest budget.
        max: f64,
        /// How many, ends included; at least 2.
        count: usize,
    },
}

impl Budgets {
    /// Each of them, as they are given or ascending.
    ///
    /// # Errors
    /// [`GridError`] if one is no number above 0, is given twice, or the range is empty.
    pub fn list(&self) -> Result<Vec<f64>, GridError> {
        choose::expand(self)
    }
}

/// How sizes are spread at one budget.
///
/// The default, seven sizes over a quarter to four times `√(C/120)`, leaves room
/// on both sides for an optimum that is off that guess by a factor of three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Sizes at each budget; at least 4.
    pub per_budget: usize,
    /// Where the middle is.
    pub center: Center,
    /// The window reaches from `center / span` to `center · span`; > 1.
    pub span: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            per_budget: 7,
            center: Center::chinchilla(),
            span: 4.0,
        }
    }
}

/// The size expected to be optimal at a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Center {
    /// `N = k · C^exponent`.
    PowerLaw {
        /// Prefactor; > 0.
        k: f64,
        /// Exponent.
        exponent: f64,
    },
    /// Minima `(C, N*)` that are already known: between them the straight line in
    /// ln–ln, beyond them an exponent of ½ from the nearest.
    Minima(Vec<(f64, f64)>),
}

impl Center {
    /// `√(C/120)`: C = 6·N·D with D = 20·N (Hoffmann et al. 2022).
    pub fn chinchilla() -> Self {
        Self::PowerLaw {
            k: 1.0 / 120_f64.sqrt(),
            exponent: 0.5,
        }
    }

    /// The expected N at `budget` FLOPs.
    pub fn at(&self, budget: f64) -> f64 {
        match self {
            Self::PowerLaw { k, exponent } => k * budget.powf(*exponent),
            Self::Minima(minima) => choose::interpolate(minima, budget),
        }
    }
}

/// The sizes of one budget, written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SizeList {
    /// FLOPs.
    pub budget: f64,
    /// Values of the size parameter.
    pub sizes: Vec<i64>,
}

/// A sweep that is ready to be trained (for one seed).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// One entry a budget, smallest first.
    pub budgets: Vec<BudgetGrid>,
    /// FLOPs of all trials together.
    pub flops: f64,
}

/// The trials of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetGrid {
    /// FLOPs asked for.
    pub budget: f64,
    /// The expected optimum that the sizes were laid around; absent where they
    /// were listed.
    pub center: Option<f64>,
    /// What to train, smallest size first.
    pub trials: Vec<PlannedTrial>,
    /// Sizes that were considered and left out.
    pub skipped: Vec<SkippedSize>,
    /// Ends of the window that no trainable candidate reaches.
    pub uncovered: Vec<Side>,
}

/// One trial to train.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedTrial {
    /// Value of the size parameter.
    pub size: i64,
    /// Parameters N.
    pub n: f64,
    /// Optimizer steps, `round(C / (FLOPs per unit · units per step))`.
    pub steps: u64,
    /// Units of data D that those steps consume.
    pub d: f64,
    /// FLOPs that those steps cost; differs from the budget by the rounding.
    pub c: f64,
    /// Units of data in each of those steps.
    pub units_per_step: u64,
}

/// A size without a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkippedSize {
    /// Value of the size parameter.
    pub size: i64,
    /// Why.
    pub reason: SkipReason,
}

/// Why a size has no trial at a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SkipReason {
    /// The budget pays for too short a run.
    #[error("{steps} steps, fewer than the {min_steps} that a trial needs")]
    TooFewSteps {
        /// Steps that the budget pays for.
        steps: u64,
        /// Fewest that are accepted.
        min_steps: u64,
    },
    /// The model can't be built at this size.
    #[error("refused by the model: {reason}")]
    Refused {
        /// The model's own words.
        reason: String,
    },
    /// The size was listed, but the model was never asked about it.
    #[error("not among the sizes that were measured")]
    NotMeasured,
}

/// An end of a range of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Towards small models.
    Low,
    /// Towards large models.
    High,
}

/// A specification that no grid can be laid out for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// There is nothing to plan.
    #[error("no budgets; give at least one, in FLOPs")]
    NoBudgets,
    /// A budget is not a positive number.
    #[error("budget {found}: expected a finite number of FLOPs above 0")]
    InvalidBudget {
        /// What was given.
        found: f64,
    },
    /// A budget is given twice.
    #[error("budget {budget:e} is given twice; remove one")]
    RepeatedBudget {
        /// FLOPs.
        budget: f64,
    },
    /// A range of budgets that is empty or has fewer than two members.
    #[error(
        "budgets from {min:e} to {max:e}, {count} of them: expected min < max and a count of at least 2"
    )]
    InvalidRange {
        /// Smallest budget.
        min: f64,
        /// Largest budget.
        max: f64,
        /// How many.
        count: usize,
    },
    /// Steps that consume nothing.
    #[error("units per step is 0; a step has to consume at least one token or image")]
    NoUnitsPerStep,
    /// A batch that grows from no amount of data.
    #[error("a batch that grows from D = {found}: expected a finite number of units above 0")]
    InvalidStart {
        /// What was given.
        found: f64,
    },
    /// Too few sizes for a curve.
    #[error("{found} sizes per budget: a parabola needs at least 4, and 5 to 7 are usual")]
    TooFewSizes {
        /// What was given.
        found: usize,
    },
    /// A window without width.
    #[error("span {found}: the window runs from N/span to N·span, so it has to be above 1")]
    InvalidSpan {
        /// What was given.
        found: f64,
    },
    /// The expected optimum is not a size.
    #[error(
        "the expected optimum at {budget:e} FLOPs comes out as {found}; expected a positive number of parameters"
    )]
    InvalidCenter {
        /// FLOPs.
        budget: f64,
        /// What the rule gave.
        found: f64,
    },
    /// A candidate without a usable count.
    #[error("size {size}: {field} is {found}, expected a finite number above 0")]
    InvalidCandidate {
        /// Value of the size parameter.
        size: i64,
        /// `n` or `flops_per_unit`.
        field: &'static str,
        /// What the model reported.
        found: f64,
    },
    /// A size is offered or listed twice.
    #[error("size {size} appears twice; remove one")]
    RepeatedSize {
        /// Value of the size parameter.
        size: i64,
    },
    /// Every candidate was refused, or none was given.
    #[error(
        "none of the {refused} candidate sizes can be built; widen the sizes or correct the model's config"
    )]
    NoCandidates {
        /// How many were refused.
        refused: usize,
    },
}

/// Lays out the grid.
///
/// Around an expected optimum, the smallest and largest trial are the nearest
/// candidates that enclose the window, so that the curve is seen on both sides;
/// the others are the distinct candidates nearest to targets spaced evenly in
/// ln N between those two. Sizes that would train for fewer than `min_steps`
/// are not eligible; those inside the window are listed as skipped.
///
/// # Errors
/// [`GridError`] when the specification or a candidate makes no sense. A budget
/// for which no size is trainable is no error: it has no trials and says why.
pub fn plan(spec: &GridSpec, candidates: &[Candidate]) -> Result<Grid, GridError> {
    choose::plan(spec, candidates)
}
