//! Numbers as the tables write them.

use flops_fit_scaling::quantity::{count, flops};
use flops_fit_scaling::{Interval, Prediction, Quantity};

use crate::report::sheet::Cell;

/// What stands where there is nothing to tell.
pub(super) const NOTHING: &str = "–";

/// An estimate with its bounds in brackets.
pub(super) fn with_bounds(interval: &Interval, show: impl Fn(f64) -> String) -> Cell {
    let show = |value: f64| show(value).replace('-', "−");
    // A dash between two minus signs can't be read.
    let between = if interval.low < 0.0 { " to " } else { "–" };
    let text = format!(
        "{} ({}{between}{})",
        show(interval.estimate),
        show(interval.low),
        show(interval.high)
    );
    Cell::interval(interval, text)
}

/// A predicted quantity with its interval; bounds that are the estimate where it has
/// none.
pub(in crate::report) fn interval(prediction: &Prediction, quantity: Quantity) -> Interval {
    let estimate = prediction.value(quantity);
    prediction.interval(quantity).unwrap_or(Interval {
        estimate,
        low: estimate,
        high: estimate,
    })
}

/// A predicted quantity with its bounds where it has some.
pub(super) fn predicted(
    prediction: &Prediction,
    quantity: Quantity,
    show: impl Fn(f64) -> String,
) -> Cell {
    match prediction.interval(quantity) {
        Some(interval) => with_bounds(&interval, show),
        None => plain(prediction.value(quantity), show),
    }
}

/// Sizes that cost little more than N*, where some law knows them.
pub(super) fn tolerance(prediction: &Prediction) -> Cell {
    match prediction.tolerance {
        Some([low, high]) => Cell::range([low, high], format!("{}–{}", count(low), count(high))),
        None => NOTHING.into(),
    }
}

/// A number as `show` writes it.
pub(super) fn plain(value: f64, show: impl Fn(f64) -> String) -> Cell {
    Cell::number(value, show(value).replace('-', "−"))
}

/// An exponent as it stands in a formula.
pub(super) fn exponent(value: f64) -> String {
    format!("{value:.3}").replace('-', "−")
}

/// A prefactor: three significant digits, scientific outside 0.01…1000.
pub(super) fn coefficient(value: f64) -> String {
    if (1000.0..1e6).contains(&value) {
        count(value)
    } else if (0.01..1000.0).contains(&value) {
        let decimals = (2 - value.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        flops(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients() {
        for (value, expected) in [
            (0.0123, "0.0123"),
            (0.5, "0.500"),
            (2.0, "2.00"),
            (83.12, "83.1"),
            (999.0, "999"),
            (14_200.0, "14.2k"),
            (0.002, "2e-3"),
            (3e9, "3e9"),
        ] {
            assert_eq!(coefficient(value), expected);
        }
    }

    #[test]
    fn bounds_below_zero_are_told_apart() {
        let check = |estimate, low, high, expected: &str| {
            let interval = Interval {
                estimate,
                low,
                high,
            };
            assert_eq!(with_bounds(&interval, |x| format!("{x:.1}")).text, expected);
        };
        check(2.0, 1.0, 3.0, "2.0 (1.0–3.0)");
        check(-0.5, -0.8, 0.1, "−0.5 (−0.8 to 0.1)");
    }
}
