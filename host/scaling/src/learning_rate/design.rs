//! At which points to tune.

use serde::{Deserialize, Serialize};

use super::{EXTENSIONS, Transfer, law::FEW};
use crate::grid::{self, Candidate, GridError, GridSpec, Layout, PlannedTrial, SizeList};

/// Points where one rate is to serve all: more than one, to see whether it does.
const SIZES: usize = 2;

/// Factor between the two budgets of a law where the sweep's own are too dear.
const APART: f64 = 4.0;

/// How often the budgets are halved before it is given up.
const HALVINGS: i32 = 40;

/// What is to be tuned, and at what cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// What the best rates become.
    pub transfer: Transfer,
    /// Rates at each point; at least 1.
    pub rates: usize,
    /// Largest share of the sweep's FLOPs that tuning may cost, extensions included; > 0.
    pub share: f64,
}

/// A point to tune at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// FLOPs of a trial.
    pub budget: f64,
    /// The trial.
    pub trial: PlannedTrial,
}

/// Why there is nothing to tune at.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DesignError {
    /// The sweep itself can't be laid out.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// No points are cheap enough.
    #[error("tuning at {points} points would cost {:.1} % of the sweep's FLOPs, extensions included, at the smallest budget that trains enough sizes for as long as they need", 100.0 * share)]
    TooDear {
        /// Points at that budget.
        points: usize,
        /// Their share of the sweep.
        share: f64,
    },
    /// Not enough sizes are trainable at all.
    #[error("{found} sizes and budgets can be tuned at, too few for {needed}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
}

/// The points of `sweep`, whose trials cost `flops` together, to tune at.
///
/// Where one rate is to serve all, the two smallest sizes of the lowest budget. For a
/// law, the smallest, a middle and the largest size of the lowest budget and of the
/// highest that can be afforded; where none beyond the lowest can, of that and a quarter
/// of it. What is still too dear is halved.
///
/// # Errors
/// [`DesignError`] when nothing is cheap enough, or the sweep itself makes no sense.
pub fn places(
    design: &Design,
    sweep: &GridSpec,
    candidates: &[Candidate],
    flops: f64,
) -> Result<Vec<Place>, DesignError> {
    let grid = grid::plan(sweep, candidates)?;
    let mut budgets = grid.budgets.into_iter();
    let budgets: Vec<(f64, Vec<i64>)> = budgets
        .by_ref()
        .filter(|budget| !budget.trials.is_empty())
        .map(|budget| {
            let sizes = budget.trials.iter().map(|trial| trial.size);
            (budget.budget, sizes.collect())
        })
        .collect();
    let needed = match design.transfer {
        Transfer::OneRate => 1,
        Transfer::Law => FEW,
    };
    let Some((lowest, sizes)) = budgets.first() else {
        return Err(DesignError::TooFew { found: 0, needed });
    };
    let at = |budget: f64, sizes: &[i64]| trainable(sweep, candidates, budget, sizes);
    let halved = (0..HALVINGS).map(|times| (lowest / 2_f64.powi(times), sizes));
    let mut tried: Vec<Vec<Place>> = Vec::new();
    match design.transfer {
        Transfer::OneRate => {
            for (budget, sizes) in halved {
                let mut places = at(budget, sizes)?;
                places.truncate(SIZES);
                tried.push(places);
            }
        }
        Transfer::Law => {
            for (upper, sizes_there) in budgets[1..].iter().rev() {
                let mut places = three(at(*lowest, sizes)?);
                places.extend(three(at(*upper, sizes_there)?));
                tried.push(places);
            }
            for (budget, sizes) in halved {
                let mut places = three(at(budget / APART, sizes)?);
                places.extend(three(at(budget, sizes)?));
                tried.push(places);
            }
        }
    }
    let cost = |places: &[Place]| {
        let once: f64 = places.iter().map(|place| place.trial.c).sum();
        once * (design.rates + EXTENSIONS) as f64 / flops
    };
    let most = tried.iter().map(Vec::len).max().unwrap_or(0);
    let mut enough = tried.into_iter().filter(|places| places.len() >= needed);
    let mut cheapest: Option<(usize, f64)> = None;
    let found = enough.find(|places| {
        let share = cost(places);
        if cheapest.is_none_or(|(_, least)| share < least) {
            cheapest = Some((places.len(), share));
        }
        share <= design.share
    });
    match (found, cheapest) {
        (Some(places), _) => Ok(places),
        (None, Some((points, share))) => Err(DesignError::TooDear { points, share }),
        (None, None) => Err(DesignError::TooFew {
            found: most,
            needed,
        }),
    }
}

/// Those of `sizes` that train for long enough at `budget`, smallest first.
fn trainable(
    sweep: &GridSpec,
    candidates: &[Candidate],
    budget: f64,
    sizes: &[i64],
) -> Result<Vec<Place>, GridError> {
    let spec = GridSpec {
        layout: Layout::Listed(vec![SizeList {
            budget,
            sizes: sizes.to_vec(),
        }]),
        ..sweep.clone()
    };
    let grid = grid::plan(&spec, candidates)?;
    let trials = grid.budgets.into_iter().flat_map(|budget| budget.trials);
    Ok(trials.map(|trial| Place { budget, trial }).collect())
}

/// The first, the middle and the last of `places`.
fn three(places: Vec<Place>) -> Vec<Place> {
    if places.len() <= 3 {
        return places;
    }
    let last = places.len() - 1;
    vec![places[0], places[last / 2], places[last]]
}
