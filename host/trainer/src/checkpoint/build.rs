//! The code that this process trains with.

use std::path::Path;

use flops_fit_plugin::LIBTORCH_VERSION;
use flops_fit_trial::{Build, Content, TrialSpec};

/// The build that trains `spec`; its libraries were compared with the plan's hashes
/// when they were opened.
pub(super) fn of(spec: &TrialSpec) -> Build {
    let run = &spec.run;
    let executable = Content::of(Path::new("/proc/self/exe")).unwrap_or_default();
    Build {
        worker: format!("{} {}", env!("CARGO_PKG_VERSION"), executable.sha256),
        libtorch: LIBTORCH_VERSION.to_owned(),
        model: run.model.sha256.clone(),
        dataset: run.dataset.sha256.clone(),
        loss: run.loss.sha256.clone(),
    }
}
