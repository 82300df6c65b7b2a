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

    Methods at 3e13 FLOPs
      ────────────────────────────────────────────────────────────────────────────────────────
      method            weight   regret  N* missed by      a            N* (95%)     D*     L*
      ────────────────────────────────────────────────────────────────────────────────────────
      isoflop_windowed    0.49  3.07e−4         ×1.06  0.568   391k (116k–1.32M)  14.8M  1.226
      isoflop_parabola    0.45  6.25e−4         ×1.09  0.578    414k (180k–954k)  13.9M  1.219
      parametric_huber    0.03   0.0270         ×1.72  0.388   107k (24.1k–472k)  40.5M  1.431
      parametric_lad      0.03   0.0284         ×1.74  0.389   108k (23.6k–496k)    40M  1.430
      parametric_mse      0.00   0.0453         ×2.01  0.375  90.9k (28.2k–293k)  47.1M  1.423
      ────────────────────────────────────────────────────────────────────────────────────────
      regret and miss: mean and root mean square over 3 tests on held-out larger budgets; a: exponent of
      N*(C)

    Laws
      ───────────────────────────────────────────
      law                          exponent (95%)
      ───────────────────────────────────────────
      N* = 9.68e-3 · C^0.563  0.563 (0.407–0.719)
      D* = 1.51 · C^0.520     0.520 (0.380–0.659)
      ───────────────────────────────────────────

    Compute-optimal training
      ───────────────────────────────────────────────────────────────────────────────────────────
      C                  N* (95%)      D* tokens (95%)  tokens per parameter             L* (95%)
      ───────────────────────────────────────────────────────────────────────────────────────────
      1e10    4.13k (3.19k–5.34k)     238k (190k–298k)      57.6 (35.5–93.4)  2.202 (2.107–2.297)
      3e10    7.66k (6.76k–8.69k)     421k (377k–470k)      54.9 (43.4–69.5)  2.005 (1.979–2.031)
      1e11    15.1k (12.8k–17.8k)     787k (679k–912k)      52.2 (38.2–71.3)  1.818 (1.797–1.839)
      3e11      28k (20.2k–38.8k)  1.39M (1.04M–1.86M)      49.7 (26.8–92.1)  1.672 (1.648–1.696)
      1e12 ↑    55.2k (33.1k–92k)   2.6M (1.65M–4.09M)         47.2 (18–124)  1.533 (1.488–1.577)
      3e12 ↑    102k (51.7k–203k)    4.6M (2.52M–8.4M)         45 (12.5–162)  1.422 (1.351–1.495)
      1e13 ↑    202k (84.5k–481k)  8.59M (4.01M–18.4M)       42.6 (8.37–217)  1.317 (1.211–1.427)
      3e13 ↑    374k (132k–1.06M)  15.2M (6.13M–37.6M)       40.6 (5.81–284)  1.234 (1.092–1.379)
      ───────────────────────────────────────────────────────────────────────────────────────────
      by the average of isoflop_windowed 49 %, isoflop_parabola 45 %, parametric_huber 3 %,
      parametric_lad 3 %; weighted by the spread of refits and 3 hold-out tests
      ↑ outside the budgets that were trained

    Notes
      · at 3e13 FLOPs the methods put N* between 90.9k (parametric_mse) and 414k (isoflop_parabola),
        beyond the interval that the runs alone give; it is widened
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

    ## Methods at 3e13 FLOPs

    | method | weight | regret | N\* missed by | a | N\* (95%) | D\* | L\* |
    |:---|---:|---:|---:|---:|---:|---:|---:|
    | isoflop_windowed | 0.49 | 3.07e−4 | ×1.06 | 0.568 | 391k (116k–1.32M) | 14.8M | 1.226 |
    | isoflop_parabola | 0.45 | 6.25e−4 | ×1.09 | 0.578 | 414k (180k–954k) | 13.9M | 1.219 |
    | parametric_huber | 0.03 | 0.0270 | ×1.72 | 0.388 | 107k (24.1k–472k) | 40.5M | 1.431 |
    | parametric_lad | 0.03 | 0.0284 | ×1.74 | 0.389 | 108k (23.6k–496k) | 40M | 1.430 |
    | parametric_mse | 0.00 | 0.0453 | ×2.01 | 0.375 | 90.9k (28.2k–293k) | 47.1M | 1.423 |

    regret and miss: mean and root mean square over 3 tests on held-out larger budgets; a: exponent of N\*(C)

    ## Laws

    | law | exponent (95%) |
    |:---|---:|
    | N\* = 9.68e-3 · C^0.563 | 0.563 (0.407–0.719) |
    | D\* = 1.51 · C^0.520 | 0.520 (0.380–0.659) |

    ## Compute-optimal training

    | C | N\* (95%) | D\* tokens (95%) | tokens per parameter | L\* (95%) |
    |:---|---:|---:|---:|---:|
    | 1e10 | 4.13k (3.19k–5.34k) | 238k (190k–298k) | 57.6 (35.5–93.4) | 2.202 (2.107–2.297) |
    | 3e10 | 7.66k (6.76k–8.69k) | 421k (377k–470k) | 54.9 (43.4–69.5) | 2.005 (1.979–2.031) |
    | 1e11 | 15.1k (12.8k–17.8k) | 787k (679k–912k) | 52.2 (38.2–71.3) | 1.818 (1.797–1.839) |
    | 3e11 | 28k (20.2k–38.8k) | 1.39M (1.04M–1.86M) | 49.7 (26.8–92.1) | 1.672 (1.648–1.696) |
    | 1e12 ↑ | 55.2k (33.1k–92k) | 2.6M (1.65M–4.09M) | 47.2 (18–124) | 1.533 (1.488–1.577) |
    | 3e12 ↑ | 102k (51.7k–203k) | 4.6M (2.52M–8.4M) | 45 (12.5–162) | 1.422 (1.351–1.495) |
    | 1e13 ↑ | 202k (84.5k–481k) | 8.59M (4.01M–18.4M) | 42.6 (8.37–217) | 1.317 (1.211–1.427) |
    | 3e13 ↑ | 374k (132k–1.06M) | 15.2M (6.13M–37.6M) | 40.6 (5.81–284) | 1.234 (1.092–1.379) |

    by the average of isoflop_windowed 49 %, isoflop_parabola 45 %, parametric_huber 3 %, parametric_lad 3 %; weighted by the spread of refits and 3 hold-out tests

    ↑ outside the budgets that were trained

    ## Notes

    - at 3e13 FLOPs the methods put N\* between 90.9k (parametric_mse) and 414k (isoflop_parabola), beyond the interval that the runs alone give; it is widened
    - 1e10, 3e10, 1e11, 3e11 FLOPs: four or five sizes carry a parabola but do not test its shape
    ");
}

#[test]
fn a_forecast() {
    let forecast = predict(&sample::analysis(2), &[1e12, 1e15]).expect("there are laws");
    insta::assert_snapshot!(render_forecast(&forecast, Format::Text), @"
    novels: compute-optimal training
      ────────────────────────────────────────────────────────────────────────────────────────
      C                N* (95%)     D* tokens (95%)  tokens per parameter             L* (95%)
      ────────────────────────────────────────────────────────────────────────────────────────
      1e12 ↑  55.2k (33.1k–92k)  2.6M (1.65M–4.09M)         47.2 (18–124)  1.533 (1.488–1.577)
      1e15 ‼  2.7M (556k–13.1M)  93.2M (23.9M–364M)       34.6 (1.84–651)  1.029 (0.775–1.286)
      ────────────────────────────────────────────────────────────────────────────────────────
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
