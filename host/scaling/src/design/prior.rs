//! What is believed before a sweep is trained.

use serde::{Deserialize, Serialize};

use crate::analysis::Options;
use crate::bootstrap::{Bootstrap, Draws};
use crate::fit::fit;
use crate::frontier::Law;
use crate::method::Method;
use crate::quality;
use crate::random::{Purpose, Stream};
use crate::run::Run;
use crate::sample::Sample;
use crate::surface::Surface;

/// Parameters of a surface, which its residuals are too small for.
const PARAMETERS: f64 = 5.0;
/// Configurations from which a surface says more than is assumed without any: twice
/// its parameters.
const ENOUGH: usize = 10;

/// Laws that may hold, and the noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The laws, equally likely; at least one.
    pub laws: Vec<Surface>,
    /// Standard deviation of a run's loss.
    pub noise: f64,
    /// Where they come from.
    pub basis: PriorBasis,
}

/// Where a prior comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorBasis {
    /// Laws as published fits have them.
    Assumed,
    /// Refits of the sweep's own finished runs.
    Fitted,
}

/// Ranges from which a prior's laws are drawn, evenly.
mod ranges {
    /// α and β: published fits of language and image models lie between.
    pub(super) const EXPONENT: (f64, f64) = (0.25, 0.5);
    /// The loss above its floor at the reference, as a share of `reducible`.
    pub(super) const REDUCIBLE: (f64, f64) = (0.6, 1.5);
    /// The floor, as a share of `reducible`.
    pub(super) const FLOOR: (f64, f64) = (0.5, 2.0);
    /// ln N* at the reference against the grid's own centre.
    pub(super) const OFF_CENTER: (f64, f64) = (-0.7, 0.7);
}

impl Prior {
    /// `count` laws for a sweep of which nothing is known yet. At the reference, N and
    /// D of a run in the middle of the grid, the optimum is within a factor of two of
    /// N, and the loss is about `reducible` above its floor.
    pub fn assumed(
        reference: (f64, f64),
        reducible: f64,
        noise: f64,
        count: usize,
        seed: u64,
    ) -> Self {
        let law = |number: usize| {
            let mut stream = Stream::new(seed, Purpose::Prior, number as u64);
            let mut between = |(low, high): (f64, f64)| low + (high - low) * stream.uniform();
            let (alpha, beta) = (between(ranges::EXPONENT), between(ranges::EXPONENT));
            let above = reducible * between(ranges::REDUCIBLE);
            let off = between(ranges::OFF_CENTER);
            let (ln_n, ln_d) = (reference.0.ln() + off, reference.1.ln() - off);
            // At the optimum α·A/N^α = β·B/D^β.
            let from_n = above * beta / (alpha + beta);
            Surface {
                floor: reducible * between(ranges::FLOOR),
                ln_a: from_n.ln() + alpha * ln_n,
                ln_b: (above - from_n).ln() + beta * ln_d,
                alpha,
                beta,
            }
        };
        Self {
            laws: (0..count.max(1)).map(law).collect(),
            noise,
            basis: PriorBasis::Assumed,
        }
    }

    /// The laws that finished runs allow, and their noise: `count` refits of the
    /// least-squares surface of those that pass the checks of `options`. `None` where
    /// they are of fewer than ten configurations or carry no surface.
    pub fn finished(runs: &[Run], options: &Options, count: usize) -> Option<Self> {
        let screened = quality::screen(runs, options.checks()).ok()?;
        let sample = Sample::of(&screened.kept).ok()?;
        if sample.configurations() < ENOUGH {
            return None;
        }
        let fit = fit(Method::ParametricMse, &sample).ok()?;
        let bootstrap = Bootstrap {
            draws: count,
            ..options.bootstrap.clone()
        };
        let rows: Vec<usize> = (0..sample.len()).collect();
        let runs = sample.distinct(&rows) as f64;
        let noise = fit.diagnostics().rms * (runs / (runs - PARAMETERS)).sqrt();
        Self::fitted(&bootstrap.run(&fit), noise)
    }

    /// The laws of a bootstrap's draws; `None` where they are no surfaces.
    pub fn fitted(draws: &Draws, noise: f64) -> Option<Self> {
        let laws: Vec<Surface> = draws
            .laws()
            .iter()
            .filter_map(|law| match law {
                Law::Surface(law) => Some(law.surface),
                Law::Isoflop(_) | Law::Envelope(_) => None,
            })
            .collect();
        (!laws.is_empty()).then_some(Self {
            laws,
            noise,
            basis: PriorBasis::Fitted,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::frontier::Frontier;
    use crate::simulate::{Truth, noisy};
    use crate::{Bootstrap, Method, Sample, fit};

    #[test]
    fn assumed_laws_lie_in_their_ranges_around_the_reference() {
        let (n, d): (f64, f64) = (1e8, 2e9);
        let prior = Prior::assumed((n, d), 1.0, 0.01, 200, 1);
        assert_eq!(prior, Prior::assumed((n, d), 1.0, 0.01, 200, 1));
        assert_ne!(prior, Prior::assumed((n, d), 1.0, 0.01, 200, 2));
        let c = 6.0 * n * d;
        for law in &prior.laws {
            assert!((0.25..0.5).contains(&law.alpha) && (0.25..0.5).contains(&law.beta));
            let ln_n = law.ln_n_closed(c.ln(), 6_f64.ln());
            assert!((ln_n - n.ln()).abs() <= 0.7 + 1e-9);
            let above = law.loss_at(ln_n, (c / 6.0).ln() - ln_n) - law.floor;
            assert!((0.6..1.5).contains(&above), "{above}");
        }
        let mean = prior.laws.iter().map(|law| law.alpha).sum::<f64>() / 200.0;
        assert!((mean - 0.375).abs() < 0.02, "{mean}");
    }

    #[test]
    fn fitted_laws_are_those_of_the_draws() {
        let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
        let runs = noisy(
            &truth.sweep(&[1e18, 1e19, 1e20], 7, 4.0, 1.0, 1),
            0.01,
            1,
            0,
        );
        let sample = Sample::new(&runs).unwrap();
        let bootstrap = Bootstrap {
            draws: 30,
            ..Bootstrap::default()
        };
        let of = |method| Prior::fitted(&bootstrap.run(&fit(method, &sample).unwrap()), 0.01);
        assert_eq!(of(Method::ParametricMse).unwrap().laws.len(), 30);
        assert_eq!(of(Method::IsoflopCubic), None);
    }

    #[test]
    fn finished_runs_tell_their_laws_and_noise() {
        let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
        let exact = truth.sweep(&[1e18, 1e19, 1e20], 7, 4.0, 1.0, 4);
        let mut runs = noisy(&exact, 0.01, 1, 0);
        // A run that blew up is none of the noise.
        runs[40].loss += 3.0;
        let prior = Prior::finished(&runs, &Options::default(), 30).unwrap();
        assert_eq!((prior.basis, prior.laws.len()), (PriorBasis::Fitted, 30));
        assert!((prior.noise / 0.01 - 1.0).abs() < 0.2, "{}", prior.noise);
        let c: f64 = 1e19;
        for law in &prior.laws {
            let ln_n = law.ln_n_closed(c.ln(), 6_f64.ln());
            assert!((ln_n - truth.optimum(c).n.ln()).abs() < 0.3, "{law:?}");
        }
        let few = Prior::finished(&runs[..36], &Options::default(), 30);
        assert_eq!(few, None, "nine sizes");
    }
}
