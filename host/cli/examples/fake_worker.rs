//! A worker without libtorch, for the tests of the parent: it speaks the same
//! verbs and files as `flops-fit-worker`, and its "training" is a formula.
//!
//! The manifest's `[model.config]` tells it how to behave: `seconds` is the
//! length of a trial, `flops_per_second` the rate that it claims, `refuses` lists sizes that the model refuses, and
//! `faults` maps a size to what goes wrong with its trials. A file `code.json` beside the
//! manifest is what may change with a library and not with the manifest: it can have other
//! `faults`, and `best_rate`, the learning rate of the lowest loss.
#![expect(
    clippy::exit,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "to misbehave is what it is for"
)]

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{Read, Write},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::Path,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    Arrangement, Build, CANNOT_WRITE, Checkpoint, ComponentFacts, Content, DatasetFacts,
    DescribeRequest, DescribeResponse, Description, Environment, FORMAT, Failure, Measured,
    Outcome, Part, Phase, Position, Progress, ProgressWriter, Pulse, SizeFacts, SizeOutcome, Stage,
    Timing, TrialDir, TrialResult, TrialSpec, read_json, write_json,
};
use serde_json::Value;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["describe", request, response] => describe(Path::new(request), Path::new(response)),
        ["train", folder] => train(&TrialDir::new(folder)),
        _ => panic!("unexpected arguments {arguments:?}"),
    }
}

fn describe(request: &Path, response: &Path) {
    let request: DescribeRequest = read_json(request).expect("a request");
    let config = &request.model.config;
    let answer = if let Some(key) = config["bad_key"].as_str() {
        DescribeResponse::Failed {
            format: FORMAT,
            failure: Failure::Config {
                plugin: "fake".to_owned(),
                what: "model".to_owned(),
                key: Some(key.to_owned()),
                message: "found 3, expected a multiple of 8".to_owned(),
            },
        }
    } else if config["describe"] == "abort" {
        eprintln!("about to abort");
        std::process::abort();
    } else if config["describe"] == "not loaded" {
        end_as_the_loader();
    } else if config["describe"] == "cannot write" {
        end_without_room();
    } else {
        DescribeResponse::Described {
            format: FORMAT,
            description: Box::new(description(&request)),
        }
    };
    write_json(response, &answer).expect("written");
}

fn description(request: &DescribeRequest) -> Description {
    let facts = |kind: &str, config: &Value| ComponentFacts {
        plugin: "fake".to_owned(),
        version: "1.0.0".to_owned(),
        kind: kind.to_owned(),
        config: config.clone(),
    };
    let sizes = request.sizes.iter().map(|&size| {
        let refused = request.model.config["refuses"]
            .as_array()
            .is_some_and(|list| list.contains(&size.into()));
        let outcome = if refused {
            SizeOutcome::Refused {
                key: Some("d_head".to_owned()),
                reason: format!("8 does not divide {size}"),
            }
        } else {
            let n = (24 * size * size + 64 * size) as u64;
            SizeOutcome::Accepted {
                n,
                counts: BTreeMap::from([("total".to_owned(), (n as i64 + 64 * size) as f64)]),
                flops_per_unit: 6.0 * n as f64,
                flops_from_model: true,
                config: serde_json::json!({ "d_model": size }),
            }
        };
        SizeFacts { size, outcome }
    });
    Description {
        model: facts("gpt", &Value::Null),
        dataset: facts("stories", &request.dataset.config),
        loss: facts("cross_entropy", &request.loss.config),
        data: DatasetFacts {
            fingerprint: "fake".to_owned(),
            unit: "tokens".to_owned(),
            units_per_example: 64,
            unique_units: request.dataset.config["unique"].as_u64(),
            train_examples: None,
            held_out_examples: None,
        },
        sizes: sizes.collect(),
        libtorch: "none".to_owned(),
        gemm: None,
    }
}

fn progress_at(spec: &TrialSpec, at: f64, stage: Stage, step: u64) -> Progress {
    Progress {
        at,
        time: None,
        stage,
        step,
        steps: spec.recipe.steps,
        units: spec.recipe.units * step / spec.recipe.steps,
        loss: Some(2.0),
        lr: 1.0,
        grad_norm: None,
        units_per_second: Some(1e4),
        flops_per_second: None,
        gemm_share: None,
    }
}

fn train(dir: &TrialDir) {
    // A worker ends when its parent does.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let spec = dir.spec().expect("a specification");
    let config = &spec.run.model.config;
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(spec.run.base_dir.join("trained.log"))
        .expect("opened");
    // In one piece: another worker writes there too.
    let line = format!("{} {}\n", spec.id, spec.run.attempt);
    log.write_all(line.as_bytes()).expect("written");
    if spec.is_trunk() {
        return grow(dir, &spec);
    }
    let code = code(&spec);
    let faults = code.get("faults").unwrap_or(&config["faults"]);
    let fault = faults[spec.recipe.size.to_string()]
        .as_str()
        .unwrap_or("none");
    let begun = Instant::now();
    let mut progress = ProgressWriter::create(&dir.progress_path()).expect("created");
    let mut report = |stage, step: u64| {
        let line = progress_at(&spec, begun.elapsed().as_secs_f64(), stage, step);
        progress.write(&line).expect("written");
    };
    report(Stage::Start, 0);
    match fault {
        "exit" => std::process::exit(0),
        "not loaded" => end_as_the_loader(),
        "cannot write" => end_without_room(),
        "exit once" if spec.run.attempt == 0 => std::process::exit(0),
        "none"
        | "diverge"
        | "diverge at full rate"
        | "panic"
        | "linger"
        | "exit once"
        | "negative"
        | "hungry"
        | "starving" => {}
        "abort" => {
            println!("something on standard output");
            eprintln!("the last words");
            std::process::abort();
        }
        "flood" => {
            println!("the first words");
            for line in 0..1_000_000 {
                println!("noise {line}");
            }
            eprintln!("the last words");
            std::process::abort();
        }
        "hang" => {
            report(Stage::Train, 1);
            std::thread::sleep(Duration::from_mins(10));
        }
        "stubborn" => {
            let flag = std::sync::Arc::default();
            signal_hook::flag::register(signal_hook::consts::SIGTERM, flag).expect("a handler");
            report(Stage::Train, 1);
            std::thread::sleep(Duration::from_mins(10));
        }
        "slow step" => loop {
            report(Stage::Train, 1);
            std::thread::sleep(Duration::from_millis(100));
        },
        "grandchild" | "session" => {
            // `setsid` becomes what it is to start.
            let words: &[&str] = match fault {
                "session" => &["setsid", "sleep", "600"],
                _ => &["sleep", "600"],
            };
            let child = std::process::Command::new(words[0])
                .args(&words[1..])
                .spawn()
                .expect("started");
            // It has to be away before the group is killed.
            std::thread::sleep(Duration::from_millis(200));
            std::fs::write(dir.path().join("grandchild"), child.id().to_string()).expect("written");
            std::process::exit(0);
        }
        other => panic!("unknown fault {other}"),
    }
    let seconds = config["seconds"].as_f64().unwrap_or(0.0);
    for part in 1..=10 {
        std::thread::sleep(Duration::from_secs_f64(seconds / 10.0));
        report(Stage::Train, spec.recipe.steps * part / 10);
    }
    dir.write_result(&result(&spec, fault)).expect("written");
    if fault == "linger" {
        std::thread::sleep(Duration::from_mins(10));
    }
}

/// Leaves a checkpoint without tensors wherever branches do.
fn grow(dir: &TrialDir, spec: &TrialSpec) {
    for &step in &spec.run.branches {
        let checkpoint = Checkpoint {
            format: FORMAT,
            trial: spec.id.clone(),
            build: Build {
                worker: "fake".to_owned(),
                libtorch: "none".to_owned(),
                model: spec.run.model.sha256.clone(),
                dataset: spec.run.dataset.sha256.clone(),
                loss: spec.run.loss.sha256.clone(),
            },
            arrangement: Arrangement::of(spec),
            position: Position {
                step,
                ..Position::default()
            },
            resumed: Vec::new(),
            tensors: Content::default(),
        };
        let write = |path: &Path| std::fs::write(path, b"");
        dir.branches().save(checkpoint, write).expect("saved");
    }
    let steps = spec.run.branches.last().copied().unwrap_or_default();
    let result = TrialResult {
        format: FORMAT,
        id: spec.id.clone(),
        outcome: Outcome::Grown {
            steps,
            units: steps * spec.units_per_step(),
        },
        environment: Environment::planned(&spec.run),
        timing: Timing::default(),
    };
    dir.write_result(&result).expect("written");
}

/// What becomes of a worker whose libtorch is gone.
fn end_as_the_loader() -> ! {
    let program = std::env::args().next().unwrap_or_default();
    eprintln!(
        "{program}: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: No such file or directory"
    );
    std::process::exit(127)
}

/// What becomes of a worker that can't write its answer or result.
fn end_without_room() -> ! {
    let here = Pulse {
        stage: Stage::Start,
        part: Part::Host,
        phase: Phase::Load,
    };
    let parent = std::io::stdin().as_fd().try_clone_to_owned();
    UnixStream::from(parent.expect("standard input"))
        .write_all(&[Pulse::FAREWELL, here.encode()])
        .expect("sent");
    eprintln!("flops-fit-worker: reserving .part-result: No space left on device (os error 28)");
    std::process::exit(i32::from(CANNOT_WRITE))
}

/// What changes with the library; nothing where no test has anything change.
fn code(spec: &TrialSpec) -> Value {
    read_json(&spec.run.base_dir.join("code.json")).unwrap_or_default()
}

/// How much the loss is raised by a learning rate that is not the best.
fn off_rate(spec: &TrialSpec) -> f64 {
    let best = code(spec)["best_rate"].as_f64();
    best.map_or(0.0, |best| 0.1 * (spec.recipe.train.lr / best).ln().powi(2))
}

fn out_of_memory() -> Outcome {
    Outcome::Failed {
        failure: Failure::OutOfMemory {
            plugin: Some("fake".to_owned()),
            phase: Phase::Forward,
            detail: "not enough memory".to_owned(),
        },
    }
}

fn diverged() -> Outcome {
    Outcome::Diverged {
        step: 7,
        loss: None,
        reason: "the training loss is not a number".to_owned(),
    }
}

fn result(spec: &TrialSpec, fault: &str) -> TrialResult {
    let n = spec.run.declared_n as f64;
    let d = spec.recipe.units as f64;
    let batch = spec.recipe.train.batch_examples;
    let micro = spec.run.micro_batch.unwrap_or(batch);
    let spent = spec.run.flops_per_unit * d;
    let rate = spec.run.model.config["flops_per_second"].as_f64();
    let outcome = match fault {
        "diverge" => diverged(),
        "diverge at full rate" if spec.recipe.train.lr >= 1.0 => diverged(),
        "hungry" if micro > 2 => out_of_memory(),
        "starving" => out_of_memory(),
        "panic" => Outcome::Failed {
            failure: Failure::Panicked {
                plugin: "fake".to_owned(),
                phase: Phase::Forward,
                message: "index out of bounds".to_owned(),
                file: "src/lib.rs".to_owned(),
                line: 12,
            },
        },
        _ => Outcome::Completed {
            measured: Measured {
                n,
                counts: spec.run.counts.clone(),
                d,
                c: spent,
                spent,
                unique: None,
                loss: if fault == "negative" {
                    -1.0
                } else {
                    0.7 + 25.0 / n.powf(0.45) + 68.0 / d.powf(0.40) + off_rate(spec)
                },
                loss_se: 0.001,
                metrics: BTreeMap::new(),
                train_loss: 2.0,
                lr: spec.recipe.train.lr,
                steps: spec.recipe.steps,
                eval_units: spec.recipe.train.eval_units,
            },
        },
    };
    TrialResult {
        format: FORMAT,
        id: spec.id.clone(),
        outcome,
        environment: Environment {
            micro_batch: spec.run.micro_batch,
            attempt: spec.run.attempt,
            ..Environment::default()
        },
        timing: Timing {
            startup: 0.1,
            train: rate.map_or(0.1, |rate| spent / rate),
            evaluate: 0.1,
        },
    }
}
