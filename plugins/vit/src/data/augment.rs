//! Random crops and flips: other views of the images that there are.

use flops_fit_data::hash::Hashes;

use super::DataError;

/// Which views training takes of an image. The same draw always gets the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Augment {
    /// Black pixels c that are put around an image before a window of its own
    /// size is cut out anywhere: it moves by up to c pixels each way.
    pub crop: u32,
    /// Whether every other view is mirrored, left to right.
    pub flip: bool,
}

/// A window on an image, and whether it is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Rows from the image's top down to the window's; negative: above it.
    pub down: i32,
    /// Columns from the image's left to the window's; negative: left of it.
    pub across: i32,
    /// Whether it is mirrored.
    pub mirrored: bool,
}

impl View {
    /// The image as it is.
    pub const PLAIN: Self = Self {
        down: 0,
        across: 0,
        mirrored: false,
    };
}

impl Augment {
    /// Refuses a crop that could show less than half of an image in a direction.
    pub fn check(&self, (height, width): (usize, usize)) -> Result<(), DataError> {
        if 2 * self.crop as usize >= height.min(width) {
            let found = self.crop;
            return Err(DataError::Crop {
                found,
                height,
                width,
            });
        }
        Ok(())
    }

    /// Views of one image, (2c + 1)² · 2 with mirrored ones: the factor by which
    /// distinct training images become more. They are not as good as so many new
    /// images: neighbouring views are nearly alike.
    pub fn views(&self) -> u64 {
        let steps = u64::from(2 * self.crop + 1);
        steps * steps * (1 + u64::from(self.flip))
    }

    /// The view of a draw: all of them alike likely, but for a bias below 2⁻⁵⁰.
    pub fn view(&self, seed: u64) -> View {
        let steps = u64::from(2 * self.crop + 1);
        let mut hashes = Hashes::new(seed);
        let mut offset = || {
            let place = (u128::from(hashes.draw()) * u128::from(steps)) >> 64;
            place as i32 - self.crop as i32
        };
        let (down, across) = (offset(), offset());
        View {
            down,
            across,
            mirrored: self.flip && hashes.draw() >> 63 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn all_views_come_up_alike() {
        let augment = Augment {
            crop: 2,
            flip: true,
        };
        assert_eq!(augment.views(), 50);
        let mut seen = HashMap::new();
        for seed in 0..50_000 {
            let View {
                down,
                across,
                mirrored,
            } = augment.view(seed);
            assert!(down.abs() <= 2 && across.abs() <= 2);
            *seen.entry((down, across, mirrored)).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 50);
        // 1000 expected each, deviation 31.
        for (view, count) in seen {
            assert!((840..1160).contains(&count), "{view:?}: {count}");
        }
    }

    #[test]
    fn nothing_asked_for_is_nothing_done() {
        let augment = Augment {
            crop: 0,
            flip: false,
        };
        assert_eq!(augment.views(), 1);
        assert!((0..100).all(|seed| augment.view(seed) == View::PLAIN));
    }
}
