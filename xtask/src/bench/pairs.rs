//! Two sides measured in turn and compared by their medians.

use std::fmt;

use serde_json::json;

use super::load;
use crate::error::Error;

/// What is compared, and what is promised of it.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    /// Name of the benchmark, case included.
    pub(super) name: String,
    /// Unit of every figure of both sides.
    pub(super) unit: &'static str,
    /// What the other side is.
    pub(super) against: &'static str,
    /// Which way a ratio is taken, and its bound.
    pub(super) target: Target,
}

/// A bound on a ratio of medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// theirs / ours, times: we are to be at least so much faster.
    FasterBy(f64),
    /// ours / theirs, times: we are to take at most so much longer.
    LongerBy(f64),
    /// ours / theirs, rates: we are to do at least so much of theirs.
    AtLeast(f64),
    /// ours / theirs, shares: we are to lie between the two, bounds included.
    Between(f64, f64),
}

/// All figures of both sides, in the order in which they were measured.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    contest: Contest,
    ours: Vec<f64>,
    theirs: Vec<f64>,
    load: Vec<Option<f64>>,
}

/// Measures `pairs` times both sides. Which goes first changes from pair to
/// pair: whatever the first leaves behind for the second then cancels.
pub(super) fn interleave(
    contest: Contest,
    pairs: usize,
    mut ours: impl FnMut() -> Result<f64, Error>,
    mut theirs: impl FnMut() -> Result<f64, Error>,
) -> Result<Comparison, Error> {
    let mut ours_first = false;
    together(contest, pairs, || {
        ours_first = !ours_first;
        if ours_first {
            let us = ours()?;
            Ok((us, theirs()?))
        } else {
            let them = theirs()?;
            Ok((ours()?, them))
        }
    })
}

/// Measures `pairs` times both sides by a program that takes turns between
/// them itself: our figure and theirs.
pub(super) fn together(
    contest: Contest,
    pairs: usize,
    mut both: impl FnMut() -> Result<(f64, f64), Error>,
) -> Result<Comparison, Error> {
    let mut comparison = Comparison {
        contest,
        ours: Vec::new(),
        theirs: Vec::new(),
        load: Vec::new(),
    };
    for pair in 1..=pairs {
        let load = load::average();
        let (us, them) = both()?;
        let Contest { name, unit, .. } = &comparison.contest;
        let load_text = load.map_or_else(|| "?".to_owned(), |load| format!("{load:.2}"));
        eprintln!(
            "{name}, pair {pair} of {pairs}: {} {unit} against {} {unit} (load {load_text})",
            digits(us),
            digits(them)
        );
        comparison.ours.push(us);
        comparison.theirs.push(them);
        comparison.load.push(load);
    }
    Ok(comparison)
}

impl Comparison {
    /// The ratio of medians, the way round that the target says.
    pub(super) fn ratio(&self) -> f64 {
        self.ratio_of(median(&self.ours), median(&self.theirs))
    }

    /// The same of each pair, ascending. Where a machine's speed drifts, both sides of a
    /// pair have seen the same of it.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.ours.iter().zip(&self.theirs);
        let mut ratios: Vec<f64> = pairs.map(|(us, them)| self.ratio_of(*us, *them)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    fn ratio_of(&self, ours: f64, theirs: f64) -> f64 {
        match self.contest.target {
            Target::FasterBy(_) => theirs / ours,
            Target::LongerBy(_) | Target::AtLeast(_) | Target::Between(..) => ours / theirs,
        }
    }

    /// Whether the promise is kept.
    pub(super) fn met(&self) -> bool {
        match self.contest.target {
            Target::FasterBy(bound) | Target::AtLeast(bound) => self.ratio() >= bound,
            Target::LongerBy(bound) => self.ratio() <= bound,
            Target::Between(low, high) => (low..=high).contains(&self.ratio()),
        }
    }

    /// All of it, as one object.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let Contest {
            name,
            unit,
            against,
            target,
        } = &self.contest;
        let target = match target {
            Target::FasterBy(bound) | Target::AtLeast(bound) => json!({ "at_least": bound }),
            Target::LongerBy(bound) => json!({ "at_most": bound }),
            Target::Between(low, high) => json!({ "at_least": low, "at_most": high }),
        };
        json!({
            "bench": name,
            "against": against,
            "unit": unit,
            "ours": self.ours,
            "theirs": self.theirs,
            "ours_median": median(&self.ours),
            "theirs_median": median(&self.theirs),
            "ratio": self.ratio(),
            "ratios": self.ratios(),
            "target": target,
            "met": self.met(),
            "load": self.load,
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contest {
            name,
            unit,
            against,
            target,
        } = &self.contest;
        let (ours, theirs) = (median(&self.ours), median(&self.theirs));
        let verdict = if self.met() { "met" } else { "MISSED" };
        write!(
            f,
            "{name}: {} {unit}, {against} {} {unit}: ",
            digits(ours),
            digits(theirs)
        )?;
        let ratio = self.ratio();
        match target {
            Target::FasterBy(bound) => {
                write!(f, "{ratio:.2} times as fast (target {bound:.2}, {verdict})")
            }
            Target::LongerBy(bound) => write!(
                f,
                "{:+.1} % (target at most {:+.1} %, {verdict})",
                (ratio - 1.0) * 100.0,
                (bound - 1.0) * 100.0
            ),
            Target::AtLeast(bound) => {
                write!(f, "{ratio:.2} times as much (target {bound:.2}, {verdict})")
            }
            Target::Between(low, high) => {
                write!(
                    f,
                    "{ratio:.3} of it (target {low:.3} to {high:.3}, {verdict})"
                )
            }
        }?;
        let ratios = self.ratios();
        if let [least, .., most] = ratios[..] {
            let middle = median(&ratios);
            write!(
                f,
                "; single pairs {least:.3} to {most:.3}, half of them below {middle:.3}"
            )?;
        }
        Ok(())
    }
}

/// Five digits of `figure`, as few behind the point as that takes.
fn digits(figure: f64) -> String {
    let before = figure.abs().log10().floor();
    if before > 6.0 {
        return format!("{figure:.4e}");
    }
    format!("{figure:.0$}", (4.0 - before).clamp(0.0, 4.0) as usize)
}

/// The middle figure, or the mean of the two in the middle.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn contest(target: Target) -> Contest {
        Contest {
            name: "step a".to_owned(),
            unit: "ms",
            against: "PyTorch",
            target,
        }
    }

    fn compare(target: Target, ours: &[f64], theirs: &[f64]) -> Comparison {
        let (mut us, mut them) = (ours.iter(), theirs.iter());
        interleave(
            contest(target),
            ours.len(),
            || Ok(*us.next().expect("a figure")),
            || Ok(*them.next().expect("a figure")),
        )
        .expect("figures")
    }

    #[test]
    fn the_median_shrugs_off_one_disturbed_run() {
        let calm = compare(Target::FasterBy(1.2), &[2.0, 2.1, 50.0], &[3.0, 3.1, 2.9]);
        assert!((calm.ratio() - 3.0 / 2.1).abs() < 1e-12);
        assert!(calm.met());
    }

    #[test]
    fn each_target_takes_its_ratio_its_own_way_round() {
        assert!(!compare(Target::FasterBy(1.2), &[3.0], &[3.3]).met());
        assert!(compare(Target::LongerBy(1.03), &[1.02], &[1.0]).met());
        assert!(!compare(Target::LongerBy(1.03), &[1.04], &[1.0]).met());
        assert!(compare(Target::AtLeast(1.0), &[25.0], &[20.0]).met());
        assert!(!compare(Target::AtLeast(1.0), &[15.0], &[20.0]).met());
        assert!(compare(Target::Between(0.93, 0.97), &[0.95], &[1.0]).met());
        assert!(!compare(Target::Between(0.93, 0.97), &[0.98], &[1.0]).met());
    }

    #[test]
    fn a_figure_that_is_none_meets_no_target() {
        assert!(!compare(Target::LongerBy(1.03), &[f64::NAN], &[1.0]).met());
        assert!(!compare(Target::FasterBy(1.0), &[f64::NAN], &[1.0]).met());
    }

    #[test]
    fn sides_take_turns_in_going_first() {
        let order = RefCell::new(String::new());
        let side = |name| {
            let order = &order;
            move || {
                order.borrow_mut().push(name);
                Ok(1.0)
            }
        };
        interleave(contest(Target::FasterBy(1.0)), 3, side('a'), side('b')).expect("figures");
        assert_eq!(*order.borrow(), "abbaab");
    }

    #[test]
    fn figures_of_any_size_can_be_read() {
        for (figure, shown) in [
            (0.0, "0.0000"),
            (0.012_345_6, "0.0123"),
            (5.086_193, "5.0862"),
            (697.5576, "697.56"),
            (17_118.398_8, "17118"),
            (9_876_543.0, "9876543"),
            (1.234_567e22, "1.2346e22"),
        ] {
            assert_eq!(digits(figure), shown);
        }
    }

    #[test]
    fn the_json_has_both_sides_and_the_verdict() {
        let both = compare(Target::LongerBy(1.03), &[1.0, 1.2], &[1.0, 1.0]);
        let told = both.to_string();
        let pairs = "; single pairs 1.000 to 1.200, half of them below 1.100";
        assert!(told.ends_with(pairs), "{told}");
        let json = both.to_json();
        assert_eq!(json["ratios"], json!([1.0, 1.2]));
        assert_eq!(json["ours"], json!([1.0, 1.2]));
        assert_eq!(json["ours_median"], json!(1.1));
        assert_eq!(json["target"], json!({ "at_most": 1.03 }));
        assert_eq!(json["met"], json!(false));
        assert_eq!(json["load"].as_array().map(Vec::len), Some(2));
    }
}
