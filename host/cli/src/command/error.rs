//! Everything that can end a command, and the exit code that it ends with.

use std::{io, path::PathBuf};

use flops_fit_scaling::AnalysisError;
use flops_fit_trial::DocumentError;

use crate::{
    check::CheckError,
    exit::Exit,
    find::FindError,
    input::InputError,
    manifest::ManifestError,
    new::NewError,
    output::LockError,
    plan::PlanError,
    report::{ForecastError, NoLaws, ReadError, ReportError},
    setup,
    sweep::SweepError,
    transfer::TransferError,
    worker::WorkerError,
};

/// Why a command ended without doing what it was asked to.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is the error that it wraps")]
pub enum CommandError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Analysed(#[from] ReadError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    #[error(transparent)]
    NoLaws(#[from] NoLaws),
    #[error(transparent)]
    Transfer(TransferError),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Setup(#[from] setup::Error),
    #[error("{}: {source}", path.display())]
    Analysis {
        path: PathBuf,
        source: AnalysisError,
    },
    #[error("{} holds neither plan.json nor manifest.toml; name a manifest or an output folder", path.display())]
    NoSweep { path: PathBuf },
    #[error("{} has no plan yet; run `flops-fit run {}` first", output.display(), manifest.display())]
    NotPlanned { output: PathBuf, manifest: PathBuf },
    #[error("{} is no manifest; this command needs one, since it trains", path.display())]
    NotAManifest { path: PathBuf },
    #[error("{flag} is for tables of runs from elsewhere; {} is a sweep, whose columns have their names (its runs.csv is a table)", path.display())]
    FlagOfTable { flag: &'static str, path: PathBuf },
    #[error(
        "--set {set}: a table of runs has no manifest; the flags of `flops-fit analyze --help` do the same"
    )]
    SetOnTable { set: String },
    #[error("becoming the parent of what workers leave behind: {0}")]
    Adopt(io::Error),
    #[error("{flag} is for a library; a manifest says it itself (change it with --set)")]
    FlagOfLibrary { flag: &'static str },
    #[error("--set {set}: a library has no manifest; give its configuration with --config")]
    SetOnLibrary { set: String },
    #[error("watching for Ctrl-C: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    NoTime(FindError),
    #[error(transparent)]
    Probe(FindError),
    #[error("printing the result: {0}")]
    Print(io::Error),
    #[error("writing manual pages to {}: {source}", path.display())]
    Pages { path: PathBuf, source: io::Error },
}

impl From<FindError> for CommandError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Worker(error) => error.into(),
            FindError::Plan(error) => error.into(),
            FindError::Lock(error) => error.into(),
            FindError::Document(error) => error.into(),
            FindError::Sweep(error) => error.into(),
            error @ FindError::NoTime { .. } => Self::NoTime(error),
            error @ FindError::Probe { .. } => Self::Probe(error),
        }
    }
}

impl From<TransferError> for CommandError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Plan(error) => error.into(),
            TransferError::Lock(error) => error.into(),
            TransferError::Sweep(error) => error.into(),
            TransferError::Document(error) => error.into(),
            error => Self::Transfer(error),
        }
    }
}

impl CommandError {
    /// More than the message says, for a plugin's author: what `--verbose` adds.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Plan(PlanError::Failed { failure, .. })
            | Self::Check(CheckError::Plan(PlanError::Failed { failure, .. })) => failure.details(),
            _ => None,
        }
    }

    /// The code of the table.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Manifest(_) | Self::NotAManifest { .. } | Self::NoTime(_) => Exit::Manifest,
            Self::Probe(_) => Exit::TrialsFailed,
            Self::New(NewError::Name { .. } | NewError::Taken { .. } | NewError::Api { .. })
            | Self::NoSweep { .. }
            | Self::FlagOfTable { .. }
            | Self::SetOnTable { .. }
            | Self::FlagOfLibrary { .. }
            | Self::SetOnLibrary { .. } => Exit::Usage,
            Self::Transfer(error) => transfer_exit(error),
            Self::Input(error) => input_exit(error),
            Self::Plan(error) => plan_exit(error),
            Self::Check(error) => check_exit(error),
            Self::Lock(LockError::Busy { .. }) => Exit::Busy,
            Self::Sweep(SweepError::Rebuilt { .. }) => Exit::Rebuilt,
            Self::Worker(error) | Self::Sweep(SweepError::Worker(error)) => worker_exit(error),
            Self::Setup(_) | Self::Sweep(SweepError::Start { .. }) => Exit::Environment,
            Self::NotPlanned { .. }
            | Self::Analysis { .. }
            | Self::Forecast(_)
            | Self::NoLaws(_)
            | Self::Analysed(ReadError::Schema { .. })
            | Self::Report(ReportError::Analysis { .. }) => Exit::Analysis,
            Self::New(_)
            | Self::Lock(_)
            | Self::Sweep(_)
            | Self::Document(_)
            | Self::Report(_)
            | Self::Analysed(_)
            | Self::Adopt(_)
            | Self::Signals(_)
            | Self::Pages { .. }
            | Self::Print(_) => Exit::Internal,
        }
    }
}

fn plan_exit(error: &PlanError) -> Exit {
    match error {
        PlanError::Manifest(_) | PlanError::Grid { .. } => Exit::Manifest,
        PlanError::Plugin(_) | PlanError::Failed { .. } | PlanError::Silent { .. } => Exit::Plugin,
        PlanError::Worker(error) => worker_exit(error),
        PlanError::Start { .. } => Exit::Environment,
        PlanError::Interrupted => Exit::Interrupted,
        PlanError::Document(_) => Exit::Internal,
    }
}

fn worker_exit(error: &WorkerError) -> Exit {
    match error {
        WorkerError::Files { .. } => Exit::Internal,
        WorkerError::Named { .. } | WorkerError::Missing { .. } | WorkerError::NotLoaded { .. } => {
            Exit::Environment
        }
    }
}

fn check_exit(error: &CheckError) -> Exit {
    match error {
        CheckError::Plan(error) => plan_exit(error),
        CheckError::Config(_)
        | CheckError::Choose { .. }
        | CheckError::Lacking { .. }
        | CheckError::Size { .. } => Exit::Usage,
        CheckError::Missing(_) | CheckError::Refused { .. } => Exit::Plugin,
        CheckError::Worker(error) => worker_exit(error),
        CheckError::Start { .. } => Exit::Environment,
        CheckError::Document(_) => Exit::Internal,
        CheckError::Interrupted => Exit::Interrupted,
    }
}

/// Errors of a study that are no others wrapped.
fn transfer_exit(error: &TransferError) -> Exit {
    match error {
        TransferError::Simulated { .. } => Exit::Manifest,
        TransferError::Refused { .. } | TransferError::FewSizes { .. } => Exit::Usage,
        TransferError::Failed { .. } => Exit::TrialsFailed,
        TransferError::Interrupted => Exit::Interrupted,
        _ => Exit::Internal,
    }
}

fn input_exit(error: &InputError) -> Exit {
    match error {
        InputError::UnknownColumn { .. }
        | InputError::UnknownField { .. }
        | InputError::UnknownName { .. }
        | InputError::NoNumber { .. }
        | InputError::RepeatedField { .. }
        | InputError::MissingColumn { .. }
        | InputError::Formula(_) => Exit::Usage,
        InputError::Io { .. } => Exit::Internal,
        _ => Exit::Analysis,
    }
}
