//! Draws shared out over threads.

use std::num::NonZeroUsize;
use std::thread;

/// Works `one(0)`, `one(1)`, … `one(count − 1)` out and returns them in that
/// order. Each result depends on its number alone, so the number of threads
/// changes nothing but the time; `None` takes as many as the machine offers.
pub(crate) fn map<T, F>(count: usize, threads: Option<NonZeroUsize>, one: F) -> Vec<T>
where
    T: Send,
    F: Fn(usize) -> T + Sync,
{
    let threads = threads
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
        .min(count);
    if threads <= 1 {
        return (0..count).map(one).collect();
    }
    // Neighbouring draws cost alike, so each thread takes every `threads`-th.
    let shares: Vec<Vec<T>> = thread::scope(|scope| {
        let one = &one;
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || (first..count).step_by(threads).map(one).collect::<Vec<T>>())
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let mut shares: Vec<_> = shares.into_iter().map(Vec::into_iter).collect();
    (0..count)
        .filter_map(|draw| shares[draw % threads].next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_at_any_number_of_threads() {
        for count in [0, 1, 2, 7, 100] {
            for threads in 1..5 {
                let squares = map(count, NonZeroUsize::new(threads), |draw| draw * draw);
                assert_eq!(
                    squares,
                    (0..count).map(|draw| draw * draw).collect::<Vec<_>>()
                );
            }
        }
    }
}
