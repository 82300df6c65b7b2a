//! Files that flops-fit reads, as they should be and in any other way.
//!
//! A [`Target`] is one parser with some valid inputs and the words of its
//! format. The loop of `cargo xtask fuzz` mutates those; the targets of
//! cargo-fuzz in `fuzz/` take their bytes from `libFuzzer`. What a parser must
//! keep is the same for both: no panic, no hang, no more than
//! [`MOST_BYTES`] at once, and what it accepts and writes again is accepted
//! again.

pub mod child;
mod corpus;
pub mod memory;
pub mod mutate;
mod targets;

pub use targets::{TARGETS, Target, target};

/// Most memory that one input may take, in bytes.
pub const MOST_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use child::Failure;
    use mutate::Mutator;

    #[global_allocator]
    static ALLOCATOR: memory::Counting = memory::Counting;

    /// The failures of three cases of a parser that does `run`.
    fn failures(run: fn(&[u8]) -> bool) -> Vec<Failure> {
        let target = Target {
            name: "bad",
            corpus: || vec![b"input".to_vec()],
            words: &["word"],
            run,
        };
        child::run(&target, 0, (5, 8), false).failures
    }

    #[test]
    fn what_must_not_happen_is_seen_when_it_does() {
        assert!(failures(|_| true).is_empty());
        let panicked = failures(|_| panic!("{} it", "no to"));
        let what = "panicked: no to it".to_owned();
        assert_eq!(panicked.len(), 3);
        assert_eq!(panicked[0], Failure { case: 5, what });
        let greedy = failures(|_| std::hint::black_box(vec![1_u8; MOST_BYTES + (1 << 20)])[0] == 1);
        assert_eq!(greedy.len(), 3);
        assert!(greedy[2].what.starts_with("took "), "{greedy:?}");
    }

    #[test]
    fn the_corpus_is_what_the_parsers_accept() {
        for target in TARGETS {
            for (number, input) in (target.corpus)().iter().enumerate() {
                assert!(
                    (target.run)(input),
                    "{}: valid input {number} is refused: {}",
                    target.name,
                    String::from_utf8_lossy(input)
                );
            }
        }
    }

    #[test]
    fn some_mutations_of_each_are_survived() {
        for target in TARGETS {
            let mutator = Mutator::new(target);
            for case in 0..500 {
                let _ = (target.run)(&mutator.input(0, case));
            }
        }
    }

    #[test]
    fn a_case_is_a_function_of_its_numbers() {
        let mutator = Mutator::new(&TARGETS[0]);
        assert_eq!(mutator.input(1, 2), mutator.input(1, 2));
        let differs = |seed, case| mutator.input(seed, case) != mutator.input(1, 2);
        assert!((3..9).any(|case| differs(1, case)) && (2..9).any(|seed| differs(seed, 2)));
    }
}
