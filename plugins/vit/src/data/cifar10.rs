//! CIFAR-10 (Krizhevsky 2009) in its official binary files: 60 000 colour images
//! of 32 × 32 pixels in ten classes, the sixth file held out.

mod release;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flops_fit_data::Fetcher;

use super::{DataError, Images, Levels};

pub use release::{OFFICIAL, Release, Source};

/// The folder inside the archive.
pub const FOLDER: &str = "cifar-10-batches-bin";

/// The files to train on.
pub const TRAIN: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
/// The held-out file.
pub const TEST: &str = "test_batch.bin";

/// Classes: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.
pub const CLASSES: usize = 10;

const CHANNELS: usize = 3;
const SIDE: usize = 32;

/// Red, green and blue planes of an image.
const PIXELS: usize = CHANNELS * SIDE * SIDE;

/// A label byte and the pixels.
const RECORD: usize = 1 + PIXELS;

/// Mean and deviation of red, green and blue over the training images.
const MOMENTS: [(f64, f64); CHANNELS] = [(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)];

/// What a model sees of a pixel.
pub fn levels() -> Levels {
    Levels::new(&MOMENTS)
}

/// Finds the files, or fetches them if that was asked for, and reads them:
/// training and held-out images.
pub fn open(
    source: &Source<'_>,
    release: &Release,
    fetcher: &Fetcher,
) -> Result<(Images, Images), DataError> {
    let folder = release.find_or_fetch(source, fetcher)?;
    let train: Vec<PathBuf> = TRAIN.iter().map(|name| folder.join(name)).collect();
    Ok((
        read(&train, release.records)?,
        read(&[folder.join(TEST)], release.records)?,
    ))
}

/// The images of some files, of `records` each.
fn read(paths: &[PathBuf], records: usize) -> Result<Images, DataError> {
    let mut images = Images {
        channels: CHANNELS,
        size: (SIDE, SIDE),
        pixels: Vec::with_capacity(paths.len() * records * PIXELS),
        labels: Vec::with_capacity(paths.len() * records),
    };
    for path in paths {
        append(path, records, &mut images)?;
    }
    Ok(images)
}

fn append(path: &Path, records: usize, images: &mut Images) -> Result<(), DataError> {
    let expected = (records * RECORD) as u64;
    let mut bytes = Vec::with_capacity(records * RECORD + 1);
    // One byte more than there should be tells whether there is more.
    File::open(path)
        .and_then(|file| file.take(expected + 1).read_to_end(&mut bytes))
        .map_err(DataError::unreadable(path))?;
    let found = bytes.len() as u64;
    if found != expected {
        return Err(DataError::Length {
            path: path.to_path_buf(),
            found,
            expected,
            why: format!("{records} images of one label and {PIXELS} pixels"),
        });
    }
    for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
        let (label, pixels) = (record[0], &record[1..]);
        if usize::from(label) >= CLASSES {
            return Err(DataError::Label {
                path: path.to_path_buf(),
                index,
                found: label,
                classes: CLASSES,
            });
        }
        images.labels.push(label);
        images.pixels.extend_from_slice(pixels);
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
