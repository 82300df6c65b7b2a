//! The image datasets of this plugin.
//!
//! [`shapes`] paints its images; [`idx`] and [`cifar10`] read files into a
//! [`Collection`], which trains on views of its images that [`augment`] takes.
//! [`datasets`] puts all three behind the host's trait. Nothing else here knows tch.

pub mod augment;
pub mod cifar10;
mod collection;
pub mod datasets;
mod error;
pub mod idx;
pub mod shapes;

pub use collection::{Collection, Images, Levels};
pub use error::DataError;
