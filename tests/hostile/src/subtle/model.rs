//! A low-rank bigram model that keeps a running mean of its hidden layer.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    hint::black_box,
    mem,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use flops_fit_plugin::{
    Buffer, Context, DataDescription, DataForm, Error, Mode, Model, ModelContext, Parameter,
    Profile, Result,
    tch::{Kind, Tensor},
};
use serde::{Deserialize, Serialize};

const RANK: i64 = 8;

/// `[model.config]`.
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
    /// No gradient reaches the readout.
    DetachedReadout,
    /// A square root at zero.
    EndlessGradient,
    /// Learning-rate factors of zero.
    Frozen,
    /// Weights that count the models before.
    CountsBuilds,
    /// Weights that know the process.
    KnowsProcess,
    /// Weights that no seed changes.
    IgnoresSeed,
    /// Noise from libtorch's generator.
    GlobalNoise,
    /// The running mean is one tensor for all models.
    SharedMean,
    /// The running mean is not declared.
    HiddenMean,
    /// The running mean moves in evaluation too.
    EvaluationMoves,
    /// Examples of a batch know of each other, always.
    Coupled,
    /// The same in training alone, as with batch norm.
    BatchNorm,
    /// A bias that is cut off below what it starts with.
    IdleBias,
    /// A thread that stays.
    LeavesThread,
    /// A file that stays open.
    LeavesFile,
    /// Memory that is never given back.
    LeavesMemory,
    /// A million times the FLOPs, and a thousandth.
    TooManyFlops,
    TooFewFlops,
}

/// Logits `(embedding[last] − mean) · readout + bias`.
#[derive(Debug)]
pub(crate) struct Subtle {
    fault: Fault,
    embedding: Tensor,
    readout: Tensor,
    bias: Tensor,
    mean: Tensor,
}

/// What no drop of the model takes away.
fn leave_behind(fault: Fault) -> Result<()> {
    match fault {
        Fault::LeavesThread => {
            thread::spawn(|| {
                loop {
                    thread::park();
                }
            });
        }
        Fault::LeavesFile => mem::forget(File::open("/dev/null")?),
        // More, over some models, than an allocator keeps for itself.
        Fault::LeavesMemory => mem::forget(black_box(vec![1_u8; 6 << 20])),
        _ => {}
    }
    Ok(())
}

static BUILDS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static SHARED_MEAN: RefCell<Option<Tensor>> = const { RefCell::new(None) };
}

impl Model for Subtle {
    type Config = SubtleConfig;

    fn build(config: &SubtleConfig, context: &ModelContext<'_>) -> Result<Self> {
        let (fault, vocabulary) = (config.fault, vocabulary(context.data)?);
        leave_behind(fault)?;
        let secret = match fault {
            Fault::CountsBuilds => BUILDS.fetch_add(1, Ordering::Relaxed) as f64,
            Fault::KnowsProcess => f64::from(std::process::id()),
            _ => 0.0,
        };
        let options = (Kind::Float, context.device);
        let weights = |shape: [i64; 2]| -> Result<Tensor> {
            let weights = match fault {
                Fault::IgnoresSeed => {
                    Tensor::f_linspace(-1.0, 1.0, shape[0] * shape[1], options)?.f_view(shape)?
                }
                _ => Tensor::f_randn(shape, options)?,
            };
            let weights = (weights + 1e-6 * secret) * 0.3;
            Ok(weights.f_set_requires_grad(true)?)
        };
        let zeros = |len: i64| Tensor::f_zeros([len], options);
        let mean = match fault {
            Fault::SharedMean => SHARED_MEAN.with_borrow_mut(|shared| -> Result<Tensor> {
                let mean = match shared.take() {
                    Some(mean) => mean,
                    None => zeros(RANK)?,
                };
                *shared = Some(mean.shallow_clone());
                Ok(mean)
            })?,
            _ => zeros(RANK)?,
        };
        Ok(Self {
            fault,
            embedding: weights([vocabulary, RANK])?,
            readout: weights([RANK, vocabulary])?,
            bias: zeros(vocabulary)?.f_set_requires_grad(true)?,
            mean,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let rate = if self.fault == Fault::Frozen {
            0.0
        } else {
            1.0
        };
        vec![
            Parameter::new("embedding", &self.embedding).lr_scale(rate),
            Parameter::new("readout", &self.readout).lr_scale(rate),
            Parameter::new("bias", &self.bias).lr_scale(rate),
        ]
    }

    fn buffers(&self) -> Vec<Buffer> {
        if self.fault == Fault::HiddenMean {
            return Vec::new();
        }
        vec![Buffer {
            name: "mean".to_owned(),
            tensor: self.mean.shallow_clone(),
        }]
    }

    fn forward(&self, inputs: &[Tensor], context: &Context) -> Result<Vec<Tensor>> {
        let training = context.mode == Mode::Train;
        let hidden = Tensor::f_embedding(&self.embedding, &inputs[0], -1, false, false)?;
        let batch_mean = hidden.f_mean_dim([0_i64, 1].as_slice(), false, Kind::Float)?;
        if training || self.fault == Fault::EvaluationMoves {
            let mut mean = self.mean.detach();
            let _ = mean.f_mul_scalar_(0.9)?;
            let _ = mean.f_add_(&(batch_mean.detach() * 0.1))?;
        }
        let hidden = match (self.fault, training) {
            (Fault::Coupled, _) | (Fault::BatchNorm, true) => hidden - batch_mean,
            (_, true) => hidden,
            (_, false) => hidden - &self.mean,
        };
        let logits = match self.fault {
            Fault::DetachedReadout => hidden.f_matmul(&self.readout.detach())?,
            _ => hidden.f_matmul(&self.readout)?,
        };
        let logits = match self.fault {
            Fault::EndlessGradient => logits + (&self.bias * 0.0).f_sqrt()?,
            Fault::GlobalNoise if training => &logits + Tensor::f_randn_like(&logits)? * 1e-5,
            _ => logits,
        };
        let bias = match self.fault {
            Fault::IdleBias => (&self.bias - 0.05).f_relu()?,
            _ => self.bias.shallow_clone(),
        };
        Ok(vec![logits + bias])
    }

    fn profile(config: &SubtleConfig, data: &DataDescription) -> Result<Option<Profile>> {
        let vocabulary = vocabulary(data)?;
        let n = (2 * RANK + 1) * vocabulary;
        let flops = 2.0 * (RANK * vocabulary) as f64;
        Ok(Some(Profile {
            n: n as u64,
            forward_flops_per_unit: Some(match config.fault {
                Fault::TooManyFlops => 1e6 * flops,
                Fault::TooFewFlops => 1e-3 * flops,
                _ => flops,
            }),
            counts: BTreeMap::new(),
        }))
    }
}

fn vocabulary(data: &DataDescription) -> Result<i64> {
    match data.form {
        DataForm::Tokens { vocabulary, .. } => Ok(vocabulary),
        DataForm::Images { .. } => Err(Error::new("subtle to images")),
    }
}
