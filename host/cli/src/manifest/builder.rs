//! A manifest written in code.

use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use super::{Manifest, ManifestError};

/// Puts a manifest together, key by key. Nothing is checked before
/// [`build`](Self::build), which checks it as a file would be.
///
/// ```
/// use flops_fit::{Manifest, ManifestBuilder};
///
/// let manifest: Manifest = ManifestBuilder::new("design")
///     .simulated(0.01, 0)
///     .sizes([10_000_000, 30_000_000, 100_000_000, 300_000_000])
///     .budgets([1e18, 3e18, 1e19])
///     .set("analysis.targets", [1e21])
///     .build()?;
/// assert_eq!(manifest.candidates().len(), 4);
/// # Ok::<(), flops_fit::manifest::ManifestError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManifestBuilder {
    folder: PathBuf,
    table: Table,
}

/// What mistakes name in the place of a file.
const NAME: &str = "manifest in code";

impl ManifestBuilder {
    /// A manifest for the sweep `name`, whose relative paths start from the current
    /// folder.
    pub fn new(name: &str) -> Self {
        Self {
            folder: PathBuf::new(),
            table: Table::new(),
        }
        .set("name", name)
    }

    /// Relative paths start from `folder`.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        folder.as_ref().clone_into(&mut self.folder);
        self
    }

    /// The model is export `kind` of `plugin`, a path or a library's name; the sweep
    /// varies its key `size_param`. Dataset and loss are of the same plugin where they
    /// name none.
    #[must_use]
    pub fn model(self, plugin: &str, kind: &str, size_param: &str) -> Self {
        self.set("model.plugin", plugin)
            .set("model.kind", kind)
            .set("model.size_param", size_param)
    }

    /// The candidate sizes.
    #[must_use]
    pub fn sizes(self, sizes: impl IntoIterator<Item = i64>) -> Self {
        self.set("model.sizes", sizes.into_iter().collect::<Vec<_>>())
    }

    /// The dataset is export `kind`.
    #[must_use]
    pub fn dataset(self, kind: &str) -> Self {
        self.set("dataset.kind", kind)
    }

    /// The loss is export `kind`.
    #[must_use]
    pub fn loss(self, kind: &str) -> Self {
        self.set("loss.kind", kind)
    }

    /// Trials are trained by a program of the user's, which varies `size_param`.
    #[must_use]
    pub fn program<'w>(self, command: impl IntoIterator<Item = &'w str>, size_param: &str) -> Self {
        let words: Vec<Value> = command.into_iter().map(Value::from).collect();
        self.set(
            "trainer",
            Table::from_iter([("command".to_owned(), words.into())]),
        )
        .set("model.size_param", size_param)
    }

    /// Losses are Chinchilla's law with normal noise of standard deviation `noise`.
    #[must_use]
    pub fn simulated(self, noise: f64, seed: u32) -> Self {
        self.set("trainer", Table::new())
            .set("trainer.kind", "simulated")
            .set("trainer.noise", noise)
            .set("trainer.seed", seed)
    }

    /// The budgets, in FLOPs.
    #[must_use]
    pub fn budgets(self, budgets: impl IntoIterator<Item = f64>) -> Self {
        self.set("sweep.budgets", budgets.into_iter().collect::<Vec<_>>())
    }

    /// Sets any key of the manifest, such as `train.lr`; dots open tables.
    ///
    /// # Panics
    /// If `value` is nothing that TOML can say, such as an integer above 2^63 or a
    /// unit.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Serialize) -> Self {
        let value = Value::try_from(value).expect("a value that TOML can say");
        let mut table = &mut self.table;
        let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
        for name in tables.split('.').filter(|name| !name.is_empty()) {
            let entry = table
                .entry(name)
                .or_insert_with(|| Value::Table(Table::new()));
            if !entry.is_table() {
                *entry = Value::Table(Table::new());
            }
            table = entry.as_table_mut().expect("it was made one");
        }
        table.insert(last.to_owned(), value);
        self
    }

    /// The manifest as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(&self.table).expect("a table of TOML values")
    }

    /// Checks it.
    ///
    /// # Errors
    /// As [`Manifest::load`]; places are lines of [`to_toml`](Self::to_toml).
    pub fn build(&self) -> Result<Manifest, ManifestError> {
        let folder = std::path::absolute(&self.folder)
            .or_else(|_| std::env::current_dir())
            .map_err(|source| ManifestError::Unreadable {
                path: self.folder.clone(),
                wanted_by: None,
                source,
            })?;
        Manifest::parse(&folder.join(NAME), &self.to_toml(), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Trainer;

    #[test]
    fn code_says_what_a_file_says() {
        let built = ManifestBuilder::new("demo")
            .folder("/work")
            .model("target/release/libmine.so", "gpt", "d_model")
            .sizes([16, 32, 48, 64])
            .dataset("stories")
            .loss("cross_entropy")
            .budgets([1e10, 3e10])
            .set("model.config.n_layers", 4)
            .set("train.schedule", "cosine");
        let manifest = built.build().expect("valid");
        let text = r#"
name = "demo"
[model]
plugin = "target/release/libmine.so"
kind = "gpt"
size_param = "d_model"
sizes = [16, 32, 48, 64]
config = { n_layers = 4 }
[dataset]
kind = "stories"
[loss]
kind = "cross_entropy"
[sweep]
budgets = [1e10, 3e10]
[train]
schedule = "cosine"
"#;
        let path = Path::new("/work").join(NAME);
        let parsed = Manifest::parse(&path, text, &[]).expect("valid");
        assert_eq!(manifest.to_toml(), parsed.to_toml());
        assert_eq!(manifest.output_dir, Path::new("/work/outputs/demo"));

        let error = built.set("train.lr", 0).build().expect_err("a mistake");
        let error = error.to_string();
        assert!(error.contains("train.lr: found 0, expected"), "{error}");
        assert!(error.contains("manifest in code:"), "{error}");
    }

    #[test]
    fn a_later_word_replaces_an_earlier_one() {
        let manifest = ManifestBuilder::new("demo")
            .set("trainer", "simulated")
            .program(["python3", "train.py"], "width")
            .sizes([1, 2, 3, 4])
            .budgets([1e9])
            .build()
            .expect("valid");
        let command = ["python3", "train.py"].map(str::to_owned).to_vec();
        assert_eq!(manifest.trainer, Trainer::Program(command));
        assert_eq!(manifest.model.size_param, "width");
    }
}
