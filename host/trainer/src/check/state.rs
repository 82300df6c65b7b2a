//! State beside the parameters: evaluation leaves it alone, and the host is
//! told of all of it.

use flops_fit_plugin::Mode;
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::Tensor;

use super::{
    compare::{all_same, first_difference},
    subject::{Instance, Subject, Trained},
};
use crate::{contract::Kept, plugin::Batch};

/// Evaluation is a function of parameters, buffers and inputs, and changes none
/// of them.
pub(super) fn evaluation(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Evaluation;
    let instance = trained.build(&subject.data, subject.seed)?;
    let (parameters, buffers) = (instance.parameters(), instance.buffers()?);
    let [first, others @ ..] = subject.batches.as_slice() else {
        return Ok(Finding::skip(CHECK, "there is no batch"));
    };
    let evaluate = |batch: &Batch, seed| instance.outputs(&batch.inputs, Mode::Eval, seed);
    let before = evaluate(first, 0)?;
    for batch in others {
        evaluate(batch, 0)?;
    }
    let moved = first_difference(&parameters, &instance.parameters())
        .map(|what| format!("parameter {what}"))
        .or(first_difference(&buffers, &instance.buffers()?).map(|what| format!("buffer {what}")));
    if let Some(what) = moved {
        return Ok(Finding::fail(
            CHECK,
            format!(
                "evaluating {} batches changed {what}",
                subject.batches.len()
            ),
            "in Mode::Eval update nothing: running statistics are for Mode::Train",
        ));
    }
    if !all_same(&before, &evaluate(first, 0)?) || !all_same(&before, &evaluate(first, 1)?) {
        return Ok(Finding::fail(
            CHECK,
            "two evaluations of one batch differ",
            "in Mode::Eval draw nothing and update nothing: no dropout, no noise, no state",
        ));
    }
    let value = |outputs: &[Tensor]| {
        let _no_grad = tch::no_grad_guard();
        let value = trained
            .loss
            .compute(instance.model(), outputs, &first.targets, Mode::Eval)?;
        Ok::<_, Failure>(value.mean.double_value(&[]).to_bits())
    };
    if value(&before)? != value(&before)? {
        return Ok(Finding::fail(
            CHECK,
            "the loss of the same outputs and targets differs when it is computed again",
            "let compute() depend on its arguments alone",
        ));
    }
    Ok(Finding::pass(
        CHECK,
        format!(
            "{} evaluations changed no parameter, buffer, output or loss",
            subject.batches.len() + 2
        ),
    ))
}

/// What training passes change beside the parameters is in `buffers()`.
pub(super) fn state(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::State;
    const FIX: &str = "return every tensor that forward updates from buffers(): a checkpoint saves those, and nothing else";
    let instance = trained.build(&subject.data, subject.seed)?;
    let buffers = instance.buffers()?;
    let mut names: Vec<&String> = buffers.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    if names.len() < buffers.len() {
        return Ok(Finding::fail(
            CHECK,
            "two buffers have the same name",
            "give each a name of its own; checkpoints go by it",
        ));
    }
    let parameters = instance.parameters();
    let kept = Kept::of(instance.model(), &instance.flat)?;
    let before = evaluated(&instance, subject)?;
    for batch in &subject.batches {
        instance.outputs(&batch.inputs, Mode::Train, 0)?;
    }
    if let Some(what) = first_difference(&parameters, &instance.parameters()) {
        return Ok(Finding::fail(
            CHECK,
            format!("a forward pass changed parameter {what}"),
            "parameters are the optimizer's to change; make it a buffer",
        ));
    }
    let moved = first_difference(&buffers, &instance.buffers()?).is_some();
    kept.put_back(&instance.flat)?;
    if !all_same(&before, &evaluated(&instance, subject)?) {
        let found = format!(
            "training passes change the outputs of evaluation, and putting the {} buffers back does not undo it",
            buffers.len()
        );
        return Ok(Finding::fail(CHECK, found, FIX));
    }
    let found = match (buffers.len(), moved) {
        (0, _) => "no state beside the parameters".to_owned(),
        (count, true) => format!("{count} buffers hold all that training passes change"),
        (count, false) => format!("{count} buffers, which training passes leave as they are"),
    };
    Ok(Finding::pass(CHECK, found))
}

fn evaluated(instance: &Instance, subject: &Subject) -> Result<Vec<Tensor>, Failure> {
    instance.outputs(&subject.batches[0].inputs, Mode::Eval, 0)
}
