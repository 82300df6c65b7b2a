//! flops-fit as a library.
//!
//!     cargo run --release -p flops-fit-programmatic               # a simulated design
//!     cargo run --release -p flops-fit-programmatic manifest.toml # a sweep of yours
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people: results, and progress beside them"
)]

use std::error::Error;

use flops_fit::{Manifest, ManifestBuilder, Search, sweep::Event};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = match std::env::args().nth(1) {
        Some(path) => Manifest::load(path.as_ref(), &[])?,
        None => design()?,
    };

    // What would it cost? Nothing is trained for this.
    let planned = Search::new(&manifest).plan_only().run()?;
    println!(
        "{} trials, {:e} FLOPs",
        planned.plan().runs().count(),
        planned.plan().flops
    );

    let mut ended = 0;
    let outcome = Search::new(&manifest)
        .on_event(|event| match event {
            Event::Noted(words) => eprintln!("{words}"),
            Event::Ended { trial, again, .. } if !again => {
                ended += 1;
                eprintln!("{ended}: {}", trial.label());
            }
            _ => {}
        })
        .run()?;

    for optimum in outcome.chinchilla_table()? {
        println!(
            "{:>8.1e} FLOPs: N* = {:.3e}, D* = {:.3e}, L* = {:.3}",
            optimum.c, optimum.n, optimum.d, optimum.loss
        );
    }
    let largest = planned.plan().budgets.last().map_or(1e15, |b| b.budget);
    let further = outcome.predict(100.0 * largest)?;
    println!("a hundred times the largest budget: N* = {:.3e}", further.n);
    let measured = outcome.runs();
    println!(
        "{} runs, the best loss {:.3}",
        measured.len(),
        measured
            .iter()
            .filter_map(|run| run.loss)
            .fold(f64::INFINITY, f64::min)
    );
    println!("report: {}", outcome.plot()?[0].display());
    Ok(())
}

/// A sweep that takes no model: Chinchilla's law with noise.
fn design() -> Result<Manifest, Box<dyn Error>> {
    let sizes = (1..=400).map(|i| i * 5_000_000);
    Ok(ManifestBuilder::new("programmatic")
        .folder(std::env::temp_dir())
        .simulated(0.01, 0)
        .sizes(sizes)
        .budgets([1e18, 3e18, 1e19, 3e19])
        .set("analysis.draws", 200)
        .build()?)
}
