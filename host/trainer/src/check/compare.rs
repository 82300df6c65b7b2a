//! Tensors side by side.

use tch::{Kind, Tensor};

/// Whether two tensors have the same shape, type and bits. Unlike `equal`, a
/// number that is none is the same as itself.
pub(super) fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    let as_integers = |t: &Tensor| match t.kind() {
        Kind::Float => t.contiguous().view_dtype(Kind::Int),
        Kind::Double => t.contiguous().view_dtype(Kind::Int64),
        Kind::Half | Kind::BFloat16 => t.contiguous().view_dtype(Kind::Int16),
        _ => t.shallow_clone(),
    };
    a.kind() == b.kind() && a.size() == b.size() && as_integers(a).equal(&as_integers(b))
}

/// Whether all of two lists have the same bits.
pub(super) fn all_same(a: &[Tensor], b: &[Tensor]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_bits(a, b))
}

/// The first name whose tensors differ, or that one list lacks.
pub(super) fn first_difference(a: &[(String, Tensor)], b: &[(String, Tensor)]) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("their number, {} and {}", a.len(), b.len()));
    }
    let differs = a
        .iter()
        .zip(b)
        .find(|((an, at), (bn, bt))| an != bn || !same_bits(at, bt));
    differs.map(|((name, _), _)| format!("`{name}`"))
}

/// max |a − b| over max |a|: 0 for equal tensors, infinite where they can't be
/// compared.
pub(super) fn distance(a: &Tensor, b: &Tensor) -> f64 {
    if a.size() != b.size() {
        return f64::INFINITY;
    }
    if a.numel() == 0 {
        return 0.0;
    }
    let (a, b) = (a.to_kind(Kind::Double), b.to_kind(Kind::Double));
    let apart = (&a - &b).abs().max().double_value(&[]);
    if apart == 0.0 {
        return 0.0;
    }
    let scale = a.abs().max().double_value(&[]);
    let ratio = apart / scale.max(f64::MIN_POSITIVE);
    if ratio.is_nan() { f64::INFINITY } else { ratio }
}

/// Elements that are no finite number.
pub(super) fn not_finite(tensor: &Tensor) -> i64 {
    if !tensor.is_floating_point() {
        return 0;
    }
    tensor.numel() as i64 - tensor.isfinite().sum(Kind::Int64).int64_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_distances() {
        let t = |values: &[f32]| Tensor::from_slice(values);
        assert!(same_bits(&t(&[1.0, f32::NAN]), &t(&[1.0, f32::NAN])));
        assert!(!same_bits(&t(&[0.0]), &t(&[-0.0])));
        assert!(!same_bits(&t(&[1.0]), &t(&[1.0]).view([1, 1])));
        assert!(!same_bits(&t(&[1.0]), &t(&[1.0]).to_kind(Kind::Double)));
        assert!((distance(&t(&[2.0, 4.0]), &t(&[2.0, 3.0])) - 0.25).abs() < 1e-12);
        assert!(distance(&t(&[1.0]), &t(&[f32::NAN])).is_infinite());
        assert!(distance(&t(&[1.0]), &t(&[1.0, 2.0])).is_infinite());
        assert!(distance(&t(&[0.0]), &t(&[0.0])) == 0.0);
        assert_eq!(not_finite(&t(&[1.0, f32::NAN, f32::INFINITY])), 2);
    }
}
