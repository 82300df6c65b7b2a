//! One child process with its group: started, watched, ended.

mod log;
mod orphans;
mod spawner;
mod stat;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use flops_fit_trial::{Pulse, TRIAL_VARIABLE};
use log::Log;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

pub use orphans::adopt_orphans;
pub(crate) use orphans::end_leftovers;
pub(crate) use stat::Stat;

/// How long a worker may take to say where it is: it is asked once, when it has used up
/// its time, and its answer is what names the culprit.
const ANSWER: Duration = Duration::from_secs(2);

/// How long a child that was killed may take to be gone. One that waits inside the
/// kernel, for a disk or a file server that does not answer, may take for ever.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(5);

/// A child that leads a process group.
///
/// Its standard input is a socket whose other end is kept here: the child ends
/// when that is closed, which is how it learns that its parent has died, and
/// sends its signs of life through it.
///
/// What it keeps true: when [`Process::poll`] has reported the end, or the value
/// is dropped, nothing that the child started is left, and its log is complete. The
/// exception is a child that not even SIGKILL ends: nobody waits for that one.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: Log,
    pid: Pid,
    socket: UnixStream,
    /// The last byte that came through it.
    heard: u8,
    /// What it said when it was made to exit. Another of its threads may have gone on
    /// for a moment.
    farewell: Option<Pulse>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended(ExitStatus),
    /// It was killed and did not end.
    GivenUp,
}

impl Process {
    /// Starts `command`, which must ask for a process group of its own; both of
    /// its outputs go to the new file `log`, whose size is limited.
    pub(crate) fn start(mut command: Command, log: File) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let log = Log::start(reader, log)?;
        let (socket, childs) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        command
            .stdin(OwnedFd::from(childs))
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let trial = trial(&command);
        // The command ends in there, and with it our handles of the child's ends.
        let child = orphans::start(trial, || spawner::spawn(command))?;
        let pid = Pid::from_child(&child);
        Ok(Self {
            child,
            log,
            pid,
            socket,
            heard: 0,
            farewell: None,
            state: State::Running,
        })
    }

    /// The latest sign of life since the last call.
    pub(crate) fn pulse(&mut self) -> Option<Pulse> {
        let mut bytes = [0; 64];
        let mut last = None;
        while let Ok(length @ 1..) = self.socket.read(&mut bytes) {
            for &byte in &bytes[..length] {
                let pulse = Pulse::decode(byte);
                if self.heard == Pulse::FAREWELL {
                    self.farewell = pulse.or(self.farewell);
                }
                self.heard = byte;
                last = pulse.or(last);
            }
        }
        last
    }

    /// Where the child was when it was made to exit, if it could say so.
    pub(crate) fn farewell(&mut self) -> Option<Pulse> {
        self.pulse();
        self.farewell
    }

    /// The last `count` lines that the child has printed.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        self.log.last_lines(count)
    }

    /// Where the child is right now, if it can still say so.
    pub(crate) fn ask(&mut self) -> Option<Pulse> {
        self.pulse();
        self.socket.write_all(&[Pulse::QUESTION]).ok()?;
        let asked = Instant::now();
        while asked.elapsed() < ANSWER {
            if let Some(pulse) = self.pulse() {
                return Some(pulse);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// The status, once the child has ended. What it has left behind in its
    /// group is killed before the child is reaped: until then the group's
    /// number can't be anyone else's.
    pub(crate) fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        match self.state {
            State::Ended(status) => return Ok(Some(status)),
            State::GivenUp => return Ok(None),
            State::Running => {}
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => Ok(None),
            Ok(Some(_)) => self.finish().map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Kills what is left of the group of a child that has ended, reaps the child, then
    /// kills what had left the group.
    fn finish(&mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        let status = self.child.wait()?;
        self.state = State::Ended(status);
        orphans::forget(self.pid);
        orphans::end();
        self.log.finish();
        Ok(status)
    }

    /// Sends `signal` to the group; a group that is gone is no error. SIGKILL goes to
    /// the child as well, which may have left its group.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.pid, signal);
        if signal == Signal::KILL {
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Kills the group and waits for the child, for [`KILL_GRACE`] at most.
    pub(crate) fn kill(&mut self) {
        if self.state != State::Running {
            return;
        }
        self.signal(Signal::KILL);
        let deadline = Instant::now() + KILL_GRACE;
        while matches!(self.poll(), Ok(None)) {
            if Instant::now() > deadline {
                self.give_up();
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits no longer for a child that was killed and does not end.
    pub(crate) fn give_up(&mut self) {
        self.state = State::GivenUp;
        orphans::give_up(self.pid);
    }

    /// The child's number, if it was killed and did not end.
    pub(crate) fn unended(&self) -> Option<u32> {
        (self.state == State::GivenUp).then(|| self.child.id())
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
        self.kill();
    }
}

/// The trial that a command is to work on.
fn trial(command: &Command) -> Option<OsString> {
    let mut set = command.get_envs();
    let (_, value) = set.find(|(name, _)| *name == TRIAL_VARIABLE)?;
    value.map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
