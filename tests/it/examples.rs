//! The plugin crate that authors are told to copy.

use crate::{programs, workbench::Workbench};

#[test]
fn the_bigram_example_finds_its_laws() {
    programs::plugin("bigram");
    let bench = Workbench::new("bigram", "");
    let output = format!("output.dir={}", bench.path("outputs/bigram").display());
    let manifest = programs::example("bigram").display().to_string();
    // The largest budget is left out: it takes most of the time.
    let grid = "sweep.grid=[{ budget = 2e8, sizes = [1, 2, 3, 4] }, { budget = 3e8, sizes = [1, 2, 4, 8] }]";
    let ended = bench
        .run(&["run", &manifest, "--set", &output, "--set", grid])
        .expect(0);
    assert!(
        ended.out.contains("bigram: 8 trials, 8 completed"),
        "{}",
        ended.out
    );
    for trial in bench.trials("bigram").values() {
        let measured = trial.measured();
        // Bytes of source code: far better than a uniform guess, never sure.
        assert!((1.0..4.5).contains(&measured.loss), "{measured:?}");
        assert_eq!(measured.n as i64, 256 * trial.spec.recipe.size);
        assert!(measured.unique.is_some());
        assert!(trial.spec.recipe.dataset.config.get("path").is_none());
    }
}
