use super::*;
use crate::{FORMAT, checkpoint::Position};

fn trial(digit: u8) -> TrialId {
    let id = serde_json::json!(format!("{digit:016x}"));
    serde_json::from_value(id).expect("an id")
}

fn build() -> Build {
    Build {
        worker: "1".to_owned(),
        libtorch: "2".to_owned(),
        model: "aa".to_owned(),
        dataset: "bb".to_owned(),
        loss: "bb".to_owned(),
    }
}

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint {
        format: FORMAT,
        trial: trial(1),
        build: build(),
        arrangement: Arrangement {
            devices: vec!["cpu".to_owned()],
            threads: 1,
            micro_batch: None,
        },
        position: Position {
            step,
            draws: step * 8,
            units: step * 512,
            paid: 0,
            optimizer_steps: step,
            first_loss: Some(4.0 + 1e-15),
            recent_losses: vec![3.1, 0.1 + 0.2],
            tail_sum: 1.0 / 3.0,
            tail_count: 1,
            seconds: 0.5,
        },
        resumed: Vec::new(),
        tensors: Content::default(),
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    dir: CheckpointDir,
}

fn bench(steps: impl IntoIterator<Item = u64>) -> Bench {
    let folder = tempfile::tempdir().expect("temporary folder");
    let dir = CheckpointDir::latest_two(folder.path().join("checkpoint"));
    for step in steps {
        save(&dir, step).expect("saved");
    }
    Bench {
        _folder: folder,
        dir,
    }
}

fn save(dir: &CheckpointDir, step: u64) -> Result<(), DocumentError> {
    dir.save(checkpoint(step), |path| {
        fs::write(path, format!("tensors of step {step}"))
    })
}

fn files(dir: &CheckpointDir) -> Vec<String> {
    let all = fs::read_dir(dir.path()).expect("listed");
    let name = |entry: io::Result<fs::DirEntry>| {
        let name = entry.expect("listed").file_name();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = all.map(name).collect();
    names.sort();
    names
}

#[track_caller]
fn latest(dir: &CheckpointDir, trial: &TrialId, build: &Build) -> (Option<u64>, Vec<Refusal>) {
    let found = dir.latest(trial, build).expect("read");
    let refused = found.refused.into_iter().map(|aside| aside.refusal);
    let step = found.usable.map(|(found, tensors)| {
        let step = found.position.step;
        assert_eq!(found.position, checkpoint(step).position, "every bit");
        let text = fs::read_to_string(tensors).expect("read");
        assert_eq!(text, format!("tensors of step {step}"));
        step
    });
    (step, refused.collect())
}

#[test]
fn the_two_latest_are_kept_and_the_latest_serves() {
    let Bench { dir, _folder } = bench([10, 200, 3000]);
    let kept = ["000000000200", "000000003000"];
    let expected: Vec<_> = kept
        .iter()
        .flat_map(|step| [format!("{step}.json"), format!("{step}.safetensors")])
        .collect();
    assert_eq!(files(&dir), expected);
    assert_eq!(latest(&dir, &trial(1), &build()), (Some(3000), Vec::new()));
    // Of one whose removal was cut short, what is left goes as well.
    let orphan = dir.path().join("000000000010.safetensors");
    fs::write(&orphan, "left").expect("written");
    dir.retain(|step| step == 3000);
    assert_eq!(files(&dir), expected[2..]);
    dir.remove_until(u64::MAX);
    assert!(!dir.path().exists());
    assert_eq!(latest(&dir, &trial(1), &build()), (None, Vec::new()));
}

#[test]
fn any_torn_file_is_known_and_the_older_one_serves() {
    for (file, length) in [
        ("000000000020.json", 0),
        ("000000000020.json", 100),
        ("000000000020.safetensors", 0),
        ("000000000020.safetensors", 17),
    ] {
        let Bench { dir, _folder } = bench([10, 20]);
        let path = dir.path().join(file);
        let torn = fs::OpenOptions::new().write(true).open(&path);
        torn.and_then(|file| file.set_len(length)).expect("cut");
        let (step, refused) = latest(&dir, &trial(1), &build());
        assert_eq!(step, Some(10), "{file} cut to {length}");
        assert!(
            matches!(refused[..], [Refusal::Torn { step: 20, .. }]),
            "{refused:?}"
        );
        assert!(!path.exists() && dir.path().join(format!("{file}.aside-1")).exists());
    }
}

#[test]
fn one_flipped_bit_and_missing_tensors_are_noticed() {
    let Bench { dir, _folder } = bench([10, 20]);
    let path = dir.path().join("000000000020.safetensors");
    let mut bytes = fs::read(&path).expect("read");
    bytes[3] ^= 1;
    fs::write(&path, bytes).expect("written");
    fs::remove_file(dir.path().join("000000000010.safetensors")).expect("removed");
    let (step, refused) = latest(&dir, &trial(1), &build());
    assert_eq!(step, None);
    assert!(
        matches!(
            refused[..],
            [
                Refusal::Torn { step: 20, .. },
                Refusal::Torn { step: 10, .. }
            ]
        ),
        "{refused:?}"
    );
}

#[test]
fn another_build_and_another_trial_are_refused_and_set_aside() {
    type Change = fn(&mut Build);
    let changes: [(&str, Change); 5] = [
        ("worker", |build| build.worker.push('x')),
        ("libtorch", |build| build.libtorch.push('x')),
        ("model library", |build| build.model.push('x')),
        ("dataset library", |build| build.dataset.push('x')),
        ("loss library", |build| build.loss.push('x')),
    ];
    for (expected, change) in changes {
        let Bench { dir, _folder } = bench([10, 20]);
        let mut other = build();
        change(&mut other);
        let (step, refused) = latest(&dir, &trial(1), &other);
        assert_eq!(step, None);
        let parts = refused.iter().map(|refusal| match refusal {
            Refusal::OtherBuild { part, .. } => part.as_str(),
            _ => "",
        });
        assert_eq!(parts.collect::<Vec<_>>(), [expected; 2]);
        assert!(dir.is_empty());
        // A new start is not confused by what was set aside, and leaves it there.
        save(&dir, 20).expect("saved");
        assert_eq!(latest(&dir, &trial(1), &other).1.len(), 1);
        assert_eq!(
            files(&dir)
                .iter()
                .filter(|name| name.contains("aside-2"))
                .count(),
            4
        );
    }
    let Bench { dir, _folder } = bench([10]);
    let (step, refused) = latest(&dir, &trial(2), &build());
    assert_eq!(step, None);
    let found = trial(1);
    assert_eq!(refused, [Refusal::OtherTrial { step: 10, found }]);
}

#[test]
fn what_could_not_be_written_leaves_the_older_ones() {
    let Bench { dir, _folder } = bench([10, 20]);
    let before = files(&dir);
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    let failed = dir.save(checkpoint(30), |path| {
        fs::write(path, "half")?;
        Err(full())
    });
    assert!(failed.is_err());
    assert_eq!(files(&dir), before);
}

#[test]
fn the_latest_arrangement_is_told_of_a_trial_itself() {
    let bench = bench([]);
    assert_eq!(bench.dir.arrangement(&trial(1)), None);
    save(&bench.dir, 3).expect("saved");
    let pair = Arrangement {
        devices: vec!["cuda:0".to_owned(), "cuda:1".to_owned()],
        threads: 1,
        micro_batch: Some(2),
    };
    let later = Checkpoint {
        arrangement: pair.clone(),
        ..checkpoint(5)
    };
    let saved = bench.dir.save(later, |path| fs::write(path, "tensors"));
    saved.expect("saved");
    assert_eq!(bench.dir.arrangement(&trial(1)), Some(pair));
    assert_eq!(bench.dir.arrangement(&trial(2)), None);
    fs::write(bench.dir.file(5, INDEX), "torn").expect("written");
    assert_eq!(bench.dir.arrangement(&trial(1)), None);
}
