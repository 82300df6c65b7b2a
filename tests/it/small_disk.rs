//! A file system that can be filled up.
//!
//! Mounting one takes root, of the machine or of a user namespace: where this user is
//! no root, a test that needs one is run again in a namespace where it is.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Names the test for whose sake this process is root of a namespace.
const NAMESPACE: &str = "FLOPS_FIT_TEST_NAMESPACE";

/// That test, if it is.
pub(crate) fn namespace() -> Option<String> {
    std::env::var(NAMESPACE).ok()
}

/// A file system of a few megabytes in memory; unmounted when it is dropped.
pub(crate) struct SmallDisk {
    path: PathBuf,
}

/// Where a test gets its small disk.
pub(crate) enum Mounted {
    /// In this process.
    Here(SmallDisk),
    /// In another one, in which the whole test has passed.
    Elsewhere,
    /// Not on this machine, which was said.
    Nowhere,
}

impl Mounted {
    /// The disk, if it is here.
    pub(crate) fn here(self) -> Option<SmallDisk> {
        match self {
            Self::Here(disk) => Some(disk),
            Self::Elsewhere | Self::Nowhere => None,
        }
    }
}

impl SmallDisk {
    /// Mounts one at `path` for the test of the name `test`, `module::function`, which
    /// must not have done anything yet that takes long.
    ///
    /// # Panics
    /// If the test fails in its namespace; where `FLOPS_FIT_NO_SKIPS` is set, also if
    /// there can be no small disk.
    pub(crate) fn mount(test: &str, path: &Path, megabytes: u32) -> Mounted {
        if let Some(disk) = Self::mounted(path, megabytes) {
            return Mounted::Here(disk);
        }
        assert!(namespace().is_none(), "root of a namespace mounts a tmpfs");
        let namespace = |program: &Path| {
            let mut command = Command::new("unshare");
            command.arg("-rm").arg(program);
            command
        };
        // The least that has to work there.
        let possible = namespace(Path::new("mount"))
            .args(["-t", "tmpfs", "tmpfs"])
            .arg(path)
            .output();
        if !possible.is_ok_and(|output| output.status.success()) {
            let words = "what a full or read-only disk does, since this user may neither mount a small one nor make a user namespace to do so";
            let all = std::env::var_os("FLOPS_FIT_NO_SKIPS").is_some_and(|all| !all.is_empty());
            assert!(!all, "this machine can't test {words}");
            say(&format!("SKIPPED: {words}"));
            return Mounted::Nowhere;
        }
        let output = namespace(&std::env::current_exe().expect("the test's own path"))
            .args(["--exact", test, "--include-ignored", "--nocapture"])
            .env(NAMESPACE, test)
            .output()
            .expect("started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success() && out.contains("1 passed"),
            "{test} in a user namespace:\n{out}\n{err}"
        );
        Mounted::Elsewhere
    }

    fn mounted(path: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).expect("made");
        // An earlier run that was killed may have left one.
        let _ = Command::new("umount").arg("-l").arg(path).output();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self {
                path: path.to_owned(),
            })
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    /// Takes all room that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a name takes no room");
        for length in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![b'x'; length]).is_ok() {}
        }
    }

    /// Gives `kib` KiB of it back.
    pub(crate) fn give_back(&self, kib: u64) {
        let filler = OpenOptions::new().write(true).open(self.filler());
        let filler = filler.expect("the disk was filled");
        let length = filler.metadata().expect("it is there").len();
        filler.set_len(length - (kib << 10)).expect("cut");
    }

    /// Gives all of it back.
    pub(crate) fn free(&self) {
        let _ = std::fs::remove_file(self.filler());
    }

    /// Takes writing away, or gives it back: of the mount, not of what is mounted, whose
    /// options belong to whoever owns the namespace in which it was made.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let option = if read_only {
            "remount,bind,ro"
        } else {
            "remount,bind,rw"
        };
        let status = Command::new("mount")
            .args(["-o", option])
            .arg(&self.path)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{option}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A test's word, which is shown however it ends.
pub(crate) fn say(words: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}
