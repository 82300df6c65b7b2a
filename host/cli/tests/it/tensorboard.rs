//! Event files for `TensorBoard` beside a sweep.

use std::{collections::BTreeMap, fs, path::Path};

use crate::workbench::Workbench;

/// Each run's files, in order.
fn runs(folder: &Path) -> BTreeMap<String, Vec<Vec<u8>>> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("read").path()).collect();
        paths.sort();
        paths
    };
    let files = |run: &Path| entries(run).iter().map(fs::read).collect::<Result<_, _>>();
    let name = |run: &Path| run.file_name().expect("a name").to_string_lossy().into();
    let runs = entries(folder);
    let run = |run: &std::path::PathBuf| (name(run), files(run).expect("read"));
    runs.iter().map(run).collect()
}

fn holds(file: &[u8], word: &str) -> bool {
    file.windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[test]
fn every_trial_has_its_curves_live_or_afterwards() {
    let bench = Workbench::new();
    let folder = bench.path("outputs/demo/tensorboard");
    bench.run(&["train"]).expect(0);
    assert!(!folder.exists(), "nobody asked");

    // Afterwards, from what is there; nothing is trained.
    let set = ["--set", "output.tensorboard=true"];
    bench.run(&["train", set[0], set[1]]).expect(0);
    let after = runs(&folder);
    assert_eq!(after.len(), 15);
    let (name, files) = after.first_key_value().expect("one");
    assert!(name.starts_with("1e10-d_model-"), "{name}");
    assert_eq!(files.len(), 1);
    for tag in ["brain.Event:2", "train/loss", "held_out/loss"] {
        assert!(holds(&files[0], tag), "{tag}");
    }
    // And only once.
    bench.run(&["train", set[0], set[1]]).expect(0);
    assert_eq!(runs(&folder), after);

    // Live.
    let bench = Workbench::new();
    bench.run(&["train", set[0], set[1]]).expect(0);
    let live = runs(&bench.path("outputs/demo/tensorboard"));
    assert!(live.keys().eq(after.keys()));
    for file in live.values().flatten() {
        assert!(holds(file, "train/loss") && holds(file, "held_out/loss"));
    }
}

#[test]
fn a_file_that_broke_off_is_followed_by_a_whole_one() {
    let bench = Workbench::new();
    let folder = bench.path("outputs/demo/tensorboard");
    let train = || bench.run(&["train", "--set", "output.tensorboard=true"]);
    train().expect(0);
    let whole = runs(&folder);
    let (name, files) = whole.first_key_value().expect("one");
    // As a full disk leaves it.
    let run = fs::read_dir(folder.join(name)).expect("a folder");
    let file = run.last().expect("a file").expect("read").path();
    fs::write(&file, &files[0][..files[0].len() / 2]).expect("written");
    train().expect(0);
    let mended = runs(&folder);
    for (other, files) in &mended {
        let more = usize::from(other == name);
        assert_eq!(files.len(), 1 + more, "{other}");
        let last = files.last().expect("a file");
        assert!(holds(last, "train/loss") && holds(last, "held_out/loss"));
    }
    train().expect(0);
    assert_eq!(runs(&folder), mended, "and only once");
}

#[test]
fn what_can_not_be_written_is_said_and_stops_nothing() {
    let bench = Workbench::new();
    fs::create_dir_all(bench.path("outputs/demo")).expect("made");
    fs::write(bench.path("outputs/demo/tensorboard"), "in the way").expect("written");
    let ended = bench
        .run(&["train", "--set", "output.tensorboard=true"])
        .expect(0);
    assert_eq!(ended.err.matches("event files for TensorBoard").count(), 1);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
}
