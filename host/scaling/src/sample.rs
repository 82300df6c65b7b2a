//! The runs, prepared once for every fit.
//!
//! A [`Sample`] keeps its runs in columns, in the order in which they were given:
//! row i of every column, of [`Fit::fitted`](crate::Fit::fitted) and of the losses
//! handed to [`Fit::refit`](crate::Fit::refit) is the same run. All numbers are
//! finite, N, D, C, loss and weight above 0.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::budget::Budget;
use crate::flops::FlopsPerUnit;
use crate::isoflop::Isoflop;
use crate::run::{Run, RunError};

/// Runs as columns.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Positions in the list that was given.
    pub(crate) runs: Vec<usize>,
    /// ln N.
    pub(crate) ln_n: Vec<f64>,
    /// ln D.
    pub(crate) ln_d: Vec<f64>,
    /// ln C.
    pub(crate) ln_c: Vec<f64>,
    /// Loss.
    pub(crate) loss: Vec<f64>,
    /// Weight, 1 where a run has none.
    pub(crate) weight: Vec<f64>,
    /// Distinct units in the training data, where something may repeat.
    pub(crate) unique: Vec<Option<f64>>,
    /// Which cluster a run belongs to, from 0: runs of one group, or of one
    /// configuration (N, D), share an error.
    pub(crate) cluster: Vec<usize>,
    /// Number of clusters.
    pub(crate) clusters: usize,
    /// Which budget a run belongs to, as an index into `budgets`; `None` where C is
    /// scattered and the run lies between the budgets.
    pub(crate) budget: Vec<Option<usize>>,
    /// The budgets, ascending by `c`.
    pub(crate) budgets: Vec<Budget>,
    /// FLOPs per unit as a function of N.
    pub(crate) flops: Arc<FlopsPerUnit>,
    /// Losses of runs on their way that stand for finished ones.
    pub(crate) curves: Vec<LossCurve>,
    isoflop: OnceLock<Isoflop>,
}

/// The loss of one size against C, at constant learning rate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LossCurve {
    /// ln N.
    pub(crate) ln_n: f64,
    /// At least two points, ascending in C; those of one C are [averaged](Self::merged)
    /// where the curve is read.
    pub(crate) points: Vec<LossCurvePoint>,
}

/// One point of a loss curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LossCurvePoint {
    pub(crate) ln_c: f64,
    pub(crate) ln_d: f64,
    pub(crate) loss: f64,
    /// Its run's weight.
    pub(crate) weight: f64,
    /// The run that it belongs to.
    pub(crate) row: usize,
}

impl LossCurve {
    /// The curve with one point at each C: runs that ended there, seeds of one branch,
    /// count by their weights. `None` where fewer than two are left.
    pub(crate) fn merged(&self) -> Option<Self> {
        let points: Vec<LossCurvePoint> = self
            .points
            .chunk_by(|a, b| a.ln_c >= b.ln_c)
            .map(|same| {
                let total: f64 = same.iter().map(|point| point.weight).sum();
                let share = |point: &LossCurvePoint| match same {
                    [_] => 1.0,
                    _ => point.weight / total,
                };
                LossCurvePoint {
                    ln_d: same.iter().map(|point| share(point) * point.ln_d).sum(),
                    loss: same.iter().map(|point| share(point) * point.loss).sum(),
                    weight: total,
                    ..same[0]
                }
            })
            .collect();
        let ln_n = self.ln_n;
        (points.len() > 1).then_some(Self { ln_n, points })
    }
}

impl Sample {
    /// Prepares all runs.
    ///
    /// # Errors
    /// [`RunError`] names the first number that is not finite and positive.
    pub fn new(runs: &[Run]) -> Result<Self, RunError> {
        let rows: Vec<(usize, &Run)> = runs.iter().enumerate().collect();
        Self::of(&rows)
    }

    /// Prepares runs that carry their position in a longer list.
    ///
    /// # Errors
    /// [`RunError`] names the first number that is not finite and positive.
    pub(crate) fn of(runs: &[(usize, &Run)]) -> Result<Self, RunError> {
        for (position, run) in runs {
            run.check(*position)?;
        }
        let column = |value: fn(&Run) -> f64| runs.iter().map(|(_, run)| value(run)).collect();
        let (cluster, clusters) = clusters(runs);
        let ln_c: Vec<f64> = column(|run| run.c.ln());
        let mut budget = vec![None; runs.len()];
        let budgets = Budget::group(runs.iter().map(|(_, run)| *run));
        for (index, group) in budgets.iter().enumerate() {
            for &row in &group.rows {
                budget[row] = Some(index);
            }
        }
        let pairs = runs
            .iter()
            .map(|(_, run)| (run.n.ln(), run.c.ln() - run.d.ln()))
            .collect();
        Ok(Self {
            runs: runs.iter().map(|(position, _)| *position).collect(),
            ln_n: column(|run| run.n.ln()),
            ln_d: column(|run| run.d.ln()),
            ln_c,
            loss: column(|run| run.loss),
            weight: column(|run| run.weight.unwrap_or(1.0)),
            unique: runs.iter().map(|(_, run)| run.unique).collect(),
            cluster,
            clusters,
            budget,
            budgets,
            flops: Arc::new(FlopsPerUnit::of(pairs)),
            curves: curves(runs),
            isoflop: OnceLock::new(),
        })
    }

    /// The sample of the rows for which `keep` is true; positions, clusters and
    /// FLOPs per unit stay those of the whole.
    #[must_use]
    pub fn subset(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.len()).filter(|&row| keep(row)).collect();
        let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect();
        let mut budgets: Vec<Budget> = self
            .budgets
            .iter()
            .map(|b| Budget {
                rows: Vec::new(),
                ..b.clone()
            })
            .collect();
        for (new, &old) in rows.iter().enumerate() {
            if let Some(index) = self.budget[old] {
                budgets[index].rows.push(new);
            }
        }
        budgets.retain(|budget| !budget.rows.is_empty());
        let mut budget = vec![None; rows.len()];
        for (index, group) in budgets.iter_mut().enumerate() {
            let of_row = |&row: &usize| (self.weight[rows[row]], self.ln_c[rows[row]]);
            let members = || group.rows.iter().map(of_row);
            let total: f64 = members().map(|(weight, _)| weight).sum();
            group.c = (members().map(|(w, ln_c)| w * ln_c).sum::<f64>() / total).exp();
            for &row in &group.rows {
                budget[row] = Some(index);
            }
        }
        let mut renumbered = HashMap::new();
        let cluster: Vec<usize> = rows
            .iter()
            .map(|&row| {
                let next = renumbered.len();
                *renumbered.entry(self.cluster[row]).or_insert(next)
            })
            .collect();
        let new_row: HashMap<usize, usize> = rows
            .iter()
            .enumerate()
            .map(|(new, &old)| (old, new))
            .collect();
        let mut curves = self.curves.clone();
        for curve in &mut curves {
            curve.points.retain_mut(|point| {
                let row = new_row.get(&point.row);
                point.row = row.copied().unwrap_or_default();
                row.is_some()
            });
        }
        curves.retain(|curve| curve.merged().is_some());
        Self {
            curves,
            runs: rows.iter().map(|&row| self.runs[row]).collect(),
            ln_n: pick(&self.ln_n),
            ln_d: pick(&self.ln_d),
            ln_c: pick(&self.ln_c),
            loss: pick(&self.loss),
            weight: pick(&self.weight),
            unique: rows.iter().map(|&row| self.unique[row]).collect(),
            cluster,
            clusters: renumbered.len(),
            budget,
            budgets,
            flops: Arc::clone(&self.flops),
            isoflop: OnceLock::new(),
        }
    }

    /// The curves of every budget, which the three `IsoFLOP` methods share; fitted
    /// when first asked for.
    pub(crate) fn isoflop(&self) -> &Isoflop {
        self.isoflop.get_or_init(|| crate::isoflop::fit(self))
    }

    /// How many different runs there are among `rows`: equal numbers in every
    /// column are one run, however its weight is split.
    pub(crate) fn distinct(&self, rows: &[usize]) -> usize {
        let numbers = |&row: &usize| {
            [&self.ln_n, &self.ln_d, &self.ln_c, &self.loss].map(|column| column[row].to_bits())
        };
        rows.iter().map(numbers).collect::<HashSet<_>>().len()
    }

    /// The run's position in the list that was given.
    pub fn position(&self, row: usize) -> usize {
        self.runs[row]
    }

    /// Which cluster a run belongs to, from 0: runs of one group, or of one
    /// configuration (N, D), share an error.
    pub fn cluster(&self, row: usize) -> usize {
        self.cluster[row]
    }

    /// Number of distinct (N, D).
    pub(crate) fn configurations(&self) -> usize {
        let bits = |row: usize| (self.ln_n[row].to_bits(), self.ln_d[row].to_bits());
        (0..self.len()).map(bits).collect::<HashSet<_>>().len()
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Which budget a run belongs to, from 0 for the smallest; `None` where it
    /// lies between them.
    pub fn budget(&self, row: usize) -> Option<usize> {
        self.budget[row]
    }

    /// The budgets in FLOPs as used, ascending.
    pub fn budgets(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.budgets.iter().map(|budget| budget.c)
    }

    /// Distinct units in a run's training data, where something may repeat.
    pub fn unique(&self, row: usize) -> Option<f64> {
        self.unique[row]
    }

    /// FLOPs per unit as a function of N.
    pub fn flops(&self) -> &FlopsPerUnit {
        &self.flops
    }

    /// Number of runs.
    pub fn len(&self) -> usize {
        self.loss.len()
    }

    /// Whether there is no run.
    pub fn is_empty(&self) -> bool {
        self.loss.is_empty()
    }
}

/// Numbers the clusters in order of appearance.
fn clusters(runs: &[(usize, &Run)]) -> (Vec<usize>, usize) {
    #[derive(PartialEq, Eq, Hash)]
    enum Key<'a> {
        Group(&'a str),
        Configuration(u64, u64),
    }
    let mut numbers: HashMap<Key<'_>, usize> = HashMap::new();
    let of_run = runs
        .iter()
        .map(|(_, run)| {
            let key = run.group.as_deref().map_or_else(
                || Key::Configuration(run.n.to_bits(), run.d.to_bits()),
                Key::Group,
            );
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect();
    (of_run, numbers.len())
}

/// Loss curves: the points of each run that carries some, and the branches of each
/// trunk.
fn curves(runs: &[(usize, &Run)]) -> Vec<LossCurve> {
    let mut curves = Vec::new();
    let mut trunks: BTreeMap<(&str, u64), Vec<LossCurvePoint>> = BTreeMap::new();
    for (row, (_, run)) in runs.iter().enumerate() {
        let point = |c: f64, d: f64, loss: f64| LossCurvePoint {
            ln_c: c.ln(),
            ln_d: d.ln(),
            loss,
            weight: run.weight.unwrap_or(1.0),
            row,
        };
        let end = point(run.c, run.d, run.loss);
        if !run.curve.is_empty() {
            let mut points: Vec<LossCurvePoint> =
                run.curve.iter().map(|p| point(p.c, p.d, p.loss)).collect();
            points.push(end);
            curves.push((run.n.ln(), points));
        } else if let Some(group) = &run.group {
            trunks
                .entry((group, run.n.to_bits()))
                .or_default()
                .push(end);
        }
    }
    let trunks = trunks
        .into_iter()
        .map(|((_, n), points)| (f64::from_bits(n).ln(), points));
    curves
        .into_iter()
        .chain(trunks)
        .map(|(ln_n, mut points)| {
            points.sort_by(|a, b| a.ln_c.total_cmp(&b.ln_c));
            LossCurve { ln_n, points }
        })
        .filter(|curve| curve.merged().is_some())
        .collect()
}
