//! The `[model.config]` table of `kind = "vit"`.

use flops_fit_plugin::{DataDescription, DataForm, Error, Result};
use flops_fit_transformer::{Activation, Parametrization, Shape};
use serde::{Deserialize, Serialize};

/// An encoder of image patches: pre-norm, learned positions, full attention, no
/// biases, no dropout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitConfig {
    /// Width d of the residual stream: what the sweep varies.
    pub embed_dim: i64,
    /// Side p of a square patch in pixels; it divides the image's sides.
    #[serde(default = "VitConfig::default_patch")]
    pub patch_size: i64,
    /// Depth L.
    #[serde(default = "VitConfig::default_layers")]
    pub n_layers: i64,
    /// Width of one attention head, the same at every size; heads = d/`head_size`.
    #[serde(default = "VitConfig::default_head")]
    pub head_size: i64,
    /// Width of the MLP as a multiple of d.
    #[serde(default = "VitConfig::default_ff_ratio")]
    pub ff_ratio: i64,
    /// What the readout sees of the tokens.
    #[serde(default)]
    pub pool: Pool,
    /// The MLP's non-linearity.
    #[serde(default)]
    pub activation: Activation,
    /// How initialisation and learning rates depend on the width.
    #[serde(default)]
    pub parametrization: Parametrization,
    /// `α_attn`: multiplies attention's logits (u-μP only).
    #[serde(default = "VitConfig::one")]
    pub alpha_attn: f64,
    /// `α_res`: weight of the branches against the embedding (u-μP only).
    #[serde(default = "VitConfig::one")]
    pub alpha_res: f64,
    /// `α_res-attn-ratio`: weight of attention against MLP branches (u-μP only).
    #[serde(default = "VitConfig::one")]
    pub alpha_res_attn_ratio: f64,
}

/// What the readout sees of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// Their mean (Beyer et al. 2022).
    #[default]
    Mean,
    /// A token of its own, put before the patches (Dosovitskiy et al. 2021).
    Class,
}

/// An image cut into patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patches {
    pub(crate) channels: i64,
    /// Patches from top to bottom, and from left to right.
    pub(crate) grid: (i64, i64),
    /// Side p of a patch in pixels.
    pub(crate) side: i64,
    /// What the readout tells apart.
    pub(crate) classes: i64,
    /// Tokens put before the patches: 1 with a class token.
    pub(crate) extra: i64,
}

impl Patches {
    /// P, patches of an image.
    pub(crate) fn count(&self) -> i64 {
        self.grid.0 * self.grid.1
    }

    /// S, tokens of the stream.
    pub(crate) fn tokens(&self) -> i64 {
        self.count() + self.extra
    }

    /// Numbers in a patch, channels·p².
    pub(crate) fn len(&self) -> i64 {
        self.channels * self.side * self.side
    }
}

impl VitConfig {
    fn default_patch() -> i64 {
        4
    }

    fn default_layers() -> i64 {
        4
    }

    fn default_head() -> i64 {
        16
    }

    fn default_ff_ratio() -> i64 {
        4
    }

    fn one() -> f64 {
        1.0
    }

    /// The blocks.
    pub fn shape(&self) -> Shape {
        Shape {
            width: self.embed_dim,
            n_layers: self.n_layers,
            head_size: self.head_size,
            ff_ratio: self.ff_ratio,
            causal: false,
            activation: self.activation,
            parametrization: self.parametrization,
            alpha_attn: self.alpha_attn,
            alpha_res: self.alpha_res,
            alpha_res_attn_ratio: self.alpha_res_attn_ratio,
        }
    }

    /// Checks everything, and cuts the dataset's images.
    pub(crate) fn patches(&self, data: &DataDescription) -> Result<Patches> {
        let DataForm::Images {
            channels,
            height,
            width,
            classes,
        } = data.form
        else {
            return Err(Error::new(
                "vit needs a dataset of images, this one has tokens; choose another dataset or model",
            ));
        };
        self.shape().check("embed_dim")?;
        let side = self.patch_size;
        if side < 1 || height % side != 0 || width % side != 0 {
            let message = format!(
                "found {side}, expected a number of pixels that divides the images' {height} × {width}"
            );
            return Err(Error::config("patch_size", message));
        }
        let grid = (height / side, width / side);
        let extra = i64::from(self.pool == Pool::Class);
        Ok(Patches {
            channels,
            grid,
            side,
            classes,
            extra,
        })
    }
}
