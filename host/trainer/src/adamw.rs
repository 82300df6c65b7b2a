//! `AdamW` over the flat buffers (Loshchilov & Hutter 2019), with decoupled decay
//! that does not go through the learning rate:
//!
//! ```text
//! m ← β₁·m + (1 − β₁)·g            v ← β₂·v + (1 − β₂)·g²
//! p ← p·(1 − λ·s·decay_scale) − η·s·lr_scale · m̂ / (√v̂ + ε)
//! ```
//!
//! with m̂, v̂ corrected for their start at zero and s the schedule's share.
//! On the CPU it is one fused pass; elsewhere a handful of whole-buffer
//! operations.

use std::ops::Range;

use flops_fit_trial::{AdamW, Failure, Phase};
use tch::{Kind, TchError, Tensor};

use crate::{
    FlatParameters,
    flat::Segment,
    memory::{floats, floats_mut, is_plain},
    plugin::refused,
};

/// The two moments of a shard of the parameters, laid out as they are.
#[derive(Debug)]
pub struct AdamWState {
    settings: AdamW,
    m: Tensor,
    v: Tensor,
    shard: Range<usize>,
    steps: i32,
    /// Per-element multipliers, for devices without the fused pass.
    scales: Option<(Tensor, Tensor)>,
}

/// One step's constants: computed in fp64, and rounded to the format of the parameters
/// before anything is done with them.
#[derive(Debug, Clone, Copy)]
struct Step<T = f64> {
    beta1: T,
    beta2: T,
    eps: T,
    /// Factor of the gradient: one over the units it was summed over, and clipping.
    grad: T,
    /// `−η·s·lr_scale / (1 − β₁ᵗ)`.
    rate: T,
    /// 1/√(1 − β₂ᵗ).
    root: T,
    /// `1 − λ·s·decay_scale`.
    keep: T,
}

impl Step {
    fn map<T>(self, round: impl Fn(f64) -> T) -> Step<T> {
        Step {
            beta1: round(self.beta1),
            beta2: round(self.beta2),
            eps: round(self.eps),
            grad: round(self.grad),
            rate: round(self.rate),
            root: round(self.root),
            keep: round(self.keep),
        }
    }

    /// For parameters of this kind, still to be computed with in fp64.
    fn rounded_to(self, kind: Kind) -> Self {
        match kind {
            Kind::Double => self,
            _ => self.map(|x| f64::from(x as f32)),
        }
    }
}

impl AdamWState {
    /// Zero moments for all of `flat`.
    ///
    /// # Errors
    /// [`Failure::OutOfMemory`] where there is no room for them.
    pub fn new(settings: &AdamW, flat: &FlatParameters) -> Result<Self, Failure> {
        Self::of_shard(settings, flat, 0..flat.len())
    }

    /// Zero moments for a part of `flat`, which alone will then be updated.
    pub(crate) fn of_shard(
        settings: &AdamW,
        flat: &FlatParameters,
        shard: Range<usize>,
    ) -> Result<Self, Failure> {
        let made = || -> Result<Self, TchError> {
            let zeros = || narrow(&flat.params, &shard)?.f_zeros_like();
            let by_element = |value: fn(&Segment) -> f64| {
                let out = flat.params.f_zeros_like()?;
                for s in &flat.segments {
                    let _ = s.of(&out)?.f_fill_(value(s))?;
                }
                narrow(&out, &shard)
            };
            let fused = is_plain(&flat.params);
            let scales = || -> Result<_, TchError> {
                Ok((by_element(|s| s.lr_scale)?, by_element(|s| s.decay_scale)?))
            };
            Ok(Self {
                settings: settings.clone(),
                m: zeros()?,
                v: zeros()?,
                steps: 0,
                scales: (!fused).then(scales).transpose()?,
                shard: shard.clone(),
            })
        };
        made().map_err(|error| refused(Phase::Build, &error))
    }

    /// The part of the parameters that it updates.
    pub(crate) fn shard(&self) -> Range<usize> {
        self.shard.clone()
    }

    /// Both moments.
    pub(crate) fn moments(&self) -> [&Tensor; 2] {
        [&self.m, &self.v]
    }

    /// Steps that the moments are averages of.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.unsigned_abs().into()
    }

    /// Says that the moments are now those after `steps` steps.
    pub(crate) fn resume(&mut self, steps: u64) {
        self.steps = i32::try_from(steps).unwrap_or(i32::MAX);
    }

    /// One step at peak rate `lr` and schedule share `share`; the buffer's
    /// gradients are first multiplied by `grad_factor`. Says whether they were all
    /// finite: after one that is not the parameters mean nothing any more.
    pub fn step(
        &mut self,
        flat: &mut FlatParameters,
        lr: f64,
        share: f64,
        grad_factor: f64,
    ) -> Result<bool, Failure> {
        self.steps += 1;
        let AdamW {
            beta1,
            beta2,
            eps,
            weight_decay,
        } = self.settings;
        let correct1 = 1.0 - beta1.powi(self.steps);
        let correct2 = 1.0 - beta2.powi(self.steps);
        let constants = |lr_scale: f64, decay_scale: f64| Step {
            beta1,
            beta2,
            eps,
            grad: grad_factor,
            rate: -lr * share * lr_scale / correct1,
            root: 1.0 / correct2.sqrt(),
            keep: 1.0 - weight_decay * share * decay_scale,
        };
        let finite = if self.scales.is_none() {
            let g = floats(&flat.grads);
            let (p, m, v) = (
                floats_mut(&mut flat.params),
                floats_mut(&mut self.m),
                floats_mut(&mut self.v),
            );
            let mut finite = true;
            let first = self.shard.start;
            for s in &flat.segments {
                let start = s.offset.max(first);
                let end = (s.offset + s.len).min(self.shard.end);
                if start >= end {
                    continue;
                }
                let (range, own) = (start..end, start - first..end - first);
                let step = constants(s.lr_scale, s.decay_scale).map(|x| x as f32);
                finite &= update(
                    &mut p[range.clone()],
                    &mut m[own.clone()],
                    &mut v[own],
                    &g[range],
                    step,
                );
            }
            finite
        } else {
            let step = constants(1.0, 1.0).rounded_to(flat.params.kind());
            self.step_by_operations(flat, step)
                .map_err(|error| refused(Phase::Update, &error))?
        };
        flat.finish_step();
        Ok(finite)
    }

    fn step_by_operations(
        &mut self,
        flat: &mut FlatParameters,
        step: Step,
    ) -> Result<bool, TchError> {
        let _no_grad = tch::no_grad_guard();
        let (lr_scale, decay_scale) = self.scales.as_ref().expect("made in `new` for this device");
        let mut params = narrow(&flat.params, &self.shard)?;
        let g = narrow(&flat.grads, &self.shard)?.f_mul_scalar(step.grad)?;
        let _ = self
            .m
            .f_mul_scalar_(step.beta1)?
            .f_add_(&g.f_mul_scalar(1.0 - step.beta1)?)?;
        let _ = self
            .v
            .f_mul_scalar_(step.beta2)?
            .f_addcmul_(&g, &g.f_mul_scalar(1.0 - step.beta2)?)?;
        let denominator = self
            .v
            .f_sqrt()?
            .f_mul_scalar(step.root)?
            .f_add_scalar(step.eps)?;
        if step.keep < 1.0 {
            let less = decay_scale.f_mul_scalar(step.keep - 1.0)?;
            let _ = params.f_mul_(&less.f_add_scalar(1.0)?)?;
        }
        let rates = lr_scale.f_mul_scalar(step.rate)?;
        let _ = params.f_addcdiv_(&self.m.f_mul(&rates)?, &denominator)?;
        Ok(g.f_isfinite()?.f_all()?.f_int64_value(&[])? == 1)
    }
}

fn narrow(buffer: &Tensor, part: &Range<usize>) -> Result<Tensor, TchError> {
    buffer.f_narrow(0, part.start as i64, part.len() as i64)
}

/// The fused pass, in the widest form that this processor has; whether every
/// gradient was finite.
fn update(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: Step<f32>) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { update_avx2(p, m, v, g, step) };
    }
    update_lanes(p, m, v, g, step)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn update_avx2(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: Step<f32>) -> bool {
    update_lanes(p, m, v, g, step)
}

// Inlined, it takes its instruction set from the caller.
#[inline(always)]
fn update_lanes(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], s: Step<f32>) -> bool {
    // An exponent of ones: NaN or infinite. Integers, unlike a sum of floats, leave
    // the compiler free to take many lanes at once.
    const EXPONENT: u32 = 0x7f80_0000;
    let mut worst = 0;
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        worst = worst.max(g.to_bits() & EXPONENT);
        let g = g * s.grad;
        *m = s.beta1 * *m + (1.0 - s.beta1) * g;
        *v = s.beta2 * *v + (1.0 - s.beta2) * (g * g);
        *p = *p * s.keep + s.rate * (*m / (v.sqrt() * s.root + s.eps));
    }
    worst < EXPONENT
}

#[cfg(test)]
mod tests;
