//! Half the width of an interval, by what made it wide.

/// Half the width of an interval: all of it, and the part that more runs narrow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfWidth {
    /// All of it; > 0, in ln N* or in units of the loss.
    pub whole: f64,
    /// What noise alone makes of it; > 0, at most the whole.
    pub noise: f64,
}

impl HalfWidth {
    /// That of an interval which nothing but noise made wide.
    pub fn of_noise(half: f64) -> Self {
        Self {
            whole: half,
            noise: half,
        }
    }

    /// That of the interval between `whole`, which the methods' disagreement widened
    /// from `noise`.
    pub(crate) fn of(whole: [f64; 2], noise: [f64; 2]) -> Self {
        let half = |[low, high]: [f64; 2]| (high - low) / 2.0;
        Self {
            whole: half(whole),
            noise: half(noise).min(half(whole)),
        }
    }

    /// The square of what the methods' disagreement adds, which more runs of the same
    /// kind leave as it is.
    fn standing(&self) -> f64 {
        (self.whole - self.noise) * (self.whole + self.noise)
    }

    /// The whole once noise makes `share` of what it makes now.
    pub(crate) fn at(&self, share: f64) -> f64 {
        (share * self.noise).hypot(self.standing().sqrt())
    }

    /// The share of its noise at which the whole is `wish`; `None` where what stands is
    /// wider alone.
    pub(crate) fn share_for(&self, wish: f64) -> Option<f64> {
        let left = wish * wish - self.standing();
        (left > 0.0).then(|| left.sqrt() / self.noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_sets_a_bound() {
        let half = HalfWidth {
            whole: 0.5,
            noise: 0.3,
        };
        assert!((half.at(1.0) - 0.5).abs() < 1e-12);
        assert!((half.at(0.0) - 0.4).abs() < 1e-12);
        let share = half.share_for(0.45).expect("wider than what stands");
        assert!((half.at(share) - 0.45).abs() < 1e-12);
        assert_eq!(half.share_for(0.39), None);
    }
}
