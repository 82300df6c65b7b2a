//! Some of the draws, to be drawn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Draws;
use crate::frontier::{Frontier, Law};
use crate::method::Method;

/// Most points of one method.
const POINTS: usize = 200;

/// What draws of the bootstrap say about one compute, method by method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cloud {
    /// FLOPs.
    pub c: f64,
    /// At most 200 draws of each method, evenly taken from all in their order.
    pub methods: BTreeMap<Method, Vec<CloudPoint>>,
}

/// The optimum of one draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CloudPoint {
    /// Parameters N*.
    pub n: f64,
    /// Units of data D*.
    pub d: f64,
    /// Loss L*.
    pub loss: f64,
    /// α, where the law is a surface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// β, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
}

impl Cloud {
    /// The draws of some methods at `c` FLOPs.
    pub(crate) fn of<'a>(c: f64, draws: impl Iterator<Item = (Method, &'a Draws)>) -> Self {
        let points = |draws: &Draws| {
            let step = draws.laws().len().div_ceil(POINTS).max(1);
            let laws = draws.laws().iter().step_by(step);
            laws.map(|law| CloudPoint::of(law, c))
                .filter(|point| {
                    point.n.is_finite() && point.d.is_finite() && point.loss.is_finite()
                })
                .collect()
        };
        Self {
            c,
            methods: draws
                .map(|(method, draws)| (method, points(draws)))
                .collect(),
        }
    }
}

impl CloudPoint {
    fn of(law: &Law, c: f64) -> Self {
        let optimum = law.optimum(c);
        let surface = match law {
            Law::Surface(law) => Some(law.surface()),
            _ => None,
        };
        Self {
            n: optimum.n,
            d: optimum.d,
            loss: optimum.loss,
            alpha: surface.map(|surface| surface.alpha),
            beta: surface.map(|surface| surface.beta),
        }
    }
}
