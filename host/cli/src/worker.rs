//! The worker: the one process that opens plugins, and how to find it.

mod ended;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) use ended::blameless;
use flops_fit_trial::{Precision, TF32_VARIABLE};
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// File name of the worker.
pub const NAME: &str = "flops-fit-worker";

/// With `0` it forbids TF32 to all of NVIDIA's libraries, cuDNN included, whose
/// convolutions use it by default; any other value leaves them as they are.
const NVIDIA_TF32_VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

/// Variable that names a worker to use instead.
pub const VARIABLE: &str = "FLOPS_FIT_WORKER";

/// There is no worker, or it can't do its work here.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The variable names something that isn't there.
    #[error("{VARIABLE}={} is no file; correct or unset it", path.display())]
    Named {
        /// What it names.
        path: PathBuf,
    },
    /// It is nowhere.
    #[error(
        "{NAME} was found neither beside flops-fit ({}) nor on PATH; build it with `cargo build --release` in flops-fit's workspace, or set {VARIABLE}",
        beside.display()
    )]
    Missing {
        /// Where it should be.
        beside: PathBuf,
    },
    /// The libraries that it is linked with can't be loaded.
    #[error(
        "the worker can't start: {words}; run `flops-fit setup` in the folder that it was built in to link libtorch again (`flops-fit doctor` says what is missing)"
    )]
    NotLoaded {
        /// The dynamic loader's words.
        words: String,
    },
    /// It can't read or write its files.
    #[error("the worker ended for want of a file: {words}")]
    Files {
        /// Its last words.
        words: String,
    },
}

/// An executable that can be started as the worker: flops-fit's own, or a program of
/// the user's that takes the same verbs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    path: PathBuf,
    /// What comes before the verb.
    arguments: Vec<String>,
    /// Where it runs; where flops-fit does if absent.
    folder: Option<PathBuf>,
}

impl Worker {
    /// Looks at `FLOPS_FIT_WORKER`, beside this executable, then on PATH.
    pub fn find() -> Result<Self, WorkerError> {
        if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            let path = PathBuf::from(named);
            return match path.canonicalize() {
                Ok(path) if path.is_file() => Ok(Self::at(path)),
                _ => Err(WorkerError::Named { path }),
            };
        }
        let executable = env::current_exe().unwrap_or_default();
        let beside = executable.with_file_name(NAME);
        let path = env::var_os("PATH").unwrap_or_default();
        let on_path = env::split_paths(&path).map(|folder| folder.join(NAME));
        std::iter::once(beside.clone())
            .chain(on_path)
            .find(|path| path.is_file())
            .map(Self::at)
            .ok_or(WorkerError::Missing { beside })
    }

    /// A worker at a known place.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            folder: None,
        }
    }

    /// The program that `command` starts in `folder`. A first word with a slash is a
    /// path from there, any other is looked for on PATH.
    pub fn program(command: &[String], folder: &Path) -> Self {
        let mut words = command.iter();
        let first = words.next().map(String::as_str).unwrap_or_default();
        Self {
            path: if first.contains('/') {
                folder.join(first)
            } else {
                PathBuf::from(first)
            },
            arguments: words.cloned().collect(),
            folder: Some(folder.to_owned()),
        }
    }

    /// The command without its verb, for messages.
    pub(crate) fn name(&self) -> String {
        let mut name = self.path.display().to_string();
        for argument in &self.arguments {
            name.push(' ');
            name.push_str(argument);
        }
        name
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `flops-fit-worker`, with `threads` intra-op threads and products in `precision`, in a
    /// process group of its own, so that a terminal's Ctrl-C reaches the parent
    /// alone and a time-out ends whatever the worker has started.
    pub(crate) fn command(&self, threads: u32, precision: Precision) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        // libtorch reads these when it is loaded; set later they do nothing.
        command
            .env("OMP_NUM_THREADS", threads.to_string())
            .env("MKL_NUM_THREADS", threads.to_string())
            .process_group(0);
        // A program of the user's sets its own, and sees to its own end.
        if self.folder.is_none() {
            end_with_parent(&mut command);
            let tf32 = u8::from(precision == Precision::Tf32).to_string();
            command
                .env(TF32_VARIABLE, &tf32)
                .env(NVIDIA_TF32_VARIABLE, &tf32);
        }
        command
    }
}

/// Has the kernel kill what `command` starts as soon as this process is gone, from the
/// very first: loading libtorch takes a worker a while, and only then can it see to that
/// itself.
fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let parent = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that is gone already sends no signal any more.
        if getppid() == Some(parent) {
            Ok(())
        } else {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: two system calls and no allocation, which a child may do between fork and
    // exec.
    unsafe { command.pre_exec(tie) };
}
