//! Polygons as pixels: how much of each they cover.

use super::{PIXELS, SIDE};

/// Lines in the height of a pixel on which coverage is measured.
const LINES: usize = 4;

/// An image in the making.
#[derive(Debug)]
pub(super) struct Raster {
    coverage: [f64; PIXELS],
    /// Where edges meet lines: the line and the place on it.
    crossings: Vec<(usize, f64)>,
}

impl Raster {
    /// Nothing covered.
    pub(super) fn new() -> Self {
        Self {
            coverage: [0.0; PIXELS],
            crossings: Vec::with_capacity(4 * LINES * SIDE),
        }
    }

    /// Share of each pixel, row by row, that is covered.
    pub(super) fn coverage(&self) -> &[f64; PIXELS] {
        &self.coverage
    }

    /// Adds a closed polygon; by the even-odd rule where it crosses itself.
    pub(super) fn fill(&mut self, corners: &[(f64, f64)]) {
        self.crossings.clear();
        let next = corners.iter().skip(1).chain(corners.first());
        for (&from, &to) in corners.iter().zip(next) {
            self.cross(from, to);
        }
        self.crossings
            .sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let crossings = std::mem::take(&mut self.crossings);
        // Each line is crossed an even number of times.
        for pair in crossings.chunks_exact(2) {
            self.span(pair[0].0 / LINES, pair[0].1, pair[1].1);
        }
        self.crossings = crossings;
    }

    /// Notes where an edge meets lines. It owns its upper end and not its lower
    /// one, so that a corner on a line counts once or twice, as it should.
    fn cross(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (upper, lower) = if from.1 < to.1 {
            (from, to)
        } else {
            (to, from)
        };
        // Line number l is at height (l + ½)/LINES.
        let line = |y: f64| {
            (y * LINES as f64 - 0.5)
                .ceil()
                .clamp(0.0, (LINES * SIDE) as f64)
        };
        let slope = (lower.0 - upper.0) / (lower.1 - upper.1);
        for line in line(upper.1) as usize..line(lower.1) as usize {
            let y = (line as f64 + 0.5) / LINES as f64;
            self.crossings.push((line, upper.0 + (y - upper.1) * slope));
        }
    }

    /// Covers one line of a row from `start` to `end`.
    fn span(&mut self, row: usize, start: f64, end: f64) {
        let width = SIDE as f64;
        let (start, end) = (start.clamp(0.0, width), end.clamp(0.0, width));
        let pixels = &mut self.coverage[row * SIDE..][..SIDE];
        let first = start as usize;
        for (column, pixel) in pixels.iter_mut().enumerate().skip(first) {
            let left = column as f64;
            if left >= end {
                break;
            }
            *pixel += (end.min(left + 1.0) - start.max(left)) / LINES as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(corners: &[(f64, f64)]) -> [f64; PIXELS] {
        let mut raster = Raster::new();
        raster.fill(corners);
        *raster.coverage()
    }

    #[test]
    fn a_rectangle_covers_its_pixels_and_shares_of_others() {
        let corners = [(2.0, 3.0), (5.5, 3.0), (5.5, 4.5), (2.0, 4.5)];
        let coverage = filled(&corners);
        let row = |row: usize| coverage[row * SIDE..][..7].to_vec();
        assert_eq!(row(2), [0.0; 7]);
        assert_eq!(row(3), [0.0, 0.0, 1.0, 1.0, 1.0, 0.5, 0.0]);
        assert_eq!(row(4), [0.0, 0.0, 0.5, 0.5, 0.5, 0.25, 0.0]);
        assert_eq!(row(5), [0.0; 7]);
    }

    #[test]
    fn a_triangle_has_its_area_and_what_is_outside_is_cut_off() {
        let triangle = [(4.0, 20.0), (20.0, 20.0), (12.0, 4.0)];
        let area: f64 = filled(&triangle).iter().sum();
        assert!((area - 128.0).abs() < 1.0, "{area}");
        let beyond = [(-10.0, -10.0), (50.0, -10.0), (50.0, 50.0), (-10.0, 50.0)];
        assert!(
            filled(&beyond)
                .iter()
                .all(|share| (share - 1.0).abs() < 1e-6)
        );
    }
}
