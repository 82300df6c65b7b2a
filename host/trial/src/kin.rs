//! Which processes belong to a trial.
//!
//! A worker's environment names its trial, and what a worker starts inherits
//! that, whatever session or parent it moves to. Nothing here ends a process.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::{Duration, Instant},
};

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
    let environment = environment_of(pid)?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry
            .strip_prefix(TRIAL_VARIABLE.as_bytes())?
            .strip_prefix(b"=")?;
        Some(OsStr::from_bytes(value).to_owned())
    })
}

/// How long a process may take from its new memory to its new environment: no time,
/// but where the machine gives it none.
const BIRTH: Duration = Duration::from_secs(5);

/// The environment of process `pid`. One that has just called `execve` has none
/// for a moment, though whoever started it has been told of its success.
fn environment_of(pid: u32) -> Option<Vec<u8>> {
    let read = || fs::read(format!("/proc/{pid}/environ")).ok();
    let begun = Instant::now();
    loop {
        // Before the look: one that comes after a long pause still counts.
        let is_late = begun.elapsed() > BIRTH;
        let environment = read()?;
        if !environment.is_empty() || is_late {
            return Some(environment);
        }
        if !is_being_born(pid) {
            // It may have got one between the two looks.
            return read();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Whether the kernel has given process `pid` memory, and no environment yet. The
/// threads of the kernel and what has ended have no memory, and no program either.
fn is_being_born(pid: u32) -> bool {
    let end = fs::read(format!("/proc/{pid}/stat")).ok().and_then(|line| {
        let line = String::from_utf8_lossy(&line);
        // The end of the environment is the 51st field, the state the third.
        let (_, rest) = line.rsplit_once(") ")?;
        rest.split_whitespace().nth(48)?.parse::<u64>().ok()
    });
    end == Some(0) && fs::read_link(format!("/proc/{pid}/exe")).is_ok()
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

    #[test]
    fn a_process_is_found_from_its_first_moment() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let missed = (0..300).filter(|_| {
            let mut child = Command::new("cat")
                .env(TRIAL_VARIABLE, folder.path())
                .stdin(Stdio::piped())
                .spawn()
                .expect("every Linux has `cat`");
            let found = trial_of(child.id());
            drop(child.stdin.take());
            child.wait().expect("reaped");
            found.as_deref() != Some(folder.path().as_os_str())
        });
        assert_eq!(missed.count(), 0);
    }

    #[test]
    fn what_has_no_environment_is_not_waited_for() {
        let mut bare = Command::new("cat")
            .env_clear()
            .stdin(Stdio::piped())
            .spawn()
            .expect("every Linux has `cat`");
        while is_being_born(bare.id()) {}
        assert_eq!(trial_of(bare.id()), None);
        bare.kill().expect("killed");
        assert_eq!(trial_of(bare.id()), None, "or a zombie");
        bare.wait().expect("reaped");
        assert_eq!(trial_of(bare.id()), None, "gone");
    }
}
