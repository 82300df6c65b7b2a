//! Intervals by refitting a law to perturbed or resampled runs.
//!
//! **Wild cluster bootstrap** (the default). Each draw keeps the design and sets
//! the losses to `fitted + w · u`: `w` is one of Webb's six points, shared by the
//! runs of a cluster, `u` the run's residual with its leverage undone
//! ([`errors`]). The standard error of a quantity is the spread of its draws, and
//! the interval is `estimate ± t · standard error`, Student's t with the degrees
//! of freedom that the quantity's own error has ([`freedom`]). Nothing is assumed
//! about equal noise in all runs, and the draws of one configuration's seeds move
//! together.
//!
//! **Pair bootstrap** (on request). Each draw takes clusters with replacement;
//! the interval lies between the 2.5 % and 97.5 % points of the draws. It is what
//! published replications use, and with few runs it is too narrow.
//!
//! Draw k depends on the seed and on k alone: the result has the same bits at any
//! number of threads, and all methods see the same weights.

mod cloud;
mod draws;
pub(crate) mod errors;
mod freedom;
pub(crate) mod parallel;
pub(crate) mod spread;
mod weights;

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

pub use cloud::{Cloud, CloudPoint};
pub use draws::{Draws, FEWEST_DRAWS, OptimumIntervals, SurfaceIntervals};

use crate::fit::Fit;
use crate::random::{Purpose, Stream};
use crate::sample::Sample;

/// How the runs of one draw come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Residuals times a random weight for each cluster.
    WildCluster,
    /// Clusters drawn with replacement.
    Pair,
}

/// A bootstrap to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bootstrap {
    /// How the runs of one draw come about.
    pub scheme: Scheme,
    /// Number of draws; 200 give a standard error to about 5 %, 1000 to 2 %. With fewer
    /// than [`FEWEST_DRAWS`] there are no intervals.
    pub draws: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Threads; as many as the machine offers where absent. The result does not
    /// depend on it.
    #[serde(skip)]
    pub threads: Option<NonZeroUsize>,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            scheme: Scheme::WildCluster,
            draws: 1000,
            seed: 0,
            threads: None,
        }
    }
}

impl Bootstrap {
    /// Refits the law once for every draw. A method without residuals (the envelope:
    /// each run lies on its own curve) has pair draws, whatever was asked for.
    pub fn run(&self, fit: &Fit<'_>) -> Draws {
        let scheme = if fit.used().contains(&true) {
            self.scheme
        } else {
            Scheme::Pair
        };
        let stream = |draw: usize| Stream::new(self.seed, Purpose::Bootstrap, draw as u64);
        let sample = fit.sample();
        let laws = match scheme {
            Scheme::WildCluster => {
                let errors = errors::of(fit);
                parallel::map(self.draws, self.threads, |draw| {
                    fit.refit(&wild(fit, &errors, &mut stream(draw)), None)
                })
            }
            Scheme::Pair => parallel::map(self.draws, self.threads, |draw| {
                fit.refit(&sample.loss, Some(&resampled(sample, &mut stream(draw))))
            }),
        };
        let responses = match scheme {
            Scheme::WildCluster if self.draws > 0 => freedom::responses(fit, self.threads),
            _ => None,
        };
        Draws::new(scheme, fit, laws, responses)
    }
}

/// Losses of one wild draw.
fn wild(fit: &Fit<'_>, errors: &[f64], stream: &mut Stream) -> Vec<f64> {
    let sample = fit.sample();
    let weights: Vec<f64> = (0..sample.clusters)
        .map(|_| weights::webb(stream))
        .collect();
    errors
        .iter()
        .enumerate()
        .map(|(row, error)| fit.perturbed(row, weights[sample.cluster[row]] * error))
        .collect()
}

/// How often each run occurs when as many clusters as there are are drawn with
/// replacement.
fn resampled(sample: &Sample, stream: &mut Stream) -> Vec<f64> {
    let mut times = vec![0.0; sample.clusters];
    for _ in 0..sample.clusters {
        times[stream.below(sample.clusters)] += 1.0;
    }
    sample
        .cluster
        .iter()
        .map(|&cluster| times[cluster])
        .collect()
}

#[cfg(test)]
mod tests;
