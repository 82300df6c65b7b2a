//! The blocks: a plain pre-norm transformer, since every multiplier is in the
//! scales.

use flops_fit_plugin::{
    Parameter, Result,
    tch::{Device, Kind, Tensor},
};

use crate::{Activation, MatrixScale, Scales, Shape, rope, scales::LayerScales};

/// L blocks of attention and MLP over one residual stream, `[tokens, d]`.
///
/// Matrices are `[fan_in, fan_out]`, so that activations `[tokens, fan_in]`
/// multiply from the left without a transpose.
#[derive(Debug)]
pub struct Stack {
    shape: Shape,
    /// Factor of attention's logits.
    attention: f64,
    layers: Vec<(Layer, LayerScales)>,
    device: Device,
}

#[derive(Debug)]
struct Layer {
    qkv: Tensor,
    out: Tensor,
    up: Tensor,
    down: Tensor,
}

/// How the rows of a stream lie: `batch` sequences of `length` tokens.
#[derive(Debug, Clone, Copy)]
struct Rows {
    batch: i64,
    length: i64,
}

impl Stack {
    /// Blocks of this shape, initialised from libtorch's generator.
    pub fn new(shape: &Shape, scales: &Scales, device: Device) -> Result<Self> {
        let d = shape.width;
        let layers = scales.layers.iter().map(|&scale| {
            let layer = Layer {
                qkv: matrix([d, 3 * d], scale.qkv, device)?,
                out: matrix([d, d], scale.out, device)?,
                up: matrix([d, shape.up_width()], scale.up, device)?,
                down: matrix([shape.d_ff(), d], scale.down, device)?,
            };
            Ok((layer, scale))
        });
        Ok(Self {
            shape: *shape,
            attention: scales.attention,
            layers: layers.collect::<Result<_>>()?,
            device,
        })
    }

    /// The blocks' parameters, `layers.0.qkv` and so on.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::with_capacity(4 * self.layers.len());
        for (i, (layer, scale)) in self.layers.iter().enumerate() {
            for (name, tensor, scale) in [
                ("qkv", &layer.qkv, scale.qkv),
                ("out", &layer.out, scale.out),
                ("up", &layer.up, scale.up),
                ("down", &layer.down, scale.down),
            ] {
                let name = format!("layers.{i}.{name}");
                all.push(Parameter::new(name, tensor).lr_scale(scale.lr));
            }
        }
        all
    }

    /// What `batch` sequences of `length` tokens become, rows `[batch·length, d]`
    /// before and after. `radius` is [`radius`](Self::radius) of as many rows,
    /// `rope` a table of [`rope`] where positions are rotary.
    pub fn forward(
        &self,
        mut stream: Tensor,
        radius: &Tensor,
        (batch, length): (i64, i64),
        rope: Option<&Tensor>,
    ) -> Result<Tensor> {
        let rows = Rows { batch, length };
        for (layer, _) in &self.layers {
            stream = self.attend(layer, &stream, radius, rows, rope)?;
            stream = self.mlp(layer, &stream, radius)?;
        }
        Ok(stream)
    }

    /// √d for each of `rows`: the length of a vector of RMS 1.
    pub fn radius(&self, rows: i64) -> Result<Tensor> {
        let length = (self.shape.width as f64).sqrt();
        Ok(Tensor::f_full(
            [rows, 1],
            length,
            (self.kind(), self.device),
        )?)
    }

    /// The type of the parameters, which a trial may have changed.
    fn kind(&self) -> Kind {
        let first = self.layers.first();
        first.map_or(Kind::Float, |(layer, _)| layer.qkv.kind())
    }

    /// stream + attention(norm(stream)), `[tokens, d]`.
    fn attend(
        &self,
        layer: &Layer,
        stream: &Tensor,
        radius: &Tensor,
        Rows { batch, length }: Rows,
        rope: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (heads, head) = (self.shape.heads(), self.shape.head_size);
        let mut qkv = norm(stream, radius)?
            .f_mm(&layer.qkv)?
            .f_view([batch, length, 3, heads, head])?;
        if let Some(table) = rope {
            qkv = rope::rotate(&qkv, table)?;
        }
        let parts = qkv.f_unbind(2)?;
        // [batch, length, heads, head] → [batch, heads, length, head]
        let by_head = |part: usize| parts[part].f_transpose(1, 2);
        let mixed = Tensor::f_scaled_dot_product_attention(
            &by_head(0)?,
            &by_head(1)?,
            &by_head(2)?,
            None::<&Tensor>,
            0.0,
            self.shape.causal,
            self.attention,
            false,
        )?;
        let mixed = mixed
            .f_transpose(1, 2)?
            .f_reshape([batch * length, heads * head])?;
        Ok(stream.f_addmm(&mixed, &layer.out)?)
    }

    /// stream + mlp(norm(stream)), `[tokens, d]`.
    fn mlp(&self, layer: &Layer, stream: &Tensor, radius: &Tensor) -> Result<Tensor> {
        let up = norm(stream, radius)?.f_mm(&layer.up)?;
        let active = match self.shape.activation {
            Activation::Gelu => up.f_gelu("none")?,
            Activation::Silu => up.f_silu()?,
            Activation::Swiglu => {
                let halves = up.f_chunk(2, -1)?;
                halves[0].f_silu()?.f_mul(&halves[1])?
            }
        };
        Ok(stream.f_addmm(&active, &layer.down)?)
    }
}

/// RMS norm without a gain: each row of `stream` (`[tokens, d]`) at length
/// `radius`.
///
/// libtorch's own RMS norm is composed of several kernels on the CPU. Weight
/// normalisation, g·v/‖v‖ by rows, is the same function in one fused
/// kernel each way. It adds no ε: a row would have to be exactly zero.
pub fn norm(stream: &Tensor, radius: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_internal_weight_norm_interface(stream, radius, 0)?.0)
}

/// A trainable matrix, initialised from libtorch's generator.
pub fn matrix(shape: [i64; 2], scale: MatrixScale, device: Device) -> Result<Tensor> {
    let tensor = Tensor::f_randn(shape, (Kind::Float, device))?.f_mul_scalar_(scale.std)?;
    Ok(tensor.f_set_requires_grad(true)?)
}

#[cfg(test)]
mod tests;
