//! Times training steps of the reference GPT, one JSON object on a line.
//!
//!     step_time --case a|b|c [--steps 60] [--via host|bare|both] [--threads 1] [--ranks 1]
//!               [--shares 1]
//!
//! `host` is the whole way of a real trial: the plugin opened as a library, the
//! ABI, the loader thread, telemetry to a file. `bare` is the same model linked
//! as a crate, with the same optimizer, in a loop of a dozen lines. `both` takes
//! turns between the two within one process, a block of steps each, so that
//! whatever disturbs the machine disturbs both sides; it reports the median of
//! the blocks' ratios. The cases are those of common PyTorch baselines; the
//! text has 82 distinct characters, the early ones more often, so that there is
//! something to learn.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark's program"
)]

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use clap::Parser;
use flops_fit_gpt::{
    loss::{CrossEntropy, CrossEntropyConfig},
    model::Gpt,
};
use flops_fit_plugin::{
    Batch, Context, DataDescription, Dataset as _, Draw, Loss as _, Mode, Model as _, ModelContext,
    Place, Split,
};
use flops_fit_trainer::{
    AdamWState, Blueprint, FlatParameters, Library, ModelParameter, Observer, Training, gemm_rate,
    keep_freed_memory, train,
};
use flops_fit_trial::{
    AdamW, Component, Compute, Load, Outcome, Precision, Progress, ProgressWriter, Recipe,
    RunSettings, Schedule, TrainSettings, TrialSpec,
};
use serde_json::{Value, json};
use tch::{Device, Tensor};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    case: String,
    #[arg(long, default_value_t = 60)]
    steps: u64,
    #[arg(long, default_value = "host")]
    via: String,
    #[arg(long, default_value_t = 1)]
    threads: i32,
    /// Ranks that share the batch, on the CPU; for `--via host`
    #[arg(long, default_value_t = 1)]
    ranks: usize,
    /// Train on one of so many equal shares of the batch
    #[arg(long, default_value_t = 1)]
    shares: u64,
    /// The plugin; by default the one beside this program's folder
    #[arg(long)]
    plugin: Option<PathBuf>,
}

/// Steps that are not counted.
const WARM: usize = 5;
const CHARACTERS: u8 = 82;
const LR: f64 = 0.1;

struct Case {
    model: Value,
    data: Value,
    batch: u64,
    tokens: u64,
}

fn case(name: &str, text: &std::path::Path) -> Case {
    let (d, layers, context, batch, head) = match name {
        "a" => (32, 2, 64, 8, 16),
        "b" => (128, 4, 64, 12, 32),
        "c" => (256, 4, 128, 16, 32),
        other => panic!("case {other}: expected a, b or c"),
    };
    Case {
        model: json!({"d_model": d, "n_layers": layers, "head_size": head}),
        data: json!({"seq_len": context, "paths": [text], "tokenizer": "char", "cache_dir": text.parent()}),
        batch,
        tokens: batch * context,
    }
}

#[derive(Default)]
struct Clock {
    last: Option<Instant>,
    times: Vec<f64>,
    log: Option<ProgressWriter>,
    rival: Option<Rival>,
    collective_seconds: f64,
    /// Of training on one token.
    flops: f64,
}

impl Clock {
    fn tick(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.times.push((now - last).as_secs_f64() * 1e3);
        }
    }
}

impl Observer for Clock {
    fn progress(&mut self, progress: &Progress) {
        self.log.as_mut().unwrap().write(progress).unwrap();
    }

    fn step(&mut self, step: u64) {
        self.tick();
        let Some(rival) = &mut self.rival else {
            return;
        };
        if step.is_multiple_of(BLOCK as u64) {
            // The block's first step finds the caches as the other side left
            // them, on both sides: it is not counted.
            let ours = mean(&self.times[self.times.len() + 1 - BLOCK..]);
            rival.pairs.push((ours, rival.bare.block()));
            self.last = Some(Instant::now());
        }
    }
}

/// Steps of one side before the other has its turn.
const BLOCK: usize = 20;

/// The other side of `--via both`, and the mean step times of every turn: the
/// host's and its own.
struct Rival {
    bare: Bare,
    pairs: Vec<(f64, f64)>,
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

const ADAMW: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-12,
    weight_decay: 0.0,
};

fn main() {
    let args = Args::parse();
    keep_freed_memory();
    tch::set_num_threads(args.threads);
    tch::set_num_interop_threads(1);
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.txt");
    let mut state = 1_u64;
    let characters: String = (0..400_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let share = (state >> 33) as f64 / 2_f64.powi(31);
            char::from(b'!' + (share * share * f64::from(CHARACTERS)) as u8)
        })
        .collect();
    std::fs::write(&text, characters).unwrap();
    let mut case = case(&args.case, &text);
    case.batch /= args.shares;
    case.tokens /= args.shares;
    let steps = args.steps + WARM as u64 + 1;
    let figures = match args.via.as_str() {
        "both" => {
            let rival = Rival {
                bare: Bare::new(&case, folder.path()),
                pairs: Vec::new(),
            };
            let clock = host(&args, &case, steps, folder.path(), Some(rival));
            let mut pairs = clock.rival.unwrap().pairs;
            // The first turn warms both sides up.
            pairs.remove(0);
            json!({
                "host_ms": median(pairs.iter().map(|p| p.0).collect()),
                "bare_ms": median(pairs.iter().map(|p| p.1).collect()),
                "ratio": median(pairs.iter().map(|p| p.0 / p.1).collect()),
                "turns": pairs.len(),
            })
        }
        "host" => {
            let clock = host(&args, &case, steps, folder.path(), None);
            let collective_ms = clock.collective_seconds * 1e3 / steps as f64;
            let mut figures = alone(clock.times, &case);
            figures["collective_ms"] = collective_ms.into();
            let flop_rate = clock.flops * figures["tokens_per_s"].as_f64().unwrap();
            figures["gflops"] = (flop_rate / 1e9).into();
            let cpu = Compute {
                device: "cpu".into(),
                precision: Precision::Fp32,
            };
            figures["gemm_gflops"] = (gemm_rate(&cpu).unwrap() / 1e9).into();
            figures
        }
        "bare" => {
            let mut bare = Bare::new(&case, folder.path());
            let mut clock = Clock::default();
            for _ in 0..steps {
                bare.step();
                clock.tick();
            }
            alone(clock.times, &case)
        }
        other => panic!("--via {other}: expected host, bare or both"),
    };
    let mut line =
        json!({"case": args.case, "via": args.via, "threads": args.threads, "ranks": args.ranks});
    let object = line.as_object_mut().unwrap();
    object.extend(figures.as_object().unwrap().clone());
    println!("{line}");
}

/// The figures of one side by itself.
fn alone(mut times: Vec<f64>, case: &Case) -> Value {
    times.drain(..WARM);
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let median = median(times);
    json!({"median_ms": median, "min_ms": least, "tokens_per_s": case.tokens as f64 / median * 1e3})
}

fn host(
    args: &Args,
    case: &Case,
    steps: u64,
    folder: &std::path::Path,
    rival: Option<Rival>,
) -> Clock {
    let path = args.plugin.clone().unwrap_or_else(|| {
        let exe = std::env::current_exe().unwrap();
        exe.ancestors().nth(2).unwrap().join("libflops_fit_gpt.so")
    });
    let library = Library::open(&path).unwrap();
    let dataset = library.dataset("text", &case.data, "/").unwrap();
    let data: DataDescription = dataset.description().clone();
    let loss = library.loss_kind("cross_entropy").unwrap();
    let kind = library.model("gpt").unwrap();
    let profile = kind.profile(&case.model, &data).unwrap().unwrap();
    let blueprint = Blueprint::new(kind, loss, &json!({}), &data);
    let component = |kind: &str| Component {
        plugin: library.name().into(),
        version: library.version().into(),
        kind: kind.into(),
        config: Value::Null,
    };
    let load = |config: &Value| Load {
        library: path.clone(),
        sha256: String::new(),
        config: config.clone(),
    };
    let recipe = Recipe {
        model: component("gpt"),
        dataset: component("text"),
        fingerprint: String::new(),
        loss: component("cross_entropy"),
        size: 0,
        budget: 0.0,
        steps,
        units: steps * case.tokens,
        train: TrainSettings {
            lr: LR,
            schedule: Schedule::Constant,
            warmup_steps: 0,
            batch_examples: case.batch,
            optimizer: ADAMW,
            grad_clip: None,
            precision: Precision::Fp32,
            eval_units: 1,
        },
        seed: 0,
        simulation: None,
        trunk: None,
    };
    let run = RunSettings {
        model: load(&case.model),
        dataset: load(&case.data),
        loss: load(&json!({})),
        base_dir: folder.to_owned(),
        declared_n: profile.n,
        counts: BTreeMap::new(),
        flops_per_unit: 3.0 * profile.forward_flops_per_unit.unwrap(),
        gemm: None,
        units_per_example: data.units_per_example,
        devices: vec!["cpu".into(); args.ranks],
        threads: args.threads as u32,
        micro_batch: None,
        attempt: 0,
        retry_of: None,
        checkpoint_interval: 300.0,
        program: None,
        branches: Vec::new(),
    };
    let log = ProgressWriter::create(&folder.join("progress.jsonl")).unwrap();
    let mut clock = Clock {
        log: Some(log),
        rival,
        ..Clock::default()
    };
    let spec = TrialSpec::new(recipe, run);
    let training = train(&spec, &blueprint, dataset, None, &mut clock).unwrap();
    let Training::Ended(trained) = training else {
        unreachable!("nobody asks it to stop");
    };
    let completed = matches!(trained.outcome, Outcome::Completed { .. });
    assert!(completed, "the loss diverged: {:?}", trained.outcome);
    clock.collective_seconds = trained.collective_seconds;
    clock.flops = spec.run.flops_per_unit;
    clock
}

/// The same model as a crate, with the same optimizer, and eight batches that
/// are there already.
struct Bare {
    model: Gpt,
    loss: CrossEntropy,
    flat: FlatParameters,
    adamw: AdamWState,
    batches: Vec<Batch>,
    step: u64,
}

impl Bare {
    fn new(case: &Case, folder: &std::path::Path) -> Self {
        let config = serde_json::from_value(case.data.clone()).unwrap();
        let dataset =
            flops_fit_gpt::data::datasets::Text::build(&config, &Place { base_dir: folder })
                .unwrap();
        let data = dataset.description();
        tch::manual_seed(0);
        let config = serde_json::from_value(case.model.clone()).unwrap();
        let context = ModelContext {
            data: &data,
            device: Device::Cpu,
            seed: 0,
        };
        let model = Gpt::build(&config, &context).unwrap();
        let parameters = model.parameters().into_iter().map(|p| ModelParameter {
            name: p.name,
            tensor: p.tensor,
            lr_scale: p.lr_scale,
            decay_scale: p.decay_scale,
        });
        let flat = FlatParameters::adopt("bare", parameters.collect()).unwrap();
        let batch = |i: u64| {
            let draw = |j| Draw {
                index: i * 1000 + j,
                seed: 0,
            };
            let draws: Vec<_> = (0..case.batch).map(draw).collect();
            dataset.batch(Split::Train, &draws).unwrap()
        };
        Self {
            adamw: AdamWState::new(&ADAMW, &flat).unwrap(),
            batches: (0..8).map(batch).collect(),
            loss: CrossEntropy::build(&CrossEntropyConfig::default(), &data).unwrap(),
            model,
            flat,
            step: 0,
        }
    }

    fn step(&mut self) {
        let batch = &self.batches[self.step as usize % self.batches.len()];
        let context = Context {
            mode: Mode::Train,
            seed: 0,
            step: self.step,
        };
        let outputs = self.model.forward(&batch.inputs, &context).unwrap();
        let value = self
            .loss
            .compute(&outputs, &batch.targets, Mode::Train)
            .unwrap();
        let gradients = Tensor::run_backward(&[value.mean], self.flat.leaves(), false, false);
        self.flat.accumulate(&gradients, 1.0).unwrap();
        self.adamw.step(&mut self.flat, LR, 1.0, 1.0).unwrap();
        self.step += 1;
    }

    /// One turn: the mean milliseconds of its steps but the first.
    fn block(&mut self) -> f64 {
        self.step();
        let began = Instant::now();
        for _ in 1..BLOCK {
            self.step();
        }
        began.elapsed().as_secs_f64() * 1e3 / (BLOCK - 1) as f64
    }
}
