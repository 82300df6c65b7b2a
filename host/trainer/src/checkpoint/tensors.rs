//! The tensors of a checkpoint, by name, as a safetensors file that any tool of the
//! field reads:
//!
//! ```text
//! weights.<parameter>   moment1.<parameter>   moment2.<parameter>   buffers.<buffer>
//! ```

use std::{
    collections::{HashMap, HashSet},
    io,
    path::Path,
};

use flops_fit_trial::{Failure, Phase};
use tch::{Device, TchError, Tensor};

use super::Trainee;
use crate::plugin::refused;

/// All tensors that the next step depends on, each under its name. They share the
/// storage of the model and the optimizer.
pub(super) fn named(trainee: &Trainee<'_>) -> Result<Vec<(String, Tensor)>, Failure> {
    let (flat, [m, v]) = (trainee.flat, trainee.moments);
    let mut all = Vec::with_capacity(3 * flat.segments.len());
    for (group, buffer) in [("weights", &flat.params), ("moment1", m), ("moment2", v)] {
        let views = flat.views(buffer).into_iter();
        all.extend(views.map(|(name, view)| (format!("{group}.{name}"), view)));
    }
    let buffers = trainee.model.buffers()?.into_iter();
    for buffer in buffers {
        let tensor = buffer.tensor.f_detach();
        let tensor = tensor.map_err(|error| refused(Phase::Checkpoint, &error))?;
        all.push((format!("buffers.{}", buffer.name), tensor));
    }
    Ok(all)
}

/// Writes `tensors` to `path`.
pub(super) fn save(path: &Path, tensors: &[(String, Tensor)]) -> io::Result<()> {
    let mut names = HashSet::new();
    if let Some((name, _)) = tensors.iter().find(|(name, _)| !names.insert(name)) {
        let why = format!("two tensors are named `{name}`; give each a name of its own");
        return Err(io::Error::other(why));
    }
    let host = tensors.iter().map(|(name, tensor)| {
        let tensor = tensor.f_to_device(Device::Cpu)?.f_contiguous()?;
        Ok((name, tensor))
    });
    let host: Result<Vec<_>, TchError> = host.collect();
    host.and_then(|host| Tensor::write_safetensors(&host, path))
        .map_err(io::Error::other)
}

/// Copies the tensors in `path` into those of `tensors`, of which each must be there
/// and no other: the first difference otherwise, and then nothing is changed.
pub(super) fn load(path: &Path, tensors: &[(String, Tensor)]) -> Result<(), String> {
    let read = Tensor::read_safetensors(path).map_err(|error| error.to_string())?;
    let read: HashMap<String, Tensor> = read.into_iter().collect();
    if read.len() != tensors.len() {
        return Err(format!(
            "it has {} tensors, the model {}",
            read.len(),
            tensors.len()
        ));
    }
    let of = |tensor: &Tensor| format!("{:?} {:?}", tensor.kind(), tensor.size());
    for (name, tensor) in tensors {
        let Some(saved) = read.get(name) else {
            return Err(format!("it has no tensor `{name}`"));
        };
        if saved.kind() != tensor.kind() || saved.size() != tensor.size() {
            return Err(format!(
                "`{name}` is {} in it, {} in the model",
                of(saved),
                of(tensor)
            ));
        }
    }
    let _no_grad = tch::no_grad_guard();
    for (name, tensor) in tensors {
        tensor
            .shallow_clone()
            .f_copy_(&read[name])
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
