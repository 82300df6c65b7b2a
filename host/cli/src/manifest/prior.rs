//! `analysis.prior`: what is taken for granted of runs before there are any.

use serde::Serialize;

use super::{
    mistake::Mistake,
    section::{Field, Section},
};

/// What simulated sweeps look like while nothing is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Assumed {
    /// Standard deviation of a run's loss, in units of the loss.
    pub noise: f64,
    /// How far above its floor the loss in the middle of the grid is, about; in units
    /// of the loss.
    pub reducible: f64,
}

impl Default for Assumed {
    fn default() -> Self {
        Self {
            noise: 0.01,
            reducible: 1.0,
        }
    }
}

const EXPECTED: &str = "a table such as { noise = 0.01, reducible = 1.0 }, in units of the loss";

impl Assumed {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Box<Mistake>> {
        let default = Self::default();
        section.or("prior", default, |field| {
            let table = field.table(EXPECTED, &["noise", "reducible"])?;
            let positive = |field: &Field<'_>| field.number("a number above 0", |x| x > 0.0);
            Ok(Self {
                noise: table.or("noise", default.noise, positive)?,
                reducible: table.or("reducible", default.reducible, positive)?,
            })
        })
    }
}
