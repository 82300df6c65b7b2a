//! A study for a person to read.

use std::fmt;

use flops_fit_scaling::quantity;
use flops_fit_trial::CheckStatus;

use super::{Transfer, verdict::short};

impl fmt::Display for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.subject)?;
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        writeln!(
            f,
            "{} steps a trial, seeds {}; train.lr = {}\n",
            self.steps,
            seeds.join(", "),
            short(self.lr)
        )?;
        let width = self.size_param.len().max(6);
        writeln!(
            f,
            "{:>width$}  {:>8}  {:>8}  {:>17}  {:>10}  {:>16}",
            self.size_param, "N", "best lr", "seeds", "loss there", "lost at train.lr"
        )?;
        for curve in &self.curves {
            let absent = || "-".to_owned();
            let best = curve.best.as_ref();
            writeln!(
                f,
                "{:>width$}  {:>8}  {:>8}  {:>17}  {:>10}  {:>16}",
                curve.size,
                quantity::count(curve.n),
                best.map_or_else(absent, |best| short(best.lr)),
                best.map_or_else(absent, |best| format!(
                    "{}–{}",
                    short(best.between[0]),
                    short(best.between[1])
                )),
                best.map_or_else(absent, |best| quantity::loss(best.loss)),
                curve.lost.map_or_else(absent, quantity::loss),
            )?;
        }
        writeln!(f)?;
        for verdict in &self.verdicts {
            let sign = match verdict.status {
                CheckStatus::Pass => "pass",
                CheckStatus::Warn => "WARN",
                CheckStatus::Fail => "FAIL",
                CheckStatus::Skip => "skip",
            };
            writeln!(f, "{sign}  {:13}  {}", verdict.about, verdict.found)?;
            if let Some(fix) = &verdict.fix {
                writeln!(f, "      {:13}  -> {fix}", "")?;
            }
        }
        writeln!(f)?;
        for plot in &self.plots {
            writeln!(f, "plot: {}", plot.display())?;
        }
        Ok(())
    }
}
