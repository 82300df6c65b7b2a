//! One rank alone: nothing to say to anyone.

use flops_fit_trial::Failure;
use tch::Tensor;

use super::Collective;

/// The only rank.
pub(super) struct Solo;

impl Collective for Solo {
    fn rank(&self) -> usize {
        0
    }

    fn ranks(&self) -> usize {
        1
    }

    fn exchange(&mut self, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        Ok(vec![words.to_vec()])
    }

    fn gather(&mut self, tensors: &[Tensor]) -> Result<Vec<Vec<Tensor>>, Failure> {
        Ok(vec![tensors.iter().map(Tensor::shallow_clone).collect()])
    }

    fn reduce_scatter(&mut self, _: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        self.exchange(words)
    }

    fn all_gather(&mut self, _: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        self.exchange(words)
    }

    fn seconds(&self) -> f64 {
        0.0
    }
}
