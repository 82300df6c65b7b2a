//! How much of each observation a fit takes up.

use super::{Linearised, Model};

/// What is left of a column beside the others, as a share of it, below which it says
/// nothing of its own.
const INDEPENDENT: f64 = 1e-12;

/// The leverage of each observation, `w·gᵀ(GᵀWG)⁻¹g`, over the parameters that are
/// not at a bound; 0 where the slopes are no numbers.
pub(crate) fn leverage<const K: usize>(
    model: &impl Model<K>,
    weights: &[f64],
    theta: &[f64; K],
) -> Vec<f64> {
    let n = model.len();
    let mut here = Linearised::new::<K>(n);
    model.linearise(theta, &mut here.residuals, &mut here.slopes);
    let free = model
        .bounds()
        .into_iter()
        .enumerate()
        .filter(|(k, (low, high))| theta[*k] > *low && theta[*k] < *high);
    let columns = free.map(|(k, _)| {
        let slopes = &here.slopes[k * n..(k + 1) * n];
        let column = slopes
            .iter()
            .zip(weights)
            .map(|(slope, w)| w.sqrt() * slope);
        column.collect()
    });
    squared_rows(columns.collect(), n)
}

/// The squared rows of an orthonormal basis of the columns: no normal matrix squares
/// their condition. Gram and Schmidt's way, the longest column first, each made
/// orthogonal twice, which is as good as Householder's.
fn squared_rows(columns: Vec<Vec<f64>>, n: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n];
    let mut columns: Vec<Vec<f64>> = columns.into_iter().filter_map(unit).collect();
    while let Some((longest, length)) = columns
        .iter()
        .map(|column| dot(column, column).sqrt())
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
    {
        if length <= INDEPENDENT {
            break;
        }
        let mut basis = columns.swap_remove(longest);
        for value in &mut basis {
            *value /= length;
        }
        for column in &mut columns {
            for _ in 0..2 {
                let share = dot(column, &basis);
                for (value, along) in column.iter_mut().zip(&basis) {
                    *value -= share * along;
                }
            }
        }
        for (sum, value) in sums.iter_mut().zip(&basis) {
            *sum += value * value;
        }
    }
    sums
}

/// The column at length 1; `None` where it has none.
fn unit(mut column: Vec<f64>) -> Option<Vec<f64>> {
    // Squares of very large and very small numbers are none.
    let largest = column
        .iter()
        .fold(0.0, |most: f64, value| most.max(value.abs()));
    for value in &mut column {
        *value /= largest;
    }
    let length = dot(&column, &column).sqrt();
    for value in &mut column {
        *value /= length;
    }
    column
        .iter()
        .all(|value| value.is_finite())
        .then_some(column)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A straight line's leverages: 1/n + (x − x̄)²/Σ(x − x̄)².
    #[test]
    fn those_of_a_straight_line_in_any_unit() {
        let x = [1.0, 2.0, 4.0, 7.0];
        for unit in [1.0, 1e-170, 1e170] {
            let columns = vec![vec![1.0; 4], x.map(|x| unit * x).to_vec()];
            for (found, x) in squared_rows(columns, 4).into_iter().zip(x) {
                let expected = 0.25 + (x - 3.5_f64).powi(2) / 21.0;
                assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn a_column_that_repeats_another_or_says_nothing_adds_nothing() {
        let one = vec![1.0, 2.0, 3.0];
        let alone = squared_rows(vec![one.clone()], 3);
        let twice = one.iter().map(|x| 2.0 * x).collect();
        let more = squared_rows(vec![one, twice, vec![0.0; 3], vec![f64::NAN; 3]], 3);
        for (a, b) in alone.into_iter().zip(more) {
            assert!((a - b).abs() < 1e-12);
        }
        assert_eq!(squared_rows(vec![vec![f64::INFINITY; 2]], 2), [0.0; 2]);
    }
}
