//! `bench trunks`: sweeps whose trials branch off trunks against the same sweeps of
//! trials that each train alone. What they cost, planned and spent, and whether they
//! find the same optima.

use super::example::{Example, number};
use super::pairs::{self, Comparison, Contest, Target};
use super::report;
use crate::error::Error;
use crate::workspace::Workspace;

const ALONE: &str = r#"train.schedule={ kind = "wsd", decay = 0.2, shape = "linear" }"#;
const TRUNKS: &str =
    r#"train.schedule={ kind = "wsd", decay = 0.2, shape = "linear", reuse_trunk = true }"#;
/// A warm-up that does not depend on a trial's length, as trunks need it; both have it.
const WARMUP: &str = "train.warmup={ tokens = 8192 }";
/// Four budgets a factor of two apart that share their sizes.
const SHARED: &str = "sweep.grid=[\
    { budget = 2e10, sizes = [16, 24, 32, 40] }, { budget = 4e10, sizes = [16, 24, 32, 40] }, \
    { budget = 8e10, sizes = [16, 24, 32, 40] }, { budget = 16e10, sizes = [16, 24, 32, 40] }]";

pub(super) fn run(workspace: &Workspace) -> Result<Vec<Comparison>, Error> {
    let example = |output: &str, sets: &[&str]| Example::new(workspace, "stories", output, sets);
    let alone = example("trunks/alone", &[ALONE, WARMUP])?;
    let trunks = example("trunks/trunks", &[TRUNKS, WARMUP])?;
    let shared_alone = example("trunks/shared-alone", &[ALONE, WARMUP, SHARED])?;
    let shared = example("trunks/shared", &[TRUNKS, WARMUP, SHARED])?;
    let contest = |name: &str, unit, against, target| Contest {
        name: format!("trunks, {name}"),
        unit,
        against,
        target,
    };
    let once = |contest, ours: f64, theirs: f64| {
        pairs::interleave(contest, 1, || Ok(ours), || Ok(theirs)).map(report)
    };
    let planned = |name, bound| contest(name, "FLOPs", "alone", Target::LongerBy(bound));
    let mut comparisons = vec![
        once(
            planned("four budgets that share sizes, planned", 0.63),
            shared.planned()?,
            shared_alone.planned()?,
        )?,
        once(
            planned("the demonstration, planned", 0.8),
            trunks.planned()?,
            alone.planned()?,
        )?,
    ];
    let (expected, found) = (alone.run()?, trunks.run()?);
    let near = Target::Between(0.99, 1.01);
    comparisons.push(once(
        contest("spent", "FLOPs", "planned", near),
        trunks.spent()?,
        trunks.planned()?,
    )?);
    let predictions = |analysis: &serde_json::Value| {
        let all = analysis["predictions"].as_array();
        all.cloned().unwrap_or_default()
    };
    for (alone, trunks) in predictions(&expected).iter().zip(predictions(&found)) {
        let n = number(alone, "/n")?;
        let (low, high) = (number(alone, "/ci95/n/0")?, number(alone, "/ci95/n/1")?);
        let name = format!("N* at {:e} FLOPs", number(alone, "/c")?);
        let within = Target::Between(low / n, high / n);
        comparisons.push(once(
            contest(&name, "parameters", "alone, with its 95 % interval", within),
            number(&trunks, "/n")?,
            n,
        )?);
    }
    Ok(comparisons)
}
