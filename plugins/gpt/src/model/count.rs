//! Parameters and FLOPs of a size, without building it.

use std::collections::BTreeMap;

use flops_fit_plugin::Profile;

use super::GptConfig;

/// Counts at a vocabulary of `vocabulary` and a context of `seq_len` tokens.
///
/// N for the fit is blocks + readout, without the input embedding: the one
/// count whose exponents are stable (Porian et al. 2024). Forward FLOPs per
/// token are 2·N + 4·L·T·d: full attention, and no charge for look-ups, norms
/// and softmax.
pub(crate) fn profile(config: &GptConfig, vocabulary: i64, seq_len: i64) -> Profile {
    let shape = config.shape();
    let blocks = shape.parameters();
    let embedding = vocabulary * shape.width;
    let n = blocks + embedding;
    let attention = shape.attention_flops(seq_len);
    Profile {
        n: n as u64,
        forward_flops_per_unit: Some((2 * n + attention) as f64),
        counts: BTreeMap::from([
            ("blocks".to_owned(), blocks as f64),
            ("total".to_owned(), (n + embedding) as f64),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demonstration_sizes() {
        let config: GptConfig =
            serde_json::from_str(r#"{"d_model": 24, "n_layers": 2, "head_size": 8}"#)
                .expect("a configuration");
        let profile = profile(&config, 82, 64);
        assert_eq!(profile.n, 12 * 2 * 24 * 24 + 82 * 24);
        assert_eq!(
            profile.forward_flops_per_unit,
            Some(f64::from(2 * (13824 + 1968) + 4 * 2 * 64 * 24))
        );
        assert_eq!(profile.counts["total"] as u64, 13824 + 2 * 1968);
    }
}
