//! A worker that can't do its work here: no plugin is blamed for it, nothing more is
//! started, and what had begun well ends well.

use std::fs;

use crate::workbench::{MANIFEST, Workbench};

const NOT_LOADED: &str = "error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: No such file or directory; run `flops-fit setup` in the folder that it was built in to link libtorch again (`flops-fit doctor` says what is missing)";

const NO_ROOM: &str = "error: the worker ended for want of a file: flops-fit-worker: reserving .part-result: No space left on device (os error 28)";

#[test]
fn it_fails_before_it_can_describe_anything() {
    for (how, code, words) in [("not loaded", 7, NOT_LOADED), ("cannot write", 1, NO_ROOM)] {
        let config = format!("describe = \"{how}\"");
        let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", &config));
        for command in ["plan", "run"] {
            let ended = bench.run(&[command]).expect(code);
            assert!(ended.err.contains(words), "{}", ended.err);
            assert!(!ended.err.contains("plugin"), "{}", ended.err);
        }
        assert!(!bench.path("outputs/demo/plan.json").exists());
    }
}

#[test]
fn it_fails_half_way_through_a_sweep() {
    for (how, code, words) in [("not loaded", 7, NOT_LOADED), ("cannot write", 1, NO_ROOM)] {
        // The largest size is the sixth to be trained, and the others take their time.
        let faults = format!("seconds = 1\nfaults = {{ 48 = \"{how}\" }}");
        let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", &faults));
        let ended = bench.run(&["train", "--set", "run.retries=3"]).expect(code);
        assert!(ended.err.contains(words), "{}", ended.err);
        let results = bench.results();
        assert!(results.len() < 14, "it went on: {} results", results.len());
        for (_, text) in &results {
            assert!(text.contains("\"completed\""), "{text}");
        }
        let kept = results.len();

        let mended = fs::read_to_string(bench.path("manifest.toml")).expect("read");
        fs::write(bench.path("manifest.toml"), mended.replace(how, "none")).expect("written");
        let again = bench.run(&["train"]).expect(0);
        let counts = match kept {
            0 => "15 completed".to_owned(),
            kept => format!("{kept} had results already, {} completed", 15 - kept),
        };
        assert!(again.out.contains(&counts), "{}", again.out);
    }
}

#[test]
fn when_files_can_be_opened_no_more_it_is_started_later() {
    // Enough for three workers, of which eight are wanted.
    let manifest = MANIFEST
        .replace("n_layer = 2", "seconds = 0.3")
        .replace("jobs = 4", "jobs = 8");
    let bench = Workbench::with(&manifest);
    let run = |most: u32| {
        let line = format!("ulimit -n {most}");
        let output = bench.shell(&line, &["train"]).output();
        bench.ended(&output.expect("started"))
    };
    let ended = run(20).expect(0);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
    assert_eq!(bench.trained().len(), 15);
}
