//! What the reference models share: transformer blocks under u-μP or the
//! standard parametrisation, and cross-entropy.
//!
//! [`Shape`] says what is built, [`Scales`] how each matrix starts and how fast
//! it learns, [`Stack`] are the blocks, [`rope`] are rotary positions.

pub mod loss;
pub mod rope;
pub mod scales;
mod shape;
mod stack;

pub use scales::{MatrixScale, Scales};
pub use shape::{Activation, Parametrization, Shape, check_positive};
pub use stack::{Stack, matrix, norm};
