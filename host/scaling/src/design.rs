//! What a run is worth before it is trained: how narrow the interval of a planned
//! sweep is likely to be, which run narrows that of a sweep in progress most, and when
//! to stop.

mod half_width;
mod information;
mod next;
mod prior;
mod progress;
mod worth;

pub use half_width::HalfWidth;
pub use next::{Advice, Aim, Gain, Proposal, Remaining, Size, Wish, advise, proposals};
pub use prior::{Prior, PriorBasis};
pub use progress::{next_run, next_run_after};
pub use worth::{Effort, Worth, worth};
