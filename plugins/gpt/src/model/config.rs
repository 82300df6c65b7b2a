//! The `[model.config]` table of `kind = "gpt"`.

use flops_fit_plugin::{Error, Result};
use flops_fit_transformer::{Activation, Parametrization, Shape, check_positive};
use serde::{Deserialize, Serialize};

/// A decoder-only transformer: pre-norm, rotary positions, untied readout, no
/// biases, no dropout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GptConfig {
    /// Width d of the residual stream: what the sweep varies.
    pub d_model: i64,
    /// Depth L.
    #[serde(default = "GptConfig::default_layers")]
    pub n_layers: i64,
    /// Width of one attention head, the same at every size; heads = d/`head_size`.
    #[serde(default = "GptConfig::default_head")]
    pub head_size: i64,
    /// Width of the MLP as a multiple of d.
    #[serde(default = "GptConfig::default_ff_ratio")]
    pub ff_ratio: i64,
    /// The MLP's non-linearity.
    #[serde(default)]
    pub activation: Activation,
    /// How initialisation and learning rates depend on the width.
    #[serde(default)]
    pub parametrization: Parametrization,
    /// `α_attn`: multiplies attention's logits (u-μP only).
    #[serde(default = "GptConfig::one")]
    pub alpha_attn: f64,
    /// `α_res`: weight of the branches against the embedding (u-μP only).
    #[serde(default = "GptConfig::one")]
    pub alpha_res: f64,
    /// `α_res-attn-ratio`: weight of attention against MLP branches (u-μP only).
    #[serde(default = "GptConfig::one")]
    pub alpha_res_attn_ratio: f64,
    /// Base of the rotary frequencies.
    #[serde(default = "GptConfig::default_rope_base")]
    pub rope_base: f64,
}

impl GptConfig {
    fn default_layers() -> i64 {
        4
    }

    fn default_head() -> i64 {
        16
    }

    fn default_ff_ratio() -> i64 {
        4
    }

    fn default_rope_base() -> f64 {
        10_000.0
    }

    fn one() -> f64 {
        1.0
    }

    /// The blocks.
    pub fn shape(&self) -> Shape {
        Shape {
            width: self.d_model,
            n_layers: self.n_layers,
            head_size: self.head_size,
            ff_ratio: self.ff_ratio,
            causal: true,
            activation: self.activation,
            parametrization: self.parametrization,
            alpha_attn: self.alpha_attn,
            alpha_res: self.alpha_res,
            alpha_res_attn_ratio: self.alpha_res_attn_ratio,
        }
    }

    /// Refuses what can't be built, naming the key.
    pub fn check(&self) -> Result<()> {
        if self.head_size > 0 && self.head_size % 2 != 0 {
            let message = format!(
                "found {}, expected an even number: rotary positions turn pairs",
                self.head_size
            );
            return Err(Error::config("head_size", message));
        }
        self.shape().check("d_model")?;
        check_positive("rope_base", self.rope_base)
    }
}
