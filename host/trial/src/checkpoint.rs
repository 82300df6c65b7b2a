//! A trial that was interrupted, as it is kept on disk.
//!
//! ```text
//! trials/<id>/checkpoint/
//!   000000001200.json          what it is of, where training was, and the checksum of
//!   000000001200.safetensors   weights, moments and buffers by name
//! ```
//!
//! The two latest are kept. The small file is written last, so a checkpoint is
//! there whole or not at all; what has been torn since is known by its checksum,
//! and then the older one serves.
//!
//! A trunk has the same in `trunks/<id>/checkpoint/`, and in `trunks/<id>/branches/`
//! one for every step after which a branch leaves; those are all kept.

mod folder;
mod refusal;

use serde::{Deserialize, Serialize};

pub use folder::{CheckpointDir, Found, SetAsideCheckpoint};
pub use refusal::Refusal;

use crate::{Content, TrialId, TrialSpec};

/// The small file of one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Version of this file.
    pub format: u32,
    /// The trial; its recipe holds schedule, data order and all settings.
    pub trial: TrialId,
    /// The code that it was made with.
    pub build: Build,
    /// What it was trained on.
    pub arrangement: Arrangement,
    /// Where training was.
    pub position: Position,
    /// Earlier continuations of the trial.
    pub resumed: Vec<Resumed>,
    /// Of the file of tensors.
    pub tensors: Content,
}

/// The code that decides a trial's bits. A checkpoint of another build is not
/// continued: one run would mix two models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Version of flops-fit-worker and SHA-256 of its executable.
    pub worker: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// SHA-256 of the model's library.
    pub model: String,
    /// SHA-256 of the dataset's library.
    pub dataset: String,
    /// SHA-256 of the loss's library.
    pub loss: String,
}

/// What a trial runs on. It changes no more than rounding, so a checkpoint is
/// continued under another; the result says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrangement {
    /// Devices, one rank each.
    pub devices: Vec<String>,
    /// Intra-op threads.
    pub threads: u32,
    /// Examples in one forward pass; the whole share of a rank where absent.
    pub micro_batch: Option<u64>,
}

impl Arrangement {
    /// The one that `spec` asks for.
    pub fn of(spec: &TrialSpec) -> Self {
        let run = &spec.run;
        Self {
            devices: run.devices.clone(),
            threads: run.threads,
            micro_batch: run.micro_batch,
        }
    }
}

/// One continuation of an interrupted trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Optimizer steps that were done.
    pub step: u64,
    /// What they were trained on since the continuation before.
    pub arrangement: Arrangement,
}

/// Where training was: with the tensors, all that the next step depends on. The default is
/// the beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Optimizer steps done.
    pub step: u64,
    /// Training examples drawn: the number of the next draw.
    pub draws: u64,
    /// Units (tokens, images) seen.
    pub units: u64,
    /// Those of them that an earlier branch of the trunk is charged for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paid: u64,
    /// Steps that the optimizer's moments are averages of.
    pub optimizer_steps: u64,
    /// The first training loss, and the latest ones, which divergence is told by.
    pub first_loss: Option<f64>,
    /// The latest training losses, oldest first.
    pub recent_losses: Vec<f64>,
    /// Sum of the losses over the last tenth of the steps, as far as it is done.
    pub tail_sum: f64,
    /// Losses in it.
    pub tail_count: u32,
    /// Seconds of training so far, without those in which the units of `paid` were seen.
    pub seconds: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(units: &u64) -> bool {
    *units == 0
}
