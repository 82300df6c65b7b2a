//! `--open`: hands a file to the desktop's viewer.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The desktop's own program for opening any file.
const OPENER: &str = "xdg-open";

/// Variables of which a graphical session sets at least one.
const DISPLAYS: [&str; 2] = ["DISPLAY", "WAYLAND_DISPLAY"];

/// Why a file was not shown. None of it means that the file is not there.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// No screen.
    #[error("there is no display to open {} on; copy it to a machine that has one", path.display())]
    NoDisplay {
        /// The file.
        path: PathBuf,
    },
    /// The opener could not be started.
    #[error("starting {OPENER} for {}: {source}; install xdg-utils, or open the file yourself", path.display())]
    NoOpener {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The opener found no program for the file.
    #[error("{OPENER} could not open {}{}; open the file yourself", path.display(), status.map_or_else(String::new, |s| format!(" (status {s})")))]
    Refused {
        /// The file.
        path: PathBuf,
        /// Its exit status; absent where a signal ended it.
        status: Option<i32>,
    },
}

/// Opens `path` in the desktop's viewer, which goes on without us.
///
/// # Errors
/// When there is no display, no opener, or no viewer.
pub fn open(path: &Path) -> Result<(), ShowError> {
    open_with(path, OsStr::new(OPENER), |name| {
        std::env::var_os(name).is_some_and(|value| !value.is_empty())
    })
}

fn open_with(path: &Path, opener: &OsStr, is_set: impl Fn(&str) -> bool) -> Result<(), ShowError> {
    let path = path.to_owned();
    if !DISPLAYS.into_iter().any(is_set) {
        return Err(ShowError::NoDisplay { path });
    }
    let status = Command::new(opener)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Err(source) => Err(ShowError::NoOpener { path, source }),
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ShowError::Refused {
            path,
            status: status.code(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tests::machine::no_script_is_written;

    #[test]
    fn what_stands_in_the_way_is_told() {
        let path = Path::new("report.html");
        let check = |opener: &str, display: bool, expected: &str| {
            let _guard = no_script_is_written();
            let result = open_with(path, OsStr::new(opener), |_| display);
            let found = result.map_or_else(|error| error.to_string(), |()| String::new());
            assert!(found.contains(expected), "{found}");
            assert!(found.is_empty() == expected.is_empty(), "{found}");
        };
        check("true", true, "");
        check("true", false, "no display to open report.html");
        check("no-such-opener", true, "install xdg-utils");
        check("false", true, "could not open report.html (status 1)");
    }
}
