//! How far to go along a direction: the root of the model's slope along it.
//!
//! The slope rises with the length, in as many pieces as there are residuals that
//! cross ±δ on the way: for small δ it is a staircase, and finding its root is finding
//! a weighted median. Newton's method between brackets does it, and once there is a
//! bracket the residuals that cross nothing within it are summed up once and for all, so
//! that a search takes a few passes over the data however many steps it makes.

/// Steps; a bracket of finite length is halved at least every other one.
const STEPS: usize = 40;
/// The slope at which the search ends, as a share of the one that was promised.
const FLAT: f64 = 1e-2;
/// Steps before residuals are summed up: most searches are over by then.
const PATIENCE: usize = 3;

/// The model along a direction.
pub(super) struct Line<'a> {
    /// Residuals where the search begins.
    pub(super) residuals: &'a [f64],
    /// What a length of 1 takes off them.
    pub(super) change: &'a [f64],
    pub(super) weights: &'a [f64],
    /// Where the objective turns from quadratic to linear.
    pub(super) delta: f64,
    /// Slope of the quadratic part at length 0.
    pub(super) start: f64,
    /// Its second derivative.
    pub(super) bend: f64,
}

/// The slope's part that is a straight line over the bracket, and what is not.
struct Pieces {
    slope: f64,
    bend: f64,
    /// Residuals that cross ±δ within the bracket.
    crossing: Vec<usize>,
}

impl Line<'_> {
    /// The length at which the slope is nearly 0, or `reach` where it falls until there.
    /// `promised` is how steep it would have been.
    pub(super) fn search(&self, promised: f64, reach: f64) -> f64 {
        let (mut low, mut high) = (0.0, reach);
        let mut length = 1.0_f64.min(reach);
        let mut pieces: Option<Pieces> = None;
        for step in 0..STEPS {
            let (slope, curvature) = self.at(length, pieces.as_ref());
            if slope.abs() <= FLAT * promised {
                break;
            }
            if slope < 0.0 {
                low = length;
            } else {
                high = length;
            }
            if low >= reach {
                return reach;
            }
            let newton = length - slope / curvature;
            length = if curvature > 0.0 && newton > low && newton < high {
                newton
            } else if high.is_finite() {
                f64::midpoint(low, high)
            } else {
                4.0 * length
            };
            if high.is_infinite() {
                continue;
            }
            if high - low <= 1e-12 * high {
                break;
            }
            if step >= PATIENCE {
                pieces = Some(self.settle(pieces, low, high));
            }
        }
        length
    }

    /// Slope and second derivative at a length.
    fn at(&self, length: f64, pieces: Option<&Pieces>) -> (f64, f64) {
        let (mut slope, mut curvature) = (self.start + length * self.bend, self.bend);
        let mut add = |i: usize| {
            let (v, w) = (self.change[i], self.weights[i]);
            let moved = self.residuals[i] - length * v;
            slope -= w * v * moved.clamp(-self.delta, self.delta);
            curvature += if moved.abs() < self.delta {
                w * v * v
            } else {
                0.0
            };
        };
        match pieces {
            None => (0..self.residuals.len()).for_each(add),
            Some(pieces) => {
                pieces.crossing.iter().for_each(|&i| add(i));
                slope += pieces.slope + length * pieces.bend;
                curvature += pieces.bend;
            }
        }
        (slope, curvature)
    }

    /// The pieces of a narrower bracket.
    fn settle(&self, pieces: Option<Pieces>, low: f64, high: f64) -> Pieces {
        let mut pieces = pieces.unwrap_or_else(|| Pieces {
            slope: 0.0,
            bend: 0.0,
            crossing: (0..self.residuals.len()).collect(),
        });
        let (slope, bend) = (&mut pieces.slope, &mut pieces.bend);
        pieces.crossing.retain(|&i| {
            let (r, v, w) = (self.residuals[i], self.change[i], self.weights[i]);
            let (a, b) = (r - low * v, r - high * v);
            let (least, most) = (a.min(b), a.max(b));
            if least >= self.delta {
                *slope -= w * v * self.delta;
            } else if most <= -self.delta {
                *slope += w * v * self.delta;
            } else if most < self.delta && least > -self.delta {
                *slope -= w * v * r;
                *bend += w * v * v;
            } else {
                return true;
            }
            false
        });
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The minimum of Σ w·|r − ℓ·v| is a weighted median of r/v with weights w·|v|.
    #[test]
    fn of_absolute_values_it_is_the_weighted_median() {
        for seed in 1..50_u32 {
            let value = |i: u32, k: u32| {
                let hash = (i * 7919 + k * 104_729 + seed * 31_337).wrapping_mul(2_654_435_761);
                f64::from(hash >> 8) / f64::from(1_u32 << 24)
            };
            let n = 400;
            let residuals: Vec<f64> = (0..n).map(|i| value(i, 1) - 0.2).collect();
            let change: Vec<f64> = (0..n).map(|i| value(i, 2) - 0.5).collect();
            let weights: Vec<f64> = (0..n).map(|i| 0.5 + value(i, 3)).collect();
            let delta = 1e-9;
            let line = Line {
                residuals: &residuals,
                change: &change,
                weights: &weights,
                delta,
                start: 0.0,
                bend: 0.0,
            };
            let mut kinks: Vec<(f64, f64)> = (0..n as usize)
                .map(|i| (residuals[i] / change[i], weights[i] * change[i].abs()))
                .collect();
            kinks.sort_by(|a, b| a.0.total_cmp(&b.0));
            let half: f64 = kinks.iter().map(|kink| kink.1).sum::<f64>() / 2.0;
            let mut below = 0.0;
            let median = kinks.iter().find(|kink| {
                below += kink.1;
                below >= half
            });
            let median = median.expect("some kink").0;
            let found = line.search(0.0, f64::INFINITY);
            // Where the slope falls from the start there is nothing to gain.
            let expected = median.max(0.0);
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn pieces_change_no_slope() {
        let residuals = [0.5, -0.2, 0.05, 1.0, -0.6];
        let change = [0.3, 0.9, -0.4, 0.0, 0.7];
        let line = Line {
            residuals: &residuals,
            change: &change,
            weights: &[1.0, 2.0, 0.5, 1.0, 3.0],
            delta: 0.1,
            start: -0.3,
            bend: 0.2,
        };
        let first = line.settle(None, 0.2, 2.0);
        let second = line.settle(Some(line.settle(None, 0.2, 2.0)), 0.4, 0.9);
        assert!(second.crossing.len() < first.crossing.len() && first.crossing.len() < 5);
        for length in [0.4, 0.55, 0.8, 0.9] {
            let whole = line.at(length, None);
            for pieces in [&first, &second] {
                let found = line.at(length, Some(pieces));
                assert!((found.0 - whole.0).abs() < 1e-12 && (found.1 - whole.1).abs() < 1e-12);
            }
        }
    }
}
