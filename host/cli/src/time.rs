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

/// `about 8 s`, and `< 1 s` as it is.
pub(crate) fn about(seconds: f64) -> String {
    let words = duration(seconds);
    if words.starts_with('<') {
        words
    } else {
        format!("about {words}")
    }
}

/// A time that someone has written down: no shorter than it is, so in seconds where two
/// units leave something out.
pub(crate) fn given(seconds: f64) -> String {
    let unit = match seconds {
        ..3600.0 => 1.0,
        3600.0..86_400.0 => 60.0,
        _ => 3600.0,
    };
    let units = seconds / unit;
    if (units - units.round()).abs() <= 1e-9 * units {
        return duration(seconds);
    }
    // What is behind the ninth digit comes from hours and days that became seconds.
    let rounded: f64 = format!("{seconds:.8e}").parse().unwrap_or(seconds);
    format!("{rounded} s")
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

    #[test]
    fn less_than_a_second_is_not_about() {
        assert_eq!(about(0.2), "< 1 s");
        assert_eq!(about(0.0), "about 0 s");
        assert_eq!(about(125.0), "about 2 min 5 s");
    }

    #[test]
    fn what_was_written_is_said_in_full() {
        for (seconds, expected) in [
            (0.25, "0.25 s"),
            (0.1 + 0.2, "0.3 s"),
            (1e-5, "0.00001 s"),
            (1.5, "1.5 s"),
            (90.0, "1 min 30 s"),
            (100.5, "100.5 s"),
            (1.1 * 3600.0, "1 h 6 min"),
            (3630.0, "3630 s"),
            (2.0 * 86_400.0, "2 d"),
            (1_234_567.0, "1234567 s"),
        ] {
            assert_eq!(given(seconds), expected);
        }
    }
}
