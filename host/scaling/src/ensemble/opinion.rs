//! Several methods' values of one quantity, averaged.

use crate::interval;

/// Half-width of a 95 % interval in standard deviations, where those are known.
const Z: f64 = 1.96;

/// One method's value of a quantity on the scale on which it is averaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opinion {
    /// Share in the average.
    pub(super) weight: f64,
    /// Share in the disagreement.
    pub(super) plausibility: f64,
    pub(super) value: f64,
    /// Squared distance from the average that was usual in the rehearsal.
    pub(super) usual: f64,
    /// Distances of the lower and the upper bound from the value; absent without
    /// interval.
    pub(super) reach: Option<[f64; 2]>,
}

/// The average of some opinions and its bounds before and after widening; absent where
/// a method that is followed has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Joined {
    pub(super) value: f64,
    pub(super) unwidened: Option<[f64; 2]>,
    pub(super) widened: Option<[f64; 2]>,
}

impl Joined {
    /// The same of the quantity whose logarithms were averaged.
    pub(super) fn exp(self) -> Self {
        let exp = |bounds: Option<[f64; 2]>| bounds.map(|bounds| bounds.map(interval::exp));
        Self {
            value: self.value.exp(),
            unwidened: exp(self.unwidened),
            widened: exp(self.widened),
        }
    }
}

pub(super) fn join(opinions: &[Opinion]) -> Joined {
    let followed: Vec<&Opinion> = opinions.iter().filter(|o| o.weight > 0.0).collect();
    let value: f64 = followed.iter().map(|o| o.weight * o.value).sum();
    let between: f64 = opinions
        .iter()
        .filter(|o| o.plausibility > 0.0)
        .map(|o| o.plausibility * ((o.value - value).powi(2) - o.usual).max(0.0))
        .sum();
    let own = |side: usize| -> Option<f64> {
        let reach = followed.iter().map(|o| Some(o.weight * o.reach?[side]));
        reach.sum::<Option<f64>>().map(|reach| reach.max(0.0))
    };
    let bounds =
        |widen: &dyn Fn(f64) -> f64| Some([value - widen(own(0)?), value + widen(own(1)?)]);
    Joined {
        value,
        unwidened: bounds(&|reach| reach),
        widened: bounds(&|reach: f64| (reach.powi(2) + Z.powi(2) * between).sqrt()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn opinion(weight: f64, value: f64, reach: f64) -> Opinion {
        Opinion {
            weight,
            plausibility: weight,
            value,
            usual: 0.0,
            reach: Some([reach; 2]),
        }
    }

    fn half_widths(joined: &Joined) -> (f64, f64) {
        let half = |bounds: Option<[f64; 2]>| bounds.map(|[low, high]| (high - low) / 2.0).unwrap();
        (half(joined.unwidened), half(joined.widened))
    }

    #[test]
    fn methods_that_agree_are_no_surer_than_one() {
        let joined = join(&[opinion(0.25, 1.0, 0.2), opinion(0.75, 1.0, 0.4)]);
        let (own, widened) = half_widths(&joined);
        assert!((own - 0.35).abs() < 1e-12 && (widened - own).abs() < 1e-12);
    }

    #[test]
    fn disagreement_widens() {
        let joined = join(&[opinion(0.5, 1.0, 0.3), opinion(0.5, 2.0, 0.3)]);
        let (own, widened) = half_widths(&joined);
        assert!((joined.value - 1.5).abs() < 1e-12);
        assert!((own - 0.3).abs() < 1e-12);
        assert!((widened - (0.09 + Z * Z * 0.25_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn usual_distances_do_not_widen() {
        let far = |usual| {
            let other = Opinion {
                weight: 0.0,
                plausibility: 0.2,
                usual,
                ..opinion(0.0, 2.0, 0.3)
            };
            half_widths(&join(&[opinion(1.0, 1.0, 0.3), other])).1
        };
        assert!((far(1.2) - 0.3).abs() < 1e-12);
        assert!((far(0.25) - (0.09 + Z * Z * 0.15_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_method_that_is_not_followed_widens_too() {
        let other = Opinion {
            weight: 0.0,
            plausibility: 0.1,
            ..opinion(0.0, 3.0, 0.3)
        };
        let joined = join(&[opinion(1.0, 1.0, 0.3), other]);
        let (own, widened) = half_widths(&joined);
        assert!((joined.value - 1.0).abs() < 1e-12 && (own - 0.3).abs() < 1e-12);
        assert!((widened - (0.09 + Z * Z * 0.4_f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_followed_method_without_interval_leaves_none() {
        let none = Opinion {
            reach: None,
            ..opinion(0.5, 1.0, 0.0)
        };
        assert_eq!(join(&[none]).widened, None);
        let unfollowed = Opinion {
            weight: 0.0,
            plausibility: 0.0,
            ..none
        };
        let joined = join(&[unfollowed, opinion(1.0, 1.0, 0.5)]);
        assert_eq!(joined.unwidened, Some([0.5, 1.5]));
    }
}
