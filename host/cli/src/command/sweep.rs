//! `plan`, `train`, `run`.

use std::path::{Path, PathBuf};

use flops_fit_trial::{Outcome, Progress};
use serde::Serialize;

use super::{CommandError, print_as, say, subject};
use crate::{
    adopt_orphans,
    args::{Format, Source, Train},
    exit::Exit,
    find,
    interrupt::Interrupt,
    manifest::Manifest,
    output::Lock,
    plan::{self, Estimate, Outlook, Plan, Prepared},
    report::{self, Analysis},
    sweep::{Observer, Rebuilt, Selection, Tally, Trial},
    time::duration,
    trainer::Trainer,
    view,
};

#[derive(Serialize)]
struct Planned<'a> {
    output: &'a Path,
    plan: &'a Plan,
    estimate: Estimate,
    /// What it is likely to say; absent where there is nothing to train.
    outlook: Option<Outlook>,
}

/// `flops-fit plan`.
pub(super) fn plan(source: &Source, format: Format) -> Result<Exit, CommandError> {
    let interrupt = Interrupt::on_signals().map_err(CommandError::Signals)?;
    let manifest = subject::manifest(source)?;
    let trainer = Trainer::of(&manifest)?;
    adopt_orphans().map_err(CommandError::Adopt)?;
    let mut terminal = Terminal { view: None };
    let rebuilt = Rebuilt::default();
    let (prepared, _lock) = find::prepare(&manifest, &trainer, rebuilt, &mut terminal, &interrupt)?;
    interrupt.end_at_once();
    let estimate = prepared.estimate(&manifest);
    let planned = Planned {
        output: prepared.output.path(),
        plan: &prepared.plan,
        estimate,
        outlook: prepared.outlook(&manifest),
    };
    print_as(format, &planned, || {
        let outlook = planned.outlook.as_ref();
        plan::render(&prepared.plan, &estimate, outlook, &prepared.output)
    })?;
    Ok(Exit::Success)
}

/// `flops-fit train`.
pub(super) fn train(train: &Train, format: Format) -> Result<Exit, CommandError> {
    let Done {
        prepared, tally, ..
    } = carry_out(train)?;
    print_as(format, &tally, || summary(&prepared, &tally))?;
    Ok(exit(&prepared, &tally))
}

#[derive(Serialize)]
struct Ran<'a> {
    output: &'a Path,
    sweep: &'a Tally,
    analysis: Option<&'a Analysis>,
    /// The report, then the plots.
    drawn: Vec<PathBuf>,
}

/// `flops-fit run`.
pub(super) fn run(train: &Train, format: Format) -> Result<Exit, CommandError> {
    let Done {
        manifest,
        prepared,
        tally,
        _lock,
    } = carry_out(train)?;
    let mut ran = Ran {
        output: prepared.output.path(),
        sweep: &tally,
        analysis: None,
        drawn: Vec::new(),
    };
    if tally.interrupted {
        print_as(format, &ran, || summary(&prepared, &tally))?;
        return Ok(Exit::Interrupted);
    }
    // The file may have been edited since; this sweep is what was read then.
    let analysis = match report::analyze(&prepared.output, &manifest.analysis) {
        Ok(analysis) => analysis,
        Err(error) if exit(&prepared, &tally) == Exit::Success => return Err(error.into()),
        Err(error) => {
            // Failed trials are the cause; what they leave can't be fitted.
            say(&format!("error: {error}"));
            print_as(format, &ran, || summary(&prepared, &tally))?;
            return Ok(Exit::TrialsFailed);
        }
    };
    ran.drawn = report::visualize(&prepared.output, &analysis)?;
    ran.analysis = Some(&analysis);
    print_as(format, &ran, || {
        format!(
            "{}\n{}\nreport: {}\nplots:  {}\n",
            summary(&prepared, &tally),
            report::render(&analysis, report::Format::Text),
            prepared.output.report().display(),
            prepared.output.plots().display()
        )
    })?;
    match exit(&prepared, &tally) {
        Exit::Success => Ok(report::recommended(&analysis.fits).map(|_| Exit::Success)?),
        failed => Ok(failed),
    }
}

/// A sweep that was trained, with the manifest that it was read from.
struct Done {
    manifest: Manifest,
    prepared: Prepared,
    tally: Tally,
    /// Held until all that follows is written too.
    _lock: Lock,
}

/// Tells the terminal: words at once, bars or lines while trials run.
struct Terminal {
    view: Option<Box<dyn Observer>>,
}

impl Observer for Terminal {
    fn noted(&mut self, words: &str) {
        say(words);
    }

    fn planned(&mut self, prepared: &Prepared, estimate: &Estimate, selection: &Selection) {
        let text = plan::render(&prepared.plan, estimate, None, &prepared.output);
        say(&text);
        self.view = Some(view::of(selection));
    }

    fn started(&mut self, trial: &Trial) {
        if let Some(view) = &mut self.view {
            view.started(trial);
        }
    }

    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        if let Some(view) = &mut self.view {
            view.progressed(trial, progress);
        }
    }

    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        if let Some(view) = &mut self.view {
            view.ended(trial, outcome, again);
        }
    }

    fn tick(&mut self) {
        if let Some(view) = &mut self.view {
            view.tick();
        }
    }
}

/// Plans, writes the plan, and trains what is missing.
fn carry_out(train: &Train) -> Result<Done, CommandError> {
    let interrupt = Interrupt::on_signals().map_err(CommandError::Signals)?;
    let manifest = subject::manifest(&train.source)?;
    let trainer = Trainer::of(&manifest)?;
    adopt_orphans().map_err(CommandError::Adopt)?;
    let rebuilt = match (train.accept_rebuilt, train.retrain) {
        (true, _) => Rebuilt::Accept,
        (_, true) => Rebuilt::Retrain,
        _ => Rebuilt::Ask,
    };
    let mut terminal = Terminal { view: None };
    let (prepared, tally, lock) =
        find::carry_out(&manifest, &trainer, rebuilt, &mut terminal, &interrupt)?;
    // What follows writes whole files only, and can be made again.
    interrupt.end_at_once();
    Ok(Done {
        manifest,
        prepared,
        tally,
        _lock: lock,
    })
}

fn exit(prepared: &Prepared, tally: &Tally) -> Exit {
    if tally.interrupted {
        Exit::Interrupted
    } else if tally.failed.is_empty() && !prepared.is_tuning() {
        Exit::Success
    } else {
        Exit::TrialsFailed
    }
}

/// What became of the trials, in words.
fn summary(prepared: &Prepared, tally: &Tally) -> String {
    let total = prepared.specs.len();
    let parts = [
        (tally.kept, "had results already"),
        (tally.completed, "completed"),
        (tally.diverged, "diverged"),
        (tally.failed.len(), "failed"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let mut text = format!(
        "{}: {total} trials, {} in {}\n",
        prepared.plan.name,
        if parts.is_empty() {
            "none trained".to_owned()
        } else {
            parts.join(", ")
        },
        duration(tally.seconds)
    );
    let failed = tally.failed.iter().map(|failed| {
        format!(
            "failed: {}: {}\n  log: {}\n",
            failed.label,
            failed.reason,
            failed.log.display()
        )
    });
    let (which, then) = if prepared.is_tuning() {
        (" that tune the learning rate", ", and then the sweep")
    } else {
        ("", "")
    };
    let interrupted = tally.interrupted.then(|| {
        format!(
            "interrupted: {} of {total} trials{which} are still to be trained{then}; run the same command again to go on\n",
            tally.pending
        )
    });
    let open = (prepared.is_tuning() && !tally.interrupted).then(|| {
        "the sweep was not trained: its learning rate is decided by all trials that tune it; mend what failed and run again, or set train.lr to a rate\n".to_owned()
    });
    text.extend(failed.chain(interrupted).chain(open));
    text
}
