//! Pseudo-random sequences, each made of its index alone, unless something is
//! wrong.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use flops_fit_plugin::{
    Batch, DataDescription, DataForm, Dataset, Draw, Place, Result, Split, Unit,
    tch::{Kind, Tensor},
};
use serde::{Deserialize, Serialize};

const VOCABULARY: u64 = 29;
const SEQ_LEN: u64 = 32;
const TRAIN: u64 = 4096;
const HELD_OUT: u64 = 512;

/// `[dataset.config]`.
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
    /// 32-bit ids.
    NarrowIds,
    /// One token less than was said.
    ShortExamples,
    /// An id beyond the vocabulary.
    StrangeId,
    /// D counts one unit an example.
    WrongUnits,
    /// A fingerprint that counts.
    CountsOpenings,
    /// Examples that count the calls before.
    CountsCalls,
    /// Examples that know how many there are in the batch.
    CountsCompany,
    /// What is held out is trained on.
    HoldsNothingOut,
    /// A batch takes longer than the step that it is for.
    Slow,
}

#[derive(Debug)]
pub(crate) struct Subtle {
    fault: Fault,
    calls: AtomicU64,
    opening: u64,
}

static OPENINGS: AtomicU64 = AtomicU64::new(0);

impl Dataset for Subtle {
    type Config = SubtleConfig;

    fn build(config: &SubtleConfig, _place: &Place<'_>) -> Result<Self> {
        Ok(Self {
            fault: config.fault,
            calls: AtomicU64::new(0),
            opening: OPENINGS.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: VOCABULARY as i64,
                seq_len: SEQ_LEN as i64,
                bytes_per_token: None,
            },
            unit: Unit::Tokens,
            units_per_example: match self.fault {
                Fault::WrongUnits => 1,
                _ => SEQ_LEN,
            },
            unique_units: Some(TRAIN * SEQ_LEN),
            train_examples: Some(TRAIN),
            held_out_examples: Some(HELD_OUT),
        }
    }

    fn fingerprint(&self) -> String {
        match self.fault {
            Fault::CountsOpenings => format!("opening {}", self.opening),
            _ => "sequences".to_owned(),
        }
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fault == Fault::Slow {
            thread::sleep(Duration::from_millis(20));
        }
        let (len, salt) = match self.fault {
            Fault::ShortExamples => (SEQ_LEN - 1, 0),
            Fault::CountsCalls => (SEQ_LEN, calls),
            Fault::CountsCompany => (SEQ_LEN, draws.len() as u64),
            _ => (SEQ_LEN, 0),
        };
        let apart = split == Split::HeldOut && self.fault != Fault::HoldsNothingOut;
        let first = if apart { TRAIN } else { 0 };
        let tokens = |shift: u64| -> Result<Tensor> {
            let ids: Vec<i64> = draws
                .iter()
                .flat_map(|draw| {
                    let start = (first + draw.index) << 8;
                    (start + shift..start + shift + len).map(|place| token(place ^ salt << 40))
                })
                .collect();
            Ok(Tensor::f_from_slice(&ids)?.f_view([draws.len() as i64, len as i64])?)
        };
        let mut inputs = tokens(0)?;
        match self.fault {
            Fault::NarrowIds => inputs = inputs.f_to_kind(Kind::Int)?,
            Fault::StrangeId => {
                let _ = inputs.f_get(0)?.f_get(0)?.f_fill_(VOCABULARY as i64)?;
            }
            _ => {}
        }
        Ok(Batch {
            inputs: vec![inputs],
            targets: vec![tokens(1)?],
        })
    }
}

/// The token at a place: the finaliser of splitmix64.
fn token(place: u64) -> i64 {
    let mut z = place.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) % VOCABULARY) as i64
}
