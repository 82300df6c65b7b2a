use serde_json::json;

use super::*;
use crate::{Progress, TrialDir};

fn schema(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../../docs/trainer.schema.json"))
        .expect("the schema is JSON");
    all["$defs"][name].clone()
}

/// The examples of a definition are accepted, and refused without any of the keys
/// that the schema says are required, or with a key that it does not have.
fn check(name: &str, strict: bool, parse: impl Fn(&[u8]) -> Result<(), String>) {
    let schema = schema(name);
    let accepts = |value: &Value| parse(value.to_string().as_bytes());
    for example in schema["examples"].as_array().expect("examples") {
        accepts(example).expect(name);
        for key in schema["required"].as_array().expect("a list") {
            let key = key.as_str().expect("a name");
            let mut without = example.clone();
            without.as_object_mut().expect("an object").remove(key);
            let error = accepts(&without).expect_err(key);
            assert!(error.contains(key), "{key}: {error}");
        }
        for key in example.as_object().expect("an object").keys() {
            let known = schema["properties"].get(key);
            assert!(known.is_some(), "{name}.{key} is not in the schema");
        }
        let mut more = example.clone();
        more["los"] = json!(1.0);
        assert_eq!(accepts(&more).is_err(), strict, "{name} with a foreign key");
    }
}

#[test]
fn the_schema_says_what_is_read() {
    let plain = |text: &[u8]| ProgramResult::parse(text).map(drop);
    for name in ["completed", "diverged", "failed"] {
        check(name, true, plain);
    }
    check("answer", true, |text| ProgramAnswer::parse(text).map(drop));
    check("question", false, |text| {
        read::<ProgramQuestion>(text).map(drop)
    });
    check("progress", false, |text| read::<Progress>(text).map(drop));
}

fn question() -> ProgramQuestion {
    serde_json::from_value(schema("question")["examples"][0].clone()).expect("a question")
}

fn answer() -> Value {
    schema("answer")["examples"][0].clone()
}

#[test]
fn an_answer_is_a_description() {
    let answer = ProgramAnswer::parse(answer().to_string().as_bytes()).expect("an answer");
    let description = answer.describe(&question()).expect("a description");
    assert_eq!(description.model.plugin, "my-gpt");
    assert_eq!(description.dataset.config, json!({ "path": "novels.txt" }));
    assert_eq!(description.data.unique_units, Some(4_000_000));
    let SizeOutcome::Accepted {
        n,
        flops_per_unit,
        config,
        ..
    } = &description.sizes[0].outcome
    else {
        panic!("{description:?}");
    };
    assert_eq!((*n, *flops_per_unit), (2192, 19296.0));
    assert_eq!(*config, json!({ "n_layers": 2, "d_model": 8 }));
    let refused = &description.sizes[1].outcome;
    assert!(matches!(refused, SizeOutcome::Refused { reason, .. } if reason.contains("head_size")));
}

#[test]
fn an_answer_is_held_to_the_question() {
    let check = |path: &str, value: Value, words: &str| {
        let mut answer = answer();
        *answer.pointer_mut(path).expect(path) = value;
        let parsed = ProgramAnswer::parse(answer.to_string().as_bytes());
        let error = parsed.and_then(|answer| answer.describe(&question()));
        let error = error.expect_err(words);
        assert!(error.contains(words), "{error}");
    };
    check("/name", json!(""), "name: found \"\"");
    check("/sizes/0/size", json!(9), "size 9 was not asked about");
    check("/sizes/0/size", json!(12), "size 12 stands there twice");
    check("/sizes", json!([]), "no entry for size 8");
    check("/sizes/0/n", json!(0), "n is at least 1");
    check("/sizes/0/n", json!(null), "expected either n or");
    check("/sizes/0/flops_per_unit", json!(-1.0), "a number above 0");
    check("/dataset/units_per_example", json!(0), "at least 1");
    // 6N is C's convention for tokens alone.
    let mut images = answer();
    images["dataset"]["unit"] = json!("images");
    images["sizes"][0]["flops_per_unit"] = Value::Null;
    let parsed = ProgramAnswer::parse(images.to_string().as_bytes()).expect("an answer");
    let error = parsed.describe(&question()).expect_err("no FLOPs");
    assert!(error.contains("D counts images"), "{error}");
    let mut tokens = answer();
    tokens["sizes"][0]["flops_per_unit"] = Value::Null;
    let parsed = ProgramAnswer::parse(tokens.to_string().as_bytes()).expect("an answer");
    let description = parsed.describe(&question()).expect("a description");
    assert!(matches!(
        description.sizes[0].outcome,
        SizeOutcome::Accepted { flops_per_unit, flops_from_model: false, .. }
            if (flops_per_unit - 6.0 * 2192.0).abs() < 1e-9
    ));
}

fn spec() -> TrialSpec {
    let part = json!({ "plugin": "p", "version": "1", "kind": "k", "config": {} });
    let load = json!({ "library": "train.py", "sha256": "", "config": {} });
    let spec = json!({
        "format": 1,
        "id": "0123456789abcdef",
        "recipe": {
            "model": part, "dataset": part, "loss": part,
            "fingerprint": "f", "size": 8, "budget": 1e9, "steps": 10, "units": 1000, "seed": 0,
            "train": {
                "lr": 1.0, "schedule": { "kind": "constant" }, "warmup_steps": 1,
                "batch_examples": 12, "precision": "fp32", "eval_units": 10,
                "optimizer": { "beta1": 0.9, "beta2": 0.9, "eps": 1e-8, "weight_decay": 0.0 },
            },
        },
        "run": {
            "model": load, "dataset": load, "loss": load, "base_dir": "/", "declared_n": 2192,
            "counts": {}, "flops_per_unit": 19296.0, "units_per_example": 64, "devices": ["cpu"],
            "threads": 1, "micro_batch": null, "attempt": 0, "program": ["python", "train.py"],
        },
    });
    serde_json::from_value(spec).expect("a specification")
}

fn conclude(name: &str, change: impl Fn(&mut Value)) -> Result<Outcome, String> {
    let mut example = schema(name)["examples"][0].clone();
    change(&mut example);
    let result = ProgramResult::parse(example.to_string().as_bytes())?;
    result.conclude(&spec(), Some(5000), "python train.py")
}

#[test]
fn a_result_is_completed_by_what_was_planned() {
    let outcome = conclude("completed", |_| {}).expect("an outcome");
    let Outcome::Completed { measured } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((measured.n, measured.d), (2192.0, 687_104.0));
    assert!((measured.c / (19296.0 * 687_104.0) - 1.0).abs() < 1e-12);
    assert_eq!(measured.unique, Some(5000.0));
    assert!(matches!(
        conclude("failed", |_| {}).expect("an outcome"),
        Outcome::Failed { failure } if failure.shrinks_with_the_batch()
    ));
    let check = |change: &dyn Fn(&mut Value), words: &str| {
        let error = conclude("completed", change).expect_err(words);
        assert!(error.contains(words), "{error}");
    };
    check(&|v| v["id"] = json!("feed"), "its id is feed");
    check(&|v| v["n"] = json!(7), "n is 7, but 2192 was described");
    check(&|v| v["units"] = json!(0), "at least 1");
    check(&|v| v["loss"] = json!("low"), "invalid type");
    check(&|v| v["loss_se"] = json!(-1.0), "expected 0 or more");
    let nan = br#"{"id": "0", "status": "completed", "loss": NaN}"#;
    let error = ProgramResult::parse(nan).expect_err("no JSON");
    assert!(error.contains("JSON has no NaN"), "{error}");
}

#[test]
fn a_result_without_a_checksum_is_told_from_one_with() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let dir = TrialDir::new(folder.path());
    assert_eq!(dir.unsealed_result().expect("read"), None);
    std::fs::write(dir.result_path(), b"{\"id\"").expect("written");
    assert!(dir.unsealed_result().expect("read").is_some());
    dir.write_result(&crate::TrialResult {
        format: crate::FORMAT,
        id: spec().id,
        outcome: conclude("completed", |_| {}).expect("an outcome"),
        environment: crate::Environment::default(),
        timing: Timing::default(),
    })
    .expect("written");
    assert_eq!(dir.unsealed_result().expect("read"), None);
    assert!(dir.result().expect("as it was written").is_some());
}
