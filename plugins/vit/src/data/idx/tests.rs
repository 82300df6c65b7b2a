//! Files that are whole, and every kind of damage to them.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn idx(dimensions: &[u32], bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0, 0, UNSIGNED_BYTE, dimensions.len() as u8];
    for dimension in dimensions {
        file.extend(dimension.to_be_bytes());
    }
    file.extend(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three training images of 2 × 4 pixels and two held-out ones.
fn whole() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    write(TRAIN.images, idx(&[3, 2, 4], 0..24));
    write(TRAIN.labels, idx(&[3], [2, 0, 1]));
    write(HELD_OUT.images, idx(&[2, 2, 4], 100..116));
    write(HELD_OUT.labels, idx(&[2], [1, 2]));
    folder
}

fn open_in(folder: &tempfile::TempDir) -> Result<(Images, Images, usize), DataError> {
    open(folder.path(), TRAIN, HELD_OUT)
}

/// What is said when `name` holds `bytes`.
#[track_caller]
fn check(name: &str, bytes: &[u8], words: &str) {
    let folder = whole();
    fs::write(folder.path().join(name), bytes).unwrap();
    let error = open_in(&folder).unwrap_err();
    assert_eq!(error.key(), Some("dir"));
    let said = flops_fit_plugin::Error::from(error);
    assert!(said.message().contains(words), "{said}");
}

#[test]
fn both_splits_are_read_compressed_or_not() {
    let folder = whole();
    let plain = open_in(&folder).unwrap();
    assert_eq!(plain.0.size, (2, 4));
    assert_eq!(plain.0.pixels, (0..24).collect::<Vec<u8>>());
    assert_eq!((plain.0.labels.clone(), plain.2), (vec![2, 0, 1], 3));
    assert_eq!(plain.1.labels, [1, 2]);
    for name in [TRAIN.images, HELD_OUT.labels] {
        let path = folder.path().join(name);
        let bytes = gzip(&fs::read(&path).unwrap());
        fs::write(folder.path().join(format!("{name}.gz")), bytes).unwrap();
        fs::remove_file(path).unwrap();
    }
    assert_eq!(open_in(&folder).unwrap(), plain);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = whole();
    fs::remove_file(folder.path().join(HELD_OUT.images)).unwrap();
    let error = open_in(&folder).unwrap_err().to_string();
    let words = "has neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz";
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_wrong_length_is_told_with_the_right_one() {
    let images = idx(&[3, 2, 4], 0..24);
    check(TRAIN.images, &images[..39], "has 39 bytes, expected 40");
    check(TRAIN.images, &images[..10], "has 10 bytes, expected 16");
    let longer = [images.clone(), vec![1; 9]].concat();
    check(TRAIN.images, &longer, "has more than 40 bytes, expected 40");
    let zipped = gzip(&images[..30]);
    check(TRAIN.images, &zipped, "has 30 bytes, expected 40");
    let endless = idx(&[u32::MAX, u32::MAX, u32::MAX], []);
    check(TRAIN.images, &endless, "more than can be read");
}

#[test]
fn another_format_is_told_by_its_first_bytes() {
    check(
        TRAIN.images,
        b"",
        "begins with [], expected [00, 00, 08, 03]",
    );
    check(TRAIN.images, b"GIF89a", "begins with [47, 49, 46, 38]");
    let labels = idx(&[3], [2, 0, 1]);
    check(TRAIN.images, &labels, "begins with [00, 00, 08, 01]");
    check(TRAIN.labels, b"\0\0\x0d\x01", "expected [00, 00, 08, 01]");
    check(TRAIN.images, &idx(&[0, 2, 4], []), "holds 0 images");
}

#[test]
fn damage_to_a_gzip_stream_is_found() {
    let images = idx(&[3, 2, 4], 0..24);
    let mut zipped = gzip(&images);
    check(TRAIN.images, &zipped[..zipped.len() - 9], "can't be read");
    // Its checksum is in the last eight bytes.
    let place = zipped.len() - 6;
    zipped[place] ^= 1;
    check(TRAIN.images, &zipped, "can't be read");
}

#[test]
fn labels_and_images_must_fit_together() {
    let labels = idx(&[4], [0, 1, 2, 2]);
    check(TRAIN.labels, &labels, "holds 4 labels");
    let labels = idx(&[2], [1, 3]);
    let words = "label 3 of image 1 is no class; expected 0 to 2";
    check(HELD_OUT.labels, &labels, words);
    let images = idx(&[2, 4, 2], 0..16);
    check(HELD_OUT.images, &images, "images of 4 × 2 pixels");
}
