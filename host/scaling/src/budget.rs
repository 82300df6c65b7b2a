//! Which runs share a budget.
//!
//! A nominal budget is taken at its word, unless every run has one of its own: then it is
//! C under another name. Runs without one join the named budget whose C is theirs, and
//! else are grouped by ln C. Most sweeps realise each budget within a few per cent, so that cutting
//! wherever neighbours are more than 10 % apart is enough; where that chains
//! budgets together (compute read off a figure, a background of other runs), the
//! narrow windows that hold the most sizes are taken as budgets, densest first,
//! and what lies between them belongs to none. Such loose runs still count for
//! methods that need no budgets.
//!
//! What it keeps true: the grouping depends neither on the order of the runs nor
//! on the unit of C, nor on whether one run is written as two of half the weight.

use std::ops::Range;

use crate::run::Run;

/// Nominal budgets within this factor are one, written with other digits.
const ALIKE: f64 = 1.0 + 1e-6;

/// Neighbours in C within this factor are chained into one budget.
const CHAIN: f64 = 1.1;

/// A budget's runs lie within this factor from the smallest C to the largest.
const SPAN: f64 = 1.25;

/// Centres of two budgets are at least this factor apart.
const APART: f64 = 1.5;

/// Fewest sizes that make a window a budget where C is scattered.
const MIN_SIZES: usize = crate::isoflop::MIN_POINTS;

/// The runs of one budget.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Budget {
    /// FLOPs that they were planned for.
    pub(crate) nominal: f64,
    /// FLOPs that they used: the geometric mean by weight.
    pub(crate) c: f64,
    /// Their rows in the list that was grouped; not empty.
    pub(crate) rows: Vec<usize>,
}

/// A run and its row.
type Row<'a> = (usize, &'a Run);

impl Budget {
    /// Groups runs with finite, positive C; budgets ascend by the FLOPs they used.
    /// Rows that are in no budget belong to none.
    pub(crate) fn group<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<Self> {
        let (mut named, mut unnamed): (Vec<Row<'_>>, Vec<Row<'_>>) =
            runs.enumerate().partition(|(_, run)| run.budget.is_some());
        let nominal = |run: &Run| run.budget.unwrap_or(run.c);
        named.sort_by(|a, b| nominal(a.1).total_cmp(&nominal(b.1)));
        let mut groups: Vec<(f64, Vec<Row<'_>>)> = named
            .chunk_by(|a, b| nominal(b.1) <= nominal(a.1) * ALIKE)
            .map(|group| (nominal(group[0].1), group.to_vec()))
            .collect();
        if groups.iter().all(|(_, group)| is_one_run(group)) {
            unnamed.extend(groups.drain(..).flat_map(|(_, group)| group));
        }
        let centers: Vec<f64> = groups.iter().map(|(_, group)| center(group)).collect();
        unnamed.retain(|&row| {
            let distance = |position: &usize| (row.1.c.ln() - centers[*position]).abs();
            let nearest = (0..centers.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
            match nearest.filter(|position| distance(position) <= CHAIN.ln()) {
                Some(position) => groups[position].1.push(row),
                None => return true,
            }
            false
        });
        unnamed.sort_by(|a, b| a.1.c.total_cmp(&b.1.c));
        let groups = groups.iter();
        let mut budgets: Vec<Self> = groups
            .map(|(nominal, group)| Self::of(Some(*nominal), group))
            .collect();
        budgets.extend(clusters(&unnamed));
        budgets.sort_by(|a, b| a.c.total_cmp(&b.c));
        budgets
    }

    fn of(nominal: Option<f64>, group: &[Row<'_>]) -> Self {
        let ln_c = center(group);
        Self {
            nominal: nominal.unwrap_or(ln_c.exp()),
            c: ln_c.exp(),
            rows: group.iter().map(|(row, _)| *row).collect(),
        }
    }
}

/// Whether the rows are one run, however its weight is split.
fn is_one_run(group: &[Row<'_>]) -> bool {
    let key = |row: &Row<'_>| [row.1.n, row.1.d, row.1.c].map(f64::to_bits);
    group.iter().all(|row| key(row) == key(&group[0]))
}

/// Mean ln C by weight.
fn center(group: &[Row<'_>]) -> f64 {
    let weight = |run: &Run| run.weight.unwrap_or(1.0);
    let total: f64 = group.iter().map(|(_, run)| weight(run)).sum();
    let products = group.iter().map(|(_, run)| weight(run) * run.c.ln());
    products.sum::<f64>() / total
}

/// Groups runs in ascending order of C.
fn clusters(runs: &[Row<'_>]) -> Vec<Budget> {
    let chains: Vec<&[Row<'_>]> = runs.chunk_by(|a, b| b.1.c <= a.1.c * CHAIN).collect();
    let is_tight = |chain: &&[Row<'_>]| chain[chain.len() - 1].1.c <= chain[0].1.c * SPAN;
    if chains.iter().all(is_tight) {
        let budgets = chains.into_iter().map(|chain| Budget::of(None, chain));
        return budgets.collect();
    }
    windows(runs)
        .into_iter()
        .map(|(low, high)| {
            let inside = |row: &&Row<'_>| (low..=high).contains(&row.1.c);
            let members: Vec<Row<'_>> = runs.iter().filter(inside).copied().collect();
            Budget::of(None, &members)
        })
        .collect()
}

/// Ranges of C that are budgets: densest first, until none holds enough sizes.
fn windows(runs: &[Row<'_>]) -> Vec<(f64, f64)> {
    let mut points: Vec<Point> = runs
        .iter()
        .map(|(_, run)| Point { c: run.c, n: run.n })
        .collect();
    points.sort_by(|a, b| a.c.total_cmp(&b.c).then(a.n.total_cmp(&b.n)));
    // The same point again says nothing about where the budgets are.
    points.dedup();
    let mut found = Vec::new();
    while let Some(window) = densest(&points, &found) {
        found.push((points[window.start].c, points[window.end - 1].c));
        points.drain(window);
    }
    found
}

/// A size trained with a compute.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    c: f64,
    n: f64,
}

/// The window of [`SPAN`] with the most points, away from those found before;
/// the narrowest of equals. `points` ascend in C.
fn densest(points: &[Point], found: &[(f64, f64)]) -> Option<Range<usize>> {
    let mut best: Option<(usize, f64, Range<usize>)> = None;
    let mut end = 0;
    for (start, point) in points.iter().enumerate() {
        while end < points.len() && points[end].c <= point.c * SPAN {
            end += 1;
        }
        let window = &points[start..end];
        let (low, high) = (point.c, points[end - 1].c);
        let is_better = best
            .as_ref()
            .is_none_or(|(most, width, _)| (window.len(), -(high / low)) > (*most, -width));
        let is_apart = || {
            found.iter().all(|&other| {
                middle((low, high)) >= middle(other) * APART
                    || middle((low, high)) * APART <= middle(other)
            })
        };
        if is_better
            && is_apart()
            && distinct(window.iter().map(|point| point.n.to_bits()).collect()) >= MIN_SIZES
        {
            best = Some((window.len(), high / low, start..end));
        }
    }
    best.map(|(_, _, window)| window)
}

fn middle((low, high): (f64, f64)) -> f64 {
    low.sqrt() * high.sqrt()
}

fn distinct(mut sizes: Vec<u64>) -> usize {
    sizes.sort_unstable();
    sizes.dedup();
    sizes.len()
}

#[cfg(test)]
mod tests;
