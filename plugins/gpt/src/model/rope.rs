//! Rotary positions as one complex product.

use flops_fit_plugin::tch::{Device, Kind, Tensor};

/// e^{i·t·base^(−2j/head)} as `[1, seq_len, 1, 1, head/2, 2]` (real, imaginary).
pub(crate) fn table(seq_len: i64, head: i64, base: f64, device: Device) -> Tensor {
    let options = (Kind::Double, device);
    let exponent = Tensor::arange_start_step(0, head, 2, options) / head as f64;
    let angle = Tensor::arange(seq_len, options).outer(&(exponent * -base.ln()).exp());
    Tensor::stack(&[angle.cos(), angle.sin()], -1)
        .to_kind(Kind::Float)
        .view([1, seq_len, 1, 1, head / 2, 2])
}

/// Turns neighbouring pairs of `x` (`[batch, seq_len, 2, heads, head]`) by their
/// position's angle. Pairs of neighbours instead of halves: a permutation of
/// the columns of W, so the same model.
pub(crate) fn rotate(x: &Tensor, table: &Tensor) -> Tensor {
    let (batch, length, two, heads, head) = x.size5().unwrap_or_default();
    let pairs = x.reshape([batch, length, two, heads, head / 2, 2]);
    (pairs.view_as_complex() * table.view_as_complex())
        .view_as_real()
        .flatten(4, 5)
}
