//! Several ranks against one, and ranks that fail.

mod precision;
mod resume;
mod telemetry;

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Mutex, atomic::Ordering},
    thread,
};

use flops_fit_gpt::{data::datasets::Stories, loss::CrossEntropy, model::Gpt};
use flops_fit_plugin::{Buffer, Context, Error, Mode, Model, ModelContext, Parameter};
use flops_fit_trial::{
    AdamW, Component, DecayShape, Load, Measured, Precision, Recipe, RunSettings, Schedule,
    TrainSettings,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tch::Kind;

use super::*;
use crate::plugin::linked;

/// The shape of case a of the benchmarks: d 32, L 2, T 64, 8 windows a step.
const BATCH: u64 = 8;

fn spec(model: &Value, devices: usize, precision: Precision, steps: u64, n: u64) -> TrialSpec {
    let component = || Component {
        plugin: "linked".into(),
        version: "1".into(),
        kind: "kind".into(),
        config: Value::Null,
    };
    let load = |config: &Value| Load {
        library: "/".into(),
        sha256: String::new(),
        config: config.clone(),
    };
    let recipe = Recipe {
        model: component(),
        dataset: component(),
        fingerprint: String::new(),
        loss: component(),
        size: 32,
        budget: 1e9,
        steps,
        units: steps * BATCH * 64,
        train: TrainSettings {
            lr: 1.0,
            schedule: Schedule::Wsd {
                decay: 0.2,
                shape: DecayShape::Sqrt,
            },
            warmup_steps: 10,
            batch_examples: BATCH,
            optimizer: AdamW {
                beta1: 0.9,
                beta2: 0.95,
                eps: 1e-12,
                weight_decay: 0.0,
            },
            grad_clip: None,
            precision,
            eval_units: 8192,
        },
        seed: 3,
        simulation: None,
        trunk: None,
    };
    let run = RunSettings {
        model: load(model),
        dataset: load(&Value::Null),
        loss: load(&json!({})),
        base_dir: "/".into(),
        declared_n: n,
        counts: BTreeMap::new(),
        flops_per_unit: 1.0,
        gemm: None,
        units_per_example: 64,
        devices: vec!["cpu".into(); devices],
        threads: 1,
        micro_batch: None,
        attempt: 0,
        retry_of: None,
        checkpoint_interval: 300.0,
        program: None,
        branches: Vec::new(),
    };
    TrialSpec::new(recipe, run)
}

/// Keeps the parameters.
#[derive(Default)]
struct Eye(Option<Tensor>);

impl Observer for Eye {
    fn progress(&mut self, _progress: &Progress) {}

    fn trained(&mut self, parameters: &FlatParameters) {
        self.0 = Some(parameters.params.copy());
    }
}

fn blueprint<M: Model>(dataset: &Dataset) -> Blueprint {
    let loss = linked::loss::<CrossEntropy>();
    Blueprint::new(
        linked::model::<M>(),
        loss,
        &json!({}),
        dataset.description(),
    )
}

fn run<M: Model>(spec: &TrialSpec) -> (Result<Training, Failure>, Option<Tensor>) {
    tch::set_num_threads(1);
    let dataset = linked::dataset::<Stories>(&json!({"seq_len": 64})).expect("a dataset");
    let mut eye = Eye::default();
    let ended = train(spec, &blueprint::<M>(&dataset), dataset, None, &mut eye);
    (ended, eye.0)
}

/// Case a of 50 steps, and the configuration of its dataset.
fn case_a_spec(ranks: usize, precision: Precision) -> (TrialSpec, Value) {
    let config = json!({"d_model": 32, "n_layers": 2, "head_size": 16});
    let data = json!({"seq_len": 64});
    let dataset = linked::dataset::<Stories>(&data).expect("a dataset");
    let kind = linked::model::<Gpt>();
    let profile = kind
        .profile(&config, dataset.description())
        .expect("counted");
    let n = profile.expect("it counts itself").n;
    (spec(&config, ranks, precision, 50, n), data)
}

/// Trains case a and gives what was measured, and the parameters.
fn case_a(ranks: usize, precision: Precision, micro_batch: Option<u64>) -> (Measured, Tensor) {
    let (mut spec, _) = case_a_spec(ranks, precision);
    spec.run.micro_batch = micro_batch;
    completed(&spec)
}

/// The same for a trial of the reference GPT.
fn completed(spec: &TrialSpec) -> (Measured, Tensor) {
    let (ended, parameters) = run::<Gpt>(spec);
    let Ok(Training::Ended(Trained {
        outcome: Outcome::Completed { measured },
        ..
    })) = ended
    else {
        panic!("{:?}: {ended:?}", spec.run.devices);
    };
    (measured, parameters.expect("kept"))
}

/// |Δloss| and ‖Δw‖/‖w‖.
fn apart(a: &(Measured, Tensor), b: &(Measured, Tensor)) -> (f64, f64) {
    let norm = |tensor: &Tensor| tensor.to_kind(Kind::Double).norm().double_value(&[]);
    let loss = (a.0.loss - b.0.loss)
        .abs()
        .max((a.0.train_loss - b.0.train_loss).abs());
    (loss, norm(&(&a.1 - &b.1)) / norm(&a.1))
}

/// Below the gradients' norms of case a.
const CLIP: f64 = 1e-4;

fn ranks_agree(precision: Precision, grad_clip: Option<f64>, tolerance: f64) {
    let on = |ranks| {
        let (mut spec, _) = case_a_spec(ranks, precision);
        spec.recipe.train.grad_clip = grad_clip;
        completed(&spec)
    };
    let one = on(1);
    // Eight windows over three ranks are 2, 3 and 3: each weighs by its tokens.
    for ranks in [2, 3, 4] {
        let several = on(ranks);
        let (loss, weights) = apart(&one, &several);
        // What `--nocapture` shows.
        let said = writeln!(
            std::io::stderr().lock(),
            "{ranks} ranks against one, {precision:?}, clipped at {grad_clip:?}: |Δloss| {loss:.1e}, ‖Δw‖/‖w‖ {weights:.1e}"
        );
        said.expect("standard error is there");
        assert!(
            loss <= tolerance && weights <= tolerance,
            "{ranks} ranks: |Δloss| = {loss:.1e}, ‖Δw‖/‖w‖ = {weights:.1e}"
        );
        assert_eq!(several.0.d.to_bits(), one.0.d.to_bits());
    }
}

#[test]
fn one_to_four_ranks_agree_in_fp64() {
    ranks_agree(Precision::Fp64, None, 1e-12);
}

#[test]
fn ranks_agree_on_the_norm_that_they_clip_by() {
    ranks_agree(Precision::Fp64, Some(CLIP), 1e-12);
    // Adam does not see a factor that is the same in all steps; this one is another in each.
    let (mut spec, _) = case_a_spec(1, Precision::Fp64);
    let whole = completed(&spec);
    spec.recipe.train.grad_clip = Some(CLIP);
    let (_, weights) = apart(&whole, &completed(&spec));
    assert!(weights > 1e-6, "nothing was clipped");
}

#[test]
fn one_to_four_ranks_agree_in_fp32() {
    ranks_agree(Precision::Fp32, None, 1e-5);
}

#[test]
fn the_same_ranks_give_the_same_bits() {
    // Beside another trial, with micro-batches, and from one rank to the next.
    thread::scope(|scope| {
        let other = scope.spawn(|| case_a(3, Precision::Fp32, Some(2)));
        let one = case_a(3, Precision::Fp32, Some(2));
        let other = other.join().expect("no panic");
        assert_eq!(one.0, other.0);
        assert!(one.1.equal(&other.1));
    });
}

/// What is wrong with a replica of [`Odd`] that is not the leader's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    Order,
    Shape,
    Buffer,
    Build,
    Error,
    Panic,
    /// None: its buffers move as it trains, by another amount on each rank.
    Moves,
}

/// What a model that moves finds in its buffers when it is first evaluated.
static EVALUATED: Mutex<Option<[i64; 2]>> = Mutex::new(None);

#[derive(Debug, Serialize, Deserialize)]
struct OddConfig {
    fault: Fault,
    everywhere: bool,
}

/// Tokens looked up in one table, and read out by another.
struct Odd {
    first: Tensor,
    second: Tensor,
    state: Tensor,
    count: Tensor,
    fault: Option<Fault>,
}

impl Model for Odd {
    type Config = OddConfig;

    fn build(config: &OddConfig, context: &ModelContext<'_>) -> flops_fit_plugin::Result<Self> {
        // Ranks that follow run on threads without a name.
        let follows = thread::current().name().is_none();
        let fault = (follows || config.everywhere).then_some(config.fault);
        if fault == Some(Fault::Build) {
            return Err(Error::new("it can't be built here"));
        }
        let width = if fault == Some(Fault::Shape) { 6 } else { 4 };
        let options = (Kind::Float, context.device);
        let table = |shape| Tensor::randn(shape, options).set_requires_grad(true);
        Ok(Self {
            first: table([4096, width]),
            second: table([width, 4096]),
            state: Tensor::zeros([3], options),
            count: Tensor::zeros([2, 2], (Kind::Int64, context.device)),
            fault,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut all = vec![
            Parameter::new("first", &self.first),
            Parameter::new("second", &self.second),
        ];
        if self.fault == Some(Fault::Order) {
            all.reverse();
        }
        all
    }

    fn buffers(&self) -> Vec<Buffer> {
        if self.fault == Some(Fault::Buffer) {
            return Vec::new();
        }
        let buffer = |name: &str, tensor: &Tensor| Buffer {
            name: name.to_owned(),
            tensor: tensor.shallow_clone(),
        };
        vec![buffer("state", &self.state), buffer("count", &self.count)]
    }

    fn forward(
        &self,
        inputs: &[Tensor],
        context: &Context,
    ) -> flops_fit_plugin::Result<Vec<Tensor>> {
        match self.fault {
            Some(Fault::Error) if context.step == 2 => return Err(Error::new("not that one")),
            Some(Fault::Panic) if context.step == 2 => panic!("what now"),
            Some(Fault::Moves) if context.mode == Mode::Train => {
                let moved = (context.seed % 1000) as i64;
                let _ = self.state.shallow_clone().f_add_scalar_(moved)?;
                let _ = self.count.shallow_clone().f_add_scalar_(2 * moved + 1)?;
            }
            // Before the first step the leader alone is looked at.
            Some(Fault::Moves) if context.step > 0 => {
                let found = [
                    self.state.int64_value(&[2]),
                    self.count.int64_value(&[1, 1]),
                ];
                let mut first = EVALUATED.lock().expect("no panic");
                if *first.get_or_insert(found) != found {
                    return Err(Error::new("evaluated with other buffers"));
                }
            }
            _ => {}
        }
        let found = Tensor::embedding(&self.first, &inputs[0], -1, false, false);
        Ok(vec![found.matmul(&self.second)])
    }

    fn num_params(&self) -> u64 {
        1
    }
}

#[track_caller]
fn odd(fault: Fault, everywhere: bool) -> Failure {
    let config = json!({"fault": fault, "everywhere": everywhere});
    let (ended, _) = run::<Odd>(&spec(&config, 3, Precision::Fp32, 50, 1));
    ended.expect_err("it can't have gone well")
}

#[test]
fn ranks_that_disagree_are_refused_before_the_first_step() {
    for (fault, words) in [
        (Fault::Order, "has parameter `second`"),
        (Fault::Shape, "has parameter `first` [4096, 6]"),
        (
            Fault::Buffer,
            "has nothing where rank 0 has buffer `state` [3]",
        ),
    ] {
        let failure = odd(fault, false);
        let Failure::ContractViolation { rule, .. } = &failure else {
            panic!("{fault:?}: {failure:?}");
        };
        assert!(rule.contains(words), "{rule}");
    }
}

#[test]
fn a_rank_that_fails_stops_all_with_its_cause() {
    // Several times: which rank notices what first is another each time.
    for everywhere in [false, true, false, false, false, false] {
        let failure = odd(Fault::Error, everywhere);
        assert!(
            matches!(&failure, Failure::Plugin { message, .. } if message == "not that one"),
            "{failure:?}"
        );
        let failure = odd(Fault::Panic, everywhere);
        assert!(
            matches!(&failure, Failure::Panicked { message, .. } if message == "what now"),
            "{failure:?}"
        );
        let failure = odd(Fault::Build, everywhere);
        assert!(
            matches!(&failure, Failure::Config { message, .. } if message.contains("built here")),
            "{failure:?}"
        );
    }
}

struct Panics;

impl Observer for Panics {
    fn progress(&mut self, _progress: &Progress) {}

    fn step(&mut self, step: u64) {
        assert!(step < 3, "no more than {step}");
    }
}

#[test]
fn a_panic_of_the_host_itself_is_not_a_plugins() {
    for ranks in [1, 3] {
        let (spec, config) = case_a_spec(ranks, Precision::Fp32);
        let dataset = linked::dataset::<Stories>(&config).expect("a dataset");
        let blueprint = blueprint::<Gpt>(&dataset);
        let ended = train(&spec, &blueprint, dataset, None, &mut Panics);
        let failure = ended.expect_err("it panicked").to_string();
        let words = "rank 0 panicked outside the plugins: no more than 3";
        assert!(failure.contains(words), "{failure}");
    }
}

#[test]
fn all_ranks_are_evaluated_with_the_buffers_of_the_first() {
    let config = json!({"fault": "moves", "everywhere": true});
    let (ended, _) = run::<Odd>(&spec(&config, 3, Precision::Fp32, 20, 1));
    assert!(ended.is_ok(), "{ended:?}");
    assert!(
        EVALUATED
            .lock()
            .expect("no panic")
            .is_some_and(|[state, count]| state > 0 && count > state)
    );
}

#[test]
fn more_ranks_than_examples_are_refused() {
    let config = json!({"fault": "order", "everywhere": false});
    let (ended, _) = run::<Odd>(&spec(&config, 9, Precision::Fp32, 50, 1));
    let failure = ended.expect_err("refused").to_string();
    assert!(
        failure.contains("9 devices share a batch of 8 examples"),
        "{failure}"
    );
}
