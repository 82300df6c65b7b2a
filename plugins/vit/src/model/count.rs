//! Parameters and FLOPs of a size, without building it.

use std::collections::BTreeMap;

use flops_fit_plugin::Profile;

use super::VitConfig;
use super::config::Patches;

/// Counts over images that are cut into `patches`.
///
/// N for the fit is every matrix that is multiplied with: patch projection,
/// blocks, readout; positions and class token, which are only added, are left
/// out. Forward FLOPs per image are those products, the projection over P patches, the
/// blocks over S tokens, the readout once, and 4·L·S·d of attention per
/// token; no charge for norms, softmax, pooling and additions.
pub(crate) fn profile(config: &VitConfig, patches: &Patches) -> Profile {
    let shape = config.shape();
    let d = shape.width;
    let projection = patches.len() * d;
    let blocks = shape.parameters();
    let readout = d * patches.classes;
    let n = projection + blocks + readout;
    let tokens = patches.tokens();
    let forward = 2 * patches.count() * projection
        + tokens * (2 * blocks + shape.attention_flops(tokens))
        + 2 * readout;
    Profile {
        n: n as u64,
        forward_flops_per_unit: Some(forward as f64),
        counts: BTreeMap::from([
            ("blocks".to_owned(), blocks as f64),
            ("total".to_owned(), (n + tokens * d) as f64),
        ]),
    }
}
