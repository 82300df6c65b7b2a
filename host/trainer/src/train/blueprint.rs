//! What every rank builds for itself: a model, a loss, the flat buffers over them.

use std::sync::{Mutex, PoisonError};

use flops_fit_plugin::DataDescription;
use flops_fit_trial::{Failure, Phase, TrialSpec};
use serde_json::Value;
use tch::{Device, Tensor};

use crate::{
    AdamWState, FlatParameters,
    collective::shard,
    contract,
    plugin::{Loss, LossKind, Model, ModelKind, refused},
    precision::compute_kind,
};

/// How model and loss of a trial are built.
pub struct Blueprint {
    model: ModelKind,
    loss: LossKind,
    loss_config: Value,
    data: DataDescription,
}

/// libtorch's generator is the process's: one rank at a time may draw from it.
static TURN: Mutex<()> = Mutex::new(());

/// One rank's model in training.
pub(crate) struct Replica {
    pub(crate) model: Model,
    pub(crate) loss: Loss,
    pub(crate) flat: FlatParameters,
    pub(crate) adamw: AdamWState,
}

impl Blueprint {
    /// For data such as `data`.
    pub fn new(
        model: ModelKind,
        loss: LossKind,
        loss_config: &Value,
        data: &DataDescription,
    ) -> Self {
        Self {
            model,
            loss,
            loss_config: loss_config.clone(),
            data: data.clone(),
        }
    }

    /// Builds the replica of rank `rank` of `ranks` on `device`.
    pub(super) fn replica(
        &self,
        spec: &TrialSpec,
        device: Device,
        rank: usize,
        ranks: usize,
    ) -> Result<Replica, Failure> {
        let loss = self.loss.build(&self.loss_config, &self.data)?;
        let seed = spec.recipe.seed;
        let mut model = {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            // Right before the only code that may draw from it.
            tch::manual_seed(seed as i64);
            let config = &spec.run.model.config;
            self.model.build(config, &self.data, device, seed)?
        };
        let precision = spec.recipe.train.precision;
        let flat = FlatParameters::adopt_in(precision, model.plugin(), model.parameters()?)?;
        contract::check_count(&model, spec.run.declared_n)?;
        model.compute_in(compute_kind(precision))?;
        let own = shard(flat.len(), rank, ranks);
        let adamw = AdamWState::of_shard(&spec.recipe.train.optimizer, &flat, own)?;
        Ok(Replica {
            model,
            loss,
            flat,
            adamw,
        })
    }
}

impl Replica {
    /// Both moments of all parameters: the optimizer's own, or room for them where it
    /// has a shard.
    pub(super) fn whole_moments(&self) -> Result<[Tensor; 2], Failure> {
        let moments = self.adamw.moments();
        if self.adamw.shard().len() == self.flat.len() {
            return Ok(moments.map(Tensor::shallow_clone));
        }
        let room = || {
            let options = (self.flat.params.kind(), self.flat.params.device());
            Tensor::f_zeros([self.flat.len() as i64], options)
                .map_err(|error| refused(Phase::Checkpoint, &error))
        };
        Ok([room()?, room()?])
    }

    /// Frees what the plugins made; a panic in a drop comes back.
    pub(super) fn close(self) -> Result<(), Failure> {
        self.model.close()?;
        self.loss.close()
    }
}
