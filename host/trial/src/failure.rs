//! Why a trial failed, in types: what happened, where, and what to do.

mod fix;
mod phase;
mod words;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use phase::Phase;
pub use words::signal_name;
use words::{debugger, during, list, load_fix, running, tail, who};

use crate::TrialId;

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
    /// The library ends before what its headers promise.
    #[error("plugin {} is truncated: its headers promise {promised} bytes, the file has {found}; build or copy it again", path.display())]
    Truncated {
        /// The library.
        path: PathBuf,
        /// Bytes that it should have.
        promised: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The library was built for another machine.
    #[error("plugin {} was built for {found}, this machine is {expected}; build it here with `cargo build --release --lib`", path.display())]
    WrongArchitecture {
        /// The library.
        path: PathBuf,
        /// What it was built for.
        found: String,
        /// What this is.
        expected: String,
    },
    /// The dynamic linker refused the library.
    #[error("{} could not be loaded: {detail}; {}", path.display(), load_fix(symbol.as_deref()))]
    LoadFailed {
        /// The library.
        path: PathBuf,
        /// The symbol that nothing defines, if that was it.
        symbol: Option<String>,
        /// The linker's words.
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
        /// Where the tables' layouts differ, for the plugin's author: too long for the
        /// message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layouts: Option<String>,
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
    #[error("plugin {plugin} panicked in {phase} at {file}:{line}: {message}; {}", fix::panicked(file, *line))]
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
    #[error("plugin {plugin} failed in {phase}: {message}; {}", fix::PLUGIN)]
    Plugin {
        /// The plugin's name.
        plugin: String,
        /// In which call.
        phase: Phase,
        /// The error's message.
        message: String,
    },
    /// A tensor of the wrong shape, type or device crossed the boundary.
    #[error(
        "plugin {plugin}: {what} should be {expected}, got {got}; {}",
        fix::BAD_TENSOR
    )]
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
    #[error("{} ran out of memory in {phase}: {detail}; {}", who(plugin.as_deref()), fix::OUT_OF_MEMORY)]
    OutOfMemory {
        /// The plugin whose call it was; absent where the host itself asked for memory, and
        /// for a program of the user's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<String>,
        /// In which part.
        phase: Phase,
        /// The allocator's words.
        detail: String,
    },
    /// The worker died of a signal that its parent did not send.
    #[error("the worker was killed by {}{}{}{}", signal_name(*signal), running(plugins), debugger(*signal), tail(log))]
    Crashed {
        /// Signal number.
        signal: i32,
        /// The plugins whose code ran in it.
        plugins: Vec<String>,
        /// Last lines of its log.
        log: Vec<String>,
    },
    /// The worker ended without writing a result.
    #[error(
        "{} ended the process early{}, with status {status} and no result: a plugin must not end the process, but return an error or panic{}",
        who(plugin.as_deref()),
        during(*phase),
        tail(log)
    )]
    ExitedEarly {
        /// Exit status.
        status: i32,
        /// In which call, where the worker could still say so.
        phase: Option<Phase>,
        /// The plugin that was called then.
        plugin: Option<String>,
        /// Last lines of its log.
        log: Vec<String>,
    },
    /// The worker could not read or write the trial's files.
    #[error("the worker ended for want of a file: {detail}")]
    Files {
        /// Its last word.
        detail: String,
    },
    /// The trunk that a branch was to leave failed before.
    #[error("trunk {trunk}, which it was to leave after step {step}, failed: {reason}")]
    Trunk {
        /// The trunk.
        trunk: TrialId,
        /// Where it was to leave it.
        step: u64,
        /// Why that one failed.
        reason: String,
    },
    /// There is no checkpoint to begin a branch from.
    #[error(
        "trunk {trunk} has no checkpoint of step {step} to leave from{}; run again to have it grown to there",
        why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    NoBranchPoint {
        /// The trunk.
        trunk: TrialId,
        /// Where it was to leave it.
        step: u64,
        /// Why the one that was there is not used.
        why: Option<String>,
    },
    /// A limit was passed.
    #[error(
        "{} made no progress for {limit_s} s{} ({what}); raise run.{key} if it really is that slow",
        who(plugin.as_deref()),
        during(*phase)
    )]
    TimedOut {
        /// What was being waited for.
        what: String,
        /// In which call, where the worker could still say so.
        phase: Option<Phase>,
        /// The plugin that was called then.
        plugin: Option<String>,
        /// The manifest's key for the limit.
        key: String,
        /// The limit in seconds.
        limit_s: f64,
    },
    /// A program of the user's ended and left no answer or result.
    #[error(
        "trainer `{program}` ended with {ended} and left no {file}{}",
        tail(log)
    )]
    ProgramEnded {
        /// Its command.
        program: String,
        /// `status 1` or `signal 9 (SIGKILL)`.
        ended: String,
        /// The file that it should have written.
        file: String,
        /// Last lines of its log.
        log: Vec<String>,
    },
    /// A program of the user's wrote what can't be used.
    #[error(
        "trainer `{program}`: its {file} can't be used: {problem} (docs/trainers.md says what stands there)"
    )]
    ProgramFile {
        /// Its command.
        program: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A program of the user's says that it failed.
    #[error("trainer `{program}` failed: {message}")]
    ProgramFailed {
        /// Its command.
        program: String,
        /// Its words.
        message: String,
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

impl Failure {
    /// The library that it is about, where it is about a file.
    pub fn library(&self) -> Option<&Path> {
        match self {
            Self::NotAPlugin { path, .. }
            | Self::Truncated { path, .. }
            | Self::WrongArchitecture { path, .. }
            | Self::LoadFailed { path, .. }
            | Self::Incompatible { path, .. } => Some(path),
            _ => None,
        }
    }

    /// More about it than its message says, of use to the plugin's author alone.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Incompatible { layouts, .. } => layouts.as_deref(),
            _ => None,
        }
    }

    /// Whether the same trial may end better when it is started once more: true
    /// of what a machine does to a process, not of what a plugin decides.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Crashed { .. }
                | Self::ExitedEarly { .. }
                | Self::Files { .. }
                | Self::TimedOut { .. }
                | Self::ProgramEnded { .. }
        )
    }

    /// Whether a smaller micro-batch would have needed less memory.
    pub fn shrinks_with_the_batch(&self) -> bool {
        matches!(
            self,
            Self::OutOfMemory {
                phase: Phase::Batch | Phase::Forward | Phase::Loss | Phase::Backward,
                ..
            }
        )
    }
}

#[cfg(test)]
mod tests;
