//! A plugin that trains without complaint and is wrong all the same: what only
//! `flops-fit check` can see. Each part has one fault at a time.

mod dataset;
mod loss;
mod model;

pub(crate) use dataset::Subtle as SubtleDataset;
pub(crate) use loss::Subtle as SubtleLoss;
pub(crate) use model::Subtle as SubtleModel;
