//! The checklist that doctor prints, and the object that a program gets.

use std::fmt;

use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Sweeps run, but something is worth knowing.
    Warning,
    /// Sweeps can't run until it is mended.
    Problem,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it, where something is to be done.
    pub fix: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Ok,
            found: found.into(),
            fix: None,
        }
    }

    pub(super) fn warning(
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name,
            status: Status::Warning,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    pub(super) fn problem(
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Problem,
            ..Self::warning(name, found, fix)
        }
    }
}

/// All checks, in the order in which they are worth mending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst outcome among the checks.
    pub fn status(&self) -> Status {
        let statuses = self.checks.iter().map(|check| check.status);
        statuses.max().unwrap_or(Status::Ok)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max();
        let width = width.unwrap_or(0);
        for check in &self.checks {
            let sign = match check.status {
                Status::Ok => "ok  ",
                Status::Warning => "note",
                Status::Problem => "FAIL",
            };
            writeln!(f, "{sign}  {:width$}  {}", check.name, check.found)?;
            if let Some(fix) = &check.fix {
                writeln!(f, "      {:width$}  -> {fix}", "")?;
            }
        }
        match self.status() {
            Status::Problem => writeln!(f, "\nNot ready: mend what is marked FAIL."),
            Status::Ok | Status::Warning => writeln!(f, "\nReady to train."),
        }
    }
}
