//! Directions in 1024ths of a circle.

/// Steps of a full turn.
pub(super) const FULL: usize = 1024;

/// Cosine and sine of one step, 2π/1024.
const STEP: (f64, f64) = (0.999_981_175_282_601_1, 0.006_135_884_649_154_475);

/// Cosine and sine of every direction, by repeated turns: products and sums
/// alone, so that no two machines' libraries of functions can differ. Off by less
/// than 1e-12 after a whole circle.
static DIRECTIONS: [(f64, f64); FULL] = {
    let mut all = [(1.0, 0.0); FULL];
    let mut place = 1;
    while place < FULL {
        let (x, y) = all[place - 1];
        all[place] = (x * STEP.0 - y * STEP.1, x * STEP.1 + y * STEP.0);
        place += 1;
    }
    all
};

/// Cosine and sine of `steps`, any number of them.
pub(super) fn direction(steps: usize) -> (f64, f64) {
    DIRECTIONS[steps % FULL]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_cosines_and_sines() {
        for steps in [0, 1, 100, 256, 777, 1023, 5000] {
            let angle = std::f64::consts::TAU * (steps % FULL) as f64 / FULL as f64;
            let (cosine, sine) = direction(steps);
            assert!((cosine - angle.cos()).abs() < 1e-12, "{steps}");
            assert!((sine - angle.sin()).abs() < 1e-12, "{steps}");
        }
    }
}
