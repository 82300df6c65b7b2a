//! Runs that no fit uses, told together where the reason is the same.

use flops_fit_scaling::Run;
use flops_fit_scaling::quality::{LeftOut, LeftOutReason};
use serde::{Deserialize, Serialize};

/// Runs that are named one by one.
const NAMED: usize = 6;

/// Some runs that are left out for the same kind of reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What is wrong with them.
    pub why: String,
    /// Each run's name, with what was seen.
    pub runs: Vec<String>,
}

impl Group {
    /// Those of one kind together, in the order in which they are met.
    pub(super) fn all(left_out: &[LeftOut], points: &[Run]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for one in left_out {
            let (why, detail) = told(&one.reason, points);
            let name = label(points, one.run);
            let run = match detail {
                Some(detail) => format!("{name} ({detail})"),
                None => name,
            };
            match groups.iter_mut().find(|group| group.why == why) {
                Some(group) => group.runs.push(run),
                None => groups.push(Self {
                    why,
                    runs: vec![run],
                }),
            }
        }
        groups
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (count, more) = (self.runs.len(), self.runs.len().saturating_sub(NAMED));
        let named = self.runs[..count - more].join(", ");
        let runs = if count == 1 { "run" } else { "runs" };
        write!(f, "{count} {runs} left out, {}: {named}", self.why)?;
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        Ok(())
    }
}

/// A run's name in messages.
pub(in crate::report) fn label(points: &[Run], run: usize) -> String {
    let label = points.get(run).and_then(|point| point.label.clone());
    label.unwrap_or_else(|| format!("run {run}"))
}

/// What a reason has in common with others of its kind, and what is its own.
fn told(reason: &LeftOutReason, points: &[Run]) -> (String, Option<String>) {
    let kind = |why: &str, detail: String| (why.to_owned(), Some(detail));
    match reason {
        LeftOutReason::Impossible { field, found } => {
            kind("not a finite number above 0", format!("{field} is {found}"))
        }
        LeftOutReason::Diverged { loss, expected } => match (loss, expected) {
            (Some(loss), Some(expected)) => {
                kind("diverged", format!("{loss:.3}, expected {expected:.3}"))
            }
            (Some(loss), None) => kind("diverged", format!("{loss:.3}")),
            _ => ("diverged".to_owned(), None),
        },
        LeftOutReason::Retried { of } => kind(
            "trained with a lower learning rate after another run diverged",
            format!("for {of}"),
        ),
        LeftOutReason::Worst { count: 1 } => {
            ("the highest loss, which was to be dropped".to_owned(), None)
        }
        LeftOutReason::Worst { count } => {
            let why = format!("the {count} highest losses, which were to be dropped");
            (why, None)
        }
        LeftOutReason::Repeated { repeats, limit } => (
            format!("saw their data more than {limit} times"),
            Some(format!("{repeats:.1}")),
        ),
        LeftOutReason::Duplicate { of } => {
            kind("the same row again", format!("of {}", label(points, *of)))
        }
        LeftOutReason::NearDuplicate { of, .. } => kind(
            "nearly the same size again",
            format!("of {}", label(points, *of)),
        ),
        LeftOutReason::Outlier { z, .. } => {
            kind("far off their budget's curve", format!("{z:.1} σ"))
        }
        LeftOutReason::OffCenter { far, .. } => {
            kind("too far to one side of the minimum", format!("×{far:.1}"))
        }
    }
}

/// Why one run is left out, for its row of `runs.csv`.
pub(in crate::report) fn reason(reason: &LeftOutReason, points: &[Run]) -> String {
    match reason {
        LeftOutReason::Duplicate { of } => format!("the same as {}", label(points, *of)),
        LeftOutReason::NearDuplicate { of, difference } => format!(
            "N differs from that of {} by {:.2} %",
            label(points, *of),
            100.0 * difference
        ),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_one_kind_are_told_together() {
        let points: Vec<Run> = (2..12)
            .map(|line| Run {
                label: Some(format!("line {line}")),
                ..Run::new(1.0, 1.0, 6.0, 3.0)
            })
            .collect();
        let one = |run, reason| LeftOut { run, reason };
        let same = |run| one(run, LeftOutReason::Duplicate { of: 0 });
        let outlier = |run, z| one(run, LeftOutReason::Outlier { z, expected: 2.0 });
        let mut left_out = vec![outlier(1, -7.25)];
        left_out.extend((2..9).map(same));
        left_out.push(outlier(9, 16.4));
        let told: Vec<String> = Group::all(&left_out, &points)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "2 runs left out, far off their budget's curve: line 3 (-7.2 σ), line 11 (16.4 σ)",
                "7 runs left out, the same row again: line 4 (of line 2), line 5 (of line 2), line 6 (of line 2), line 7 (of line 2), line 8 (of line 2), line 9 (of line 2) and 1 more",
            ]
        );
    }
}
