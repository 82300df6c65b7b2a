//! The learning rate's path.

use flops_fit_trial::{DecayShape, Schedule};

/// Share of the peak rate at `step` (from 0) of `steps`, in (0, 1].
///
/// Warm-up is linear and reaches 1 at its last step; a cool-down would reach 0
/// one step after the last, so that no step is spent at rate 0.
pub fn rate(schedule: &Schedule, warmup: u64, step: u64, steps: u64) -> f64 {
    let warm = if step < warmup {
        (step + 1) as f64 / warmup as f64
    } else {
        1.0
    };
    let after = match *schedule {
        Schedule::Constant => 1.0,
        Schedule::Wsd { shape, .. } => {
            let cool = schedule.cooldown_steps(steps);
            let start = steps.saturating_sub(cool);
            if step < start {
                1.0
            } else {
                let elapsed = (step - start + 1) as f64 / (cool + 1) as f64;
                match shape {
                    DecayShape::Linear => 1.0 - elapsed,
                    DecayShape::Sqrt => 1.0 - elapsed.sqrt(),
                }
            }
        }
        Schedule::Cosine { floor } => {
            let span = steps.saturating_sub(warmup).max(1) as f64;
            let elapsed = (step.saturating_sub(warmup) as f64 / span).min(1.0);
            floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * elapsed).cos())
        }
    };
    warm.min(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schedule: &Schedule, warmup: u64, steps: u64, want: &[(u64, f64)]) {
        for &(step, rate_wanted) in want {
            let found = rate(schedule, warmup, step, steps);
            assert!(
                (found - rate_wanted).abs() < 1e-12,
                "{schedule:?} at {step}: {found} against {rate_wanted}"
            );
        }
        assert!((0..steps).all(|step| {
            let r = rate(schedule, warmup, step, steps);
            r > 0.0 && r <= 1.0
        }));
    }

    #[test]
    fn follows_its_shape() {
        let linear = Schedule::Wsd {
            decay: 0.2,
            shape: DecayShape::Linear,
        };
        check(
            &linear,
            10,
            100,
            &[
                (0, 0.1),
                (9, 1.0),
                (79, 1.0),
                (80, 20.0 / 21.0),
                (99, 1.0 / 21.0),
            ],
        );
        let sqrt = Schedule::Wsd {
            decay: 0.2,
            shape: DecayShape::Sqrt,
        };
        check(
            &sqrt,
            10,
            100,
            &[(79, 1.0), (80, 1.0 - (1.0 / 21.0_f64).sqrt())],
        );
        check(
            &Schedule::Cosine { floor: 0.1 },
            0,
            100,
            &[(0, 1.0), (50, 0.55)],
        );
        check(&Schedule::Constant, 4, 8, &[(0, 0.25), (7, 1.0)]);
        // Warm-up and cool-down that overlap: the lower of the two.
        check(
            &Schedule::Wsd {
                decay: 1.0,
                shape: DecayShape::Linear,
            },
            8,
            8,
            &[(0, 0.125), (7, 1.0 / 9.0)],
        );
    }
}
