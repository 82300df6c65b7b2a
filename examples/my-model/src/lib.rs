//! The smallest whole plugin: how well can the next byte be told from the last
//! one, by a table of bounded rank? Copy this crate to start your own.
//!
//! A model, a dataset and a loss, each an ordinary Rust type; the macro at the
//! end gives them the names that a manifest calls them by.

use flops_fit_plugin::{
    Batch, Context, DataDescription, DataForm, Dataset, Draw, Error, Loss, LossValue, Mode, Model,
    ModelContext, Parameter, Place, Result, Split, Unit,
    tch::{Kind, Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Logits of the next byte: `embedding[last byte] · readout`.
#[derive(Debug)]
pub struct Bigram {
    embedding: Tensor,
    readout: Tensor,
    rank: i64,
}

/// `[model.config]`. An unknown key is then an error that names it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BigramConfig {
    /// Rank of the table of logits; what the sweep varies.
    pub rank: i64,
}

impl Model for Bigram {
    type Config = BigramConfig;

    fn build(config: &BigramConfig, context: &ModelContext<'_>) -> Result<Self> {
        let rank = config.rank;
        if rank < 1 {
            // Names the key, so that the message points at the manifest's line.
            let message = format!("found {rank}, expected at least 1");
            return Err(Error::config("rank", message));
        }
        let DataForm::Tokens { vocabulary, .. } = context.data.form else {
            return Err(Error::new("bigram needs a dataset of tokens"));
        };
        // The host has just seeded libtorch's generator with the trial's seed.
        let normal = |shape: [i64; 2], deviation: f64| -> Result<Tensor> {
            let mut tensor = Tensor::f_randn(shape, (Kind::Float, context.device))?;
            let _ = tensor.f_mul_scalar_(deviation)?;
            Ok(tensor.f_set_requires_grad(true)?)
        };
        Ok(Self {
            embedding: normal([vocabulary, rank], 1.0)?,
            // Small logits at first, whatever the rank.
            readout: normal([rank, vocabulary], 0.1 / (rank as f64).sqrt())?,
            rank,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter::new("embedding", &self.embedding),
            // Adam moves every weight alike, and `rank` of them add up in a logit:
            // with this factor one learning rate suits every size.
            Parameter::new("readout", &self.readout).lr_scale(1.0 / self.rank as f64),
        ]
    }

    fn forward(&self, inputs: &[Tensor], _context: &Context) -> Result<Vec<Tensor>> {
        let last = Tensor::f_embedding(&self.embedding, &inputs[0], -1, false, false)?;
        Ok(vec![last.f_matmul(&self.readout)?])
    }

    /// N for the fit: without the embedding, which costs no multiplications. The
    /// host then counts 6N FLOPs per token; a model for which that is not exact
    /// says so in `profile`.
    fn num_params(&self) -> u64 {
        self.readout.numel() as u64
    }
}

/// A file's bytes; the last tenth is held out.
#[derive(Debug)]
pub struct Bytes {
    train: Vec<u8>,
    held_out: Vec<u8>,
    seq_len: usize,
}

/// `[dataset.config]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BytesConfig {
    /// The file. What is not serialised is not part of a trial's id: the
    /// fingerprint stands for the content, wherever it lies.
    #[serde(skip_serializing)]
    pub path: String,
    /// Bytes in one example.
    pub seq_len: usize,
}

impl Dataset for Bytes {
    type Config = BytesConfig;

    fn build(config: &BytesConfig, place: &Place<'_>) -> Result<Self> {
        let path = place.base_dir.join(&config.path);
        let mut train = std::fs::read(&path)
            .map_err(|error| Error::config("path", format!("{}: {error}", path.display())))?;
        let held_out = train.split_off(train.len() - train.len() / 10);
        let seq_len = config.seq_len;
        if seq_len < 1 || held_out.len() <= seq_len {
            let message = format!(
                "found {seq_len}, expected 1 to {}",
                held_out.len().max(2) - 1
            );
            return Err(Error::config("seq_len", message));
        }
        Ok(Self {
            train,
            held_out,
            seq_len,
        })
    }

    fn description(&self) -> DataDescription {
        // An example starts at any offset and needs one byte more, its last target.
        let examples = |part: &[u8]| Some((part.len() - self.seq_len) as u64);
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: 256,
                seq_len: self.seq_len as i64,
                bytes_per_token: Some(1.0),
            },
            unit: Unit::Tokens,
            units_per_example: self.seq_len as u64,
            unique_units: Some(self.train.len() as u64),
            train_examples: examples(&self.train),
            held_out_examples: examples(&self.held_out),
        }
    }

    /// FNV-1a of the content.
    fn fingerprint(&self) -> String {
        let bytes = self.train.iter().chain(&self.held_out);
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        let part = match split {
            Split::Train => &self.train,
            Split::HeldOut => &self.held_out,
        };
        let windows = |shift: usize| -> Result<Tensor> {
            let ids: Vec<i64> = draws
                .iter()
                .flat_map(|draw| &part[draw.index as usize + shift..][..self.seq_len])
                .map(|&byte| i64::from(byte))
                .collect();
            Ok(Tensor::f_from_slice(&ids)?.f_view([draws.len() as i64, self.seq_len as i64])?)
        };
        Ok(Batch {
            inputs: vec![windows(0)?],
            targets: vec![windows(1)?],
        })
    }
}

/// Mean −ln p of the next byte, in nats.
#[derive(Debug)]
pub struct CrossEntropy;

/// `[loss.config]`: nothing to set.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropyConfig {}

impl Loss for CrossEntropy {
    type Config = CrossEntropyConfig;

    fn build(_config: &CrossEntropyConfig, _data: &DataDescription) -> Result<Self> {
        Ok(Self)
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], _mode: Mode) -> Result<LossValue> {
        let logits = outputs[0].f_flatten(0, 1)?;
        let ids = targets[0].f_flatten(0, 1)?;
        let none = None::<&Tensor>;
        Ok(LossValue {
            mean: logits.f_cross_entropy_loss(&ids, none, Reduction::Mean, -100, 0.0)?,
            units: ids.numel() as u64,
            metrics: Vec::new(),
        })
    }
}

flops_fit_plugin::export_plugin! {
    models: { "bigram" => Bigram },
    datasets: { "bytes" => Bytes },
    losses: { "cross_entropy" => CrossEntropy },
}
