//! `decisions.jsonl`: why each round of an adaptive sweep was laid out, a line each.

use flops_fit_scaling::adaptive::Decision;

/// The lines in `bytes` that are decisions. They are only shown, never planned by, so a
/// line that is none is passed over.
pub fn parse_decisions(bytes: &[u8]) -> Vec<Decision> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The file of `decisions`.
pub(super) fn lines(decisions: &[Decision]) -> String {
    let line = |decision| serde_json::to_string(decision).expect("a decision is plain data") + "\n";
    decisions.iter().map(line).collect()
}
