//! A plugin's model with safe methods.

use flops_fit_plugin::{
    Context, DataDescription, Mode, Profile,
    abi::{AbiContext, Handle, ModelTableRef, RSlice},
};
use flops_fit_record::What;
use flops_fit_trial::{Failure, Phase};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{
    Library,
    callee::{Callee, json, lend, take},
    fault::refused,
    form::Form,
};

/// What messages call what a forward pass gives.
const OUTPUTS: &str = "forward's output";

/// A model: its functions, and once built its object.
pub struct Model {
    callee: Callee,
    table: ModelTableRef,
    handle: Handle,
    /// Where it was built.
    device: Device,
    /// The kind of the forward and backward pass.
    compute: Kind,
}

/// One of a model's parameters.
#[derive(Debug)]
pub struct ModelParameter {
    /// Unique name.
    pub name: String,
    /// The leaf tensor that the forward pass reads.
    pub tensor: Tensor,
    /// The learning rate's factor.
    pub lr_scale: f64,
    /// The weight decay's factor.
    pub decay_scale: f64,
}

/// A tensor of a model that is state but not trained.
#[derive(Debug)]
pub struct ModelBuffer {
    /// Unique name.
    pub name: String,
    /// The tensor that the forward pass reads.
    pub tensor: Tensor,
}

/// A model's functions that need no object.
#[derive(Clone)]
pub struct ModelKind {
    pub(super) callee: Callee,
    pub(super) table: ModelTableRef,
}

impl Library {
    /// The model that is exported as `kind`.
    pub fn model(&self, kind: &str) -> Result<ModelKind, Failure> {
        let named = self.root.models()();
        let found = named.iter().find(|m| m.kind == kind);
        let found = found.ok_or_else(|| self.unknown_kind(What::Model, kind))?;
        Ok(ModelKind {
            callee: self.callee(What::Model),
            table: found.table,
        })
    }
}

impl ModelKind {
    /// The configuration with its defaults filled in.
    pub fn canonical(&self, config: &Value) -> Result<Value, Failure> {
        let text = self.callee.call(Phase::Build, || {
            self.table.canonical()(config.to_string().as_str().into())
        })?;
        self.callee.parse(Phase::Build, &text)
    }

    /// Counts without building, if the model can.
    pub fn profile(
        &self,
        config: &Value,
        data: &DataDescription,
    ) -> Result<Option<Profile>, Failure> {
        let text = self.callee.call(Phase::Build, || {
            self.table.profile()(
                config.to_string().as_str().into(),
                json(data).as_str().into(),
            )
        })?;
        self.callee.parse(Phase::Build, &text)
    }

    /// Builds and initialises it.
    pub fn build(
        &self,
        config: &Value,
        data: &DataDescription,
        device: Device,
        seed: u64,
    ) -> Result<Model, Failure> {
        let (config, data) = (config.to_string(), json(data));
        let handle = self.callee.call(Phase::Build, || {
            self.table.build()(
                config.as_str().into(),
                data.as_str().into(),
                device.into(),
                seed,
            )
        })?;
        Ok(Model {
            callee: self.callee.clone(),
            table: self.table,
            handle,
            device,
            compute: Kind::Float,
        })
    }
}

impl Model {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.callee.plugin
    }

    /// Ordered parameters.
    pub fn parameters(&self) -> Result<Vec<ModelParameter>, Failure> {
        let parameters = self
            .callee
            .call(Phase::Build, || self.table.parameters()(self.handle))?;
        let plain = parameters.into_iter().map(|p| ModelParameter {
            name: p.name.into(),
            // SAFETY: the plugin shares this process's libtorch (checked at open).
            tensor: unsafe { p.tensor.take() },
            lr_scale: p.lr_scale,
            decay_scale: p.decay_scale,
        });
        Ok(plain.collect())
    }

    /// Ordered buffers; none is undefined.
    pub fn buffers(&self) -> Result<Vec<ModelBuffer>, Failure> {
        let buffers = self
            .callee
            .call(Phase::Build, || self.table.buffers()(self.handle))?;
        let plain = buffers.into_iter().map(|b| ModelBuffer {
            name: b.name.into(),
            // SAFETY: the plugin shares this process's libtorch (checked at open).
            tensor: unsafe { b.tensor.take() },
        });
        let plain: Vec<_> = plain.collect();
        for buffer in &plain {
            let tensor = std::slice::from_ref(&buffer.tensor);
            self.callee
                .check_defined(&format!("buffer `{}`", buffer.name), tensor)?;
        }
        Ok(plain)
    }

    /// Has the model compute in `kind`, as its parameters are: its floating buffers are
    /// of it now, and so are its floating inputs. Outputs in bf16 become fp32, as losses
    /// expect.
    pub(crate) fn compute_in(&mut self, kind: Kind) -> Result<(), Failure> {
        self.compute = kind;
        for buffer in self.buffers()? {
            let mut tensor = buffer.tensor;
            if tensor.is_floating_point() && tensor.kind() != kind {
                let cast = tensor.f_detach().and_then(|tensor| tensor.f_to_kind(kind));
                // On the tensor's own implementation, which the model shares with us.
                let cast = cast.and_then(|cast| tensor.f_set_data(&cast));
                cast.map_err(|e| refused(Phase::Build, &e))?;
            }
        }
        Ok(())
    }

    /// N for the fit.
    pub fn num_params(&self) -> Result<u64, Failure> {
        self.callee
            .call(Phase::Build, || self.table.num_params()(self.handle))
    }

    /// The forward pass over one micro-batch: defined tensors, at least one, all on the
    /// model's device.
    pub fn forward(&self, inputs: &[Tensor], context: Context) -> Result<Vec<Tensor>, Failure> {
        let context = AbiContext {
            train: context.mode == Mode::Train,
            seed: context.seed,
            step: context.step,
        };
        let cast = self.cast(inputs)?;
        let inputs = lend(cast.as_deref().unwrap_or(inputs));
        let outputs = self.callee.call(Phase::Forward, || {
            self.table.forward()(self.handle, RSlice::from_slice(&inputs), context)
        })?;
        let mut outputs = take(outputs);
        self.check_outputs(&outputs)?;
        if self.compute == Kind::BFloat16 {
            for output in &mut outputs {
                if output.kind() == Kind::BFloat16 {
                    *output = output
                        .f_to_kind(Kind::Float)
                        .map_err(|e| refused(Phase::Forward, &e))?;
                }
            }
        }
        Ok(outputs)
    }

    fn check_outputs(&self, outputs: &[Tensor]) -> Result<(), Failure> {
        self.callee.check_some(OUTPUTS, outputs)?;
        let elsewhere = |output: &Tensor| output.device() != self.device;
        match outputs.iter().position(elsewhere) {
            None => Ok(()),
            Some(index) => Err(Failure::BadTensor {
                plugin: self.callee.plugin.clone(),
                what: format!("tensor {index} of {OUTPUTS}"),
                expected: format!("on {:?}, as the model", self.device),
                got: Form::of(&outputs[index]).to_string(),
            }),
        }
    }

    /// Training differentiates by way of the outputs of [`forward`](Self::forward): no
    /// loss could do anything for outputs that no gradient leads back from.
    pub(crate) fn check_differentiable(&self, outputs: &[Tensor]) -> Result<(), Failure> {
        if outputs.iter().any(Tensor::requires_grad) {
            return Ok(());
        }
        Err(Failure::BadTensor {
            plugin: self.callee.plugin.clone(),
            what: OUTPUTS.to_owned(),
            expected: "differentiable in training".to_owned(),
            got: format!(
                "{}, from which no gradient leads back to a parameter",
                Form::list(outputs)
            ),
        })
    }

    /// `inputs` with the floating ones in the kind that the model computes in; `None`
    /// where they are already.
    fn cast(&self, inputs: &[Tensor]) -> Result<Option<Vec<Tensor>>, Failure> {
        let other = |input: &Tensor| {
            input.defined() && input.is_floating_point() && input.kind() != self.compute
        };
        // Data is fp32, and a plugin's own business where the model is too.
        if self.compute == Kind::Float || !inputs.iter().any(other) {
            return Ok(None);
        }
        let cast = inputs.iter().map(|input| {
            if other(input) {
                input
                    .f_to_kind(self.compute)
                    .map_err(|e| refused(Phase::Forward, &e))
            } else {
                Ok(input.shallow_clone())
            }
        });
        cast.collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Frees the plugin's object; a panic in its drop comes back.
    pub fn close(self) -> Result<(), Failure> {
        self.callee
            .call(Phase::Drop, || self.table.drop()(self.handle))
    }
}
