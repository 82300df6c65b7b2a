//! Tables as people have them: each is read, or refused in one sentence.

use std::fmt::Write;
use std::fs;

use crate::workbench::Workbench;

/// Three budgets of five sizes that follow a law: N, D, C and loss of each run.
fn runs() -> Vec<[f64; 4]> {
    let mut runs = Vec::new();
    for c in [1e18_f64, 1e19, 1e20] {
        for step in -2..=2 {
            let n = 0.08 * c.sqrt() * 1.8_f64.powi(step);
            let d = c / (6.0 * n);
            let ripple = 0.001 * f64::from(step * 3).sin();
            runs.push([
                n,
                d,
                c,
                1.7 + 400.0 / n.powf(0.34) + 800.0 / d.powf(0.3) + ripple,
            ]);
        }
    }
    runs
}

fn csv(header: &str, delimiter: &str) -> String {
    let mut text = format!("{header}\n");
    for run in runs() {
        let fields = run.map(|value| format!("{value:e}"));
        let _ = writeln!(text, "{}", fields.join(delimiter));
    }
    text
}

/// What `analyze` says of a file with these bytes.
#[track_caller]
fn check(name: &str, bytes: impl AsRef<[u8]>, more: &[&str], code: i32, expected: &str) {
    let bench = Workbench::new();
    fs::write(bench.path(name), bytes).expect("written");
    let arguments: Vec<&str> = ["analyze", name, "--draws", "50"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    let ended = bench.run(&arguments).expect(code);
    let said = if code == 0 { &ended.out } else { &ended.err };
    assert!(said.contains(expected), "{expected}\n{said}");
    if code != 0 {
        assert_eq!(ended.out, "", "nothing is printed beside an error");
    }
}

const PLAIN: &str = "n,d,c,loss";
const READ: &str = "15 runs, 3 of 3 budgets with a minimum";

#[test]
fn what_is_read() {
    let plain = csv(PLAIN, ",");
    check("a.csv", &plain, &[], 0, READ);
    check("bom.csv", format!("\u{feff}{plain}"), &[], 0, READ);
    check("crlf.csv", plain.replace('\n', "\r\n"), &[], 0, READ);
    check("blank.csv", plain.replace('\n', "\n\n"), &[], 0, READ);
    check("spaces.csv", plain.replace(',', " , "), &[], 0, READ);
    check("upper.csv", plain.replace('e', "E+"), &[], 0, READ);
    check(
        "quoted.csv",
        csv("\"n\",\"d\",\"c\",\"loss\"", ","),
        &[],
        0,
        READ,
    );
    check("a.tsv", csv(&PLAIN.replace(',', "\t"), "\t"), &[], 0, READ);
    check("a.txt", &plain, &["--from", "csv"], 0, READ);
    check(
        "units.csv",
        csv("params (M),tokens (B),PF-days,eval/loss", ","),
        &[
            "--column",
            "m=params (M)",
            "--column",
            "b=tokens (B)",
            "--column",
            "f=PF-days",
            "--column",
            "loss=eval/loss",
            "--derive",
            "n = 1e6 * m",
            "--derive",
            "d = 1e9 * b",
            "--derive",
            "c = 8.64e19 * f",
        ],
        0,
        READ,
    );
    let objects: Vec<serde_json::Value> = runs()
        .into_iter()
        .map(|[n, d, c, loss]| {
            serde_json::json!({
                "config": { "model": { "n": n }, "tokens": d.to_string() },
                "flops": c, "metrics": { "loss": loss, "acc": null }, "tags": ["a", "b"],
            })
        })
        .collect();
    let nested = [
        "--column",
        "n=config.model.n",
        "--column",
        "d=config.tokens",
        "--column",
        "c=flops",
        "--column",
        "loss=metrics.loss",
    ];
    let array = serde_json::Value::from(objects.clone());
    check("a.json", array.to_string(), &nested, 0, READ);
    let wrapped = serde_json::json!({ "by": "me", "runs": array });
    check("wrapped.json", wrapped.to_string(), &nested, 0, READ);
    let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
    check("a.jsonl", lines.join("\n"), &nested, 0, READ);
}

#[test]
fn gaps_and_doubtful_rows_are_told() {
    let plain = csv(PLAIN, ",");
    let with = |row: &str| format!("{plain}{row}\n");
    check(
        "a.csv",
        with("1e9,2e10,1.2e20,"),
        &[],
        0,
        "1 trial without a result: 1 failed",
    );
    check(
        "a.csv",
        with("1e9,NA,1.2e20,3"),
        &[],
        0,
        "1 trial without a result: 1 failed",
    );
    check("a.csv", with("1e9,2e10,1.2e20,inf"), &[], 0, "line 17");
    check(
        "a.csv",
        with("1e9,2e10,1.2e20,0"),
        &[],
        0,
        "line 17 (loss is 0)",
    );
    check(
        "a.csv",
        with("-1e9,2e10,1.2e20,3"),
        &[],
        0,
        "line 17 (n is -1000000000)",
    );
    let first = plain.lines().nth(1).expect("a row");
    check("a.csv", with(first), &[], 0, "line 17 (of line 2)");
}

#[test]
fn what_is_refused() {
    let plain = csv(PLAIN, ",");
    let check = |name: &str, bytes: &str, code: i32, expected: &str| {
        check(name, bytes, &[], code, expected);
    };
    check("empty.csv", "", 6, "empty.csv holds no runs: it is empty");
    check(
        "empty.json",
        "[]",
        6,
        "empty.json holds no runs: it is empty",
    );
    check(
        "head.csv",
        "n,d,c,loss\n",
        6,
        "it has a header and nothing below",
    );
    check(
        "nothing.csv",
        "n,d,c,loss\n1,2,3,\n",
        6,
        "nothing.csv: no finished runs to fit",
    );
    check(
        "thousands.csv",
        "n,d,c,loss\n\"1,000\",2,3,4\n",
        6,
        "thousands.csv:2: column `n` holds `1,000`, expected a number without separators",
    );
    check(
        "comma.csv",
        "n,d,c,loss\n1,2,3,\"4,5\"\n",
        6,
        "with a point before its decimals",
    );
    check(
        "suffix.csv",
        "n,d,c,loss\n70B,2,3,4\n",
        6,
        "suffix.csv:2: column `n` holds `70B`, expected a number written out, such as 70e9",
    );
    check(
        "semicolons.csv",
        &plain.replace(',', ";"),
        6,
        "its header is one column, `n;d;c;loss`: save the table with commas",
    );
    check(
        "tabs.csv",
        &plain.replace(',', "\t"),
        6,
        "is read with --from tsv",
    );
    check(
        "twice.csv",
        "n,d,c,loss,loss\n1,2,3,4,5\n",
        6,
        "twice.csv: two columns are called `loss`; rename one",
    );
    check(
        "counts.csv",
        "n,d,c,loss,n_all\n1,2,3,4,nan\n",
        6,
        "counts.csv:2: column `n_all` holds `nan`, expected a finite number above 0",
    );
    check(
        "short.csv",
        "n,d,c,loss\n1,2,3\n",
        6,
        "short.csv:2: found 3 fields",
    );
    check("torn.json", "[{\"n\": 1,", 6, "torn.json:1: not valid JSON");
    check(
        "columns.json",
        "{\"n\": {\"0\": 1}, \"loss\": {\"0\": 2}}",
        6,
        "expected an array of objects, one a run (pandas: orient=\"records\")",
    );
    check(
        "nan.jsonl",
        "{\"n\": 1, \"d\": 2, \"c\": 3, \"loss\": NaN}\n",
        6,
        "for NaN and Infinity write null",
    );
    check("other.csv", "size,flops\n1,2\n", 2, "nothing gives `n`");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    check(
        "latin.csv",
        b"n,d,c,loss\n1,2,3,\xe9\n",
        &[],
        6,
        "latin.csv:2: not UTF-8 text",
    );
    let wide: Vec<u8> = "n,d,c,loss\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check("wide.csv", wide, &[], 6, "wide.csv:1: not UTF-8 text");
}
