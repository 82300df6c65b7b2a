//! What stands beside the answer: tolerance, cost, influence, conventions, advice.

use flops_fit_scaling::design::Wish;
use flops_fit_scaling::influence::{Change, Influence};
use flops_fit_scaling::simulate::{Truth, noisy};
use flops_fit_scaling::{Analysis, Frontier, Method, Options, Run, analyze};

const BUDGETS: [f64; 5] = [1e18, 3e18, 1e19, 3e19, 1e20];
const C: f64 = 1e21;

fn truth() -> Truth {
    Truth::with_exponents(0.34, 0.3, 1e19, 0.9)
}

fn sweep(noise: f64) -> Vec<Run> {
    noisy(&truth().sweep(&BUDGETS, 7, 4.0, 1.0, 1), noise, 4, 0)
}

fn options() -> Options {
    Options {
        targets: vec![C],
        price: Some("2 EUR per 1e18".parse().unwrap()),
        ..Options::default()
    }
}

fn analyzed(runs: &[Run], options: &Options) -> Analysis {
    analyze(runs, options).unwrap()
}

#[test]
fn a_band_surrounds_every_optimum() {
    let analysis = analyzed(&sweep(0.005), &options());
    let half = (2.0 * 1.01_f64.ln() / 0.64).sqrt();
    for at in analysis.predictions.iter().chain(&analysis.frontier) {
        let [low, high] = at.tolerance.unwrap();
        assert!(low < at.n && at.n < high);
        let found = (high / low).ln() / 2.0;
        assert!((found / half - 1.0).abs() < 0.25, "{found} for {half}");
    }
    let surface = &analysis.fitted(Method::ParametricMse).unwrap().predictions[0];
    let [low, high] = surface.tolerance.unwrap();
    assert!(low < surface.n && surface.n < high);
}

#[test]
fn the_recommendation_is_priced_under_every_law_and_every_size_under_the_best() {
    let analysis = analyzed(&sweep(0.005), &options());
    let best = analysis.recommended.as_ref().unwrap().method;
    let laws = analysis.laws().count();
    let recommended: Vec<_> = analysis
        .detours
        .iter()
        .filter(|d| d.followed.is_none())
        .collect();
    assert_eq!(recommended.len(), laws);
    let others: Vec<_> = analysis
        .detours
        .iter()
        .filter(|d| d.followed.is_some())
        .collect();
    assert_eq!(others.len(), laws - 1);
    assert!(others.iter().all(|d| d.truth == best));
    for detour in &analysis.detours {
        let extra = detour.extra.unwrap();
        assert!((0.0..0.5 * C).contains(&extra), "{detour:?}");
        assert!((detour.money.unwrap() / (2.0 * extra / 1e18) - 1.0).abs() < 1e-9 || extra <= 0.0);
    }
    assert_eq!(
        analysis.predictions[0].n.to_bits(),
        recommended[0].n.to_bits()
    );
}

#[test]
fn budgets_and_bad_runs_are_in_the_table_of_influences() {
    let mut runs = sweep(0.003);
    runs[34].loss += 0.1;
    let analysis = analyzed(&runs, &options());
    let left_out: Vec<usize> = analysis.left_out.iter().map(|one| one.run).collect();
    assert_eq!(left_out, [34]);
    let budgets = analysis
        .influence
        .iter()
        .filter(|influence| matches!(influence.change, Change::WithoutBudget { .. }));
    assert_eq!(budgets.count(), BUDGETS.len());
    let back = analysis
        .influence
        .iter()
        .find(|influence| influence.change == Change::WithRuns { runs: vec![34] })
        .unwrap();
    assert!(back.ln_n.unwrap().abs() > 0.01, "{back:?}");
    let moves = |influence: &Influence| influence.ln_n.map_or(f64::INFINITY, f64::abs);
    assert!(analysis.influence.is_sorted_by(|a, b| moves(a) >= moves(b)));
}

#[test]
fn a_second_count_of_n_is_fitted_beside_the_first() {
    let mut runs = sweep(0.003);
    assert!(analyzed(&runs, &options()).conventions.is_empty());
    for run in &mut runs {
        run.counts
            .insert("all".to_owned(), run.n + 3e4 * run.n.sqrt());
    }
    let conventions = analyzed(&runs, &options()).conventions;
    let names: Vec<_> = conventions
        .iter()
        .map(|fit| fit.convention.n.as_deref())
        .collect();
    assert!(
        names.contains(&None) && names.contains(&Some("all")),
        "{names:?}"
    );
    let own = truth().optimum(C).n;
    for fit in &conventions {
        assert!((fit.n / own).ln().abs() < 0.5, "{fit:?} {own}");
    }
}

#[test]
fn advice_follows_the_wish() {
    let advice = |wish| {
        let options = Options { wish, ..options() };
        analyzed(&sweep(0.005), &options).advice.unwrap()
    };
    let open = advice(Wish::default());
    assert!(!open.stop && open.next.unwrap().narrowing > 0.0 && open.remaining.is_none());
    let width = open.half_width.exp();
    assert!(
        advice(Wish {
            n: Some(1.1 * width),
            loss: None
        })
        .stop
    );
    let more = advice(Wish {
        n: Some(1.0 + 0.8 * (width - 1.0)),
        loss: None,
    });
    assert!(!more.stop && more.remaining.unwrap().runs > 0);
}
