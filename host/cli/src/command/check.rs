//! `check`.

use std::path::Path;

use flops_fit_trial::{CheckStatus, Outcome};

use super::{CommandError, print_as, say, subject};
use crate::{
    adopt_orphans,
    args::{self, Format, Source},
    check::{self, CheckError, Parts, Settings, Target},
    exit::Exit,
    interrupt::Interrupt,
    sweep::{Observer, Trial},
    trainer::Trainer,
    transfer, view,
    worker::Worker,
};

/// `flops-fit check`.
pub(super) fn check(
    args: &args::Check,
    format: Format,
    verbose: bool,
) -> Result<Exit, CommandError> {
    let interrupt = Interrupt::on_signals().map_err(CommandError::Signals)?;
    adopt_orphans().map_err(CommandError::Adopt)?;
    if args.transfer {
        return study(args, format, &interrupt);
    }
    let worker = Worker::find()?;
    let target = if is_manifest(&args.path) {
        if let Some(flag) = args.of_library() {
            return Err(CommandError::FlagOfLibrary { flag });
        }
        let manifest = subject::manifest(&Source {
            path: args.path.clone(),
            sets: args.sets.clone(),
        })?;
        Target::of_manifest(&manifest, args.size, &worker, &interrupt)?
    } else {
        if let Some(set) = args.sets.first() {
            return Err(CommandError::SetOnLibrary { set: set.clone() });
        }
        if let Some(size) = args.size {
            return Err(CheckError::Size { size }.into());
        }
        let parts = Parts {
            model: args.model.clone(),
            dataset: args.dataset.clone(),
            loss: args.loss.clone(),
            config: args.config.clone(),
        };
        let folder = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_owned());
        Target::of_library(&args.path.to_string_lossy(), &parts, &folder)?
    };
    let settings = Settings { limit: args.limit };
    let report = check::run(&target, &settings, &worker, &interrupt)?;
    print_as(format, &report, || report.to_string())?;
    if verbose {
        let details = report.findings.iter().filter_map(|f| f.details.as_ref());
        details.for_each(|details| say(details));
    }
    Ok(exit(report.status, args.strict))
}

fn exit(status: CheckStatus, strict: bool) -> Exit {
    let worst = if strict {
        CheckStatus::Warn
    } else {
        CheckStatus::Fail
    };
    if status >= worst {
        Exit::Plugin
    } else {
        Exit::Success
    }
}

/// `flops-fit check --transfer`.
fn study(args: &args::Check, format: Format, interrupt: &Interrupt) -> Result<Exit, CommandError> {
    if !is_manifest(&args.path) {
        let path = args.path.clone();
        return Err(CommandError::NotAManifest { path });
    }
    if let Some(flag) = args.of_library() {
        return Err(CommandError::FlagOfLibrary { flag });
    }
    let manifest = subject::manifest(&Source {
        path: args.path.clone(),
        sets: args.sets.clone(),
    })?;
    let trainer = Trainer::of(&manifest)?;
    let settings = transfer::Settings {
        sizes: args.sizes.clone(),
        steps: args.steps,
        out: args.out.clone(),
    };
    let found = transfer::run(&manifest, &settings, &trainer, &mut Words, interrupt)?;
    print_as(format, &found, || found.to_string())?;
    Ok(exit(found.status, args.strict))
}

/// A line for each trial that ends.
struct Words;

impl Observer for Words {
    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        let recipe = &trial.spec.recipe;
        say(&format!(
            "{} {}, lr {}, seed {}: {}",
            trial.size_param,
            recipe.size,
            recipe.train.lr,
            recipe.seed,
            view::ending(outcome, again)
        ));
    }
}

fn is_manifest(path: &Path) -> bool {
    path.is_dir()
        || path
            .extension()
            .is_some_and(|extension| extension == "toml")
}
