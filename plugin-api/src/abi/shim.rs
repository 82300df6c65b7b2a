//! Fills the tables: one extern function for each method of each trait.
//!
//! This is the one choke point between the host's calls and an author's code:
//! every call is guarded here.

use std::path::Path;

use abi_stable::{
    prefix_type::WithMetadata,
    std_types::{RResult, RSlice, RStr, RString, RVec},
};
use serde::{Serialize, de::DeserializeOwned};
use tch::Tensor;

use super::{
    fault::Fault,
    guard::guard,
    table::{
        AbiBatch, AbiBuffer, AbiContext, AbiDevice, AbiDraw, AbiLoss, AbiMetric, AbiParameter,
        Answer, DatasetTable, DatasetTableRef, Handle, LossTable, LossTableRef, ModelTable,
        ModelTableRef, NamedDataset, NamedLoss, NamedModel,
    },
    tensor::{BorrowedTensor, OwnedTensor},
};
use crate::{
    Context, DataDescription, Dataset, Draw, Loss, Mode, Model, ModelContext, Place, Split, config,
};

/// The export of a model under the name `kind`.
pub fn model_export<M: Model>(kind: &str) -> NamedModel {
    NamedModel {
        kind: kind.into(),
        table: ModelTableRef(ModelShim::<M>::TABLE.static_as_prefix()),
    }
}

/// The export of a dataset under the name `kind`.
pub fn dataset_export<D: Dataset>(kind: &str) -> NamedDataset {
    NamedDataset {
        kind: kind.into(),
        table: DatasetTableRef(DatasetShim::<D>::TABLE.static_as_prefix()),
    }
}

/// The export of a loss under the name `kind`.
pub fn loss_export<L: Loss>(kind: &str) -> NamedLoss {
    NamedLoss {
        kind: kind.into(),
        table: LossTableRef(LossShim::<L>::TABLE.static_as_prefix()),
    }
}

fn answer<T>(body: impl FnOnce() -> Result<T, Fault>) -> Answer<T> {
    match guard(body) {
        Ok(value) => RResult::ROk(value),
        Err(fault) => RResult::RErr(fault.encode().into()),
    }
}

/// A text that does not parse is a fault of the configuration, with or without a key.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    config::parse(text).map_err(|error| Fault::Config {
        key: error.key().map(str::to_owned),
        message: error.message().to_owned(),
    })
}

fn json<T: Serialize>(value: &T) -> Result<RString, Fault> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(Fault::Error {
            message: format!("a value does not serialise: {error}"),
        }),
    }
}

fn boxed<T>(value: T) -> Handle {
    Handle(Box::into_raw(Box::new(value)).cast())
}

/// # Safety
///
/// `handle` must come from [`boxed`] of the same `T` and not have been freed.
unsafe fn object<'a, T>(handle: Handle) -> &'a T {
    // SAFETY: the caller's promise.
    unsafe { &*handle.0.cast::<T>() }
}

extern "C" fn free<T>(handle: Handle) -> Answer<()> {
    answer(|| {
        // SAFETY: the host frees each handle once, with the table that made it.
        drop(unsafe { Box::from_raw(handle.0.cast::<T>()) });
        Ok(())
    })
}

fn borrowed(tensors: RSlice<'_, BorrowedTensor>) -> Vec<Tensor> {
    // SAFETY: the host lends tensors that live for the length of the call.
    tensors.iter().map(|t| unsafe { t.get() }).collect()
}

fn given(tensors: Vec<Tensor>) -> RVec<OwnedTensor> {
    tensors.into_iter().map(OwnedTensor::give).collect()
}

fn mode(train: bool) -> Mode {
    if train { Mode::Train } else { Mode::Eval }
}

struct ModelShim<M>(std::marker::PhantomData<M>);

impl<M: Model> ModelShim<M> {
    const VALUE: ModelTable = ModelTable {
        canonical: Self::canonical,
        profile: Self::profile,
        build: Self::build,
        parameters: Self::parameters,
        buffers: Self::buffers,
        forward: Self::forward,
        num_params: Self::num_params,
        drop: free::<M>,
    };
    const TABLE: &'static WithMetadata<ModelTable> = &WithMetadata::new(Self::VALUE);

    extern "C" fn canonical(config: RStr<'_>) -> Answer<RString> {
        answer(|| json(&parse::<M::Config>(config.as_str())?))
    }

    extern "C" fn profile(config: RStr<'_>, data: RStr<'_>) -> Answer<RString> {
        answer(|| {
            let data: DataDescription = parse(data.as_str())?;
            json(&M::profile(&parse(config.as_str())?, &data)?)
        })
    }

    extern "C" fn build(
        config: RStr<'_>,
        data: RStr<'_>,
        device: AbiDevice,
        seed: u64,
    ) -> Answer<Handle> {
        answer(|| {
            let data: DataDescription = parse(data.as_str())?;
            let context = ModelContext {
                data: &data,
                device: device.into(),
                seed,
            };
            Ok(boxed(M::build(&parse(config.as_str())?, &context)?))
        })
    }

    extern "C" fn parameters(handle: Handle) -> Answer<RVec<AbiParameter>> {
        answer(|| {
            // SAFETY: a handle of this table's `build`.
            let model = unsafe { object::<M>(handle) };
            let abi = |p: crate::Parameter| AbiParameter {
                name: p.name.into(),
                tensor: OwnedTensor::give(p.tensor),
                lr_scale: p.lr_scale,
                decay_scale: p.decay_scale,
            };
            Ok(model.parameters().into_iter().map(abi).collect())
        })
    }

    extern "C" fn buffers(handle: Handle) -> Answer<RVec<AbiBuffer>> {
        answer(|| {
            // SAFETY: a handle of this table's `build`.
            let model = unsafe { object::<M>(handle) };
            let abi = |b: crate::Buffer| AbiBuffer {
                name: b.name.into(),
                tensor: OwnedTensor::give(b.tensor),
            };
            Ok(model.buffers().into_iter().map(abi).collect())
        })
    }

    extern "C" fn forward(
        handle: Handle,
        inputs: RSlice<'_, BorrowedTensor>,
        context: AbiContext,
    ) -> Answer<RVec<OwnedTensor>> {
        answer(|| {
            // SAFETY: a handle of this table's `build`.
            let model = unsafe { object::<M>(handle) };
            let context = Context {
                mode: mode(context.train),
                seed: context.seed,
                step: context.step,
            };
            Ok(given(model.forward(&borrowed(inputs), &context)?))
        })
    }

    extern "C" fn num_params(handle: Handle) -> Answer<u64> {
        // SAFETY: a handle of this table's `build`.
        answer(|| Ok(unsafe { object::<M>(handle) }.num_params()))
    }
}

struct DatasetShim<D>(std::marker::PhantomData<D>);

impl<D: Dataset> DatasetShim<D> {
    const VALUE: DatasetTable = DatasetTable {
        identity: Self::identity,
        build: Self::build,
        description: Self::description,
        fingerprint: Self::fingerprint,
        batch: Self::batch,
        drop: free::<D>,
    };
    const TABLE: &'static WithMetadata<DatasetTable> = &WithMetadata::new(Self::VALUE);

    extern "C" fn identity(config: RStr<'_>) -> Answer<RString> {
        answer(|| json(&D::identity(&parse(config.as_str())?)))
    }

    extern "C" fn build(config: RStr<'_>, base_dir: RStr<'_>) -> Answer<Handle> {
        answer(|| {
            let place = Place {
                base_dir: Path::new(base_dir.as_str()),
            };
            Ok(boxed(D::build(&parse(config.as_str())?, &place)?))
        })
    }

    extern "C" fn description(handle: Handle) -> Answer<RString> {
        // SAFETY: a handle of this table's `build`.
        answer(|| json(&unsafe { object::<D>(handle) }.description()))
    }

    extern "C" fn fingerprint(handle: Handle) -> Answer<RString> {
        // SAFETY: a handle of this table's `build`.
        answer(|| Ok(unsafe { object::<D>(handle) }.fingerprint().into()))
    }

    extern "C" fn batch(
        handle: Handle,
        held_out: bool,
        draws: RSlice<'_, AbiDraw>,
    ) -> Answer<AbiBatch> {
        answer(|| {
            // SAFETY: a handle of this table's `build`.
            let dataset = unsafe { object::<D>(handle) };
            let split = if held_out {
                Split::HeldOut
            } else {
                Split::Train
            };
            let draws: Vec<_> = draws
                .iter()
                .map(|d| Draw {
                    index: d.index,
                    seed: d.seed,
                })
                .collect();
            let batch = dataset.batch(split, &draws)?;
            Ok(AbiBatch {
                inputs: given(batch.inputs),
                targets: given(batch.targets),
            })
        })
    }
}

struct LossShim<L>(std::marker::PhantomData<L>);

impl<L: Loss> LossShim<L> {
    const VALUE: LossTable = LossTable {
        canonical: Self::canonical,
        build: Self::build,
        compute: Self::compute,
        drop: free::<L>,
    };
    const TABLE: &'static WithMetadata<LossTable> = &WithMetadata::new(Self::VALUE);

    extern "C" fn canonical(config: RStr<'_>) -> Answer<RString> {
        answer(|| json(&parse::<L::Config>(config.as_str())?))
    }

    extern "C" fn build(config: RStr<'_>, data: RStr<'_>) -> Answer<Handle> {
        answer(|| {
            Ok(boxed(L::build(
                &parse(config.as_str())?,
                &parse(data.as_str())?,
            )?))
        })
    }

    extern "C" fn compute(
        handle: Handle,
        outputs: RSlice<'_, BorrowedTensor>,
        targets: RSlice<'_, BorrowedTensor>,
        train: bool,
    ) -> Answer<AbiLoss> {
        answer(|| {
            // SAFETY: a handle of this table's `build`.
            let loss = unsafe { object::<L>(handle) };
            let value = loss.compute(&borrowed(outputs), &borrowed(targets), mode(train))?;
            let metric = |(name, value): (String, f64)| AbiMetric {
                name: name.into(),
                value,
            };
            Ok(AbiLoss {
                mean: OwnedTensor::give(value.mean),
                units: value.units,
                metrics: value.metrics.into_iter().map(metric).collect(),
            })
        })
    }
}
