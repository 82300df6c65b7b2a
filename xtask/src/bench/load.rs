//! How busy the machine is with other things.

use std::fs;

/// The load average of the last minute: running processes, our own of the
/// preceding run included. `None` where the kernel does not tell.
pub(super) fn average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
