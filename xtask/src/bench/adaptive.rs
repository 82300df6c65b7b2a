//! `bench adaptive`: an adaptive sweep from a center that is off by eight, either way,
//! against one that was laid around the optima by hand. Trials are simulated.

use serde_json::Value;

use super::example::Example;
use super::pairs::{self, Comparison, Contest, Target};
use super::report;
use crate::error::Error;
use crate::workspace::Workspace;

const ADAPTIVE: &str = "sweep.grid=adaptive";
/// N* of Chinchilla's law at C FLOPs is about 0.091·√C; a ratio of eight both ways.
const OFF: [(&str, &str); 2] = [
    ("too large", "sweep.center={ k = 0.73, exponent = 0.5 }"),
    ("too small", "sweep.center={ k = 0.0114, exponent = 0.5 }"),
];
/// Room for eight times the largest optimum, and all but that for an eighth of the smallest.
const SIZES: &str =
    "model.sizes={ min = 10_000_000, max = 30_000_000_000, multiple_of = 10_000_000 }";

pub(super) fn run(workspace: &Workspace) -> Result<Vec<Comparison>, Error> {
    let example = |output: &str, sets: &[&str]| Example::new(workspace, "simulated", output, sets);
    let by_hand = example("adaptive/by-hand", &[SIZES])?;
    by_hand.run()?;
    let mut comparisons = Vec::new();
    for (direction, center) in OFF {
        let output = format!("adaptive/{}", direction.replace(' ', "-"));
        let adaptive = example(&output, &[SIZES, ADAPTIVE, center])?;
        let analysis = adaptive.run()?;
        let contest = |name: &str, unit, target| Contest {
            name: format!("adaptive, center {direction} by 8, {name}"),
            unit,
            against: "by hand",
            target,
        };
        let once = |contest, ours: f64, theirs: f64| {
            pairs::interleave(contest, 1, || Ok(ours), || Ok(theirs)).map(report)
        };
        let cost = contest("cost", "FLOPs", Target::LongerBy(1.2));
        comparisons.push(once(cost, adaptive.trained()?, by_hand.trained()?)?);
        let budgets = analysis["budgets"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let is_bracketed = |budget: &&Value| budget["outcome"]["minimum"].is_object();
        let bracketed = budgets.iter().filter(is_bracketed).count();
        let all = contest("minima within their sizes", "budgets", Target::AtLeast(1.0));
        comparisons.push(once(all, bracketed as f64, budgets.len() as f64)?);
    }
    Ok(comparisons)
}
