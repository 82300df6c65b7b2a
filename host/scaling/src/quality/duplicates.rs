//! The same row again, and nearly the same size again.

use std::collections::HashMap;

use super::{Group, Indexed, LeftOut, LeftOutReason};

/// Sizes of one budget that are closer than this share of the average step
/// between them are one size: no grid plans them, a figure read twice gives them.
const SAME_SIZE: f64 = 0.01;

/// Rows that agree in N, D, C, loss and seed with an earlier one.
pub(super) fn exact(runs: &[Indexed<'_>]) -> Vec<LeftOut> {
    let mut first: HashMap<_, usize> = HashMap::with_capacity(runs.len());
    runs.iter()
        .filter_map(|&(index, run)| {
            let numbers = [run.n, run.d, run.c, run.loss].map(f64::to_bits);
            let of = *first.entry((numbers, run.seed)).or_insert(index);
            (of != index).then_some(LeftOut {
                run: index,
                reason: LeftOutReason::Duplicate { of },
            })
        })
        .collect()
}

/// Runs whose size is nearly that of another run of their budget and seed. Equal
/// sizes are repetitions, which say how large the noise is, and stay.
pub(super) fn near(groups: &[Group<'_>]) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    for budget in groups {
        let mut runs = budget.runs.clone();
        runs.sort_by(|a, b| a.1.n.total_cmp(&b.1.n).then(a.0.cmp(&b.0)));
        let sizes = budget.sizes();
        let (Some(smallest), Some(largest)) = (runs.first(), runs.last()) else {
            continue;
        };
        let range = (largest.1.n / smallest.1.n).ln();
        let closest = SAME_SIZE * range / sizes.saturating_sub(1).max(1) as f64;
        let mut last: HashMap<Option<u64>, Indexed<'_>> = HashMap::new();
        for (index, run) in runs {
            let Some(&(of, other)) = last.get(&run.seed) else {
                last.insert(run.seed, (index, run));
                continue;
            };
            let step = (run.n / other.n).ln();
            if step > 0.0 && step < closest {
                // The earlier row is the one that stays.
                let (gone, of) = (index.max(of), index.min(of));
                if gone != index {
                    last.insert(run.seed, (index, run));
                }
                left_out.push(LeftOut {
                    run: gone,
                    reason: LeftOutReason::NearDuplicate {
                        of,
                        difference: step.exp_m1(),
                    },
                });
            } else {
                last.insert(run.seed, (index, run));
            }
        }
    }
    left_out
}
