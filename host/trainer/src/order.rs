//! Which example is drawn when: stateless, so that resume and sharding are
//! exact.

use flops_fit_plugin::Draw;

/// The order of a training split under one seed. Draw k is a pure function of
/// (seed, k); a bounded split is gone through once per epoch, each epoch in an
/// order of its own.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    examples: Option<u64>,
    seed: u64,
}

/// A seed below 2²⁴ has 2⁴⁰ examples of an unbounded split to itself.
const STRIDE: u32 = 40;

impl Order {
    /// Over a split of `examples` (`None`: unbounded).
    pub fn new(examples: Option<u64>, seed: u64) -> Self {
        Self { examples, seed }
    }

    /// Draw number `k`, from 0.
    pub fn draw(&self, k: u64) -> Draw {
        let index = match self.examples {
            None => self.start().wrapping_add(k),
            Some(n) => permute(k % n, n, mix(self.seed ^ mix(k / n))),
        };
        Draw {
            index,
            seed: mix(mix(self.seed).wrapping_add(k)),
        }
    }

    /// The first example of an unbounded split. There are no more disjoint stretches for
    /// larger seeds: they start anywhere, so that two with n draws each meet with a
    /// probability of 2n/2⁶⁴.
    fn start(&self) -> u64 {
        if self.seed >> (u64::BITS - STRIDE) == 0 {
            self.seed << STRIDE
        } else {
            mix(self.seed)
        }
    }

    /// `count` examples spread evenly over a held-out split, the same for every
    /// run.
    pub fn held_out(examples: Option<u64>, count: u64) -> impl Iterator<Item = Draw> {
        (0..count).map(move |j| {
            let index = match examples {
                None => j,
                Some(n) => (u128::from(j) * u128::from(n) / u128::from(count)) as u64,
            };
            Draw {
                index,
                seed: mix(j),
            }
        })
    }
}

/// A permutation of 0..n: a Feistel network over the next power of four, walked
/// until it lands inside (Black & Rogaway 2002). Expected walks: at most four.
fn permute(index: u64, n: u64, key: u64) -> u64 {
    let half = (64 - (n.max(2) - 1).leading_zeros()).div_ceil(2);
    let mask = (1_u64 << half) - 1;
    let mut x = index;
    loop {
        let (mut left, mut right) = (x >> half, x & mask);
        for round in 0..6 {
            (left, right) = (
                right,
                left ^ (mix(right ^ mix(key.wrapping_add(round))) & mask),
            );
        }
        x = left << half | right;
        if x < n {
            return x;
        }
    }
}

/// The finaliser of splitmix64.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_epoch_draws_every_example_once_and_the_next_in_another_order() {
        for n in [1, 2, 3, 64, 1000, 4097] {
            let order = Order::new(Some(n), 7);
            let epoch = |e: u64| {
                (0..n)
                    .map(|k| order.draw(e * n + k).index)
                    .collect::<Vec<_>>()
            };
            let first = epoch(0);
            assert_eq!(first.iter().collect::<HashSet<_>>().len() as u64, n);
            assert!(first.iter().all(|&i| i < n));
            if n > 3 {
                assert_ne!(first, epoch(1));
                assert_ne!(
                    first,
                    (0..n)
                        .map(|k| Order::new(Some(n), 8).draw(k).index)
                        .collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn neighbours_are_torn_apart() {
        let order = Order::new(Some(100_000), 0);
        let mean = (0..1000_u64)
            .map(|k| order.draw(k).index as f64)
            .sum::<f64>()
            / 1000.0;
        assert!((mean / 50_000.0 - 1.0).abs() < 0.1, "mean index {mean}");
    }

    #[test]
    fn seeds_of_an_unbounded_split_do_not_meet() {
        let (a, b) = (Order::new(None, 0), Order::new(None, 1));
        assert_eq!(a.draw(5).index, 5);
        assert!(b.draw(0).index > a.draw(1 << 39).index);
        // The largest with a stretch of its own.
        let last = Order::new(None, (1 << 24) - 1);
        assert_eq!(last.draw(3).index, ((1 << 24) - 1) << 40 | 3);
        // Larger ones, some of which have the same lower 24 bits.
        let larger = [
            1 << 24,
            (1 << 24) + 1,
            1 << 25,
            1 << 63,
            u64::MAX,
            20_261_126,
        ];
        let small = [0, 1, 2, 0x35_2906];
        let mut starts: Vec<u64> = larger
            .into_iter()
            .chain(small)
            .map(|seed| Order::new(None, seed).draw(0).index)
            .collect();
        starts.sort_unstable();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] > 1 << 32));
    }

    #[test]
    fn held_out_examples_are_spread_evenly() {
        let indices: Vec<_> = Order::held_out(Some(1001), 10).map(|d| d.index).collect();
        assert_eq!(indices, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    }
}
