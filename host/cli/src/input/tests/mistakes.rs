//! What is no table, or no sensible one, and what is said of it.

use super::*;

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
