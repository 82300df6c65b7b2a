//! A run's loss curve, which stands in one cell as JSON.

use flops_fit_scaling::CurvePoint;

/// What such a cell has to hold.
pub(super) const EXPECTED: &str = "a JSON list of points such as [{\"d\": 1e9, \"c\": 6e17, \"loss\": 3.2}], their numbers finite and above 0";

/// The points in a cell; `None` where it holds anything else than [`EXPECTED`].
pub(super) fn points(text: &str) -> Option<Vec<CurvePoint>> {
    let points: Vec<CurvePoint> = serde_json::from_str(text).ok()?;
    let mut numbers = points.iter().flat_map(|at| [at.d, at.c, at.loss]);
    let is_curve = numbers.all(|number| number.is_finite() && number > 0.0);
    is_curve.then_some(points)
}
