//! The characters that stories are written in, and their token ids.

/// Ids that a model must have room for. Two more than there are symbols, since
/// a multiple of 64 makes the readout's matrix products regular.
pub const VOCABULARY: usize = 64;

/// The symbols in the order of their ids; `0` stays unused by the grammar.
const SYMBOLS: &[u8; 62] = b"\n !\"',.?-0ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Marks a byte that is no symbol.
const ABSENT: u8 = u8::MAX;

const IDS: [u8; 256] = {
    let mut ids = [ABSENT; 256];
    let mut id = 0;
    while id < SYMBOLS.len() {
        ids[SYMBOLS[id] as usize] = id as u8;
        id += 1;
    }
    ids
};

/// The id of a byte of a story, in 0..62; `None` for a byte that no story holds.
pub const fn encode(byte: u8) -> Option<u8> {
    match IDS[byte as usize] {
        ABSENT => None,
        id => Some(id),
    }
}

/// The byte that an id stands for; `None` from 62 on.
pub const fn decode(id: u8) -> Option<u8> {
    if (id as usize) < SYMBOLS.len() {
        Some(SYMBOLS[id as usize])
    } else {
        None
    }
}

/// The id of a byte that the generator wrote.
pub(super) const fn id_of_story_byte(byte: u8) -> i64 {
    IDS[byte as usize] as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_symbols_are_inverse() {
        for id in 0..62 {
            assert_eq!(decode(id).and_then(encode), Some(id));
        }
        assert_eq!((decode(62), decode(63)), (None, None));
        let symbols = (0..=255).filter(|&byte| encode(byte).is_some()).count();
        assert_eq!(symbols, 62);
        assert_eq!(encode(b'\t'), None);
    }
}
