//! Cross-entropy over the vocabulary.

use flops_fit_plugin::{
    DataDescription, DataForm, Error, Loss, LossValue, Mode, Result,
    tch::{Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

/// Mean −ln p of the target token, in nats; in evaluation also `bits_per_byte`
/// where the dataset knows how many bytes a token stands for.
#[derive(Debug)]
pub struct CrossEntropy {
    bytes_per_token: Option<f64>,
}

/// `[loss.config]` of `kind = "cross_entropy"`: nothing to set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropyConfig {}

impl Loss for CrossEntropy {
    type Config = CrossEntropyConfig;

    fn build(_config: &CrossEntropyConfig, data: &DataDescription) -> Result<Self> {
        let bytes_per_token = match data.form {
            DataForm::Tokens {
                bytes_per_token, ..
            } => bytes_per_token,
            DataForm::Images { .. } => None,
        };
        Ok(Self { bytes_per_token })
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], mode: Mode) -> Result<LossValue> {
        let ([logits], [ids]) = (outputs, targets) else {
            let (outputs, targets) = (outputs.len(), targets.len());
            return Err(Error::new(format!(
                "cross_entropy takes one tensor of logits and one of ids, got {outputs} and {targets}"
            )));
        };
        let classes = logits.size().last().copied().unwrap_or(0);
        let mean = logits.f_view([-1, classes])?.f_cross_entropy_loss(
            &ids.f_reshape([-1])?,
            None::<&Tensor>,
            Reduction::Mean,
            -100,
            0.0,
        )?;
        let metrics = match (mode, self.bytes_per_token) {
            (Mode::Eval, Some(bytes)) => {
                let bits = mean.f_double_value(&[])? / std::f64::consts::LN_2;
                vec![("bits_per_byte".to_owned(), bits / bytes)]
            }
            _ => Vec::new(),
        };
        Ok(LossValue {
            mean,
            units: ids.numel() as u64,
            metrics,
        })
    }
}
