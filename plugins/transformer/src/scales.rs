//! How each matrix starts and how fast it learns: all of u-μP is here.
//!
//! Written as W = A·w with w₀ ~ N(0, B²) and Adam step C, a tensor trains the
//! same for any (A·θ, B/θ, C/θ) (Yang & Hu 2021), because Adam ignores a
//! constant factor on the gradient. So every forward multiplier can be moved
//! into initialisation and learning rate, and the forward pass is left with
//! none: no elementwise kernel is spent on scaling.
//!
//! The residual stream h ← a·f + b·h is divided by the running product β of the
//! b's as well. It is only ever read through an RMS norm, which ignores a
//! factor, so h/β ← (a/β)·f + h/β is the same network with a plain sum.
//!
//! Source: Blake et al. 2024 (arXiv 2407.17465), tables 2 and appendix G; the
//! activation and attention scales follow graphcore-research/unit-scaling.

use crate::{Activation, Parametrization, Shape};

/// One matrix: W₀ ~ N(0, std²), Adam step η·`lr`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixScale {
    /// Standard deviation at initialisation.
    pub std: f64,
    /// Factor of the learning rate.
    pub lr: f64,
    /// RMS of the matrix's output at initialisation on unit input: what a
    /// unit-scaled network would multiply its unit-variance output by.
    pub gain: f64,
}

/// One layer's matrices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerScales {
    /// Queries, keys and values.
    pub qkv: MatrixScale,
    /// Attention's output.
    pub out: MatrixScale,
    /// The MLP's first matrix (both halves of a gated one).
    pub up: MatrixScale,
    /// The MLP's second matrix.
    pub down: MatrixScale,
}

/// Every scale of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// An embedding that is the whole of the stream at its start.
    pub embedding: MatrixScale,
    /// Each layer.
    pub layers: Vec<LayerScales>,
    /// Readout.
    pub readout: MatrixScale,
    /// Factor of attention's logits.
    pub attention: f64,
}

impl MatrixScale {
    /// What most code does: variance 1/`fan_in`, the one learning rate.
    pub fn standard(fan_in: i64) -> Self {
        Self {
            std: (fan_in as f64).powf(-0.5),
            lr: 1.0,
            gain: 1.0,
        }
    }

    /// The same matrix with its output divided by √`parts`, for one of as many
    /// inputs that are summed to one stream.
    #[must_use]
    pub fn shared_by(self, parts: f64) -> Self {
        let share = parts.sqrt().recip();
        Self {
            std: self.std * share,
            lr: self.lr * share,
            gain: self.gain * share,
        }
    }
}

impl Scales {
    /// The scales of a network of this shape over sequences of `seq_len` tokens.
    pub fn new(shape: &Shape, seq_len: i64) -> Self {
        match shape.parametrization {
            Parametrization::UMup => Self::u_mup(shape, seq_len),
            Parametrization::Standard => Self::standard(shape),
        }
    }

    fn u_mup(shape: &Shape, seq_len: i64) -> Self {
        let (d, d_ff, depth) = (
            shape.width as f64,
            shape.d_ff() as f64,
            shape.n_layers as f64,
        );
        // A = gain/√fan_in and C = η/(√fan_in·√L), folded.
        let hidden = |fan_in: f64, gain: f64| {
            let multiplier = gain / fan_in.sqrt();
            MatrixScale {
                std: multiplier,
                lr: multiplier / (fan_in * depth).sqrt(),
                gain,
            }
        };
        let (attention_gain, activation_gain) = (
            attention_gain(shape, seq_len),
            activation_gain(shape.activation),
        );
        let branches = branch_gains(shape);
        let layers = branches.chunks_exact(2).map(|branch| LayerScales {
            qkv: hidden(d, 1.0),
            out: hidden(d, attention_gain * branch[0]),
            up: hidden(d, 1.0),
            down: hidden(d_ff, activation_gain * branch[1]),
        });
        Self {
            embedding: MatrixScale {
                std: 1.0,
                lr: d.powf(-0.5),
                gain: 1.0,
            },
            layers: layers.collect(),
            readout: MatrixScale {
                std: 1.0 / d,
                lr: 1.0 / d,
                gain: d.powf(-0.5),
            },
            attention: shape.alpha_attn / shape.head_size as f64,
        }
    }

    fn standard(shape: &Shape) -> Self {
        let matrix = MatrixScale::standard;
        let (d, d_ff) = (shape.width, shape.d_ff());
        let layer = LayerScales {
            qkv: matrix(d),
            out: matrix(d),
            up: matrix(d),
            down: matrix(d_ff),
        };
        Self {
            embedding: MatrixScale {
                std: 1.0,
                lr: 1.0,
                gain: 1.0,
            },
            layers: vec![layer; shape.n_layers as usize],
            readout: matrix(d),
            attention: (shape.head_size as f64).powf(-0.5),
        }
    }
}

/// The weights (a, b) of branch i = 0…2L−1 (even attention, odd MLP).
pub fn residual_weights(shape: &Shape) -> Vec<(f64, f64)> {
    let (r, q) = (shape.alpha_res, shape.alpha_res_attn_ratio);
    let mlp = r * (2.0 / (1.0 + q * q)).sqrt();
    let attention = q * mlp;
    let depth = shape.n_layers as f64;
    (0..2 * shape.n_layers)
        .map(|i| {
            let (added_attention, added_mlp) = (((i + 1) / 2) as f64, (i / 2) as f64);
            let alpha = if i % 2 == 0 { attention } else { mlp };
            let tau = alpha
                / (depth + added_attention * attention.powi(2) + added_mlp * mlp.powi(2)).sqrt();
            let norm = (1.0 + tau * tau).sqrt();
            (tau / norm, 1.0 / norm)
        })
        .collect()
}

/// a/β for every branch: its gain when the stream is a plain sum.
fn branch_gains(shape: &Shape) -> Vec<f64> {
    let mut beta = 1.0;
    residual_weights(shape)
        .into_iter()
        .map(|(a, b)| {
            beta *= b;
            a / beta
        })
        .collect()
}

/// 1/σ of attention's output on unit-variance values, interpolated in log space
/// between its limits of no and of sharp attention. Without attention it is the
/// mean of all T values (1/√T), or of those so far (√(ln T/T)).
fn attention_gain(shape: &Shape, seq_len: i64) -> f64 {
    let length = (seq_len as f64).max(2.0);
    let uniform = if shape.causal {
        (length.ln() / length).sqrt()
    } else {
        (1.0 / length).sqrt()
    };
    let sharp = 1.0 / (1.0 + 4.0 * shape.head_size as f64 / shape.alpha_attn.powi(2));
    uniform.powf(sharp - 1.0)
}

/// 1/σ of the activation's output on a unit normal.
fn activation_gain(activation: Activation) -> f64 {
    match activation {
        // Between the linear limit 2 and the ReLU limit, as unit-scaling has it.
        Activation::Gelu => {
            let relu = (2.0 / (1.0 - std::f64::consts::FRAC_1_PI)).sqrt();
            (0.8 * relu.ln() + 0.2 * 2.0_f64.ln()).exp()
        }
        Activation::Silu => 1.787,
        Activation::Swiglu => 1.6818,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residual_weights_of_two_layers() {
        let weights = residual_weights(&Shape::causal(32, 2));
        let want_a = [0.57735, 0.5, 0.44721, 0.40825];
        for ((a, b), want) in weights.iter().zip(want_a) {
            assert!((a - want).abs() < 1e-5, "{a} against {want}");
            assert!((a * a + b * b - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn folding_keeps_every_ratio_of_the_recipe() {
        let scales = Scales::u_mup(&Shape::causal(64, 3), 64);
        let (d, depth) = (64.0_f64, 3.0_f64);
        // lr/std is C/(A·B) of the unfolded table, whatever was folded.
        let ratio = |m: MatrixScale| m.lr / m.std;
        let near = |x: f64, y: f64| assert!((x / y - 1.0).abs() < 1e-12, "{x} against {y}");
        near(ratio(scales.embedding), d.powf(-0.5));
        near(ratio(scales.readout), 1.0);
        for layer in &scales.layers {
            near(ratio(layer.qkv), (d * depth).powf(-0.5));
            near(ratio(layer.out), (d * depth).powf(-0.5));
            near(ratio(layer.down), (4.0 * d * depth).powf(-0.5));
        }
        assert!(
            (activation_gain(Activation::Gelu) - 1.7667).abs() < 1e-4,
            "the published figure"
        );
    }
}
