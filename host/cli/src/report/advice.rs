//! What to train next, and whether to, in sentences.

mod absent;

use flops_fit_scaling::design::{Advice, Aim, Gain, Proposal};
use flops_fit_scaling::quantity::{count, flops, loss};

pub use absent::absent;

/// Relative difference in N and in D below which two runs are of one configuration:
/// steps are whole, so a planned run's D is that of its budget within a per cent or two.
const SAME: f64 = 0.05;

/// What is known of a run that could be advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// The plan holds it, or another seed of it.
    Planned,
    /// It was trained with every seed that is planned: another one would be new.
    Trained,
}

/// How well the answer is known and whether that is enough; then, unless it is, the
/// best next runs. `unit` is what D counts, `runs` those that are planned or trained.
pub fn sentences(advice: &Advice, unit: &str, runs: &[(Proposal, Known)]) -> Vec<String> {
    let mut sentences = vec![known(advice)];
    if advice.stop {
        return sentences;
    }
    let line = |what: &str, gain: &Gain| {
        let Proposal { n, d, c } = gain.run;
        let remark = match nearest(&gain.run, runs) {
            None => "",
            Some(Known::Planned) => " (planned already)",
            Some(Known::Trained) => " (trained already: with another seed)",
        };
        format!(
            "{what}: N = {}, D = {} {unit}, {} FLOPs; that narrows by {:.1} %{remark}",
            count(n),
            count(d),
            flops(c),
            100.0 * gain.narrowing,
        )
    };
    match (&advice.next, &advice.widest) {
        (Some(next), Some(widest)) if next.run == widest.run => {
            sentences.push(line("best next run", next));
        }
        (next, widest) => {
            sentences.extend(
                next.iter()
                    .map(|gain| line("best next run for its FLOPs", gain)),
            );
            let line = |gain| line("best next run whatever it costs", gain);
            sentences.extend(widest.iter().map(line));
        }
    }
    sentences
}

/// What is known of the run nearest to `run`, where it is of the same configuration. Of
/// several seeds one that is still to be trained counts.
fn nearest(run: &Proposal, runs: &[(Proposal, Known)]) -> Option<Known> {
    let off = |other: &Proposal| {
        let off = [other.n / run.n, other.d / run.d].map(|ratio| ratio.ln().abs());
        off[0].max(off[1])
    };
    let near = runs.iter().map(|(other, known)| (off(other), *known));
    let near = near.filter(|(off, _)| *off < SAME);
    let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    nearest.map(|(_, known)| known)
}

fn known(advice: &Advice) -> String {
    let (what, within): (_, fn(f64) -> String) = match advice.aim {
        Aim::N => ("N*", |half| format!("×/÷ {:.2}", half.exp())),
        Aim::Loss => ("L*", |half| format!("± {}", loss(half))),
    };
    let known = format!(
        "{what} at {} FLOPs is known within {} (95 %)",
        flops(advice.target),
        within(advice.half_width)
    );
    let Some(wish) = advice.wish.map(within) else {
        return format!("{known}; a wish (analysis.wish, --wish) says when that is enough");
    };
    match advice.remaining {
        _ if advice.stop => format!("{known}, {wish} was wished: nothing more has to be trained"),
        Some(remaining) => format!(
            "{known}; the wished {wish} is about {} run{} and {} FLOPs away",
            remaining.runs,
            if remaining.runs == 1 { "" } else { "s" },
            flops(remaining.flops)
        ),
        None => format!(
            "{known}; the wished {wish} is out of reach of 500 more runs up to ten times the largest budget"
        ),
    }
}

#[cfg(test)]
mod tests {
    use flops_fit_scaling::design::Remaining;

    use super::*;

    fn gain(n: f64, narrowing: f64) -> Gain {
        let run = Proposal {
            n,
            d: 20.0 * n,
            c: 120.0 * n * n,
        };
        Gain {
            run,
            narrowing,
            per_flop: narrowing / run.c,
        }
    }

    fn advice() -> Advice {
        Advice {
            target: 1e13,
            aim: Aim::N,
            half_width: 0.4,
            wish: None,
            stop: false,
            next: Some(gain(58e3, 0.031)),
            widest: Some(gain(1.2e5, 0.08)),
            remaining: None,
        }
    }

    #[test]
    fn open_without_a_wish() {
        let runs = [
            (gain(58.4e3, 0.0).run, Known::Planned),
            (gain(1.2e5, 0.0).run, Known::Trained),
        ];
        assert_eq!(
            sentences(&advice(), "tokens", &runs),
            [
                "N* at 1e13 FLOPs is known within ×/÷ 1.49 (95 %); a wish (analysis.wish, --wish) says when that is enough",
                "best next run for its FLOPs: N = 58k, D = 1.16M tokens, 4.04e11 FLOPs; that narrows by 3.1 % (planned already)",
                "best next run whatever it costs: N = 120k, D = 2.4M tokens, 1.73e12 FLOPs; that narrows by 8.0 % (trained already: with another seed)",
            ]
        );
    }

    #[test]
    fn of_several_seeds_the_one_to_be_trained_counts_and_neighbours_do_not() {
        let run = |n| gain(n, 0.0).run;
        let seeds = [(run(1e5), Known::Trained), (run(1e5), Known::Planned)];
        assert_eq!(nearest(&run(1.01e5), &seeds), Some(Known::Planned));
        let sizes = [(run(1.04e5), Known::Planned), (run(1e5), Known::Trained)];
        assert_eq!(nearest(&run(1.01e5), &sizes), Some(Known::Trained));
        assert_eq!(nearest(&run(2e5), &sizes), None);
    }

    #[test]
    fn wishes() {
        let check = |advice: Advice, expected: &[&str]| {
            assert_eq!(sentences(&advice, "tokens", &[]), expected);
        };
        let loss = Advice {
            aim: Aim::Loss,
            half_width: 0.02,
            wish: Some(0.01),
            widest: advice().next,
            ..advice()
        };
        check(
            Advice {
                remaining: Some(Remaining {
                    runs: 1,
                    flops: 3e12,
                }),
                ..loss.clone()
            },
            &[
                "L* at 1e13 FLOPs is known within ± 0.020 (95 %); the wished ± 0.010 is about 1 run and 3e12 FLOPs away",
                "best next run: N = 58k, D = 1.16M tokens, 4.04e11 FLOPs; that narrows by 3.1 %",
            ],
        );
        check(
            Advice {
                next: None,
                widest: None,
                ..loss.clone()
            },
            &[
                "L* at 1e13 FLOPs is known within ± 0.020 (95 %); the wished ± 0.010 is out of reach of 500 more runs up to ten times the largest budget",
            ],
        );
        check(
            Advice {
                half_width: 0.009,
                stop: true,
                ..loss
            },
            &[
                "L* at 1e13 FLOPs is known within ± 0.009 (95 %), ± 0.010 was wished: nothing more has to be trained",
            ],
        );
    }
}
