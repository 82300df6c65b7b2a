//! What was found, for a person and for a program.

use std::fmt;

use flops_fit_trial::{CheckName, CheckStatus, Finding};
use serde::Serialize;

/// The findings, one for each check, in the order in which they are made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was checked, in words.
    pub subject: String,
    /// The worst of all findings.
    pub status: CheckStatus,
    /// How many there are of each.
    pub tally: Tally,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// How many checks came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// As it should be.
    pub passed: usize,
    /// Worth knowing.
    pub warnings: usize,
    /// To be mended.
    pub failed: usize,
    /// Not made.
    pub skipped: usize,
}

impl Report {
    /// A report of `findings`; checks that were not come to were skipped.
    pub fn new(subject: String, mut findings: Vec<Finding>) -> Self {
        let last = findings
            .iter()
            .rfind(|finding| finding.status == CheckStatus::Fail)
            .map(|finding| finding.check);
        for check in CheckName::ALL {
            if findings.iter().any(|finding| finding.check == check) {
                continue;
            }
            let why = last.map_or_else(
                || "not made".to_owned(),
                |last| format!("not made: `{last}` failed before it"),
            );
            findings.push(Finding::skip(check, why));
        }
        findings.sort_by_key(|finding| finding.check);
        let count = |status| findings.iter().filter(|f| f.status == status).count();
        Self {
            subject,
            status: findings
                .iter()
                .map(|finding| finding.status)
                .max()
                .unwrap_or(CheckStatus::Skip),
            tally: Tally {
                passed: count(CheckStatus::Pass),
                warnings: count(CheckStatus::Warn),
                failed: count(CheckStatus::Fail),
                skipped: count(CheckStatus::Skip),
            },
            findings,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.subject)?;
        let width = CheckName::ALL.map(|name| name.as_str().len());
        let width = width.into_iter().max().unwrap_or(0);
        for finding in &self.findings {
            let sign = match finding.status {
                CheckStatus::Pass => "pass",
                CheckStatus::Warn => "WARN",
                CheckStatus::Fail => "FAIL",
                CheckStatus::Skip => "skip",
            };
            let found = finding
                .found
                .replace('\n', &format!("\n      {:width$}  ", ""));
            writeln!(f, "{sign}  {:width$}  {found}", finding.check)?;
            if let Some(fix) = &finding.fix {
                writeln!(f, "      {:width$}  -> {fix}", "")?;
            }
        }
        let Tally {
            passed,
            warnings,
            failed,
            skipped,
        } = self.tally;
        writeln!(
            f,
            "\n{passed} passed, {warnings} warned, {failed} failed, {skipped} skipped"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_come_to_is_listed_with_the_reason() {
        let findings = vec![
            Finding::fail(CheckName::Load, "no", "do"),
            Finding::pass(CheckName::Record, "yes"),
        ];
        let report = Report::new("subject".to_owned(), findings);
        assert_eq!(report.status, CheckStatus::Fail);
        assert_eq!(report.findings.len(), CheckName::ALL.len());
        let text = report.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[2], "pass  record      yes");
        assert_eq!(lines[3], "FAIL  load        no");
        assert_eq!(lines[4], "                  -> do");
        assert_eq!(
            lines[5],
            "skip  describe    not made: `load` failed before it"
        );
        assert_eq!(
            lines.last(),
            Some(&"1 passed, 0 warned, 1 failed, 18 skipped")
        );
    }
}
