//! bf16 against fp32.

use super::*;

/// In nats, after 50 steps of case a.
const TOLERANCE: f64 = 0.01;

fn is_bf16(tensor: &Tensor) -> bool {
    let there_and_back = tensor.to_kind(Kind::BFloat16).to_kind(tensor.kind());
    there_and_back.equal(tensor)
}

#[test]
fn bf16_comes_close_to_fp32_with_weights_that_stay_fp32() {
    let fp32 = case_a(1, Precision::Fp32, None);
    for ranks in [1, 2] {
        let bf16 = case_a(ranks, Precision::Bf16, None);
        let (loss, weights) = apart(&fp32, &bf16);
        let said = writeln!(
            std::io::stderr().lock(),
            "bf16 against fp32, {ranks} ranks: |Δloss| {loss:.1e}, ‖Δw‖/‖w‖ {weights:.1e}"
        );
        said.expect("standard error is there");
        assert!(loss < TOLERANCE, "|Δloss| = {loss}");
        // It is another computation, whose weights are more than bf16 can hold.
        assert!(loss > 0.0);
        assert_eq!(bf16.1.kind(), Kind::Float);
        assert!(!is_bf16(&bf16.1));
    }
}

#[test]
fn bf16_with_micro_batches_and_several_ranks_repeats_its_bits() {
    let one = case_a(2, Precision::Bf16, Some(2));
    let again = case_a(2, Precision::Bf16, Some(2));
    assert_eq!(one.0, again.0);
    assert!(one.1.equal(&again.1));
}
