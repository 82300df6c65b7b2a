//! What decides a stack of transformer blocks.

use flops_fit_plugin::{Error, Result};
use serde::{Deserialize, Serialize};

/// A pre-norm transformer's blocks: no biases, no dropout, norms without gains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Width d of the residual stream.
    pub width: i64,
    /// Depth L.
    pub n_layers: i64,
    /// Width of one attention head; heads = d/`head_size`.
    pub head_size: i64,
    /// Width of the MLP as a multiple of d.
    pub ff_ratio: i64,
    /// Whether a token sees the tokens before it alone.
    pub causal: bool,
    /// The MLP's non-linearity.
    pub activation: Activation,
    /// How initialisation and learning rates depend on the width.
    pub parametrization: Parametrization,
    /// `α_attn`: multiplies attention's logits (u-μP only).
    pub alpha_attn: f64,
    /// `α_res`: weight of the branches against the embedding (u-μP only).
    pub alpha_res: f64,
    /// `α_res-attn-ratio`: weight of attention against MLP branches (u-μP only).
    pub alpha_res_attn_ratio: f64,
}

/// The MLP's non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// GELU, exact.
    #[default]
    Gelu,
    /// x·σ(x).
    Silu,
    /// Gated: SiLU(g)·u, with a third matrix.
    Swiglu,
}

/// How initialisation and learning rates depend on the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrization {
    /// Unit-scaled maximal update (Blake et al. 2024): one learning rate, about
    /// 1, for every width.
    #[default]
    UMup,
    /// What most code does: variance 1/`fan_in`, one learning rate for all
    /// tensors, which then has to shrink as the width grows.
    Standard,
}

impl Shape {
    /// Width of the MLP.
    pub fn d_ff(&self) -> i64 {
        self.ff_ratio * self.width
    }

    /// Attention heads.
    pub fn heads(&self) -> i64 {
        self.width / self.head_size
    }

    /// Columns of the MLP's first matrix: twice its width where it is gated.
    pub fn up_width(&self) -> i64 {
        match self.activation {
            Activation::Swiglu => 2 * self.d_ff(),
            Activation::Gelu | Activation::Silu => self.d_ff(),
        }
    }

    /// Parameters of all blocks: L·(4·d² + d·`d_ff`·2), or ·3 where the MLP is
    /// gated.
    pub fn parameters(&self) -> i64 {
        let d = self.width;
        self.n_layers * (4 * d * d + d * (self.up_width() + self.d_ff()))
    }

    /// FLOPs of a token's attention over `seq_len` tokens in all layers of one
    /// forward pass, 4·L·T·d: scores and weighted sum, masked ones included. The
    /// matrices' own 2·[`parameters`](Self::parameters) come on top.
    pub fn attention_flops(&self, seq_len: i64) -> i64 {
        4 * self.n_layers * seq_len * self.width
    }

    /// Refuses what can't be built, naming the key; the width's is `width_key`.
    pub fn check(&self, width_key: &str) -> Result<()> {
        for (key, value) in [
            ("n_layers", self.n_layers),
            ("head_size", self.head_size),
            ("ff_ratio", self.ff_ratio),
            (width_key, self.width),
        ] {
            if value < 1 {
                let message = format!("found {value}, expected at least 1");
                return Err(Error::config(key, message));
            }
        }
        if self.width % self.head_size != 0 {
            let message = format!(
                "found {}, expected a multiple of head_size = {}",
                self.width, self.head_size
            );
            return Err(Error::config(width_key, message));
        }
        for (key, value) in [
            ("alpha_attn", self.alpha_attn),
            ("alpha_res", self.alpha_res),
            ("alpha_res_attn_ratio", self.alpha_res_attn_ratio),
        ] {
            check_positive(key, value)?;
        }
        Ok(())
    }
}

/// Refuses what is no positive number.
pub fn check_positive(key: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    let message = format!("found {value}, expected a positive number");
    Err(Error::config(key, message))
}

#[cfg(test)]
impl Shape {
    /// A language model's, with heads of 16.
    pub(crate) fn causal(width: i64, n_layers: i64) -> Self {
        Self {
            width,
            n_layers,
            head_size: 16,
            ff_ratio: 4,
            causal: true,
            activation: Activation::Gelu,
            parametrization: Parametrization::UMup,
            alpha_attn: 1.0,
            alpha_res: 1.0,
            alpha_res_attn_ratio: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_textbook_ones() {
        let shape = Shape::causal(64, 3);
        assert_eq!(shape.parameters(), 3 * 12 * 64 * 64);
        assert_eq!(shape.attention_flops(10), 4 * 3 * 10 * 64);
        let gated = Shape {
            activation: Activation::Swiglu,
            ..shape
        };
        assert_eq!(gated.parameters(), 3 * 16 * 64 * 64);
    }

    #[test]
    fn what_cannot_be_built_names_its_key() {
        let shape = Shape::causal(64, 3);
        shape.check("embed_dim").expect("sound");
        let check = |shape: Shape, key: &str, words: &str| {
            let error = shape.check("embed_dim").expect_err("refused");
            assert_eq!(error.key(), Some(key));
            assert!(error.message().contains(words), "{error}");
        };
        check(Shape { width: 24, ..shape }, "embed_dim", "head_size = 16");
        let n_layers = 0;
        check(Shape { n_layers, ..shape }, "n_layers", "at least 1");
        let alpha_res = f64::NAN;
        check(Shape { alpha_res, ..shape }, "alpha_res", "positive number");
    }
}
