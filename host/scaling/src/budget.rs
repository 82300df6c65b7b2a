//! Which runs belong to one budget.

use crate::run::Run;

/// Runs without a nominal budget share one while neighbours in C are within 10 %.
const SAME_BUDGET: f64 = 1.1;

/// The runs of one budget.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Budget {
    /// FLOPs that they were planned for.
    pub(crate) nominal: f64,
    /// FLOPs that they used: the geometric mean by weight.
    pub(crate) c: f64,
    /// Their rows in the sample; not empty.
    pub(crate) rows: Vec<usize>,
}

impl Budget {
    /// Groups runs by nominal budget, or by C where they carry none; budgets
    /// ascend by the FLOPs they used.
    pub(crate) fn group<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<Self> {
        let (mut named, mut unnamed): (Vec<_>, Vec<_>) =
            runs.enumerate().partition(|(_, run)| run.budget.is_some());
        let nominal = |run: &Run| run.budget.unwrap_or(run.c);
        named.sort_by(|a, b| nominal(a.1).total_cmp(&nominal(b.1)));
        unnamed.sort_by(|a, b| a.1.c.total_cmp(&b.1.c));
        let of = |nominal: Option<f64>, group: &[(usize, &Run)]| {
            let weight = |run: &Run| run.weight.unwrap_or(1.0);
            let total: f64 = group.iter().map(|(_, run)| weight(run)).sum();
            let products = group.iter().map(|(_, run)| weight(run) * run.c.ln());
            let ln_c = products.sum::<f64>() / total;
            Self {
                nominal: nominal.unwrap_or(ln_c.exp()),
                c: ln_c.exp(),
                rows: group.iter().map(|(row, _)| *row).collect(),
            }
        };
        let mut budgets: Vec<Self> = named
            .chunk_by(|a, b| nominal(a.1).total_cmp(&nominal(b.1)).is_eq())
            .map(|group| of(group[0].1.budget, group))
            .collect();
        let unnamed = unnamed.chunk_by(|a, b| b.1.c <= a.1.c * SAME_BUDGET);
        budgets.extend(unnamed.map(|group| of(None, group)));
        budgets.sort_by(|a, b| a.c.total_cmp(&b.c));
        budgets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(c: f64, budget: Option<f64>) -> Run {
        Run {
            budget,
            ..Run::new(1e4, c / 6e4, c, 2.0)
        }
    }

    fn grouped(runs: &[Run]) -> Vec<(String, Vec<usize>)> {
        Budget::group(runs.iter())
            .into_iter()
            .map(|budget| (crate::quantity::flops(budget.nominal), budget.rows))
            .collect()
    }

    #[test]
    fn nominal_budgets_group_runs() {
        let runs = [
            run(1.02e10, Some(1e10)),
            run(3.3e10, Some(3e10)),
            run(0.97e10, Some(1e10)),
        ];
        let expected = [
            ("1e10".to_owned(), vec![0, 2]),
            ("3e10".to_owned(), vec![1]),
        ];
        assert_eq!(grouped(&runs), expected);
    }

    #[test]
    fn compute_groups_runs_without_a_budget() {
        let runs = [1e10, 3e10, 1.05e10, 1.11e10, 3.4e10].map(|c| run(c, None));
        let groups = grouped(&runs);
        let members: Vec<&[usize]> = groups.iter().map(|(_, m)| m.as_slice()).collect();
        assert_eq!(members, [&[0, 2, 3][..], &[1], &[4]]);
        assert_eq!(groups[0].0, "1.05e10");
    }
}
