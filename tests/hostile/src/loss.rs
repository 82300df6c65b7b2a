//! Cross-entropy with a fault.

use std::sync::atomic::{AtomicU64, Ordering};

use flops_fit_plugin::{
    DataDescription, Error, Loss, LossValue, Mode, Result,
    tch::{Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::strike;

/// `[loss.config]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostileConfig {
    #[serde(default)]
    fault: Fault,
    /// Losses that go well before the fault strikes.
    #[serde(default)]
    after: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    #[default]
    None,
    Panic,
    PanicInDrop,
    Exit,
    Hang,
    Error,
    /// One number a token.
    NotOneNumber,
    Undefined,
    NoUnits,
    /// A number that no gradient leads back from.
    Detached,
    Infinite,
}

#[derive(Debug)]
pub(crate) struct Hostile {
    config: HostileConfig,
    losses: AtomicU64,
}

impl Loss for Hostile {
    type Config = HostileConfig;

    fn build(config: &HostileConfig, _data: &DataDescription) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            losses: AtomicU64::new(0),
        })
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], _mode: Mode) -> Result<LossValue> {
        let before = self.losses.fetch_add(1, Ordering::Relaxed);
        let fault = if before < self.config.after {
            Fault::None
        } else {
            self.config.fault
        };
        let reduction = match fault {
            Fault::NotOneNumber => Reduction::None,
            _ => Reduction::Mean,
        };
        let (logits, ids) = (outputs[0].f_flatten(0, 1)?, targets[0].f_flatten(0, 1)?);
        let mean = logits.f_cross_entropy_loss(&ids, None::<&Tensor>, reduction, -100, 0.0)?;
        Ok(LossValue {
            mean: match fault {
                Fault::Panic => panic!("too much to bear"),
                Fault::Exit => strike::exit(),
                Fault::Hang => strike::hang(),
                Fault::Error => return Err(Error::new("cannot compare")),
                Fault::Undefined => Tensor::new(),
                Fault::Detached => mean.detach(),
                Fault::Infinite => mean * f64::INFINITY,
                _ => mean,
            },
            units: match fault {
                Fault::NoUnits => 0,
                _ => ids.numel() as u64,
            },
            metrics: Vec::new(),
        })
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let was_used = self.losses.load(Ordering::Relaxed) > 0;
        let grieves = self.config.fault == Fault::PanicInDrop && was_used;
        assert!(!grieves, "no loss is ever forgotten");
    }
}
