//! IDX files, the format of the MNIST family: two zero bytes, a type, the number
//! of dimensions, each dimension as four bytes (largest first), then the
//! numbers. Compressed with gzip or not.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::{DataError, Images};

/// The files of a dataset, as MNIST named them.
pub const TRAIN: Files<'static> = Files {
    images: "train-images-idx3-ubyte",
    labels: "train-labels-idx1-ubyte",
};
/// Those of its held-out split.
pub const HELD_OUT: Files<'static> = Files {
    images: "t10k-images-idx3-ubyte",
    labels: "t10k-labels-idx1-ubyte",
};

/// The names of one split's files, without `.gz`.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// Images.
    pub images: &'a str,
    /// Their labels.
    pub labels: &'a str,
}

/// The code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 8;

/// The first two bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Largest file, decompressed: 4 GiB.
const LARGEST: u64 = 1 << 32;

/// Both splits in a folder, and how many classes there are: one more than the
/// largest training label.
pub fn open(
    dir: &Path,
    train: Files<'_>,
    held_out: Files<'_>,
) -> Result<(Images, Images, usize), DataError> {
    let labels = |files: Files<'_>| Labels::read(&find(dir, files.labels)?);
    let (train_labels, held_out_labels) = (labels(train)?, labels(held_out)?);
    let largest = train_labels.bytes.iter().copied().max().unwrap_or(0);
    let classes = usize::from(largest) + 1;
    held_out_labels.check(classes)?;
    let (train_path, held_out_path) = (find(dir, train.images)?, find(dir, held_out.images)?);
    let train = read_images(&train_path, train_labels)?;
    let held_out = read_images(&held_out_path, held_out_labels)?;
    if train.size != held_out.size {
        let of =
            |images: &Images| format!("images of {} × {} pixels", images.size.0, images.size.1);
        return Err(DataError::Disagree {
            path: held_out_path,
            found: of(&held_out),
            with: train_path,
            expected: of(&train),
        });
    }
    Ok((train, held_out, classes))
}

/// The file, or the same with `.gz`.
fn find(dir: &Path, name: &str) -> Result<PathBuf, DataError> {
    let plain = dir.join(name);
    let compressed = dir.join(format!("{name}.gz"));
    [plain, compressed]
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| DataError::Missing {
            dir: dir.to_path_buf(),
            name: name.to_owned(),
        })
}

/// Labels and where they were found.
struct Labels {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Labels {
    fn read(path: &Path) -> Result<Self, DataError> {
        let ([_], bytes) = read(path, "labels")?;
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
        })
    }

    fn check(&self, classes: usize) -> Result<(), DataError> {
        let wrong = |&(_, label): &(usize, u8)| usize::from(label) >= classes;
        match self.bytes.iter().copied().enumerate().find(wrong) {
            None => Ok(()),
            Some((index, found)) => Err(DataError::Label {
                path: self.path.clone(),
                index,
                found,
                classes,
            }),
        }
    }
}

fn read_images(path: &Path, labels: Labels) -> Result<Images, DataError> {
    let ([count, height, width], pixels) = read(path, "images")?;
    if pixels.is_empty() {
        return Err(DataError::Empty {
            path: path.to_path_buf(),
            count,
            height,
            width,
        });
    }
    if count as usize != labels.bytes.len() {
        return Err(DataError::Disagree {
            path: labels.path,
            found: format!("{} labels", labels.bytes.len()),
            with: path.to_path_buf(),
            expected: format!("{count} images"),
        });
    }
    Ok(Images {
        channels: 1,
        size: (height as usize, width as usize),
        pixels,
        labels: labels.bytes,
    })
}

/// The dimensions and bytes of an IDX file of unsigned bytes in `N` dimensions.
fn read<const N: usize>(path: &Path, what: &'static str) -> Result<([u32; N], Vec<u8>), DataError> {
    let unreadable = DataError::unreadable(path);
    let mut file = decompressed(path).map_err(&unreadable)?;
    let header = 4 + 4 * N as u64;
    let head = up_to(&mut file, header).map_err(&unreadable)?;
    let expected = [0, 0, UNSIGNED_BYTE, N as u8];
    if head.get(..4) != Some(&expected) {
        return Err(DataError::NotIdx {
            path: path.to_path_buf(),
            what,
            found: head.into_iter().take(4).collect(),
            expected,
        });
    }
    let wrong_length = |found: u64, expected: u64, why: String| DataError::Length {
        path: path.to_path_buf(),
        found,
        expected,
        why,
    };
    if (head.len() as u64) < header {
        let why = format!("the header of {N} dimensions");
        return Err(wrong_length(head.len() as u64, header, why));
    }
    let mut dimensions = [0; N];
    for (dimension, bytes) in dimensions.iter_mut().zip(head[4..].as_chunks::<4>().0) {
        *dimension = u32::from_be_bytes(*bytes);
    }
    let shape = dimensions.map(|d| d.to_string()).join(" × ");
    let numbers = dimensions
        .iter()
        .try_fold(1_u64, |product, &d| product.checked_mul(u64::from(d)))
        .filter(|&numbers| numbers <= LARGEST)
        .ok_or_else(|| {
            let why = format!("the header says {shape} bytes, more than can be read");
            wrong_length(LARGEST + 1, LARGEST, why)
        })?;
    // One byte more than there should be tells whether there is more.
    let mut bytes = up_to(&mut file, numbers + 1).map_err(&unreadable)?;
    let found = bytes.len() as u64;
    if found != numbers {
        let why = format!("a header of {header} bytes, which says {shape} bytes, and those");
        return Err(wrong_length(header + found, header + numbers, why));
    }
    bytes.shrink_to_fit();
    Ok((dimensions, bytes))
}

/// A file's bytes, out of gzip if they are in it.
fn decompressed(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let compressed = io::BufRead::fill_buf(&mut file)?.starts_with(&GZIP);
    Ok(if compressed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

fn up_to(file: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
