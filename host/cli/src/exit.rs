//! Exit codes: one table for every command, repeated in `docs/exit-codes.md`.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Success = 0,
    /// The operating system or flops-fit itself failed.
    Internal = 1,
    /// The command line makes no sense (clap's own code).
    Usage = 2,
    /// The manifest is wrong.
    Manifest = 3,
    /// A plugin's library is missing, is none, doesn't fit, fails when it is asked
    /// about its sizes, or fails a check.
    Plugin = 4,
    /// Some trials failed; the others have their results.
    TrialsFailed = 5,
    /// There are no results, or none that a law can be fitted to.
    Analysis = 6,
    /// The machine lacks something: the worker, libtorch, a compiler.
    Environment = 7,
    /// Another flops-fit is writing to the output folder.
    Busy = 8,
    /// A library changed under an unchanged version: `--accept-rebuilt` or
    /// `--retrain`.
    Rebuilt = 9,
    /// Ctrl-C or SIGTERM; the same command goes on where this one stopped.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its line of the table.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Success, "everything was done"),
        (Self::Internal, "the system or flops-fit itself failed"),
        (Self::Usage, "the command line makes no sense"),
        (Self::Manifest, "the manifest is wrong"),
        (
            Self::Plugin,
            "a plugin is missing, unfit, fails when it is described, or fails `check`",
        ),
        (
            Self::TrialsFailed,
            "some trials failed; the others have their results",
        ),
        (
            Self::Analysis,
            "no results, or none that a law can be fitted to",
        ),
        (
            Self::Environment,
            "the worker, libtorch or a compiler is missing",
        ),
        (
            Self::Busy,
            "another flops-fit is writing to the output folder",
        ),
        (
            Self::Rebuilt,
            "a library changed under an unchanged version",
        ),
        (Self::Interrupted, "interrupted; the same command goes on"),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table_is_this_one() {
        let page = include_str!("../../../docs/exit-codes.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| {} | {meaning}", exit.code());
            assert!(page.contains(&row), "docs/exit-codes.md lacks {row:?}");
        }
        assert_eq!(
            page.lines().filter(|line| line.starts_with("| ")).count(),
            Exit::ALL.len() + 1
        );
    }
}
