//! The coordinate check: whether outputs move as far at every size.

use flops_fit_trial::{OutputMoves, TrainSettings};
use serde::Serialize;

use super::{TransferError, seeds};
use crate::{
    interrupt::Interrupt,
    manifest::{self, Manifest},
    plan,
    trainer::Trainer,
};

/// Steps that outputs are followed for (Yang et al. 2022 take a handful).
const STEPS: u64 = 10;

/// Seeds that are averaged over.
const SEEDS: usize = 4;

/// How far outputs move in the first steps, by size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coordinates {
    /// Steps that they were followed for.
    pub steps: u64,
    /// Each size, smallest first.
    pub sizes: Vec<SizeMoves>,
    /// Slope of ln RMS of the change after the last step against ln size; absent where
    /// it was no finite number at a size.
    pub slope: Option<f64>,
}

/// One size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizeMoves {
    /// Value of the size parameter.
    pub size: i64,
    /// RMS of the outputs on held-out examples at initialisation, a mean over seeds.
    pub initial: f64,
    /// RMS of their change since then, after each step, a mean over seeds. Shorter than
    /// the steps where a seed's was no finite number any more.
    pub changes: Vec<f64>,
}

/// Asks the worker; there is none of a program of the user's.
pub(super) fn measure(
    probe: &Manifest,
    sizes: &[i64],
    train: &TrainSettings,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<Option<Coordinates>, TransferError> {
    let (manifest::Trainer::Plugins, Trainer::Process(worker)) = (&probe.trainer, trainer) else {
        return Ok(None);
    };
    let mut probe = probe.clone();
    probe.sweep.seeds = seeds(&probe, SEEDS);
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let moves = plan::coordinates(&probe, (&sizes, STEPS, train), worker, interrupt)?;
    let sizes = sizes.into_iter().zip(&moves);
    Ok(Some(Coordinates::new(
        sizes
            .map(|(size, moves)| SizeMoves::mean(size, moves))
            .collect(),
    )))
}

impl Coordinates {
    fn new(sizes: Vec<SizeMoves>) -> Self {
        let last = |moves: &SizeMoves| {
            let change = *moves.changes.get(STEPS as usize - 1)?;
            Some((moves.size as f64, change)).filter(|_| change > 0.0)
        };
        let last: Option<Vec<_>> = sizes.iter().map(last).collect();
        Self {
            steps: STEPS,
            slope: last.map(|points| slope(&points)),
            sizes,
        }
    }
}

impl SizeMoves {
    fn mean(size: i64, by_seed: &[OutputMoves]) -> Self {
        let mean = |values: &dyn Fn(&OutputMoves) -> f64| {
            by_seed.iter().map(values).sum::<f64>() / by_seed.len().max(1) as f64
        };
        let steps = by_seed.iter().map(|moves| moves.changes.len()).min();
        Self {
            size,
            initial: mean(&|moves| moves.initial),
            changes: (0..steps.unwrap_or(0))
                .map(|step| mean(&|moves| moves.changes[step]))
                .collect(),
        }
    }
}

/// Slope of ln y against ln x by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    let (x, y) = (x / count, y / count);
    let covariance: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    covariance / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(size: i64, last: Option<f64>) -> SizeMoves {
        let mut changes = vec![0.1; STEPS as usize - 1];
        changes.extend(last);
        SizeMoves {
            size,
            initial: 1.0,
            changes,
        }
    }

    #[test]
    fn the_slope_is_that_of_a_power_law() {
        let sizes = [8, 16, 64];
        let of = |exponent: f64| {
            let last = |size: i64| Some(0.3 * (size as f64).powf(exponent));
            Coordinates::new(sizes.map(|size| moves(size, last(size))).to_vec()).slope
        };
        for exponent in [-0.5, 0.0, 0.7] {
            let found = of(exponent).expect("a slope");
            assert!((found - exponent).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn a_size_whose_outputs_are_lost_leaves_no_slope() {
        let found = Coordinates::new(vec![moves(8, Some(0.2)), moves(16, None)]);
        assert_eq!(found.slope, None);
        let seeds = [[0.1, 0.2].to_vec(), [0.3].to_vec()].map(|changes| OutputMoves {
            initial: 1.0,
            changes,
        });
        let mean = SizeMoves::mean(8, &seeds);
        assert_eq!(mean.changes, [0.2]);
    }
}
