//! One child process with its group: started, watched, ended.

mod log;

use std::{
    fs::File,
    io,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use log::Log;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long the log of a child that has ended may take to be complete.
const LOG_GRACE: Duration = Duration::from_secs(2);

/// A child that leads a process group.
///
/// What it keeps true: when [`Process::poll`] has reported the end, or the value
/// is dropped, nothing of the group is left, and its log is complete.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: Log,
    pid: Pid,
    ended: bool,
}

impl Process {
    /// Starts `command`, which must ask for a process group of its own; both of
    /// its outputs go to a new file `log`, whose size is limited.
    pub(crate) fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let log = Log::start(reader, log)?;
        let child = command.stdout(writer.try_clone()?).stderr(writer).spawn();
        // The log ends when nobody holds the other end of the pipe any more.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = child?;
        let pid = Pid::from_child(&child);
        Ok(Self {
            child,
            log,
            pid,
            ended: false,
        })
    }

    /// The status, once the child has ended. What it has left behind in its
    /// group is killed before the child is reaped: until then the group's
    /// number can't be anyone else's.
    pub(crate) fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        if !self.ended {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.pid), options) {
                Ok(None) | Err(rustix::io::Errno::INTR) => return Ok(None),
                Ok(Some(_)) => {}
                Err(error) => return Err(error.into()),
            }
            self.signal(Signal::KILL);
            self.ended = true;
            self.log.finish(LOG_GRACE);
        }
        self.child.wait().map(Some)
    }

    /// Sends `signal` to the group; a group that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.pid, signal);
    }

    /// Kills the group and waits for the child.
    pub(crate) fn kill(&mut self) {
        if !self.ended {
            self.signal(Signal::KILL);
            self.ended = true;
            self.log.finish(LOG_GRACE);
        }
        let _ = self.child.wait();
    }

    /// Asks the group to end, waits up to `grace`, then kills it.
    pub(crate) fn stop(&mut self, grace: Duration) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline {
            if !matches!(self.poll(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
        }
    }
}

/// The last `count` lines of a log, for a message; at most its last 8 kB are
/// read.
pub(crate) fn last_lines(log: &Path, count: usize) -> Vec<String> {
    use io::{Read, Seek, SeekFrom};
    const WINDOW: u64 = 8192;
    let mut bytes = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
        file.take(WINDOW).read_to_end(&mut bytes)
    });
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let first = lines.len().saturating_sub(count);
    lines[first..].iter().map(|&line| line.to_owned()).collect()
}
