//! The reference GPT on `stories`.

use flops_fit_gpt::{data::datasets::Stories, model::Gpt};
use serde_json::json;

use crate::{
    study::{Finding, Study},
    u_mup,
};

fn run(study: &Study) -> Finding {
    let model = json!({
        "d_model": study.width,
        "n_layers": 2,
        "parametrization": study.parametrization,
    });
    study.run::<Gpt, Stories>(model, json!({"seq_len": 64}))
}

#[test]
fn logits_keep_their_scale_over_widths() {
    u_mup::logits_keep_their_scale(run);
}

#[test]
fn the_best_learning_rate_transfers() {
    u_mup::the_best_learning_rate_transfers(run, &[0.25, 0.5, 1.0, 2.0, 4.0], 150);
}
