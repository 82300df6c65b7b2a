//! An endless set of **invented shapes**, to be told apart by class.
//!
//! It needs no download, every image is a pure function of a seed, a split and
//! an index, and it is made to be learnt bit by bit, as a scaling law needs: each
//! of ten classes is 64 kinds of outline with nothing in common but the name,
//! so that there are 640 facts to learn. Kind number k comes up in proportion to
//! 1/k², so the first ten facts tell six images of ten, and each later one is rarer
//! than the last. Place, angle, size, contrast and noise differ from image to image.
//!
//! The recipe is frozen under [`VERSION`]. Only additions, products, quotients
//! and comparisons of floats are used, which IEEE 754 defines to the last bit:
//! the same pixels on every machine.

mod outline;
mod raster;
mod turn;

use flops_fit_data::hash::{GOLDEN, Hashes, mix};

use outline::Outline;
use raster::Raster;

/// The name of the recipe. It changes with any pixel.
pub const VERSION: &str = "shapes-v1";

/// Pixels of a side.
pub const SIDE: usize = 24;
/// Pixels of an image, which is grey.
pub const PIXELS: usize = SIDE * SIDE;
/// Classes, all alike frequent.
pub const CLASSES: usize = 10;
/// Kinds of outline in a class; number k comes up in proportion to 1/k².
pub const KINDS: usize = 64;

/// Deviation of the noise, beside a mean contrast of 1.
const NOISE: f64 = 0.2;
/// Mean and deviation of all pixels before they are normalised.
const MEAN: f64 = 0.21;
const DEVIATION: f64 = 0.458;

/// Streams of images.
const TRAINING: u64 = 1;
const HELD_OUT: u64 = 2;

/// The outlines of one seed: which shapes belong to which class.
#[derive(Debug, Clone)]
pub struct Shapes {
    seed: u64,
    /// By class, then by kind.
    outlines: Vec<Outline>,
    /// The sum of the weights of all kinds up to each.
    sums: [u64; KINDS],
}

/// How an outline stands in an image.
#[derive(Debug, Clone, Copy)]
struct Pose {
    /// Turn in 1024ths of a circle.
    turn: usize,
    /// Mean radius in pixels.
    radius: f64,
    /// Centre: pixels from the left and the top edge.
    centre: (f64, f64),
}

impl Shapes {
    /// The outlines of a seed.
    pub fn new(seed: u64) -> Self {
        let key = mix(seed.wrapping_mul(GOLDEN));
        let outlines = (0..(CLASSES * KINDS) as u64)
            .map(|number| Outline::new(mix(key.wrapping_add(number.wrapping_mul(GOLDEN)))));
        let mut sum = 0;
        Self {
            seed,
            outlines: outlines.collect(),
            sums: std::array::from_fn(|kind| {
                sum += (1 << 32) / (kind as u64 + 1).pow(2);
                sum
            }),
        }
    }

    /// Appends training image `index` to `out`, [`PIXELS`] numbers row by row, of
    /// mean 0 and variance 1 over many images; its class.
    pub fn train(&self, index: u64, out: &mut Vec<f32>) -> usize {
        self.paint(TRAINING, index, out)
    }

    /// The same for held-out image `index`.
    pub fn held_out(&self, index: u64, out: &mut Vec<f32>) -> usize {
        self.paint(HELD_OUT, index, out)
    }

    fn paint(&self, stream: u64, index: u64, out: &mut Vec<f32>) -> usize {
        let stream = mix(self.seed.wrapping_mul(GOLDEN).wrapping_add(stream));
        let mut hashes = Hashes::new(mix(stream.wrapping_add(index.wrapping_mul(GOLDEN))));
        let class = below(hashes.draw(), CLASSES as u64) as usize;
        let kind = self.kind(hashes.draw());
        let pose = Pose::draw(&mut hashes);
        let contrast = 0.6 + 0.8 * share(hashes.draw());

        let outline = &self.outlines[class * KINDS + kind];
        let mut raster = Raster::new();
        raster.fill(&outline.corners(pose));
        for pair in raster.coverage().chunks_exact(2) {
            let noise = noise(hashes.draw());
            for (covered, noise) in pair.iter().zip(noise) {
                let pixel = contrast * covered + NOISE * noise;
                out.push(((pixel - MEAN) / DEVIATION) as f32);
            }
        }
        class
    }

    /// A kind of outline, the first ones most often.
    fn kind(&self, hash: u64) -> usize {
        let place = below(hash, self.sums[KINDS - 1]);
        self.sums.partition_point(|&sum| sum <= place)
    }
}

impl Pose {
    /// Up to a sixteenth of a turn, a quarter of the size, two pixels.
    fn draw(hashes: &mut Hashes) -> Self {
        let turn = below(hashes.draw(), 129) as usize;
        let radius = 6.0 * (0.75 + 0.5 * share(hashes.draw()));
        let mut place = || SIDE as f64 / 2.0 - 2.0 + 4.0 * share(hashes.draw());
        Self {
            turn: (turn + turn::FULL - 64) % turn::FULL,
            radius,
            centre: (place(), place()),
        }
    }
}

/// A whole number below `limit`, by the hash's upper bits.
fn below(hash: u64, limit: u64) -> u64 {
    ((u128::from(hash) * u128::from(limit)) >> 64) as u64
}

/// A number from 0 to below 1.
fn share(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Two numbers that are nearly normal, of mean 0 and variance 1: sums of four
/// bytes each.
fn noise(hash: u64) -> [f64; 2] {
    let bytes = hash.to_le_bytes().map(f64::from);
    let deviation = 147.799_8; // √(4·(256² − 1)/12)
    let half = |bytes: &[f64]| (bytes.iter().sum::<f64>() - 510.0) / deviation;
    [half(&bytes[..4]), half(&bytes[4..])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(count: u64) -> (Vec<f32>, Vec<usize>) {
        let shapes = Shapes::new(0);
        let mut pixels = Vec::new();
        let labels = (0..count).map(|index| shapes.train(index, &mut pixels));
        let labels = labels.collect();
        (pixels, labels)
    }

    #[test]
    fn pixels_are_normalised_and_classes_alike_frequent() {
        let (pixels, labels) = images(5000);
        let n = pixels.len() as f64;
        let mean = pixels.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = pixels.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.05, "mean {mean}");
        assert!((square - 1.0).abs() < 0.1, "mean square {square}");
        for class in 0..CLASSES {
            let count = labels.iter().filter(|&&label| label == class).count();
            // 500 expected, deviation 21.
            assert!((400..600).contains(&count), "class {class}: {count}");
        }
    }

    #[test]
    fn kinds_get_rarer_as_the_square() {
        let shapes = Shapes::new(0);
        let mut hashes = Hashes::new(1);
        let mut counts = [0_u32; KINDS];
        for _ in 0..100_000 {
            counts[shapes.kind(hashes.draw())] += 1;
        }
        // The sum of 1/k² up to 64: 1.6294.
        for kind in [1, 2, 8, 64] {
            let expected = 100_000.0 / 1.6294 / f64::from(kind * kind);
            let found = f64::from(counts[kind as usize - 1]);
            assert!(
                (found - expected).abs() < 5.0 * expected.sqrt(),
                "{kind}: {found}"
            );
        }
    }

    #[test]
    fn seeds_and_splits_are_apart() {
        let of = |seed: u64, held_out: bool| {
            let shapes = Shapes::new(seed);
            let mut pixels = Vec::new();
            if held_out {
                shapes.held_out(3, &mut pixels);
            } else {
                shapes.train(3, &mut pixels);
            }
            pixels
        };
        assert_eq!(of(0, false), of(0, false));
        assert_ne!(of(0, false), of(0, true));
        assert_ne!(of(0, false), of(1, false));
    }

    #[test]
    fn an_outline_is_the_shape_of_its_class() {
        // Two kinds of one pose cover different pixels; one kind covers the same.
        let shapes = Shapes::new(0);
        let pose = Pose {
            turn: 0,
            radius: 6.0,
            centre: (12.0, 12.0),
        };
        let covered = |number: usize| {
            let mut raster = Raster::new();
            raster.fill(&shapes.outlines[number].corners(pose));
            raster.coverage().to_vec()
        };
        let difference = |a: usize, b: usize| {
            let (a, b) = (covered(a), covered(b));
            a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        assert!(difference(0, 0) == 0.0);
        let others = (1..CLASSES * KINDS).map(|other| difference(0, other));
        let nearest = others.fold(f64::INFINITY, f64::min);
        assert!(nearest > 5.0, "two kinds differ by {nearest} pixels");
    }
}
