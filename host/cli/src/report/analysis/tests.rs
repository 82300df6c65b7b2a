use super::*;
use crate::report::runs::Row;
use crate::report::sample;

#[test]
fn a_file_reads_back_to_the_same_analysis() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("analysis.json");
    let analysis = sample::analysis(2);
    analysis.write(&path).expect("written");
    assert_eq!(Analysis::read(&path).expect("read"), analysis);

    let value: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    assert_eq!(value["unit"], "tokens");
    assert_eq!(value["schema"], SCHEMA);
    assert!(value["methods"]["isoflop_parabola"]["a"].is_f64());
    let first = &value["predictions"][0];
    let [low, high] = [0, 1].map(|side| first["ci95"]["n"][side].as_f64().expect("a bound"));
    let n = first["n"].as_f64().expect("a number");
    assert!(low < n && n < high, "{first}");
}

#[test]
fn the_demonstration_sweep_gives_its_minima() {
    let analysis = sample::analysis(2);
    let found: Vec<(f64, f64)> = analysis
        .fits
        .budgets
        .iter()
        .filter_map(|fit| fit.outcome.minimum())
        .map(|minimum| (minimum.n.estimate, minimum.loss.estimate))
        .collect();
    let expected = [(4.2e3, 2.20), (7.6e3, 2.00), (15.5e3, 1.82), (29.2e3, 1.67)];
    assert_eq!(found.len(), expected.len());
    for ((n, loss), (expected_n, expected_loss)) in found.into_iter().zip(expected) {
        assert!(
            (n / expected_n).ln().abs() < 1.15_f64.ln(),
            "{n} {expected_n}"
        );
        assert!(
            (loss - expected_loss).abs() < 0.02,
            "{loss} {expected_loss}"
        );
    }
}

#[test]
fn notes_tell_what_is_missing() {
    let check = |rows: &[Row], expected: &[&str]| {
        let analysis = Analysis::of(rows, sample::subject(), &scaling::Options::default())
            .expect("can be fitted");
        let notes: Vec<String> = analysis.notes.iter().map(Note::to_string).collect();
        for expected in expected {
            assert!(
                notes.iter().any(|note| note.contains(expected)),
                "{expected}: {notes:#?}"
            );
        }
    };
    let mut rows = sample::rows(1);
    check(&rows, &["one seed per size", "four or five sizes"]);

    // Those that tune the learning rate may diverge as they like.
    rows.push(Row {
        tuning: true,
        ..Row::new(Status::Diverged)
    });
    rows.push(Row::new(Status::Pending));
    rows.push(Row::new(Status::Failed));
    rows.push(Row::new(Status::Skipped));
    check(
        &rows,
        &[
            "2 trials without a result: 1 failed, 1 pending",
            "1 size left out of the plan",
        ],
    );

    let rising = [(40, 1.67), (56, 1.76), (72, 1.86), (96, 1.97)];
    let rising = rising.map(|(size, loss)| sample::row(3e11, size, 0, loss));
    let open: Vec<Row> = rows
        .iter()
        .filter(|row| row.budget != Some(3e11))
        .cloned()
        .chain(rising)
        .collect();
    check(
        &open,
        &["3e11 FLOPs has no minimum: loss still falls towards small models"],
    );

    let one: Vec<Row> = rows
        .iter()
        .filter(|row| row.budget == Some(1e11))
        .cloned()
        .collect();
    check(
        &one,
        &[
            "no method has a law; 1 of 1 budgets have a minimum",
            "no law by isoflop_cubic, isoflop_parabola, isoflop_windowed: 1 of 1 budgets",
            "no law by parametric_huber, parametric_lad, parametric_mse: 5 distinct configurations (N, D), 6 are needed",
        ],
    );
}
