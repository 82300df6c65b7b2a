//! The parsers.

use std::{path::Path, sync::LazyLock};

use flops_fit::{
    input::{self, Checks, Form, Formula, Mapping},
    manifest::Manifest,
    plan::{Plan, parse_decisions},
    report::Analysis,
};
use flops_fit_trial::{
    CheckRequest, Checkpoint, DescribeRequest, DescribeResponse, ProgramAnswer, ProgramQuestion,
    ProgramResult, TrialResult, TrialSpec, parse_check_events, parse_json, parse_progress,
    parse_sealed, sealed as seal,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::corpus;

/// A parser, and what its inputs look like.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Valid inputs.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Words of its format.
    pub words: &'static [&'static str],
    /// Parses; whether the input was accepted.
    pub run: fn(&[u8]) -> bool,
}

/// Every parser of a file or an argument.
pub const TARGETS: &[Target] = &[
    Target {
        name: "record",
        corpus: corpus::records,
        words: &[
            "flops-fit plugin",
            ".flops_fit",
            "\x7fELF",
            "model ",
            "dataset ",
            "\n",
            "unwind",
        ],
        run: |bytes| flops_fit_record::parse(Path::new("libfuzzed.so"), bytes).is_ok(),
    },
    Target {
        name: "manifest",
        corpus: corpus::manifests,
        words: MANIFEST,
        run: manifest,
    },
    Target {
        name: "set",
        corpus: corpus::sets,
        words: MANIFEST,
        run: set,
    },
    Target {
        name: "runs_csv",
        corpus: corpus::csv,
        words: RUNS,
        run: |bytes| runs(Form::Csv, bytes),
    },
    Target {
        name: "runs_json",
        corpus: corpus::json,
        words: RUNS,
        run: |bytes| runs(Form::Json, bytes),
    },
    Target {
        name: "runs_jsonl",
        corpus: corpus::json_lines,
        words: RUNS,
        run: |bytes| runs(Form::JsonLines, bytes),
    },
    Target {
        name: "formula",
        corpus: corpus::formulas,
        words: &[
            "ln(", "exp(", "sqrt(", "^", "-", "(", ")", "*", "/", "=", "n", "1e9",
        ],
        run: formula,
    },
    Target {
        name: "trial_spec",
        corpus: corpus::specs,
        words: JSON,
        run: sealed::<TrialSpec>,
    },
    Target {
        name: "trial_result",
        corpus: corpus::results,
        words: JSON,
        run: sealed::<TrialResult>,
    },
    Target {
        name: "unsealed",
        corpus: corpus::unsealed,
        words: JSON,
        run: unsealed,
    },
    Target {
        name: "checkpoint",
        corpus: corpus::checkpoints,
        words: JSON,
        run: sealed::<Checkpoint>,
    },
    Target {
        name: "program_answer",
        corpus: corpus::program_answers,
        words: PROGRAM,
        run: program_answer,
    },
    Target {
        name: "program_result",
        corpus: corpus::program_results,
        words: PROGRAM,
        run: program_result,
    },
    Target {
        name: "decisions",
        corpus: corpus::decisions,
        words: JSON,
        run: decisions,
    },
    Target {
        name: "analysis",
        corpus: corpus::analyses,
        words: JSON,
        run: analysis,
    },
    Target {
        name: "progress",
        corpus: corpus::progress,
        words: JSON,
        run: |bytes| !parse_progress(bytes).0.is_empty(),
    },
    Target {
        name: "check_answer",
        corpus: corpus::check_answers,
        words: JSON,
        run: |bytes| !parse_check_events(bytes).is_empty(),
    },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "false",
    "\"",
    "\\u0000",
    "\\ud800",
    "\"format\":",
    "\"kind\":",
    "\"status\":",
    "\"config\":",
    "\"checksum\":",
    "\"completed\"",
    "\u{feff}",
    "\n",
];

const PROGRAM: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "NaN",
    "\"id\":",
    "\"status\":",
    "\"completed\"",
    "\"failed\"",
    "\"diverged\"",
    "\"out_of_memory\":",
    "\"steps\":",
    "\"units\":",
    "\"n\":",
    "\"loss\":",
    "\"size\":",
    "\"refused\":",
    "\"flops_per_unit\":",
    "\"unique_units\":",
    "\"timing\":",
    "\n",
];

const MANIFEST: &[&str] = &[
    "[model]",
    "[model.config]",
    "[dataset]",
    "[loss]",
    "[sweep]",
    "[train]",
    "[run]",
    "[analysis]",
    "[output]",
    "extends = \"base.toml\"\n",
    "sizes = ",
    "{ min = 1, max = 9, multiple_of = 2 }",
    "budgets = ",
    "{ min = 1e9, max = 1e12, count = 5 }",
    "grid = ",
    "seeds = ",
    "schedule = ",
    "warmup = ",
    "'''",
    "\"\"\"",
    "1979-05-27T07:32:00Z",
    "0x7f",
    "0b1",
    "a.b.c.d = 1\n",
    "=",
    "\n",
    "size_param = ",
    "kind = ",
    "config = ",
    "#",
    "targets = ",
    "batch_tokens = ",
];

const RUNS: &[&str] = &[
    "n",
    "d",
    "c",
    "loss",
    "budget",
    "seed",
    "status",
    "completed",
    "failed",
    "diverged",
    "pending",
    "skipped",
    ",",
    "\n",
    "\r\n",
    "\"",
    "\"\"",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\"runs\":",
    "null",
    "\u{feff}",
    "loss_se",
    "weight",
    "group",
    "steps",
    "unique",
    "reason",
    "trial",
];

/// What is read in becomes a manifest that says the same when it is written out.
fn manifest(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let path = Path::new("/sweeps/manifest.toml");
    let Ok(manifest) = Manifest::parse(path, text, &[]) else {
        return false;
    };
    let written = manifest.to_toml();
    match Manifest::parse(path, &written, &[]) {
        Ok(again) => assert_eq!(again.to_toml(), written, "it reads back as something else"),
        Err(error) => panic!("what was written is refused: {error}\n{written}"),
    }
    let _ = manifest.candidates();
    true
}

/// Arguments on top of a small manifest, one a line.
fn set(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let sets: Vec<String> = text.lines().map(str::to_owned).collect();
    Manifest::parse(Path::new("/sweeps/manifest.toml"), corpus::SMALL, &sets).is_ok()
}

fn runs(form: Form, bytes: &[u8]) -> bool {
    let path = Path::new("runs");
    let parse = |checks| input::parse(path, form, bytes, &Mapping::default(), checks);
    // The looser reading accepts all that the stricter one does.
    let loose = parse(Checks::On);
    assert!(loose.is_ok() || parse(Checks::Off).is_err());
    loose.is_ok()
}

fn formula(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Ok(formula) = text.parse::<Formula>() else {
        return false;
    };
    let _ = formula.evaluate(|name| (name == "n").then_some(1e9));
    let again = formula.to_string().parse::<Formula>();
    assert!(again.is_ok(), "{formula} is written and not read");
    true
}

/// Documents with a checksum, which few mutations get past, and what they hold.
fn sealed<T: DeserializeOwned>(bytes: &[u8]) -> bool {
    let path = Path::new("document.json");
    let [whole, inside] = [
        parse_sealed::<T>(path, bytes).is_ok(),
        parse_json::<T>(path, bytes).is_ok(),
    ];
    whole || inside
}

/// What a program of the user's says about sizes, and the description that it becomes.
fn program_answer(bytes: &[u8]) -> bool {
    static QUESTION: LazyLock<ProgramQuestion> = LazyLock::new(corpus::question);
    ProgramAnswer::parse(bytes).is_ok_and(|answer| answer.describe(&QUESTION).is_ok())
}

/// How a program of the user's says that a trial ended, and the outcome that it becomes.
fn program_result(bytes: &[u8]) -> bool {
    static TRIAL: LazyLock<TrialSpec> = LazyLock::new(corpus::trial);
    let conclude = |result: ProgramResult| result.conclude(&TRIAL, Some(1000), "train");
    ProgramResult::parse(bytes).is_ok_and(|result| conclude(result).is_ok())
}

/// An analysis with its checksum, which few mutations get past, and what it holds.
fn analysis(bytes: &[u8]) -> bool {
    let path = Path::new("analysis.json");
    let whole = Analysis::parse(path, bytes).is_ok();
    let Ok(inside) = parse_json::<Analysis>(path, bytes) else {
        return whole;
    };
    let write = |analysis: &Analysis| seal(analysis).expect("an object of plain data");
    let written = write(&inside);
    match parse_sealed(path, &written) {
        Ok(again) => assert_eq!(write(&again), written, "it reads back as something else"),
        Err(error) => panic!("what was written is refused: {error}"),
    }
    true
}

/// Lines of which each that is read is written as it was.
fn decisions(bytes: &[u8]) -> bool {
    let decisions = parse_decisions(bytes);
    let line = |decision| serde_json::to_string(decision).expect("plain data") + "\n";
    let written: String = decisions.iter().map(line).collect();
    assert_eq!(parse_decisions(written.as_bytes()), decisions);
    !decisions.is_empty()
}

/// Documents without a checksum; what one accepts it also writes and reads.
fn unsealed(bytes: &[u8]) -> bool {
    fn one<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
        let path = Path::new("document.json");
        let Ok(value) = parse_json::<T>(path, bytes) else {
            return false;
        };
        let written = serde_json::to_vec(&value).expect("plain data");
        if let Err(error) = parse_json::<T>(path, &written) {
            panic!("what was written is refused: {error}");
        }
        true
    }
    [
        one::<Plan>(bytes),
        one::<DescribeRequest>(bytes),
        one::<DescribeResponse>(bytes),
        one::<CheckRequest>(bytes),
    ]
    .contains(&true)
}
