//! `flops-fit check`: what a plugin's author runs before a sweep.
//!
//! ```text
//! library or manifest ─ target ─▶ request ─ ask ─▶ findings ─ report ─▶ text, JSON
//! ```
//!
//! The library's file is looked at here; everything else is found out by a
//! worker, since the parent never opens a plugin. A second worker computes the
//! same hashes again, so that what differs from process to process is seen too.
//! A worker that dies or hangs is a finding of the check that it was in.

mod ask;
mod error;
mod report;
mod target;

use std::{path::Path, time::Duration};

use flops_fit_record::Record;
use flops_fit_trial::{CheckName, CheckRequest, CheckScope, CheckStatus, Finding};

pub use error::CheckError;
pub use report::{Report, Tally};
pub use target::{Parts, Target};

use crate::{interrupt::Interrupt, worker::Worker};

/// What is asked for beside the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Longest that one check may take.
    pub limit: Duration,
}

/// Checks `target`.
pub fn run(
    target: &Target,
    settings: &Settings,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Report, CheckError> {
    let mut findings = vec![match &target.record {
        Ok(records) => Finding::pass(CheckName::Record, summary(records)),
        Err(finding) => finding.clone(),
    }];
    if let (Ok(_), Some(request)) = (&target.record, &target.request) {
        let ask = |scope| {
            let request = CheckRequest {
                scope,
                ..request.clone()
            };
            ask::ask(&request, settings.limit, worker, interrupt)
        };
        let whole = ask(CheckScope::Whole)?;
        findings.extend(whole.findings);
        // What differs within one process differs between two.
        let differs = findings.iter().any(|finding| {
            finding.check == CheckName::Repeatable && finding.status == CheckStatus::Warn
        });
        if let Some(hashes) = whole.hashes
            && !differs
        {
            let again = ask(CheckScope::Digest)?.hashes;
            findings.push(agreement(&hashes, again.as_ref()));
        }
    }
    Ok(Report::new(target.subject.clone(), findings))
}

fn summary(records: &[(std::path::PathBuf, Record)]) -> String {
    let each = records.iter().map(|(path, record)| {
        let file = path.file_name().unwrap_or(Path::new("").as_os_str());
        format!(
            "{}: {} {}, ABI {}.{}, tch {}, libtorch {}, panic {}",
            file.display(),
            record.name,
            record.version,
            record.abi.0,
            record.abi.1,
            record.tch,
            record.libtorch,
            record.panic
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

fn agreement(here: &ask::Hashes, there: Option<&ask::Hashes>) -> Finding {
    const CHECK: CheckName = CheckName::Processes;
    let Some(there) = there else {
        return Finding::warn(
            CHECK,
            "a second process did not get as far as the first",
            "start the check again; look at what the plugin shares between processes",
        );
    };
    let differs: Vec<&str> = here
        .iter()
        .filter(|(what, hash)| there.get(*what) != Some(hash))
        .map(|(what, _)| what.as_str())
        .collect();
    if differs.is_empty() {
        let what: Vec<&str> = here.keys().map(String::as_str).collect();
        Finding::pass(
            CHECK,
            format!("two processes agree to the last bit: {}", what.join(", ")),
        )
    } else {
        Finding::warn(
            CHECK,
            format!("two processes differ in {}", differs.join(", ")),
            "let nothing depend on addresses, process ids, clocks or the order of a hash map",
        )
    }
}
