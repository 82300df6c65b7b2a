//! Which run to train next, and whether to train one at all.
//!
//! Every run that could be trained is weighed by how much it narrows the interval of
//! the answer at the target, and by what it costs. Only what noise makes of the interval
//! narrows: the disagreement between methods stays with more runs of the same kind. A
//! run counts with the noise of the others; that the surface holds at
//! every size is taken for granted, so proposals stay near the sweep's own budgets.

use serde::{Deserialize, Serialize};

use super::half_width::HalfWidth;
use super::information::Information;
use crate::frontier::{Frontier, Law};
use crate::sample::Sample;
use crate::student;

/// Budgets that are proposed beyond the largest that was trained, as multiples of it.
const BEYOND: [f64; 2] = [3.162_277_660_168_379_5, 10.0];
/// Sizes proposed at a budget where no sizes are given: from a quarter to four times
/// N*, evenly.
const SIZES: usize = 9;
/// Reach of those, and of the sizes that are given, around N*.
const REACH: f64 = 4.0;
/// Runs that the way to a wish is followed for.
const PATH: usize = 500;
/// Relative difference below which two runs are of one configuration.
const SAME: f64 = 1e-9;

/// What the interval is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// ln N* at the target.
    N,
    /// L* at the target.
    Loss,
}

/// When an interval is narrow enough; with neither bound it never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// N* known within this factor either way; > 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// L* known within this either way, in units of the loss; > 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
}

/// A size that can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Parameters N.
    pub n: f64,
    /// FLOPs per unit of data.
    pub flops_per_unit: f64,
}

/// A run that could be trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Parameters N.
    pub n: f64,
    /// Units of data D.
    pub d: f64,
    /// FLOPs.
    pub c: f64,
}

/// What a run is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The run.
    pub run: Proposal,
    /// Expected share by which the interval narrows, from 0 to 1.
    pub narrowing: f64,
    /// The same for each FLOP.
    pub per_flop: f64,
}

/// What it takes to fulfil a wish: always the run that narrows most per FLOP next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Remaining {
    /// Runs.
    pub runs: usize,
    /// FLOPs of them together.
    pub flops: f64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// FLOPs of the target.
    pub target: f64,
    /// What the interval is on.
    pub aim: Aim,
    /// Half the interval's width now: in ln N*, or in units of the loss.
    pub half_width: f64,
    /// The same as wished; absent without a wish.
    pub wish: Option<f64>,
    /// Whether the sweep can stop: the wish, on N* and on L*, is fulfilled.
    pub stop: bool,
    /// The run that narrows the interval most for each FLOP.
    pub next: Option<Gain>,
    /// The run that narrows it most, whatever it costs.
    pub widest: Option<Gain>,
    /// What it takes to fulfil the wish; absent where it is fulfilled, or out of reach:
    /// of 500 runs, or of any number because the methods disagree by more.
    pub remaining: Option<Remaining>,
}

/// Runs that could be trained next: the sizes around the optimum at every budget that
/// was trained and, in half decades, up to ten times the largest. Without `sizes` any
/// size can be trained.
pub fn proposals(law: &Law, budgets: &[f64], sizes: &[Size]) -> Vec<Proposal> {
    let largest = budgets.iter().copied().reduce(f64::max);
    let beyond = largest
        .into_iter()
        .flat_map(|c| BEYOND.map(|factor| factor * c));
    let all = budgets.iter().copied().chain(beyond);
    let mut proposals = Vec::new();
    for c in all {
        let optimum = law.optimum(c);
        if sizes.is_empty() {
            let cost = c / (optimum.n * optimum.d);
            proposals.extend((0..SIZES).map(|i| {
                let n = optimum.n * REACH.powf(2.0 * i as f64 / (SIZES - 1) as f64 - 1.0);
                let d = match law {
                    Law::Surface(law) => law.flops.ln_d(c.ln(), n.ln()).exp(),
                    _ => c / (cost * n),
                };
                Proposal { n, d, c }
            }));
        } else {
            let near = sizes
                .iter()
                .filter(|size| (size.n / optimum.n).ln().abs() <= REACH.ln());
            proposals.extend(near.map(|size| Proposal {
                n: size.n,
                d: c / size.flops_per_unit,
                c,
            }));
        }
    }
    proposals
}

/// Advice for a sweep with the runs of `sample`, whose surface is `law`: which of
/// `proposals` to train next for the interval at `target` FLOPs.
///
/// `now` are half the widths of the present intervals of ln N* and of L*. `None` where
/// `law` is no surface, or the runs do not determine it.
pub fn advise(
    sample: &Sample,
    law: &Law,
    target: f64,
    now: [HalfWidth; 2],
    wish: Wish,
    proposals: &[Proposal],
) -> Option<Advice> {
    let Law::Surface(law) = law else { return None };
    let information = Information::of(sample, law)?;
    let wished = [
        (Aim::N, now[0], wish.n.map(f64::ln)),
        (Aim::Loss, now[1], wish.loss),
    ];
    let is_open =
        |(_, now, wish): &&(Aim, HalfWidth, Option<f64>)| wish.is_some_and(|wish| now.whole > wish);
    let open = wished.iter().find(is_open);
    let &(aim, half, wish) = open
        .or_else(|| wished.iter().find(|(_, _, wish)| wish.is_some()))
        .unwrap_or(&wished[0]);
    let mut study = Study {
        quantity: information.answer(aim, target),
        half,
        freedom: sample.configurations() as f64 - information.parameters() as f64,
        seen: Seen::of(sample),
        information,
    };
    let gains = study.gains(proposals);
    let most = |value: fn(&Gain) -> f64| {
        let best = gains.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
        best.filter(|gain| gain.narrowing > 0.0).copied()
    };
    Some(Advice {
        target,
        aim,
        half_width: half.whole,
        wish,
        stop: open.is_none() && wished.iter().any(|(_, _, wish)| wish.is_some()),
        next: most(|gain| gain.per_flop),
        widest: most(|gain| gain.narrowing),
        remaining: open.and_then(|_| study.remaining(proposals, half.share_for(wish?)?)),
    })
}

/// Student's t; with too few runs for any, that of one degree of freedom.
fn two_sided(freedom: f64) -> f64 {
    student::two_sided(freedom.max(1.0))
}

/// Configurations (ln N, ln D), ascending.
struct Seen(Vec<(f64, f64)>);

impl Seen {
    fn of(sample: &Sample) -> Self {
        let rows = 0..sample.len();
        let mut all: Vec<(f64, f64)> = rows
            .map(|row| (sample.ln_n[row], sample.ln_d[row]))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(all)
    }

    /// Where sizes from `ln_n` on begin.
    fn from(&self, ln_n: f64) -> usize {
        self.0.partition_point(|(n, _)| *n < ln_n)
    }

    /// Whether a run is of a configuration of its own.
    fn is_new(&self, ln_n: f64, ln_d: f64) -> bool {
        let near = &self.0[self.from(ln_n - SAME)..self.from(ln_n + SAME)];
        !near.iter().any(|(_, d)| (d - ln_d).abs() < SAME)
    }

    fn add(&mut self, ln_n: f64, ln_d: f64) {
        self.0.insert(self.from(ln_n), (ln_n, ln_d));
    }
}

/// A sweep to which runs are added.
struct Study<'l> {
    information: Information<'l>,
    quantity: nalgebra::SVector<f64, 5>,
    /// Half the interval's width before any is added.
    half: HalfWidth,
    /// Configurations less parameters.
    freedom: f64,
    seen: Seen,
}

impl Study<'_> {
    fn gains(&self, proposals: &[Proposal]) -> Vec<Gain> {
        let variance = self.information.unit_variance(&self.quantity);
        let widths = [0.0, 1.0].map(|more| two_sided(self.freedom + more));
        let now = widths[0] * variance.sqrt();
        proposals
            .iter()
            .map(|run| {
                let (ln_n, ln_d) = (run.n.ln(), run.d.ln());
                let less = self.information.reduction(&self.quantity, ln_n, ln_d);
                let new = usize::from(self.seen.is_new(ln_n, ln_d));
                let then = widths[new] * (variance - less).max(0.0).sqrt();
                let narrowing = 1.0 - self.half.at(then / now) / self.half.whole;
                Gain {
                    run: *run,
                    narrowing,
                    per_flop: narrowing / run.c,
                }
            })
            .filter(|gain| gain.narrowing.is_finite() && gain.per_flop.is_finite())
            .collect()
    }

    /// The runs that it takes to bring noise down to `share` of what it makes now.
    fn remaining(&mut self, proposals: &[Proposal], share: f64) -> Option<Remaining> {
        let width = |study: &Self| {
            let variance = study.information.unit_variance(&study.quantity);
            two_sided(study.freedom) * variance.max(0.0).sqrt()
        };
        let wished = share * width(self);
        let mut remaining = Remaining {
            runs: 0,
            flops: 0.0,
        };
        while width(self) > wished {
            let gains = self.gains(proposals);
            let best = gains
                .iter()
                .max_by(|a, b| a.per_flop.total_cmp(&b.per_flop))
                .filter(|gain| gain.narrowing > 0.0 && remaining.runs < PATH)?
                .run;
            let (ln_n, ln_d) = (best.n.ln(), best.d.ln());
            if self.seen.is_new(ln_n, ln_d) {
                self.freedom += 1.0;
                self.seen.add(ln_n, ln_d);
            }
            self.information.add(ln_n, ln_d);
            remaining.runs += 1;
            remaining.flops += best.c;
        }
        Some(remaining)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::run::Run;
    use crate::simulate::{FLOPS, Truth, noisy};
    use crate::{Fit, fit};

    const BUDGETS: [f64; 3] = [1e18, 1e19, 1e20];
    const C: f64 = 1e22;

    fn truth() -> Truth {
        Truth::with_exponents(0.34, 0.28, 1e20, 0.9)
    }

    fn plan() -> Vec<Run> {
        truth().sweep(&BUDGETS, 7, 4.0, 1.0, 1)
    }

    fn fitted(sample: &Sample) -> Fit<'_> {
        fit(Method::ParametricMse, sample).unwrap()
    }

    fn advice((n, loss): (f64, f64), wish: Wish) -> Advice {
        told([n, loss].map(HalfWidth::of_noise), wish)
    }

    fn told(now: [HalfWidth; 2], wish: Wish) -> Advice {
        let sample = Sample::new(&plan()).unwrap();
        let law = fitted(&sample).law().clone();
        let proposals = proposals(&law, &BUDGETS, &[]);
        advise(&sample, &law, C, now, wish, &proposals).unwrap()
    }

    /// Standard deviation of ln N* over noisy sweeps of `runs`.
    fn spread(runs: &[Run]) -> f64 {
        let sample = Sample::new(runs).unwrap();
        let fit = fitted(&sample);
        let values: Vec<f64> = (0..1000)
            .map(|number| {
                let noisy = noisy(runs, 0.001, 9, number);
                let losses: Vec<f64> = noisy.iter().map(|run| run.loss).collect();
                fit.refit(&losses, None).unwrap().optimum(C).n.ln()
            })
            .collect();
        let mean = values.iter().sum::<f64>() / 1000.0;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 999.0).sqrt()
    }

    #[test]
    fn the_advised_runs_narrow_simulated_sweeps_as_promised() {
        let advice = advice((0.3, 0.02), Wish::default());
        assert_eq!(
            (advice.aim, advice.stop, advice.wish),
            (Aim::N, false, None)
        );
        let before = spread(&plan());
        for gain in [advice.next.unwrap(), advice.widest.unwrap()] {
            let Proposal { n, d, c } = gain.run;
            let mut runs = plan();
            runs.push(Run::new(n, d, c, truth().loss(n, d)));
            let found = 1.0 - spread(&runs) / before;
            // The interval narrows by one more degree of freedom, too.
            let by_t = student::two_sided(17.0) / student::two_sided(16.0);
            let expected = 1.0 - (1.0 - gain.narrowing) / by_t;
            assert!(
                (found - expected).abs() < 0.04,
                "{found} for {expected}: {gain:?}"
            );
        }
    }

    #[test]
    fn best_per_flop_and_best_outright() {
        let sample = Sample::new(&plan()).unwrap();
        let law = fitted(&sample).law().clone();
        let proposals = proposals(&law, &BUDGETS, &[]);
        assert_eq!(proposals.len(), 5 * SIZES);
        for run in &proposals {
            assert!((FLOPS * run.n * run.d / run.c - 1.0).abs() < 1e-9);
            assert!(run.c >= 1e18 && run.c <= 1.001e21);
        }
        let advice = advice((0.3, 0.02), Wish::default());
        let (next, widest) = (advice.next.unwrap(), advice.widest.unwrap());
        assert!(next.per_flop >= widest.per_flop && next.narrowing <= widest.narrowing);
        assert!(next.run.c < widest.run.c);
        // Towards a target beyond the runs, a run beyond them says most.
        assert!(widest.run.c > 1e20, "{widest:?}");
    }

    #[test]
    fn only_sizes_that_exist_are_proposed() {
        let sample = Sample::new(&plan()).unwrap();
        let law = fitted(&sample).law().clone();
        let n = law.optimum(1e19).n;
        let sizes = [0.1, 1.0, 1.5].map(|factor| Size {
            n: factor * n,
            flops_per_unit: 7.0 * factor * n,
        });
        let found = proposals(&law, &[1e19], &sizes);
        let at_1e19: Vec<f64> = found
            .iter()
            .filter(|run| run.c < 2e19)
            .map(|run| run.n)
            .collect();
        assert_eq!(at_1e19, [n, 1.5 * n]);
        assert!((found[0].d / (1e19 / (7.0 * n)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_wish_is_fulfilled_or_has_a_price() {
        let on_n = |factor| Wish {
            n: Some(factor),
            loss: None,
        };
        let done = advice((0.1, 0.02), on_n(1.2));
        assert!(done.stop && done.remaining.is_none());
        let near = advice((0.2, 0.02), on_n(1.2));
        let far = advice((0.3, 0.02), on_n(1.2));
        assert!(!near.stop && !far.stop);
        let (near, far) = (near.remaining.unwrap(), far.remaining.unwrap());
        assert!(near.runs >= 1 && near.runs < far.runs && near.flops < far.flops);
        // What the methods disagree about no run takes away.
        let disagreed = |whole: f64| {
            let half = HalfWidth { whole, noise: 0.05 };
            told([half, HalfWidth::of_noise(0.02)], on_n(1.2))
        };
        assert!(disagreed(0.185).remaining.is_some());
        let hopeless = disagreed(0.25);
        assert!(!hopeless.stop && hopeless.remaining.is_none());
        let gain = hopeless.widest.unwrap().narrowing;
        // √(.25² − .05²) = .245 stays of .25.
        assert!(gain > 0.0 && gain < 0.0202, "{gain}");
        // A wish on the loss that is still open comes before one on N* that is not.
        let both = Wish {
            n: Some(1.5),
            loss: Some(0.01),
        };
        let loss = advice((0.1, 0.02), both);
        assert_eq!((loss.aim, loss.stop), (Aim::Loss, false));
        assert!(advice((0.1, 0.005), both).stop);
    }
}
