//! A file system that can be filled up.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system of a few megabytes in memory; unmounted when it is dropped.
pub(crate) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one at `path`. `None`, and a word on standard error, where this user
    /// may not.
    pub(crate) fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).expect("made");
        // An earlier run that was killed may have left one.
        let _ = Command::new("umount").arg("-l").arg(path).output();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            say(
                "SKIPPED: what a full or read-only disk does, since this user may not mount a small one",
            );
            return None;
        }
        Some(Self {
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

    /// Takes writing away, or gives it back.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let option = if read_only {
            "remount,ro"
        } else {
            "remount,rw"
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
