//! Why a chore stopped.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a chore stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}; `cargo xtask help` lists what there is")]
    Arguments(#[from] lexopt::Error),

    #[error("no chore is called {name:?}; `cargo xtask help` lists what there is")]
    UnknownChore { name: String },

    #[error("could not run `{command}`: {source}")]
    Start { command: String, source: io::Error },

    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: ExitStatus },

    #[error("could not {action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    #[error("`{command}` printed no `{field}`: {output:?}")]
    NoFigure {
        command: String,
        field: &'static str,
        output: String,
    },

    #[error(
        "no Python with torch found (tried {}): name one by --python or FLOPS_FIT_BENCH_PYTHON; \
         `pip install torch==2.13.0 numpy` makes one",
        tried.join(", ")
    )]
    NoTorch { tried: Vec<String> },

    #[error("there is no {what} at {}: name it by {flag}", path.display())]
    Absent {
        what: &'static str,
        path: PathBuf,
        flag: &'static str,
    },

    #[error("{missed} of {all} benchmarks missed their target")]
    TargetMissed { missed: usize, all: usize },
}

impl Error {
    /// 2 for a mistake on the command line, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments(_) | Self::UnknownChore { .. } => 2,
            _ => 1,
        }
    }
}
