//! The network: token embedding, blocks with rotary positions, readout.

use flops_fit_plugin::{
    Buffer, Context, DataDescription, DataForm, Error, Model, ModelContext, Parameter, Profile,
    Result, tch::Tensor,
};

use flops_fit_transformer::{Scales, Stack, matrix, norm, rope};

use super::{GptConfig, count};

/// A decoder-only transformer; see [`GptConfig`].
#[derive(Debug)]
pub struct Gpt {
    scales: Scales,
    embedding: Tensor,
    blocks: Stack,
    readout: Tensor,
    rope: Tensor,
}

impl Model for Gpt {
    type Config = GptConfig;

    fn build(config: &GptConfig, context: &ModelContext<'_>) -> Result<Self> {
        config.check()?;
        let (vocabulary, seq_len) = text_shape(context.data)?;
        let (shape, device) = (config.shape(), context.device);
        let scales = Scales::new(&shape, seq_len);
        Ok(Self {
            embedding: matrix([vocabulary, shape.width], scales.embedding, device)?,
            blocks: Stack::new(&shape, &scales, device)?,
            readout: matrix([shape.width, vocabulary], scales.readout, device)?,
            rope: rope::table(seq_len, shape.head_size, config.rope_base, device)?,
            scales,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all =
            vec![Parameter::new("embedding", &self.embedding).lr_scale(self.scales.embedding.lr)];
        all.extend(self.blocks.parameters());
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
        let stream = Tensor::f_embedding(&self.embedding, &ids.f_reshape([-1])?, -1, false, false)?;
        let radius = self.blocks.radius(batch * length)?;
        let stream = self
            .blocks
            .forward(stream, &radius, (batch, length), Some(&self.rope))?;
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
