//! The network: a plain pre-norm transformer, since every multiplier is in the
//! scales.

use flops_fit_plugin::{
    Buffer, Context, DataDescription, DataForm, Error, Model, ModelContext, Parameter, Profile,
    Result,
    tch::{Device, Kind, Tensor},
};

use super::{Activation, GptConfig, MatrixScale, Scales, count, rope};

/// A decoder-only transformer; see [`GptConfig`].
///
/// Matrices are `[fan_in, fan_out]`, so that activations `[tokens, fan_in]`
/// multiply from the left without a transpose.
#[derive(Debug)]
pub struct Gpt {
    config: GptConfig,
    scales: Scales,
    embedding: Tensor,
    layers: Vec<Layer>,
    readout: Tensor,
    rope: Tensor,
}

#[derive(Debug)]
struct Layer {
    qkv: Tensor,
    out: Tensor,
    up: Tensor,
    down: Tensor,
}

impl Model for Gpt {
    type Config = GptConfig;

    fn build(config: &GptConfig, context: &ModelContext<'_>) -> Result<Self> {
        config.check()?;
        let (vocabulary, seq_len) = text_shape(context.data)?;
        let (d, d_ff, device) = (config.d_model, config.d_ff(), context.device);
        let up_width = if config.activation == Activation::Swiglu {
            2 * d_ff
        } else {
            d_ff
        };
        let scales = Scales::new(config, seq_len);
        let layers = scales.layers.iter().map(|scale| {
            Ok(Layer {
                qkv: matrix([d, 3 * d], scale.qkv, device)?,
                out: matrix([d, d], scale.out, device)?,
                up: matrix([d, up_width], scale.up, device)?,
                down: matrix([d_ff, d], scale.down, device)?,
            })
        });
        Ok(Self {
            embedding: matrix([vocabulary, d], scales.embedding, device)?,
            layers: layers.collect::<Result<_>>()?,
            readout: matrix([d, vocabulary], scales.readout, device)?,
            rope: rope::table(seq_len, config.head_size, config.rope_base, device)?,
            config: config.clone(),
            scales,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all =
            vec![Parameter::new("embedding", &self.embedding).lr_scale(self.scales.embedding.lr)];
        for (i, (layer, scale)) in self.layers.iter().zip(&self.scales.layers).enumerate() {
            all.push(Parameter::new(format!("layers.{i}.qkv"), &layer.qkv).lr_scale(scale.qkv.lr));
            all.push(Parameter::new(format!("layers.{i}.out"), &layer.out).lr_scale(scale.out.lr));
            all.push(Parameter::new(format!("layers.{i}.up"), &layer.up).lr_scale(scale.up.lr));
            all.push(
                Parameter::new(format!("layers.{i}.down"), &layer.down).lr_scale(scale.down.lr),
            );
        }
        all.push(Parameter::new("readout", &self.readout).lr_scale(self.scales.readout.lr));
        all
    }

    fn buffers(&self) -> Vec<Buffer> {
        vec![Buffer {
            name: "rope".to_owned(),
            tensor: self.rope.shallow_clone(),
        }]
    }

    fn forward(&self, inputs: &[Tensor], _context: &Context) -> Result<Vec<Tensor>> {
        let [ids] = inputs else {
            return Err(Error::new(format!(
                "gpt takes one input tensor of token ids, got {}",
                inputs.len()
            )));
        };
        let (batch, length) = ids.size2()?;
        let mut stream =
            Tensor::f_embedding(&self.embedding, &ids.f_reshape([-1])?, -1, false, false)?;
        let radius = self.radius(batch * length)?;
        for layer in &self.layers {
            stream = self.attend(layer, &stream, &radius, batch, length)?;
            stream = self.mlp(layer, &stream, &radius)?;
        }
        let logits = norm(&stream, &radius)?.f_mm(&self.readout)?;
        Ok(vec![logits.f_view([batch, length, -1])?])
    }

    fn num_params(&self) -> u64 {
        self.parameters()
            .iter()
            .skip(1)
            .map(|p| p.tensor.numel() as u64)
            .sum()
    }

    fn profile(config: &GptConfig, data: &DataDescription) -> Result<Option<Profile>> {
        config.check()?;
        let (vocabulary, seq_len) = text_shape(data)?;
        Ok(Some(count::profile(config, vocabulary, seq_len)))
    }
}

impl Gpt {
    /// stream + attention(norm(stream)), `[tokens, d]`.
    fn attend(
        &self,
        layer: &Layer,
        stream: &Tensor,
        radius: &Tensor,
        batch: i64,
        length: i64,
    ) -> Result<Tensor> {
        let (heads, head) = (self.config.heads(), self.config.head_size);
        let qkv = norm(stream, radius)?
            .f_mm(&layer.qkv)?
            .f_view([batch, length, 3, heads, head])?;
        let parts = rope::rotate(&qkv, &self.rope)?.f_unbind(2)?;
        // [batch, length, heads, head] → [batch, heads, length, head]
        let by_head = |part: usize| parts[part].f_transpose(1, 2);
        let mixed = Tensor::f_scaled_dot_product_attention(
            &by_head(0)?,
            &by_head(1)?,
            &by_head(2)?,
            None::<&Tensor>,
            0.0,
            true,
            self.scales.attention,
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
        let active = match self.config.activation {
            Activation::Gelu => up.f_gelu("none")?,
            Activation::Silu => up.f_silu()?,
            Activation::Swiglu => {
                let halves = up.f_chunk(2, -1)?;
                halves[0].f_silu()?.f_mul(&halves[1])?
            }
        };
        Ok(stream.f_addmm(&active, &layer.down)?)
    }

    /// √d for each token: the length of a vector of RMS 1.
    fn radius(&self, tokens: i64) -> Result<Tensor> {
        let length = (self.config.d_model as f64).sqrt();
        Ok(Tensor::f_full(
            [tokens, 1],
            length,
            (self.embedding.kind(), self.embedding.device()),
        )?)
    }
}

/// RMS norm without a gain: each row of `stream` (`[tokens, d]`) at length
/// `radius`.
///
/// libtorch's own RMS norm is composed of several kernels on the CPU. Weight
/// normalisation, g·v/‖v‖ by rows, is the same function in one fused
/// kernel each way. It adds no ε: a row would have to be exactly zero.
fn norm(stream: &Tensor, radius: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_internal_weight_norm_interface(stream, radius, 0)?.0)
}

fn matrix(shape: [i64; 2], scale: MatrixScale, device: Device) -> Result<Tensor> {
    let tensor = Tensor::f_randn(shape, (Kind::Float, device))?.f_mul_scalar_(scale.std)?;
    Ok(tensor.f_set_requires_grad(true)?)
}

fn text_shape(data: &DataDescription) -> Result<(i64, i64)> {
    match data.form {
        DataForm::Tokens {
            vocabulary,
            seq_len,
            ..
        } => Ok((vocabulary, seq_len)),
        DataForm::Images { .. } => Err(Error::new(
            "gpt needs a dataset of tokens, this one has images; choose another dataset or model",
        )),
    }
}

#[cfg(test)]
mod tests;
