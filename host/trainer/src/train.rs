//! The training loop of one trial on one device.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use flops_fit_plugin::{Context, DataDescription, Mode, Split};
use flops_fit_trial::{
    Failure, Measured, Outcome, Part, Phase, Position, Progress, Recipe, RunSettings, Stage,
    TrialSpec,
};
use tch::Device;

use crate::{
    AdamWState, FlatParameters, Keeper, Order,
    backward::gradients,
    checkpoint::Trainee,
    contract,
    divergence::Watch,
    evaluate,
    feed::{Feed, Wanted},
    order::mix,
    parent,
    plugin::{Dataset, Loss, Model},
    rate,
};

/// Time between two progress lines.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// Hears how the training goes.
pub trait Observer {
    /// A line of progress; at least one when training starts and one when it ends.
    fn progress(&mut self, progress: &Progress);

    /// An optimizer step is done, `step` of them in all.
    fn step(&mut self, step: u64) {
        let _ = step;
    }
}

/// A trial that was trained, or diverged on the way.
#[derive(Debug)]
pub struct Trained {
    /// Completed or diverged.
    pub outcome: Outcome,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub evaluate_seconds: f64,
}

/// How a call of [`train`] ends.
#[derive(Debug)]
pub enum Training {
    /// The trial is over.
    Ended(Trained),
    /// It was asked to stop, and saved.
    Interrupted {
        /// Optimizer steps that were done.
        step: u64,
    },
}

/// Trains `model` on `dataset` as `spec` says and evaluates it. The dataset must
/// be the one that `model` and `loss` were built for; it is closed at the end.
/// With a `keeper` it goes on from the latest checkpoint, and is saved.
pub fn train(
    spec: &TrialSpec,
    model: &Model,
    dataset: Dataset,
    loss: &Loss,
    mut keeper: Option<&mut Keeper>,
    observer: &mut dyn Observer,
) -> Result<Training, Failure> {
    let data = dataset.description().clone();
    let flat = FlatParameters::adopt(model.plugin(), model.parameters()?)?;
    contract::check_count(model, spec.run.declared_n)?;
    let mut adamw = AdamWState::new(&spec.recipe.train.optimizer, &flat);
    let start = match &mut keeper {
        Some(keeper) => keeper.restore(model, &flat, &mut adamw)?,
        None => None,
    };
    let start = start.unwrap_or_else(beginning);
    let micro = micro_batch(&spec.recipe, &spec.run);
    let held_out = evaluate::plan(&data, spec.recipe.train.eval_units);
    let held_out_batches = held_out.len();
    let plan = plan(&spec.recipe, &data, micro, start.step).chain(held_out);
    std::thread::scope(|scope| {
        let mut feed = Feed::start(scope, dataset, plan);
        let clock = Instant::now();
        let mut run = Run {
            spec,
            model,
            loss,
            flat,
            adamw,
            keeper,
            micro,
            units: start.units,
            tail: Tail {
                sum: start.tail_sum,
                count: start.tail_count,
            },
            watch: Watch::resume(
                spec.recipe.train.warmup_steps,
                start.first_loss,
                &start.recent_losses,
            ),
            observer,
            clock,
            earlier: start.seconds,
            report: Report::new(clock, start.units),
        };
        let trained = run.whole(&mut feed, &data, start.step, held_out_batches);
        // Whatever happened, the loader must end before the scope does.
        let dataset = feed.stop();
        let trained = trained?;
        dataset?.close()?;
        Ok(trained)
    })
}

/// Where a trial is that has not begun.
fn beginning() -> Position {
    Position {
        step: 0,
        draws: 0,
        units: 0,
        optimizer_steps: 0,
        first_loss: None,
        recent_losses: Vec::new(),
        tail_sum: 0.0,
        tail_count: 0,
        seconds: 0.0,
    }
}

/// Examples in one forward pass.
fn micro_batch(recipe: &Recipe, run: &RunSettings) -> u64 {
    let batch = recipe.train.batch_examples.max(1);
    run.micro_batch.unwrap_or(batch).clamp(1, batch)
}

/// Every training batch from step `first` on, in order, after the examples for the
/// contract's check.
fn plan(
    recipe: &Recipe,
    data: &DataDescription,
    micro: u64,
    first: u64,
) -> impl Iterator<Item = Wanted> + Send + use<> {
    let order = Order::new(data.train_examples, recipe.seed);
    let (batch, steps) = (recipe.train.batch_examples.max(1), recipe.steps);
    let probe = Wanted {
        split: Split::Train,
        draws: (0..contract::probe_examples(micro))
            .map(|k| order.draw(k))
            .collect(),
    };
    let training = (first..steps).flat_map(move |step| {
        (0..batch).step_by(micro as usize).map(move |start| Wanted {
            split: Split::Train,
            draws: (start..(start + micro).min(batch))
                .map(|i| order.draw(step * batch + i))
                .collect(),
        })
    });
    std::iter::once(probe).chain(training)
}

struct Run<'a> {
    spec: &'a TrialSpec,
    model: &'a Model,
    loss: &'a Loss,
    flat: FlatParameters,
    adamw: AdamWState,
    keeper: Option<&'a mut Keeper>,
    micro: u64,
    units: u64,
    tail: Tail,
    watch: Watch,
    observer: &'a mut dyn Observer,
    clock: Instant,
    /// Seconds of training before this process.
    earlier: f64,
    report: Report,
}

/// Losses over the last tenth of the steps.
struct Tail {
    sum: f64,
    count: u32,
}

impl Tail {
    fn see(&mut self, step: u64, steps: u64, loss: f64) {
        if step >= steps - (steps / 10).max(1) {
            self.sum += loss;
            self.count += 1;
        }
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

impl Run<'_> {
    fn whole(
        &mut self,
        feed: &mut Feed<'_>,
        data: &DataDescription,
        first: u64,
        held_out_batches: usize,
    ) -> Result<Training, Failure> {
        contract::check_parameters_drive_output(self.model, &self.flat, &feed.next()?)?;
        let steps = self.spec.recipe.steps;
        let settings = &self.spec.recipe.train;
        self.report(Stage::Train, first, 0.0);

        for step in first..steps {
            let share = rate(&settings.schedule, settings.warmup_steps, step, steps);
            let Some((loss, finite)) = self.step(feed, data, step, share)? else {
                return Ok(self.interrupted(step));
            };
            self.report.see(loss);
            self.observer.step(step + 1);
            self.tail.see(step, steps, loss);
            if let Some(reason) = self.watch.see(step, loss) {
                return Ok(self.diverged(step + 1, loss, reason));
            }
            if !finite {
                let reason = "a gradient is NaN or infinite".to_owned();
                return Ok(self.diverged(step + 1, loss, reason));
            }
            self.report_if_due(Stage::Train, step + 1, settings.lr * share);
            if self.keeper.as_ref().is_some_and(|keeper| keeper.is_due()) {
                self.save(step + 1);
            }
        }
        let train_seconds = self.train_seconds();
        self.report(Stage::Evaluate, steps, 0.0);

        let (model, loss) = (self.model, self.loss);
        let tick = &mut || {
            self.report_if_due(Stage::Evaluate, steps, 0.0);
            if self.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let held_out = evaluate::evaluate(model, loss, feed, held_out_batches, steps, tick)?;
        let Some(held_out) = held_out else {
            return Ok(self.interrupted(steps));
        };
        if !held_out.loss.is_finite() {
            let recent = self.watch.recent().unwrap_or(f64::NAN);
            let reason = format!("the held-out loss is {}", held_out.loss);
            return Ok(self.diverged(steps, recent, reason));
        }
        let flops = self.spec.run.flops_per_unit * self.units as f64;
        let measured = Measured {
            n: self.model.num_params()? as f64,
            counts: self.spec.run.counts.clone(),
            d: self.units as f64,
            c: flops,
            spent: flops,
            unique: data.unique_units.map(|u| u as f64),
            loss: held_out.loss,
            loss_se: held_out.standard_error,
            metrics: held_out.metrics,
            train_loss: self.tail.mean(),
            lr: settings.lr,
            steps,
            eval_units: held_out.units,
        };
        Ok(Training::Ended(Trained {
            outcome: Outcome::Completed { measured },
            train_seconds,
            evaluate_seconds: self.train_seconds() - train_seconds,
        }))
    }

    /// One optimizer step; its mean training loss, and whether all gradients were
    /// finite. `None` if the trial was asked to stop: the step is then not taken.
    fn step(
        &mut self,
        feed: &mut Feed<'_>,
        data: &DataDescription,
        step: u64,
        share: f64,
    ) -> Result<Option<(f64, bool)>, Failure> {
        let settings = &self.spec.recipe.train;
        let batch_size = settings.batch_examples.max(1);
        let (mut weight, mut sum, mut units) = (0.0, 0.0, 0);
        for (i, start) in (0..batch_size).step_by(self.micro as usize).enumerate() {
            if self.is_stopped() {
                return Ok(None);
            }
            // A long step is no silence.
            self.report_if_due(Stage::Train, step, settings.lr * share);
            let batch = feed.next()?;
            let seed = mix(mix(self.spec.recipe.seed ^ mix(step)).wrapping_add(i as u64));
            let context = Context {
                mode: Mode::Train,
                seed,
                step,
            };
            let found = gradients(self.model, self.loss, self.flat.leaves(), &batch, context)?;
            self.flat.accumulate(&found.by_leaf, found.units)?;
            sum += found.mean * found.units;
            weight += found.units;
            units += self.micro.min(batch_size - start) * data.units_per_example;
        }
        parent::enter(Part::Host, Phase::Update);
        self.units += units;
        let mut factor = 1.0 / weight;
        if let Some(limit) = settings.grad_clip {
            let norm = self.flat.grad_norm() * factor;
            factor *= (limit / norm).min(1.0);
        }
        let finite = self
            .adamw
            .step(&mut self.flat, settings.lr, share, factor)?;
        Ok(Some((sum / weight, finite)))
    }

    fn is_stopped(&self) -> bool {
        self.keeper
            .as_ref()
            .is_some_and(|keeper| keeper.is_stopped())
    }

    /// Saves what there is after `step` steps, and ends.
    fn interrupted(&mut self, step: u64) -> Training {
        self.save(step);
        Training::Interrupted { step }
    }

    fn save(&mut self, step: u64) {
        let (first_loss, recent_losses) = self.watch.seen();
        let position = Position {
            step,
            draws: step * self.spec.recipe.train.batch_examples.max(1),
            units: self.units,
            optimizer_steps: self.adamw.steps(),
            first_loss,
            recent_losses,
            tail_sum: self.tail.sum,
            tail_count: self.tail.count,
            seconds: self.train_seconds(),
        };
        let trainee = Trainee {
            model: self.model,
            flat: &self.flat,
            adamw: &self.adamw,
        };
        if let Some(keeper) = &mut self.keeper {
            keeper.save(position, &trainee);
        }
    }

    fn train_seconds(&self) -> f64 {
        self.earlier + self.clock.elapsed().as_secs_f64()
    }

    fn diverged(&self, step: u64, loss: f64, reason: String) -> Training {
        Training::Ended(Trained {
            outcome: Outcome::Diverged {
                step,
                loss: loss.is_finite().then_some(loss),
                reason,
            },
            train_seconds: self.train_seconds(),
            evaluate_seconds: 0.0,
        })
    }

    fn report_if_due(&mut self, stage: Stage, step: u64, lr: f64) {
        if self.report.due() {
            self.report(stage, step, lr);
        }
    }

    fn report(&mut self, stage: Stage, step: u64, lr: f64) {
        parent::reach(stage);
        parent::beat();
        let (loss, units_per_second) = self.report.take(self.units);
        let grad_norm = (self.flat.weight() > 0.0 && stage == Stage::Train)
            .then(|| self.flat.grad_norm() / self.flat.weight());
        let progress = Progress {
            at: self.clock.elapsed().as_secs_f64(),
            stage,
            step,
            steps: self.spec.recipe.steps,
            units: self.units,
            loss,
            lr,
            grad_norm,
            units_per_second,
        };
        self.observer.progress(&progress);
    }
}

/// Sums between two progress lines.
struct Report {
    since: Instant,
    units: u64,
    sum: f64,
    count: u32,
}

impl Report {
    fn new(since: Instant, units: u64) -> Self {
        Self {
            since,
            units,
            sum: 0.0,
            count: 0,
        }
    }

    fn see(&mut self, loss: f64) {
        self.sum += loss;
        self.count += 1;
    }

    fn due(&self) -> bool {
        self.since.elapsed() >= REPORT_EVERY
    }

    /// Mean loss and units a second since the last call.
    fn take(&mut self, units: u64) -> (Option<f64>, Option<f64>) {
        let seconds = self.since.elapsed().as_secs_f64();
        let loss = (self.count > 0).then(|| self.sum / f64::from(self.count));
        let speed = (units > self.units).then(|| (units - self.units) as f64 / seconds.max(1e-9));
        *self = Self {
            since: Instant::now(),
            units,
            sum: 0.0,
            count: 0,
        };
        (loss, speed)
    }
}

/// The device that `name` stands for.
pub(crate) fn device(name: &str) -> Result<Device, Failure> {
    let unknown = |detail: String| Failure::Host {
        phase: Phase::Build,
        detail,
    };
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let index = name
        .strip_prefix("cuda:")
        .and_then(|index| index.parse::<usize>().ok());
    let index =
        index.ok_or_else(|| unknown(format!("device `{name}`: expected cpu or cuda:<number>")))?;
    let found = tch::Cuda::device_count();
    if (index as i64) < found {
        Ok(Device::Cuda(index))
    } else {
        Err(unknown(format!(
            "device `{name}`: this libtorch sees {found} CUDA devices"
        )))
    }
}
