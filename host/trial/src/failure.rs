//! Why a trial failed, in types: what happened, where, and what to do.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::TrialId;

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
    /// Saving or reading a checkpoint.
    Checkpoint,
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
            Self::Checkpoint => "checkpoint",
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
    #[error(
        "out of memory in {phase}: {detail}; lower run.jobs or run.micro_batch, or leave out the largest sizes"
    )]
    OutOfMemory {
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

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

fn load_fix(symbol: Option<&str>) -> String {
    let rebuild = "rebuild it with `cargo build --release --lib`";
    match symbol {
        Some(symbol) => format!(
            "`{symbol}` is in none of the libraries that it links: link the one that has it, or {rebuild}"
        ),
        None => rebuild.to_owned(),
    }
}

fn who(plugin: Option<&str>) -> String {
    plugin.map_or_else(
        || "the worker".to_owned(),
        |plugin| format!("plugin {plugin}"),
    )
}

fn during(phase: Option<Phase>) -> String {
    phase
        .map(|phase| format!(" in {phase}"))
        .unwrap_or_default()
}

fn running(plugins: &[String]) -> String {
    match plugins {
        [] => String::new(),
        [one] => format!(" while it ran plugin {one}"),
        several => format!(" while it ran plugins {}", several.join(", ")),
    }
}

/// A signal's number and name, as messages have it.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    };
    format!("signal {signal}{name}")
}

/// What to do about it.
fn debugger(signal: i32) -> &'static str {
    match signal {
        9 => {
            "; flops-fit did not send it: the kernel does when memory runs out (see `dmesg`), and then fewer run.jobs help"
        }
        15 => "; flops-fit did not send it",
        _ => "; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger",
    }
}

fn tail(log: &[String]) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; its last words:\n  {}", log.join("\n  "))
    }
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

impl Phase {
    const ALL: [Self; 10] = [
        Self::Load,
        Self::Build,
        Self::Batch,
        Self::Forward,
        Self::Loss,
        Self::Backward,
        Self::Update,
        Self::Evaluate,
        Self::Drop,
        Self::Checkpoint,
    ];

    /// Its number in a [`Pulse`](crate::Pulse).
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_who_where_and_what_to_do() {
        let early = Failure::ExitedEarly {
            status: 0,
            phase: Some(Phase::Forward),
            plugin: Some("mine".to_owned()),
            log: vec!["bye".to_owned()],
        };
        assert_eq!(
            early.to_string(),
            "plugin mine ended the process early in forward, with status 0 and no result: a plugin must not end the process, but return an error or panic; its last words:\n  bye"
        );
        let unknown = Failure::TimedOut {
            what: "a training step".to_owned(),
            phase: None,
            plugin: None,
            key: "silence_limit".to_owned(),
            limit_s: 0.5,
        };
        assert_eq!(
            unknown.to_string(),
            "the worker made no progress for 0.5 s (a training step); raise run.silence_limit if it really is that slow"
        );
    }

    #[test]
    fn every_phase_has_its_number() {
        for (number, phase) in (0..).zip(Phase::ALL) {
            assert_eq!(phase.code(), number);
            assert_eq!(Phase::from_code(number), Some(phase));
        }
        assert_eq!(Phase::from_code(10), None);
    }

    #[test]
    fn only_a_machines_trouble_may_pass() {
        let crashed = Failure::Crashed {
            signal: 9,
            plugins: Vec::new(),
            log: Vec::new(),
        };
        assert!(crashed.may_pass());
        let panicked = Failure::Panicked {
            plugin: "mine".to_owned(),
            phase: Phase::Forward,
            message: "no".to_owned(),
            file: "src/lib.rs".to_owned(),
            line: 1,
        };
        assert!(!panicked.may_pass());
    }
}
