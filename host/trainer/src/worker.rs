//! `flops-fit-worker`: what the parent starts, and what one runs under a
//! debugger.

mod pending;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::{Parser, Subcommand};
use flops_fit_plugin::LIBTORCH_VERSION;
use flops_fit_trial::{
    CANNOT_WRITE, CheckRequest, CheckWriter, Content, CoordinatesRequest, CoordinatesResponse,
    DescribeRequest, DescribeResponse, DocumentError, Environment, FORMAT, Failure, Load, Outcome,
    Part, Phase, Progress, ProgressWriter, TrialDir, TrialSpec, read_json, write_json,
};

use pending::Pending;

use crate::{
    Keeper,
    allocator::keep_freed_memory,
    check, coordinates, describe,
    device::{cuda_devices, is_cuda},
    gpu, parent,
    plugin::Library,
    precision,
    train::{Blueprint, LastResort, Observer, Trained, Training, train},
};

/// Trains one trial of a flops-fit sweep, in a process of its own.
///
/// `flops-fit` starts it; by hand it is for debugging a plugin:
///
///   gdb --args flops-fit-worker train outputs/my-sweep/trials/1f0c…
#[derive(Debug, Parser)]
#[command(name = "flops-fit-worker", version)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what model, dataset and loss are, and count every size
    Describe {
        /// Question (JSON)
        request: PathBuf,
        /// Where the answer goes (JSON)
        response: PathBuf,
    },
    /// Find out whether plugins keep the contract
    Check {
        /// Question (JSON)
        request: PathBuf,
        /// Where the answer goes (JSON lines)
        answer: PathBuf,
    },
    /// Say how far outputs move in the first steps, at several sizes
    Coordinates {
        /// Question (JSON)
        request: PathBuf,
        /// Where the answer goes (JSON)
        response: PathBuf,
    },
    /// Compare every CUDA device with the CPU
    Gpu {
        /// Where the answer goes (JSON)
        answer: PathBuf,
    },
    /// Train the trial or trunk whose trial.json is in this folder
    Train {
        /// The folder
        trial: PathBuf,
    },
}

/// Runs a command. The exit status is 0 if an answer or a result was written,
/// whatever it says, and [`CANNOT_WRITE`] if not even that could be done.
pub fn run(command: Command) -> ExitCode {
    parent::follow();
    keep_freed_memory();
    let done = match command.verb {
        Verb::Describe { request, response } => answer(&request, &response),
        Verb::Check { request, answer } => look_over(&request, &answer),
        Verb::Coordinates { request, response } => measure(&request, &response),
        Verb::Gpu { answer } => {
            set_threads(1);
            let scratch = answer.parent().unwrap_or(Path::new("."));
            write_json(&answer, &gpu::report(scratch))
        }
        Verb::Train { trial } => train_in(&TrialDir::new(trial)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            // No plugin's call is what ends this process.
            parent::enter(Part::Host, Phase::Load);
            ExitCode::from(CANNOT_WRITE)
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the worker's log is its standard error"
)]
pub(crate) fn report(problem: &dyn std::fmt::Display) {
    eprintln!("flops-fit-worker: {problem}");
}

fn answer(request: &Path, response: &Path) -> Result<(), DocumentError> {
    let request: DescribeRequest = read_json(request)?;
    set_threads(1);
    let answer = match describe(&request) {
        Ok(description) => DescribeResponse::Described {
            format: FORMAT,
            description: Box::new(description),
        },
        Err(failure) => {
            report(&failure);
            DescribeResponse::Failed {
                format: FORMAT,
                failure,
            }
        }
    };
    write_json(response, &answer)
}

fn measure(request: &Path, response: &Path) -> Result<(), DocumentError> {
    let request: CoordinatesRequest = read_json(request)?;
    set_threads(request.threads);
    let answer = match coordinates(&request) {
        Ok(sizes) => CoordinatesResponse::Measured {
            format: FORMAT,
            sizes,
        },
        Err(failure) => {
            report(&failure);
            CoordinatesResponse::Failed {
                format: FORMAT,
                failure,
            }
        }
    };
    write_json(response, &answer)
}

fn look_over(request: &Path, answer: &Path) -> Result<(), DocumentError> {
    let request: CheckRequest = read_json(request)?;
    set_threads(request.threads);
    CheckWriter::create(answer)
        .and_then(|mut writer| check(&request, &mut writer))
        .map_err(|source| DocumentError::Io {
            action: "writing",
            path: answer.to_owned(),
            source,
        })
}

fn train_in(folder: &TrialDir) -> Result<(), DocumentError> {
    let began = Instant::now();
    let spec = folder.spec()?;
    let reserved = folder.reserve_result()?;
    let libraries = hash_libraries(&spec);
    let checked = check_libraries(&spec, &libraries);
    let pending = Pending::new(reserved, spec.id.clone(), environment(&spec, libraries));
    let trained = checked
        .and_then(|()| Keeper::open(folder, &spec))
        .and_then(|mut keeper| {
            if let Some(outcome) = keeper.grown() {
                return Ok(Training::Ended(Trained::nothing(outcome)));
            }
            let mut log = ProgressLog::begin(folder, &keeper, began, pending.clone());
            let trained = train_spec(&spec, &mut keeper, &mut log);
            pending.goes_on(&keeper);
            trained
        });
    let (outcome, train, evaluate) = match trained {
        Ok(Training::Ended(Trained {
            outcome,
            train_seconds,
            evaluate_seconds,
            ..
        })) => (outcome, train_seconds, evaluate_seconds),
        Ok(Training::Interrupted { step }) => die_of_sigterm(step),
        Err(failure) => {
            report(&failure);
            (Outcome::Failed { failure }, 0.0, 0.0)
        }
    };
    let last = match outcome {
        Outcome::Failed { .. } => None,
        // What is further on serves the next stretch.
        Outcome::Grown { steps, .. } => Some(steps),
        Outcome::Completed { .. } | Outcome::Diverged { .. } => Some(u64::MAX),
    };
    pending.write(outcome, train, evaluate)?;
    match last {
        // A trial that has failed is tried again, and goes on from where it was.
        None => {}
        Some(last) => folder.checkpoints().remove_until(last),
    }
    Ok(())
}

/// Ends the process the way the signal would have.
fn die_of_sigterm(step: u64) -> ! {
    report(&format!("stopped by SIGTERM after step {step}"));
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTERM);
    std::process::abort()
}

fn train_spec(
    spec: &TrialSpec,
    keeper: &mut Keeper,
    log: &mut ProgressLog,
) -> Result<Training, Failure> {
    if spec.run.devices.iter().any(|name| is_cuda(name)) {
        cuda_devices();
    }
    set_threads(spec.run.threads);
    let recipe = &spec.recipe;
    precision::check(recipe.train.precision)?;
    let dataset = open(Part::Dataset, &spec.run.dataset)?.dataset(
        &recipe.dataset.kind,
        &spec.run.dataset.config,
        &spec.run.base_dir.to_string_lossy(),
    )?;
    check_fingerprint(
        &recipe.dataset.plugin,
        &recipe.fingerprint,
        &dataset.fingerprint()?,
    )?;
    let data = dataset.description().clone();
    let loss = open(Part::Loss, &spec.run.loss)?.loss_kind(&recipe.loss.kind)?;
    let model = open(Part::Model, &spec.run.model)?.model(&recipe.model.kind)?;
    let blueprint = Blueprint::new(model, loss, &spec.run.loss.config, &data);
    keeper.stop_on_sigterm().map_err(|error| Failure::Host {
        phase: Phase::Checkpoint,
        detail: format!("asking for SIGTERM: {error}"),
    })?;
    parent::last_words_first();
    train(spec, &blueprint, dataset, Some(keeper), log)
}

fn open(part: Part, load: &Load) -> Result<Library, Failure> {
    parent::enter(part, Phase::Load);
    Library::open(&load.library)
}

fn check_fingerprint(plugin: &str, planned: &str, found: &str) -> Result<(), Failure> {
    if planned == found {
        return Ok(());
    }
    Err(Failure::ContractViolation {
        plugin: plugin.to_owned(),
        rule: format!(
            "the dataset's content changed since the sweep was planned (fingerprint {planned}, now {found}); \
             restore the data, or plan again with `flops-fit run`"
        ),
    })
}

fn set_threads(threads: u32) {
    tch::set_num_threads(threads.max(1) as i32);
    tch::set_num_interop_threads(1);
}

/// SHA-256 of each library by path, as it is right before it is opened.
fn hash_libraries(spec: &TrialSpec) -> BTreeMap<String, String> {
    let run = &spec.run;
    let paths = BTreeSet::from([&run.model, &run.dataset, &run.loss].map(|load| &load.library));
    let hashed = paths.into_iter().map(|path| {
        let content = Content::of(path).unwrap_or_default();
        (path.display().to_string(), content.sha256)
    });
    hashed.collect()
}

/// A library that was rebuilt since the sweep was planned would mix two models
/// in one fit.
fn check_libraries(spec: &TrialSpec, hashes: &BTreeMap<String, String>) -> Result<(), Failure> {
    for load in [&spec.run.model, &spec.run.dataset, &spec.run.loss] {
        let path = load.library.display().to_string();
        if hashes.get(&path).is_some_and(|found| *found != load.sha256) {
            let detail = format!(
                "{path} changed since this sweep was planned; run it again, with --retrain if the \
                 change matters to results or --accept-rebuilt if it does not"
            );
            return Err(Failure::Host {
                phase: Phase::Load,
                detail,
            });
        }
    }
    Ok(())
}

fn environment(spec: &TrialSpec, libraries: BTreeMap<String, String>) -> Environment {
    let run = &spec.run;
    Environment {
        worker: env!("CARGO_PKG_VERSION").to_owned(),
        libtorch: LIBTORCH_VERSION.to_owned(),
        devices: run.devices.clone(),
        threads: run.threads,
        micro_batch: run.micro_batch,
        attempt: run.attempt,
        libraries,
        ..Environment::default()
    }
}

struct ProgressLog {
    writer: Option<ProgressWriter>,
    began: Instant,
    pending: Pending,
    /// Whether training has begun.
    started: bool,
}

impl ProgressLog {
    /// Goes on with the file of a trial that goes on.
    fn begin(folder: &TrialDir, keeper: &Keeper, began: Instant, pending: Pending) -> Self {
        let path = folder.progress_path();
        let writer = if keeper.is_continued() {
            ProgressWriter::append(&path)
        } else {
            ProgressWriter::create(&path)
        };
        Self {
            writer: writer.ok(),
            began,
            pending,
            started: false,
        }
    }
}

impl Observer for ProgressLog {
    fn progress(&mut self, progress: &Progress) {
        let at = self.began.elapsed().as_secs_f64();
        if !std::mem::replace(&mut self.started, true) {
            self.pending.started(at);
        }
        let line = Progress {
            at,
            ..progress.clone()
        };
        // Telemetry: a full disk shows when the result is written.
        if let Some(writer) = &mut self.writer {
            let _ = writer.write(&line);
        }
    }

    fn last_resort(&mut self, keeper: Option<&Keeper>) -> Option<LastResort> {
        if let Some(keeper) = keeper {
            self.pending.goes_on(keeper);
        }
        let pending = self.pending.clone();
        Some(Box::new(move |failure| {
            report(&failure);
            report(&"another thread of this trial does not end; it is left behind");
            let written = pending.write(Outcome::Failed { failure }, 0.0, 0.0);
            if let Err(error) = &written {
                report(error);
            }
            parent::leave(if written.is_ok() { 0 } else { CANNOT_WRITE })
        }))
    }
}
