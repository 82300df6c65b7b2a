//! How often words are met: Zipf's law, as a table that 16 hash bits draw from.

/// Ranks are shifted by this much: P(rank r) is proportional to 1 / (r + 2).
const SHIFT: u64 = 2;

/// Entries of a table: what 16 bits can name.
const SLOTS: usize = 1 << 16;

/// A draw of ranks with Zipf frequencies.
#[derive(Debug)]
pub(super) struct Zipf(Box<[u16; SLOTS]>);

impl Zipf {
    /// The table for `size` ranks, by integer arithmetic alone. Every rank has
    /// at least one slot, so that no word of a class is out of reach.
    pub(super) fn new(size: usize) -> Self {
        assert!(
            size <= SLOTS,
            "a class of {size} words does not fit {SLOTS} slots"
        );
        let weight = |rank: usize| (1_u64 << 40) / (rank as u64 + SHIFT);
        let total: u64 = (0..size).map(weight).sum();
        let mut table = vec![0; SLOTS];
        let (mut sum, mut start) = (0, 0);
        for rank in 0..size {
            sum += weight(rank);
            let fair = ((sum << 16) / total) as usize;
            let left_to_others = SLOTS - (size - 1 - rank);
            let end = fair.max(start + 1).min(left_to_others);
            table[start..end].fill(rank as u16);
            start = end;
        }
        Self(
            table
                .try_into()
                .expect("the table was made with this many slots"),
        )
    }

    /// The rank that the top 16 bits of a hash draw.
    pub(super) fn rank(&self, hash: u64) -> u16 {
        self.0[(hash >> 48) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_in_reach_and_slots_fall_with_rank() {
        let zipf = Zipf::new(2048);
        let mut slots = vec![0_u32; 2048];
        for &rank in zipf.0.iter() {
            slots[usize::from(rank)] += 1;
        }
        assert!(slots.iter().all(|&n| n >= 1));
        // P(0) / P(2) = 4 / 2 by the law; a slot more or less from rounding.
        assert!(slots[0].abs_diff(2 * slots[2]) <= 2, "{slots:?}");
        assert_eq!(zipf.rank(0), 0);
        assert_eq!(zipf.rank(u64::MAX), 2047);
    }
}
