//! One method fitted to one sample: the seam between the methods and everything
//! that judges them.
//!
//! # Contract
//!
//! * [`fit`] runs one method on a [`Sample`] and gives a [`Fit`], or an [`Unfit`]
//!   that says why the method has no law there. It draws no random numbers.
//! * Columns are in the sample's row order: [`Fit::fitted`], [`Fit::leverage`],
//!   [`Fit::used`] and the `losses` and `weights` of [`Fit::refit`].
//! * A run that the method does not use (a budget without a minimum, a size
//!   outside the window) has `used = false`, its own loss as the fitted loss and
//!   leverage 0; its residual is therefore zero.
//! * Residuals live on the scale that [`Method::residual_scale`] names. A
//!   bootstrap perturbs them there; [`Fit::residual`] and [`Fit::perturbed`] do
//!   the conversion.
//! * [`Fit::refit`] finds the law for other losses and, if given, other weights:
//!   each multiplies the run's own weight, 0 leaves the run out. It starts from
//!   the fit (same basin, same curves) and costs a small part of it. `None`: no law.
//!   Refitting the sample's own losses gives the fit's own law.
//! * A law answers through [`Frontier`] alone.

use serde::{Deserialize, Serialize};

use crate::envelope::{self, EnvelopeParameters};
use crate::frontier::{Frontier, Law, Optimum};
use crate::isoflop::{self, IsoflopParameters, IsoflopRefit};
use crate::loss_law::LossLaw;
use crate::method::{Method, ResidualScale};
use crate::repeated::{self, DataConstrainedParameters, DataConstrainedRefit};
use crate::sample::Sample;
use crate::surface::{self, Objective, SurfaceParameters, SurfaceRefit};
use crate::unfit::Unfit;

/// A method's law for one sample.
#[derive(Debug)]
pub struct Fit<'s> {
    pub(crate) method: Method,
    pub(crate) sample: &'s Sample,
    pub(crate) law: Law,
    pub(crate) fitted: Vec<f64>,
    pub(crate) leverage: Vec<f64>,
    pub(crate) used: Vec<bool>,
    pub(crate) parameters: Parameters,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) refit: Refit,
}

/// What a refit starts from.
#[derive(Debug)]
pub(crate) enum Refit {
    Isoflop(IsoflopRefit),
    Surface(SurfaceRefit),
    DataConstrained(DataConstrainedRefit),
    Envelope,
}

/// The parameters of a law, as `analysis.json` shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parameters {
    /// Power laws through minima.
    Isoflop(IsoflopParameters),
    /// A surface over N and D.
    Surface(SurfaceParameters),
    /// A surface with repeated data discounted.
    DataConstrained(DataConstrainedParameters),
    /// Power laws through the envelope.
    Envelope(EnvelopeParameters),
}

/// How well a law describes its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Runs that the method used.
    pub runs: usize,
    /// 1 − residual over total weighted sum of squares of the loss, over the runs
    /// used; absent where the losses are all equal.
    pub r_squared: Option<f64>,
    /// The scale of the residuals below.
    pub scale: ResidualScale,
    /// Weighted root mean square of the residuals.
    pub rms: f64,
    /// Weighted mean of the residuals.
    pub mean: f64,
    /// The largest residual by size, with its sign.
    pub largest: f64,
    /// Position of that run in the list that was analysed.
    pub largest_run: Option<usize>,
}

/// Fits one method.
///
/// # Errors
/// [`Unfit`] where the sample does not carry the method's law.
pub fn fit(method: Method, sample: &Sample) -> Result<Fit<'_>, Unfit> {
    match method {
        Method::IsoflopCubic | Method::IsoflopParabola | Method::IsoflopWindowed => {
            isoflop::fit_method(method, sample)
        }
        Method::ParametricHuber | Method::ParametricLad | Method::ParametricMse => {
            surface::fit_method(method, sample)
        }
        Method::Envelope => envelope::fit(sample),
        Method::DataConstrained => repeated::fit(sample),
    }
}

impl<'s> Fit<'s> {
    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The sample that was fitted.
    pub fn sample(&self) -> &'s Sample {
        self.sample
    }

    /// The law.
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// The law's loss of each run.
    pub fn fitted(&self) -> &[f64] {
        &self.fitted
    }

    /// The leverage of each run on the residuals' scale, `w·gᵀ(GᵀWG)⁻¹g` with G the
    /// slopes of the fitted values by the parameters: from 0 to 1, adding up to
    /// the number of free parameters. For a robust objective it is that of the
    /// design, not ∂fitted/∂observed.
    pub fn leverage(&self) -> &[f64] {
        &self.leverage
    }

    /// Whether the method uses a run.
    pub fn used(&self) -> &[bool] {
        &self.used
    }

    /// Parameters for reports.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Diagnostics for reports.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// What the fit minimises over the runs' residuals.
    pub(crate) fn objective(&self) -> Objective {
        match &self.refit {
            Refit::Isoflop(_) | Refit::Envelope => Objective::Mse,
            Refit::Surface(refit) => refit.objective,
            Refit::DataConstrained(_) => Objective::Huber {
                delta: surface::HUBER_DELTA,
            },
        }
    }

    /// The law of L* through minima, with the intervals of its parameters.
    pub(crate) fn loss_law(&self) -> Option<&LossLaw> {
        match &self.refit {
            Refit::Isoflop(refit) => Some(refit.loss_law()),
            _ => None,
        }
    }

    /// The residual of one run on the method's scale.
    pub fn residual(&self, row: usize) -> f64 {
        residual(self.method, self.sample.loss[row], self.fitted[row])
    }

    /// The loss that differs from the fitted one by `residual` on the method's
    /// scale. A loss that would not be positive is kept just above zero.
    pub fn perturbed(&self, row: usize, residual: f64) -> f64 {
        let fitted = self.fitted[row];
        match self.method.residual_scale() {
            ResidualScale::Loss => (fitted + residual).max(fitted * 1e-3),
            ResidualScale::LogLoss => fitted * residual.exp(),
        }
    }

    /// The law for other losses and weights; see the [contract](self). Both
    /// slices have one entry a row.
    pub fn refit(&self, losses: &[f64], weights: Option<&[f64]>) -> Option<Law> {
        let sample = self.sample;
        match &self.refit {
            Refit::Isoflop(refit) => refit.refit(sample, losses, weights).map(Law::Isoflop),
            Refit::Surface(refit) => refit.refit(sample, losses, weights).map(Law::Surface),
            Refit::DataConstrained(refit) => refit.refit(sample, losses, weights).map(Law::Surface),
            Refit::Envelope => envelope::refit(sample, losses, weights).map(Law::Envelope),
        }
    }
}

impl Frontier for Fit<'_> {
    fn optimum(&self, c: f64) -> Optimum {
        self.law.optimum(c)
    }
}

fn residual(method: Method, loss: f64, fitted: f64) -> f64 {
    match method.residual_scale() {
        ResidualScale::Loss => loss - fitted,
        ResidualScale::LogLoss => loss.ln() - fitted.ln(),
    }
}

impl Diagnostics {
    pub(crate) fn of(method: Method, sample: &Sample, fitted: &[f64], used: &[bool]) -> Self {
        let rows: Vec<usize> = (0..sample.len()).filter(|&row| used[row]).collect();
        let total: f64 = rows.iter().map(|&row| sample.weight[row]).sum();
        let sum = |value: &dyn Fn(usize) -> f64| {
            rows.iter()
                .map(|&row| sample.weight[row] * value(row))
                .sum::<f64>()
        };
        let average = sum(&|row| sample.loss[row]) / total;
        let spread = sum(&|row| (sample.loss[row] - average).powi(2));
        let left = sum(&|row| (sample.loss[row] - fitted[row]).powi(2));
        let of_row = |row: usize| residual(method, sample.loss[row], fitted[row]);
        let largest = rows
            .iter()
            .copied()
            .max_by(|&a, &b| of_row(a).abs().total_cmp(&of_row(b).abs()));
        Self {
            runs: rows.len(),
            r_squared: (spread > 0.0).then(|| 1.0 - left / spread),
            scale: method.residual_scale(),
            rms: (sum(&|row| of_row(row).powi(2)) / total).sqrt(),
            mean: sum(&|row| of_row(row)) / total,
            largest: largest.map_or(0.0, of_row),
            largest_run: largest.map(|row| sample.runs[row]),
        }
    }
}
