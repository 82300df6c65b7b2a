//! One writer at a time in an output folder.
//!
//! The kernel's lock on the file is what counts: it goes with its holder, however
//! that ends. The note in the file says who holds it, for messages, and decides
//! where a file system has no locks.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flops_fit_trial::remove_partial;

use super::{
    Holder, Output,
    holder::{Presence, started},
};
use crate::process::end_leftovers;

/// How long a lock is tried again that nobody has signed: that is `status`, which looks
/// and goes, on a busy machine not at once.
const UNSIGNED: Duration = Duration::from_secs(2);

/// How long one is whose holder has ended: what it had just started, and what keeps its
/// files open while it dies, soon lets go.
const DYING: Duration = Duration::from_secs(5);

/// Time between two tries.
const GLANCE: Duration = Duration::from_millis(5);

/// Held while a command writes to an output folder.
#[derive(Debug)]
pub struct Lock {
    file: File,
    stale: Option<Holder>,
}

impl Lock {
    /// Who held it before and ended without letting go of it, as a command that
    /// was killed does.
    pub fn stale(&self) -> Option<&Holder> {
        self.stale.as_ref()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty note: whoever comes next finds a holder that ended well.
        let _ = self.file.set_len(0);
    }
}

/// Why the folder can't be written to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process writes there.
    #[error(
        "{} is in use by another flops-fit{}; wait for it to end, or write elsewhere with --set output.dir=<folder>{}",
        folder.display(),
        holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default(),
        remedy(*elsewhere, folder)
    )]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, as it noted itself.
        holder: Option<Holder>,
        /// Whether that is on another machine, so that nobody here can tell
        /// whether it still runs.
        elsewhere: bool,
    },
    /// The folder can't be made or written to.
    #[error("output folder {}: {source}; make room or make it writable, or choose another with --set output.dir=<folder>", folder.display())]
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

fn remedy(elsewhere: bool, folder: &Path) -> String {
    if !elsewhere {
        return String::new();
    }
    let file = Output::at(folder).lock_file();
    format!("; if it runs no longer, remove {}", file.display())
}

impl Output {
    /// Creates the folder and takes its lock; what an earlier holder that was
    /// killed has left running is ended, and what it had half written removed.
    ///
    /// # Errors
    /// [`LockError::Busy`], and nothing was changed, if another process writes
    /// there.
    pub fn lock(&self) -> Result<Lock, LockError> {
        let unwritable = |source| LockError::Unwritable {
            folder: self.path().to_owned(),
            source,
        };
        std::fs::create_dir_all(self.trials()).map_err(unwritable)?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(self.lock_file())
            .map_err(unwritable)?;
        let stale = self.take_soon(&mut file, File::try_lock)?;
        // The note is for other processes.
        let note = serde_json::to_vec(&Holder::this()).expect("plain data");
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&note))
            .map_err(unwritable)?;
        end_leftovers(self.path());
        self.remove_partial();
        Ok(Lock { file, stale })
    }

    /// Removes files that are not whole from the folder, from those in it, and from
    /// those of the trials.
    fn remove_partial(&self) {
        let below = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
            folders.map(|entry| entry.path()).collect()
        };
        remove_partial(self.path());
        for folder in below(self.path()) {
            remove_partial(&folder);
            for trial in below(&folder) {
                remove_partial(&trial);
            }
        }
    }

    /// Takes the lock, at once or after those who are about to let go of it; the holder
    /// before, if it ended without doing so.
    fn take_soon(
        &self,
        file: &mut File,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Option<Holder>, LockError> {
        let begun = Instant::now();
        loop {
            match self.take(file, lock) {
                Err(LockError::Busy { holder, .. })
                    if begun.elapsed() < patience(holder.as_ref()) => {}
                taken => return taken,
            }
            std::thread::sleep(GLANCE);
        }
    }

    fn take(
        &self,
        file: &mut File,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Option<Holder>, LockError> {
        let locked = lock(file);
        let holder = read(file);
        let busy = |holder, elsewhere| LockError::Busy {
            folder: self.path().to_owned(),
            holder,
            elsewhere,
        };
        match locked {
            Ok(()) => Ok(holder),
            Err(TryLockError::WouldBlock) => Err(busy(holder, false)),
            Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                let presence = holder
                    .as_ref()
                    .map(|holder| holder.presence(&Holder::this(), started));
                match presence {
                    Some(Presence::Alive) => Err(busy(holder, false)),
                    Some(Presence::Elsewhere) => Err(busy(holder, true)),
                    Some(Presence::Gone) | None => Ok(holder),
                }
            }
            Err(TryLockError::Error(source)) => Err(LockError::Unwritable {
                folder: self.path().to_owned(),
                source,
            }),
        }
    }

    /// Fails where [`Output::lock`] would find a holder; makes nothing.
    ///
    /// # Errors
    /// [`LockError::Busy`].
    pub fn check_free(&self) -> Result<(), LockError> {
        match OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.lock_file())
        {
            Ok(mut file) => self.take_soon(&mut file, File::try_lock_shared).map(|_| ()),
            Err(_) => Ok(()),
        }
    }

    /// Whether a command is writing there now.
    pub fn is_locked(&self) -> bool {
        self.check_free().is_err()
    }
}

/// How long a lock is tried again that `holder` has.
fn patience(holder: Option<&Holder>) -> Duration {
    match holder.map(|holder| holder.presence(&Holder::this(), started)) {
        None => UNSIGNED,
        Some(Presence::Gone) => DYING,
        Some(Presence::Alive | Presence::Elsewhere) => Duration::ZERO,
    }
}

/// Whether the system says that there are no locks on this file system, rather
/// than that something is wrong.
fn has_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let unknown = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::INVAL];
    unknown
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The note of a holder; torn or older ones say nothing.
fn read(file: &mut File) -> Option<Holder> {
    const LONGEST: u64 = 4096;
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path().join("a").join("b"));
        assert!(!output.is_locked());
        assert!(!output.path().exists(), "to look makes nothing");
        let lock = output.lock().expect("free");
        assert_eq!(lock.stale(), None);
        assert!(output.is_locked());
        let busy = output.lock().expect_err("held").to_string();
        let this = Holder::this();
        assert!(
            busy.contains(&format!("(process {} on {}", this.process, this.host)),
            "{busy}"
        );
        drop(lock);
        assert!(!output.is_locked());
        let again = output.lock().expect("free again");
        assert_eq!(again.stale(), None, "the first one has let go");
    }

    #[test]
    fn a_holder_that_was_killed_is_noticed_and_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path());
        drop(output.lock().expect("free"));
        let dead = Holder {
            process: i32::MAX,
            ..Holder::this()
        };
        let note = serde_json::to_vec(&dead).expect("plain data");
        std::fs::write(output.lock_file(), note).expect("written");
        let lock = output.lock().expect("nobody holds it");
        assert_eq!(lock.stale(), Some(&dead));
        drop(lock);
        std::fs::write(output.lock_file(), "{\"process\": 12").expect("written");
        assert_eq!(output.lock().expect("free").stale(), None, "a torn note");
    }

    #[test]
    fn a_holder_that_is_dying_is_waited_for() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path());
        drop(output.lock().expect("free"));
        let dead = Holder {
            process: i32::MAX,
            ..Holder::this()
        };
        let note = serde_json::to_vec(&dead).expect("plain data");
        std::fs::write(output.lock_file(), note).expect("written");
        let held = File::open(output.lock_file()).expect("opened");
        held.lock().expect("free");
        std::thread::scope(|scope| {
            let lock = scope.spawn(|| output.lock());
            std::thread::sleep(UNSIGNED + Duration::from_millis(500));
            assert!(!lock.is_finished(), "it gave up too early");
            drop(held);
            let lock = lock.join().expect("no panic").expect("let go");
            assert_eq!(lock.stale(), Some(&dead));
        });
    }

    /// Takes a folder whose lock file holds `note`, where taking its lock does what `lock`
    /// does.
    fn take(
        note: &[u8],
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Option<Holder>, LockError> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path());
        std::fs::write(output.lock_file(), note).expect("written");
        let mut file = File::open(output.lock_file()).expect("opened");
        output.take(&mut file, lock)
    }

    #[test]
    fn where_there_are_no_locks_the_note_decides() {
        let no_locks = |_: &File| Err(TryLockError::Error(Errno::NOLCK.into()));
        let noted = |change: &dyn Fn(&mut Holder)| {
            let mut holder = Holder::this();
            change(&mut holder);
            let note = serde_json::to_vec(&holder).expect("plain data");
            (holder, take(&note, no_locks))
        };
        let (this, taken) = noted(&|_| {});
        let Err(LockError::Busy {
            holder: Some(holder),
            elsewhere: false,
            ..
        }) = taken
        else {
            panic!("{taken:?}");
        };
        assert_eq!(holder, this);

        let gone: [&dyn Fn(&mut Holder); 2] = [&|holder| holder.process = i32::MAX, &|holder| {
            holder.boot = "before".to_owned();
        }];
        for change in gone {
            let (holder, taken) = noted(change);
            assert_eq!(taken.expect("nobody holds it"), Some(holder));
        }

        let (_, taken) = noted(&|holder| {
            holder.boot = "another".to_owned();
            holder.host = "another".to_owned();
        });
        let error = taken.expect_err("it may run there");
        assert!(matches!(
            error,
            LockError::Busy {
                elsewhere: true,
                ..
            }
        ));
        let error = error.to_string();
        assert!(
            error.contains("; if it runs no longer, remove /"),
            "{error}"
        );
        assert!(error.ends_with("/.lock"), "{error}");

        assert_eq!(take(b"", no_locks).expect("nobody has signed"), None);
    }

    #[test]
    fn a_disk_that_fails_is_no_file_system_without_locks() {
        let failed = |_: &File| Err(TryLockError::Error(Errno::IO.into()));
        let error = take(b"", failed).expect_err("nothing is known");
        assert!(matches!(error, LockError::Unwritable { .. }), "{error}");
    }

    #[test]
    fn what_a_killed_holder_had_half_written_is_removed() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path());
        drop(output.lock().expect("free"));
        let trial = output.trials().join("12");
        for folder in [&output.plots(), &trial] {
            std::fs::create_dir(folder).expect("made");
        }
        for folder in [output.path(), &output.plots(), &trial] {
            std::fs::write(folder.join(".part-x"), "half").expect("written");
            std::fs::write(folder.join("whole"), "whole").expect("written");
        }
        let _lock = output.lock().expect("free");
        for folder in [output.path(), &output.plots(), &trial] {
            assert!(!folder.join(".part-x").exists(), "{}", folder.display());
            assert!(folder.join("whole").exists(), "{}", folder.display());
        }
    }
}
