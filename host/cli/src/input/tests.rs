mod any;
mod mistakes;

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::report::runs::{Row, Status};

fn mapping(columns: &[&str], derived: &[&str]) -> Mapping {
    Mapping {
        columns: columns.iter().map(|c| c.parse().expect(c)).collect(),
        derived: derived.iter().map(|d| d.parse().expect(d)).collect(),
    }
}

fn read_as(name: &str, text: &str, mapping: &Mapping) -> Result<Vec<Row>, InputError> {
    let path = Path::new(name);
    let form = Form::of(path).expect("a known extension");
    parse(path, form, text.as_bytes(), mapping, Checks::On)
}

/// N, D, C, loss and name of each run.
fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| v.to_string());
        let _ = writeln!(
            text,
            "{} {} n {} d {} c {} loss {}",
            row.trial.as_deref().unwrap_or("–"),
            row.status.word(),
            number(row.n),
            number(row.d),
            number(row.c),
            number(row.loss),
        );
    }
    text
}

const SIX_N: &str = "d = c / (6 * n)";

#[test]
fn the_same_runs_in_four_forms() {
    let csv = "Model Size,\"Training FLOP\",loss\n100,6e5,3.5\n\n200,6e5,3.25\n";
    let tsv = csv.replace(',', "\t").replace('"', "");
    let json = r#"[
  {"Model Size": 100, "Training FLOP": 6e5, "loss": 3.5},

  {"Model Size": 200, "Training FLOP": 6e5, "loss": 3.25}
]"#;
    let lines = "{\"Model Size\": 100, \"Training FLOP\": 6e5, \"loss\": 3.5}\n\n\
                 {\"Model Size\": 200, \"Training FLOP\": 6e5, \"loss\": 3.25}\n";
    let runs = format!("{{\"runs\": {json}, \"by\": \"me\"}}").replacen("[\n", "[", 1);
    let mapping = mapping(&["n=Model Size", "c=Training FLOP"], &[SIX_N]);
    let check = |name: &str, text: &str, lines: [u32; 2]| {
        let rows = read_as(name, text, &mapping).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = format!(
            "line {} completed n 100 d 1000 c 600000 loss 3.5\n\
             line {} completed n 200 d 500 c 600000 loss 3.25\n",
            lines[0], lines[1]
        );
        assert_eq!(summary(&rows), expected, "{name}");
    };
    check("a.csv", csv, [2, 4]);
    check("a.CSV", &format!("\u{feff}{csv}"), [2, 4]);
    check("a.tsv", &tsv, [2, 4]);
    check("a.json", json, [2, 4]);
    check("a.json", &runs, [1, 3]);
    check("a.jsonl", lines, [1, 3]);
    check("a.ndjson", lines, [1, 3]);
}

#[test]
fn objects_within_objects_are_columns() {
    let text = r#"{"config": {"layers": 2, "width": 10}, "flops": "6e5", "metrics": {"val": {"loss": 3.5}}, "tags": ["a"], "seed": null}"#;
    let mapping = mapping(
        &[
            "layers=config.layers",
            "width=config.width",
            "c=flops",
            "loss=metrics.val.loss",
        ],
        &["n = 12 * layers * width^2", SIX_N, "loss = loss / ln(2)"],
    );
    let rows = read_as("a.jsonl", text, &mapping).expect("read");
    assert_eq!(rows[0].n, Some(2400.0));
    assert_eq!(rows[0].d, Some(6e5 / 14400.0));
    assert_eq!(rows[0].loss, Some(3.5 / std::f64::consts::LN_2));
}

#[test]
fn a_curve_is_a_list_of_points() {
    let points = r#"[{"d": 1, "c": 6e0, "loss": 4.5}, {"d": 1.5, "c": 9, "loss": 3.5}]"#;
    let line = |curve: &str| {
        format!("{{\"n\": 1, \"d\": 2, \"c\": 12, \"loss\": 3, \"curve\": {curve}}}\n")
    };
    let read = |name: &str, text: &str| read_as(name, text, &Mapping::default());
    let rows = read("a.jsonl", &(line(points) + &line("[]") + &line("null"))).expect("read");
    let found: Vec<[f64; 3]> = rows[0]
        .curve
        .iter()
        .map(|at| [at.d, at.c, at.loss])
        .collect();
    assert_eq!(found, [[1.0, 6.0, 4.5], [1.5, 9.0, 3.5]]);
    assert!(rows[1].curve.is_empty() && rows[2].curve.is_empty());
    let run = rows[0].to_run().expect("completed");
    assert_eq!(
        (&run.curve, Row::from(&run).curve),
        (&rows[0].curve, rows[0].curve.clone())
    );
    let csv = format!(
        "n,d,c,loss,curve\n1,2,12,3,\"{}\"\n",
        points.replace('"', "\"\"")
    );
    assert_eq!(read("a.csv", &csv).expect("read")[0].curve, rows[0].curve);

    for (curve, shown) in [
        ("3", "3"),
        ("[1, 2]", "[1, 2]"),
        (r#"[{"d": 1, "c": 6}]"#, r#"[{"d": 1, "c": 6}]"#),
        (
            r#"[{"d": 1, "c": 6, "loss": 0}]"#,
            r#"[{"d": 1, "c": 6, "loss": 0}]"#,
        ),
        (
            &points.replace("4.5", "-4.5"),
            r#"[{"d": 1, "c": 6e0, "loss": -4.5}, {"d":…"#,
        ),
    ] {
        let error = read("a.jsonl", &line(curve)).expect_err(curve);
        let expected = format!(
            "a.jsonl:1: column `curve` holds `{shown}`, expected a JSON list of points such as \
             [{{\"d\": 1e9, \"c\": 6e17, \"loss\": 3.2}}], their numbers finite and above 0 \
             (--column curve= passes the column over)"
        );
        assert_eq!(error.to_string(), expected);
    }
}

/// `tuning` is the mark of a runs.csv: elsewhere it is a column like any other.
#[test]
fn a_foreign_column_called_tuning_is_passed_over() {
    let foreign = "n,d,c,loss,tuning\n1e6,2e7,1.2e14,3.5,lr and wd\n";
    let rows = read_as("foreign.csv", foreign, &mapping(&[], &[])).expect("a table");
    assert!(rows[0].to_run().is_some());
    let mapped = read_as("foreign.csv", foreign, &mapping(&["tuning=tuning"], &[]));
    let error = mapped.expect_err("a mistake").to_string();
    assert!(error.contains("true or false"), "{error}");
    let ours = "trial,status,n,d,c,loss,tuning\na,completed,1e6,2e7,1.2e14,3.5,true\nb,completed,1e6,2e7,1.2e14,3.5,false\n";
    let rows = read_as("runs.csv", ours, &mapping(&[], &[])).expect("a table");
    let fitted: Vec<bool> = rows.iter().map(|row| row.to_run().is_some()).collect();
    assert_eq!(fitted, [false, true]);
}

#[test]
fn a_run_without_a_loss_keeps_its_row_and_a_reason() {
    let text = "n,d,c,loss\n1,2,12,3\n1,2,12,\n1,2,12,nan\n1,2,12,-1\n,,,\nNA,2,-,3\n";
    let rows = read_as("a.csv", text, &Mapping::default()).expect("read");
    let ends: Vec<(Status, Option<&str>)> = rows
        .iter()
        .map(|row| (row.status, row.reason.as_deref()))
        .collect();
    assert_eq!(
        ends,
        [
            (Status::Completed, None),
            (Status::Failed, Some("no loss")),
            // What no law can be fitted to is the analysis's to leave out.
            (Status::Completed, None),
            (Status::Completed, None),
            (Status::Failed, Some("no loss")),
            (Status::Failed, Some("no n, no c")),
        ]
    );
    let strict = parse(
        Path::new("a.csv"),
        Form::Csv,
        text.as_bytes(),
        &Mapping::default(),
        Checks::Off,
    );
    assert_eq!(
        strict.expect_err("two losses").to_string(),
        "a.csv: 3 mistakes\n  \
         a.csv:4: column `loss` holds `nan`, expected a finite number above 0\n  \
         a.csv:5: column `loss` holds `-1`, expected a finite number above 0\n  \
         a.csv:7: column `n` holds `NA`, expected a finite number above 0"
    );
}

#[expect(clippy::print_stderr, reason = "a skipped check is told")]
fn shared(name: &str) -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["../shared/data", "../../shared/data"].map(|place| root.join(place).join(name));
    let found = places.into_iter().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: shared/data/{name} is not beside this checkout");
    }
    found
}

#[test]
fn public_tables_are_read_as_they_are() {
    if let Some(path) = shared("epoch_chinchilla.csv") {
        let mapping = mapping(&["n=Model Size", "c=Training FLOP", "loss=loss"], &[SIX_N]);
        let rows = read(&path, Form::Csv, &mapping, Checks::Off).expect("read");
        assert_eq!(rows.len(), 245);
        assert!(rows.iter().all(|row| row.status == Status::Completed));
        assert_eq!(rows[0].n, Some(6_795_600_349.289_497));
        assert_eq!(rows[0].c, Some(9.993_852_799_709_755e18));
        assert_eq!(rows[0].loss, Some(5.005_581_996_196_243));
    }
    if let Some(path) = shared("cs336_isoflop.json") {
        let mapping = mapping(
            &["n=parameters", "c=compute_budget", "loss=final_loss"],
            &[SIX_N],
        );
        let rows = read(&path, Form::Json, &mapping, Checks::On).expect("read");
        assert_eq!(rows.len(), 72);
        assert_eq!(rows[0].d, Some(6e18 / (6.0 * 49_999_999.0)));
    }
}
