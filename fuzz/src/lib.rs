//! What the targets of cargo-fuzz share.

/// Hands `bytes` to the parser `name`.
///
/// # Panics
/// If there is no such target, or the parser breaks one of its rules.
pub fn run(name: &str, bytes: &[u8]) {
    let target = flops_fit_fuzz::target(name).expect("a target of flops-fit-fuzz");
    let _ = (target.run)(bytes);
}
