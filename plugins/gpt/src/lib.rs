//! The reference text plugin: a u-μP GPT, text datasets, cross-entropy.
//!
//! Read it as an example of a plugin: [`model`] implements
//! [`flops_fit_plugin::Model`], [`data`] three [`flops_fit_plugin::Dataset`]s,
//! [`loss`] one [`flops_fit_plugin::Loss`], and the macro below names them.

pub mod data;
pub mod model;

pub use flops_fit_transformer::loss;

flops_fit_plugin::export_plugin! {
    models: { "gpt" => model::Gpt },
    datasets: {
        "stories" => data::datasets::Stories,
        "text" => data::datasets::Text,
        "tinystories" => data::datasets::TinyStories,
    },
    losses: { "cross_entropy" => loss::CrossEntropy },
}
