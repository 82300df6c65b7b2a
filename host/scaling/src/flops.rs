//! FLOPs per unit of data as a function of N, read off the runs.
//!
//! C is as counted: 6·N·D for one user, attention and embeddings included for
//! another. Where every run says C = k·N·D the function is k·N. Otherwise it is
//! interpolated in ln–ln through the sizes' means, smooth and monotone between
//! them, and goes on beyond the ends with the slope it has there.

/// Relative deviation of C/(N·D) up to which it counts as one constant.
const CONSTANT: f64 = 1e-6;
/// Knots of the interpolation at most; more sizes are averaged in turn.
const KNOTS: usize = 24;
/// Distance in ln N below which neighbours are one size, so that no slope is taken
/// over a tiny distance.
const NEAREST: f64 = 0.01;

/// FLOPs per unit of data as a function of N.
#[derive(Debug, Clone, PartialEq)]
pub enum FlopsPerUnit {
    /// `k · N`.
    Proportional {
        /// ln k; ln 6 by the usual count.
        ln_k: f64,
    },
    /// Interpolated between sizes.
    Interpolated(Vec<Knot>),
}

/// One size of the interpolation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// ln N.
    pub ln_n: f64,
    /// ln of the FLOPs per unit.
    pub ln_flops: f64,
    /// d ln FLOPs / d ln N there.
    pub slope: f64,
}

impl FlopsPerUnit {
    /// Reads the function off `(ln N, ln (C/D))` pairs; at least one. Equal pairs
    /// count once.
    pub(crate) fn of(mut pairs: Vec<(f64, f64)>) -> Self {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        pairs.dedup();
        let constants: Vec<f64> = pairs
            .iter()
            .map(|(ln_n, ln_flops)| ln_flops - ln_n)
            .collect();
        let low = constants.iter().copied().fold(f64::INFINITY, f64::min);
        let high = constants.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if high - low <= CONSTANT {
            let ln_k = f64::midpoint(low, high);
            return Self::Proportional { ln_k };
        }
        let sizes: Vec<&[(f64, f64)]> = pairs.chunk_by(|a, b| b.0 - a.0 < NEAREST).collect();
        let mut knots: Vec<Knot> = sizes
            .chunks(sizes.len().div_ceil(KNOTS))
            .map(|bin| {
                let count = bin.iter().map(|size| size.len()).sum::<usize>() as f64;
                let mean = |value: fn(&(f64, f64)) -> f64| {
                    bin.iter().copied().flatten().map(value).sum::<f64>() / count
                };
                Knot {
                    ln_n: mean(|p| p.0),
                    ln_flops: mean(|p| p.1),
                    slope: 1.0,
                }
            })
            .collect();
        if knots.len() < 2 {
            let ln_k = constants.iter().sum::<f64>() / constants.len() as f64;
            return Self::Proportional { ln_k };
        }
        set_slopes(&mut knots);
        Self::Interpolated(knots)
    }

    /// ln of the FLOPs per unit at ln N, and its slope by ln N.
    pub fn at(&self, ln_n: f64) -> (f64, f64) {
        match self {
            Self::Proportional { ln_k } => (ln_k + ln_n, 1.0),
            Self::Interpolated(knots) => {
                let right = knots.partition_point(|knot| knot.ln_n <= ln_n);
                if right == 0 || right == knots.len() {
                    let end = knots[right.min(knots.len() - 1)];
                    return (end.ln_flops + end.slope * (ln_n - end.ln_n), end.slope);
                }
                hermite(knots[right - 1], knots[right], ln_n)
            }
        }
    }

    /// ln D that `ln_c` pays for at `ln_n`.
    pub fn ln_d(&self, ln_c: f64, ln_n: f64) -> f64 {
        ln_c - self.at(ln_n).0
    }
}

/// Slopes that keep the interpolation monotone where the knots are (Fritsch and
/// Carlson 1980, with Brodlie's weights); at the ends that of the last interval.
fn set_slopes(knots: &mut [Knot]) {
    let secant = |a: Knot, b: Knot| (b.ln_flops - a.ln_flops) / (b.ln_n - a.ln_n);
    let last = knots.len() - 1;
    knots[0].slope = secant(knots[0], knots[1]);
    knots[last].slope = secant(knots[last - 1], knots[last]);
    for i in 1..last {
        let (before, after) = (
            knots[i].ln_n - knots[i - 1].ln_n,
            knots[i + 1].ln_n - knots[i].ln_n,
        );
        let (left, right) = (
            secant(knots[i - 1], knots[i]),
            secant(knots[i], knots[i + 1]),
        );
        let share = (before + 2.0 * after) / (3.0 * (before + after));
        knots[i].slope = if left * right > 0.0 {
            left * right / (share * right + (1.0 - share) * left)
        } else {
            0.0
        };
    }
}

/// Cubic Hermite interpolation: the value and its slope.
fn hermite(a: Knot, b: Knot, x: f64) -> (f64, f64) {
    let h = b.ln_n - a.ln_n;
    let t = (x - a.ln_n) / h;
    let rise = b.ln_flops - a.ln_flops;
    // In powers of t: a + m·t + c2·t² + c3·t³.
    let (m, n) = (a.slope * h, b.slope * h);
    let (c2, c3) = (3.0 * rise - 2.0 * m - n, m + n - 2.0 * rise);
    let value = a.ln_flops + t * (m + t * (c2 + t * c3));
    let slope = (m + t * (2.0 * c2 + t * 3.0 * c3)) / h;
    (value, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_n_is_recognised() {
        let pairs = (1..9).map(|i| (f64::from(i), 6_f64.ln() + f64::from(i)));
        let flops = FlopsPerUnit::of(pairs.collect());
        let (value, slope) = flops.at(20.0);
        assert!((value - 6_f64.ln() - 20.0).abs() < 1e-12 && (slope - 1.0).abs() < 1e-12);
    }

    #[test]
    fn any_other_count_is_interpolated_smoothly() {
        let truth = |ln_n: f64| (6.0 * ln_n.exp() + 3e4 * (ln_n / 2.0).exp()).ln();
        let flops = FlopsPerUnit::of(
            (0..17)
                .map(|i| 14.0 + 0.4 * f64::from(i))
                .map(|x| (x, truth(x)))
                .collect(),
        );
        for i in 0..100 {
            let x = 14.0 + 0.064 * f64::from(i);
            let (value, slope) = flops.at(x);
            assert!((value - truth(x)).abs() < 5e-3, "{x}");
            let numeric = (flops.at(x + 1e-6).0 - flops.at(x - 1e-6).0) / 2e-6;
            assert!((slope - numeric).abs() < 1e-5, "{x}");
        }
        assert!((flops.at(22.0).0 - truth(22.0)).abs() < 0.1);
    }
}
