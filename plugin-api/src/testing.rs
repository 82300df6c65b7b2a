//! Unit tests of a plugin's parts, without flops-fit: the feature `testing`.
//!
//! ```toml
//! [dev-dependencies]
//! flops-fit-plugin = { path = "…/plugin-api", features = ["testing"] }
//! ```
//!
//! Every part is built from JSON, as the host builds it from a manifest's
//! table, so a test sees the same defaults and the same refusals:
//!
//! ```ignore
//! use flops_fit_plugin::testing::{self, Configs, json};
//!
//! #[test]
//! fn the_contract_is_kept() -> Result<(), testing::Violation> {
//!     let configs = Configs {
//!         model: json!({ "rank": 4 }),
//!         dataset: json!({ "path": "src/lib.rs", "seq_len": 32 }),
//!         loss: json!({}),
//!     };
//!     testing::check::<Bigram, Bytes, CrossEntropy>(&configs, 1)
//! }
//!
//! #[test]
//! fn no_ranks_are_refused() {
//!     let data = testing::build_dataset::<Bytes>(&json!({ "path": "src/lib.rs" })).unwrap().description();
//!     let error = testing::build_model::<Bigram>(&json!({ "rank": 0 }), &data, 1).unwrap_err();
//!     assert_eq!(error.key(), Some("rank"));
//! }
//! ```
//!
//! [`check`] looks for what unit tests can find in a moment, on the CPU, in one
//! process; `flops-fit check` runs the built library through the worker and
//! looks further.
//!
//! libtorch has one random generator for all threads, and Rust runs tests on
//! several. What this module calls takes turns; a test that draws from that
//! generator beside it (`Tensor::randn`) disturbs what others draw.

mod build;
mod contract;
mod pass;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use build::{Configs, build_dataset, build_loss, build_model};
pub use contract::{Violation, check};
pub use pass::{Pass, draw, evaluate, pass};
pub use serde_json::{Value, json};

/// Nobody else here uses libtorch's generator while this is held.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    // A test that panicked has left nothing behind that matters.
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}
