//! The network: projected patches with learned positions, blocks, a readout of
//! the pooled tokens.

use flops_fit_plugin::{
    Context, DataDescription, Error, Model, ModelContext, Parameter, Profile, Result, tch::Tensor,
};
use flops_fit_transformer::{MatrixScale, Parametrization, Scales, Stack, matrix, norm};

use super::config::Patches;
use super::{VitConfig, count};

/// A Vision Transformer; see [`VitConfig`].
#[derive(Debug)]
pub struct Vit {
    patches: Patches,
    scales: Scales,
    stem: Stem,
    projection: Tensor,
    positions: Tensor,
    /// The class token, where there is one.
    class: Option<Tensor>,
    blocks: Stack,
    readout: Tensor,
}

/// Scales of what the stream begins with.
#[derive(Debug, Clone, Copy)]
struct Stem {
    projection: MatrixScale,
    positions: MatrixScale,
    class: MatrixScale,
}

/// Deviation of positions and class token at the start under the standard
/// parametrisation (Dosovitskiy et al. 2021).
const STANDARD_EMBEDDING: f64 = 0.02;

impl Stem {
    /// Under u-μP the projection is a linear layer whose `fan_in` does not grow
    /// with the width, A = C/η = 1/√`fan_in`, and positions are an embedding.
    /// Their sum has unit variance, as the blocks expect: each has half.
    fn new(config: &VitConfig, scales: &Scales, fan_in: i64) -> Self {
        match config.parametrization {
            Parametrization::UMup => {
                let linear = MatrixScale {
                    std: (fan_in as f64).powf(-0.5),
                    lr: (fan_in as f64).recip(),
                    gain: 1.0,
                };
                Self {
                    projection: linear.shared_by(2.0),
                    positions: scales.embedding.shared_by(2.0),
                    class: scales.embedding,
                }
            }
            Parametrization::Standard => {
                let embedding = MatrixScale {
                    std: STANDARD_EMBEDDING,
                    lr: 1.0,
                    gain: STANDARD_EMBEDDING,
                };
                Self {
                    projection: MatrixScale::standard(fan_in),
                    positions: embedding,
                    class: embedding,
                }
            }
        }
    }
}

impl Model for Vit {
    type Config = VitConfig;

    fn build(config: &VitConfig, context: &ModelContext<'_>) -> Result<Self> {
        let patches = config.patches(context.data)?;
        let (shape, device) = (config.shape(), context.device);
        let scales = Scales::new(&shape, patches.tokens());
        let stem = Stem::new(config, &scales, patches.len());
        let d = shape.width;
        Ok(Self {
            projection: matrix([patches.len(), d], stem.projection, device)?,
            positions: matrix([patches.count(), d], stem.positions, device)?,
            class: (patches.extra == 1)
                .then(|| matrix([1, d], stem.class, device))
                .transpose()?,
            blocks: Stack::new(&shape, &scales, device)?,
            readout: matrix([d, patches.classes], scales.readout, device)?,
            patches,
            scales,
            stem,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = vec![
            Parameter::new("projection", &self.projection).lr_scale(self.stem.projection.lr),
            Parameter::new("positions", &self.positions).lr_scale(self.stem.positions.lr),
        ];
        if let Some(class) = &self.class {
            all.push(Parameter::new("class", class).lr_scale(self.stem.class.lr));
        }
        all.extend(self.blocks.parameters());
        all.push(Parameter::new("readout", &self.readout).lr_scale(self.scales.readout.lr));
        all
    }

    fn forward(&self, inputs: &[Tensor], _context: &Context) -> Result<Vec<Tensor>> {
        let [images] = inputs else {
            return Err(Error::new(format!(
                "vit takes one input tensor of images, got {}",
                inputs.len()
            )));
        };
        let tokens = self.embed(images)?;
        let (batch, length, d) = tokens.size3()?;
        let radius = self.blocks.radius(batch * length)?;
        let stream = tokens.f_reshape([batch * length, d])?;
        let stream = self
            .blocks
            .forward(stream, &radius, (batch, length), None)?
            .f_view([batch, length, d])?;
        let pooled = match self.class {
            // The norm's kernel wants its rows one after the other.
            Some(_) => stream.f_select(1, 0)?.f_contiguous()?,
            None => stream.f_mean_dim([1].as_slice(), false, stream.kind())?,
        };
        let logits = norm(&pooled, &self.blocks.radius(batch)?)?.f_mm(&self.readout)?;
        Ok(vec![logits])
    }

    fn num_params(&self) -> u64 {
        let added = self.positions.numel() + self.class.as_ref().map_or(0, Tensor::numel);
        let all: usize = self.parameters().iter().map(|p| p.tensor.numel()).sum();
        (all - added) as u64
    }

    fn profile(config: &VitConfig, data: &DataDescription) -> Result<Option<Profile>> {
        let patches = config.patches(data)?;
        Ok(Some(count::profile(config, &patches)))
    }
}

impl Vit {
    /// Images `[batch, channels, height, width]` as tokens `[batch, S, d]`.
    fn embed(&self, images: &Tensor) -> Result<Tensor> {
        let Patches {
            channels,
            grid: (down, across),
            side,
            ..
        } = self.patches;
        let batch = images.size().first().copied().unwrap_or(0);
        let tokens = images
            .f_view([batch, channels, down, side, across, side])?
            .f_permute([0, 2, 4, 1, 3, 5])?
            .f_reshape([batch * down * across, self.patches.len()])?
            .f_mm(&self.projection)?
            .f_view([batch, down * across, -1])?
            .f_add(&self.positions)?;
        match &self.class {
            None => Ok(tokens),
            Some(class) => {
                let class = class.f_unsqueeze(0)?.f_expand([batch, 1, -1], false)?;
                Ok(Tensor::f_cat(&[class, tokens], 1)?)
            }
        }
    }
}

#[cfg(test)]
mod tests;
