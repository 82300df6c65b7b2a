//! Cross-entropy, unless something is wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use flops_fit_plugin::{
    DataDescription, Loss, LossValue, Mode, Result,
    tch::{Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

/// `[loss.config]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubtleConfig {
    #[serde(default)]
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    #[default]
    None,
    /// The sum where the mean was asked for.
    Sum,
    /// One unit, whatever the batch.
    OneUnit,
    /// Each evaluation is a little worse than the one before.
    Tires,
}

#[derive(Debug)]
pub(crate) struct Subtle {
    fault: Fault,
    evaluations: AtomicU64,
}

impl Loss for Subtle {
    type Config = SubtleConfig;

    fn build(config: &SubtleConfig, _data: &DataDescription) -> Result<Self> {
        Ok(Self {
            fault: config.fault,
            evaluations: AtomicU64::new(0),
        })
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], mode: Mode) -> Result<LossValue> {
        let (logits, ids) = (outputs[0].f_flatten(0, 1)?, targets[0].f_flatten(0, 1)?);
        let reduction = match self.fault {
            Fault::Sum => Reduction::Sum,
            _ => Reduction::Mean,
        };
        let mean = logits.f_cross_entropy_loss(&ids, None::<&Tensor>, reduction, -100, 0.0)?;
        let mean = match (self.fault, mode) {
            (Fault::Tires, Mode::Eval) => {
                mean + 0.01 * self.evaluations.fetch_add(1, Ordering::Relaxed) as f64
            }
            _ => mean,
        };
        let units = match self.fault {
            Fault::OneUnit => 1,
            _ => ids.numel() as u64,
        };
        Ok(LossValue {
            mean,
            units,
            metrics: Vec::new(),
        })
    }
}
