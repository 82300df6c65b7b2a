//! What to do about a failure, where its message ends with that.

use super::Failure;

pub(super) const PLUGIN: &str = "the words are the plugin's, or libtorch's, and the call must succeed on every batch: mend what they name";

pub(super) const BAD_TENSOR: &str =
    "mend the plugin where it makes it; `flops-fit check` looks at it without a sweep";

pub(super) const OUT_OF_MEMORY: &str =
    "lower run.jobs or run.micro_batch, or leave out the largest sizes";

pub(super) fn panicked(file: &str, line: u32) -> String {
    format!("a plugin must not panic: mend {file}:{line}, or return an Error there")
}

impl Failure {
    /// What to do about it, where that is the last clause of the message.
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Panicked { file, line, .. } => Some(panicked(file, *line)),
            Self::Plugin { .. } => Some(PLUGIN.to_owned()),
            Self::BadTensor { .. } => Some(BAD_TENSOR.to_owned()),
            Self::OutOfMemory { .. } => Some(OUT_OF_MEMORY.to_owned()),
            _ => None,
        }
    }

    /// The message without the [`fix`](Self::fix).
    pub fn found(&self) -> String {
        let message = self.to_string();
        let fix = self.fix().map(|fix| format!("; {fix}"));
        fix.and_then(|fix| message.strip_suffix(&fix).map(str::to_owned))
            .unwrap_or(message)
    }
}
