//! `flops-fit check`: sound plugins pass, and each defect is found by the check
//! that is meant for it and by no other.

use serde_json::Value;

use crate::{library, programs, workbench::Workbench};

/// Findings of a report by check: status, words, fix.
pub(crate) struct Found {
    code: Option<i32>,
    report: Value,
    err: String,
}

impl Found {
    fn status(&self, check: &str) -> &str {
        self.finding(check)["status"].as_str().expect("a status")
    }

    fn finding(&self, check: &str) -> &Value {
        let findings = self.report["findings"].as_array().expect("findings");
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("{check}: {}", self.report))
    }

    /// Checks that warned or failed, with their words.
    fn complaints(&self) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = self.report["findings"].as_array().expect("findings");
        findings
            .iter()
            .map(|finding| {
                (
                    text(&finding["status"]),
                    text(&finding["check"]),
                    text(&finding["found"]),
                )
            })
            .filter(|(status, _, _)| status == "warn" || status == "fail")
            .collect()
    }
}

pub(crate) fn check(bench: &Workbench, arguments: &[&str]) -> Found {
    let mut all = vec!["check", "--format", "json"];
    all.extend(arguments);
    let ended = bench.run(&all);
    Found {
        code: ended.code,
        report: serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", ended.out, ended.err)),
        err: ended.err,
    }
}

/// A check whose time alone may be complained about, on a busy machine.
#[track_caller]
pub(crate) fn passes(found: &Found, skipped: &[&str]) {
    let complaints = found.complaints();
    let others: Vec<_> = complaints
        .iter()
        .filter(|(status, check, _)| !(status == "warn" && check == "cost"))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(found.code, Some(0), "{}", found.err);
    let findings = found.report["findings"].as_array().expect("findings");
    let left_out: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["status"] == "skip")
        .filter_map(|finding| finding["check"].as_str())
        .collect();
    assert_eq!(left_out, skipped);
    assert_eq!(findings.len(), 20);
}

#[test]
fn the_reference_plugin_passes() {
    let bench = Workbench::new("check-gpt", "");
    let found = check(
        &bench,
        &[
            "flops_fit_gpt",
            "--dataset=stories",
            "--config=model.d_model=16",
            "--config=model.n_layers=2",
            "--config=model.head_size=8",
            "--config=dataset.seq_len=64",
        ],
    );
    passes(&found, &[]);
    let cost = &found.finding("cost")["figures"];
    for figure in ["step_seconds", "units_per_second", "peak_bytes"] {
        assert!(cost[figure].as_f64().is_some_and(|x| x > 0.0), "{cost}");
    }
    let n = &found.finding("count")["figures"]["n"];
    assert!(n.as_f64().is_some_and(|n| n > 12.0 * 2.0 * 256.0), "{n}");
}

#[test]
fn the_examples_pass_at_the_sizes_of_their_manifests() {
    programs::plugin("my_model");
    for (name, skipped) in [("stories", &[][..]), ("my-model", &[])] {
        let bench = Workbench::new(&format!("check-{name}"), "");
        let manifest = programs::example(name);
        let found = check(&bench, &[&manifest.display().to_string()]);
        passes(&found, skipped);
        let count = found.finding("count")["found"].as_str().expect("words");
        assert!(
            name == "my-model" || count.contains("so at 2 further sizes"),
            "{count}"
        );
    }
}

/// A check of the subtle plugin with `part` misbehaving.
fn subtle(bench: &Workbench, part: &str, fault: &str) -> Found {
    check(
        bench,
        &[
            "flops_fit_hostile",
            "--model=subtle",
            "--dataset=subtle",
            "--loss=subtle",
            &format!("--config={part}.fault={fault}"),
        ],
    )
}

/// Part, its fault, how the one check comes out, which it is, and its words.
const DEFECTS: [(&str, &str, &str, &str, &str); 31] = [
    (
        "dataset",
        "narrow-ids",
        "fail",
        "batches",
        "a batch's first input should be Int64 [1, 32] on Cpu, as its description says, got Int [1, 32] on Cpu",
    ),
    (
        "dataset",
        "short-examples",
        "fail",
        "batches",
        "got Int64 [1, 31] on Cpu",
    ),
    (
        "dataset",
        "strange-id",
        "fail",
        "batches",
        "inputs hold 29, expected 0 to 28",
    ),
    (
        "dataset",
        "wrong-units",
        "fail",
        "batches",
        "units_per_example is 1",
    ),
    (
        "dataset",
        "counts-openings",
        "fail",
        "describe",
        "the dataset's fingerprint is \"opening 0\", opened again \"opening 1\"",
    ),
    (
        "dataset",
        "counts-calls",
        "fail",
        "same_data",
        "when they were asked for again",
    ),
    (
        "dataset",
        "counts-company",
        "fail",
        "same_data",
        "alone than in a batch",
    ),
    (
        "dataset",
        "holds-nothing-out",
        "fail",
        "held_out",
        "256 of 256 held-out examples",
    ),
    (
        "loss",
        "sum",
        "fail",
        "shards",
        "of its parts by their units",
    ),
    (
        "loss",
        "one-unit",
        "fail",
        "shards",
        "examples has 1 units, of its parts 2",
    ),
    (
        "loss",
        "tires",
        "fail",
        "evaluation",
        "the loss of the same outputs and targets differs",
    ),
    (
        "model",
        "detached-readout",
        "fail",
        "gradients",
        "no gradient reaches `readout`",
    ),
    (
        "model",
        "endless-gradient",
        "fail",
        "gradients",
        "elements of the gradient of `bias` are no finite number",
    ),
    (
        "model",
        "idle-bias",
        "warn",
        "gradients",
        "the gradient of `bias` is exactly zero in",
    ),
    (
        "model",
        "frozen",
        "warn",
        "learning",
        "10 small steps on one batch",
    ),
    (
        "model",
        "counts-builds",
        "warn",
        "repeatable",
        "the models differ in `embedding`",
    ),
    (
        "model",
        "ignores-seed",
        "warn",
        "repeatable",
        "another seed builds the same model",
    ),
    (
        "model",
        "knows-process",
        "warn",
        "processes",
        "two processes differ in the initial parameters, the trained parameters",
    ),
    (
        "model",
        "global-noise",
        "warn",
        "randomness",
        "libtorch's generator",
    ),
    (
        "model",
        "shared-mean",
        "fail",
        "instances",
        "changed buffer `mean` of another",
    ),
    (
        "model",
        "hidden-mean",
        "fail",
        "state",
        "putting the 0 buffers back does not undo it",
    ),
    (
        "model",
        "evaluation-moves",
        "fail",
        "evaluation",
        "changed buffer `mean`",
    ),
    (
        "model",
        "coupled",
        "fail",
        "shards",
        "in evaluation an example's outputs change",
    ),
    (
        "model",
        "batch-norm",
        "warn",
        "shards",
        "in training an example's outputs change",
    ),
    ("model", "leaves-thread", "warn", "drop", "left 8 threads"),
    ("model", "leaves-file", "warn", "drop", "left 8 open files"),
    (
        "model",
        "leaves-memory",
        "warn",
        "drop",
        "MiB over 8 models, datasets and losses that were dropped",
    ),
    (
        "model",
        "too-many-flops",
        "warn",
        "flops",
        "more than this machine can",
    ),
    (
        "model",
        "too-few-flops",
        "warn",
        "flops",
        "far less than one multiply-add",
    ),
    ("dataset", "none", "pass", "", ""),
    ("model", "none", "pass", "", ""),
];

#[test]
fn each_defect_is_found_by_the_check_that_is_meant_for_it() {
    let bench = Workbench::new("check-subtle", "");
    let mut wrong = Vec::new();
    for (part, fault, status, name, words) in DEFECTS {
        let found = subtle(&bench, part, fault);
        let mut complaints = found.complaints();
        complaints.retain(|(status, check, _)| !(status == "warn" && check == "cost"));
        let code = if status == "fail" { 4 } else { 0 };
        let fine = match complaints.as_slice() {
            [] => status == "pass",
            [(s, c, w)] => s == status && c == name && w.contains(words),
            _ => false,
        };
        if !fine || found.code != Some(code) {
            wrong.push(format!("{part} {fault}: {:?}: {complaints:#?}", found.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check of the plugin that ends or holds up processes.
fn hostile(bench: &Workbench, fault: &str) -> Found {
    check(
        bench,
        &[
            "flops_fit_hostile",
            "--model=hostile",
            "--dataset=hostile",
            "--loss=hostile",
            "--config=model.rank=4",
            &format!("--config=model.faults={{ 4 = \"{fault}\" }}"),
            "--limit=20",
        ],
    )
}

#[test]
fn a_worker_that_dies_or_hangs_is_a_finding_of_the_check_it_was_in() {
    let bench = Workbench::new("check-hostile", "");
    let mut wrong = Vec::new();
    for (fault, name, words) in [
        ("exit-in-profile", "describe", "ended early with status 0"),
        ("panic-in-profile", "describe", "the figures are secret"),
        ("exit-in-build", "parameters", "ended early with status 0"),
        (
            "unused-parameter",
            "parameters",
            "parameter `unused` does not drive the model's output",
        ),
        (
            "wrong-count",
            "count",
            "was declared, the built model counts 116",
        ),
        ("null-write", "gradients", "killed by signal 11"),
        ("hang-in-forward", "gradients", "no end after 20 s"),
        ("panic-in-drop", "drop", "not letting go"),
    ] {
        let found = hostile(&bench, fault);
        // This dataset counts modulo 29: all it has is soon seen.
        let complaints: Vec<_> = found
            .complaints()
            .into_iter()
            .filter(|(status, check, _)| {
                check != "held_out" && !(status == "warn" && check == "cost")
            })
            .collect();
        let fine = matches!(complaints.as_slice(), [(status, check, said)]
            if status == "fail" && check == name && said.contains(words));
        if !fine || found.code != Some(4) {
            wrong.push(format!("{fault}: {:?}: {complaints:#?}", found.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_plugin_or_no_kind_is_said_before_a_worker_starts() {
    let bench = Workbench::new("check-record", "");
    std::fs::write(bench.path("libtext.so"), "not an ELF file").expect("written");
    let found = check(&bench, &["libtext.so"]);
    assert_eq!((found.code, found.status("record")), (Some(4), "fail"));
    assert_eq!(found.status("load"), "skip");

    let found = check(&bench, &["flops_fit_gpt", "--dataset=tales"]);
    assert_eq!(found.code, Some(4));
    let words =
        "plugin flops-fit-gpt exports no dataset `tales`; it has: stories, text, tinystories";
    assert_eq!(found.finding("record")["found"], words);

    let ended = bench.run(&["check", "flops_fit_gpt"]).expect(2);
    assert!(
        ended.err.contains("name one with --dataset"),
        "{}",
        ended.err
    );
    let ended = bench.run(&["check", "flops_fit_nowhere"]).expect(4);
    assert!(
        ended.err.contains("libflops_fit_nowhere.so"),
        "{}",
        ended.err
    );
}

#[test]
fn a_library_that_does_not_load_is_a_finding_of_its_own() {
    let bench = Workbench::new("check-load", "");
    std::fs::write(bench.path("libpatched.so"), library::without_a_symbol()).expect("written");
    let found = check(&bench, &["libpatched.so", "--dataset=stories"]);
    assert_eq!((found.code, found.status("record")), (Some(4), "pass"));
    let load = found.finding("load");
    let words = load["found"].as_str().unwrap_or_default();
    assert!(
        load["status"] == "fail"
            && words.starts_with("[dir]/libpatched.so could not be loaded: ")
            && words.contains("`getcws` is in none of the libraries that it links: link the one"),
        "{load}"
    );
    let skipped = found.finding("describe");
    assert_eq!(skipped["status"], "skip");
    assert_eq!(skipped["found"], "not made: `load` failed before it");

    std::fs::write(bench.path("libskewed.so"), library::skewed("swapped")).expect("written");
    let ask = [
        "check",
        "flops_fit_gpt",
        "--dataset=stories",
        "--loss=libskewed.so:skewed",
    ];
    let refusal = "FAIL  load        [dir]/libskewed.so was built with another layout of the plugin tables, this flops-fit has flops-fit-plugin 0.1.0; rebuild it ";
    let layouts = "Layout of found type:";
    let ended = bench.run(&ask).expect(4);
    assert!(ended.out.contains(refusal), "{}", ended.out);
    assert!(!format!("{}{}", ended.out, ended.err).contains(layouts));
    let ended = bench.run(&[&ask[..], &["-v"]].concat()).expect(4);
    assert!(ended.out.contains(refusal), "{}", ended.out);
    assert!(ended.err.contains(layouts), "{}", ended.err);
}

#[test]
fn the_report_says_in_a_line_of_its_own_what_to_do() {
    let bench = Workbench::new("check-text", "");
    let report = |part: &str, fault: &str| {
        let ended = bench.run(&[
            "check",
            "flops_fit_hostile",
            "--model=subtle",
            "--dataset=subtle",
            "--loss=subtle",
            &format!("--config={part}.fault={fault}"),
        ]);
        let lines: Vec<String> = ended.out.lines().map(str::to_owned).collect();
        (ended.code, lines)
    };
    // Its word and the check's take 18 columns.
    let check = |part: &str, fault: &str, code: i32, finding: &str, found: &str, fix: &str| {
        let (ended, lines) = report(part, fault);
        assert_eq!(ended, Some(code), "{lines:#?}");
        let line = lines.iter().position(|line| line.starts_with(finding));
        let line = line.unwrap_or_else(|| panic!("{finding}: {lines:#?}"));
        assert!(lines[line].contains(found), "{}", lines[line]);
        assert_eq!(lines[line + 1], format!("{:18}-> {fix}", ""));
    };
    check(
        "dataset",
        "slow",
        0,
        "WARN  cost ",
        " ms to make its batch; ",
        "a batch takes longer than its step: training will wait for data; prepare more in build()",
    );
    check(
        "model",
        "idle-bias",
        0,
        "WARN  gradients ",
        "before and after 3 steps",
        "it will not learn: look for a factor of zero, or a unit that is never active",
    );
    check(
        "model",
        "shared-mean",
        4,
        "FAIL  instances ",
        "training one model changed buffer `mean` of another",
        "keep tensors in the model itself, none in statics or thread-locals",
    );
}

#[test]
fn warnings_fail_where_that_is_asked_for() {
    let bench = Workbench::new("check-strict", "");
    let arguments = [
        "check",
        "flops_fit_hostile",
        "--model=subtle",
        "--dataset=subtle",
        "--loss=subtle",
        "--config=model.fault=frozen",
    ];
    let ended = bench.run(&arguments).expect(0);
    assert!(ended.out.contains("\nWARN  learning "), "{}", ended.out);
    bench
        .run(&[&arguments[..], &["--strict"]].concat())
        .expect(4);
}
