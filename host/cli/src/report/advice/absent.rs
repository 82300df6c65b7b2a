//! Why there is no advice.

use flops_fit_scaling::quantity::flops;
use flops_fit_scaling::{Analysis, Method};

use crate::report::note::{NoLaw, recommended};

/// Methods whose surface tells what a run is worth.
const SURFACES: [Method; 2] = [Method::ParametricMse, Method::ParametricHuber];

/// Why an analysis that has no advice has none, as a phrase.
pub fn absent(fits: &Analysis) -> String {
    if let Err(no_laws) = recommended(fits) {
        return no_laws.to_string();
    }
    if fits.options.bootstrap.draws == 0 {
        return "intervals are switched off (analysis.draws = 0), and narrowing them is what a \
                run is worth"
            .to_owned();
    }
    let near = fits.predictions.iter().filter(|at| !at.is_far);
    let Some(at) = near.max_by(|a, b| a.c.total_cmp(&b.c)) else {
        return "every target is more than two decades outside the budgets that were trained"
            .to_owned();
    };
    if at.ci95.is_none() {
        return format!(
            "too few refits have a law for an interval of the answer at {} FLOPs",
            flops(at.c)
        );
    }
    let surfaces = NoLaw::all(fits).into_iter().filter(|group| {
        let mut methods = group.methods.iter();
        methods.any(|method| SURFACES.contains(method))
    });
    let surfaces: Vec<String> = surfaces.map(|group| group.to_string()).collect();
    if surfaces.is_empty() {
        return "the runs do not determine a surface, which tells what another run is worth"
            .to_owned();
    }
    format!(
        "no surface tells what another run is worth: {}",
        surfaces.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use flops_fit_scaling::{Bootstrap, Options, analyze};

    use super::*;
    use crate::report::runs::Row;
    use crate::report::sample;

    fn why(rows: &[Row], options: &Options) -> String {
        let runs: Vec<_> = rows.iter().filter_map(Row::to_run).collect();
        let fits = analyze(&runs, options).expect("can be fitted");
        assert_eq!(fits.advice, None);
        absent(&fits)
    }

    #[test]
    fn each_reason_is_told() {
        let rows = sample::rows(1);
        let draws = |draws| Bootstrap {
            draws,
            ..Bootstrap::default()
        };
        let check = |rows: &[Row], options: &Options, expected: &str| {
            let found = why(rows, options);
            assert!(found.contains(expected), "{expected}: {found}");
        };
        check(
            &rows[..4],
            &Options::default(),
            "no method has a law: isoflop_cubic, isoflop_parabola",
        );
        let none = Options {
            bootstrap: draws(0),
            ..Options::default()
        };
        check(&rows, &none, "analysis.draws = 0");
        let far = Options {
            bootstrap: draws(20),
            targets: vec![1e15],
            ..Options::default()
        };
        check(&rows, &far, "more than two decades outside");
    }
}
