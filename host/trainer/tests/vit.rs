//! The trainer with the reference Vision Transformer linked as a crate, on
//! `shapes`. It is a program of its own: two plugins in one would both export
//! the symbols of a plugin.

#[path = "it/study.rs"]
mod study;
#[path = "it/u_mup.rs"]
mod u_mup;

use flops_fit_vit::{data::datasets::Shapes, model::Vit};
use serde_json::json;

use study::{Finding, Study};

fn run(study: &Study) -> Finding {
    let model = json!({
        "embed_dim": study.width,
        "n_layers": 2,
        "patch_size": 6,
        "parametrization": study.parametrization,
    });
    study.run::<Vit, Shapes>(model, json!({}))
}

#[test]
fn logits_keep_their_scale_over_widths() {
    u_mup::logits_keep_their_scale(run);
}

#[test]
#[ignore = "two minutes of training"]
fn the_best_learning_rate_transfers() {
    // Sixteen images a step are few, which a lower rate makes up for.
    u_mup::the_best_learning_rate_transfers(run, &[0.0625, 0.125, 0.25, 0.5, 1.0], 400);
}
