//! Who trains: `flops-fit-worker` with plugins, a program of the user's, or a law.

use crate::{
    manifest::{self, Manifest},
    worker::{Worker, WorkerError},
};

/// Who trains the trials of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trainer {
    /// A process for each trial: flops-fit's own worker, or a program of the user's.
    Process(Worker),
    /// flops-fit itself, by a law. Nothing is started, save for a worker to plan with
    /// where the manifest names plugins.
    Law {
        /// That worker.
        planner: Option<Worker>,
    },
}

impl Trainer {
    /// The trainer of `manifest`.
    ///
    /// # Errors
    /// If it takes a worker and there is none.
    pub fn of(manifest: &Manifest) -> Result<Self, WorkerError> {
        Ok(match &manifest.trainer {
            manifest::Trainer::Plugins => Self::Process(Worker::find()?),
            manifest::Trainer::Program(command) => {
                Self::Process(Worker::program(command, &manifest.base_dir))
            }
            manifest::Trainer::Simulated(_) => Self::Law {
                planner: match manifest.model.component.plugin {
                    Some(_) => Some(Worker::find()?),
                    None => None,
                },
            },
        })
    }
}
