//! Files in the official layout, every kind of damage to them, and downloads
//! from a server on the loopback interface.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use flops_fit_data::Digest;
use flops_fit_data::download::Content;
use flops_fit_data::loopback::{Answer, Nobody, Server, impatient};

use super::*;

/// Images in each file of the tests.
const RECORDS: usize = 20;

/// The records of file number `file`: labels in turn, each plane of one value.
fn records(file: usize, count: usize) -> Vec<u8> {
    let record = |index: usize| {
        let mut record = vec![(index % CLASSES) as u8];
        for plane in 0..CHANNELS {
            record.extend([(40 * file + 3 * index + plane) as u8; SIDE * SIDE]);
        }
        record
    };
    (0..count).flat_map(record).collect()
}

fn names() -> Vec<&'static str> {
    TRAIN.into_iter().chain([TEST]).collect()
}

/// The six files in `folder`.
fn write_to(folder: &Path, count: usize) {
    fs::create_dir_all(folder).unwrap();
    for (file, name) in names().into_iter().enumerate() {
        fs::write(folder.join(name), records(file, count)).unwrap();
    }
}

/// The archive, without the files named in `without`.
fn archive(without: &[&str]) -> Vec<u8> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    let mut append = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("{FOLDER}/{name}");
        archive.append_data(&mut header, path, bytes).unwrap();
    };
    append("batches.meta.txt", b"airplane\n");
    for (file, name) in names().into_iter().enumerate() {
        if !without.contains(&name) {
            append(name, &records(file, RECORDS));
        }
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn release(archive: &[u8]) -> Release {
    let size = archive.len() as u64;
    let sha256 = Digest::of(archive);
    Release {
        content: Content { size, sha256 },
        records: RECORDS,
    }
}

fn open_in(dir: &Path, release: &Release) -> Result<(Images, Images), DataError> {
    let source = Source {
        dir,
        download: false,
        base_url: None,
    };
    open(&source, release, &impatient())
}

fn said(error: DataError) -> String {
    flops_fit_plugin::Error::from(error).message().to_owned()
}

#[test]
fn files_of_the_official_layout_are_read() {
    let folder = tempfile::tempdir().unwrap();
    write_to(&folder.path().join(FOLDER), RECORDS);
    let release = release(&[]);
    let (train, held_out) = open_in(folder.path(), &release).unwrap();
    assert_eq!((train.count(), held_out.count()), (100, 20));
    assert_eq!((train.channels, train.size), (3, (32, 32)));
    // Image 27 is number 7 of the second file.
    assert_eq!(train.labels[27], 7);
    let image = &train.pixels[27 * PIXELS..][..PIXELS];
    let planes: Vec<u8> = image.chunks_exact(1024).map(|plane| plane[1023]).collect();
    assert_eq!(planes, [61, 62, 63]);
    // The folder of the files itself will do as well.
    let inside = open_in(&folder.path().join(FOLDER), &release).unwrap();
    assert_eq!(inside.1, held_out);
}

#[test]
fn the_official_files_have_their_published_size() {
    assert_eq!(OFFICIAL.records, 10_000);
    assert_eq!(OFFICIAL.records * RECORD, 30_730_000);
}

#[test]
fn damage_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let release = release(&[]);
    let check = |name: &str, bytes: &[u8], words: &str| {
        write_to(folder.path(), RECORDS);
        fs::write(folder.path().join(name), bytes).unwrap();
        let error = open_in(folder.path(), &release).unwrap_err();
        assert_eq!(error.key(), Some("dir"));
        let said = said(error);
        assert!(said.contains(words) && said.contains(name), "{said}");
    };
    let sound = records(3, RECORDS);
    let short = &sound[..sound.len() - 1];
    check("data_batch_4.bin", short, "has 61459 bytes, expected 61460");
    let long = [sound.clone(), vec![0]].concat();
    check("data_batch_4.bin", &long, "has more than 61460 bytes");
    check("test_batch.bin", b"", "has 0 bytes, expected 61460");
    let mut label = sound;
    label[12 * RECORD] = 10;
    let words = "label 10 of image 12 is no class; expected 0 to 9";
    check("data_batch_5.bin", &label, words);
}

#[test]
fn nothing_is_downloaded_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let error = open_in(folder.path(), &OFFICIAL).unwrap_err();
    assert_eq!(error.key(), Some("download"));
    let said = said(error);
    for words in ["data_batch_1.bin", "download = true", "(170 MB)"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_cut_download_is_resumed_checked_and_unpacked() {
    let archive = archive(&[]);
    let release = release(&archive);
    let answers = vec![Answer::CutAfter(1000), Answer::CutAfter(1), Answer::Range];
    let server = Server::start(archive, None, answers);
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let source = Source {
        dir: folder.path(),
        download: true,
        base_url: Some(&url),
    };
    let (train, held_out) = open(&source, &release, &impatient()).unwrap();
    assert_eq!(server.ranges(), ["bytes=0-", "bytes=1000-", "bytes=1001-"]);
    assert_eq!((train.count(), held_out.count()), (100, 20));
    assert_eq!(held_out.pixels[..1024], [200; 1024]);
    // All is at hand now: no server is asked again.
    open(&source, &release, &impatient()).unwrap();
    assert_eq!(server.ranges().len(), 3);
    // Without the files, the archive that is there is unpacked again.
    fs::remove_file(folder.path().join(FOLDER).join(TEST)).unwrap();
    open_in(folder.path(), &release).unwrap();
}

#[test]
fn a_download_of_other_content_is_refused() {
    let archive = archive(&[]);
    let mut other = archive.clone();
    other[500] ^= 1;
    let server = Server::start(other, None, vec![Answer::Range]);
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let source = Source {
        dir: folder.path(),
        download: true,
        base_url: Some(&url),
    };
    let error = open(&source, &release(&archive), &impatient()).unwrap_err();
    assert_eq!(error.key(), Some("base_url"));
    let said = said(error);
    assert!(said.contains("has sha256"), "{said}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "the lock alone"
    );
}

#[test]
fn an_archive_that_lies_there_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cifar-10-binary.tar.gz");
    let sound = archive(&[]);
    fs::write(&path, &sound[..sound.len() - 1]).unwrap();
    let error = said(open_in(folder.path(), &release(&sound)).unwrap_err());
    assert!(error.contains("has sha256"), "{error}");

    let lacking = archive(&["data_batch_2.bin"]);
    fs::write(&path, &lacking).unwrap();
    let error = said(open_in(folder.path(), &release(&lacking)).unwrap_err());
    assert!(error.contains("has no data_batch_2.bin"), "{error}");

    let longer = Release {
        records: RECORDS + 1,
        ..release(&sound)
    };
    fs::write(&path, &sound).unwrap();
    let error = said(open_in(folder.path(), &longer).unwrap_err());
    assert!(error.contains("expected 64533"), "{error}");
}

#[test]
fn being_offline_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::listens();
    let url = nobody.url();
    let source = Source {
        dir: folder.path(),
        download: true,
        base_url: Some(&url),
    };
    let error = open(&source, &OFFICIAL, &impatient()).unwrap_err();
    assert_eq!(error.key(), Some("base_url"));
    let said = said(error);
    assert!(said.contains("check the network"), "{said}");
    assert!(said.contains("dataset.config.dir"), "{said}");
}
