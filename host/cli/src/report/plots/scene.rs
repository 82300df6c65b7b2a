//! An analysis as the figures of laws show it.

use flops_fit_scaling::bootstrap::CloudPoint;
use flops_fit_scaling::fit::Parameters;
use flops_fit_scaling::frontier::Optimum;
use flops_fit_scaling::selection::Choice;
use flops_fit_scaling::{FittedMethod, Method, Prediction, Run, Sample, Surface};

use super::isoflop::log_spaced;
use crate::report::analysis::Analysis;

/// Points of each budget's line.
const SIZES: usize = 128;

/// The laws of all methods, and what stands behind them.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// Each method that has a law.
    pub(super) methods: Vec<Track<'a>>,
    /// The method to follow; absent where several are averaged.
    pub(super) followed: Option<Method>,
    /// The recommendation over the range of the figures, ascending in C.
    pub(super) frontier: Vec<&'a Prediction>,
    /// Smallest and largest budget behind the laws, in FLOPs.
    pub(super) measured: (f64, f64),
    /// Each budget's FLOPs with the N and D that they buy, ascending in N.
    pub(super) isoflops: Vec<(f64, Vec<(f64, f64)>)>,
}

/// One method's law.
#[derive(Debug)]
pub(super) struct Track<'a> {
    pub(super) method: Method,
    pub(super) fitted: &'a FittedMethod,
    /// The optimum of each of some draws at the cloud's compute.
    pub(super) draws: &'a [CloudPoint],
}

impl<'a> Scene<'a> {
    /// `None` where nothing is recommended.
    pub(super) fn of(analysis: &'a Analysis) -> Option<Self> {
        let fits = &analysis.fits;
        let followed = fits.recommended.as_ref()?;
        let cloud = fits.bootstrap.cloud.as_ref();
        let draws = |method: Method| {
            let draws = cloud.and_then(|cloud| cloud.methods.get(&method));
            draws.map_or(&[][..], Vec::as_slice)
        };
        Some(Self {
            methods: fits
                .laws()
                .map(|(method, fitted)| Track {
                    method,
                    fitted,
                    draws: draws(method),
                })
                .collect(),
            followed: match followed.choice {
                Choice::Average => None,
                _ => Some(followed.method),
            },
            // Farther out it is a guess.
            frontier: fits.frontier.iter().filter(|p| !p.is_far).collect(),
            measured: fits.measured()?,
            isoflops: isoflops(analysis),
        })
    }

    /// The method whose law is shown where one has to stand for all: the one that is
    /// followed, or has the largest share of what is.
    pub(super) fn leading(&self, analysis: &Analysis) -> Option<&Track<'a>> {
        let leading = analysis.fits.recommended.as_ref()?.method;
        self.methods.iter().find(|track| track.method == leading)
    }

    /// The surface to show: the one that is followed, else Huber's, else any.
    pub(super) fn surface(&self) -> Option<(Method, Surface)> {
        let surfaces = || {
            let tracks = self.methods.iter();
            tracks.filter_map(|track| Some((track.method, track.surface()?)))
        };
        let of = |wanted: Method| surfaces().find(|(method, _)| *method == wanted);
        self.followed
            .and_then(of)
            .or_else(|| of(Method::ParametricHuber))
            .or_else(|| surfaces().next())
    }
}

impl Track<'_> {
    /// The surface, where the law is one.
    pub(super) fn surface(&self) -> Option<Surface> {
        match &self.fitted.parameters {
            Parameters::Surface(surface) => Some(Surface {
                floor: surface.floor,
                ln_a: surface.a_factor.ln(),
                ln_b: surface.b_factor.ln(),
                alpha: surface.alpha,
                beta: surface.beta,
            }),
            _ => None,
        }
    }

    /// The law's optima over the range of the figures.
    pub(super) fn optima(&self) -> &[Optimum] {
        &self.fitted.frontier
    }
}

/// FLOPs per unit are read off the runs.
fn isoflops(analysis: &Analysis) -> Vec<(f64, Vec<(f64, f64)>)> {
    let runs = analysis.points.iter().enumerate();
    let runs: Vec<Run> = runs
        .filter(|(row, _)| !analysis.is_left_out(*row))
        .map(|(_, run)| run.clone())
        .collect();
    let Ok(sample) = Sample::new(&runs) else {
        return Vec::new();
    };
    let (low, high) = runs
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), run| {
            (low.min(run.n), high.max(run.n))
        });
    let line = |c: f64| {
        let sizes = log_spaced(low / 2.0, high * 2.0, SIZES);
        let d = |n: f64| sample.flops().ln_d(c.ln(), n.ln()).exp();
        sizes.map(|n| (n, d(n))).collect()
    };
    let budgets = analysis.fits.budgets.iter();
    budgets.map(|budget| (budget.c, line(budget.c))).collect()
}
