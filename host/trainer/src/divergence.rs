//! Tells a run that has left the numbers that mean anything.

use std::collections::VecDeque;

/// Training losses whose mean is compared with the first one.
const WINDOW: usize = 20;

/// How far above the first loss, in proportion, their mean must be: the first is that of
/// one batch, and a model may learn nothing for a while.
const MARGIN: f64 = 0.05;

/// Watches the training loss.
#[derive(Debug)]
pub(crate) struct Watch {
    warmup: u64,
    first: Option<f64>,
    recent: VecDeque<f64>,
}

impl Watch {
    /// Of a run whose first loss and latest ones were seen before, if any were.
    pub(crate) fn resume(warmup: u64, first: Option<f64>, recent: &[f64]) -> Self {
        Self {
            warmup,
            first,
            recent: recent.iter().copied().collect(),
        }
    }

    /// The first loss, and the latest ones, oldest first.
    pub(crate) fn seen(&self) -> (Option<f64>, Vec<f64>) {
        (self.first, self.recent.iter().copied().collect())
    }

    /// Takes the loss of `step` (from 0); says why if the run has diverged.
    pub(crate) fn see(&mut self, step: u64, loss: f64) -> Option<String> {
        if !loss.is_finite() {
            return Some(format!("the training loss is {loss}"));
        }
        let first = *self.first.get_or_insert(loss);
        if step == self.warmup {
            // What warm-up did is not held against what comes after it.
            self.recent.clear();
        }
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(loss);
        let mean = self.recent.iter().sum::<f64>() / self.recent.len() as f64;
        let settled = step >= self.warmup && self.recent.len() == WINDOW;
        let limit = first + MARGIN * first.abs();
        (settled && mean > limit).then(|| {
            format!("after warm-up the mean training loss of {WINDOW} steps, {mean:.4}, is far above the first, {first:.4}")
        })
    }

    /// Mean of the latest losses.
    pub(crate) fn recent(&self) -> Option<f64> {
        (!self.recent.is_empty())
            .then(|| self.recent.iter().sum::<f64>() / self.recent.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_alarm(warmup: u64, losses: impl IntoIterator<Item = f64>) -> Option<u64> {
        let mut watch = Watch::resume(warmup, None, &[]);
        (0..)
            .zip(losses)
            .find_map(|(step, loss)| watch.see(step, loss).map(|_| step))
    }

    #[test]
    fn alarms_where_it_should() {
        assert_eq!(
            first_alarm(10, (0..100).map(|i| 4.0 - 0.01 * f64::from(i))),
            None
        );
        assert_eq!(first_alarm(10, [4.0, 3.9, f64::NAN]), Some(2));
        assert_eq!(first_alarm(10, [4.0, f64::INFINITY]), Some(1));
        // A hump inside warm-up is forgiven, one after it is not.
        assert_eq!(
            first_alarm(
                50,
                (0..50).map(|i| 4.0 + 0.01 * f64::from(i)).chain([3.0; 50])
            ),
            None
        );
        assert_eq!(
            first_alarm(10, std::iter::once(4.0).chain([5.0; 99])),
            Some(29)
        );
        // Nothing learnt, and a first batch that was easier than most.
        assert_eq!(first_alarm(10, std::iter::once(4.0).chain([4.1; 99])), None);
    }
}
