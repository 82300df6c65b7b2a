//! What a law expects at one compute.

use serde::{Deserialize, Serialize};

use crate::frontier::Optimum;
use crate::interval::Interval;

/// Decades of C beyond the measured budgets up to which a prediction is made
/// without a warning.
pub const FAR: f64 = 2.0;

/// Share of a decade by which realised budgets miss their round numbers, since steps
/// are whole.
const ROUNDING: f64 = 0.02;

/// One of the quantities that are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Parameters N*.
    N,
    /// Units of data D*.
    D,
    /// D*/N*.
    UnitsPerParameter,
    /// Loss L*.
    Loss,
}

/// The optimum at one compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// FLOPs.
    pub c: f64,
    /// Parameters N*.
    pub n: f64,
    /// Units of data D*.
    pub d: f64,
    /// D*/N*.
    pub units_per_parameter: f64,
    /// Loss L*.
    pub loss: f64,
    /// 95 % intervals; absent where too few draws of the bootstrap have a law.
    pub ci95: Option<Bounds>,
    /// The intervals before the methods' disagreement widened them; absent where
    /// nothing was widened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwidened: Option<Bounds>,
    /// Sizes N that reach the same loss with at most 1 % more compute; absent where no
    /// law that is followed knows the loss of other sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<[f64; 2]>,
    /// Decades of C between `c` and the nearest measured budget; 0 within them.
    pub decades_beyond: f64,
    /// Whether that is more than two: a guess more than a forecast.
    pub is_far: bool,
}

/// Decades of C between `c` and the nearest of the budgets, which reach from `first` to
/// `last` FLOPs.
fn decades_beyond(c: f64, (first, last): (f64, f64)) -> f64 {
    (c / last).log10().max((first / c).log10()).max(0.0)
}

/// Whether that is so much that a prediction is a guess more than a forecast.
pub(crate) fn is_far(c: f64, measured: (f64, f64)) -> bool {
    decades_beyond(c, measured) > FAR + ROUNDING
}

/// Lower and upper bounds at one compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Of N*, parameters.
    pub n: [f64; 2],
    /// Of D*, units of data.
    pub d: [f64; 2],
    /// Of D*/N*.
    pub units_per_parameter: [f64; 2],
    /// Of L*.
    pub loss: [f64; 2],
}

impl Bounds {
    /// The bounds of one quantity.
    pub fn of(&self, quantity: Quantity) -> [f64; 2] {
        match quantity {
            Quantity::N => self.n,
            Quantity::D => self.d,
            Quantity::UnitsPerParameter => self.units_per_parameter,
            Quantity::Loss => self.loss,
        }
    }
}

impl Prediction {
    /// A prediction from budgets between `first` and `last` FLOPs.
    pub(crate) fn new(
        optimum: Optimum,
        ci95: Option<Bounds>,
        unwidened: Option<Bounds>,
        (first, last): (f64, f64),
    ) -> Self {
        let Optimum { c, n, d, loss } = optimum;
        let decades_beyond = decades_beyond(c, (first, last));
        Self {
            c,
            n,
            d,
            units_per_parameter: optimum.units_per_parameter(),
            loss,
            ci95,
            unwidened,
            tolerance: None,
            decades_beyond,
            is_far: is_far(c, (first, last)),
        }
    }

    /// The same with the sizes that cost little more.
    pub(crate) fn tolerating(self, tolerance: Option<[f64; 2]>) -> Self {
        Self { tolerance, ..self }
    }

    /// The best single value of a quantity.
    pub fn value(&self, quantity: Quantity) -> f64 {
        match quantity {
            Quantity::N => self.n,
            Quantity::D => self.d,
            Quantity::UnitsPerParameter => self.units_per_parameter,
            Quantity::Loss => self.loss,
        }
    }

    /// The 95 % interval of a quantity, where there is one.
    pub fn interval(&self, quantity: Quantity) -> Option<Interval> {
        let [low, high] = self.ci95?.of(quantity);
        Some(Interval {
            estimate: self.value(quantity),
            low,
            high,
        })
    }

    /// Whether the compute lies outside the measured budgets.
    pub fn is_beyond(&self) -> bool {
        self.decades_beyond > ROUNDING
    }
}
