//! Ends of a worker that are no plugin's fault: the dynamic loader ended it before its
//! first line, or it could not read or write its files.

use std::process::ExitStatus;

use flops_fit_trial::{CANNOT_WRITE, Part, Pulse};

use super::WorkerError;

/// Status of a program whose libraries the dynamic loader can't find (`ld.so`).
const NOT_LOADED: i32 = 127;

/// What the loader says then, after the program's path: the library is missing, or it
/// is another version's.
const LOADER: [&str; 2] = [
    "error while loading shared libraries: ",
    "symbol lookup error: ",
];

/// The error of a worker that ended with `status` and has left no answer, where no
/// plugin's call ended it; `log` holds its last lines.
///
/// A worker says where it was when it exits, which a plugin that exits with the same
/// status makes it say too: the part that was called tells the two apart.
pub(crate) fn blameless(
    status: ExitStatus,
    farewell: Option<Pulse>,
    log: &[String],
) -> Option<WorkerError> {
    let last = log.last().map(String::as_str).unwrap_or_default();
    match (status.code()?, farewell) {
        (NOT_LOADED, None) if LOADER.iter().any(|words| last.contains(words)) => {
            Some(WorkerError::NotLoaded {
                words: last.to_owned(),
            })
        }
        (
            code,
            Some(Pulse {
                part: Part::Host, ..
            }),
        ) if code == i32::from(CANNOT_WRITE) => Some(WorkerError::Files {
            // A full disk may have swallowed its words.
            words: if last.is_empty() {
                "it could say no more; make room, and make the folder writable".to_owned()
            } else {
                last.to_owned()
            },
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use flops_fit_trial::{Phase, Stage};

    use super::*;

    #[test]
    fn a_plugin_that_exits_with_the_same_status_is_not_excused() {
        let missing = "/w: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: No such file or directory";
        let other = "/w: symbol lookup error: /w: undefined symbol: at_empty";
        let full =
            "flops-fit-worker: reserving /t/.part-result: No space left on device (os error 28)";
        let said = |part| {
            Some(Pulse {
                stage: Stage::Start,
                part,
                phase: Phase::Load,
            })
        };
        let check = |code: i32, farewell, line: &str, wanted: Option<&str>| {
            let log = [line.to_owned()];
            let error = blameless(ExitStatus::from_raw(code << 8), farewell, &log);
            let error = error.map(|error| error.to_string());
            match wanted {
                Some(words) => assert!(error.is_some_and(|e| e.contains(words)), "{line}"),
                None => assert_eq!(error, None, "{line}"),
            }
        };
        check(127, None, missing, Some("libtorch_cpu.so"));
        check(127, None, other, Some("`flops-fit doctor`"));
        check(127, None, "sh: nonsense: not found", None);
        check(127, said(Part::Model), missing, None);
        check(1, None, missing, None);
        check(74, said(Part::Host), full, Some("No space left on device"));
        check(74, said(Part::Host), "", Some("make room"));
        check(74, said(Part::Loss), full, None);
        check(74, None, full, None);
    }
}
