//! Nothing that a file may hold makes the reader panic.

use proptest::prelude::*;

use super::*;

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
