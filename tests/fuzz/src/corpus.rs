//! Valid inputs, from the examples of this repository and from the types that
//! write them.

mod library;
mod program;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use flops_fit::{
    input::{self, Checks, Form, Mapping},
    plan::Plan,
    report::{Analysis, Subject},
};
use flops_fit_scaling::Options;
use flops_fit_trial::{
    AdamW, Arrangement, Build, CheckEvent, CheckName, CheckRequest, CheckScope, Checkpoint,
    Component, ComponentFacts, Compute, Content, DatasetFacts, DecayShape, DescribeRequest,
    DescribeResponse, Description, Environment, FORMAT, Failure, Finding, Load, Measured, Outcome,
    Phase, Position, Precision, Progress, Recipe, Refusal, Resumed, RunSettings, Schedule,
    SizeFacts, SizeOutcome, Stage, Timing, TrainSettings, TrialResult, TrialSpec, WantedComponent,
    WantedTrained, sealed,
};
use serde::Serialize;
use serde_json::json;

pub(crate) use library::records;
pub(crate) use program::{program_answers, program_results, question};

/// A manifest with the keys that have to be there.
pub(crate) const SMALL: &str = r#"
name = "small"
[model]
plugin = "flops_fit_gpt"
kind = "gpt"
size_param = "d_model"
[dataset]
kind = "stories"
[loss]
kind = "cross_entropy"
[sweep]
grid = [{ budget = 1e9, sizes = [8, 16, 24] }]
"#;

/// A manifest with most of the keys that may be there.
const FULL: &str = r#"
name = "full"
base_dir = "."
plugin_path = ["target/release", "lib"]
[model]
plugin = "./libmine.so"
kind = "gpt"
size_param = "block.width"
sizes = { min = 16, max = 512, multiple_of = 16 }
[model.config]
n_layers = 4
rope = { base = 1e4, on = true }
names = ["a", "b"]
[dataset]
plugin = "flops_fit_gpt"
kind = "text"
config = { paths = ["a.txt"], tokenizer = "byte", seq_len = 128 }
[loss]
kind = "cross_entropy"
[sweep]
budgets = { min = 1e10, max = 1e12, count = 5 }
sizes_per_budget = 7
seeds = [0, 1, 2]
min_steps = 40
[train]
lr = 0.5
schedule = { kind = "cosine", floor = 0.1 }
warmup = 0.05
batch_tokens = 1024
weight_decay = 0.1
betas = [0.9, 0.95]
eps = 1e-8
grad_clip = 1.0
precision = "fp32"
eval_tokens = 8192
[run]
jobs = 2
threads = 1
devices = ["cpu"]
micro_batch = 4
start_limit = 60
silence_limit = 30.5
time_limit = 3600
stop_grace = 20
retries = 1
[analysis]
targets = [1e13, 1e14]
max_repeats = inf
[output]
dir = "outputs/full"
"#;

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    [
        SMALL,
        FULL,
        include_str!("../../../examples/my-model/manifest.toml"),
        include_str!("../../../examples/stories/manifest.toml"),
        include_str!("../../../examples/novels/manifest.toml"),
        include_str!("../../../examples/tinystories/manifest.toml"),
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn sets() -> Vec<Vec<u8>> {
    [
        "train.lr=0.5",
        "sweep.seeds=[0, 1]\nrun.jobs=4",
        "sweep.grid=[{ budget = 1e9, sizes = [8, 16] }]",
        "model.kind=gpt\nmodel.config.n_layers=2\noutput.dir=out",
        "dataset.config = { seq_len = 64, \"a b\" = 'x' }",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

const TABLE: &str = "\
trial,status,budget,size,seed,n,d,c,spent,unique,loss,loss_se,lr,group,attempt,steps,seconds,reason,n_total
a1,completed,1e9,8,0,2048,81400,1e9,1e9,400000,2.25,0.01,1,g1,0,159,1.5,,4096
a2,completed,1e9,16,0,7168,23000,9.9e8,9.9e8,,2.5,0.02,1,g2,0,45,1.25,,9000
a3,diverged,1e9,24,0,15400,10800,9.9e8,,,,,1,g3,0,21,0.5,\"the loss is NaN, at step 3\",17000
a4,failed,1e9,32,1,,,,,,,,,,1,,,\"a \"\"bad\"\" plugin\",
";

pub(crate) fn csv() -> Vec<Vec<u8>> {
    [
        TABLE,
        "n,d,c,loss\n1e6,2e7,1.2e14,3.5\n2e6,1e7,1.2e14,3.25\n",
        "\u{feff}\"n\" , d,c,loss,weight\r\n 1000 ,2000,12000000,3,1\r\n\r\n2000,1000,12000000,2,0.5\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn json() -> Vec<Vec<u8>> {
    let row = json!({"n": 1e6, "d": 2e7, "c": 1.2e14, "loss": 3.5, "config": {"layers": 4, "dims": [1, 2]}});
    vec![
        document(&json!([row, row])),
        document(&json!({"runs": [row], "note": "from elsewhere"})),
        br#"[{"n": "1000", "d": 2000, "c": 1.2e7, "loss": null, "status": "failed"}]"#.to_vec(),
    ]
}

pub(crate) fn json_lines() -> Vec<Vec<u8>> {
    vec![
        b"{\"n\": 1e6, \"d\": 2e7, \"c\": 1.2e14, \"loss\": 3.5}\n\n{\"n\": 2e6, \"d\": 1e7, \"c\": 1.2e14, \"loss\": 3.25, \"seed\": 1}\n".to_vec(),
        b"{\"n\":1,\"d\":2,\"c\":3,\"loss\":4,\"a\":{\"b\":{\"c\":[1,{\"d\":null}]}}}".to_vec(),
    ]
}

pub(crate) fn formulas() -> Vec<Vec<u8>> {
    [
        "d = c / (6 * n)",
        "n = 12 * layers * width^2",
        "loss = exp(-ln(n)) + sqrt(2)^-1.5e-3",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(crate) fn specs() -> Vec<Vec<u8>> {
    let spec = spec(Schedule::Wsd {
        decay: 0.2,
        shape: DecayShape::Sqrt,
    });
    vec![document(&spec), with_checksum(&spec)]
}

pub(crate) fn results() -> Vec<Vec<u8>> {
    let id = trial().id;
    let result = |outcome| TrialResult {
        format: FORMAT,
        id: id.clone(),
        outcome,
        environment: Environment {
            worker: "0.1.0".to_owned(),
            libtorch: "2.13.0".to_owned(),
            devices: vec!["cpu".to_owned()],
            threads: 1,
            micro_batch: Some(4),
            attempt: 0,
            libraries: BTreeMap::from([("/lib/libmine.so".to_owned(), "ab".repeat(32))]),
            resumed: vec![Resumed {
                step: 1200,
                arrangement: Arrangement {
                    devices: vec!["cpu".to_owned()],
                    threads: 1,
                    micro_batch: None,
                },
            }],
            refused: vec![Refusal::Torn {
                step: 1500,
                why: "its tensors are missing".to_owned(),
            }],
        },
        timing: Timing {
            startup: 0.25,
            train: 3.5,
            evaluate: 0.5,
        },
    };
    let measured = Measured {
        n: 2048.0,
        counts: BTreeMap::from([("total".to_owned(), 4096.0)]),
        d: 81_408.0,
        c: 1e9,
        spent: 1e9,
        unique: Some(4e5),
        loss: 2.25,
        loss_se: 0.01,
        metrics: BTreeMap::from([("accuracy".to_owned(), 0.5)]),
        train_loss: 2.3,
        lr: 1.0,
        steps: 159,
        eval_units: 65_536,
    };
    let failures = [
        Failure::BadTensor {
            plugin: "mine".to_owned(),
            what: "the loss".to_owned(),
            expected: "one number".to_owned(),
            got: "shape [3]".to_owned(),
        },
        Failure::OutOfMemory {
            plugin: Some("mine".to_owned()),
            phase: Phase::Backward,
            detail: "not enough memory".to_owned(),
        },
    ];
    let mut outcomes = vec![
        Outcome::Completed { measured },
        Outcome::Diverged {
            step: 3,
            loss: None,
            reason: "the training loss is NaN".to_owned(),
        },
    ];
    outcomes.extend(failures.map(|failure| Outcome::Failed { failure }));
    let results: Vec<TrialResult> = outcomes.into_iter().map(result).collect();
    let whole = results.iter().map(with_checksum);
    whole.chain(results.iter().map(document)).collect()
}

pub(crate) fn checkpoints() -> Vec<Vec<u8>> {
    let spec = trial();
    let checkpoint = |paid, recent_losses| Checkpoint {
        format: FORMAT,
        trial: spec.id.clone(),
        build: Build {
            worker: format!("0.1.0 {}", "ab".repeat(32)),
            libtorch: "2.13.0".to_owned(),
            model: "ab".repeat(32),
            dataset: "cd".repeat(32),
            loss: "ef".repeat(32),
        },
        arrangement: Arrangement::of(&spec),
        position: Position {
            step: 1200,
            draws: 9600,
            units: 614_400,
            paid,
            optimizer_steps: 1200,
            first_loss: Some(3.5),
            recent_losses,
            tail_sum: 7.5,
            tail_count: 3,
            seconds: 12.25,
        },
        resumed: vec![Resumed {
            step: 600,
            arrangement: Arrangement::of(&spec),
        }],
        tensors: Content {
            bytes: 98_304,
            sha256: "ab".repeat(32),
        },
    };
    let checkpoints = [checkpoint(0, vec![2.5, 2.25]), checkpoint(300, Vec::new())];
    let whole = checkpoints.iter().map(with_checksum);
    whole.chain(checkpoints.iter().map(document)).collect()
}

/// The trial that results, checkpoints and a program's words are of.
pub(crate) fn trial() -> TrialSpec {
    spec(Schedule::Constant)
}

pub(crate) fn decisions() -> Vec<Vec<u8>> {
    let lines = [
        json!({
            "found": null,
            "action": {
                "kind": "train", "budget": 1e9, "sizes": [8, 16, 24],
                "reason": { "kind": "first", "center": 7168.0 },
            },
        }),
        json!({
            "found": { "kind": "none", "budget": 1e9, "diagnosis": null },
            "action": {
                "kind": "train", "budget": 1e9, "sizes": [32],
                "reason": { "kind": "extended", "extension": 1, "of": 3 },
            },
        }),
        json!({
            "found": { "kind": "minimum", "budget": 1e9, "n": 7000.5, "ci95": [6000.0, 8000.0] },
            "action": {
                "kind": "stop",
                "reason": { "kind": "answered", "target": 1e12, "factor": 1.25, "half_width": 0.01 },
            },
        }),
    ];
    vec![json_lines_of(&lines)]
}

pub(crate) fn unsealed() -> Vec<Vec<u8>> {
    let request = DescribeRequest {
        format: FORMAT,
        model: wanted("gpt"),
        dataset: wanted("stories"),
        loss: wanted("cross_entropy"),
        base_dir: PathBuf::from("/data"),
        size_param: "d_model".to_owned(),
        sizes: vec![8, 16],
        compute: Some(Compute {
            device: "cpu".to_owned(),
            precision: Precision::Fp32,
        }),
    };
    let facts = |kind: &str| ComponentFacts {
        plugin: "mine".to_owned(),
        version: "0.1.0".to_owned(),
        kind: kind.to_owned(),
        config: json!({"seq_len": 64}),
    };
    let description = Description {
        model: facts("gpt"),
        dataset: facts("stories"),
        loss: facts("cross_entropy"),
        data: DatasetFacts {
            fingerprint: "abc".to_owned(),
            unit: "tokens".to_owned(),
            units_per_example: 64,
            unique_units: None,
            train_examples: None,
            held_out_examples: Some(100),
        },
        sizes: vec![
            SizeFacts {
                size: 8,
                outcome: SizeOutcome::Accepted {
                    n: 2048,
                    counts: BTreeMap::new(),
                    flops_per_unit: 12288.0,
                    flops_from_model: true,
                    config: json!({"d_model": 8}),
                },
            },
            SizeFacts {
                size: 9,
                outcome: SizeOutcome::Refused {
                    key: Some("d_model".to_owned()),
                    reason: "found 9".to_owned(),
                },
            },
        ],
        libtorch: "2.13.0".to_owned(),
        gemm: Some(1e11),
    };
    let check = CheckRequest {
        format: FORMAT,
        dataset: wanted("stories"),
        trained: Some(WantedTrained {
            model: wanted("gpt"),
            further: vec![json!({"d_model": 16})],
            loss: wanted("cross_entropy"),
        }),
        base_dir: PathBuf::from("/data"),
        batch_units: None,
        seed: 0,
        threads: 1,
        scope: CheckScope::Whole,
    };
    let plan = Plan {
        format: FORMAT,
        name: "small".to_owned(),
        size_param: "d_model".to_owned(),
        unit: "tokens".to_owned(),
        units_per_step: Some(512),
        batch: None,
        unique_units: Some(1000),
        tuning: None,
        budgets: Vec::new(),
        trunks: Vec::new(),
        upcoming: None,
        flops: 1e9,
        warnings: vec!["repeated data".to_owned()],
    };
    vec![
        document(&request),
        document(&DescribeResponse::Described {
            format: FORMAT,
            description: Box::new(description),
        }),
        document(&check),
        document(&plan),
    ]
}

/// Analyses of [`TABLE`], without a law, and of a few more runs, with laws.
pub(crate) fn analyses() -> Vec<Vec<u8>> {
    let mut more = "n,d,c,loss\n".to_owned();
    for c in [1e15, 1e16, 1e17] {
        for size in [0.4, 0.7, 1.0, 1.5] {
            let n: f64 = size * 0.04 * f64::sqrt(c);
            let d = c / (6.0 * n);
            let loss = 1.7 + 400.0 / n.powf(0.34) + 1200.0 / d.powf(0.3);
            let _ = writeln!(more, "{n},{d},{c},{loss}");
        }
    }
    let analysis = |table: &str| {
        let mapping = Mapping::default();
        let path = Path::new("runs.csv");
        let rows = input::parse(path, Form::Csv, table.as_bytes(), &mapping, Checks::On);
        let subject = Subject {
            sweep: "runs".to_owned(),
            unit: "tokens".to_owned(),
        };
        let mut options = Options {
            targets: vec![1e18],
            ..Options::default()
        };
        options.bootstrap.draws = 0;
        Analysis::of(&rows.expect("a table"), subject, &options).expect("runs to fit")
    };
    let analyses = [TABLE, &more].map(analysis);
    let whole = analyses.iter().map(with_checksum);
    whole.chain(analyses.iter().map(document)).collect()
}

pub(crate) fn progress() -> Vec<Vec<u8>> {
    let line = |step, stage| Progress {
        at: 0.5,
        time: Some(1.8e9),
        stage,
        step,
        steps: 10,
        units: 96 * step,
        loss: Some(2.5),
        lr: 1.0,
        grad_norm: None,
        units_per_second: Some(1e4),
        flops_per_second: Some(3e9),
        gemm_share: Some(0.3),
    };
    let lines = [line(3, Stage::Train), line(10, Stage::Evaluate)];
    vec![json_lines_of(&lines)]
}

pub(crate) fn check_answers() -> Vec<Vec<u8>> {
    let check = CheckName::Shards;
    let events = [
        CheckEvent::Begun { check },
        CheckEvent::Ended {
            finding: Finding::warn(check, "found", "fix").figure("seconds", 1.5),
        },
        CheckEvent::Digest {
            hashes: BTreeMap::from([("the batches".to_owned(), "ab".repeat(32))]),
        },
    ];
    vec![json_lines_of(&events)]
}

fn wanted(kind: &str) -> WantedComponent {
    WantedComponent {
        library: PathBuf::from("/lib/libmine.so"),
        kind: kind.to_owned(),
        config: json!({"seq_len": 64, "deep": {"list": [1, 2.5, null, "x"]}}),
    }
}

fn spec(schedule: Schedule) -> TrialSpec {
    let component = |kind: &str| Component {
        plugin: "mine".to_owned(),
        version: "0.1.0".to_owned(),
        kind: kind.to_owned(),
        config: json!({"d_model": 8}),
    };
    let load = || Load {
        library: PathBuf::from("/lib/libmine.so"),
        sha256: "ab".repeat(32),
        config: json!({"d_model": 8}),
    };
    let recipe = Recipe {
        model: component("gpt"),
        dataset: component("stories"),
        fingerprint: "abc".to_owned(),
        loss: component("cross_entropy"),
        size: 8,
        budget: 1e9,
        steps: 159,
        units: 81_408,
        train: TrainSettings {
            lr: 1.0,
            schedule,
            warmup_steps: 10,
            batch_examples: 8,
            optimizer: AdamW {
                beta1: 0.9,
                beta2: 0.95,
                eps: 1e-12,
                weight_decay: 0.0,
            },
            grad_clip: Some(1.0),
            precision: Precision::Fp32,
            eval_units: 65_536,
        },
        seed: 0,
        simulation: None,
        trunk: None,
    };
    let run = RunSettings {
        model: load(),
        dataset: load(),
        loss: load(),
        base_dir: PathBuf::from("/data"),
        declared_n: 2048,
        counts: BTreeMap::from([("total".to_owned(), 4096.0)]),
        flops_per_unit: 12_288.0,
        gemm: Some(1e11),
        units_per_example: 64,
        devices: vec!["cpu".to_owned()],
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

fn with_checksum<T: Serialize>(value: &T) -> Vec<u8> {
    sealed(value).expect("an object of plain data")
}

fn document<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("plain data")
}

fn json_lines_of<T: Serialize>(values: &[T]) -> Vec<u8> {
    let lines = values
        .iter()
        .map(|value| serde_json::to_string(value).expect("plain data") + "\n");
    lines.collect::<String>().into_bytes()
}
