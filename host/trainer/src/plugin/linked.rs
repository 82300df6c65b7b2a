//! Plugins that are linked into the worker or a test, through the tables that a library
//! exports.

use flops_fit_plugin::{
    self as api,
    abi::{dataset_export, loss_export, model_export},
};
use flops_fit_record::What;
use flops_fit_trial::Failure;
use serde_json::Value;

use super::{Dataset, LossKind, ModelKind, callee::Callee};

fn callee(what: What) -> Callee {
    Callee {
        plugin: "linked".to_owned(),
        what,
    }
}

pub(crate) fn model<M: api::Model>() -> ModelKind {
    ModelKind {
        callee: callee(What::Model),
        table: model_export::<M>("model").table,
    }
}

pub(crate) fn loss<L: api::Loss>() -> LossKind {
    LossKind {
        callee: callee(What::Loss),
        table: loss_export::<L>("loss").table,
    }
}

pub(crate) fn dataset<D: api::Dataset>(config: &Value) -> Result<Dataset, Failure> {
    let table = dataset_export::<D>("dataset").table;
    Dataset::build(callee(What::Dataset), table, config, "/")
}
