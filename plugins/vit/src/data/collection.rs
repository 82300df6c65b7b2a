//! Images in memory: what was read from files, and how a model sees it.

use flops_fit_data::Digest;
use sha2::{Digest as _, Sha256};

use super::DataError;
use super::augment::{Augment, View};

/// Labelled images of one size, a byte a pixel and channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Colour channels.
    pub channels: usize,
    /// Pixels from top to bottom, and from left to right.
    pub size: (usize, usize),
    /// One image after the other, each channel by channel and row by row.
    pub pixels: Vec<u8>,
    /// One for each image.
    pub labels: Vec<u8>,
}

/// What a model sees of a byte: (byte/255 − mean)/deviation by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels(Vec<[f32; 256]>);

/// A dataset of images: two splits and how they are shown.
#[derive(Debug)]
pub struct Collection {
    /// What models are trained on.
    pub train: Images,
    /// What they are evaluated on.
    pub held_out: Images,
    /// Labels are below this.
    pub classes: usize,
    levels: Levels,
    augment: Augment,
    fingerprint: String,
}

impl Images {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.labels.len() as u64
    }

    /// Bytes of one image.
    pub fn image_len(&self) -> usize {
        self.channels * self.size.0 * self.size.1
    }

    /// Appends a view of an image to `out`; what lies outside of it is black.
    fn show(&self, index: usize, view: View, levels: &Levels, out: &mut Vec<f32>) {
        let (height, width) = self.size;
        let image = &self.pixels[index * self.image_len()..][..self.image_len()];
        for (plane, levels) in image.chunks_exact(height * width).zip(&levels.0) {
            for row in 0..height {
                let row = row.wrapping_add_signed(view.down as isize);
                let line = plane.chunks_exact(width).nth(row);
                out.extend((0..width).map(|column| {
                    let column = if view.mirrored {
                        width - 1 - column
                    } else {
                        column
                    };
                    let column = column.wrapping_add_signed(view.across as isize);
                    let byte = line.and_then(|line| line.get(column)).copied();
                    levels[usize::from(byte.unwrap_or(0))]
                }));
            }
        }
    }
}

impl Levels {
    /// From each channel's mean and standard deviation on a scale of 0 to 1.
    pub fn new(channels: &[(f64, f64)]) -> Self {
        let table = |&(mean, deviation): &(f64, f64)| {
            std::array::from_fn(|byte| ((byte as f64 / 255.0 - mean) / deviation) as f32)
        };
        Self(channels.iter().map(table).collect())
    }

    /// From the images themselves: mean 0 and variance 1 over all of them. A
    /// channel that is the same everywhere is only shifted.
    pub fn of(images: &Images) -> Self {
        let plane = images.size.0 * images.size.1;
        let moments = (0..images.channels).map(|channel| {
            let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
            let planes = images.pixels.chunks_exact(plane);
            for plane in planes.skip(channel).step_by(images.channels) {
                count += plane.len() as u64;
                sum += plane.iter().map(|&byte| u64::from(byte)).sum::<u64>();
                squares += plane.iter().map(|&b| u64::from(b).pow(2)).sum::<u64>();
            }
            let count = count.max(1) as f64;
            let mean = sum as f64 / count;
            let variance = squares as f64 / count - mean * mean;
            let deviation = if variance > 0.0 {
                variance.sqrt()
            } else {
                255.0
            };
            (mean / 255.0, deviation / 255.0)
        });
        Self::new(&moments.collect::<Vec<_>>())
    }
}

impl Collection {
    /// Both splits, whose images have one size; labels are below `classes`.
    pub fn new(
        train: Images,
        held_out: Images,
        classes: usize,
        levels: Levels,
        augment: Augment,
    ) -> Result<Self, DataError> {
        augment.check(train.size)?;
        let fingerprint = fingerprint(&[&train, &held_out]);
        Ok(Self {
            train,
            held_out,
            classes,
            levels,
            augment,
            fingerprint,
        })
    }

    /// Hash of pixels and labels, in hexadecimal; the files' names and their
    /// compression are no part of it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Distinct images that training can show: each in all its views.
    pub fn unique(&self) -> u64 {
        self.train.count() * self.augment.views()
    }

    /// Appends the view of a training image that belongs to `seed`; its label.
    pub fn train(&self, index: u64, seed: u64, out: &mut Vec<f32>) -> Result<i64, DataError> {
        self.show(&self.train, index, self.augment.view(seed), out)
    }

    /// Appends a held-out image as it is; its label.
    pub fn held_out(&self, index: u64, out: &mut Vec<f32>) -> Result<i64, DataError> {
        self.show(&self.held_out, index, View::PLAIN, out)
    }

    fn show(
        &self,
        images: &Images,
        index: u64,
        view: View,
        out: &mut Vec<f32>,
    ) -> Result<i64, DataError> {
        let Some(&label) = images.labels.get(index as usize) else {
            let images = images.count();
            return Err(DataError::NoSuchImage { index, images });
        };
        images.show(index as usize, view, &self.levels, out);
        Ok(i64::from(label))
    }
}

fn fingerprint(splits: &[&Images]) -> String {
    let mut hasher = Sha256::new();
    hasher.update("flops-fit images 1\n");
    for images in splits {
        let (height, width) = images.size;
        let count = images.labels.len();
        for number in [count, images.channels, height, width] {
            hasher.update((number as u64).to_le_bytes());
        }
        hasher.update(&images.labels);
        hasher.update(&images.pixels);
    }
    Digest(hasher.finalize().into()).to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// One channel of 2 × 3 pixels, `count` images that count upwards.
    fn images(count: u8) -> Images {
        Images {
            channels: 1,
            size: (2, 3),
            pixels: (0..6 * count).collect(),
            labels: (0..count).collect(),
        }
    }

    fn identity() -> Levels {
        Levels::new(&[(0.0, 1.0 / 255.0)])
    }

    #[test]
    fn a_view_moves_mirrors_and_fills_with_black() {
        let check = |down, across, mirrored, expected: [f32; 6]| {
            let view = View {
                down,
                across,
                mirrored,
            };
            let mut out = Vec::new();
            images(2).show(1, view, &identity(), &mut out);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
            assert!(out.iter().zip(&expected).all(near), "{view:?}: {out:?}");
        };
        check(0, 0, false, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        check(0, 0, true, [8.0, 7.0, 6.0, 11.0, 10.0, 9.0]);
        check(1, 0, false, [9.0, 10.0, 11.0, 0.0, 0.0, 0.0]);
        check(-1, 0, false, [0.0, 0.0, 0.0, 6.0, 7.0, 8.0]);
        check(0, 1, false, [7.0, 8.0, 0.0, 10.0, 11.0, 0.0]);
        check(0, -1, true, [7.0, 6.0, 0.0, 10.0, 9.0, 0.0]);
    }

    #[test]
    fn levels_of_images_have_mean_0_and_variance_1() {
        let images = Images {
            channels: 2,
            size: (1, 2),
            pixels: vec![10, 30, 5, 5, 50, 70, 5, 5],
            labels: vec![0, 1],
        };
        let levels = Levels::of(&images);
        let shown: Vec<f32> = [10, 30, 50, 70].map(|b: usize| levels.0[0][b]).into();
        let mean = shown.iter().sum::<f32>() / 4.0;
        let variance = shown.iter().map(|x| x * x).sum::<f32>() / 4.0;
        assert!(
            mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5,
            "{shown:?}"
        );
        // A channel without variance.
        assert!(levels.0[1][5].abs() < 1e-6);
    }

    #[test]
    fn views_are_unique_data_and_a_past_the_end_is_none() {
        let augment = Augment {
            crop: 0,
            flip: true,
        };
        let collection = Collection::new(images(3), images(1), 3, identity(), augment).unwrap();
        assert_eq!(collection.unique(), 6);
        let mut out = Vec::new();
        assert_eq!(collection.held_out(0, &mut out).unwrap(), 0);
        let beyond = collection.held_out(1, &mut out);
        assert!(matches!(
            beyond,
            Err(DataError::NoSuchImage {
                index: 1,
                images: 1
            })
        ));
    }

    #[test]
    fn the_fingerprint_is_of_content_and_split() {
        let augment = Augment {
            crop: 0,
            flip: false,
        };
        let of = |train, held_out| {
            let collection = Collection::new(train, held_out, 9, identity(), augment);
            collection.unwrap().fingerprint().to_owned()
        };
        let one = of(images(3), images(2));
        assert_eq!(one, of(images(3), images(2)));
        assert_ne!(one, of(images(2), images(3)));
        let mut changed = images(3);
        changed.labels[2] = 0;
        assert_ne!(one, of(changed, images(2)));
    }

    #[test]
    fn a_crop_that_leaves_nothing_is_refused() {
        let augment = Augment {
            crop: 1,
            flip: false,
        };
        let error = Collection::new(images(3), images(1), 3, identity(), augment).unwrap_err();
        assert_eq!(error.key(), Some("crop"), "{error}");
    }
}
