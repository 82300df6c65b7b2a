//! What a person sees: tables, sentences, figures.

use std::collections::BTreeSet;
use std::fs;

use super::published::{DOCUMENTED, bench, documented};

#[test]
fn a_person_sees_the_table_the_choice_and_the_warnings() {
    let bench = bench();
    let arguments = &DOCUMENTED[..DOCUMENTED.len() - 1];
    let text = bench.run(arguments).expect(0).out;
    let sentences = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "runs: 40 runs, 5 of 5 budgets with a minimum",
        "Compute-optimal training",
        "↑ outside the budgets that were trained",
        "the 5 highest losses, which were to be dropped: line 9, line 17, line 25, line 33, line 41",
    ] {
        assert!(sentences.contains(part), "{part}\n{text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(110), "{widest:?}\n{text}");
    let far: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--target", "1e25"])
        .collect();
    let text = bench.run(&far).expect(0).out;
    assert!(text.contains("1e25 ‼"), "{text}");
    assert!(
        text.contains("‼ more than two decades outside them"),
        "{text}"
    );
}

#[test]
fn every_figure_is_on_the_page_with_a_sentence() {
    let bench = bench();
    documented(&bench, &["--out", "fitted"]);
    let plots: BTreeSet<String> = fs::read_dir(bench.path("fitted/plots"))
        .expect("listed")
        .map(|entry| {
            entry
                .expect("read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let names = [
        "bootstrap",
        "holdout",
        "isoflop",
        "isoflop_fits",
        "laws",
        "residuals",
        "surface",
        "tokens_per_parameter",
    ];
    let expected = names
        .iter()
        .flat_map(|name| ["png", "svg"].map(|e| format!("{name}.{e}")));
    assert_eq!(plots, expected.collect());
    let page = fs::read_to_string(bench.path("fitted/report.html")).expect("read");
    assert_eq!(page.matches("<figure>").count(), names.len());
    assert_eq!(page.matches("<figcaption>").count(), names.len());
    let docs = include_str!("../../../../../docs/analysis.md");
    for name in names {
        assert!(docs.contains(&format!("| `{name}` |")), "{name}");
    }
}
