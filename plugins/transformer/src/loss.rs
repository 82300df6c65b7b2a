//! Cross-entropy over the vocabulary of a text, or the classes of images.

use flops_fit_plugin::{
    DataDescription, DataForm, Error, Loss, LossValue, Mode, Result,
    tch::{Kind, Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

/// Mean −ln p of the target, in nats: logits `[…, classes]` against int64 ids
/// `[…]`.
///
/// Evaluation adds `bits_per_byte` where the dataset knows how many bytes a
/// token stands for, and `accuracy`, the share of examples whose largest logit
/// is the target's, for images.
#[derive(Debug)]
pub struct CrossEntropy {
    label_smoothing: f64,
    metric: Metric,
}

/// What evaluation reports beside the loss.
#[derive(Debug, Clone, Copy)]
enum Metric {
    None,
    BitsPerByte { bytes_per_token: f64 },
    Accuracy,
}

/// `[loss.config]` of `kind = "cross_entropy"`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropyConfig {
    /// Share ε of the target's probability that training spreads over all
    /// classes alike (Szegedy et al. 2016), in [0, 1); 0 by default. The held-out
    /// loss is −ln p without it, so that runs can be compared.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
}

/// A configuration without smoothing is serialised as if there were no such
/// key: trial ids from before it stay.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Loss for CrossEntropy {
    type Config = CrossEntropyConfig;

    fn build(config: &CrossEntropyConfig, data: &DataDescription) -> Result<Self> {
        let label_smoothing = config.label_smoothing;
        if !(0.0..1.0).contains(&label_smoothing) {
            let message =
                format!("found {label_smoothing}, expected a share from 0 to less than 1");
            return Err(Error::config("label_smoothing", message));
        }
        let metric = match data.form {
            DataForm::Tokens {
                bytes_per_token: Some(bytes_per_token),
                ..
            } => Metric::BitsPerByte { bytes_per_token },
            DataForm::Tokens { .. } => Metric::None,
            DataForm::Images { .. } => Metric::Accuracy,
        };
        Ok(Self {
            label_smoothing,
            metric,
        })
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], mode: Mode) -> Result<LossValue> {
        let ([logits], [ids]) = (outputs, targets) else {
            let (outputs, targets) = (outputs.len(), targets.len());
            return Err(Error::new(format!(
                "cross_entropy takes one tensor of logits and one of ids, got {outputs} and {targets}"
            )));
        };
        let classes = logits.size().last().copied().unwrap_or(0);
        let (logits, ids) = (logits.f_view([-1, classes])?, ids.f_reshape([-1])?);
        let smoothing = match mode {
            Mode::Train => self.label_smoothing,
            Mode::Eval => 0.0,
        };
        let mean =
            logits.f_cross_entropy_loss(&ids, None::<&Tensor>, Reduction::Mean, -100, smoothing)?;
        let metrics = match (mode, self.metric) {
            (Mode::Eval, Metric::BitsPerByte { bytes_per_token }) => {
                let bits = mean.f_double_value(&[])? / std::f64::consts::LN_2;
                vec![("bits_per_byte".to_owned(), bits / bytes_per_token)]
            }
            (Mode::Eval, Metric::Accuracy) => {
                let hits = logits.f_argmax(-1, false)?.f_eq_tensor(&ids)?;
                let share = hits.f_to_kind(Kind::Double)?.f_mean(Kind::Double)?;
                vec![("accuracy".to_owned(), share.f_double_value(&[])?)]
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

#[cfg(test)]
mod tests {
    use flops_fit_plugin::Unit;

    use super::*;

    fn images() -> DataDescription {
        DataDescription {
            form: DataForm::Images {
                channels: 1,
                height: 2,
                width: 2,
                classes: 3,
            },
            unit: Unit::Images,
            units_per_example: 1,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        }
    }

    fn loss(config: &str) -> Result<CrossEntropy> {
        CrossEntropy::build(&serde_json::from_str(config)?, &images())
    }

    /// Logits of four examples, of which the first two are right.
    fn batch() -> ([Tensor; 1], [Tensor; 1]) {
        let logits = [
            [2.0_f32, 0.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 3.0],
            [1.0, 0.0, 0.0],
        ];
        let logits = Tensor::from_slice(logits.as_flattened()).view([4, 3]);
        ([logits], [Tensor::from_slice(&[0_i64, 1, 0, 2])])
    }

    #[test]
    fn accuracy_is_the_share_of_largest_logits_that_are_right() {
        let (logits, ids) = batch();
        let value = loss("{}").and_then(|loss| loss.compute(&logits, &ids, Mode::Eval));
        let value = value.expect("a loss");
        assert_eq!(value.metrics, [("accuracy".to_owned(), 0.5)]);
        assert_eq!(value.units, 4);
    }

    #[test]
    fn smoothing_is_the_papers_formula_in_training_alone() {
        let (logits, ids) = batch();
        let mean = |config: &str, mode| {
            let value = loss(config).and_then(|loss| loss.compute(&logits, &ids, mode));
            value.expect("a loss").mean.double_value(&[])
        };
        let plain = mean("{}", Mode::Train);
        // Uniform targets: the mean −ln p over all classes.
        let all = -logits[0].log_softmax(-1, Kind::Double).mean(Kind::Double);
        let smooth = mean(r#"{"label_smoothing": 0.2}"#, Mode::Train);
        let expected = 0.8 * plain + 0.2 * all.double_value(&[]);
        assert!((smooth - expected).abs() < 1e-6, "{smooth} {expected}");
        let held_out = mean(r#"{"label_smoothing": 0.2}"#, Mode::Eval);
        assert!((held_out - plain).abs() < 1e-6, "{held_out} {plain}");
    }

    #[test]
    fn no_smoothing_leaves_the_identity_as_it_was() {
        let config: CrossEntropyConfig = serde_json::from_str("{}").expect("a configuration");
        assert_eq!(serde_json::to_string(&config).expect("JSON"), "{}");
        for wrong in ["1.0", "-0.1"] {
            let error = loss(&format!(r#"{{"label_smoothing": {wrong}}}"#)).expect_err(wrong);
            assert_eq!(error.key(), Some("label_smoothing"));
        }
    }
}
