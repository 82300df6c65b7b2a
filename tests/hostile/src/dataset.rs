//! Counting modulo the vocabulary, with a fault.

use std::sync::atomic::{AtomicU64, Ordering};

use flops_fit_plugin::{
    Batch, DataDescription, DataForm, Dataset, Draw, Error, Place, Result, Split, Unit,
    tch::{Kind, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::strike;

const VOCABULARY: i64 = 29;
const SEQ_LEN: i64 = 16;

/// `[dataset.config]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostileConfig {
    #[serde(default)]
    fault: Fault,
    /// Batches that go well before the fault strikes.
    #[serde(default)]
    after: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    #[default]
    None,
    PanicInBuild,
    PanicInBatch,
    ErrorInBatch,
    ExitInBatch,
    HangInBatch,
    PanicInDrop,
    /// A token too few in each example.
    ShortInputs,
    /// Ids as fractions.
    FloatTargets,
    NoInputs,
    UndefinedInput,
    UndefinedTarget,
    /// Content that changes from process to process.
    ShiftingFingerprint,
}

#[derive(Debug)]
pub(crate) struct Hostile {
    config: HostileConfig,
    batches: AtomicU64,
}

impl Dataset for Hostile {
    type Config = HostileConfig;

    fn build(config: &HostileConfig, _place: &Place<'_>) -> Result<Self> {
        assert!(config.fault != Fault::PanicInBuild, "the file is on fire");
        Ok(Self {
            config: config.clone(),
            batches: AtomicU64::new(0),
        })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: VOCABULARY,
                seq_len: SEQ_LEN,
                bytes_per_token: None,
            },
            unit: Unit::Tokens,
            units_per_example: SEQ_LEN as u64,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        }
    }

    fn fingerprint(&self) -> String {
        match self.config.fault {
            Fault::ShiftingFingerprint => format!("process {}", std::process::id()),
            _ => "counting".to_owned(),
        }
    }

    fn batch(&self, _split: Split, draws: &[Draw]) -> Result<Batch> {
        let before = self.batches.fetch_add(1, Ordering::Relaxed);
        if before >= self.config.after {
            match self.config.fault {
                Fault::PanicInBatch => panic!("a page is torn"),
                Fault::ErrorInBatch => return Err(Error::new("a page is blank")),
                Fault::ExitInBatch => strike::exit(),
                Fault::HangInBatch => strike::hang(),
                _ => {}
            }
        }
        let fault = if before >= self.config.after {
            self.config.fault
        } else {
            Fault::None
        };
        let count = |shift: i64| -> Result<Tensor> {
            let ids: Vec<i64> = draws
                .iter()
                .flat_map(|draw| {
                    let start = (draw.index % VOCABULARY as u64) as i64 + shift;
                    (start..start + SEQ_LEN).map(|id| id % VOCABULARY)
                })
                .collect();
            Ok(Tensor::f_from_slice(&ids)?.f_view([draws.len() as i64, SEQ_LEN])?)
        };
        let (inputs, targets) = (count(0)?, count(1)?);
        Ok(Batch {
            inputs: match fault {
                Fault::ShortInputs => vec![inputs.f_narrow(1, 0, SEQ_LEN - 1)?],
                Fault::NoInputs => Vec::new(),
                Fault::UndefinedInput => vec![Tensor::new()],
                _ => vec![inputs],
            },
            targets: match fault {
                Fault::FloatTargets => vec![targets.f_to_kind(Kind::Float)?],
                Fault::UndefinedTarget => vec![Tensor::new()],
                _ => vec![targets],
            },
        })
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let was_read = self.batches.load(Ordering::Relaxed) > 0;
        let stuck = self.config.fault == Fault::PanicInDrop && was_read;
        assert!(!stuck, "the book will not close");
    }
}
