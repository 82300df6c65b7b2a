//! What an author implements and is handed.

mod data;
mod dataset;
mod error;
mod loss;
mod model;

pub use data::{DataDescription, DataForm, Unit};
pub use dataset::{Batch, Dataset, Draw, Place, Split};
pub use error::{Error, Result};
pub use loss::{Loss, LossValue};
pub use model::{Buffer, Context, Mode, Model, ModelContext, Parameter, Profile};
