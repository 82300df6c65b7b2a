//! Ctrl-C and SIGTERM: a flag that the loops look at.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether the user has asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A flag that the process's signals raise. The first one asks for a clean
    /// stop; a second one ends the process at once, and the workers with it,
    /// since they watch the pipe from their parent. A signal that was ignored when the
    /// process was started stays ignored: that is what `nohup` is for.
    pub fn on_signals() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|s| !is_ignored(*s))
        {
            // The order matters: the shutdown looks at the flag before it is raised.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Raises it, as a signal would.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// From now on the first signal ends the process at once, with status 130: what
    /// follows needs no clean stop.
    pub(crate) fn end_at_once(&self) {
        self.raise();
    }
}

/// Whether this process ignores `signal`; `false` where the system does not say.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// The ignored signals of a `/proc/<pid>/status`: bit 0 is signal 1.
fn ignored(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read_from_the_right_line() {
        let status = "Name:\tsh\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        let mask = ignored(status).expect("a mask");
        assert_eq!(mask, 1 << (SIGHUP - 1) | 1 << 12);
        assert_eq!(ignored("Name:\tsh\n"), None);
    }
}
