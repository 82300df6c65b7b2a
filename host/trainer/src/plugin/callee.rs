//! Who is called, and what must hold of the answer.

use flops_fit_plugin::{
    DataDescription,
    abi::{Answer, BorrowedTensor, OwnedTensor, RResult, RVec},
};
use flops_fit_record::What;
use flops_fit_trial::{Failure, Part, Phase};
use tch::Tensor;

use super::{Library, fault::failure};
use crate::parent;

/// Who is called, for the message when it goes wrong.
#[derive(Debug, Clone)]
pub(super) struct Callee {
    pub(super) plugin: String,
    pub(super) what: What,
}

impl Callee {
    /// Calls the plugin: what has to be known should it not come back is noted
    /// first.
    pub(super) fn call<T>(
        &self,
        phase: Phase,
        call: impl FnOnce() -> Answer<T>,
    ) -> Result<T, Failure> {
        let part = match self.what {
            What::Model => Part::Model,
            What::Dataset => Part::Dataset,
            What::Loss => Part::Loss,
        };
        parent::enter(part, phase);
        match call() {
            RResult::ROk(value) => Ok(value),
            RResult::RErr(fault) => Err(failure(&self.plugin, self.what.as_str(), phase, &fault)),
        }
    }

    pub(super) fn parse<T: serde::de::DeserializeOwned>(
        &self,
        phase: Phase,
        text: &str,
    ) -> Result<T, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::ContractViolation {
            plugin: self.plugin.clone(),
            rule: format!(
                "its {} answered `{text}` in {phase}, which can't be read: {error}",
                self.what
            ),
        })
    }

    /// libtorch dies of an undefined tensor.
    pub(super) fn check_defined(&self, what: &str, tensors: &[Tensor]) -> Result<(), Failure> {
        match tensors.iter().position(|tensor| !tensor.defined()) {
            None => Ok(()),
            Some(index) => Err(Failure::BadTensor {
                plugin: self.plugin.clone(),
                what: format!("tensor {index} of {what}"),
                expected: "defined".to_owned(),
                got: "an undefined tensor".to_owned(),
            }),
        }
    }

    pub(super) fn check_some(&self, what: &str, tensors: &[Tensor]) -> Result<(), Failure> {
        if tensors.is_empty() {
            return Err(Failure::BadTensor {
                plugin: self.plugin.clone(),
                what: what.to_owned(),
                expected: "at least one tensor".to_owned(),
                got: "none".to_owned(),
            });
        }
        self.check_defined(what, tensors)
    }
}

/// What a plugin hands over.
pub(super) fn take(tensors: RVec<OwnedTensor>) -> Vec<Tensor> {
    // SAFETY: the record and the layout check say that the plugin shares this
    // process's libtorch.
    tensors.into_iter().map(|t| unsafe { t.take() }).collect()
}

/// What a plugin may look at during a call.
pub(super) fn lend(tensors: &[Tensor]) -> Vec<BorrowedTensor> {
    tensors.iter().map(BorrowedTensor::lend).collect()
}

/// As it is handed to a constructor.
pub(super) fn json(data: &DataDescription) -> String {
    serde_json::to_string(data).expect("a description is plain data")
}

impl Library {
    pub(super) fn callee(&self, what: What) -> Callee {
        Callee {
            plugin: self.name().to_owned(),
            what,
        }
    }
}
