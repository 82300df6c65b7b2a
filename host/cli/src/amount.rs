//! Amounts of compute as people write them: `3e18`, `10 PFLOP-days`, `2 h`.

use std::str::FromStr;

/// An amount of compute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// FLOPs.
    Flops(f64),
    /// Seconds of this machine, which take a rate to be FLOPs.
    Seconds(f64),
}

/// A text that is no amount of compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of FLOPs above 0, such as 3e18, \"200 TFLOP\" or \"10 PFLOP-days\"")]
pub struct NoAmount;

const PREFIXES: [(&str, f64); 9] = [
    ("", 1.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Z", 1e21),
    ("Y", 1e24),
];

const TIMES: [(&[&str], f64); 4] = [
    (&["s", "second", "seconds"], 1.0),
    (&["min", "minute", "minutes"], 60.0),
    (&["h", "hour", "hours"], 3600.0),
    (&["d", "day", "days"], 86_400.0),
];

impl FromStr for Amount {
    type Err = NoAmount;

    /// A number, then nothing or `FLOPs`, a unit of time, or a rate for a time:
    /// `PFLOP-days` and `PFLOP/s-days` are both 1e15 FLOP/s over a day.
    fn from_str(text: &str) -> Result<Self, NoAmount> {
        let text = text.trim();
        let (number, unit) = split(text);
        let number: f64 = number.parse().map_err(|_| NoAmount)?;
        let amount = if unit.is_empty() {
            Self::Flops(number)
        } else if let Some(seconds) = time(unit) {
            Self::Seconds(number * seconds)
        } else {
            Self::Flops(number * compute(unit).ok_or(NoAmount)?)
        };
        let (Self::Flops(size) | Self::Seconds(size)) = amount;
        if size.is_finite() && size > 0.0 {
            Ok(amount)
        } else {
            Err(NoAmount)
        }
    }
}

/// The longest beginning that is a number, and the rest without spaces around it.
fn split(text: &str) -> (&str, &str) {
    let ends = text.char_indices().map(|(at, _)| at).skip(1);
    let end = ends
        .chain([text.len()])
        .filter(|&end| text[..end].parse::<f64>().is_ok())
        .last()
        .unwrap_or(0);
    (&text[..end], text[end..].trim())
}

fn time(unit: &str) -> Option<f64> {
    TIMES
        .into_iter()
        .find(|(names, _)| names.contains(&unit))
        .map(|(_, seconds)| seconds)
}

/// FLOPs of one `unit`, such as `TFLOP` or `PFLOP/s-days`.
fn compute(unit: &str) -> Option<f64> {
    let at = unit.find("FLOP")?;
    let (prefix, rest) = (&unit[..at], &unit[at + "FLOP".len()..]);
    let (_, scale) = PREFIXES.into_iter().find(|(name, _)| *name == prefix)?;
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    if rest.is_empty() {
        return Some(scale);
    }
    let rest = rest.strip_prefix("/s").unwrap_or(rest);
    let span = rest.strip_prefix('-')?;
    Some(scale * time(span)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flops_and_times() {
        let day = 86_400.0;
        for (text, expected) in [
            ("3e18", Amount::Flops(3e18)),
            ("200 TFLOP", Amount::Flops(2e14)),
            ("200TFLOPs", Amount::Flops(2e14)),
            ("1.5 EFLOP", Amount::Flops(1.5e18)),
            ("7 FLOPs", Amount::Flops(7.0)),
            ("10 PFLOP-days", Amount::Flops(1e16 * day)),
            ("10 PFLOP/s-days", Amount::Flops(1e16 * day)),
            ("1 PFLOPs-day", Amount::Flops(1e15 * day)),
            ("2 TFLOP/s-hours", Amount::Flops(2e12 * 3600.0)),
            ("2 h", Amount::Seconds(7200.0)),
            ("90min", Amount::Seconds(5400.0)),
            ("1e3 s", Amount::Seconds(1000.0)),
            ("0.5 days", Amount::Seconds(0.5 * day)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount() {
        for text in [
            "",
            "h",
            "-1e18",
            "0",
            "nan",
            "inf",
            "1e400",
            "2 PFLOP/s",
            "3 flop",
            "5 QFLOP",
            "5 PFLOP-years",
            "5 PFLOP days",
            "1e18 1e18",
            "3e18x",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(NoAmount), "{text}");
        }
    }
}
