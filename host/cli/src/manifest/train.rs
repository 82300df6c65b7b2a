//! `[train]`: the recipe that every trial of the sweep shares.

use flops_fit_trial::{AdamW, DecayShape, Precision, Schedule, TrainSettings};

use super::{
    BatchUnits, LearningRate, Run,
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};

/// `[train]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// Peak learning rate.
    pub lr: LearningRate,
    /// How the rate moves after warm-up.
    pub schedule: Schedule,
    /// Whether trials of one size and seed share their steps before the cool-down.
    pub reuse_trunk: bool,
    /// How long it warms up.
    pub warmup: Warmup,
    /// Units (tokens, images) in one optimizer step.
    pub batch_units: BatchUnits,
    /// The optimizer's constants.
    pub optimizer: AdamW,
    /// Largest global gradient norm.
    pub grad_clip: Option<f64>,
    /// Number format.
    pub precision: Precision,
    /// Units of the held-out set.
    pub eval_units: u64,
}

/// Length of the linear warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warmup {
    /// A share of the trial's steps, and at least [`Warmup::LEAST_STEPS`]. Along a trunk,
    /// which trials of many lengths share, of the fewest steps that a trial may have.
    Share(f64),
    /// Units (tokens, images), rounded up to whole steps.
    Units(u64),
    /// Optimizer steps.
    Steps(u64),
}

pub(super) const KEYS: &[&str] = &[
    "lr",
    "schedule",
    "warmup",
    "batch_tokens",
    "weight_decay",
    "betas",
    "eps",
    "grad_clip",
    "precision",
    "eval_tokens",
];

impl Warmup {
    /// Fewest steps of a warm-up that is given as a share.
    pub const LEAST_STEPS: u64 = 10;

    /// Steps of warm-up in a trial of `steps` steps.
    pub fn steps(self, steps: u64, units_per_step: u64) -> u64 {
        match self {
            Self::Share(share) => Self::LEAST_STEPS.max((share * steps as f64) as u64),
            Self::Units(units) => units.div_ceil(units_per_step),
            Self::Steps(steps) => steps,
        }
    }
}

impl Train {
    /// `run` is what the automatic precision goes by.
    pub(super) fn read(section: &Section<'_>, run: &Run) -> Result<Self, Box<Mistake>> {
        const ABOVE_0: &str = "a number above 0";
        let above_0 = |f: &Field<'_>| f.number(ABOVE_0, |x| x > 0.0);
        let (beta1, beta2) = section.or("betas", (0.9, 0.95), betas)?;
        let (schedule, reuse_trunk) = section.or("schedule", (WSD, false), schedule)?;
        Ok(Self {
            lr: section.or("lr", LearningRate::Fixed(1.0), LearningRate::read)?,
            schedule,
            reuse_trunk,
            warmup: section.or("warmup", Warmup::Share(0.1), warmup)?,
            batch_units: section.or("batch_tokens", BatchUnits::DEFAULT, BatchUnits::read)?,
            optimizer: AdamW {
                beta1,
                beta2,
                eps: section.or("eps", 1e-12, above_0)?,
                weight_decay: section.or("weight_decay", 0.0, |f| {
                    f.number("a number from 0 to below 1", |x| (0.0..1.0).contains(&x))
                })?,
            },
            grad_clip: section.maybe("grad_clip", above_0)?,
            precision: section.or("precision", Precision::Fp32, |f| precision(f, run))?,
            eval_units: section.or("eval_tokens", 65_536, |f| Ok(f.whole(1)? as u64))?,
        })
    }

    /// The settings of a trial of `steps` steps in a sweep whose trials have at least
    /// `min_steps`, at peak rate `lr`.
    pub fn settings(
        &self,
        lr: f64,
        steps: u64,
        min_steps: u64,
        examples: u64,
        units_per_step: u64,
    ) -> TrainSettings {
        let warm_over = if self.reuse_trunk { min_steps } else { steps };
        TrainSettings {
            lr,
            schedule: self.schedule.clone(),
            warmup_steps: self.warmup.steps(warm_over, units_per_step),
            batch_examples: examples,
            optimizer: self.optimizer.clone(),
            grad_clip: self.grad_clip,
            precision: self.precision,
            eval_units: self.eval_units,
        }
    }
}

const WSD: Schedule = Schedule::Wsd {
    decay: 0.2,
    shape: DecayShape::Sqrt,
};
const COSINE: Schedule = Schedule::Cosine { floor: 0.1 };

/// The schedule, and whether trunks are shared.
fn schedule(field: &Field<'_>) -> Result<(Schedule, bool), Box<Mistake>> {
    const EXPECTED: &str = "\"wsd\", \"cosine\" or \"constant\", or a table such as { kind = \"wsd\", decay = 0.2, shape = \"sqrt\", reuse_trunk = true }";
    let kinds = [("wsd", 0), ("cosine", 1), ("constant", 2)];
    match &field.node.value {
        Value::Text(_) => {
            let schedule = match field.word(&kinds)? {
                0 => WSD,
                1 => COSINE,
                _ => Schedule::Constant,
            };
            Ok((schedule, false))
        }
        Value::Table(_) => {
            let every = field.table(
                EXPECTED,
                &["kind", "decay", "shape", "reuse_trunk", "floor"],
            )?;
            match every.required("kind", EXPECTED)?.word(&kinds)? {
                0 => wsd(&field.table(EXPECTED, &["kind", "decay", "shape", "reuse_trunk"])?),
                1 => {
                    let table = field.table(EXPECTED, &["kind", "floor"])?;
                    let floor = table.or("floor", 0.1, |f| {
                        f.number("a share of lr from 0 to below 1", |x| {
                            (0.0..1.0).contains(&x)
                        })
                    })?;
                    Ok((Schedule::Cosine { floor }, false))
                }
                _ => {
                    field.table(EXPECTED, &["kind"])?;
                    Ok((Schedule::Constant, false))
                }
            }
        }
        _ => Err(field.unacceptable(EXPECTED)),
    }
}

fn wsd(table: &Section<'_>) -> Result<(Schedule, bool), Box<Mistake>> {
    let reuse_trunk = table.or("reuse_trunk", false, Field::truth)?;
    let decay = table.or("decay", 0.2, |f| {
        if reuse_trunk {
            f.number(
                "a share of the steps above 0 and below 1: what comes before it is the trunk",
                |x| x > 0.0 && x < 1.0,
            )
        } else {
            f.number("a share of the steps above 0, at most 1", |x| {
                x > 0.0 && x <= 1.0
            })
        }
    })?;
    let shape = table.or("shape", DecayShape::Sqrt, |f| {
        f.word(&[("sqrt", DecayShape::Sqrt), ("linear", DecayShape::Linear)])
    })?;
    Ok((Schedule::Wsd { decay, shape }, reuse_trunk))
}

fn warmup(field: &Field<'_>) -> Result<Warmup, Box<Mistake>> {
    const EXPECTED: &str =
        "a share of the steps from 0 to below 1, or { tokens = 10000 }, or { steps = 20 }";
    if !matches!(field.node.value, Value::Table(_)) {
        return field
            .number(EXPECTED, |x| (0.0..1.0).contains(&x))
            .map(Warmup::Share);
    }
    let table = field.table(EXPECTED, &["tokens", "steps"])?;
    match (table.get("tokens"), table.get("steps")) {
        (Some(tokens), None) => Ok(Warmup::Units(tokens.whole(0)? as u64)),
        (None, Some(steps)) => Ok(Warmup::Steps(steps.whole(0)? as u64)),
        _ => Err(field.unacceptable(EXPECTED)),
    }
}

/// `"auto"` is bf16 on CUDA devices, and fp32 on the CPU, where bf16 is slower for all but
/// wide models.
fn precision(field: &Field<'_>, run: &Run) -> Result<Precision, Box<Mistake>> {
    let automatic = if run.on_cuda() {
        Precision::Bf16
    } else {
        Precision::Fp32
    };
    field.word(&[
        ("fp32", Precision::Fp32),
        ("bf16", Precision::Bf16),
        ("tf32", Precision::Tf32),
        ("fp64", Precision::Fp64),
        ("auto", automatic),
    ])
}

fn betas(field: &Field<'_>) -> Result<(f64, f64), Box<Mistake>> {
    const EXPECTED: &str = "two numbers from 0 to below 1, such as [0.9, 0.95]";
    match field.list(EXPECTED)?.as_slice() {
        [a, b] => {
            let beta =
                |f: &Field<'_>| f.number("a number from 0 to below 1", |x| (0.0..1.0).contains(&x));
            Ok((beta(a)?, beta(b)?))
        }
        _ => Err(field.unacceptable(EXPECTED)),
    }
}
