//! The same runs under several conventions of N and C.
//!
//! Whether N counts embeddings, and whether C is what the model was counted to cost
//! or 6·N·D, moves fitted exponents by more than their intervals, most of all with
//! small models (Pearce and Song 2024, arXiv 2406.12907; Porian et al. 2024, arXiv
//! 2406.19146). So the laws are fitted under each convention that the runs carry,
//! side by side: exponents as a paper with that convention would print them, and the
//! optimum carried back to the runs' own N for the same spending.

use serde::{Deserialize, Serialize};

use crate::fit::fit;
use crate::flops::FlopsPerUnit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::method::Method;
use crate::run::{CurvePoint, Run};
use crate::sample::Sample;
use crate::simulate::FLOPS;
use crate::valley::bisect;

/// Ratio between the computes of one budget's runs above which they lie on no
/// `IsoFLOP` curve.
const SAME_BUDGET: f64 = 1.1;
/// Relative difference below which two counts are the same count.
const SAME: f64 = 1e-6;
/// Factor in C over which the local exponent is taken.
const NEAR: f64 = 1.1;
/// Largest ratio between C as counted and 6·N·D.
const REACH: f64 = 1e4;

/// How C is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComputeCount {
    /// As the runs say.
    Counted,
    /// 6·N·D, with the convention's N (Kaplan et al. 2020).
    #[serde(rename = "6nd")]
    SixNd,
}

/// One way of counting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convention {
    /// Name of the count of N among the runs' further counts; absent for the N that
    /// the analysis is about.
    pub n: Option<String>,
    /// How C is counted.
    pub c: ComputeCount,
}

/// One method's law under one convention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConventionFit {
    /// The way of counting.
    pub convention: Convention,
    /// The method.
    pub method: Method,
    /// Exponent of N*(C) at `at`, N and C counted that way.
    pub a: f64,
    /// Exponent of D*(C) there.
    pub b: f64,
    /// The optimum whose training costs the target, as counted by the runs; N and C
    /// in this convention's counts.
    pub at: Optimum,
    /// The same size in the N that the analysis is about.
    pub n: f64,
}

/// Fits each of `methods` under every convention that all `runs` carry, the runs' own
/// first, and asks for the optimum that costs `c` FLOPs as counted. Empty where there
/// is but one convention.
///
/// Methods that work by budget are left out where 6·N·D differs by more than 10 %
/// within a budget, and every method where it has no law.
pub fn conventions(runs: &[&Run], methods: &[Method], c: f64) -> Vec<ConventionFit> {
    let conventions = carried(runs);
    if conventions.len() < 2 {
        return Vec::new();
    }
    let mut fits = Vec::new();
    for convention in &conventions {
        let counted: Vec<Run> = runs.iter().map(|run| convention.apply(run)).collect();
        let Ok(sample) = Sample::new(&counted) else {
            continue;
        };
        let own = Own::of(runs, &sample);
        let by_budget = convention.c == ComputeCount::Counted || on_isoflops(&sample);
        for &method in methods
            .iter()
            .filter(|method| by_budget || is_surface(**method))
        {
            if let Ok(fit) = fit(method, &sample) {
                fits.extend(own.answer(convention, method, fit.law(), c));
            }
        }
    }
    fits
}

/// The conventions that all runs carry and that differ from one another.
fn carried(runs: &[&Run]) -> Vec<Convention> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let names = first.counts.keys().filter(|name| {
        let count = |run: &Run| run.counts.get(*name).copied().unwrap_or(f64::NAN);
        runs.iter()
            .all(|run| count(run) > 0.0 && count(run).is_finite())
            && runs.iter().any(|run| !is_same(count(run), run.n))
    });
    let counts: Vec<Option<String>> = std::iter::once(None)
        .chain(names.cloned().map(Some))
        .collect();
    let mut found = Vec::new();
    for c in [ComputeCount::Counted, ComputeCount::SixNd] {
        for n in &counts {
            let convention = Convention { n: n.clone(), c };
            let differs = |run: &&Run| !is_same(convention.apply(run).c, run.c);
            if c == ComputeCount::Counted || runs.iter().any(differs) {
                found.push(convention);
            }
        }
    }
    found
}

fn is_same(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < SAME
}

fn is_surface(method: Method) -> bool {
    matches!(
        method,
        Method::ParametricHuber
            | Method::ParametricLad
            | Method::ParametricMse
            | Method::DataConstrained
    )
}

/// Whether each budget's runs agree in C.
fn on_isoflops(sample: &Sample) -> bool {
    sample.budgets.iter().all(|budget| {
        let ends = budget.rows.iter().map(|&row| sample.ln_c[row]).fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, high): (f64, f64), ln_c| (low.min(ln_c), high.max(ln_c)),
        );
        ends.1 - ends.0 <= SAME_BUDGET.ln()
    })
}

impl Convention {
    /// A run counted this way.
    fn apply(&self, run: &Run) -> Run {
        let n = match &self.n {
            Some(name) => run.counts.get(name).copied().unwrap_or(run.n),
            None => run.n,
        };
        match self.c {
            ComputeCount::Counted => Run { n, ..run.clone() },
            ComputeCount::SixNd => Run {
                n,
                c: FLOPS * n * run.d,
                curve: run
                    .curve
                    .iter()
                    .map(|point| CurvePoint {
                        c: FLOPS * n * point.d,
                        ..*point
                    })
                    .collect(),
                ..run.clone()
            },
        }
    }
}

/// From a convention's N to the runs' own N and costs.
struct Own {
    /// ln of the FLOPs per unit as counted, against the convention's ln N.
    cost: FlopsPerUnit,
    /// ln of the runs' own N against the convention's, by the same interpolation.
    n: FlopsPerUnit,
}

impl Own {
    fn of(runs: &[&Run], counted: &Sample) -> Self {
        let against = |own: fn(&Run) -> f64| {
            let pairs = runs.iter().zip(&counted.ln_n);
            FlopsPerUnit::of(pairs.map(|(run, ln_n)| (*ln_n, own(run))).collect())
        };
        Self {
            cost: against(|run| (run.c / run.d).ln()),
            n: against(|run| run.n.ln()),
        }
    }

    fn answer(
        &self,
        convention: &Convention,
        method: Method,
        law: &Law,
        c: f64,
    ) -> Option<ConventionFit> {
        let cost = |optimum: &Optimum| self.cost.at(optimum.n.ln()).0 + optimum.d.ln();
        let at = match convention.c {
            ComputeCount::Counted => law.optimum(c),
            ComputeCount::SixNd => {
                let ends = (c.ln() - REACH.ln(), c.ln() + REACH.ln());
                let is_cheaper = |ln_c: f64| cost(&law.optimum(ln_c.exp())) < c.ln();
                law.optimum(bisect(ends.0, ends.1, is_cheaper).exp())
            }
        };
        let near = law.optimum(at.c * NEAR);
        let fit = ConventionFit {
            convention: convention.clone(),
            method,
            a: (near.n / at.n).ln() / NEAR.ln(),
            b: (near.d / at.d).ln() / NEAR.ln(),
            n: self.n.at(at.n.ln()).0.exp(),
            at,
        };
        [fit.a, fit.b, fit.n, at.d, at.loss]
            .iter()
            .all(|value| value.is_finite())
            .then_some(fit)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::simulate::Truth;

    const BUDGETS: [f64; 5] = [1e15, 1e16, 1e17, 1e18, 1e19];

    /// N without embeddings where they take ω·N^⅓ (Pearce and Song 2024, eq. 2): the
    /// root of n + ω·n^⅓ = total.
    fn without_embeddings(total: f64) -> f64 {
        let ln = bisect(0.0, total.ln(), |ln| {
            let n = f64::exp(ln);
            n + OMEGA * n.cbrt() < total
        });
        ln.exp()
    }

    const OMEGA: f64 = 5_000.0;

    /// Runs whose own N leaves embeddings out while loss and C go by the total.
    fn runs() -> Vec<Run> {
        let truth = Truth::with_exponents(0.34, 0.36, 1e17, 0.9);
        let mut runs = truth.sweep(&BUDGETS, 9, 2.0, 1.0, 1);
        for run in &mut runs {
            run.counts.insert("all".to_owned(), run.n);
            run.n = without_embeddings(run.n);
        }
        runs
    }

    fn fits(runs: &[Run], methods: &[Method], c: f64) -> Vec<ConventionFit> {
        conventions(&runs.iter().collect::<Vec<_>>(), methods, c)
    }

    #[test]
    fn leaving_embeddings_out_raises_the_exponent_by_what_the_count_says() {
        let runs = runs();
        let c = 1e17;
        let found = fits(&runs, &[Method::IsoflopCubic], c);
        let counts: Vec<_> = found
            .iter()
            .map(|fit| fit.convention.n.as_deref())
            .collect();
        // 6·N·D of the small N lies on no IsoFLOP curve, that of the total is C.
        assert_eq!(counts, [None, Some("all")]);
        let (own, all) = (&found[0], &found[1]);
        assert!((all.a - 0.36 / 0.70).abs() < 2e-3, "{all:?}");
        // ln n over the budgets' ends, by the closed form of the total's optimum.
        let total = |c: f64| all.at.n * (c / all.at.c).powf(all.a);
        let rise = (without_embeddings(total(1e19)) / without_embeddings(total(1e15))).ln();
        let expected = rise / 1e4_f64.ln();
        assert!((own.a - expected).abs() < 0.01, "{} for {expected}", own.a);
        assert!(own.a > all.a + 0.01);
        // The size is the same whatever it is called.
        assert!((own.n / all.n).ln().abs() < 0.1, "{found:?}");
        assert!((all.n / without_embeddings(all.at.n) - 1.0).abs() < 0.02);
    }

    #[test]
    fn six_nd_is_asked_for_the_same_spending() {
        let runs = runs();
        let c = 3e17;
        let found = fits(&runs, &[Method::ParametricMse], c);
        let six = found
            .iter()
            .find(|fit| fit.convention.c == ComputeCount::SixNd)
            .unwrap();
        assert_eq!(six.convention.n, None);
        assert!((six.at.c / (6.0 * six.at.n * six.at.d) - 1.0).abs() < 1e-6);
        // As the runs count, 6 times the total: the optimum costs what was asked.
        let total = six.at.n + OMEGA * six.at.n.cbrt();
        assert!((6.0 * total * six.at.d / c - 1.0).abs() < 0.01, "{six:?}");
        assert!((six.n / six.at.n - 1.0).abs() < 1e-9);
        assert!(six.at.c < c);
    }

    #[test]
    fn one_convention_is_nothing_to_compare() {
        let truth = Truth::with_exponents(0.34, 0.36, 1e17, 0.9);
        let mut runs = truth.sweep(&BUDGETS, 9, 2.0, 1.0, 1);
        assert!(fits(&runs, &[Method::ParametricMse], 1e17).is_empty());
        // A count that only some runs carry, and one that is N again, are none.
        let n = runs[0].n;
        runs[0].counts.insert("some".to_owned(), 2.0 * n);
        for run in &mut runs {
            run.counts.insert("again".to_owned(), run.n);
        }
        assert!(fits(&runs, &[Method::ParametricMse], 1e17).is_empty());
    }
}
