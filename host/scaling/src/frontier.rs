//! The compute-optimal frontier: what every fitted law answers.
//!
//! A law may be curves through minima or a surface over (N, D). All that
//! intervals, hold-out and reports ask of it is the optimum at a given C, so that
//! is the whole interface.

use serde::{Deserialize, Serialize};

use crate::envelope::EnvelopeLaw;
use crate::isoflop::IsoflopLaw;
use crate::surface::SurfaceLaw;

/// The best model at one compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Optimum {
    /// FLOPs.
    pub c: f64,
    /// Parameters N*.
    pub n: f64,
    /// Units of data D*.
    pub d: f64,
    /// Loss L*.
    pub loss: f64,
}

impl Optimum {
    /// D*/N*, units per parameter.
    pub fn units_per_parameter(&self) -> f64 {
        self.d / self.n
    }
}

/// A law that knows the optimum at any compute.
pub trait Frontier: Sync {
    /// The optimum at `c` FLOPs; `c` is finite and > 0. A law that holds only
    /// near its runs extrapolates here all the same.
    fn optimum(&self, c: f64) -> Optimum;
}

/// The law of any method.
#[derive(Debug, Clone)]
pub enum Law {
    /// Power laws through `IsoFLOP` minima.
    Isoflop(IsoflopLaw),
    /// A surface over N and D.
    Surface(SurfaceLaw),
    /// Power laws through the envelope.
    Envelope(EnvelopeLaw),
}

impl Frontier for Law {
    fn optimum(&self, c: f64) -> Optimum {
        match self {
            Self::Isoflop(law) => law.optimum(c),
            Self::Surface(law) => law.optimum(c),
            Self::Envelope(law) => law.optimum(c),
        }
    }
}
