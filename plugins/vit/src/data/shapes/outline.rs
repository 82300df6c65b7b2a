//! One kind of shape: a closed curve around a centre.

use flops_fit_data::hash::Hashes;

use super::{Pose, share, turn};

/// Corners of an outline.
const CORNERS: usize = 64;

/// Waves around the circle that make it up.
const WAVES: usize = 6;

/// Largest height of a wave, beside a mean radius of 1.
const HEIGHT: f64 = 0.4;

/// Smallest radius: the curve does not meet its centre.
const NARROWEST: f64 = 0.15;

/// Radii at corners evenly spaced in angle.
#[derive(Debug, Clone)]
pub(super) struct Outline([f64; CORNERS]);

impl Outline {
    /// The outline of a key: 1 + Σ aₖ·cos(kθ + φₖ) for k = 1…6.
    pub(super) fn new(key: u64) -> Self {
        let mut hashes = Hashes::new(key);
        let waves: [(f64, usize); WAVES] = std::array::from_fn(|_| {
            let height = HEIGHT * (2.0 * share(hashes.draw()) - 1.0);
            (height, (hashes.draw() >> 54) as usize)
        });
        Self(std::array::from_fn(|corner| {
            let mut radius = 1.0;
            for (number, (height, phase)) in waves.iter().enumerate() {
                let steps = (number + 1) * corner * (turn::FULL / CORNERS) + phase;
                radius += height * turn::direction(steps).0;
            }
            radius.max(NARROWEST)
        }))
    }

    /// Its corners (x, y) in a pose.
    pub(super) fn corners(&self, pose: Pose) -> [(f64, f64); CORNERS] {
        std::array::from_fn(|corner| {
            let steps = corner * (turn::FULL / CORNERS) + pose.turn;
            let (cosine, sine) = turn::direction(steps);
            let radius = pose.radius * self.0[corner];
            (
                pose.centre.0 + radius * cosine,
                pose.centre.1 + radius * sine,
            )
        })
    }
}
