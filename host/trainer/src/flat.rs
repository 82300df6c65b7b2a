//! All parameters in one buffer, all gradients in another.
//!
//! The model's own leaf tensors become views of the parameter buffer, each at a
//! multiple of 64 bytes; where the model computes in bf16, of a buffer beside it that is
//! filled from it after every step. Whatever touches all parameters (the optimizer, the
//! gradient's norm, a checkpoint, an all-reduce) is then one pass over one
//! buffer.

mod check;

use std::ops::Range;

use flops_fit_trial::{Failure, Phase, Precision};
use tch::{Kind, TchError, Tensor};

use check::check;

use crate::{
    memory::{floats, floats_mut, is_plain},
    plugin::{ModelParameter, refused},
    precision::{compute_kind, master_kind},
};

/// Floats in 64 bytes.
const ALIGN: usize = 16;

/// Where one parameter is, and its multipliers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// Name.
    pub name: String,
    /// First element in the buffers.
    pub offset: usize,
    /// Elements.
    pub len: usize,
    /// The learning rate's factor.
    pub lr_scale: f64,
    /// The weight decay's factor.
    pub decay_scale: f64,
}

/// The parameter and gradient buffers of one model.
#[derive(Debug)]
pub struct FlatParameters {
    pub(crate) segments: Vec<Segment>,
    pub(crate) params: Tensor,
    pub(crate) grads: Tensor,
    /// What the leaves are views of, where the model computes in another format.
    working: Option<Tensor>,
    leaves: Vec<Tensor>,
    /// Units that the gradients in the buffer are summed over.
    weight: f64,
    used: bool,
}

impl FlatParameters {
    /// Moves `parameters` into one buffer and re-points the model's tensors at
    /// it. Fails if they are not distinct, trainable, contiguous fp32 leaves.
    pub fn adopt(plugin: &str, parameters: Vec<ModelParameter>) -> Result<Self, Failure> {
        Self::adopt_in(Precision::Fp32, plugin, parameters)
    }

    /// The same in another precision. Where the model computes in another format than
    /// that of the buffers, its tensors are views of a further buffer, which
    /// [`refresh`](Self::refresh) fills.
    pub(crate) fn adopt_in(
        precision: Precision,
        plugin: &str,
        parameters: Vec<ModelParameter>,
    ) -> Result<Self, Failure> {
        check(plugin, &parameters)?;
        let mut segments = Vec::with_capacity(parameters.len());
        let mut offset = 0;
        for p in &parameters {
            let len = p.tensor.numel();
            let (lr_scale, decay_scale) = (p.lr_scale, p.decay_scale);
            segments.push(Segment {
                name: p.name.clone(),
                offset,
                len,
                lr_scale,
                decay_scale,
            });
            offset += len.next_multiple_of(ALIGN);
        }
        let device = parameters
            .first()
            .map_or(tch::Device::Cpu, |p| p.tensor.device());
        let (master, compute) = (master_kind(precision), compute_kind(precision));
        let zeros = |kind| {
            let zeros = Tensor::f_zeros([offset as i64], (kind, device));
            zeros.map_err(|e| refused(Phase::Build, &e))
        };
        let (params, grads) = (zeros(master)?, zeros(master)?);
        let working = (compute != master).then(|| zeros(compute)).transpose()?;

        let _no_grad = tch::no_grad_guard();
        let mut leaves = Vec::with_capacity(parameters.len());
        for (mut p, segment) in parameters.into_iter().zip(&segments) {
            let shape = p.tensor.size();
            let view = |buffer: &Tensor| segment.of(buffer)?.f_view(shape.as_slice());
            let moved = view(&params)
                .and_then(|mut own| own.f_copy_(&p.tensor))
                .and_then(|()| view(working.as_ref().unwrap_or(&params)))
                // On the tensor's own implementation, which the model shares with us.
                .and_then(|shared| p.tensor.f_set_data(&shared));
            moved.map_err(|e| refused(Phase::Build, &e))?;
            leaves.push(p.tensor);
        }
        let flat = Self {
            segments,
            params,
            grads,
            working,
            leaves,
            weight: 0.0,
            used: true,
        };
        flat.refresh()?;
        Ok(flat)
    }

    /// Has the model compute with the parameters as they are now; to be called whenever
    /// they were written.
    pub(crate) fn refresh(&self) -> Result<(), Failure> {
        if let Some(working) = &self.working {
            let _no_grad = tch::no_grad_guard();
            let copied = working.shallow_clone().f_copy_(&self.params);
            copied.map_err(|e| refused(Phase::Update, &e))?;
        }
        Ok(())
    }

    /// The leaves, in the model's order, to differentiate by.
    pub fn leaves(&self) -> &[Tensor] {
        &self.leaves
    }

    /// Views of `buffer`, laid out as the parameters, one a parameter in its shape.
    pub(crate) fn views(&self, buffer: &Tensor) -> Vec<(String, Tensor)> {
        let pairs = self.segments.iter().zip(&self.leaves);
        let view = |(s, leaf): (&Segment, &Tensor)| {
            let flat = buffer.narrow(0, s.offset as i64, s.len as i64);
            (s.name.clone(), flat.view(leaf.size().as_slice()))
        };
        pairs.map(view).collect()
    }

    /// Elements of the buffers, padding included.
    pub(crate) fn len(&self) -> usize {
        self.params.numel()
    }

    /// Elements of all parameters, without padding.
    pub fn numel(&self) -> usize {
        self.segments.iter().map(|s| s.len).sum()
    }

    /// Adds `weight` times one micro-batch's gradients (in the order of
    /// [`leaves`](Self::leaves); undefined ones count as zero).
    pub fn accumulate(&mut self, gradients: &[Tensor], weight: f64) -> Result<(), Failure> {
        let first = std::mem::replace(&mut self.used, false);
        self.weight = if first { weight } else { self.weight + weight };
        for (gradient, segment) in gradients.iter().zip(&self.segments) {
            let added = add_to(&mut self.grads, segment, gradient, weight, first);
            added.map_err(|e| refused(Phase::Backward, &e))?;
        }
        Ok(())
    }

    /// Says that the gradients were used: the next accumulation starts anew.
    pub(crate) fn finish_step(&mut self) {
        self.used = true;
    }

    /// Sum of the weights of the gradients in the buffer.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// ‖g‖₂ over all parameters, as it stands in the buffer.
    ///
    /// # Errors
    /// What libtorch refuses, which on the CPU is nothing.
    pub fn grad_norm(&self) -> Result<f64, Failure> {
        Ok(self.squared_norm(0..self.len())?.sqrt())
    }

    /// ‖g‖₂² over a part of the buffer that begins and ends at whole cache lines.
    pub(crate) fn squared_norm(&self, part: Range<usize>) -> Result<f64, Failure> {
        if is_plain(&self.grads) {
            // Lanes of their own, so that the sum vectorises and keeps its order.
            let mut lanes = [0.0_f64; ALIGN];
            for chunk in floats(&self.grads)[part].chunks_exact(ALIGN) {
                for (lane, &g) in lanes.iter_mut().zip(chunk) {
                    *lane += f64::from(g) * f64::from(g);
                }
            }
            return Ok(lanes.iter().sum());
        }
        let part = self.grads.f_narrow(0, part.start as i64, part.len() as i64);
        part.and_then(|part| part.f_square()?.f_sum(Kind::Double)?.f_double_value(&[]))
            .map_err(|e| refused(Phase::Update, &e))
    }
}

impl Segment {
    /// This part of a flat buffer.
    pub(crate) fn of(&self, buffer: &Tensor) -> Result<Tensor, TchError> {
        buffer.f_narrow(0, self.offset as i64, self.len as i64)
    }
}

/// Adds `weight` times `gradient` to its `segment` of `grads`, or puts it there if it is
/// the `first` of a step.
fn add_to(
    grads: &mut Tensor,
    segment: &Segment,
    gradient: &Tensor,
    weight: f64,
    first: bool,
) -> Result<(), TchError> {
    if !gradient.defined() {
        if first {
            let _ = segment.of(grads)?.f_zero_()?;
        }
        return Ok(());
    }
    let kind = grads.kind();
    let gradient = if gradient.kind() == kind {
        gradient.f_contiguous()?
    } else {
        gradient.f_to_kind(kind)?.f_contiguous()?
    };
    if is_plain(&gradient) && is_plain(grads) {
        let to = &mut floats_mut(grads)[segment.offset..][..segment.len];
        add(to, floats(&gradient), weight as f32, first);
        return Ok(());
    }
    let mut to = segment.of(grads)?;
    let from = gradient.f_view([-1])?.f_mul_scalar(weight)?;
    if first {
        to.f_copy_(&from)
    } else {
        to.f_add_(&from).map(drop)
    }
}

fn add(to: &mut [f32], from: &[f32], weight: f32, first: bool) {
    if first {
        for (t, f) in to.iter_mut().zip(from) {
            *t = weight * f;
        }
    } else {
        for (t, f) in to.iter_mut().zip(from) {
            *t += weight * f;
        }
    }
}
