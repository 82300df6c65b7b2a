//! What the planner asks the worker, and what it answers: all candidate sizes
//! in one process, so that the parent never opens a plugin.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, Precision};

/// The question: a file that `flops-fit-worker describe` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribeRequest {
    /// Version of this file.
    pub format: u32,
    /// The model, without its size.
    pub model: WantedComponent,
    /// The dataset.
    pub dataset: WantedComponent,
    /// The loss.
    pub loss: WantedComponent,
    /// Folder that relative paths in a configuration start from.
    pub base_dir: PathBuf,
    /// Key of the model's configuration that the sweep varies.
    pub size_param: String,
    /// Values of it to ask about.
    pub sizes: Vec<i64>,
    /// What trials will compute on; absent if its rate is not asked for.
    #[serde(default)]
    pub compute: Option<Compute>,
}

/// What a rank of a trial computes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// The device, such as `cpu` or `cuda:0`; of a CPU one thread.
    pub device: String,
    /// The number format of the forward and backward pass.
    pub precision: Precision,
}

/// An export that the manifest names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedComponent {
    /// Absolute path of the library.
    pub library: PathBuf,
    /// Which of its exports.
    pub kind: String,
    /// Configuration as the manifest gives it.
    pub config: Value,
}

/// The answer: a file that `flops-fit-worker describe` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DescribeResponse {
    /// Everything was found.
    Described {
        /// Version of this file.
        format: u32,
        /// The facts.
        description: Box<Description>,
    },
    /// Something is wrong with a plugin or its configuration.
    Failed {
        /// Version of this file.
        format: u32,
        /// What.
        failure: Failure,
    },
}

/// Facts about model, dataset and loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The model's plugin; its configuration stands with each size.
    pub model: ComponentFacts,
    /// The dataset's plugin and canonical configuration.
    pub dataset: ComponentFacts,
    /// The loss's plugin and canonical configuration.
    pub loss: ComponentFacts,
    /// The dataset itself.
    pub data: DatasetFacts,
    /// One entry for each size asked about, in that order.
    pub sizes: Vec<SizeFacts>,
    /// Version of libtorch that the worker runs.
    pub libtorch: String,
    /// FLOP/s of a large matrix product on what trials will compute on; absent if
    /// nobody asked, or it can't be measured.
    #[serde(default)]
    pub gemm: Option<f64>,
}

/// Who a component is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentFacts {
    /// The plugin's declared name.
    pub plugin: String,
    /// The plugin's declared version.
    pub version: String,
    /// Which of its exports.
    pub kind: String,
    /// Canonical configuration (null for the model).
    pub config: Value,
}

/// What the planner needs to know about a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Hash of the content.
    pub fingerprint: String,
    /// What D counts: `tokens` or `images`.
    pub unit: String,
    /// Units in one example.
    pub units_per_example: u64,
    /// Unique units of the training split; absent if it never repeats.
    pub unique_units: Option<u64>,
    /// Examples of the training split; absent if unbounded.
    pub train_examples: Option<u64>,
    /// Examples of the held-out split; absent if unbounded.
    pub held_out_examples: Option<u64>,
}

/// One candidate size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SizeFacts {
    /// Value of the size parameter.
    pub size: i64,
    /// What the model says to it.
    #[serde(flatten)]
    pub outcome: SizeOutcome,
}

/// What the model says to a size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SizeOutcome {
    /// It can be built.
    Accepted {
        /// N for the fit.
        n: u64,
        /// Further counts of N by name.
        counts: BTreeMap<String, f64>,
        /// Training FLOPs per unit: 3 · forward.
        flops_per_unit: f64,
        /// Whether the model said so (else 6N was taken, for tokens only).
        flops_from_model: bool,
        /// Canonical configuration at this size.
        config: Value,
    },
    /// It can't.
    Refused {
        /// The dotted key that is refused, where known.
        key: Option<String>,
        /// The plugin's words.
        reason: String,
    },
}

/// `config` with the size parameter set; dots in its name go into tables.
pub fn with_size(config: &Value, size_param: &str, size: i64) -> Value {
    let mut whole = config.clone();
    let mut place = &mut whole;
    for key in size_param.split('.') {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = &mut place[key];
    }
    *place = Value::from(size);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_size_goes_where_its_key_says() {
        assert_eq!(
            with_size(&json!({"a": 1}), "d_model", 8),
            json!({"a": 1, "d_model": 8})
        );
        assert_eq!(
            with_size(&json!({}), "block.width", 8),
            json!({"block": {"width": 8}})
        );
        assert_eq!(with_size(&Value::Null, "d", 8), json!({"d": 8}));
    }
}
