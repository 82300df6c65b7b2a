//! Numbers the way papers print them: `57.8k`, `1.2M`, `3e11`.

/// Three significant digits with a metric suffix (k, M, B, T), as parameter and
/// token counts are written. Below a thousand the number stands alone; from
/// 1e15 on it falls back to [`flops`]' notation.
pub fn count(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude.is_nan() || magnitude >= 999.5e12 {
        return flops(value);
    }
    let scaled = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(unit, _)| magnitude >= unit * 0.9995);
    match scaled {
        Some((unit, suffix)) => format!("{}{suffix}", three_digits(value / unit)),
        None => three_digits(value),
    }
}

/// Scientific notation with at most three significant digits and no padding:
/// `1e10`, `3.16e11`, `6e18`.
pub fn flops(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            format!("{mantissa}e{exponent}")
        }
        None => text,
    }
}

/// A loss with three decimals.
pub fn loss(value: f64) -> String {
    format!("{value:.3}")
}

/// A ratio (tokens per parameter) with three significant digits.
pub fn ratio(value: f64) -> String {
    count(value)
}

fn three_digits(value: f64) -> String {
    let magnitude = value.abs();
    let decimals = if magnitude >= 99.95 {
        0
    } else if magnitude >= 9.995 {
        1
    } else {
        2
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (value, expected) in [
            (57_812.0, "57.8k"),
            (1.2e6, "1.2M"),
            (999.6, "1k"),
            (999_700.0, "1M"),
            (20.04, "20"),
            (7.126, "7.13"),
            (512.0, "512"),
            (7e10, "70B"),
            (1.4e12, "1.4T"),
            (2e16, "2e16"),
            (0.0, "0"),
        ] {
            assert_eq!(count(value), expected, "{value}");
        }
    }

    #[test]
    fn compute() {
        for (value, expected) in [(1e10, "1e10"), (3.162e11, "3.16e11"), (6e18, "6e18")] {
            assert_eq!(flops(value), expected);
        }
        assert_eq!(flops(f64::NAN), "NaN");
    }
}
