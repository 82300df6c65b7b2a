//! Axes' scales and where their ticks stand.

use flops_fit_scaling::quantity;

use super::text::power_of_ten;

/// Ratio of a logarithmic scale's ends below which its ticks are evenly spaced
/// numbers: powers of ten would leave it without any.
const NARROW: f64 = 4.0;

/// From value to position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Linear { low: f64, high: f64 },
    Log { low: f64, high: f64 },
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// 10k, 30k.
    Counts,
    /// 10¹¹.
    Powers,
    /// 1.65.
    Decimals,
}

/// Where ticks stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    /// With what is written beside them.
    pub(super) major: Vec<(f64, String)>,
    pub(super) minor: Vec<f64>,
}

impl Scale {
    /// A logarithmic scale over all values with `margin` (a share of the whole
    /// range) on both sides. Values that are not finite and positive don't count.
    pub(super) fn log_around(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let logs = values.into_iter().filter(|v| *v > 0.0).map(f64::ln);
        let (low, high) = around(logs, margin, 0.1);
        Self::Log {
            low: low.exp(),
            high: high.exp(),
        }
    }

    /// A linear scale in the same way.
    pub(super) fn linear_around(values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let largest = values
            .iter()
            .filter(|value| value.is_finite())
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        // Values that agree in three digits get an axis around them all the same.
        let least = if largest > 0.0 { 1e-3 * largest } else { 1e-3 };
        let (low, high) = around(values, margin, least);
        Self::Linear { low, high }
    }

    pub(super) fn ends(self) -> (f64, f64) {
        match self {
            Self::Linear { low, high } | Self::Log { low, high } => (low, high),
        }
    }

    /// The share of the axis below `value`.
    pub(super) fn share(self, value: f64) -> f64 {
        match self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => (value / low).ln() / (high / low).ln(),
        }
    }

    /// Whether `value` is on the axis, the last bit of its ends forgiven.
    pub(super) fn contains(self, value: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.share(value))
    }

    /// At most `most` labelled ticks, and small ones between.
    pub(super) fn ticks(self, numbers: Numbers, most: usize) -> Ticks {
        let (low, high) = self.ends();
        match self {
            Self::Log { .. } if high / low >= NARROW => log_ticks(low, high, numbers, most),
            _ => even_ticks(low, high, numbers, most),
        }
    }
}

fn around(values: impl IntoIterator<Item = f64>, margin: f64, least: f64) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high - low < least {
        least
    } else {
        (high - low) * margin
    };
    (low - room, high + room)
}

fn log_ticks(low: f64, high: f64, numbers: Numbers, most: usize) -> Ticks {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let at = |leads: &[f64], every: i32| -> Vec<f64> {
        (first..=last)
            .filter(|decade| decade % every == 0)
            .flat_map(|decade| leads.iter().map(move |lead| lead * 10_f64.powi(decade)))
            .filter(|value| (low..=high).contains(value))
            .collect()
    };
    let dense: &[&[f64]] = match numbers {
        // 2×10¹¹ takes too much room to stand between powers of ten.
        Numbers::Powers => &[&[1.0, 3.0], &[1.0]],
        _ => &[&[1.0, 2.0, 3.0, 5.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]],
    };
    let enough = match numbers {
        Numbers::Powers if at(&[1.0], 1).len() >= 2 => &dense[1..],
        _ => dense,
    };
    let major = enough
        .iter()
        .map(|leads| at(leads, 1))
        .chain([2, 3, 5].map(|every| at(&[1.0], every)))
        .find(|ticks| ticks.len() <= most)
        .unwrap_or_default();
    let minor = if last - first <= 8 {
        at(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1)
    } else {
        at(&[1.0], 1)
    };
    Ticks {
        minor: minor
            .into_iter()
            .filter(|tick| !major.contains(tick))
            .collect(),
        major: major
            .into_iter()
            .map(|tick| (tick, label(tick, numbers, 0)))
            .collect(),
    }
}

/// Steps between even ticks: leading digits, further decimals that they take,
/// and into how many parts small ticks divide them.
const STEPS: [(f64, usize, f64); 5] = [
    (1.0, 0, 5.0),
    (2.0, 0, 4.0),
    (2.5, 1, 5.0),
    (5.0, 0, 5.0),
    (10.0, 0, 5.0),
];

fn even_ticks(low: f64, high: f64, numbers: Numbers, most: usize) -> Ticks {
    let power = 10_f64.powf(((high - low) / most as f64).log10().floor());
    let fits = |(lead, _, _): &(f64, usize, f64)| {
        let step = lead * power;
        (high / step).floor() - (low / step).ceil() < most as f64
    };
    let (lead, further, parts) = STEPS.into_iter().find(fits).unwrap_or(STEPS[4]);
    let step = lead * power;
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize + further;
    let multiples = |step: f64| {
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        (first..=last).map(move |i| i as f64 * step)
    };
    Ticks {
        major: multiples(step)
            .map(|tick| (tick, label(tick, numbers, decimals)))
            .collect(),
        minor: multiples(step / parts)
            .filter(|tick| ((tick / step) - (tick / step).round()).abs() > 1e-6)
            .collect(),
    }
}

/// Most decimals of a number on a logarithmic axis: with more a power of ten is shorter.
const FEW: f64 = 4.0;

fn label(value: f64, numbers: Numbers, decimals: usize) -> String {
    match numbers {
        Numbers::Counts => quantity::count(value),
        Numbers::Powers => power_of_ten(value),
        // Of a logarithmic axis, whose numbers have one digit that is not 0.
        Numbers::Decimals if decimals == 0 && value.fract() != 0.0 => {
            let decimals = -(value.log10() + 1e-9).floor();
            if decimals > FEW {
                return power_of_ten(value);
            }
            format!("{value:.*}", decimals as usize)
        }
        Numbers::Decimals => format!("{value:.decimals$}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scale: Scale, numbers: Numbers, most: usize, expected: &str) {
        let ticks = scale.ticks(numbers, most);
        let labels: Vec<String> = ticks.major.into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels.join(" "), expected);
        assert!(ticks.minor.iter().all(|tick| scale.contains(*tick)));
    }

    #[test]
    fn ticks_are_round_numbers() {
        let log = |low, high| Scale::Log { low, high };
        check(
            log(1.5e3, 1.9e5),
            Numbers::Counts,
            6,
            "2k 5k 10k 20k 50k 100k",
        );
        check(log(1.5e3, 1.9e5), Numbers::Counts, 5, "3k 10k 30k 100k");
        check(
            log(8e9, 4e12),
            Numbers::Powers,
            6,
            "10^{10} 10^{11} 10^{12}",
        );
        check(
            log(2e10, 4e11),
            Numbers::Powers,
            6,
            "3×10^{10} 10^{11} 3×10^{11}",
        );
        check(
            log(1e3, 1e15),
            Numbers::Counts,
            6,
            "10k 1M 100M 10B 1T 100T",
        );
        check(
            log(1.13, 2.55),
            Numbers::Decimals,
            6,
            "1.25 1.50 1.75 2.00 2.25 2.50",
        );
        // Learning rates.
        check(
            log(4e-4, 0.04),
            Numbers::Decimals,
            7,
            "0.0005 0.001 0.002 0.005 0.01 0.02",
        );
        check(log(0.2, 5.0), Numbers::Decimals, 5, "0.2 0.5 1 2 5");
        check(
            log(1e-6, 1.5e-3),
            Numbers::Decimals,
            4,
            "10^{−6} 10^{−5} 0.0001 0.001",
        );
        let linear = |low, high| Scale::Linear { low, high };
        check(linear(1.62, 2.54), Numbers::Decimals, 5, "1.8 2.0 2.2 2.4");
        check(
            linear(0.0, 1.1),
            Numbers::Decimals,
            5,
            "0.00 0.25 0.50 0.75 1.00",
        );
        check(linear(9.0, 52.0), Numbers::Decimals, 5, "10 20 30 40 50");
    }

    #[test]
    fn a_range_without_width_gets_some() {
        let (low, high) = Scale::linear_around([2.0], 0.1).ends();
        assert!(low < 2.0 && high > 2.0);
        let (low, high) = Scale::log_around([], 0.1).ends();
        assert!(low < high);
    }
}
