//! A plugin that misbehaves as its configuration says.
//!
//! Its model takes a fault for each size, so that one sweep holds many faults
//! and sound sizes between them. Dataset and loss are not told the size; theirs
//! strike after a number of calls, which only the longer trials reach.

mod dataset;
mod loss;
mod model;
mod strike;
mod subtle;

flops_fit_plugin::export_plugin! {
    models: { "hostile" => model::Hostile, "subtle" => subtle::SubtleModel },
    datasets: { "hostile" => dataset::Hostile, "subtle" => subtle::SubtleDataset },
    losses: { "hostile" => loss::Hostile, "subtle" => subtle::SubtleLoss },
}
