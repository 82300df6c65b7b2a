//! What flops-fit and a program that trains say to each other, where that program is
//! the user's own: a question about sizes and its answer, and how a trial ended.
//!
//! All of it is JSON that a person writes by hand in any language, so it is read
//! strictly, and what is wrong with it is said in words. `docs/trainers.md` explains
//! it, `docs/trainer.schema.json` is the same as a JSON schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    ComponentFacts, DatasetFacts, Description, Failure, Measured, Outcome, Phase, SizeFacts,
    SizeOutcome, Timing, TrialId, TrialSpec, with_size,
};

/// FLOPs per parameter and token where a program doesn't say: C = 6·N·D.
const SIX: f64 = 6.0;

/// The question: what a program's `describe` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgramQuestion {
    /// Version of this file.
    pub format: u32,
    /// `[model]`, without its size.
    pub model: ProgramPart,
    /// `[dataset]`.
    pub dataset: ProgramPart,
    /// `[loss]`.
    pub loss: ProgramPart,
    /// Folder that relative paths in a configuration start from.
    pub base_dir: PathBuf,
    /// Key of the model's configuration that the sweep varies.
    pub size_param: String,
    /// Values of it to answer for.
    pub sizes: Vec<i64>,
}

/// A section of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgramPart {
    /// Its `kind`.
    pub kind: String,
    /// Its `config`.
    pub config: Value,
}

/// The answer: what a program's `describe` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramAnswer {
    /// What the program is called.
    pub name: String,
    /// To be changed with every change that should change results.
    pub version: String,
    /// The data.
    pub dataset: ProgramData,
    /// One entry for each size that was asked about.
    pub sizes: Vec<ProgramSize>,
}

/// The data of a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramData {
    /// A text that is another when the content is.
    pub fingerprint: String,
    /// What D counts, such as `tokens`.
    pub unit: String,
    /// Units in one example; 1 where absent.
    #[serde(default = "one")]
    pub units_per_example: u64,
    /// Distinct units of the training data; absent if it never repeats.
    pub unique_units: Option<u64>,
}

fn one() -> u64 {
    1
}

/// One size: its counts, or why it can't be built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramSize {
    /// Value of the size parameter.
    pub size: i64,
    /// N for the fit.
    pub n: Option<u64>,
    /// Training FLOPs per unit of data, forward and backward; 6N where absent and D
    /// counts tokens.
    pub flops_per_unit: Option<f64>,
    /// Further counts of N by name.
    #[serde(default)]
    pub counts: BTreeMap<String, f64>,
    /// Why it can't be built.
    pub refused: Option<String>,
}

impl ProgramAnswer {
    /// Reads what a program has written.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        read(text)
    }

    /// The same as the answer of flops-fit's own worker would be.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn describe(self, question: &ProgramQuestion) -> Result<Description, String> {
        let facts = |part: &ProgramPart, config: Value| ComponentFacts {
            plugin: self.name.clone(),
            version: self.version.clone(),
            kind: part.kind.clone(),
            config,
        };
        let data = &self.dataset;
        for (key, text) in [
            ("name", &self.name),
            ("version", &self.version),
            ("dataset.fingerprint", &data.fingerprint),
            ("dataset.unit", &data.unit),
        ] {
            if text.trim().is_empty() {
                return Err(format!("{key}: found \"\", expected a text"));
            }
        }
        if data.units_per_example == 0 || data.unique_units == Some(0) {
            return Err("dataset: numbers of units are at least 1".to_owned());
        }
        let asked: BTreeSet<i64> = question.sizes.iter().copied().collect();
        let mut by_size = BTreeMap::new();
        for size in &self.sizes {
            if !asked.contains(&size.size) {
                return Err(format!("size {} was not asked about", size.size));
            }
            if by_size.insert(size.size, size).is_some() {
                return Err(format!("size {} stands there twice", size.size));
            }
        }
        let sizes = question.sizes.iter().map(|size| {
            let found = by_size
                .get(size)
                .ok_or_else(|| format!("no entry for size {size}"))?;
            let config = with_size(&question.model.config, &question.size_param, *size);
            Ok(SizeFacts {
                size: *size,
                outcome: found.outcome(&data.unit, config)?,
            })
        });
        let sizes = sizes.collect::<Result<_, String>>()?;
        Ok(Description {
            model: facts(&question.model, Value::Null),
            dataset: facts(&question.dataset, question.dataset.config.clone()),
            loss: facts(&question.loss, question.loss.config.clone()),
            data: DatasetFacts {
                fingerprint: data.fingerprint.clone(),
                unit: data.unit.clone(),
                units_per_example: data.units_per_example,
                unique_units: data.unique_units,
                train_examples: None,
                held_out_examples: None,
            },
            sizes,
            libtorch: String::new(),
            gemm: None,
        })
    }
}

impl ProgramSize {
    fn outcome(&self, unit: &str, config: Value) -> Result<SizeOutcome, String> {
        let size = self.size;
        let n = match (self.n, &self.refused) {
            (None, Some(reason)) => {
                return Ok(SizeOutcome::Refused {
                    key: None,
                    reason: reason.clone(),
                });
            }
            (Some(n @ 1..), None) => n,
            (Some(_), None) => return Err(format!("size {size}: n is at least 1")),
            _ => {
                return Err(format!(
                    "size {size}: expected either n or, of a size that can't be built, refused"
                ));
            }
        };
        let flops_per_unit = match self.flops_per_unit {
            Some(flops) if flops > 0.0 && flops.is_finite() => flops,
            Some(flops) => {
                return Err(format!(
                    "size {size}: flops_per_unit: found {flops}, expected a number above 0"
                ));
            }
            None if unit == "tokens" => SIX * n as f64,
            None => {
                return Err(format!(
                    "size {size}: no flops_per_unit; 6N is taken for tokens only, and D counts {unit}"
                ));
            }
        };
        Ok(SizeOutcome::Accepted {
            n,
            counts: self.counts.clone(),
            flops_per_unit,
            flops_from_model: self.flops_per_unit.is_some(),
            config,
        })
    }
}

/// How a trial ended, as a program writes it into `result.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramResult {
    /// The trial, copied from `trial.json`.
    pub id: TrialId,
    /// Completed, diverged or failed.
    pub outcome: ProgramOutcome,
    /// Where the time went, where the program says.
    pub timing: Option<Timing>,
}

/// The three ways in which a program's trial ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProgramOutcome {
    /// Trained to the end and evaluated.
    Completed {
        /// Mean held-out loss per unit.
        loss: f64,
        /// Its standard error; 0 where it is not known.
        #[serde(default)]
        loss_se: f64,
        /// Mean training loss over the last tenth of the steps.
        train_loss: f64,
        /// Optimizer steps taken.
        steps: u64,
        /// Units of data seen in training: D.
        units: u64,
        /// Units of the held-out set; 0 where they were not counted.
        #[serde(default)]
        eval_units: u64,
        /// N as it was built; it has to be the N that was described.
        n: Option<u64>,
        /// Further held-out metrics by name.
        #[serde(default)]
        metrics: BTreeMap<String, f64>,
    },
    /// The loss left the numbers that mean anything.
    Diverged {
        /// Optimizer step at which it was found, from 1.
        step: u64,
        /// The training loss there, where it was a number.
        loss: Option<f64>,
        /// What was seen.
        reason: String,
    },
    /// Something went wrong.
    Failed {
        /// What.
        message: String,
        /// Whether a smaller `run.micro_batch` would help.
        #[serde(default)]
        out_of_memory: bool,
    },
}

impl ProgramResult {
    /// Reads what a program has written.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut value: Value = read(text)?;
        let Some(object) = value.as_object_mut() else {
            return Err("it is no JSON object".to_owned());
        };
        let id = object.remove("id").ok_or("missing field `id`")?;
        let timing = object.remove("timing");
        let wrong = |key: &str, error: &serde_json::Error| format!("{key}: {error}");
        Ok(Self {
            id: TrialId::deserialize(id).map_err(|error| wrong("id", &error))?,
            timing: timing
                .map(Timing::deserialize)
                .transpose()
                .map_err(|error| wrong("timing", &error))?,
            outcome: ProgramOutcome::deserialize(value).map_err(|error| error.to_string())?,
        })
    }

    /// The outcome of the trial `spec`, whose data has `unique` distinct units, as
    /// `program` leaves it.
    ///
    /// # Errors
    /// What of it can't be, in words.
    pub fn conclude(
        self,
        spec: &TrialSpec,
        unique: Option<u64>,
        program: &str,
    ) -> Result<Outcome, String> {
        if self.id != spec.id {
            return Err(format!("its id is {}, the trial's is {}", self.id, spec.id));
        }
        Ok(match self.outcome {
            ProgramOutcome::Completed {
                loss,
                loss_se,
                train_loss,
                steps,
                units,
                eval_units,
                n,
                metrics,
            } => {
                if let Some(n) = n.filter(|n| *n != spec.run.declared_n) {
                    return Err(format!(
                        "n is {n}, but {} was described for this size",
                        spec.run.declared_n
                    ));
                }
                if units == 0 || steps == 0 {
                    return Err("steps and units are at least 1".to_owned());
                }
                if loss_se < 0.0 {
                    return Err(format!("loss_se: found {loss_se}, expected 0 or more"));
                }
                let d = units as f64;
                let flops = spec.run.flops_per_unit * d;
                Outcome::Completed {
                    measured: Measured {
                        n: spec.run.declared_n as f64,
                        counts: spec.run.counts.clone(),
                        d,
                        c: flops,
                        spent: flops,
                        unique: unique.map(|unique| unique as f64),
                        loss,
                        loss_se,
                        metrics,
                        train_loss,
                        lr: spec.recipe.train.lr,
                        steps,
                        eval_units,
                    },
                }
            }
            ProgramOutcome::Diverged { step, loss, reason } => {
                Outcome::Diverged { step, loss, reason }
            }
            ProgramOutcome::Failed {
                message,
                out_of_memory: true,
            } => Outcome::Failed {
                failure: Failure::OutOfMemory {
                    plugin: None,
                    phase: Phase::Forward,
                    detail: format!("trainer `{program}`: {message}"),
                },
            },
            ProgramOutcome::Failed { message, .. } => Outcome::Failed {
                failure: Failure::ProgramFailed {
                    program: program.to_owned(),
                    message,
                },
            },
        })
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        let hint = match error.classify() {
            serde_json::error::Category::Syntax => {
                "; JSON has no NaN and no Infinity: a loss that is no number is the status \"diverged\""
            }
            serde_json::error::Category::Eof => {
                "; write it under another name first, then rename it"
            }
            _ => "",
        };
        format!("{error}{hint}")
    })
}

#[cfg(test)]
mod tests;
