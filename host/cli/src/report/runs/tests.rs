use std::collections::BTreeMap;

use flops_fit_scaling::grid::SkipReason;
use flops_fit_trial::{Environment, FORMAT, Failure, Measured, Timing, TrialId};

use super::*;
use crate::input::{self, Checks, Form, Mapping};
use crate::report::sample;

fn id(digit: u8) -> TrialId {
    serde_json::from_value(format!("{digit:016x}").into()).expect("an id is a string")
}

fn plan() -> Plan {
    let run = |digit, size, seed| PlannedRun {
        id: id(digit),
        size,
        seed,
        n: 100.0 * size as f64,
        counts: BTreeMap::new(),
        steps: 50,
        d: 1e5,
        c: 1e10,
        units_per_step: None,
        lr: 1.0,
        retry_of: None,
        branch: None,
    };
    Plan {
        format: FORMAT,
        name: "sample".to_owned(),
        size_param: "d_model".to_owned(),
        unit: "tokens".to_owned(),
        units_per_step: Some(512),
        batch: None,
        unique_units: None,
        tuning: None,
        budgets: vec![PlannedBudget {
            budget: 1e10,
            center: None,
            trials: (1..=6)
                .map(|digit| run(digit, 8 * i64::from(digit), 0))
                .collect(),
            skipped: vec![Skipped {
                size: 99,
                reason: SkipReason::NotMeasured,
            }],
            uncovered: Vec::new(),
        }],
        trunks: Vec::new(),
        upcoming: None,
        flops: 6e10,
        warnings: Vec::new(),
    }
}

fn result(digit: u8, outcome: Outcome) -> TrialResult {
    TrialResult {
        format: FORMAT,
        id: id(digit),
        outcome,
        environment: Environment::default(),
        timing: Timing {
            startup: 0.5,
            train: 2.0,
            evaluate: 0.25,
        },
    }
}

fn measured() -> Measured {
    Measured {
        n: 2192.0,
        counts: [("all".to_owned(), 2848.0)].into(),
        d: 1e5,
        c: 9.98e9,
        spent: 9.98e9,
        unique: Some(3.8e6),
        loss: 2.25,
        loss_se: 0.01,
        metrics: [("accuracy".to_owned(), 0.625)].into(),
        train_loss: 2.3,
        lr: 0.5,
        steps: 195,
        eval_units: 65_536,
    }
}

#[test]
fn every_end_of_a_trial_is_a_row() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let output = Output::at(folder.path());
    let write = |digit: u8, result: &TrialResult| {
        let trial = output.trial(&id(digit));
        std::fs::create_dir_all(trial.path()).expect("made");
        trial.write_result(result).expect("written");
    };
    write(
        1,
        &result(
            1,
            Outcome::Completed {
                measured: measured(),
            },
        ),
    );
    write(
        2,
        &result(
            2,
            Outcome::Diverged {
                step: 40,
                loss: None,
                reason: "the loss is NaN".to_owned(),
            },
        ),
    );
    write(
        3,
        &result(
            3,
            Outcome::Failed {
                failure: Failure::ExitedEarly {
                    phase: None,
                    plugin: None,
                    status: 3,
                    log: Vec::new(),
                },
            },
        ),
    );
    // Torn, and somebody else's.
    write(
        4,
        &result(
            4,
            Outcome::Completed {
                measured: measured(),
            },
        ),
    );
    let torn = output.trial(&id(4)).result_path();
    let text = std::fs::read_to_string(&torn).expect("read");
    std::fs::write(&torn, &text[..text.len() / 2]).expect("written");
    write(
        5,
        &result(
            1,
            Outcome::Completed {
                measured: measured(),
            },
        ),
    );

    let rows = collect(&output, &plan());
    let ends: Vec<(&str, bool)> = rows
        .iter()
        .map(|row| (row.status.word(), row.reason.is_some()))
        .collect();
    assert_eq!(
        ends,
        [
            ("completed", false),
            ("diverged", true),
            ("failed", true),
            ("failed", true),
            ("failed", true),
            ("pending", false),
            ("skipped", true),
        ]
    );
    let reason = |row: usize| rows[row].reason.clone().unwrap_or_default();
    assert!(reason(1).contains("step 40"), "{}", reason(1));
    assert!(reason(3).contains("result.json"), "{}", reason(3));
    assert!(reason(4).contains("0000000000000001"), "{}", reason(4));
    assert_eq!(rows[0].seconds, Some(2.75));
    assert_eq!(rows[0].lr, Some(0.5), "measured, not planned");
    assert_eq!(rows[0].metrics["accuracy"].to_string(), "0.625");
    assert_eq!(rows[5].n, Some(4800.0), "as declared");
    assert_eq!(rows[5].d, None, "nothing was measured");

    let runs: Vec<Run> = rows.iter().filter_map(Row::to_run).collect();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].n, runs[0].loss), (2192.0, 2.25));
    assert_eq!(runs[0].budget, Some(1e10));
}

#[test]
fn a_file_reads_back_to_the_same_rows() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("runs.csv");
    let mut rows = sample::rows(2);
    rows[0].loss = Some(0.1 + 0.2);
    rows[0].counts.insert("blocks".to_owned(), 1.0 / 3.0);
    rows[1] = Row {
        size: Some(-4),
        reason: Some("said \"no\",\nand again: no".to_owned()),
        ..Row::new(Status::Failed)
    };
    write(&path, &rows).expect("written");
    // A row without a name is called by its line.
    rows[1].trial = Some("line 3".to_owned());
    let read = |path: &std::path::Path| {
        input::read(path, Form::Csv, &Mapping::default(), Checks::On).expect("read")
    };
    assert_eq!(read(&path), rows);

    // Metrics are for people: they are written, and no fit reads them.
    let mut measured = rows.clone();
    measured[0].metrics.insert("accuracy".to_owned(), 0.75);
    let beside = folder.path().join("metrics.csv");
    write(&beside, &measured).expect("written");
    let text = std::fs::read_to_string(&beside).expect("read");
    let lines: Vec<&str> = text.lines().take(2).collect();
    assert!(
        lines[0].ends_with(",metric_accuracy") && lines[1].ends_with(",0.75"),
        "{lines:?}"
    );
    assert_eq!(read(&beside), rows);

    let text = std::fs::read_to_string(&path).expect("read");
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap_or_default(),
        "trial,status,budget,size,seed,n,d,c,spent,unique,loss,loss_se,lr,group,attempt,steps,\
         seconds,reason,n_all,n_blocks"
    );
    assert!(
        lines
            .next()
            .unwrap_or_default()
            .contains(",10000000000,8,0,2192,")
    );
}
