//! What the kernel says of a process: its parent, its group, its start.

use std::fs;

/// A process as `/proc/<pid>/stat` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// In ticks since the machine was started. With it a number means one process:
    /// it may be given again to another.
    pub(crate) started: u64,
    /// Whether it has ended and is still to be reaped.
    pub(crate) ended: bool,
}

impl Stat {
    /// Of process `pid`, if there is one.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&line))
    }

    /// Of all processes, by number.
    pub(super) fn all() -> impl Iterator<Item = (i32, Self)> {
        let entries = fs::read_dir("/proc").into_iter().flatten();
        entries.filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, Self::of(pid)?))
        })
    }

    fn parse(line: &str) -> Option<Self> {
        // pid (name) state parent group …, of which the start is the 22nd; the name
        // may hold anything.
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            ended: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest_of_the_line() {
        let line = "77 (a) Z 1 1 b) S 12 34 34 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 5678 1 2 3";
        let stat = Stat {
            parent: 12,
            group: 34,
            started: 5678,
            ended: false,
        };
        assert_eq!(Stat::parse(line), Some(stat));
        let ended = Stat {
            ended: true,
            ..stat
        };
        assert_eq!(Stat::parse(&line.replace(") S", ") Z")), Some(ended));
        assert_eq!(Stat::parse("77 (a) S 12"), None, "torn");
    }

    #[test]
    fn this_process_is_there() {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let stat = Stat::of(own).expect("it runs");
        assert!(!stat.ended);
        assert_eq!(
            stat.group,
            rustix::process::getpgrp().as_raw_nonzero().get()
        );
        assert!(Stat::all().any(|found| found == (own, stat)));
        assert_eq!(Stat::of(i32::MAX), None);
    }
}
