//! `kind = "stories"`: the invented language, without end and without files.

use std::num::NonZero;

use flops_fit_plugin::{
    Batch, DataDescription, DataForm, Dataset, Draw, Error, Place, Result, Split, Unit,
};
use serde::{Deserialize, Serialize};

use super::{batch, default_seq_len};
use crate::data::stories;

/// Windows must be shorter than what the 4096 stories of a page surely hold.
const LONGEST: u32 = 1 << 18;

/// `[dataset.config]` of `stories`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoriesConfig {
    /// Tokens that a model reads at once, 1 to 262 144; 128 by default.
    #[serde(default = "default_seq_len")]
    pub seq_len: NonZero<u32>,
}

/// The invented language of [`data::stories`](crate::data::stories): a token is
/// a character, every training window is new.
#[derive(Debug)]
pub struct Stories {
    seq_len: usize,
}

impl Dataset for Stories {
    type Config = StoriesConfig;

    fn build(config: &StoriesConfig, _: &Place<'_>) -> Result<Self> {
        let seq_len = config.seq_len.get();
        if seq_len > LONGEST {
            let message = format!("{seq_len} tokens are too many; expected at most {LONGEST}");
            return Err(Error::config("seq_len", message));
        }
        Ok(Self {
            seq_len: seq_len as usize,
        })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: stories::VOCABULARY as i64,
                seq_len: self.seq_len as i64,
                bytes_per_token: Some(1.0),
            },
            unit: Unit::Tokens,
            units_per_example: self.seq_len as u64,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        }
    }

    fn fingerprint(&self) -> String {
        stories::VERSION.to_owned()
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        let seed = match split {
            Split::Train => stories::TRAINING_SEED,
            Split::HeldOut => stories::VALIDATION_SEED,
        };
        batch(draws, self.seq_len, |index, window| {
            stories::example_ids(seed, index, window);
            Ok(())
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;

    use flops_fit_plugin::tch::{Kind, Tensor};

    use super::*;

    fn open(config: &str) -> Result<Stories> {
        let config = serde_json::from_str(config)?;
        Stories::build(
            &config,
            &Place {
                base_dir: Path::new("."),
            },
        )
    }

    #[test]
    fn a_batch_is_windows_and_the_same_one_token_on() {
        let stories = open(r#"{"seq_len": 64}"#).unwrap();
        let draws = [40_009, 7].map(|index| Draw { index, seed: 0 });
        let Batch { inputs, targets } = stories.batch(Split::HeldOut, &draws).unwrap();
        let mut window = [0; 65];
        stories::example_ids(stories::VALIDATION_SEED, 7, &mut window);
        for (tensor, expected) in [(&inputs[0], &window[..64]), (&targets[0], &window[1..])] {
            assert_eq!((tensor.size(), tensor.kind()), (vec![2, 64], Kind::Int64));
            assert_eq!(tensor.get(1), Tensor::from_slice(expected));
        }
        let train = stories.batch(Split::Train, &draws).unwrap();
        assert_ne!(train.inputs[0], inputs[0]);
    }

    #[test]
    fn the_configuration_is_checked() {
        assert_eq!(open("{}").unwrap().seq_len, 128);
        assert_eq!(
            open(r#"{"seq_len": 262145}"#).unwrap_err().key(),
            Some("seq_len")
        );
        for (config, expected) in [
            (r#"{"seqlen": 64}"#, "unknown field `seqlen`"),
            (r#"{"seq_len": 0}"#, "expected a nonzero u32"),
        ] {
            let error = open(config).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
    }
}
