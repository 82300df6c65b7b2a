#![allow(warnings, clippy::all, missing_docs)]
use flops_fit_scaling::coverage::{Cell, cells};
use flops_fit_scaling::simulate::noisy;
use flops_fit_scaling::*;
use std::sync::Mutex;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let sweeps: u64 = a[1].parse().unwrap();
    let draws: usize = a[2].parse().unwrap();
    let seed0: u64 = a[3].parse().unwrap();
    let mut all: Vec<(&str, Cell)> = Vec::new();
    for c in cells::right() {
        all.push(("right", c));
    }
    for c in cells::others() {
        all.push(("others", c));
    }
    for c in cells::biased() {
        all.push(("biased", c));
    }
    for c in cells::wrong() {
        all.push(("wrong", c));
    }
    for c in cells::small() {
        all.push(("small", c));
    }
    let jobs: Vec<(usize, u64)> = (0..all.len())
        .flat_map(|c| (0..sweeps).map(move |s| (c, s)))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let out = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| loop {
        let i = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let Some(&(ci, s)) = jobs.get(i) else { break };
        let (kind, cell) = &all[ci];
        let runs = noisy(&cell.plan, cell.noise, seed0 + ((ci as u64 + 1) << 32), s);
        let boot = Bootstrap { draws, seed: seed0 + s, threads: std::num::NonZeroUsize::new(1), ..Bootstrap::default() };
        let options = Options { targets: vec![cell.target], bootstrap: Bootstrap { draws: 0, ..boot.clone() }, ..Options::default() };
        // the same screening as analyze
        let Ok(analysis) = flops_fit_scaling::analyze(&runs, &options) else { continue };
        let left: std::collections::BTreeSet<usize> = analysis.left_out.iter().map(|l| l.run).collect();
        let kept: Vec<Run> = runs.iter().enumerate().filter(|(i, _)| !left.contains(i)).map(|(_, r)| r.clone()).collect();
        let sample = Sample::new(&kept).unwrap();
        let mut methods = serde_json::Map::new();
        for m in Method::ALL {
            let Ok(fit) = fit(m, &sample) else { continue };
            let d = boot.run(&fit);
            let mut ln = vec![serde_json::Value::Null; draws]; let mut lo = ln.clone();
            for (n, o) in d.numbers().iter().zip(d.optima(cell.target)) { ln[*n] = serde_json::json!(o.n.ln()); lo[*n] = serde_json::json!(o.loss); }
            let iv = d.at(cell.target);
            methods.insert(m.name().into(), serde_json::json!({"ln_n": fit.optimum(cell.target).n.ln(), "loss": fit.optimum(cell.target).loss, "draws": ln, "loss_draws": lo, "low": iv.as_ref().map(|i| i.n.low.ln()), "high": iv.as_ref().map(|i| i.n.high.ln())}));
        }
        let row = serde_json::json!({"kind": kind, "cell": cell.name, "truth": cell.truth, "target": cell.target, "noise": cell.noise, "true_loss": cell.truth.optimum(cell.target).loss, "true_ln_n": cell.truth.optimum(cell.target).n.ln(), "sweep": s, "methods": methods, "holdout": analysis.holdout, "left": left.len()});
        let _g = out.lock().unwrap();
        println!("{row}");
    });
        }
    });
}
