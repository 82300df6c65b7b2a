//! Why a trial failed, in types: what happened, where, and what to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The part of a trial during which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opening a library.
    Load,
    /// Constructing model, dataset or loss.
    Build,
    /// Making a batch.
    Batch,
    /// A forward pass.
    Forward,
    /// Computing the loss.
    Loss,
    /// The backward pass.
    Backward,
    /// The optimizer's update.
    Update,
    /// Held-out evaluation.
    Evaluate,
    /// Dropping a plugin's objects.
    Drop,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Build => "build",
            Self::Batch => "batch",
            Self::Forward => "forward",
            Self::Loss => "loss",
            Self::Backward => "backward",
            Self::Update => "update",
            Self::Evaluate => "evaluate",
            Self::Drop => "drop",
        })
    }
}

/// How a trial (or a worker's `describe`) failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// The file is no flops-fit plugin.
    #[error("{} is not a flops-fit plugin: {why}", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the fix.
        why: String,
    },
    /// The dynamic linker refused the library.
    #[error("{} could not be loaded: {detail}; rebuild it with `cargo build --release --lib`", path.display())]
    LoadFailed {
        /// The library.
        path: PathBuf,
        /// The linker's words (they name the missing symbol).
        detail: String,
    },
    /// The library was built against another ABI, tch or libtorch.
    #[error("{} was built with {built}, this flops-fit has {host}; {fix}", path.display())]
    Incompatible {
        /// The library.
        path: PathBuf,
        /// What it was built with.
        built: String,
        /// What the host has.
        host: String,
        /// How to rebuild.
        fix: String,
    },
    /// The plugin does not export what the manifest names.
    #[error(
        "plugin {plugin} exports no {what} `{wanted}`; it has: {}",
        list(available)
    )]
    UnknownKind {
        /// The plugin's name.
        plugin: String,
        /// `model`, `dataset` or `loss`.
        what: String,
        /// The kind that was asked for.
        wanted: String,
        /// The kinds it has.
        available: Vec<String>,
    },
    /// A configuration that the plugin refuses.
    #[error("plugin {plugin} refuses its {what} configuration: {}{message}", key.as_ref().map(|k| format!("key `{k}`: ")).unwrap_or_default())]
    Config {
        /// The plugin's name.
        plugin: String,
        /// `model`, `dataset` or `loss`.
        what: String,
        /// The dotted key, where it is known.
        key: Option<String>,
        /// What was found, what is accepted.
        message: String,
    },
    /// The plugin panicked.
    #[error("plugin {plugin} panicked in {phase} at {file}:{line}: {message}")]
    Panicked {
        /// The plugin's name.
        plugin: String,
        /// In which call.
        phase: Phase,
        /// The panic's message.
        message: String,
        /// Source file.
        file: String,
        /// Line in it.
        line: u32,
    },
    /// The plugin returned an error.
    #[error("plugin {plugin} failed in {phase}: {message}")]
    Plugin {
        /// The plugin's name.
        plugin: String,
        /// In which call.
        phase: Phase,
        /// The error's message.
        message: String,
    },
    /// A tensor of the wrong shape, type or device crossed the boundary.
    #[error("plugin {plugin}: {what} should be {expected}, got {got}")]
    BadTensor {
        /// The plugin's name.
        plugin: String,
        /// Which tensor.
        what: String,
        /// What was expected.
        expected: String,
        /// What came.
        got: String,
    },
    /// The plugin broke a rule of the interface.
    #[error("plugin {plugin} breaks the plugin contract: {rule}")]
    ContractViolation {
        /// The plugin's name.
        plugin: String,
        /// Which rule, how, and the fix.
        rule: String,
    },
    /// The worker ran out of memory.
    #[error("out of memory in {phase}: {detail}")]
    OutOfMemory {
        /// In which part.
        phase: Phase,
        /// The allocator's words.
        detail: String,
    },
    /// The worker died of a signal.
    #[error("the worker was killed by signal {signal}{}", tail(log))]
    Crashed {
        /// Signal number.
        signal: i32,
        /// Last lines of its log.
        log: Vec<String>,
    },
    /// The worker ended without writing a result.
    #[error(
        "the worker ended early with status {status} and no result: a plugin must not end the process{}",
        tail(log)
    )]
    ExitedEarly {
        /// Exit status.
        status: i32,
        /// Last lines of its log.
        log: Vec<String>,
    },
    /// A limit was passed.
    #[error(
        "no progress for {limit_s} s ({what}); raise run.{key} if the model really is that slow"
    )]
    TimedOut {
        /// What was being waited for.
        what: String,
        /// The manifest's key for the limit.
        key: String,
        /// The limit in seconds.
        limit_s: f64,
    },
    /// libtorch or the host itself failed.
    #[error("{phase} failed: {detail}")]
    Host {
        /// In which part.
        phase: Phase,
        /// What was said.
        detail: String,
    },
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

fn tail(log: &[String]) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; its last words:\n  {}", log.join("\n  "))
    }
}
