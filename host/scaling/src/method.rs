//! The methods: ways from runs to a law, each known by the name that
//! `analysis.json` gives it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way from runs to a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Approach 1: the lowest loss that any size reached at each C.
    Envelope,
    /// Approach 2 by cubics; a budget that carries no cubic (fewer than six
    /// sizes, or no minimum) enters by its parabola.
    IsoflopCubic,
    /// Approach 2 by parabolas: the classic, biased where the loss falls with N
    /// and with D at different rates.
    IsoflopParabola,
    /// Approach 2 by parabolas through the sizes near each minimum.
    IsoflopWindowed,
    /// Approach 3, `L = E + A/N^α + B/D^β`, by the Huber loss of ln L.
    ParametricHuber,
    /// Approach 3 by least absolute deviations of ln L.
    ParametricLad,
    /// Approach 3 by least squares of L.
    ParametricMse,
    /// Approach 3 with repeated data discounted (Muennighoff et al. 2023).
    DataConstrained,
}

/// The scale on which a method's residuals are measured, and on which a
/// bootstrap has to perturb them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualScale {
    /// loss − fitted loss.
    Loss,
    /// ln loss − ln fitted loss.
    LogLoss,
}

impl Method {
    /// Every method, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Envelope,
        Self::IsoflopCubic,
        Self::IsoflopParabola,
        Self::IsoflopWindowed,
        Self::ParametricHuber,
        Self::ParametricLad,
        Self::ParametricMse,
        Self::DataConstrained,
    ];

    /// The name in `analysis.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::IsoflopCubic => "isoflop_cubic",
            Self::IsoflopParabola => "isoflop_parabola",
            Self::IsoflopWindowed => "isoflop_windowed",
            Self::ParametricHuber => "parametric_huber",
            Self::ParametricLad => "parametric_lad",
            Self::ParametricMse => "parametric_mse",
            Self::DataConstrained => "data_constrained",
        }
    }

    /// The scale of its residuals.
    pub fn residual_scale(self) -> ResidualScale {
        match self {
            Self::Envelope
            | Self::IsoflopCubic
            | Self::IsoflopParabola
            | Self::IsoflopWindowed
            | Self::ParametricMse => ResidualScale::Loss,
            Self::ParametricHuber | Self::ParametricLad | Self::DataConstrained => {
                ResidualScale::LogLoss
            }
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
