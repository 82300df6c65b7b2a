//! Clauses that several messages have.

use super::Phase;

pub(super) fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

pub(super) fn load_fix(symbol: Option<&str>) -> String {
    let rebuild = "rebuild it with `cargo build --release --lib`";
    match symbol {
        Some(symbol) => format!(
            "`{symbol}` is in none of the libraries that it links: link the one that has it, or {rebuild}"
        ),
        None => rebuild.to_owned(),
    }
}

pub(super) fn who(plugin: Option<&str>) -> String {
    plugin.map_or_else(
        || "the worker".to_owned(),
        |plugin| format!("plugin {plugin}"),
    )
}

pub(super) fn during(phase: Option<Phase>) -> String {
    phase
        .map(|phase| format!(" in {phase}"))
        .unwrap_or_default()
}

pub(super) fn running(plugins: &[String]) -> String {
    match plugins {
        [] => String::new(),
        [one] => format!(" while it ran plugin {one}"),
        several => format!(" while it ran plugins {}", several.join(", ")),
    }
}

/// A signal's number and name, as messages have it.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    };
    format!("signal {signal}{name}")
}

/// What to do about it.
pub(super) fn debugger(signal: i32) -> &'static str {
    match signal {
        9 => {
            "; flops-fit did not send it: the kernel does when memory runs out (see `dmesg`), and then fewer run.jobs help"
        }
        15 => "; flops-fit did not send it",
        _ => "; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger",
    }
}

pub(super) fn tail(log: &[String]) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; its last words:\n  {}", log.join("\n  "))
    }
}
