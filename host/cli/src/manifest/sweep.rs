//! `[sweep]`: budgets, sizes at each, seeds.

use flops_fit_scaling::batch::Batch;
use flops_fit_scaling::grid::{Budgets, Center, GridSpec, Layout, MIN_STEPS, SizeList, Spread};

use crate::amount::Amount;

use super::{
    mistake::{Mistake, Problem},
    model::{MOST_SIZES, sizes_listed},
    section::{Field, Section},
    value::Value,
};

/// `[sweep]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Budgets and how sizes are found for them.
    pub layout: Layout,
    /// Whether sizes are chosen round by round as results come in; the layout is then
    /// [`Layout::Around`].
    pub adaptive: bool,
    /// Each trial is trained once with each of these.
    pub seeds: Vec<u64>,
    /// Sizes that would train for fewer optimizer steps are skipped.
    pub min_steps: u64,
    /// Budgets of the list that are given as times: in the layout they are no numbers
    /// until a rate was measured.
    pub timed: Vec<Timed>,
}

/// A budget that is given as a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// Its position in the list of budgets.
    pub position: usize,
    /// Seconds of one trial.
    pub seconds: f64,
}

pub(super) const KEYS: &[&str] = &[
    "budgets",
    "sizes_per_budget",
    "center",
    "span",
    "grid",
    "seeds",
    "min_steps",
];

/// The word for a grid that is chosen round by round.
pub(super) const ADAPTIVE: &str = "adaptive";

/// Each budget costs several trials, and each seed all of them, so that their
/// numbers are bounded.
const MOST_BUDGETS: usize = 1000;
const MOST_SEEDS: usize = 1000;

const BUDGETS: &str =
    "FLOPs as a list such as [1e10, 3e10, 1e11], or { min = 1e10, max = 1e12, count = 5 }";

impl Sweep {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Box<Mistake>> {
        let mut timed = Vec::new();
        let written = section.get("grid");
        let adaptive = match written.as_ref().map(|grid| (grid, &grid.node.value)) {
            Some((grid, Value::Text(_))) => grid.word(&[(ADAPTIVE, true)])?,
            _ => false,
        };
        let listed_grid = written.filter(|_| !adaptive);
        let layout = match (section.get("budgets"), listed_grid) {
            (Some(budgets), Some(grid)) if !differ_in_layer(&budgets, &grid) => {
                return Err(grid.mistake(Problem::Excludes {
                    other: budgets.key.clone(),
                    at: budgets.node.origin.clone(),
                }));
            }
            (Some(budgets), Some(grid)) if budgets.node.origin.overrides(&grid.node.origin) => {
                around(&budgets, section, &mut timed)?
            }
            (_, Some(grid)) => listed(&grid)?,
            (Some(budgets), None) => around(&budgets, section, &mut timed)?,
            (None, None) => return Err(section.missing("budgets", BUDGETS)),
        };
        Ok(Self {
            layout,
            adaptive,
            seeds: section.or("seeds", vec![0], seeds)?,
            min_steps: section.or("min_steps", MIN_STEPS, |f| Ok(f.whole(1)? as u64))?,
            timed,
        })
    }

    /// The specification of a grid that is laid out as `layout`, given what a step
    /// consumes.
    pub fn grid(&self, layout: &Layout, batch: Batch) -> GridSpec {
        GridSpec {
            layout: layout.clone(),
            batch,
            min_steps: self.min_steps,
        }
    }
}

fn differ_in_layer(a: &Field<'_>, b: &Field<'_>) -> bool {
    a.node.origin.overrides(&b.node.origin) || b.node.origin.overrides(&a.node.origin)
}

fn around(
    budgets: &Field<'_>,
    section: &Section<'_>,
    timed: &mut Vec<Timed>,
) -> Result<Layout, Box<Mistake>> {
    let spread = Spread::default();
    Ok(Layout::Around {
        budgets: read_budgets(budgets, timed)?,
        spread: Spread {
            per_budget: section.or("sizes_per_budget", spread.per_budget, |f| {
                Ok(f.within(4, MOST_SIZES as i64)? as usize)
            })?,
            center: section.or("center", spread.center, center)?,
            span: section.or("span", spread.span, |f| {
                f.number("a number above 1: sizes reach from N/span to N*span", |x| {
                    x > 1.0
                })
            })?,
        },
    })
}

fn read_budgets(field: &Field<'_>, timed: &mut Vec<Timed>) -> Result<Budgets, Box<Mistake>> {
    if !matches!(field.node.value, Value::Table(_)) {
        let mut list = Vec::new();
        for item in field.short_list(BUDGETS, MOST_BUDGETS)? {
            match item.amount(BUDGET)? {
                Amount::Flops(_) => list.push(budget(&item, &list)?),
                Amount::Seconds(seconds) => {
                    if timed
                        .iter()
                        .any(|time| time.seconds.total_cmp(&seconds).is_eq())
                    {
                        return Err(item.unacceptable(ONCE));
                    }
                    timed.push(Timed {
                        position: list.len(),
                        seconds,
                    });
                    list.push(f64::NAN);
                }
            }
        }
        return Ok(Budgets::List(list));
    }
    let table = field.table(BUDGETS, &["min", "max", "count"])?;
    let min = budget(&table.required("min", "the smallest budget in FLOPs")?, &[])?;
    let max = table.required("max", "the largest budget in FLOPs")?;
    Ok(Budgets::LogSpaced {
        min,
        max: max.flops(&format!("a number of FLOPs above min = {min:e}"), |x| {
            x > min
        })?,
        count: table
            .required("count", "how many budgets, ends included")?
            .within(2, MOST_BUDGETS as i64)? as usize,
    })
}

const BUDGET: &str = "a number of FLOPs above 0, such as 1e11";
const ONCE: &str = "each budget once; this one is listed already";

/// A budget that isn't among `earlier`.
fn budget(field: &Field<'_>, earlier: &[f64]) -> Result<f64, Box<Mistake>> {
    let budget = field.flops(BUDGET, |_| true)?;
    if earlier.iter().any(|other| other.total_cmp(&budget).is_eq()) {
        return Err(field.unacceptable(ONCE));
    }
    Ok(budget)
}

fn listed(field: &Field<'_>) -> Result<Layout, Box<Mistake>> {
    const GRID: &str =
        "a list such as [{ budget = 1e10, sizes = [8, 16, 24, 32] }], or \"adaptive\"";
    const SIZES: &str = "a list of sizes such as [8, 16, 24, 32]";
    let mut budgets = Vec::new();
    let mut lists = Vec::new();
    for item in field.short_list(GRID, MOST_BUDGETS)? {
        let entry = item.table(GRID, &["budget", "sizes"])?;
        let budget = budget(&entry.required("budget", "a number of FLOPs")?, &budgets)?;
        budgets.push(budget);
        lists.push(SizeList {
            budget,
            sizes: sizes_listed(&entry.required("sizes", SIZES)?, SIZES)?,
        });
    }
    Ok(Layout::Listed(lists))
}

fn center(field: &Field<'_>) -> Result<Center, Box<Mistake>> {
    const CENTER: &str = "N = k * C^exponent as { k = 0.0913, exponent = 0.5 }, or known minima as [{ budget = 1e10, n = 4200 }]";
    const POSITIVE: &str = "a number above 0";
    if matches!(field.node.value, Value::Table(_)) {
        let table = field.table(CENTER, &["k", "exponent"])?;
        return Ok(Center::PowerLaw {
            k: table
                .required("k", POSITIVE)?
                .number(POSITIVE, |x| x > 0.0)?,
            exponent: table
                .required("exponent", "a number, usually about 0.5")?
                .number("a number", |_| true)?,
        });
    }
    let mut minima = Vec::new();
    for item in field.short_list(CENTER, MOST_BUDGETS)? {
        let table = item.table(CENTER, &["budget", "n"])?;
        let number = |key| table.required(key, POSITIVE)?.number(POSITIVE, |x| x > 0.0);
        minima.push((number("budget")?, number("n")?));
    }
    Ok(Center::Minima(minima))
}

fn seeds(field: &Field<'_>) -> Result<Vec<u64>, Box<Mistake>> {
    let mut seeds = Vec::new();
    for item in field.short_list("a list of whole numbers such as [0, 1]", MOST_SEEDS)? {
        let seed = item.whole(0)? as u64;
        if seeds.contains(&seed) {
            return Err(item.unacceptable("each seed once; this one is listed already"));
        }
        seeds.push(seed);
    }
    Ok(seeds)
}
