//! One variant's place in the cache folder, shared by every clone and user
//! project of one account.
//!
//! What it keeps true: the final folder appears by one rename, complete or not
//! at all; one set-up works on it at a time; and whatever an interrupted one
//! left is removed by the next.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::release::{VERSION, Variant};

/// Written last into a finished folder. A folder without it was put there by
/// something else than a set-up that ran to its end.
const MARKER: &str = "flops-fit-setup";

/// Where one variant is, or will be.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    cache: PathBuf,
    name: String,
}

impl Slot {
    pub(super) fn of(cache: &Path, variant: Variant) -> Self {
        Self {
            cache: cache.to_owned(),
            name: variant.folder_name(),
        }
    }

    /// The final folder.
    pub(super) fn home(&self) -> PathBuf {
        self.cache.join(&self.name)
    }

    /// Whether a set-up ran to its end here.
    pub(super) fn is_complete(&self) -> bool {
        self.home().join(MARKER).is_file()
    }

    /// Keeps other set-ups of this variant out until the lock is dropped,
    /// waiting for one that is under way.
    pub(super) fn lock(&self, progress: &mut dyn Write) -> Result<Lock, Error> {
        fs::create_dir_all(&self.cache).map_err(Error::io("create", &self.cache))?;
        let path = self.cache.join(format!("{}.lock", self.name));
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let _ = writeln!(progress, "waiting for another set-up of {}", self.name);
                file.lock().map_err(Error::io("lock", &path))?;
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::io("lock", &path)(source));
            }
        }
        Ok(Lock {
            slot: self.clone(),
            _file: file,
        })
    }

    fn partial_prefix(&self) -> String {
        format!("{}.partial", self.name)
    }
}

/// The right to fill a slot. The file stays: removing it would let two holders
/// lock two files of one name.
pub(super) struct Lock {
    slot: Slot,
    _file: File,
}

impl Lock {
    /// An empty folder to work in, after removing those of interrupted set-ups.
    pub(super) fn begin(&self) -> Result<Partial<'_>, Error> {
        let cache = &self.slot.cache;
        let prefix = self.slot.partial_prefix();
        for entry in fs::read_dir(cache).map_err(Error::io("list", cache))? {
            let path = entry.map_err(Error::io("list", cache))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&prefix) {
                fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
            }
        }
        let folder = cache.join(format!("{prefix}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
        Ok(Partial { lock: self, folder })
    }
}

/// A set-up under way; dropping it removes its folder.
pub(super) struct Partial<'lock> {
    lock: &'lock Lock,
    folder: PathBuf,
}

impl Partial<'_> {
    /// Where the wheels go; removed with the rest.
    pub(super) fn wheels(&self) -> PathBuf {
        self.folder.join("wheels")
    }

    /// Where libtorch is laid out.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("libtorch")
    }

    /// Marks the new libtorch as complete and moves it to its place, whatever
    /// was there before.
    pub(super) fn finish(self) -> Result<PathBuf, Error> {
        let home = self.home();
        let marker = home.join(MARKER);
        File::create(&marker)
            .and_then(|mut file| {
                writeln!(file, "libtorch {VERSION}")?;
                file.sync_all()
            })
            .map_err(Error::io("write", &marker))?;
        let target = self.lock.slot.home();
        if target.symlink_metadata().is_ok() {
            // Programs that run from the old libtorch keep its files open.
            let old = self.folder.join("replaced");
            fs::rename(&target, &old).map_err(Error::io("replace", &target))?;
        }
        fs::rename(&home, &target).map_err(Error::io("move into place", &target))?;
        Ok(target)
    }
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        // What can't be removed now, the next set-up removes or reports.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn slot(cache: &Path) -> Slot {
        Slot::of(cache, Variant::Cpu)
    }

    #[test]
    fn leftovers_of_an_interrupted_set_up_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        let slot = slot(cache.path());
        let left = cache.path().join("libtorch-2.13.0-cpu.partial-999/wheels");
        fs::create_dir_all(&left).unwrap();
        let foreign = cache.path().join("tokens");
        fs::create_dir_all(&foreign).unwrap();

        let lock = slot.lock(&mut Vec::new()).unwrap();
        let partial = lock.begin().unwrap();
        assert!(!left.exists());
        assert!(foreign.exists());
        drop(partial);
        let names: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name.to_string_lossy().contains("partial"))
            .collect();
        assert!(names.is_empty(), "{names:?}");
    }

    #[test]
    fn only_a_finished_set_up_is_complete_and_it_replaces_what_was_there() {
        let cache = tempfile::tempdir().unwrap();
        let slot = slot(cache.path());
        fs::create_dir_all(slot.home().join("lib")).unwrap();
        assert!(!slot.is_complete());

        let lock = slot.lock(&mut Vec::new()).unwrap();
        let partial = lock.begin().unwrap();
        fs::create_dir(partial.home()).unwrap();
        let home = partial.finish().unwrap();
        assert!(slot.is_complete());
        assert!(!home.join("lib").exists());
    }

    #[test]
    fn a_second_set_up_waits_for_the_first() {
        let cache = tempfile::tempdir().unwrap();
        let slot = slot(cache.path());
        let first = slot.lock(&mut Vec::new()).unwrap();
        let (sender, told) = std::sync::mpsc::channel();
        let second = {
            let slot = slot.clone();
            std::thread::spawn(move || {
                let _lock = slot.lock(&mut Told(sender)).unwrap();
                slot.is_complete()
            })
        };
        let words = told.recv().expect("it waits, and says so");
        assert!(words.starts_with(b"waiting for another set-up"));
        let partial = first.begin().unwrap();
        fs::create_dir(partial.home()).unwrap();
        partial.finish().unwrap();
        drop(first);
        let complete = second.join().unwrap();
        assert!(complete, "the second began before the first had finished");
    }

    /// Hands on what is said as soon as it is.
    struct Told(std::sync::mpsc::Sender<Vec<u8>>);

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
