//! Which processes belong to a trial.
//!
//! A worker's environment names its trial, and what a worker starts inherits
//! that, whatever session or parent it moves to. Nothing here ends a process.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

/// The variable in the environment of a worker and of all that it starts: the
/// trial's folder.
pub const TRIAL_VARIABLE: &str = "FLOPS_FIT_TRIAL";

/// The processes whose trial is at `folder` or below it, this one left out.
pub fn processes_of(folder: &Path) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| pid != std::process::id())
        .filter(|&pid| trial_of(pid).is_some_and(|trial| Path::new(&trial).starts_with(folder)))
        .collect()
}

/// The folder of the trial that process `pid` belongs to, if this user may know.
pub fn trial_of(pid: u32) -> Option<std::ffi::OsString> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry
            .strip_prefix(TRIAL_VARIABLE.as_bytes())?
            .strip_prefix(b"=")?;
        Some(OsStr::from_bytes(value).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_found_by_its_environment() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut child = Command::new("cat")
            .env(TRIAL_VARIABLE, folder.path().join("trials/1"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("every Linux has `cat`");
        assert_eq!(processes_of(folder.path()), [child.id()]);
        assert_eq!(
            processes_of(&folder.path().join("trials/2")),
            [0_u32; 0],
            "another trial's"
        );
        child.kill().expect("killed");
        child.wait().expect("reaped");
        assert!(processes_of(folder.path()).is_empty());
    }
}
