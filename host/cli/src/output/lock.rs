//! One writer at a time in an output folder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::PathBuf,
};

use super::Output;

/// Held while a command writes to an output folder. The system lets go of it
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the folder can't be written to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process writes there.
    #[error(
        "{} is in use by another flops-fit{}; wait for it to end, or write elsewhere with --set output.dir=<folder>",
        folder.display(),
        process.as_ref().map(|p| format!(" (process {p})")).unwrap_or_default()
    )]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, as it noted itself.
        process: Option<String>,
    },
    /// The folder can't be made or written to.
    #[error("output folder {}: {source}; make it writable, or choose another with --set output.dir=<folder>", folder.display())]
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Output {
    /// Creates the folder and takes its lock.
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
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Busy {
                    folder: self.path().to_owned(),
                    process: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
        // The note is for other processes' messages only.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(unwritable)?;
        Ok(Lock { _file: file })
    }

    /// Whether a command is writing there now.
    pub fn is_locked(&self) -> bool {
        File::open(self.lock_file())
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Output::at(folder.path().join("a").join("b"));
        let lock = output.lock().expect("free");
        assert!(output.is_locked());
        let busy = output.lock().expect_err("held").to_string();
        assert!(
            busy.contains(&format!("process {}", std::process::id())),
            "{busy}"
        );
        drop(lock);
        assert!(!output.is_locked());
        output.lock().expect("free again");
    }
}
