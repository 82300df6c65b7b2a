//! Rotary positions as one complex product over queries, keys and values.
//!
//! Values are multiplied by one: a third more arithmetic, but the three parts of
//! a projection stay together, and the backward pass puts their gradients
//! together with one copy instead of four.

use flops_fit_plugin::{
    Result,
    tch::{Device, Kind, Tensor},
};

/// Factors `[1, seq_len, 3, 1, head/2, 2]` (real, imaginary): for queries and keys
/// e^{i·t·base^(−2j/head)}, for values 1.
pub fn table(seq_len: i64, head: i64, base: f64, device: Device) -> Result<Tensor> {
    let options = (Kind::Double, device);
    let exponent = Tensor::f_arange_start_step(0, head, 2, options)? / head as f64;
    let angle = Tensor::f_arange(seq_len, options)?.f_outer(&(exponent * -base.ln()).exp())?;
    let turn = Tensor::f_stack(&[angle.cos(), angle.sin()], -1)?;
    let one = Tensor::f_stack(&[angle.ones_like(), angle.zeros_like()], -1)?;
    let table = Tensor::f_stack(&[&turn, &turn, &one], 1)?.f_to_kind(Kind::Float)?;
    Ok(table.f_view([1, seq_len, 3, 1, head / 2, 2])?)
}

/// Turns neighbouring pairs of `qkv` (`[batch, seq_len, 3, heads, head]`) by their
/// position's angle. Pairs of neighbours instead of halves: a permutation of the
/// columns of W, so the same model. There are no complex numbers of bf16: it is turned
/// in fp32.
pub fn rotate(qkv: &Tensor, table: &Tensor) -> Result<Tensor> {
    let (batch, length, parts, heads, head) = qkv.size5()?;
    let pairs = qkv.f_view([batch, length, parts, heads, head / 2, 2])?;
    let kind = qkv.kind();
    if kind == Kind::BFloat16 {
        let wide = |tensor: &Tensor| tensor.f_to_kind(Kind::Float);
        return Ok(turn(&wide(&pairs)?, &wide(table)?)?.f_to_kind(kind)?);
    }
    turn(&pairs, table)
}

fn turn(pairs: &Tensor, table: &Tensor) -> Result<Tensor> {
    let turned = pairs
        .f_view_as_complex()?
        .f_mul(&table.f_view_as_complex()?)?;
    Ok(turned.f_view_as_real()?.f_flatten(4, 5)?)
}
