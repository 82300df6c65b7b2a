//! One worker that makes checks: started, watched, its answer read whatever
//! became of it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    CheckEvent, CheckName, CheckRequest, Finding, Precision, read_check_events, write_json,
};

use super::CheckError;
use crate::{
    interrupt::Interrupt,
    process::Process,
    worker::{Worker, blameless},
};

const POLL: Duration = Duration::from_millis(10);
const LOG_LINES: usize = 8;

/// SHA-256 of what a seed decides, by what was hashed.
pub(super) type Hashes = BTreeMap<String, String>;

/// What a worker found out.
pub(super) struct Answer {
    pub(super) findings: Vec<Finding>,
    pub(super) hashes: Option<Hashes>,
}

/// Asks a worker. No check may take longer than `limit`; when one does, or ends
/// the process, that is its finding, and the answer ends there.
pub(super) fn ask(
    request: &CheckRequest,
    limit: Duration,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Answer, CheckError> {
    let start = |source| CheckError::Start {
        worker: worker.path().to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(start)?;
    let question = folder.path().join("request.json");
    let answer = folder.path().join("answer.jsonl");
    let log = folder.path().join("worker.log");
    write_json(&question, request)?;
    let mut command = worker.command(request.threads, Precision::Fp32);
    command.arg("check").args([&question, &answer]);
    let mut process = Process::start(command, File::create(&log).map_err(start)?).map_err(start)?;
    let mut sign = (size(&answer), Instant::now());
    let end = loop {
        if let Some(status) = process.poll().map_err(start)? {
            let said = process.last_lines(LOG_LINES);
            if let Some(error) = blameless(status, process.farewell(), &said) {
                return Err(error.into());
            }
            break ending(status, &said);
        }
        if interrupt.is_raised() {
            return Err(CheckError::Interrupted);
        }
        let size = size(&answer);
        if size != sign.0 {
            sign = (size, Instant::now());
        }
        if sign.1.elapsed() > limit {
            process.kill();
            break format!("no end after {} s", limit.as_secs_f64());
        }
        std::thread::sleep(POLL);
    };
    let events = read_check_events(&answer).unwrap_or_default();
    Ok(collect(events, &end))
}

/// The findings and hashes among `events`; a check that was begun and not ended
/// has failed as the worker `ended`.
fn collect(events: Vec<CheckEvent>, ended: &str) -> Answer {
    let mut answer = Answer {
        findings: Vec::new(),
        hashes: None,
    };
    let mut open = events.is_empty().then_some(CheckName::Load);
    for event in events {
        match event {
            CheckEvent::Begun { check } => open = Some(check),
            CheckEvent::Ended { finding } => {
                open = open.filter(|check| *check != finding.check);
                answer.findings.push(finding);
            }
            CheckEvent::Digest { hashes } => answer.hashes = Some(hashes),
        }
    }
    if let Some(check) = open {
        let fix = "a plugin must not end, kill or hold up the process: return an Error; --limit allows a slow one more time";
        answer.findings.push(Finding::fail(check, ended, fix));
    }
    answer
}

/// How a worker ended, in words, with the last of its own.
fn ending(status: ExitStatus, said: &[String]) -> String {
    let how = match status.signal() {
        Some(signal) => format!("the worker was killed by signal {signal}"),
        None => format!(
            "the worker ended early with status {}",
            status.code().unwrap_or_default()
        ),
    };
    if said.is_empty() {
        how
    } else {
        format!("{how}; its last words:\n{}", said.join("\n"))
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_that_the_worker_died_in_has_failed() {
        let begun = |check| CheckEvent::Begun { check };
        let ended = |check| CheckEvent::Ended {
            finding: Finding::pass(check, "well"),
        };
        let check = |events: Vec<CheckEvent>, want: &[(CheckName, &str)]| {
            let answer = collect(events, "it died");
            let found: Vec<_> = answer
                .findings
                .iter()
                .map(|finding| (finding.check, finding.found.as_str()))
                .collect();
            assert_eq!(found, want);
        };
        check(vec![], &[(CheckName::Load, "it died")]);
        check(
            vec![
                begun(CheckName::Load),
                ended(CheckName::Load),
                begun(CheckName::Describe),
            ],
            &[(CheckName::Load, "well"), (CheckName::Describe, "it died")],
        );
        check(
            vec![begun(CheckName::Load), ended(CheckName::Load)],
            &[(CheckName::Load, "well")],
        );
    }
}
