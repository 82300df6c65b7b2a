//! `flops-fit-worker check`: whether plugins keep the contract, found out by
//! using them as trials would.
//!
//! Each check looks for one kind of defect, over several batches, and ends with
//! a finding: what was looked at, what was found, what to do. What a check
//! needs of others is written in [`CHECKS`]: where a batch has the wrong shape,
//! no model is blamed for it.
//!
//! Nothing is trained to an end. Steps are taken with a small rate of the
//! check's own, so that what goes wrong is the plugin's doing.

mod compare;
mod cost;
mod data;
mod digest;
mod held_out;
mod instances;
mod model;
mod seeds;
mod shards;
mod state;
mod subject;

use std::{collections::BTreeSet, io};

use flops_fit_trial::{
    CheckEvent, CheckName, CheckRequest, CheckScope, CheckStatus, CheckWriter, Failure, Finding,
};

use subject::{Opened, Subject, Trained};

type OfData = fn(&Subject) -> Result<Finding, Failure>;
type OfModel = fn(&Subject, &Trained) -> Result<Finding, Failure>;

/// What a check looks at.
enum Check {
    Data(OfData),
    Model(OfModel),
}

/// The checks after `describe` and `batches`, in order, with those that must
/// not have failed before.
const CHECKS: [(CheckName, Check, &[CheckName]); 15] = {
    use Check::{Data, Model};
    use CheckName as N;
    // Each starts a list of what must have passed; the first to be unmet is named.
    const MODEL: &[CheckName] = &[N::Batches, N::Parameters];
    const STEPS: &[CheckName] = &[N::Batches, N::Parameters, N::Gradients];
    const STILL: &[CheckName] = &[N::Batches, N::Parameters, N::Gradients, N::Evaluation];
    const TIMED: &[CheckName] = &[N::Batches, N::Parameters, N::Gradients, N::Cost];
    [
        (N::SameData, Data(data::same_data), &[N::Batches]),
        (N::HeldOut, Data(held_out::held_out), &[N::Batches]),
        (N::Parameters, Model(model::parameters), &[N::Batches]),
        (N::Count, Model(model::count), MODEL),
        (N::Gradients, Model(model::gradients), MODEL),
        (N::Learning, Model(model::learning), STEPS),
        (N::Repeatable, Model(seeds::repeatable), STEPS),
        (N::Randomness, Model(seeds::randomness), MODEL),
        (N::Evaluation, Model(state::evaluation), MODEL),
        (N::State, Model(state::state), STILL),
        (N::Instances, Model(instances::instances), STILL),
        (N::Shards, Model(shards::shards), STILL),
        (N::Drop, Model(instances::drop), STEPS),
        (N::Cost, Model(cost::cost), STEPS),
        (N::Flops, Model(cost::flops), TIMED),
    ]
};

/// Makes all checks of `request`, or its digest alone, and writes each finding
/// as soon as it is there.
pub fn check(request: &CheckRequest, answer: &mut CheckWriter) -> io::Result<()> {
    let mut report = Report {
        answer,
        unmet: BTreeSet::new(),
        sound: true,
    };
    let opened = report.open(CheckName::Load, || Opened::open(request))?;
    let Some(opened) = opened else {
        return Ok(());
    };
    let subject = report.open(CheckName::Describe, || opened.describe(request))?;
    let Some(mut subject) = subject else {
        return Ok(());
    };
    if request.scope == CheckScope::Whole {
        report.open(CheckName::Batches, || data::batches(&mut subject))?;
        for (name, check, needs) in &CHECKS {
            report.make(*name, needs, check, &subject)?;
        }
    }
    // What is not sound has nothing to be compared; its finding is there already.
    if report.sound
        && let Ok(hashes) = digest::digest(&subject)
    {
        report.answer.write(&CheckEvent::Digest { hashes })?;
    }
    Ok(())
}

/// The answer so far.
struct Report<'a> {
    answer: &'a mut CheckWriter,
    /// Checks that failed or were left out.
    unmet: BTreeSet<CheckName>,
    /// Whether none has failed.
    sound: bool,
}

impl Report<'_> {
    /// A check that also makes what others need; `None` if it failed.
    fn open<T>(
        &mut self,
        check: CheckName,
        body: impl FnOnce() -> Result<(Finding, T), Failure>,
    ) -> io::Result<Option<T>> {
        self.answer.write(&CheckEvent::Begun { check })?;
        let (finding, made) = match body() {
            Ok((finding, made)) => (finding, Some(made)),
            Err(failure) => (failed(check, &failure), None),
        };
        let sound = finding.status != CheckStatus::Fail;
        self.end(finding)?;
        Ok(made.filter(|_| sound))
    }

    fn make(
        &mut self,
        name: CheckName,
        needs: &[CheckName],
        check: &Check,
        subject: &Subject,
    ) -> io::Result<()> {
        let made: Box<dyn Fn() -> Result<Finding, Failure>> = match (check, &subject.trained) {
            (Check::Data(check), _) => Box::new(|| check(subject)),
            (Check::Model(check), Some(trained)) => Box::new(|| check(subject, trained)),
            (Check::Model(_), None) => {
                return self.end(Finding::skip(name, "no model was named"));
            }
        };
        if let Some(unmet) = needs.iter().find(|needed| self.unmet.contains(needed)) {
            let why = format!("not made: it needs `{unmet}`, which did not pass");
            return self.end(Finding::skip(name, why));
        }
        self.answer.write(&CheckEvent::Begun { check: name })?;
        self.end(made().unwrap_or_else(|failure| failed(name, &failure)))
    }

    fn end(&mut self, finding: Finding) -> io::Result<()> {
        self.sound &= finding.status != CheckStatus::Fail;
        // A check that was left out can't have found its subject sound.
        if matches!(finding.status, CheckStatus::Fail | CheckStatus::Skip) {
            self.unmet.insert(finding.check);
        }
        self.answer.write(&CheckEvent::Ended { finding })
    }
}

/// A call that failed is a finding too.
fn failed(check: CheckName, failure: &Failure) -> Finding {
    let fix = match failure {
        Failure::Config { what, .. } => Some(format!(
            "correct the {what}'s configuration in the manifest, or with --config {what}.KEY=VALUE"
        )),
        Failure::OutOfMemory { .. } => Some("check a smaller size or a smaller batch".to_owned()),
        // Others say in their message what to do, if not in a clause of its own.
        failure => failure.fix(),
    };
    Finding {
        fix,
        details: failure.details().map(str::to_owned),
        ..Finding::fail(check, failure.found(), "")
    }
}
