use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

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

#[test]
fn mistakes_in_a_table_are_named() {
    let check = |name: &str, text: &str, mapping: &Mapping, expected: &str| {
        let error = read_as(name, text, mapping).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    };
    let plain = Mapping::default();
    let good = "n,d,c,loss\n1,2,12,3\n";
    check(
        "a.csv",
        &good.replace(",3", ",low"),
        &plain,
        "a.csv:2: column `loss` holds `low`, expected a number",
    );
    check(
        "a.csv",
        &good.replace("12", "\"1,200\""),
        &plain,
        "a.csv:2: column `c` holds `1,200`, expected a number without separators, with a point before its decimals",
    );
    check(
        "a.csv",
        &good.replace("12", "1.2B"),
        &plain,
        "a.csv:2: column `c` holds `1.2B`, expected a number written out, such as 1.2e9",
    );
    check(
        "a.csv",
        &good.replace(',', ";"),
        &plain,
        "a.csv: its header is one column, `n;d;c;loss`: save the table with commas or tabs between its columns, and points before decimals",
    );
    check(
        "a.csv",
        &good.replace(',', "\t"),
        &plain,
        "a.csv: its header is one column, `n\td\tc\tloss`: a table divided by tabs is read with --from tsv",
    );
    check(
        "a.csv",
        &good.replace("12,", ""),
        &plain,
        "a.csv:2: found 3 fields, expected as many as the header has",
    );
    check(
        "a.csv",
        "n,d,c,loss\n",
        &plain,
        "a.csv holds no runs: it has a header and nothing below",
    );
    for (name, text) in [("a.csv", ""), ("a.json", "[]"), ("a.jsonl", "\n")] {
        check(
            name,
            text,
            &plain,
            &format!("{name} holds no runs: it is empty"),
        );
    }
    check(
        "a.csv",
        "n,Tokens,c,loss\n1,2,12,3\n",
        &plain,
        "a.csv: nothing gives `d`: take it from a column with --column d='Tokens', or say how it follows, for example --derive 'd = c / (6 * n)'; the columns are `n`, `Tokens`, `c`, `loss`",
    );
    check(
        "a.csv",
        "n,d,c,loss,loss\n1,2,12,3,3\n",
        &plain,
        "a.csv: two columns are called `loss`; rename one",
    );
    check(
        "a.csv",
        "n,d,c,loss,seed\n1,2,12,3,x\n",
        &plain,
        "a.csv:2: column `seed` holds `x`, expected a whole number from 0 (--column seed= passes the column over)",
    );
    check(
        "a.json",
        "[\n{\"n\": 1,\n\"d\": true, \"c\": 12, \"loss\": 3}\n]",
        &plain,
        "a.json:3: column `d` holds `true`, expected a number",
    );
    check(
        "a.json",
        "{\"rows\": []}",
        &plain,
        "a.json: expected an array of objects, one a run (pandas: orient=\"records\"), or an object with such an array as `runs`",
    );
    check(
        "a.jsonl",
        "{\"n\": 1, \"d\": 2, \"c\": 12, \"loss\": NaN}\n3\n",
        &plain,
        "a.jsonl: 2 mistakes\n  a.jsonl:1: found no valid JSON: expected value at character 35 (for NaN and Infinity write null), expected a JSON object\n  a.jsonl:2: found 3, expected a JSON object",
    );
    check(
        "a.jsonl",
        "{\"n\": 1, \"n\": 2, \"d\": 2, \"c\": 12, \"loss\": 3}",
        &plain,
        "a.jsonl:1: column `n` holds `2`, expected one value, not two",
    );
}

#[test]
fn a_count_that_is_none_is_a_mistake() {
    for count in ["nan", "inf", "0", "-3"] {
        let text = format!("n,d,c,loss,n_all\n1,2,12,3,{count}\n");
        let error = read_as("a.csv", &text, &Mapping::default()).expect_err(count);
        let expected = format!(
            "a.csv:2: column `n_all` holds `{count}`, expected a finite number above 0 \
             (--column n_all= passes the column over)"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn mistakes_in_a_mapping_are_named() {
    let text = "Model Size,c,loss,width\n1,12,3,4\n2,0,3,4\n";
    let check = |columns: &[&str], derived: &[&str], expected: &str| {
        let error = read_as("a.csv", text, &mapping(columns, derived)).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    };
    check(
        &["n=Model size"],
        &[],
        "a.csv: no column `Model size` for --column n=Model size; did you mean `Model Size`? the columns are `Model Size`, `c`, `loss`, `width`",
    );
    check(
        &["n=Model Size", "budgets=c"],
        &[SIX_N],
        "`budgets` in --column is no quantity of a run and no --derive uses it; did you mean `budget`? expected one of n, d, c, loss, budget, unique, weight, seed, group, curve, trial, status, loss_se, size, lr, spent, attempt, steps, seconds, reason, retry_of, tuning, n_…",
    );
    check(
        &["n=Model Size", "n=c"],
        &[],
        "--column n=… is given twice; keep one",
    );
    check(
        &["n=Model Size"],
        &["d = c / (6 * m)"],
        "--derive d = c / (6 * m): character 14: nothing is called `m`; known are n, c, loss",
    );
    check(
        &["n=Model Size"],
        &["d = c / width"],
        "--derive d = c / width: character 9: nothing is called `width`; it is a column of the file: map it with --column width=width (known are n, c, loss)",
    );
    check(
        &["n=Model Size"],
        &["group = n", SIX_N],
        "--derive group = n: `group` is no number; take it from a column with --column group=NAME",
    );
    let strict = |columns: &[&str], derived: &[&str], expected: &str| {
        let mapping = mapping(columns, derived);
        let (path, bytes) = (Path::new("a.csv"), text.as_bytes());
        let error = parse(path, Form::Csv, bytes, &mapping, Checks::Off).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    };
    strict(
        &["n=Model Size"],
        &[SIX_N],
        "a.csv: 2 mistakes\n  a.csv:3: column `c` holds `0`, expected a finite number above 0\n  a.csv:3: found `d = c / (6 * n)` = 0, expected a finite number above 0",
    );
}

#[test]
fn the_first_ten_of_many_mistakes_are_listed() {
    let mut text = "n,d,c,loss\n".to_owned();
    text += &"1,2,12,x\n".repeat(25);
    let error = read_as("a.csv", &text, &Mapping::default()).expect_err("mistakes");
    let message = error.to_string();
    assert!(
        message.starts_with("a.csv: 25 mistakes\n  a.csv:2: "),
        "{message}"
    );
    assert!(message.ends_with("\n  and 15 more"), "{message}");
    assert_eq!(message.lines().count(), 12);
}

#[test]
fn too_much_is_refused() {
    let wide: Vec<String> = (0..=MOST_COLUMNS).map(|i| format!("c{i}")).collect();
    let error = read_as("a.csv", &wide.join(","), &Mapping::default()).expect_err("wide");
    assert!(
        error.to_string().contains("more than 10000 columns"),
        "{error}"
    );
    let deep = format!("[{}1{}]", "{\"a\":".repeat(1000), "}".repeat(1000));
    read_as("a.json", &deep, &Mapping::default()).expect_err("no n");
    let deep = "[".repeat(1_000_000);
    read_as("a.json", &deep, &Mapping::default()).expect_err("no JSON");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for form in [Form::Csv, Form::Tsv, Form::Json, Form::JsonLines] {
            let _ = parse(Path::new("a"), form, &bytes, &Mapping::default(), Checks::On);
        }
    }

    #[test]
    fn nothing_like_a_table_makes_it_panic(
        text in r#"[\[{]?("(n|d|c|loss|runs|seed)"[:,]? ?(-?[0-9.e]{1,6}|null|NaN|"[a-z]*"|[\[{}\],\n])?,?){0,12}[\]}]?"#,
        derived in "(d|n) = [ncd0-9 +*/^().-]{0,20}",
    ) {
        let mut mapping = Mapping::default();
        mapping.derived.extend(derived.parse().ok());
        for form in [Form::Csv, Form::Tsv, Form::Json, Form::JsonLines] {
            for checks in [Checks::On, Checks::Off] {
                let _ = parse(Path::new("a"), form, text.as_bytes(), &mapping, checks);
            }
        }
    }

    #[test]
    fn no_text_makes_a_formula_panic(text in r"\PC{0,60}") {
        if let Ok(formula) = text.parse::<Formula>() {
            formula.evaluate(|_| Some(2.0));
        }
    }

    #[test]
    fn csv_and_json_give_the_same_runs(
        runs in prop::collection::vec((1e-3..1e15_f64, 1e-3..1e15_f64, 1e-9..1e30_f64, 1e-3..20.0_f64), 1..20)
    ) {
        let mut csv = "n,d,c,loss\n".to_owned();
        let mut json = Vec::new();
        for (n, d, c, loss) in &runs {
            let _ = writeln!(csv, "{n},{d},{c},{loss}");
            json.push(serde_json::json!({"n": n, "d": d, "c": c, "loss": loss}));
        }
        let plain = Mapping::default();
        let from_csv = read_as("a.csv", &csv, &plain).expect("read");
        let from_json = read_as("a.json", &serde_json::Value::from(json).to_string(), &plain).expect("read");
        for ((a, b), run) in from_csv.iter().zip(&from_json).zip(&runs) {
            let numbers = |row: &Row| (row.n, row.d, row.c, row.loss);
            prop_assert_eq!(numbers(a), (Some(run.0), Some(run.1), Some(run.2), Some(run.3)));
            prop_assert_eq!(numbers(a), numbers(b));
        }
    }
}
