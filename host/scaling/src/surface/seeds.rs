//! Where to start: variable projection over a grid of (α, β).
//!
//! For fixed exponents the surface is linear in E, A and B, so the best three
//! non-negative values follow from sums over the runs. One pass over the grid
//! costs a handful of products a run and pair of exponents, and leaves no basin
//! out that is wider than a step of 1.2 in an exponent.

use nalgebra::{Matrix3, Vector3};

use super::model::{LEAST_SHARE, Theta};

/// Values of each exponent on the grid.
const STEPS: usize = 24;
/// The grid's smallest and largest exponent.
const RANGE: (f64, f64) = (0.03, 2.5);

/// A point of the grid with the best linear part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed {
    pub(super) theta: Theta,
    /// Weighted sum of squares.
    pub(super) rss: f64,
}

/// The starts, best first: each local minimum of the grid, then the next best
/// points, `count` in all at most. `weight` is that of squared residuals of
/// the loss.
pub(super) fn seeds(x: &[f64], y: &[f64], loss: &[f64], weight: &[f64], count: usize) -> Vec<Seed> {
    let grid = grid(x, y, loss, weight);
    let rss = |i: usize, j: usize| grid[i * STEPS + j].map_or(f64::INFINITY, |seed| seed.rss);
    let is_local_minimum = |i: usize, j: usize| {
        let near = |k: usize| k.saturating_sub(1)..=(k + 1).min(STEPS - 1);
        near(i).all(|p| near(j).all(|q| rss(i, j) <= rss(p, q)))
    };
    let mut ranked: Vec<(bool, Seed)> = (0..STEPS * STEPS)
        .filter_map(|at| Some((!is_local_minimum(at / STEPS, at % STEPS), grid[at]?)))
        .collect();
    ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.rss.total_cmp(&b.1.rss)));
    ranked.truncate(count);
    ranked.sort_by(|a, b| a.1.rss.total_cmp(&b.1.rss));
    ranked.into_iter().map(|(_, seed)| seed).collect()
}

/// One exponent's column and its sums.
struct Column {
    exponent: f64,
    values: Vec<f64>,
    sum: f64,
    square: f64,
    with_loss: f64,
}

fn columns(offsets: &[f64], loss: &[f64], weight: &[f64]) -> Vec<Column> {
    let ratio = (RANGE.1 / RANGE.0).ln() / (STEPS - 1) as f64;
    (0..STEPS)
        .map(|step| {
            let exponent = RANGE.0 * (ratio * step as f64).exp();
            let mut column = Column {
                exponent,
                values: offsets.iter().map(|x| (-exponent * x).exp()).collect(),
                sum: 0.0,
                square: 0.0,
                with_loss: 0.0,
            };
            for ((&value, &loss), &weight) in column.values.iter().zip(loss).zip(weight) {
                column.sum += weight * value;
                column.square += weight * value * value;
                column.with_loss += weight * value * loss;
            }
            column
        })
        .collect()
}

fn grid(x: &[f64], y: &[f64], loss: &[f64], weight: &[f64]) -> Vec<Option<Seed>> {
    let (us, mut vs) = (columns(x, loss, weight), columns(y, loss, weight));
    let total: f64 = weight.iter().sum();
    let sum: f64 = loss.iter().zip(weight).map(|(l, w)| l * w).sum();
    let square: f64 = loss.iter().zip(weight).map(|(l, w)| l * l * w).sum();
    let least = LEAST_SHARE.sqrt() * sum / total;
    for column in &mut vs {
        // The cross products need the weight once.
        for (value, weight) in column.values.iter_mut().zip(weight) {
            *value *= weight;
        }
    }
    let mut grid = Vec::with_capacity(STEPS * STEPS);
    for u in &us {
        for v in &vs {
            let cross: f64 = u.values.iter().zip(&v.values).map(|(a, b)| a * b).sum();
            let normal = Matrix3::new(
                total, u.sum, v.sum, //
                u.sum, u.square, cross, //
                v.sum, cross, v.square,
            );
            let right = Vector3::new(sum, u.with_loss, v.with_loss);
            grid.push(nonnegative(&normal, &right).map(|(parts, gain)| Seed {
                theta: [
                    parts[0],
                    parts[1].max(least).ln(),
                    parts[2].max(least).ln(),
                    u.exponent,
                    v.exponent,
                ],
                rss: square - gain,
            }));
        }
    }
    grid
}

/// Non-negative least squares in three columns from the normal equations: the
/// best of the seven supports. Also the drop in the sum of squares.
fn nonnegative(normal: &Matrix3<f64>, right: &Vector3<f64>) -> Option<(Vector3<f64>, f64)> {
    let mut best: Option<(Vector3<f64>, f64)> = None;
    for support in (1..8_u8).rev() {
        let has = |k: usize| support & (1 << k) != 0;
        let mut matrix = *normal;
        let mut target = *right;
        for k in (0..3).filter(|&k| !has(k)) {
            for j in 0..3 {
                matrix[(k, j)] = 0.0;
                matrix[(j, k)] = 0.0;
            }
            matrix[(k, k)] = 1.0;
            target[k] = 0.0;
        }
        let Some(parts) = matrix.cholesky().map(|factors| factors.solve(&target)) else {
            continue;
        };
        let gain = parts.dot(&target);
        if parts.iter().all(|part| *part >= 0.0) && best.is_none_or(|(_, most)| gain > most) {
            best = Some((parts, gain));
            // All three are positive: no smaller support can do better.
            if support == 7 {
                break;
            }
        }
    }
    best.filter(|(parts, _)| parts.iter().all(|part| part.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_would_be_negative_is_left_out() {
        // Orthogonal columns: each part is its own projection.
        let (parts, gain) =
            nonnegative(&Matrix3::identity(), &Vector3::new(2.0, -1.0, 3.0)).expect("a support");
        assert_eq!(parts, Vector3::new(2.0, 0.0, 3.0));
        assert!((gain - 13.0).abs() < 1e-12);
    }

    #[test]
    fn the_first_seed_is_the_grid_point_nearest_to_the_law() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i % 6) - 2.5).collect();
        let y: Vec<f64> = (0..30).map(|i| f64::from(i / 6) - 2.0).collect();
        let loss: Vec<f64> = x
            .iter()
            .zip(&y)
            .map(|(x, y)| 1.5 + (-0.4 * x).exp() + 0.5 * (-0.3 * y).exp())
            .collect();
        let found = seeds(&x, &y, &loss, &[1.0; 30], 5);
        assert_eq!(found.len(), 5);
        let [e, a, b, alpha, beta] = found[0].theta;
        assert!((alpha / 0.4).ln().abs() < 0.25 && (beta / 0.3).ln().abs() < 0.25);
        assert!((e - 1.5).abs() < 0.5 && a.abs() < 0.5 && (b - 0.5_f64.ln()).abs() < 0.8);
    }
}
