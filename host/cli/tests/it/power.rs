//! Power that goes between any two writes. Whatever part of a sweep's files the disk
//! has then, in the order in which they were written, and however torn the last of
//! them is: the next run ends with the results of a sweep that was left in peace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::workbench::Workbench;

/// Six trials that take no time; their results are the same to the last byte.
const SWEEP: &str = r#"
name = "power"
trainer = { kind = "simulated", law = "chinchilla", noise = 0.01, seed = 3 }

[model]
size_param = "n"

[sweep]
grid = [
    { budget = 1e18, sizes = [50_000_000, 100_000_000, 200_000_000] },
    { budget = 1e19, sizes = [100_000_000, 200_000_000, 400_000_000] },
]

[run]
jobs = 1
"#;

/// One writing of a file: its place in the output folder, and what was written.
type Write = (PathBuf, Vec<u8>);

/// What tells one writing of a file from another.
type Stamps = BTreeSet<(PathBuf, u64, i64, i64)>;

/// The files below `folder` that were written since they had the stamps `seen`, in the
/// order of their times; `seen` then has theirs.
fn written(folder: &Path, seen: &mut Stamps) -> Vec<Write> {
    let mut writes = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let place = path.strip_prefix(folder).expect("below it").to_owned();
            let meta = fs::metadata(&path).expect("it is there");
            let time = (meta.mtime(), meta.mtime_nsec());
            let new = seen.insert((place.clone(), meta.ino(), time.0, time.1));
            if new && place != Path::new(".lock") {
                writes.insert((time, place), fs::read(&path).expect("read"));
            }
        }
    }
    let writes = writes.into_iter();
    writes.map(|((_, place), bytes)| (place, bytes)).collect()
}

/// Every result, by its place.
fn results(output: &Path) -> BTreeMap<PathBuf, String> {
    let trials = fs::read_dir(output.join("trials")).expect("listed");
    let result = |path: PathBuf| Some((path.clone(), fs::read_to_string(path).ok()?));
    trials
        .filter_map(|entry| result(entry.expect("listed").path().join("result.json")))
        .collect()
}

fn put(output: &Path, (place, bytes): &Write) {
    let path = output.join(place);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

#[test]
fn after_any_write_whole_or_torn_the_next_run_goes_on() {
    let bench = Workbench::with(SWEEP);
    let output = bench.path("outputs/power-simulated");
    let mut seen = Stamps::new();
    let mut writes = Vec::new();
    for command in ["plan", "train"] {
        bench.run(&[command]).expect(0);
        writes.extend(written(&output, &mut seen));
    }
    let peace = results(&output);
    assert_eq!(peace.len(), 6);
    // The plan: manifest, plan, six trials. Then three files of each of these.
    assert!(writes.len() >= 2 + 6 + 2 * 6, "{} writes", writes.len());

    for count in 1..=writes.len() {
        let (last, before) = writes[..count].split_last().expect("one at least");
        for length in [0, last.1.len() / 2, last.1.len()] {
            fs::remove_dir_all(&output).expect("emptied");
            fs::create_dir(&output).expect("made");
            for write in before {
                put(&output, write);
            }
            let torn = (last.0.clone(), last.1[..length].to_owned());
            put(&output, &torn);
            // The next file had got no further than its first name.
            let half = output.join(&last.0).with_file_name(".part-next");
            fs::write(&half, "{\"format\": 1").expect("written");

            let what = format!(
                "after {count} writes, {} of {} bytes of {}",
                length,
                last.1.len(),
                last.0.display()
            );
            let ended = bench.run(&["train"]);
            assert_eq!(ended.code, Some(0), "{what}: {}", ended.err);
            assert_eq!(results(&output), peace, "{what}");
            assert!(!half.exists(), "{what}");
        }
    }
}
