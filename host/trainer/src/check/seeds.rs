//! What the seed decides: everything, and nothing else does.

use flops_fit_plugin::Mode;
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::Tensor;

use super::{
    compare::{all_same, first_difference},
    subject::{Subject, Trained},
};

/// Steps that two models of one seed are trained for.
pub(super) const STEPS: u64 = 5;

/// Built twice and trained twice from one seed: the same bits throughout. And
/// another seed gives another model.
pub(super) fn repeatable(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Repeatable;
    let (first, second) = (history(subject, trained)?, history(subject, trained)?);
    if let Some(what) = first_difference(&first.initial, &second.initial) {
        return Ok(Finding::warn(
            CHECK,
            format!("built twice from one seed, the models differ in {what}"),
            "initialise from libtorch's generator, which the host seeds, or from context.seed; not from a clock, a thread's generator or an address",
        ));
    }
    let losses = first.losses.iter().zip(&second.losses);
    let differs = losses
        .zip(1..)
        .find(|((a, b), _)| a.to_bits() != b.to_bits())
        .map(|((a, b), step)| format!("step {step} differs in the loss, {a} and {b}"))
        .or(first_difference(&first.trained, &second.trained)
            .map(|what| format!("the models differ in {what} after {STEPS} steps")));
    if let Some(what) = differs {
        return Ok(Finding::warn(
            CHECK,
            format!("trained twice from one seed, {what}"),
            "derive dropout and the like from context.seed; an operation that adds in no fixed order can't be repeated either",
        ));
    }
    let mut other = trained.build(&subject.data, subject.seed.wrapping_add(1))?;
    let mut same = trained.build(&subject.data, subject.seed)?;
    // A model without random weights may still draw in training.
    if first_difference(&same.parameters(), &other.parameters()).is_none() {
        let batch = &subject.batches[0];
        let (a, b) = (
            same.step(&trained.loss, batch, 0)?,
            other.step(&trained.loss, batch, 0)?,
        );
        if a.to_bits() == b.to_bits() {
            return Ok(Finding::warn(
                CHECK,
                "another seed builds the same model",
                "draw initial weights from libtorch's generator or from context.seed: the seeds of a sweep measure its noise",
            ));
        }
    }
    Ok(Finding::pass(
        CHECK,
        format!(
            "built twice and trained twice for {STEPS} steps, to the last bit; another seed gives another model"
        ),
    ))
}

/// One training run of a few steps.
struct History {
    initial: Vec<(String, Tensor)>,
    losses: Vec<f64>,
    trained: Vec<(String, Tensor)>,
}

fn history(subject: &Subject, trained: &Trained) -> Result<History, Failure> {
    let mut model = trained.build(&subject.data, subject.seed)?;
    let initial = model.parameters();
    let batches = subject.batches.iter().cycle();
    let losses = (0..STEPS)
        .zip(batches)
        .map(|(step, batch)| model.step(&trained.loss, batch, step));
    let losses = losses.collect::<Result<Vec<_>, Failure>>()?;
    Ok(History {
        initial,
        losses,
        trained: model.parameters(),
    })
}

/// Forward passes draw from `context.seed`, not from libtorch's generator,
/// which all threads of the process share.
pub(super) fn randomness(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Randomness;
    let instance = trained.build(&subject.data, subject.seed)?;
    let inputs = &subject.batches[0].inputs;
    let pass = |generator: i64, seed: u64| {
        tch::manual_seed(generator);
        instance.outputs(inputs, Mode::Train, seed)
    };
    let (one, again) = (pass(1, 0)?, pass(1, 0)?);
    if !all_same(&one, &again) {
        let why =
            "two passes in training mode differ whatever the seeds; see `repeatable` and `state`";
        return Ok(Finding::skip(CHECK, why));
    }
    if !all_same(&one, &pass(2, 0)?) {
        return Ok(Finding::warn(
            CHECK,
            "forward draws from libtorch's generator, which the whole process shares",
            "derive dropout and the like from context.seed: until then a trial of this model is allowed one rank a process",
        ));
    }
    let random = !all_same(&one, &pass(1, 1)?);
    let found = if random {
        "training passes draw from context.seed alone"
    } else {
        "training passes draw nothing"
    };
    Ok(Finding::pass(CHECK, found))
}
