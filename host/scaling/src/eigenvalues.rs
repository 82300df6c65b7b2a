//! Eigenvalues of a surface's five by five matrices.

use nalgebra::{Matrix5, SymmetricEigen, Vector5};

/// Rotations, more than any such matrix of numbers needs by far.
const ENOUGH: usize = 1000;

/// The eigenvalues; `None` where some entry is no number, for which the search would
/// not end.
pub(crate) fn eigenvalues(matrix: Matrix5<f64>) -> Option<Vector5<f64>> {
    if !matrix.iter().all(|value| value.is_finite()) {
        return None;
    }
    SymmetricEigen::try_new(matrix, f64::EPSILON, ENOUGH).map(|found| found.eigenvalues)
}
