use super::*;
use crate::report::prediction::predict;
use crate::report::sample;

#[test]
fn text() {
    insta::assert_snapshot!(render(&sample::analysis(2), Format::Text), @"");
}

#[test]
fn markdown() {
    insta::assert_snapshot!(render(&sample::analysis(2), Format::Markdown), @"");
}

#[test]
fn a_forecast() {
    let forecast = predict(&sample::analysis(2), &[1e12, 1e15]).expect("there are laws");
    insta::assert_snapshot!(render_forecast(&forecast, Format::Text), @"");
}

#[test]
fn json_is_the_file() {
    let analysis = sample::analysis(1);
    let read: Analysis =
        serde_json::from_str(&render(&analysis, Format::Json)).expect("an analysis");
    assert_eq!(read, analysis);
}

#[test]
fn coefficients() {
    for (value, expected) in [
        (0.0123, "0.0123"),
        (0.5, "0.500"),
        (2.0, "2.00"),
        (83.12, "83.1"),
        (999.0, "999"),
        (14_200.0, "14.2k"),
        (0.002, "2e-3"),
        (3e9, "3e9"),
    ] {
        assert_eq!(coefficient(value), expected);
    }
}
