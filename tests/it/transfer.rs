//! `flops-fit check --transfer` on the reference model: outputs that keep their scale
//! under u-μP, and the warning that the standard parametrisation deserves.

use serde_json::Value;

use crate::{sweep::SWEEP, workbench::Workbench};

/// Two sizes, short trials.
const STUDY: [&str; 6] = ["check", "--transfer", "--sizes", "8,32", "--steps", "60"];

fn study(bench: &Workbench, further: &[&str], code: i32) -> Value {
    let arguments = [&STUDY[..], &["manifest.toml", "--format", "json"], further].concat();
    let ended = bench.run(&arguments).expect(code);
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
}

fn verdict<'a>(found: &'a Value, about: &str) -> &'a Value {
    let verdicts = found["verdicts"].as_array().expect("verdicts");
    let verdict = verdicts.iter().find(|verdict| verdict["about"] == about);
    verdict.unwrap_or_else(|| panic!("{found}"))
}

#[test]
fn a_study_trains_draws_and_says_what_it_means() {
    let bench = Workbench::new("transfer", SWEEP);
    let found = study(&bench, &[], 0);
    let curves = found["curves"].as_array().expect("curves");
    let sizes: Vec<_> = curves.iter().map(|curve| curve["size"].as_i64()).collect();
    assert_eq!(sizes, [Some(8), Some(32)]);
    for curve in curves {
        let rates = curve["rates"].as_array().expect("rates");
        assert!((5..=15).contains(&rates.len()), "{curve}");
        let best = curve["best"]["lr"].as_f64().expect("a best rate");
        assert!((0.1..10.0).contains(&best), "{curve}");
        assert!(curve["lost"].as_f64().is_some_and(|lost| lost > -0.01));
    }
    assert_eq!(verdict(&found, "coordinates")["status"], "pass", "{found}");
    let folder = bench.output("small").join("transfer");
    for name in ["learning_rate_transfer", "coordinate_check"] {
        for extension in ["svg", "png"] {
            let path = folder.join(format!("plots/{name}.{extension}"));
            assert!(path.is_file(), "{}", path.display());
        }
    }
    assert!(folder.join("transfer.json").is_file());

    // Again: the same figures, and nothing is trained.
    let arguments = [&STUDY[..], &["manifest.toml"]].concat();
    let again = bench.run(&arguments).expect(0);
    assert!(!again.err.contains("seed 0"), "{}", again.err);
    assert!(again.out.contains("lost at train.lr"), "{}", again.out);
}

#[test]
fn the_standard_parametrisation_is_warned_of() {
    let bench = Workbench::new("transfer-standard", SWEEP);
    let sets = [
        "--strict",
        "--set",
        "model.config.parametrization=standard",
        "--set",
        "train.lr=0.01",
    ];
    let found = study(&bench, &sets, 4);
    assert_eq!(verdict(&found, "coordinates")["status"], "warn", "{found}");
}

#[test]
fn what_makes_no_study_is_said() {
    let bench = Workbench::new("transfer-not", SWEEP);
    let check = |arguments: &[&str], code: i32, words: &str| {
        let all = [&["check"], arguments].concat();
        let ended = bench.run(&all).expect(code);
        assert!(ended.err.contains(words), "{}", ended.err);
    };
    let transfer = "--transfer";
    check(&["manifest.toml", "--steps", "60"], 2, "--transfer");
    check(&["flops_fit_gpt", transfer], 3, "is no manifest");
    let sizes = ["manifest.toml", transfer, "--sizes", "8,10"];
    check(&sizes, 2, "the model refuses d_model = 10");
    let one = ["manifest.toml", transfer, "--sizes", "8"];
    check(&one, 2, "compares two at least");
    let simulated = ["manifest.toml", transfer, "--set", "trainer=simulated"];
    check(&simulated, 3, "a simulation has no learning rate");
}
