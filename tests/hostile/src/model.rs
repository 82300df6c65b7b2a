//! A low-rank bigram model with a fault.

use std::collections::BTreeMap;

use flops_fit_plugin::{
    Buffer, Context, DataDescription, DataForm, Error, Mode, Model, ModelContext, Parameter,
    Profile, Result,
    tch::{Kind, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::strike;

/// `[model.config]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostileConfig {
    /// Rank, what the sweep varies.
    rank: i64,
    /// The fault of each size; the others are sound.
    #[serde(default)]
    faults: BTreeMap<i64, Fault>,
}

impl HostileConfig {
    fn fault(&self) -> Fault {
        self.faults.get(&self.rank).copied().unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    #[default]
    None,
    /// Refuses the size, as a sound model may.
    Refuse,
    /// Starts with a readout of zero, as a sound model may.
    ZeroReadout,
    PanicInProfile,
    ExitInProfile,
    HangInProfile,
    PanicInBuild,
    PanicInParameters,
    PanicInForward,
    /// With a payload that is no text.
    PanicWithNumber,
    PanicInDrop,
    ErrorInBuild,
    ErrorInForward,
    ExitInBuild,
    ExitInForward,
    ExitInEvaluation,
    ExitInThread,
    ExitInDrop,
    Abort,
    NullWrite,
    StackOverflow,
    AbsurdAllocation,
    AbsurdVector,
    /// Needs more memory than there is for more than two examples at once.
    Hungry,
    NanOutput,
    NanGradient,
    InfiniteGradient,
    NanInEvaluation,
    NoOutput,
    /// A position too few in each example.
    ShortOutput,
    /// Logits as whole numbers.
    IntegerOutput,
    UndefinedBuffer,
    UndefinedParameter,
    UndefinedOutput,
    NullOutput,
    UnusedParameter,
    CachedWeights,
    WrongCount,
    TwiceTheSameName,
    DoublePrecision,
    FloodStdout,
    CloseStdout,
    ChangeDirectory,
    ChangeEnvironment,
    SpawnThreads,
    LeaveProcess,
    Orphan,
    Fugitive,
    FugitiveAndHang,
    HangInBuild,
    HangInForward,
    SpinInForward,
    HangInDrop,
    // These on all ranks but the first.
    HangOnOneRank,
    PanicOnOneRank,
    OrderOfOneRank,
    // These on the first rank, while another fails, or the other way round.
    HangOnTheFirst,
    HangOnTheOthers,
}

/// Logits `embedding[last] · readout`, unless something goes wrong.
#[derive(Debug)]
pub(crate) struct Hostile {
    fault: Fault,
    embedding: Tensor,
    readout: Tensor,
    cached: Tensor,
    unused: Tensor,
}

impl Model for Hostile {
    type Config = HostileConfig;

    fn build(config: &HostileConfig, context: &ModelContext<'_>) -> Result<Self> {
        let fault = config.fault();
        match fault {
            Fault::PanicInBuild => panic!("no building today"),
            Fault::ErrorInBuild => return Err(Error::new("the bricks are missing")),
            Fault::ExitInBuild => strike::exit(),
            Fault::HangInBuild => strike::hang(),
            Fault::Orphan => {
                strike::leave_process();
                strike::exit();
            }
            Fault::LeaveProcess => strike::leave_process(),
            Fault::Fugitive => {
                strike::fugitive();
                strike::exit();
            }
            Fault::FugitiveAndHang => strike::fugitive(),
            Fault::SpawnThreads => strike::threads(),
            Fault::AbsurdAllocation => {
                let _ = Tensor::f_zeros([1 << 50], (Kind::Float, context.device))?;
            }
            _ => {}
        }
        let (rank, vocabulary) = (config.rank, vocabulary(context.data)?);
        let kind = match fault {
            Fault::DoublePrecision => Kind::Double,
            _ => Kind::Float,
        };
        let normal = |shape: [i64; 2]| -> Result<Tensor> {
            let mut tensor = Tensor::f_randn(shape, (kind, context.device))?;
            let _ = tensor.f_mul_scalar_(0.1)?;
            Ok(tensor.f_set_requires_grad(true)?)
        };
        let readout = normal([rank, vocabulary])?;
        if fault == Fault::ZeroReadout {
            let _ = readout.detach().f_zero_()?;
        }
        Ok(Self {
            fault,
            embedding: normal([vocabulary, rank])?,
            cached: readout.detach().copy(),
            readout,
            unused: normal([rank, rank])?,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let private = self.fault == Fault::PanicInParameters;
        assert!(!private, "parameters are private");
        let name = match self.fault {
            Fault::TwiceTheSameName => "embedding",
            _ => "readout",
        };
        let mut all = vec![
            Parameter::new("embedding", &self.embedding),
            Parameter::new(name, &self.readout),
        ];
        if self.fault == Fault::OrderOfOneRank && strike::follows() {
            all.reverse();
        }
        if self.fault == Fault::UnusedParameter {
            all.push(Parameter::new("unused", &self.unused));
        }
        if self.fault == Fault::UndefinedParameter {
            all.push(Parameter::new("void", &Tensor::new()));
        }
        all
    }

    fn buffers(&self) -> Vec<Buffer> {
        if self.fault != Fault::UndefinedBuffer {
            return Vec::new();
        }
        vec![Buffer {
            name: "void".to_owned(),
            tensor: Tensor::new(),
        }]
    }

    fn forward(&self, inputs: &[Tensor], context: &Context) -> Result<Vec<Tensor>> {
        // The host calls once for each parameter before it trains, with step 0.
        let training = context.mode == Mode::Train && context.step > 0;
        match self.fault {
            Fault::PanicInForward if training => panic!("step {} is too far", context.step),
            Fault::PanicWithNumber if training => std::panic::panic_any(42),
            Fault::ErrorInForward if training => return Err(Error::new("the wires are crossed")),
            Fault::ExitInForward if training => strike::exit(),
            Fault::ExitInEvaluation if context.mode == Mode::Eval && context.step > 0 => {
                strike::exit();
            }
            Fault::ExitInThread if training => strike::exit_in_thread(),
            Fault::Abort if training => std::process::abort(),
            Fault::NullWrite if training => strike::null_write(),
            Fault::StackOverflow if training => {
                std::hint::black_box(strike::overflow(0));
            }
            Fault::HangInForward | Fault::FugitiveAndHang if training => strike::hang(),
            Fault::SpinInForward if training => strike::spin(),
            Fault::HangOnOneRank if training && strike::follows() => strike::hang(),
            Fault::PanicOnOneRank if training && strike::follows() => panic!("not on this rank"),
            Fault::HangOnTheFirst | Fault::HangOnTheOthers if training => {
                if strike::follows() == (self.fault == Fault::HangOnTheOthers) {
                    strike::hang();
                }
                return Err(Error::new("not while another hangs"));
            }
            Fault::AbsurdVector if training => strike::hoard(),
            // In evaluation too, which comes after the first step.
            Fault::Hungry if context.step > 0 && inputs[0].size()[0] > 2 => {
                let _ = Tensor::f_zeros([1 << 50], (Kind::Float, inputs[0].device()))?;
            }
            Fault::FloodStdout if context.mode == Mode::Eval => strike::flood(),
            Fault::CloseStdout if context.step == 1 => strike::close_stdout(),
            Fault::ChangeDirectory if context.step == 1 => std::env::set_current_dir("/")?,
            Fault::NoOutput => return Ok(Vec::new()),
            Fault::ChangeEnvironment if context.step == 1 => strike::forget(),
            Fault::UndefinedOutput => return Ok(vec![Tensor::new()]),
            Fault::NullOutput => {
                // SAFETY: none; the host is meant to notice.
                return Ok(vec![unsafe { Tensor::from_ptr(std::ptr::null_mut()) }]);
            }
            _ => {}
        }
        let readout = match self.fault {
            Fault::CachedWeights => &self.cached,
            _ => &self.readout,
        };
        let last = Tensor::f_embedding(&self.embedding, &inputs[0], -1, false, false)?;
        let logits = last.f_matmul(readout)?;
        let spoilt = match self.fault {
            Fault::NanOutput => context.step == 2,
            Fault::NanInEvaluation => context.mode == Mode::Eval,
            _ => false,
        };
        let nothing = &self.readout - self.readout.detach();
        let logits = match self.fault {
            // Zero, and so is the factor that its gradient, infinite, is taken by.
            Fault::NanGradient if context.step == 2 => {
                logits + nothing.f_pow_tensor_scalar(0.5)?.f_sum(Kind::Float)? * 0.0
            }
            Fault::InfiniteGradient if context.step == 2 => {
                logits
                    + nothing
                        .f_pow_tensor_scalar(0.5)?
                        .f_sum_dim_intlist(0, true, Kind::Float)?
            }
            Fault::ShortOutput => {
                let positions = logits.size()[1];
                logits.f_narrow(1, 0, positions - 1)?.f_contiguous()?
            }
            Fault::IntegerOutput => (logits * 1e6).f_to_kind(Kind::Int64)?,
            _ => logits,
        };
        Ok(vec![if spoilt { logits * f64::NAN } else { logits }])
    }

    fn num_params(&self) -> u64 {
        self.readout.numel() as u64
    }

    /// The planner asks this of every size, and builds none.
    fn profile(config: &HostileConfig, data: &DataDescription) -> Result<Option<Profile>> {
        match config.fault() {
            Fault::PanicInProfile => panic!("the figures are secret"),
            Fault::ExitInProfile => strike::exit(),
            Fault::HangInProfile => strike::hang(),
            Fault::Refuse => return Err(Error::config("rank", "found one that it dislikes")),
            _ => {}
        }
        let n = (config.rank * vocabulary(data)?) as u64;
        Ok(Some(Profile {
            n: n + u64::from(config.fault() == Fault::WrongCount),
            forward_flops_per_unit: Some(2.0 * n as f64),
            counts: BTreeMap::new(),
        }))
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        assert!(self.fault != Fault::PanicInDrop, "not letting go");
        match self.fault {
            Fault::HangInDrop => strike::hang(),
            Fault::ExitInDrop => strike::exit(),
            _ => {}
        }
    }
}

fn vocabulary(data: &DataDescription) -> Result<i64> {
    match data.form {
        DataForm::Tokens { vocabulary, .. } => Ok(vocabulary),
        DataForm::Images { .. } => Err(Error::new("hostile to images")),
    }
}
