//! Hashes of what a seed decides, for a comparison of two processes: addresses,
//! process ids and hash tables with keys of their own differ between them.

use std::collections::BTreeMap;

use flops_fit_plugin::Split;
use flops_fit_trial::{Failure, hex};
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use super::{
    seeds::STEPS,
    subject::{Instance, Subject},
};

/// Fingerprint, first batches of both splits, initial and trained parameters.
pub(super) fn digest(subject: &Subject) -> Result<BTreeMap<String, String>, Failure> {
    let mut hashes = BTreeMap::new();
    let mut keep = |what: &str, hash: Sha256| {
        hashes.insert(what.to_owned(), hex(&hash.finalize()));
    };
    let print = subject.dataset.fingerprint()?;
    keep("the dataset's fingerprint", Sha256::new_with_prefix(print));
    let mut batches = Vec::new();
    for number in 0..STEPS {
        batches.push(subject.batch(number)?);
    }
    let held_out = subject
        .dataset
        .batch(Split::HeldOut, &subject.held_out_draws())?;
    let mut hash = Sha256::new();
    for batch in batches.iter().chain([&held_out]) {
        for tensor in batch.inputs.iter().chain(&batch.targets) {
            add(&mut hash, tensor);
        }
    }
    keep("the batches", hash);
    if let Some(trained) = &subject.trained {
        let mut model = trained.build(&subject.data, subject.seed)?;
        let parameters = |model: &Instance| {
            let mut hash = Sha256::new();
            for (name, tensor) in model.parameters() {
                hash.update(&name);
                add(&mut hash, &tensor);
            }
            hash
        };
        keep("the initial parameters", parameters(&model));
        for (step, batch) in (0..STEPS).zip(&batches) {
            model.step(&trained.loss, batch, step)?;
        }
        keep("the trained parameters", parameters(&model));
    }
    Ok(hashes)
}

fn add(hash: &mut Sha256, tensor: &Tensor) {
    hash.update(format!("{:?} {:?}", tensor.kind(), tensor.size()));
    let flat = tensor.reshape([-1]);
    if flat.kind() == Kind::Int64 {
        for id in Vec::<i64>::try_from(flat).unwrap_or_default() {
            hash.update(id.to_le_bytes());
        }
    } else {
        // Exact for every floating type, and for the smaller integers.
        for value in Vec::<f64>::try_from(flat.to_kind(Kind::Double)).unwrap_or_default() {
            hash.update(value.to_le_bytes());
        }
    }
}
