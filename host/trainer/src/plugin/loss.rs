//! A plugin's loss with safe methods.

use flops_fit_plugin::{
    DataDescription, Mode,
    abi::{Handle, LossTableRef, RSlice},
};
use flops_fit_record::What;
use flops_fit_trial::{Failure, Phase};
use serde_json::Value;
use tch::Tensor;

use super::{
    Library, Model,
    callee::{Callee, json, lend},
    form::Form,
};

/// A loss.
pub struct Loss {
    callee: Callee,
    table: LossTableRef,
    handle: Handle,
    canonical: Value,
}

/// What a loss gives for one micro-batch.
#[derive(Debug)]
pub struct LossOutput {
    /// Scalar mean.
    pub mean: Tensor,
    /// Units of the mean.
    pub units: u64,
    /// Further means.
    pub metrics: Vec<(String, f64)>,
}

/// A loss's functions that need no object.
#[derive(Clone)]
pub struct LossKind {
    pub(super) callee: Callee,
    pub(super) table: LossTableRef,
}

impl Library {
    /// The loss that is exported as `kind`.
    pub fn loss_kind(&self, kind: &str) -> Result<LossKind, Failure> {
        let named = self.root.losses()();
        let found = named.iter().find(|l| l.kind == kind);
        let found = found.ok_or_else(|| self.unknown_kind(What::Loss, kind))?;
        Ok(LossKind {
            callee: self.callee(What::Loss),
            table: found.table,
        })
    }

    /// Builds the loss that is exported as `kind`.
    pub fn loss(
        &self,
        kind: &str,
        config: &Value,
        data: &DataDescription,
    ) -> Result<Loss, Failure> {
        self.loss_kind(kind)?.build(config, data)
    }
}

impl LossKind {
    /// Builds it for data such as `data`.
    pub fn build(&self, config: &Value, data: &DataDescription) -> Result<Loss, Failure> {
        let (callee, table) = (self.callee.clone(), self.table);
        let config = config.to_string();
        let canonical = callee.call(Phase::Build, || table.canonical()(config.as_str().into()))?;
        let canonical = callee.parse(Phase::Build, &canonical)?;
        let handle = callee.call(Phase::Build, || {
            table.build()(config.as_str().into(), json(data).as_str().into())
        })?;
        Ok(Loss {
            callee,
            table,
            handle,
            canonical,
        })
    }
}

impl Loss {
    /// Its configuration with defaults filled in.
    pub fn canonical(&self) -> &Value {
        &self.canonical
    }

    /// The mean loss of one micro-batch, from what `model` gave for it; a defined scalar
    /// over at least one unit, and in training one that gradients lead back from.
    pub fn compute(
        &self,
        model: &Model,
        outputs: &[Tensor],
        targets: &[Tensor],
        mode: Mode,
    ) -> Result<LossOutput, Failure> {
        let (lent, judged) = (lend(outputs), lend(targets));
        let value = self.callee.call(Phase::Loss, || {
            self.table.compute()(
                self.handle,
                RSlice::from_slice(&lent),
                RSlice::from_slice(&judged),
                mode == Mode::Train,
            )
        });
        let value = value.map_err(|failure| self.with_cause(failure, model, outputs, targets))?;
        // SAFETY: the plugin shares this process's libtorch (checked at open).
        let mean = unsafe { value.mean.take() };
        if !mean.defined() || mean.numel() != 1 || value.units == 0 {
            let got = if mean.defined() {
                format!("shape {:?} over {} units", mean.size(), value.units)
            } else {
                "an undefined tensor".to_owned()
            };
            return Err(Failure::BadTensor {
                plugin: self.callee.plugin.clone(),
                what: "the loss".to_owned(),
                expected: "one number, the mean over at least one unit".to_owned(),
                got,
            });
        }
        // Asked to differentiate it, libtorch would follow a null pointer.
        if mode == Mode::Train && !mean.requires_grad() {
            return Err(Failure::BadTensor {
                plugin: self.callee.plugin.clone(),
                what: "the loss".to_owned(),
                expected: "differentiable in training".to_owned(),
                got: "a number that no gradient leads back from".to_owned(),
            });
        }
        let metrics = value
            .metrics
            .into_iter()
            .map(|m| (m.name.into(), m.value))
            .collect();
        Ok(LossOutput {
            mean,
            units: value.units,
            metrics,
        })
    }

    /// What a loss can't compare may be another plugin's mistake.
    fn with_cause(
        &self,
        mut failure: Failure,
        model: &Model,
        outputs: &[Tensor],
        targets: &[Tensor],
    ) -> Failure {
        if let Failure::Plugin { message, .. } | Failure::Panicked { message, .. } = &mut failure
            && model.plugin() != self.callee.plugin
        {
            let cause = format!(
                "; model plugin {} gave it outputs {}, for targets {}",
                model.plugin(),
                Form::list(outputs),
                Form::list(targets)
            );
            // Where libtorch was follows below its words.
            let words = message.find('\n').unwrap_or(message.len());
            message.insert_str(words, &cause);
        }
        failure
    }

    /// Frees the plugin's object.
    pub fn close(self) -> Result<(), Failure> {
        self.callee
            .call(Phase::Drop, || self.table.drop()(self.handle))
    }
}
