//! Who holds a folder: enough to tell a living holder from one that is gone.

use std::{fmt, fs};

use rustix::{process::getpid, system::uname};
use serde::{Deserialize, Serialize};

use crate::process::Stat;

/// A process as the lock file names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pub process: i32,
    /// The machine's name.
    pub host: String,
    /// This start of the machine: the kernel's boot id.
    pub boot: String,
    /// When the process started, in the kernel's ticks since that start: a number
    /// that was given to another process since is not taken for this one.
    pub started: u64,
    /// The same for people: seconds since 1970.
    pub since: u64,
}

/// Whether a holder can still be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Alive,
    Gone,
    /// It is on another machine.
    Elsewhere,
}

impl Holder {
    /// This process.
    pub(super) fn this() -> Self {
        let process = getpid().as_raw_nonzero().get();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
        Self {
            process,
            host: uname().nodename().to_string_lossy().into_owned(),
            boot: boot(),
            started: started(process).unwrap_or_default(),
            since: now.map_or(0, |elapsed| elapsed.as_secs()),
        }
    }

    /// Whether the holder can still be there, seen from `here`; `started` tells
    /// when a process of this machine was started, if there is one.
    pub(super) fn presence(&self, here: &Self, started: impl Fn(i32) -> Option<u64>) -> Presence {
        if self.boot == here.boot {
            return match started(self.process) {
                Some(ticks) if ticks == self.started => Presence::Alive,
                _ => Presence::Gone,
            };
        }
        if self.host == here.host {
            // The machine was started again since.
            return Presence::Gone;
        }
        Presence::Elsewhere
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
        let age = now.map_or(0, |now| now.as_secs().saturating_sub(self.since));
        write!(
            f,
            "process {} on {}, started {} ago",
            self.process,
            self.host,
            crate::time::duration(age as f64)
        )
    }
}

fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim().to_owned()
}

/// When a process was started, in ticks since the machine was; `None` if it has ended.
pub(super) fn started(process: i32) -> Option<u64> {
    let stat = Stat::of(process).filter(|stat| !stat.ended)?;
    Some(stat.started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_known_by_more_than_its_number() {
        let here = Holder::this();
        assert_eq!(here.presence(&here, started), Presence::Alive);
        let check = |change: &dyn Fn(&mut Holder), expected| {
            let mut holder = here.clone();
            change(&mut holder);
            assert_eq!(holder.presence(&here, started), expected, "{holder:?}");
        };
        check(&|holder| holder.started += 1, Presence::Gone);
        check(&|holder| holder.process = i32::MAX, Presence::Gone);
        check(&|holder| holder.boot = "before".to_owned(), Presence::Gone);
        let elsewhere = |holder: &mut Holder| {
            holder.boot = "another".to_owned();
            holder.host = "another".to_owned();
        };
        check(&elsewhere, Presence::Elsewhere);
    }
}
