//! The reference image plugin: a u-μP Vision Transformer, image datasets,
//! cross-entropy.
//!
//! [`model`] implements [`flops_fit_plugin::Model`], [`data`] three
//! [`flops_fit_plugin::Dataset`]s. D counts images.

pub mod data;
pub mod model;

pub use flops_fit_transformer::loss;

flops_fit_plugin::export_plugin! {
    models: { "vit" => model::Vit },
    datasets: {
        "cifar10" => data::datasets::Cifar10,
        "idx" => data::datasets::Idx,
        "shapes" => data::datasets::Shapes,
    },
    losses: { "cross_entropy" => loss::CrossEntropy },
}
