//! Event files read back: framing, checksums, messages, restarts.

use std::{fs, path::Path};

use flops_fit_trial::{Progress, ProgressWriter, Stage};
use prost::Message as _;

use super::{
    curves::Curves,
    event::{Event, What},
    file::masked,
    name,
};

/// The events of a file, every checksum checked.
fn events(bytes: &[u8]) -> Vec<Event> {
    let mut rest = bytes;
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<8>().expect("a length");
        let (sum, after) = after.split_first_chunk::<4>().expect("its checksum");
        assert_eq!(u32::from_le_bytes(*sum), masked(length));
        let (data, after) = after.split_at(u64::from_le_bytes(*length) as usize);
        let (sum, after) = after.split_first_chunk::<4>().expect("the data's checksum");
        assert_eq!(u32::from_le_bytes(*sum), masked(data));
        events.push(Event::decode(data).expect("a message"));
        rest = after;
    }
    events
}

fn files(folder: &Path) -> Vec<Vec<Event>> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("read").path()).collect();
    paths.sort();
    let read = |path| events(&fs::read(path).expect("read"));
    paths.into_iter().map(read).collect()
}

fn line(step: u64, loss: f64) -> Progress {
    Progress {
        at: 0.0,
        time: Some(1.8e9 + step as f64),
        stage: Stage::Train,
        step,
        steps: 9,
        units: 64 * step,
        loss: Some(loss),
        lr: 0.5,
        grad_norm: None,
        units_per_second: Some(1e4),
        flops_per_second: None,
        gemm_share: Some(0.25),
    }
}

/// An event in words.
fn told(event: &Event) -> String {
    let what = match event.what.as_ref().expect("something") {
        What::FileVersion(version) => return version.clone(),
        What::SessionLog(log) => format!("status {}", log.status),
        What::Summary(summary) => {
            let value = |value: &super::event::Value| {
                format!("{} {}", value.tag, value.simple_value.expect("a number"))
            };
            let values: Vec<String> = summary.value.iter().map(value).collect();
            values.join(", ")
        }
    };
    format!("{} at {}: {what}", event.step, event.wall_time - 1.8e9)
}

#[test]
fn the_checksum_is_the_published_one() {
    // The check value of CRC-32C is 0xe3069283; rotated right by 15 bits, plus 0xa282ead8.
    assert_eq!(masked(b"123456789"), 0xc78a_b0e5);
}

#[test]
fn progress_comes_out_as_scalars_and_a_continued_trial_voids_what_it_takes_again() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let progress = folder.path().join("progress.jsonl");
    let board = folder.path().join("board");
    let mut writer = ProgressWriter::create(&progress).expect("created");
    let mut curves = Curves::begin(&board, &progress).expect("begun");
    curves.follow().expect("followed");
    for (step, loss) in [(0, 4.0), (2, 3.0), (4, 2.5)] {
        writer.write(&line(step, loss)).expect("written");
        curves.follow().expect("followed");
    }
    let mut writer = ProgressWriter::append(&progress).expect("opened");
    writer.write(&line(3, 2.75)).expect("written");
    curves.follow().expect("followed");
    let scalars = |step: u64, loss: f64| {
        format!(
            "{step} at {step}: train/loss {loss}, train/lr 0.5, train/units {}, \
             speed/units_per_second 10000, speed/gemm_share 0.25",
            64 * step
        )
    };
    let restart = |step: u64| format!("{step} at {step}: status 1");
    let first = [
        "brain.Event:2".to_owned(),
        restart(0),
        scalars(0, 4.0),
        scalars(2, 3.0),
        scalars(4, 2.5),
        restart(3),
        scalars(3, 2.75),
    ];
    let told_of = |events: &[Event]| events.iter().map(told).collect::<Vec<_>>();
    assert_eq!(told_of(&files(&board)[0]), first);

    // The next attempt's file comes after it and begins with all there is.
    let mut again = Curves::begin(&board, &progress).expect("begun");
    again.follow().expect("followed");
    let both = files(&board);
    assert_eq!(both.len(), 2);
    assert_eq!(told_of(&both[1]), first);
}

#[test]
fn names_are_folders_and_distinct() {
    let id = |text: &str| serde_json::from_value(text.into()).expect("an id");
    assert_eq!(
        name("1e10 d_model 16 seed 0", &id("0123456789abcdef")),
        "1e10-d_model-16-seed-0-01234567"
    );
    assert_eq!(
        name("1e10 ../x 16 seed 0", &id("fedcba9876543210")),
        "1e10-..-x-16-seed-0-fedcba98"
    );
}
