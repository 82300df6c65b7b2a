//! The manifest with everything written out, as it is kept beside the results.
//!
//! Running the copy is the same as running the original: relative paths keep
//! their meaning through `base_dir`.

use std::path::{Path, PathBuf};

use flops_fit_scaling::Method;
use flops_fit_scaling::design::Wish;
use flops_fit_scaling::grid::{Budgets, Center, Layout, SizeList};
use serde::Serialize;
use serde_json::Value as Json;

use super::analysis::SCHEMES;
use super::sweep::ADAPTIVE;
use super::{Assumed, Component, Manifest, Sizes, Trainer, Warmup};

#[derive(Serialize)]
struct Resolved<'m> {
    name: &'m str,
    base_dir: &'m Path,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    plugin_path: &'m [PathBuf],
    #[serde(skip_serializing_if = "Option::is_none")]
    trainer: Option<Json>,
    model: Model<'m>,
    dataset: Export<'m>,
    loss: Export<'m>,
    sweep: Sweep<'m>,
    train: Train,
    run: Run<'m>,
    analysis: Analysis<'m>,
    output: Output<'m>,
}

#[derive(Serialize)]
struct Export<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'m str>,
    kind: &'m str,
    config: &'m Json,
}

#[derive(Serialize)]
struct Model<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'m str>,
    kind: &'m str,
    size_param: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<Json>,
    config: &'m Json,
}

#[derive(Serialize)]
struct Sweep<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    budgets: Option<&'m Budgets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes_per_budget: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    center: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<Grid<'m>>,
    seeds: &'m [u64],
    min_steps: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Grid<'m> {
    Word(&'static str),
    Listed(&'m [SizeList]),
}

#[derive(Serialize)]
struct Train {
    lr: Json,
    schedule: Json,
    warmup: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_tokens: Option<Json>,
    weight_decay: f64,
    betas: [f64; 2],
    eps: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    grad_clip: Option<f64>,
    precision: flops_fit_trial::Precision,
    eval_tokens: u64,
}

#[derive(Serialize)]
struct Run<'m> {
    jobs: usize,
    threads: Json,
    devices: &'m [String],
    devices_per_trial: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    micro_batch: Option<u64>,
    checkpoint_interval: f64,
    start_limit: f64,
    silence_limit: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_limit: Option<f64>,
    time_limit: Option<f64>,
    stop_grace: f64,
    retries: u32,
    retry_diverged: bool,
    keep_branches: bool,
}

#[derive(Serialize)]
struct Analysis<'m> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'m [f64],
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    draws: usize,
    scheme: &'static str,
    seed: u64,
    drop_worst: usize,
    quality_checks: bool,
    max_repeats: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wish: Option<Wish>,
    prior: Assumed,
}

#[derive(Serialize)]
struct Output<'m> {
    dir: &'m Path,
    tensorboard: bool,
}

impl Manifest {
    /// The manifest as TOML with defaults and overrides written out.
    pub fn to_toml(&self) -> String {
        let resolved = Resolved {
            name: &self.name,
            base_dir: &self.base_dir,
            plugin_path: &self.plugin_path,
            trainer: trainer(&self.trainer),
            model: Model {
                plugin: self.model.component.plugin.as_deref(),
                kind: &self.model.component.kind,
                size_param: &self.model.size_param,
                sizes: self.model.sizes.as_ref().map(sizes),
                config: &self.model.component.config,
            },
            dataset: export(&self.dataset),
            loss: export(&self.loss),
            sweep: self.resolved_sweep(),
            train: self.resolved_train(),
            run: Run {
                jobs: self.run.jobs,
                threads: self.run.threads.to_json(),
                devices: &self.run.devices,
                devices_per_trial: self.run.devices_per_trial.to_json(),
                micro_batch: self.run.micro_batch,
                checkpoint_interval: self.run.checkpoint_interval.as_secs_f64(),
                start_limit: self.run.limits.start.as_secs_f64(),
                silence_limit: self.run.limits.silence.as_secs_f64(),
                step_limit: self.run.limits.step.map(|limit| limit.as_secs_f64()),
                time_limit: self.run.limits.total.map(|limit| limit.as_secs_f64()),
                stop_grace: self.run.limits.stop.as_secs_f64(),
                retries: self.run.retries,
                retry_diverged: self.run.retry_diverged,
                keep_branches: self.run.keep_branches,
            },
            analysis: self.resolved_analysis(),
            output: Output {
                dir: &self.output_dir,
                tensorboard: self.tensorboard,
            },
        };
        let body = toml::to_string(&resolved).expect("a checked manifest is plain TOML data");
        // A comment of TOML holds no control characters; a file's name may.
        let path = self.path.display().to_string();
        let path = path.replace(char::is_control, "\u{fffd}");
        format!("# {path} as it was run: defaults and overrides written out.\n{body}")
    }

    fn resolved_sweep(&self) -> Sweep<'_> {
        let none = Sweep {
            budgets: None,
            sizes_per_budget: None,
            center: None,
            span: None,
            grid: None,
            seeds: &self.sweep.seeds,
            min_steps: self.sweep.min_steps,
        };
        match &self.sweep.layout {
            Layout::Listed(lists) => Sweep {
                grid: Some(Grid::Listed(lists)),
                ..none
            },
            Layout::Around { budgets, spread } => Sweep {
                budgets: Some(budgets),
                sizes_per_budget: Some(spread.per_budget),
                center: Some(center(&spread.center)),
                span: Some(spread.span),
                grid: self.sweep.adaptive.then_some(Grid::Word(ADAPTIVE)),
                ..none
            },
        }
    }

    fn resolved_analysis(&self) -> Analysis<'_> {
        let options = &self.analysis;
        let words = SCHEMES.into_iter();
        let mut words = words.filter(|(_, scheme)| *scheme == options.bootstrap.scheme);
        Analysis {
            targets: &options.targets,
            method: options.method.map(Method::name),
            draws: options.bootstrap.draws,
            scheme: words.next().map_or("wild", |(word, _)| word),
            seed: options.bootstrap.seed,
            drop_worst: options.drop_worst,
            quality_checks: options.quality_checks,
            max_repeats: options.max_repeats.unwrap_or(f64::INFINITY),
            price: options.price.as_ref().map(ToString::to_string),
            wish: Some(options.wish).filter(|wish| *wish != Wish::default()),
            prior: self.prior,
        }
    }

    fn resolved_train(&self) -> Train {
        let optimizer = &self.train.optimizer;
        Train {
            lr: self.train.lr.resolved(),
            schedule: self.resolved_schedule(),
            warmup: match self.train.warmup {
                Warmup::Share(share) => share.into(),
                Warmup::Units(tokens) => serde_json::json!({ "tokens": tokens }),
                Warmup::Steps(steps) => serde_json::json!({ "steps": steps }),
            },
            batch_tokens: self.train.batch_units.resolved(),
            weight_decay: optimizer.weight_decay,
            betas: [optimizer.beta1, optimizer.beta2],
            eps: optimizer.eps,
            grad_clip: self.train.grad_clip,
            precision: self.train.precision,
            eval_tokens: self.train.eval_units,
        }
    }

    fn resolved_schedule(&self) -> Json {
        let mut schedule =
            serde_json::to_value(&self.train.schedule).expect("a schedule is plain data");
        if self.train.reuse_trunk {
            schedule["reuse_trunk"] = true.into();
        }
        schedule
    }
}

fn export(component: &Component) -> Export<'_> {
    Export {
        plugin: component.plugin.as_deref(),
        kind: &component.kind,
        config: &component.config,
    }
}

fn trainer(trainer: &Trainer) -> Option<Json> {
    match trainer {
        Trainer::Plugins => None,
        Trainer::Program(command) => Some(serde_json::json!({ "command": command })),
        Trainer::Simulated(simulation) => {
            let mut table = serde_json::to_value(simulation).expect("a simulation is plain data");
            table["kind"] = "simulated".into();
            Some(table)
        }
    }
}

fn sizes(sizes: &Sizes) -> Json {
    match sizes {
        Sizes::List(list) => list.clone().into(),
        Sizes::Range {
            min,
            max,
            multiple_of,
        } => serde_json::json!({ "min": min, "max": max, "multiple_of": multiple_of }),
    }
}

fn center(center: &Center) -> Json {
    match center {
        Center::PowerLaw { k, exponent } => serde_json::json!({ "k": k, "exponent": exponent }),
        Center::Minima(minima) => minima
            .iter()
            .map(|(budget, n)| serde_json::json!({ "budget": budget, "n": n }))
            .collect(),
    }
}
