//! Spans of time as people say them.

/// `8 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`; `< 1 s` where it is some time, but rounds
/// to none.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 0.5 {
        return "< 1 s".to_owned();
    }
    let seconds = seconds.max(0.0).round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |a: u64, unit: &str, b: u64, smaller: &str| match b {
        0 => format!("{a} {unit}"),
        _ => format!("{a} {unit} {b} {smaller}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two(minutes, "min", seconds % 60, "s"),
        3600..86_400 => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_at_most_and_some_time_is_not_none() {
        for (seconds, expected) in [
            (-1.0, "0 s"),
            (0.0, "0 s"),
            (1e-9, "< 1 s"),
            (0.49, "< 1 s"),
            (0.5, "1 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (125.0, "2 min 5 s"),
            (12_000.0, "3 h 20 min"),
            (187_200.0, "2 d 4 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
