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
      isoflop_parabola    0.48  6.25e−4         ×1.09  0.578    414k (180k–954k)  13.9M  1.219
      isoflop_windowed    0.45  3.07e−4         ×1.06  0.568   391k (116k–1.32M)  14.8M  1.226
      parametric_huber    0.03   0.0270         ×1.72  0.388   107k (24.1k–472k)  40.5M  1.431
      parametric_lad      0.03   0.0284         ×1.74  0.389   108k (23.6k–496k)    40M  1.430
      parametric_mse      0.00   0.0453         ×2.01  0.375  90.9k (28.2k–293k)  47.1M  1.423
      ────────────────────────────────────────────────────────────────────────────────────────
      regret and miss: mean and root mean square over 3 tests on held-out larger budgets; a: exponent of
      N*(C)

    Laws
      ──────────────────────────────────────────
      law                         exponent (95%)
      ──────────────────────────────────────────
      N* = 0.0102 · C^0.561  0.561 (0.377–0.745)
      D* = 1.45 · C^0.521    0.521 (0.357–0.686)
      ──────────────────────────────────────────

    Compute-optimal training
      ───────────────────────────────────────────────────────────────────────────────────────────
      C                  N* (95%)      D* tokens (95%)  tokens per parameter             L* (95%)
      ───────────────────────────────────────────────────────────────────────────────────────────
      1e10    4.13k (3.02k–5.65k)     237k (181k–311k)       57.5 (32.1–103)  2.203 (2.103–2.302)
      3e10    7.66k (6.45k–9.09k)     421k (364k–488k)          55 (40–75.6)  2.005 (1.977–2.033)
      1e11      15k (12.1k–18.7k)     789k (650k–958k)      52.5 (34.8–79.1)  1.818 (1.793–1.843)
      3e11    27.9k (18.6k–41.6k)    1.4M (974k–2.01M)       50.2 (23.4–108)  1.672 (1.641–1.703)
      1e12 ↑   54.7k (29.5k–101k)  2.62M (1.51M–4.55M)       47.9 (14.9–154)  1.533 (1.477–1.589)
      3e12 ↑    101k (44.8k–229k)   4.64M (2.24M–9.6M)       45.8 (9.81–214)  1.423 (1.337–1.511)
      1e13 ↑    199k (70.7k–560k)  8.67M (3.46M–21.8M)       43.6 (6.19–307)  1.319 (1.193–1.448)
      3e13 ↑    368k (107k–1.27M)  15.4M (5.14M–45.9M)       41.7 (4.06–428)  1.236 (1.072–1.405)
      ───────────────────────────────────────────────────────────────────────────────────────────
      by the average of isoflop_parabola 48 %, isoflop_windowed 45 %, parametric_huber 3 %,
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
    | isoflop_parabola | 0.48 | 6.25e−4 | ×1.09 | 0.578 | 414k (180k–954k) | 13.9M | 1.219 |
    | isoflop_windowed | 0.45 | 3.07e−4 | ×1.06 | 0.568 | 391k (116k–1.32M) | 14.8M | 1.226 |
    | parametric_huber | 0.03 | 0.0270 | ×1.72 | 0.388 | 107k (24.1k–472k) | 40.5M | 1.431 |
    | parametric_lad | 0.03 | 0.0284 | ×1.74 | 0.389 | 108k (23.6k–496k) | 40M | 1.430 |
    | parametric_mse | 0.00 | 0.0453 | ×2.01 | 0.375 | 90.9k (28.2k–293k) | 47.1M | 1.423 |

    regret and miss: mean and root mean square over 3 tests on held-out larger budgets; a: exponent of N\*(C)

    ## Laws

    | law | exponent (95%) |
    |:---|---:|
    | N\* = 0.0102 · C^0.561 | 0.561 (0.377–0.745) |
    | D\* = 1.45 · C^0.521 | 0.521 (0.357–0.686) |

    ## Compute-optimal training

    | C | N\* (95%) | D\* tokens (95%) | tokens per parameter | L\* (95%) |
    |:---|---:|---:|---:|---:|
    | 1e10 | 4.13k (3.02k–5.65k) | 237k (181k–311k) | 57.5 (32.1–103) | 2.203 (2.103–2.302) |
    | 3e10 | 7.66k (6.45k–9.09k) | 421k (364k–488k) | 55 (40–75.6) | 2.005 (1.977–2.033) |
    | 1e11 | 15k (12.1k–18.7k) | 789k (650k–958k) | 52.5 (34.8–79.1) | 1.818 (1.793–1.843) |
    | 3e11 | 27.9k (18.6k–41.6k) | 1.4M (974k–2.01M) | 50.2 (23.4–108) | 1.672 (1.641–1.703) |
    | 1e12 ↑ | 54.7k (29.5k–101k) | 2.62M (1.51M–4.55M) | 47.9 (14.9–154) | 1.533 (1.477–1.589) |
    | 3e12 ↑ | 101k (44.8k–229k) | 4.64M (2.24M–9.6M) | 45.8 (9.81–214) | 1.423 (1.337–1.511) |
    | 1e13 ↑ | 199k (70.7k–560k) | 8.67M (3.46M–21.8M) | 43.6 (6.19–307) | 1.319 (1.193–1.448) |
    | 3e13 ↑ | 368k (107k–1.27M) | 15.4M (5.14M–45.9M) | 41.7 (4.06–428) | 1.236 (1.072–1.405) |

    by the average of isoflop_parabola 48 %, isoflop_windowed 45 %, parametric_huber 3 %, parametric_lad 3 %; weighted by the spread of refits and 3 hold-out tests

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
      ──────────────────────────────────────────────────────────────────────────────────────────
      C                 N* (95%)      D* tokens (95%)  tokens per parameter             L* (95%)
      ──────────────────────────────────────────────────────────────────────────────────────────
      1e12 ↑  54.7k (29.5k–101k)  2.62M (1.51M–4.55M)       47.9 (14.9–154)  1.533 (1.477–1.589)
      1e15 ‼  2.64M (405k–17.2M)   94.6M (18.3M–490M)      35.9 (1.07–1.2k)  1.034 (0.748–1.322)
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
