//! How a trial trains: every choice resolved, nothing left to a default.

use serde::{Deserialize, Serialize};

/// Training settings that decide the outcome, and so are part of the id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Peak learning rate η; each parameter multiplies it by its own factor.
    pub lr: f64,
    /// How the rate moves after warm-up.
    pub schedule: Schedule,
    /// Steps of linear warm-up, from η/warmup to η.
    pub warmup_steps: u64,
    /// Examples in one optimizer step, over all devices and micro-batches.
    pub batch_examples: u64,
    /// The optimizer's constants.
    pub optimizer: AdamW,
    /// Largest global gradient norm; larger gradients are scaled down to it.
    pub grad_clip: Option<f64>,
    /// Number format of the forward and backward pass.
    pub precision: Precision,
    /// Units (tokens, images) of the fixed held-out set; the whole split where
    /// it is smaller.
    pub eval_units: u64,
}

/// Learning-rate schedule after warm-up. Shares are of all steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Warm-up, stable, decay: η until the last `decay` share of the steps,
    /// then down to zero.
    Wsd {
        /// Share of all steps that cool down, in (0, 1].
        decay: f64,
        /// The curve of the cool-down.
        shape: DecayShape,
    },
    /// Half a cosine from η to `floor`·η.
    Cosine {
        /// Final rate as a share of η, in [0, 1).
        floor: f64,
    },
    /// η to the end.
    Constant,
}

impl Schedule {
    /// Steps of a run of `steps` steps that cool down: none but of a `Wsd`, and there at
    /// least one. The steps before are those of a run at a constant rate.
    pub fn cooldown_steps(&self, steps: u64) -> u64 {
        match *self {
            Self::Wsd { decay, .. } => {
                ((decay * steps as f64).round() as u64).clamp(1, steps.max(1))
            }
            Self::Cosine { .. } | Self::Constant => 0,
        }
    }
}

/// Shape of the cool-down, as a function of its elapsed share t in (0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecayShape {
    /// 1 − t.
    Linear,
    /// 1 − √t (Hägele et al. 2024).
    Sqrt,
}

/// `AdamW` with decoupled ("independent") weight decay: p ← p·(1 − λ·s(t)) − …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamW {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to √v̂. u-μP gradients are small: 1e-12 by default, not 1e-8.
    pub eps: f64,
    /// λ, not multiplied by the learning rate; s(t) is the schedule in [0, 1].
    pub weight_decay: f64,
}

/// Number format of the forward and backward pass. Weights, gradients' sums and the
/// optimizer are 32-bit floats but for [`Fp64`](Self::Fp64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats throughout.
    Fp32,
    /// 32-bit floats, whose products a CUDA device makes of 10 bits of mantissa.
    Tf32,
    /// bfloat16: 8 bits of exponent, 7 of mantissa. The loss is 32-bit.
    Bf16,
    /// 64-bit floats throughout, on the CPU: many times slower, for tests.
    Fp64,
}
