//! The other side: the same model and shapes in eager PyTorch.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use super::{Case, Options};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// The script, beside the clone.
const SCRIPT: &str = "../shared/bench/torch_eager.py";
/// The text of the demonstration sweep, beside the clone.
const TEXT: &str = "../shared/data/austen.txt";

/// A Python with torch, and the script for it.
pub(super) struct PyTorch {
    python: PathBuf,
    script: PathBuf,
}

impl PyTorch {
    pub(super) fn find(workspace: &Workspace, options: &Options) -> Result<Self, Error> {
        let script = options
            .baseline
            .clone()
            .unwrap_or_else(|| workspace.path(SCRIPT));
        if !script.is_file() {
            return Err(Error::Absent {
                what: "PyTorch script",
                path: script,
                flag: "--baseline",
            });
        }
        let named = options
            .python
            .clone()
            .or_else(|| env::var_os("FLOPS_FIT_BENCH_PYTHON").map(PathBuf::from));
        let candidates = match named {
            Some(python) => vec![python],
            None => vec![PathBuf::from("python3"), PathBuf::from("python")],
        };
        match candidates
            .iter()
            .find(|python| step::succeeds(Command::new(python).args(["-c", "import torch"])))
        {
            Some(python) => Ok(Self {
                python: python.clone(),
                script,
            }),
            None => Err(Error::NoTorch {
                tried: candidates
                    .iter()
                    .map(|python| python.display().to_string())
                    .collect(),
            }),
        }
    }

    /// Times `steps` training steps of an eager model or of a compiled one.
    pub(super) fn step(&self, case: Case, steps: usize, compile: bool) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(&self.script)
            .args(["step", "--case", &case.to_string()])
            .args(["--threads", "1", "--steps", &steps.to_string()])
            .args(compile.then_some("--compile"));
        command
    }

    /// Trains the demonstration sweep.
    pub(super) fn sweep(&self, text: &std::path::Path, jobs: usize) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(&self.script)
            .arg("sweep")
            .arg("--text")
            .arg(text)
            .args(["--jobs", &jobs.to_string()]);
        command
    }
}

/// The text that both sides train on.
pub(super) fn text(workspace: &Workspace, options: &Options) -> Result<PathBuf, Error> {
    let path = options.text.clone().unwrap_or_else(|| workspace.path(TEXT));
    path.canonicalize().map_err(|_| Error::Absent {
        what: "text",
        path,
        flag: "--text",
    })
}
