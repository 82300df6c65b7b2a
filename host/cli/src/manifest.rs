//! The manifest: what the user asks for, checked.
//!
//! Three steps, each with a type of its own: [`source`] makes one tree of the
//! file, of what it extends and of `--set`; [`section`] reads typed values out
//! of it; a [`Manifest`] is what remains, and holds valid values only. The tree
//! is kept, so that a mistake which only a plugin can find (a size that the
//! model refuses) is still reported with file, line and key.

mod analysis;
mod batch;
mod builder;
mod gpus;
mod learning_rate;
mod mistake;
mod model;
mod origin;
mod preset;
mod prior;
mod resolved;
mod run;
mod section;
mod source;
mod sweep;
mod train;
mod trainer;
mod value;

#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

use flops_fit_scaling::{
    Options,
    grid::{Budgets, Layout},
};

pub use batch::BatchUnits;
pub use builder::ManifestBuilder;
pub(crate) use learning_rate::four_digits;
pub use learning_rate::{LearningRate, Tune};
pub(crate) use mistake::nearest;
pub use mistake::{ManifestError, Mistake, Place, Problem};
pub use model::{Component, Model, Sizes};
pub use origin::Origin;
pub use preset::{PRESETS, Preset};
pub use prior::Assumed;
pub use run::{Limits, Run, Share};
pub use sweep::{Sweep, Timed};
pub use train::{Train, Warmup};
pub use trainer::Trainer;

use section::{Field, Section};

/// A manifest that is valid in itself; whether the plugins agree is for the
/// planner to ask.
#[derive(Debug, Clone)]
pub struct Manifest {
    path: PathBuf,
    tree: value::Node,
    /// Name of the sweep.
    pub name: String,
    /// Folder that relative paths start from.
    pub base_dir: PathBuf,
    /// Further folders in which libraries are looked for.
    pub plugin_path: Vec<PathBuf>,
    /// `trainer`.
    pub trainer: Trainer,
    /// `[model]`.
    pub model: Model,
    /// `[dataset]`.
    pub dataset: Component,
    /// `[loss]`.
    pub loss: Component,
    /// `[sweep]`.
    pub sweep: Sweep,
    /// `[train]`.
    pub train: Train,
    /// `[run]`.
    pub run: Run,
    /// `[analysis]`.
    pub analysis: Options,
    /// `analysis.prior`.
    pub prior: Assumed,
    /// `output.dir`, absolute.
    pub output_dir: PathBuf,
    /// Whether event files for `TensorBoard` are written.
    pub tensorboard: bool,
}

const SECTIONS: &[&str] = &[
    "name",
    "extends",
    "base_dir",
    "plugin_path",
    "trainer",
    "model",
    "dataset",
    "loss",
    "sweep",
    "train",
    "run",
    "analysis",
    "output",
];

impl Manifest {
    /// Reads the manifest at `path` with `key=value` overrides on top.
    pub fn load(path: &Path, sets: &[String]) -> Result<Self, ManifestError> {
        let tree = source::read(path, sets, &source::on_disk)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = folder
            .canonicalize()
            .map_err(|source| ManifestError::Unreadable {
                path: path.to_owned(),
                wanted_by: None,
                source,
            })?;
        Self::check_in(path, tree, &folder)
    }

    /// Reads `text` as the manifest at `path`. Nothing is looked up on the disk: what
    /// it extends can't be found, and relative paths start from `path`'s folder as
    /// it is written.
    pub fn parse(path: &Path, text: &str, sets: &[String]) -> Result<Self, ManifestError> {
        let files = |wanted: &Path| {
            if wanted == path {
                Ok((path.to_owned(), text.to_owned()))
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        };
        let tree = source::read(path, sets, &files)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::check_in(path, tree, folder)
    }

    fn check_in(path: &Path, tree: value::Node, folder: &Path) -> Result<Self, ManifestError> {
        if folder.to_str().is_none() {
            return Err(ManifestError::Folder {
                folder: folder.to_owned(),
            });
        }
        Ok(Self::check(path, tree, folder)?)
    }

    fn check(path: &Path, tree: value::Node, folder: &Path) -> Result<Self, Box<Mistake>> {
        let root = Section::root(&tree, SECTIONS)?;
        let open = |name, keys| root.open(name, keys);
        let component = &["plugin", "kind", "config"];
        let model = open(
            "model",
            &["plugin", "kind", "size_param", "sizes", "config"],
        )?;
        let dataset = open("dataset", component)?;
        let loss = open("loss", component)?;
        let sweep = open("sweep", sweep::KEYS)?;
        let train = open("train", train::KEYS)?;
        let run = open("run", run::KEYS)?;
        let analysis = open("analysis", analysis::KEYS)?;
        let output = open("output", &["dir", "tensorboard"])?;

        let name = root.required("name", NAME)?;
        let name = read_name(&name)?;
        let base_dir = root.or("base_dir", folder.to_owned(), |f| {
            Ok(folder.join(f.text("the folder that relative paths start from")?))
        })?;
        let plugin_path = root.or("plugin_path", Vec::new(), |field| {
            field
                .list("a list of folders such as [\"target/release\"]")?
                .iter()
                .map(|item| Ok(base_dir.join(item.text("a folder")?)))
                .collect()
        })?;
        let trainer = root.or("trainer", Trainer::Plugins, Trainer::read)?;
        let named_at = tree.nearest(["trainer"]).origin.clone();
        let naming = (trainer.naming(), &named_at);
        let model_section = model;
        let model = Model::read(&model_section, naming)?;
        let shared = Some(&model.component);
        let part = |section: &Section<'_>, names, examples| {
            Component::read(section, names, naming, shared, examples)
        };
        let dataset = part(&dataset, ("dataset", "dataset.plugin"), "\"stories\"")?;
        let loss = part(&loss, ("loss", "loss.plugin"), "\"cross_entropy\"")?;
        let sweep = Sweep::read(&sweep)?;
        if let (Layout::Around { .. }, None) = (&sweep.layout, &model.sizes) {
            return Err(model_section.missing(
                "sizes",
                "candidate sizes such as { min = 16, max = 1024, multiple_of = 16 }, or sizes for each budget in sweep.grid",
            ));
        }
        let train_section = train;
        let run = Run::read(&run)?;
        let train = Train::read(&train_section, &run)?;
        if let (true, Trainer::Program(_), Some(schedule)) =
            (train.reuse_trunk, &trainer, train_section.get("schedule"))
        {
            return Err(schedule.mistake(Problem::Unacceptable {
                found: "reuse_trunk = true".to_owned(),
                expected: "none of it with a trainer of your own: flops-fit has no checkpoint of its runs that branches could leave from".to_owned(),
            }));
        }
        for (what, depends, key) in [
            ("rate", train.lr.varies_with_data(), "lr"),
            ("batch", train.batch_units.grows(), "batch_tokens"),
        ] {
            if let (true, true, Some(field)) = (train.reuse_trunk, depends, train_section.get(key))
            {
                return Err(field.mistake(Problem::Unacceptable {
                    found: format!("a {what} that depends on D"),
                    expected: "one that does not, since trials of one size share their steps (train.schedule.reuse_trunk)".to_owned(),
                }));
            }
        }
        // A simulation leaves the real sweep's folder alone.
        let folder_name = match trainer {
            Trainer::Simulated(_) => format!("{name}{SIMULATED}"),
            Trainer::Plugins | Trainer::Program(_) => name.clone(),
        };
        let output_dir = output.or("dir", base_dir.join("outputs").join(folder_name), |f| {
            Ok(base_dir.join(f.text("the output folder")?))
        })?;
        Ok(Self {
            path: path.to_owned(),
            plugin_path,
            trainer,
            model,
            dataset,
            loss,
            sweep,
            train,
            run,
            analysis: analysis::read(&analysis)?,
            prior: Assumed::read(&analysis)?,
            name,
            base_dir,
            output_dir,
            tensorboard: output.or("tensorboard", false, Field::truth)?,
            tree,
        })
    }

    /// The file that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says what a budget that is given as a time is in FLOPs.
    pub(crate) fn settle(&mut self, time: &Timed, flops: f64) {
        self.sweep.timed.retain(|other| other != time);
        if let Layout::Around {
            budgets: Budgets::List(list),
            ..
        } = &mut self.sweep.layout
            && let Some(budget) = list.get_mut(time.position)
        {
            *budget = flops;
        }
    }

    /// The sizes that the model has to be asked about, smallest first.
    pub fn candidates(&self) -> Vec<i64> {
        match (&self.sweep.layout, &self.model.sizes) {
            (Layout::Listed(lists), _) => {
                let mut sizes: Vec<i64> =
                    lists.iter().flat_map(|list| list.sizes.clone()).collect();
                sizes.sort_unstable();
                sizes.dedup();
                sizes
            }
            (Layout::Around { .. }, sizes) => sizes.as_ref().map(Sizes::values).unwrap_or_default(),
        }
    }

    /// Where `key`, such as `model.plugin`, is written, or what comes nearest.
    pub fn place(&self, key: &str) -> Box<Place> {
        Box::new(Place {
            origin: self.tree.nearest(key.split('.')).origin.clone(),
            key: key.to_owned(),
        })
    }

    /// The mistake that a plugin found at `key`, such as
    /// `dataset.config.seq_len`: at the value, or at what comes nearest to it.
    pub fn mistake(&self, key: &str, problem: Problem) -> ManifestError {
        let Place { origin, key } = *self.place(key);
        Box::new(Mistake {
            origin,
            key,
            problem,
        })
        .into()
    }

    /// The mistake of a `size` that the model refuses: at the key of its
    /// configuration that it names, else at the size itself where that was
    /// written out, else at the sizes.
    pub fn refused_size(&self, size: i64, key: Option<&str>, reason: &str) -> ManifestError {
        let by = format!(
            "the model `{}` ({} = {size})",
            self.model.component.kind, self.model.size_param
        );
        let problem = |reason: &str| Problem::Refused {
            by,
            reason: reason.to_owned(),
        };
        if let Some(key) = key.filter(|key| self.model.component.config.get(key).is_some()) {
            return self.mistake(&format!("model.config.{key}"), problem(reason));
        }
        let (path, node) = self.size_written(size);
        let reason = match key {
            Some(key) => format!("{key}: {reason}"),
            None => reason.to_owned(),
        };
        Box::new(Mistake {
            origin: node.origin.clone(),
            key: path,
            problem: problem(&reason),
        })
        .into()
    }

    fn size_written(&self, size: i64) -> (String, &value::Node) {
        let holds = |key: &str, path: &[&str]| {
            let value::Value::Array(items) = &self.tree.nearest(path.iter().copied()).value else {
                return None;
            };
            let at = items.iter().position(|item| match item.value {
                value::Value::Integer(integer) => integer == size,
                value::Value::Float(float) => float.total_cmp(&(size as f64)).is_eq(),
                _ => false,
            })?;
            Some((format!("{key}[{at}]"), &items[at]))
        };
        match &self.sweep.layout {
            Layout::Listed(lists) => (0..lists.len())
                .find_map(|i| {
                    let path = ["sweep", "grid", &i.to_string(), "sizes"];
                    holds(&format!("sweep.grid[{i}].sizes"), &path)
                })
                .unwrap_or_else(|| {
                    (
                        "sweep.grid".to_owned(),
                        self.tree.nearest(["sweep", "grid"]),
                    )
                }),
            Layout::Around { .. } => {
                holds("model.sizes", &["model", "sizes"]).unwrap_or_else(|| {
                    (
                        "model.sizes".to_owned(),
                        self.tree.nearest(["model", "sizes"]),
                    )
                })
            }
        }
    }
}

/// The table that `key=value` arguments make, such as `model.d_model=64`: the
/// configurations of a check without a manifest.
pub(crate) fn configuration(sets: &[String]) -> Result<serde_json::Value, ManifestError> {
    let tree = source::of_sets(sets)?;
    Ok(tree.to_json().map_err(|node| {
        Box::new(Mistake {
            origin: node.origin.clone(),
            key: "config".to_owned(),
            problem: Problem::Unacceptable {
                found: node.value.to_string(),
                expected: "a finite number".to_owned(),
            },
        })
    })?)
}

/// What the folder of a simulated sweep is called after its name.
const SIMULATED: &str = "-simulated";

const NAME: &str = "a name for the sweep and its output folder, such as \"gpt-stories\"";

fn read_name(field: &Field<'_>) -> Result<String, Box<Mistake>> {
    let name = field.text(NAME)?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '+');
    if name.chars().all(plain) && !name.starts_with(['.', ' ']) && !name.ends_with(' ') {
        Ok(name)
    } else {
        Err(field.unacceptable(
            "letters, digits, '-', '_', '.', '+' and inner spaces, not starting with '.': it names a folder",
        ))
    }
}
