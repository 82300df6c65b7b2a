//! What is checked: the parts of a manifest at one of its sizes, or of a library.

use std::path::{Path, PathBuf};

use flops_fit_record::{Record, What};
use flops_fit_trial::{
    CheckName, CheckRequest, CheckScope, FORMAT, Finding, SizeOutcome, WantedComponent,
    WantedTrained, with_size,
};
use serde_json::{Map, Value as Json};

use super::CheckError;
use crate::{
    interrupt::Interrupt,
    manifest::{BatchUnits, Component, Manifest, configuration},
    plan,
    plugin::{Library, locate},
    worker::Worker,
};

/// Most parameters of a further size that is built to be counted.
const MOST_PARAMETERS: u64 = 20_000_000;

/// What is checked.
#[derive(Debug, Clone)]
pub struct Target {
    /// In words.
    pub subject: String,
    /// The records of its libraries, or what is wrong with one of them.
    pub record: Result<Vec<(PathBuf, Record)>, Finding>,
    /// The question for the worker, where the records are sound.
    pub request: Option<CheckRequest>,
}

/// The parts of a check without a manifest: `KIND` of the library itself, or
/// `LIBRARY:KIND`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// `--model`.
    pub model: Option<String>,
    /// `--dataset`.
    pub dataset: Option<String>,
    /// `--loss`.
    pub loss: Option<String>,
    /// `--config`: `model.KEY=VALUE` and the like.
    pub config: Vec<String>,
}

impl Target {
    /// The parts that `manifest` names, at `size` or the smallest that the
    /// model accepts. Asks a worker which sizes there are.
    pub fn of_manifest(
        manifest: &Manifest,
        size: Option<i64>,
        worker: &Worker,
        interrupt: &Interrupt,
    ) -> Result<Self, CheckError> {
        let (libraries, description) = plan::of_plugins(manifest, worker, interrupt)?;
        let accepted = description
            .sizes
            .iter()
            .filter_map(|facts| match facts.outcome {
                SizeOutcome::Accepted { n, .. } => Some((facts.size, n)),
                SizeOutcome::Refused { .. } => None,
            });
        let accepted: Vec<(i64, u64)> = accepted.collect();
        let refused = description
            .sizes
            .iter()
            .find_map(|facts| match &facts.outcome {
                SizeOutcome::Refused { reason, .. } => Some((facts.size, reason)),
                SizeOutcome::Accepted { .. } => None,
            });
        let size = match (size, accepted.first(), refused) {
            (Some(size), _, _) | (None, Some(&(size, _)), _) => size,
            (None, None, Some((size, reason))) => {
                let reason = reason.clone();
                return Err(CheckError::Refused { size, reason });
            }
            (None, None, None) => 1,
        };
        let others = accepted
            .iter()
            .filter(|(other, n)| *other != size && *n <= MOST_PARAMETERS)
            .map(|(other, _)| *other);
        let others: Vec<i64> = others.collect();
        let further = [others.len() / 2, others.len().saturating_sub(1)];
        let mut further: Vec<i64> = further
            .iter()
            .filter_map(|&i| others.get(i).copied())
            .collect();
        further.dedup();
        let sized = |size| {
            let config = &manifest.model.component.config;
            with_size(config, &manifest.model.size_param, size)
        };
        let wanted = |component: &Component, library: &Library| WantedComponent {
            library: library.path.clone(),
            kind: component.kind.clone(),
            config: component.config.clone(),
        };
        let model = &manifest.model.component;
        let mut records: Vec<(PathBuf, Record)> = Vec::new();
        for library in [&libraries.model, &libraries.dataset, &libraries.loss] {
            if !records.iter().any(|(path, _)| *path == library.path) {
                records.push((library.path.clone(), library.record.clone()));
            }
        }
        Ok(Self {
            subject: format!(
                "{}: model {} ({} = {size}), dataset {}, loss {}",
                manifest.path().display(),
                model.kind,
                manifest.model.size_param,
                manifest.dataset.kind,
                manifest.loss.kind
            ),
            record: Ok(records),
            request: Some(CheckRequest {
                format: FORMAT,
                dataset: wanted(&manifest.dataset, &libraries.dataset),
                trained: Some(WantedTrained {
                    model: WantedComponent {
                        config: sized(size),
                        ..wanted(model, &libraries.model)
                    },
                    further: further.into_iter().map(sized).collect(),
                    loss: wanted(&manifest.loss, &libraries.loss),
                }),
                base_dir: manifest.base_dir.clone(),
                batch_units: match manifest.train.batch_units {
                    BatchUnits::Exactly(units) | BatchUnits::Auto { units, .. } => Some(units),
                    BatchUnits::About(_) | BatchUnits::Usual => None,
                },
                seed: manifest.sweep.seeds.first().copied().unwrap_or(0),
                threads: manifest.run.threads.least() as u32,
                scope: CheckScope::Whole,
            }),
        })
    }

    fn unfit(path: &Path, finding: Finding) -> Self {
        Self {
            subject: path.display().to_string(),
            record: Err(finding),
            request: None,
        }
    }

    /// The library `name`, with what `parts` says. A library that exports
    /// datasets alone is checked without a model.
    pub fn of_library(name: &str, parts: &Parts, folder: &Path) -> Result<Self, CheckError> {
        let config = configuration(&parts.config)?;
        let library = locate(name, folder, &[])?;
        let mut records = Vec::new();
        let mut chosen = Vec::new();
        for (what, part) in [
            (What::Model, &parts.model),
            (What::Dataset, &parts.dataset),
            (What::Loss, &parts.loss),
        ] {
            let (path, kind) = match part.as_deref().map(|part| part.rsplit_once(':')) {
                Some(Some((other, kind))) => (locate(other, folder, &[])?, Some(kind)),
                Some(None) => (library.clone(), part.as_deref()),
                None => (library.clone(), None),
            };
            let kind = match known(&mut records, &path)
                .and_then(|record| known_kind(&record, what, kind).map(|()| record))
            {
                Ok(record) => choose(&record, &path, what, kind)?,
                Err(finding) => return Ok(Self::unfit(&path, finding)),
            };
            let config = config.get(what.as_str()).cloned();
            chosen.push(kind.map(|kind| WantedComponent {
                library: path,
                kind,
                config: config.unwrap_or_else(|| Json::Object(Map::new())),
            }));
        }
        let lacking = |what| CheckError::Lacking {
            library: library.clone(),
            what,
        };
        let [model, dataset, loss] = <[_; 3]>::try_from(chosen).unwrap_or_default();
        let dataset = dataset.ok_or_else(|| lacking("dataset"))?;
        let mut subject = format!("{}: dataset {}", library.display(), dataset.kind);
        let trained = match (model, loss) {
            (None, None) => None,
            (None, Some(_)) => return Err(lacking("model")),
            (Some(_), None) => return Err(lacking("loss")),
            (Some(model), Some(loss)) => {
                subject = format!("{subject}, model {}, loss {}", model.kind, loss.kind);
                Some(WantedTrained {
                    model,
                    further: Vec::new(),
                    loss,
                })
            }
        };
        Ok(Self {
            subject,
            record: Ok(records),
            request: Some(CheckRequest {
                format: FORMAT,
                dataset,
                trained,
                base_dir: folder.to_owned(),
                batch_units: None,
                seed: 0,
                threads: 1,
                scope: CheckScope::Whole,
            }),
        })
    }
}

/// The record of the library at `path`, read once.
fn known(records: &mut Vec<(PathBuf, Record)>, path: &Path) -> Result<Record, Finding> {
    if let Some((_, record)) = records.iter().find(|(known, _)| known == path) {
        return Ok(record.clone());
    }
    let wrong = |message: String| {
        let fix = "build the plugin with `cargo build --release --lib` against this flops-fit's flops-fit-plugin";
        Finding::fail(CheckName::Record, message, fix)
    };
    let record = flops_fit_record::read(path).map_err(|error| wrong(error.to_string()))?;
    record
        .check_abi()
        .map_err(|error| wrong(error.to_string()))?;
    records.push((path.to_owned(), record.clone()));
    Ok(record)
}

/// A kind that was named is one that the library has.
fn known_kind(record: &Record, what: What, wanted: Option<&str>) -> Result<(), Finding> {
    let kinds = record.kinds(what);
    match wanted {
        Some(wanted) if !kinds.contains(&wanted) => {
            let kinds = if kinds.is_empty() {
                "none".to_owned()
            } else {
                kinds.join(", ")
            };
            let name = &record.name;
            Err(Finding::fail(
                CheckName::Record,
                format!("plugin {name} exports no {what} `{wanted}`; it has: {kinds}"),
                format!("name one of them with --{what}, or add it to export_plugin!"),
            ))
        }
        _ => Ok(()),
    }
}

/// The export that is meant: the one that was named, or the only one; `None`
/// where the library has none of that sort.
fn choose(
    record: &Record,
    path: &Path,
    what: What,
    wanted: Option<&str>,
) -> Result<Option<String>, CheckError> {
    match (wanted, record.kinds(what).as_slice()) {
        (Some(wanted), _) => Ok(Some(wanted.to_owned())),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some((*only).to_owned())),
        (None, several) => Err(CheckError::Choose {
            library: path.to_owned(),
            what: what.as_str(),
            kinds: several.iter().map(|&kind| kind.to_owned()).collect(),
        }),
    }
}
