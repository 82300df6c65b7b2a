//! Which sizes a study compares, and what a step of each costs.

use std::collections::BTreeMap;

use flops_fit_trial::{SizeFacts, SizeOutcome};

use super::TransferError;
use crate::{interrupt::Interrupt, manifest::Manifest, plan::Surveyed, trainer::Trainer};

/// Ratio of the largest size to the smallest.
const SPAN: f64 = 4.0;

/// Three sizes of the sweep: the smallest, the first that is [`SPAN`] times as large (or
/// the largest), and the one nearest to their geometric mean.
pub(super) fn spread(
    manifest: &Manifest,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<Vec<i64>, TransferError> {
    let surveyed = Surveyed::of(manifest, trainer, interrupt)?;
    let accepted: Vec<i64> = surveyed
        .description
        .sizes
        .iter()
        .filter(|facts| matches!(facts.outcome, SizeOutcome::Accepted { .. }))
        .map(|facts| facts.size)
        .collect();
    let chosen = choose(&accepted);
    if chosen.len() < 2 {
        return Err(TransferError::FewSizes {
            found: chosen.len(),
        });
    }
    Ok(chosen)
}

/// Of `sizes`, which ascend.
fn choose(sizes: &[i64]) -> Vec<i64> {
    let (Some(&least), Some(&most)) = (sizes.first(), sizes.last()) else {
        return Vec::new();
    };
    let wide = |size: &&i64| **size as f64 >= SPAN * least as f64;
    let top = sizes.iter().find(wide).copied().unwrap_or(most);
    let middle = (least as f64 * top as f64).sqrt();
    let apart = |size: i64| (size as f64 / middle).ln().abs();
    let between = sizes.iter().filter(|size| **size > least && **size < top);
    let between = between.min_by(|a, b| apart(**a).total_cmp(&apart(**b)));
    let mut chosen = vec![least];
    chosen.extend(between);
    if top > least {
        chosen.push(top);
    }
    chosen
}

/// Asks about the sizes of a study, each of which has to be accepted.
pub(super) fn ask(
    probe: &Manifest,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<Surveyed, TransferError> {
    let surveyed = Surveyed::of(probe, trainer, interrupt)?;
    for SizeFacts { size, outcome } in &surveyed.description.sizes {
        if let SizeOutcome::Refused { reason, .. } = outcome {
            return Err(TransferError::Refused {
                size_param: probe.model.size_param.clone(),
                size: *size,
                reason: reason.clone(),
            });
        }
    }
    match surveyed.description.sizes.len() {
        found @ (0 | 1) => Err(TransferError::FewSizes { found }),
        _ => Ok(surveyed),
    }
}

/// A size's N and FLOPs of an optimizer step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    pub(super) n: f64,
    pub(super) flops_per_step: f64,
}

/// Those of the sizes that were accepted.
pub(super) fn costs(surveyed: &Surveyed, units_per_step: u64) -> BTreeMap<i64, Costs> {
    let sizes = surveyed.description.sizes.iter();
    let costs = sizes.filter_map(|facts| match facts.outcome {
        SizeOutcome::Accepted {
            n, flops_per_unit, ..
        } => {
            let costs = Costs {
                n: n as f64,
                flops_per_step: flops_per_unit * units_per_step as f64,
            };
            Some((facts.size, costs))
        }
        SizeOutcome::Refused { .. } => None,
    });
    costs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_sizes_that_span_a_factor_of_four() {
        let check = |sizes: &[i64], want: &[i64]| assert_eq!(choose(sizes), want, "{sizes:?}");
        check(&[8, 16, 24, 32, 40, 96], &[8, 16, 32]);
        check(&[16, 24, 48, 72], &[16, 24, 72]);
        check(&[10, 20, 30], &[10, 20, 30]);
        check(&[10, 20], &[10, 20]);
        check(&[10, 100], &[10, 100]);
        check(&[10], &[10]);
        check(&[], &[]);
    }
}
