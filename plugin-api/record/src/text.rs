//! Text in a fixed number of bytes, made at compile time.

/// `text` padded with zero bytes to `LEN`.
///
/// # Panics
///
/// If `text` has more than `LEN` bytes; in a constant that is a compile error.
pub const fn fixed<const LEN: usize>(text: &str) -> [u8; LEN] {
    let bytes = text.as_bytes();
    assert!(
        bytes.len() <= LEN,
        "text is too long for its field of the plugin record"
    );
    let mut out = [0; LEN];
    let mut i = 0;
    while i < bytes.len() {
        out[i] = bytes[i];
        i += 1;
    }
    out
}

/// The text before the padding; bytes that are no UTF-8 are replaced.
pub(crate) fn unpad(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
