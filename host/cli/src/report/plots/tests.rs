use resvg::usvg;

use super::*;
use crate::report::sample;

fn curves() -> Vec<LossCurve> {
    (0..6)
        .map(|i| LossCurve {
            n: 2000.0 * 2_f64.powi(i),
            points: (1..80)
                .map(|step| {
                    let c = 1e8 * f64::from(step).powi(2) * 2_f64.powi(i);
                    (c, 1.2 + 40.0 * c.powf(-0.17) * (1.0 + 0.1 * f64::from(i)))
                })
                .collect(),
        })
        .collect()
}

/// The text that an SVG shows, piece by piece.
fn shown(svg: &str) -> Vec<String> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|text| text.split_once('>')?.1.split_once("</text>"))
        .map(|(text, _)| text.trim().to_owned())
        .collect()
}

#[test]
fn figures_say_what_they_show() {
    let figures = figures(&sample::analysis(2), &curves()).expect("drawn");
    let expected: [(&str, &[&str]); 9] = [
        (
            "isoflop",
            &[
                "Parameters N",
                "Held-out loss L (per token)",
                "C (FLOPs)",
                "5k",
                "20k",
                "one seed",
            ],
        ),
        (
            "laws",
            &[
                "Parameters N*",
                "Tokens D*",
                "Held-out loss L*",
                "Compute C (FLOPs)",
                "weighted average, followed",
                "parametric, Huber",
                "not measured",
            ],
        ),
        (
            "tokens_per_parameter",
            &["Tokens per parameter D*/N*", "95%", "20, the rule of thumb"],
        ),
        (
            "isoflop_fits",
            &[
                "IsoFLOP, parabola",
                "parametric, Huber",
                "Loss L",
                "minimum",
            ],
        ),
        (
            "surface",
            &[
                "Tokens D",
                "equal loss",
                "optimum N*, D*",
                "equal C (FLOPs above)",
            ],
        ),
        (
            "residuals",
            &[
                "Residual (per token)",
                "Normal quantile",
                "Fitted loss (per token)",
            ],
        ),
        (
            "holdout",
            &["Regret (per token)", "Error in ln N*", "IsoFLOP, windowed"],
        ),
        (
            "bootstrap",
            &["Exponent α of N", "Exponent β of D", "interval, 95%"],
        ),
        (
            "loss_curves",
            &[
                "Training loss (per token)",
                "Training compute (FLOPs)",
                "64k",
            ],
        ),
    ];
    assert_eq!(figures.len(), expected.len());
    for (figure, (name, texts)) in figures.iter().zip(expected) {
        assert_eq!(figure.name, name);
        let shown = shown(&figure.svg);
        for text in texts {
            assert!(
                shown.iter().any(|s| s == text),
                "{name}: no {text} in {shown:?}"
            );
        }
    }
}

#[test]
fn every_file_is_an_image_with_ink() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let figures = figures(&sample::analysis(1), &curves()).expect("drawn");
    let paths = write(&figures, folder.path()).expect("written");
    assert_eq!(paths.len(), 18);
    for path in paths {
        let bytes = std::fs::read(&path).expect("read");
        if path.extension().is_some_and(|extension| extension == "svg") {
            let tree = usvg::Tree::from_data(&bytes, &usvg::Options::default());
            let tree = tree.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(tree.size().width() > 300.0, "{}", path.display());
        } else {
            let image = resvg::tiny_skia::Pixmap::decode_png(&bytes).expect("a PNG");
            assert!(image.width() > 1000, "{}", image.width());
            let dark = image
                .pixels()
                .iter()
                .filter(|pixel| pixel.red() < 128)
                .count();
            let share = dark as f64 / image.pixels().len() as f64;
            assert!((0.005..0.3).contains(&share), "{}: {share}", path.display());
        }
    }
}

/// A sweep with long labels, and a budget without a minimum.
fn awkward() -> Analysis {
    let mut rows = sample::rows(2);
    rows.retain(|row| row.budget != Some(3e11));
    let rising = [(40, 1.67), (56, 1.76), (72, 1.86), (96, 1.97)];
    rows.extend(rising.map(|(size, loss)| sample::row(3e11, size, 0, loss)));
    for row in &mut rows {
        row.budget = row.budget.map(|budget| budget * 1.3456);
    }
    let subject = sample::subject();
    Analysis::of(&rows, subject, &flops_fit_scaling::Options::default()).expect("can be fitted")
}

#[test]
fn nothing_stands_outside_the_page() {
    let mut options = usvg::Options::default();
    std::sync::Arc::make_mut(&mut options.fontdb).load_font_data(font::FILE.to_vec());
    for analysis in [sample::analysis(2), awkward()] {
        for figure in figures(&analysis, &curves()).expect("drawn") {
            let tree = usvg::Tree::from_str(&figure.svg, &options).expect("an SVG");
            let (drawn, page) = (tree.root().abs_bounding_box(), tree.size());
            assert!(
                drawn.left() > -0.1
                    && drawn.top() > -0.1
                    && drawn.right() < page.width() + 0.1
                    && drawn.bottom() < page.height() + 0.1,
                "{}: {drawn:?} on {page:?}",
                figure.name
            );
        }
    }
}

#[test]
fn without_laws_only_the_curves_are_drawn() {
    let rows: Vec<_> = sample::rows(1)
        .into_iter()
        .filter(|row| row.budget == Some(1e11))
        .collect();
    let options = flops_fit_scaling::Options::default();
    let analysis = Analysis::of(&rows, sample::subject(), &options).expect("can be fitted");
    let figures = figures(&analysis, &[]).expect("drawn");
    let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
    assert_eq!(names, ["isoflop"]);
}
