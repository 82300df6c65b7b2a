//! The library: a manifest in code, a search with and without training.

use flops_fit::{
    Manifest, ManifestBuilder, Search, find::NoAnswer, find_optimal, interrupt::Interrupt,
    report::runs::Status, sweep::Event,
};

/// 16 trials of Chinchilla's law.
fn design(folder: &std::path::Path) -> ManifestBuilder {
    ManifestBuilder::new("design")
        .folder(folder)
        .simulated(0.01, 1)
        .sizes((1..=200).map(|i| i * 5_000_000))
        .budgets([1e18, 3e18, 1e19])
        .set("analysis.draws", 100)
        .set("analysis.targets", [1e19, 1e20])
}

fn manifest(folder: &std::path::Path) -> Manifest {
    design(folder).build().expect("valid")
}

#[test]
fn from_a_manifest_in_code_to_an_optimum() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let manifest = manifest(folder.path());
    let outcome = find_optimal(&manifest).expect("found");
    let trials = outcome.plan().runs().count();
    assert!(trials >= 15, "{trials}");
    assert_eq!(outcome.tally().expect("trained").completed, trials);
    assert!(outcome.runs().iter().all(|run| run.loss.is_some()));

    let table = outcome.chinchilla_table().expect("laws");
    assert_eq!(
        table.iter().map(|one| one.c).collect::<Vec<_>>(),
        [1e19, 1e20]
    );
    // Within a factor of two of the law's optimum in closed form.
    let (a, b) = (0.34 * 406.4_f64, 0.28 * 410.7);
    let truth = |c: f64| (a / b).powf(1.0 / 0.62) * (c / 6.0_f64).powf(0.28 / 0.62);
    assert!(
        (table[1].n / truth(1e20)).ln().abs() < 0.7,
        "{:?}",
        table[1]
    );
    let further = outcome.predict(1e21).expect("laws");
    assert!(further.n > table[1].n && further.loss < table[1].loss);
    outcome.predict(-1.0).expect_err("no amount of compute");

    let drawn = outcome.plot().expect("drawn");
    assert!(drawn.len() > 3 && drawn.iter().all(|path| path.is_file()));
    assert!(outcome.to_string().contains("design (simulated)"));
    assert!(drawn[0].starts_with(folder.path()));
}

#[test]
fn a_plan_answers_what_it_can() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let manifest = manifest(folder.path());
    let outcome = Search::new(&manifest).plan_only().run().expect("planned");
    assert_eq!(outcome.chinchilla_table(), Err(NoAnswer::Planned));
    assert!(
        outcome
            .runs()
            .iter()
            .any(|run| run.status == Status::Pending)
    );
    assert!(outcome.runs().iter().all(|run| run.loss.is_none()));
    assert!(outcome.estimate().trials > 0 && outcome.tally().is_none());
    assert!(outcome.to_string().contains("to simulate: "));
}

#[test]
fn events_come_in_order_and_an_interrupt_stops() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let manifest = manifest(folder.path());
    let interrupt = Interrupt::default();
    let mut words = Vec::new();
    let outcome = Search::new(&manifest)
        .interrupt(&interrupt)
        .on_event(|event| {
            words.push(match event {
                Event::Planned { .. } => "planned",
                Event::Started(_) => "started",
                Event::Ended { .. } => {
                    interrupt.raise();
                    "ended"
                }
                Event::Noted(_) | Event::Progressed { .. } => "other",
            });
        })
        .run()
        .expect("stopped");
    assert_eq!(outcome.chinchilla_table(), Err(NoAnswer::Interrupted));
    drop(outcome);
    assert_eq!(words, ["planned", "started", "ended"]);

    // The next search keeps what there is.
    let outcome = find_optimal(&manifest).expect("found");
    assert_eq!(outcome.tally().expect("trained").kept, 1);
}

#[test]
fn what_can_not_be_planned_is_an_error() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let program = design(folder.path()).program(["false"], "n");
    let error = find_optimal(&program.build().expect("valid")).expect_err("no answer");
    let words = "trainer `false` ended with status 1 and left no answer.json";
    assert!(error.to_string().contains(words), "{error}");
}
