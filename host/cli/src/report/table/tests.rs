use super::*;
use crate::report::prediction::predict;
use crate::report::sample;

#[test]
fn text() {
    insta::assert_snapshot!(render(&sample::analysis(2), Format::Text), @"
    novels: 38 runs, 4 of 4 budgets with a minimum, a run scatters by 0.019 around its curve

    IsoFLOP minima
      ──────────────────────────────────────────────────────────────────────────────────────────
         C  runs  sizes             N* (95%)      D* tokens (95%)             L* (95%)  curve
      ──────────────────────────────────────────────────────────────────────────────────────────
      1e10     8      4   4.2k (3.62k–4.87k)     231k (205k–261k)  2.202 (2.180–2.223)  parabola
      3e10    10      5  7.56k (7.06k–8.09k)     428k (404k–453k)  1.999 (1.979–2.019)  parabola
      1e11    10      5  15.5k (13.7k–17.5k)     772k (696k–856k)  1.818 (1.801–1.835)  parabola
      3e11    10      5    29.2k (25k–34.1k)  1.32M (1.15M–1.52M)  1.666 (1.649–1.683)  parabola
      ──────────────────────────────────────────────────────────────────────────────────────────

    Methods side by side
      ────────────────────────────────────────────────────────────────────
      method            weight    N* at 3e13 (95%)  D* at 3e13  L* at 3e13
      ────────────────────────────────────────────────────────────────────
      isoflop_parabola    0.25    414k (180k–954k)       13.9M       1.219
      isoflop_windowed    0.68   391k (116k–1.32M)       14.8M       1.226
      parametric_huber    0.04   107k (24.1k–472k)       40.5M       1.431
      parametric_lad      0.04   108k (23.6k–496k)         40M       1.430
      parametric_mse      0.00  90.9k (28.2k–293k)       47.1M       1.423
      ────────────────────────────────────────────────────────────────────

    Laws
      ──────────────────────────────────────────
      law                         exponent (95%)
      ──────────────────────────────────────────
      N* = 0.0109 · C^0.558  0.558 (0.362–0.754)
      D* = 1.35 · C^0.524    0.524 (0.348–0.700)
      ──────────────────────────────────────────

    Compute-optimal training
      ───────────────────────────────────────────────────────────────────────────────────────────
      C                  N* (95%)      D* tokens (95%)  tokens per parameter             L* (95%)
      ───────────────────────────────────────────────────────────────────────────────────────────
      1e10    4.15k (2.99k–5.77k)     236k (178k–314k)       56.9 (30.9–105)  2.203 (2.099–2.307)
      3e10    7.67k (6.43k–9.14k)     421k (362k–489k)        54.9 (39.6–76)  2.005 (1.975–2.036)
      1e11      15k (11.9k–18.9k)     791k (643k–973k)      52.7 (34.1–81.5)  1.820 (1.794–1.845)
      3e11      27.7k (18k–42.6k)   1.41M (954k–2.07M)       50.8 (22.4–115)  1.673 (1.642–1.705)
      1e12 ↑   54.2k (28.1k–105k)  2.64M (1.46M–4.77M)         48.7 (14–170)  1.535 (1.477–1.593)
      3e12 ↑    100k (41.9k–239k)  4.69M (2.15M–10.2M)       46.9 (9.03–244)  1.426 (1.337–1.515)
      1e13 ↑    196k (64.9k–591k)  8.81M (3.29M–23.6M)         45 (5.58–362)  1.321 (1.193–1.453)
      3e13 ↑   361k (96.5k–1.35M)  15.6M (4.84M–50.6M)       43.3 (3.59–521)  1.239 (1.072–1.410)
      ───────────────────────────────────────────────────────────────────────────────────────────
      ↑ outside the budgets that were trained

    Notes
      · followed is the average of isoflop_parabola 25 %, isoflop_windowed 68 %, parametric_huber 4 %, parametric_lad 4 %: mean regret in 1 hold-out test was isoflop_parabola 0.0000, isoflop_windowed 0.0001, parametric_huber 0.0130, parametric_lad 0.0125
      · at 3e13 FLOPs the methods put N* between 90.9k (parametric_mse) and 414k (isoflop_parabola), beyond the interval that the runs alone give; it is widened
      · 1e10, 3e10, 1e11, 3e11 FLOPs: four or five sizes carry a parabola but do not test its shape
    ");
}

#[test]
fn markdown() {
    insta::assert_snapshot!(render(&sample::analysis(2), Format::Markdown), @r"
    # novels

    novels: 38 runs, 4 of 4 budgets with a minimum, a run scatters by 0.019 around its curve

    ## IsoFLOP minima

    | C | runs | sizes | N\* (95%) | D\* tokens (95%) | L\* (95%) | curve |
    |---:|---:|---:|---:|---:|---:|:---|
    | 1e10 | 8 | 4 | 4.2k (3.62k–4.87k) | 231k (205k–261k) | 2.202 (2.180–2.223) | parabola |
    | 3e10 | 10 | 5 | 7.56k (7.06k–8.09k) | 428k (404k–453k) | 1.999 (1.979–2.019) | parabola |
    | 1e11 | 10 | 5 | 15.5k (13.7k–17.5k) | 772k (696k–856k) | 1.818 (1.801–1.835) | parabola |
    | 3e11 | 10 | 5 | 29.2k (25k–34.1k) | 1.32M (1.15M–1.52M) | 1.666 (1.649–1.683) | parabola |

    ## Methods side by side

    | method | weight | N\* at 3e13 (95%) | D\* at 3e13 | L\* at 3e13 |
    |:---|---:|---:|---:|---:|
    | isoflop_parabola | 0.25 | 414k (180k–954k) | 13.9M | 1.219 |
    | isoflop_windowed | 0.68 | 391k (116k–1.32M) | 14.8M | 1.226 |
    | parametric_huber | 0.04 | 107k (24.1k–472k) | 40.5M | 1.431 |
    | parametric_lad | 0.04 | 108k (23.6k–496k) | 40M | 1.430 |
    | parametric_mse | 0.00 | 90.9k (28.2k–293k) | 47.1M | 1.423 |

    ## Laws

    | law | exponent (95%) |
    |:---|---:|
    | N\* = 0.0109 · C^0.558 | 0.558 (0.362–0.754) |
    | D\* = 1.35 · C^0.524 | 0.524 (0.348–0.700) |

    ## Compute-optimal training

    | C | N\* (95%) | D\* tokens (95%) | tokens per parameter | L\* (95%) |
    |:---|---:|---:|---:|---:|
    | 1e10 | 4.15k (2.99k–5.77k) | 236k (178k–314k) | 56.9 (30.9–105) | 2.203 (2.099–2.307) |
    | 3e10 | 7.67k (6.43k–9.14k) | 421k (362k–489k) | 54.9 (39.6–76) | 2.005 (1.975–2.036) |
    | 1e11 | 15k (11.9k–18.9k) | 791k (643k–973k) | 52.7 (34.1–81.5) | 1.820 (1.794–1.845) |
    | 3e11 | 27.7k (18k–42.6k) | 1.41M (954k–2.07M) | 50.8 (22.4–115) | 1.673 (1.642–1.705) |
    | 1e12 ↑ | 54.2k (28.1k–105k) | 2.64M (1.46M–4.77M) | 48.7 (14–170) | 1.535 (1.477–1.593) |
    | 3e12 ↑ | 100k (41.9k–239k) | 4.69M (2.15M–10.2M) | 46.9 (9.03–244) | 1.426 (1.337–1.515) |
    | 1e13 ↑ | 196k (64.9k–591k) | 8.81M (3.29M–23.6M) | 45 (5.58–362) | 1.321 (1.193–1.453) |
    | 3e13 ↑ | 361k (96.5k–1.35M) | 15.6M (4.84M–50.6M) | 43.3 (3.59–521) | 1.239 (1.072–1.410) |

    ↑ outside the budgets that were trained

    ## Notes

    - followed is the average of isoflop_parabola 25 %, isoflop_windowed 68 %, parametric_huber 4 %, parametric_lad 4 %: mean regret in 1 hold-out test was isoflop_parabola 0.0000, isoflop_windowed 0.0001, parametric_huber 0.0130, parametric_lad 0.0125
    - at 3e13 FLOPs the methods put N\* between 90.9k (parametric_mse) and 414k (isoflop_parabola), beyond the interval that the runs alone give; it is widened
    - 1e10, 3e10, 1e11, 3e11 FLOPs: four or five sizes carry a parabola but do not test its shape
    ");
}

#[test]
fn a_forecast() {
    let forecast = predict(&sample::analysis(2), &[1e12, 1e15]).expect("there are laws");
    insta::assert_snapshot!(render_forecast(&forecast, Format::Text), @"
    novels: compute-optimal training
      ──────────────────────────────────────────────────────────────────────────────────────────
      C                 N* (95%)      D* tokens (95%)  tokens per parameter             L* (95%)
      ──────────────────────────────────────────────────────────────────────────────────────────
      1e12 ↑  54.2k (28.1k–105k)  2.64M (1.46M–4.77M)         48.7 (14–170)  1.535 (1.477–1.593)
      1e15 ‼  2.56M (347k–18.9M)   97.4M (16.7M–568M)       38 (0.89–1.62k)  1.036 (0.745–1.330)
      ──────────────────────────────────────────────────────────────────────────────────────────
      ↑ outside the budgets that were trained
      ‼ more than two decades outside them
    ");
}

#[test]
fn json_is_the_file() {
    let analysis = sample::analysis(1);
    let read: Analysis =
        serde_json::from_str(&render(&analysis, Format::Json)).expect("an analysis");
    assert_eq!(read, analysis);
}
